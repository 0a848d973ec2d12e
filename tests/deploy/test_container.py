"""The Dockerfile and what it may take from the working copy. Building it needs a registry: not done here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.deploy.real_nginx import ROOT, StandIn

DOCKERFILE = ROOT / "deploy" / "container" / "Dockerfile"
TEXT = DOCKERFILE.read_text("utf8")
BUILD = (ROOT / "requirements.build").read_text("utf8")
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM |\Z)", TEXT, re.M | re.S))


def copied(stage: str = "") -> list[str]:
    """What a stage, or all, takes from the working copy."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", STAGES[stage] if stage else TEXT, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def let_in(path: str) -> bool:
    """Whether .dockerignore leaves a path in the build: the last line that fits decides."""
    inside = True
    for line in (ROOT / ".dockerignore").read_text("utf8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.lstrip("!").removeprefix("**/")
            parts = Path(path).parts
            places = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            if any(fnmatch(place, pattern) for place in (*places, *(parts if "**/" in line else ()))):
                inside = line.startswith("!")
    return inside


def test_hadolint_has_nothing_to_say() -> None:
    program = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([str(program), "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)


def test_everything_it_copies_is_there_and_let_into_the_build() -> None:
    assert len(copied()) >= 15
    for source in copied():
        assert (ROOT / source).exists(), source
        assert let_in(source), source


def test_nothing_else_is_let_into_the_build() -> None:
    secret = (".env", "deploy/.env", ".git/config", "id_rsa", ".build/conversations.sqlite", "server/x.sqlite")
    useless = (".venv/x", "models/a.tar.gz", "tests/conftest.py", "facts/__pycache__/a.pyc", "docs/slack.md")
    for path in secret + useless:
        assert not let_in(path), path


def test_all_rooms_of_the_program_are_in_the_image() -> None:
    rooms = {one.parent.name for one in ROOT.glob("*/__init__.py")} - {"benchmarks", "tests"}
    assert {"actions", "channels", "facts", "nlu", "replies", "server", "stores"} <= rooms
    assert rooms <= set(copied("model"))
    # Files of the top folder that the program opens while it runs or trains.
    code = "".join(one.read_text("utf8") for room in rooms for one in (ROOT / room).glob("*.py"))
    for name in re.findall(r'ROOT / "(\w[\w.]*)"', code):
        assert name in (*copied("model"), "models"), name


def test_packages_come_with_their_hashes_as_bin_setup_takes_them() -> None:
    install = STAGES["packages"]
    for option in ("--no-deps", "--require-hashes", "-r requirements.txt", "PIP_CONSTRAINT=requirements.build"):
        assert option in install
        assert option.split()[-1] in (ROOT / "bin" / "setup").read_text("utf8")
    # What builds the packages that come as source is what is pinned anyway.
    pinned = (ROOT / "requirements.txt").read_text("utf8")
    for name, hashes in re.findall(r"^(\S+==\S+) \\\n((?: +--hash=\S+(?: \\)?\n?)+)", BUILD, re.MULTILINE):
        assert name in pinned
        assert all(one in pinned for one in re.findall(r"sha256:\w+", hashes))


@pytest.mark.parametrize("stage", ["assistant", "web"])
def test_it_runs_as_nobody_special_with_a_health_check(stage: str) -> None:
    (user,) = re.findall(r"^USER (\d+):\d+$", STAGES[stage], re.MULTILINE)
    assert int(user) > 0
    assert re.search(r"^HEALTHCHECK .*\\\n +CMD \[", STAGES[stage], re.MULTILINE)
    assert re.search(r"^CMD \[", STAGES[stage], re.MULTILINE)


def test_the_health_check_is_a_program_that_runs(stand_in: Callable[..., StandIn]) -> None:
    (command,) = re.findall(r"HEALTHCHECK .*\\\n +CMD (\[.*\])", STAGES["assistant"])
    healthy = stand_in()
    arguments = [sys.executable, *json.loads(command)[1:]]
    assert subprocess.run(arguments, env={"PORT": str(healthy.port)}, check=False).returncode == 0
    assert [one.path for one in healthy.received] == ["/health/ready"]
    healthy.answer = lambda handler: handler.send_error(503)
    assert (
        subprocess.run(arguments, env={"PORT": str(healthy.port)}, stderr=subprocess.DEVNULL, check=False).returncode
        != 0
    )


def test_certificates_of_the_system_are_found_by_the_libraries_inside_psycopg2() -> None:
    """`sslrootcert=system` looks where OpenSSL was built, on somebody else's machine, unless it is told."""
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in STAGES["assistant"]


def test_by_itself_it_writes_only_to_tmp() -> None:
    for name in ("CONVERSATIONS_URL", "FEEDBACK_URL"):
        assert re.search(rf"{name}=sqlite:////tmp/", STAGES["assistant"])


def test_base_images_have_versions_and_nothing_else_is_downloaded() -> None:
    images = re.findall(r"^ARG \w+_IMAGE=(\S+)$", TEXT, re.MULTILINE)
    assert len(images) == 2
    for image in images:
        assert re.search(r":\d+\.\d+", image), image
        assert "/" not in image
    assert "://" not in TEXT.replace("http://127.0.0.1", "").replace("sqlite://", "")
