"""What continuous integration may do and runs, and the role of the assistants in PostgreSQL."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import psycopg2
import pytest
import yaml

from stores.votes import VoteStore
from tests.deploy.real_nginx import ROOT
from tests.services import postgres_server

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_only_read_and_runs_what_is_pinned(file: Path) -> None:
    text = file.read_text("utf8")
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []
    assert "pull_request_target" not in text


def test_what_fetches_packages_is_pinned_too() -> None:
    for name in re.findall(r"pip install [^|\n]*", (ROOT / ".ci" / "run").read_text("utf8")):
        assert re.search(r"\w==\d", name), name


async def test_the_assistants_role_owns_one_database_and_is_no_superuser(tmp_path: Path) -> None:
    script = ROOT / "deploy" / "kubernetes" / "components" / "postgres" / "role.sh"
    with postgres_server(tmp_path) as server:
        place = psycopg2.extensions.parse_dsn(server.url)
        environment = {
            **os.environ, "PGHOST": place["host"], "PGPORT": place["port"], "POSTGRES_USER": place["user"],
            "PGPASSWORD": place.get("password", ""), "MSALS_PASSWORD": "it's a \\ secret",
        }  # fmt: skip
        done = subprocess.run([str(script)], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rights = "select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin from pg_roles"
        assert server.query(f"{rights} where rolname = 'msals'") == [(False,) * 5 + (True,)]
        address = f"postgresql://msals:it%27s%20a%20%5C%20secret@{place['host']}:{place['port']}/msals"
        assert await VoteStore(address).add("answered", "cure", True)
        with pytest.raises(psycopg2.OperationalError, match="permission denied"):
            psycopg2.connect(address.removesuffix("msals") + "postgres")
