"""The Compose files, against the schema of the specification and for what they promise."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
import yaml

from tests.deploy.real_nginx import ROOT, free_port

DEPLOY = ROOT / "deploy"
FILES = ("compose.yml", "compose.slack-telegram.yml")
OURS = ("nginx", "assistant", "actions")


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / name).read_text("utf8")))


COMPOSE = read("compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


@pytest.mark.parametrize("name", FILES)
def test_it_is_what_the_specification_says(name: str) -> None:
    schema = json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text("utf8"))
    errors = jsonschema.Draft7Validator(schema).iter_errors(read(name))
    assert [f"{'/'.join(map(str, error.path))}: {error.message}" for error in errors] == []


@each_service
def test_every_container_has_few_rights_and_limits(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert service["restart"] == "unless-stopped"


@each_service
def test_every_container_says_whether_it_is_well(name: str) -> None:
    """Ours as their images have it."""
    if name not in OURS:
        assert SERVICES[name]["healthcheck"]["test"]


@each_service
def test_images_have_versions(name: str) -> None:
    image = SERVICES[name]["image"]
    if name in OURS:
        assert re.fullmatch(r"ms-als-answers(-web)?:\$\{TAG:-local\}", image)
        target = SERVICES[name]["build"]["target"]
        assert re.search(rf" AS {target}$", (DEPLOY / "container" / "Dockerfile").read_text("utf8"), re.MULTILINE)
        assert (DEPLOY / SERVICES[name]["build"]["context"] / SERVICES[name]["build"]["dockerfile"]).is_file()
    else:
        assert re.search(r":v?\d+\.?\d*", image)


@each_service
def test_everything_it_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert set(service.get("depends_on", ())) <= set(SERVICES)
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]
    # A name in an address is a container on a network of this one.
    for value in (service.get("environment") or {}).values():
        for host in re.findall(r"(?:@|//)([a-z]+):\d+", str(value)):
            assert set(SERVICES[host]["networks"]) & set(service["networks"]), host


def test_only_nginx_is_public_and_nothing_inside_can_reach_out() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"nginx", "grafana"}
    assert SERVICES["nginx"]["ports"] == ["${PUBLISH:-127.0.0.1:8080}:8080"]
    assert SERVICES["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    open_networks = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}
    assert open_networks == {"edge"}
    assert {name for name, service in SERVICES.items() if "edge" in service["networks"]} == {"nginx", "grafana"}
    assert not {"redis", "postgres", "actions"} & {n for n, s in SERVICES.items() if "front" in s["networks"]}
    assert all("network_mode" not in service for service in SERVICES.values())


def test_action_servers_have_no_database() -> None:
    assert "postgres" not in str(SERVICES["actions"])
    assert "PASSWORD" not in str(SERVICES["actions"])


def test_there_are_two_of_what_answers() -> None:
    assert SERVICES["assistant"]["deploy"]["replicas"] == SERVICES["actions"]["deploy"]["replicas"] == 2


def test_no_password_is_written_down_and_none_is_missing_by_accident() -> None:
    for name in FILES:
        text = (DEPLOY / name).read_text("utf8")
        for variable in set(re.findall(r"\$\{(\w*PASSWORD)", text)):
            assert not re.search(rf"\$\{{{variable}(?!:\?)[^}}]*\}}", text), f"{variable} needs :?"
    for line in (DEPLOY / "example.env").read_text("utf8").splitlines():
        if re.search(r"PASSWORD|TOKEN|SECRET", line):
            assert line.endswith("=") or line.startswith("# "), line
    done = subprocess.run(["git", "check-ignore", "-q", "deploy/.env"], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_every_variable_that_can_be_set_is_in_the_example() -> None:
    text = "".join((DEPLOY / name).read_text("utf8") for name in FILES)
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", text)) | set(re.findall(r"^ +([A-Z_]+):$", text, re.MULTILINE))
    listed = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "example.env").read_text("utf8"), re.MULTILINE))
    assert used - listed == set()
    assert listed <= used


def test_slack_and_telegram_open_the_one_way_out() -> None:
    added = read("compose.slack-telegram.yml")
    assert set(added["services"]) == {"assistant"}
    assert added["networks"] == {"outside": {}}
    assert set(SERVICES["assistant"]["networks"]) < set(added["services"]["assistant"]["networks"])


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Redis as the container starts it."""
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    shell, option, line = SERVICES["redis"]["command"]
    process = subprocess.Popen(
        [shell, option, f"{line.replace('$$', '$')} --port {port} --bind 127.0.0.1"],
        cwd=folder, env={"REDIS_PASSWORD": "secret", "PATH": "/usr/bin:/bin"}, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    client = redis.Redis(port=port, password="secret")
    for _ in range(100):
        assert process.poll() is None, "redis-server is missing or does not start: run bin/setup-tests"
        try:
            client.ping()
            break
        except redis.exceptions.ConnectionError:
            time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)


def test_redis_keeps_nothing_on_disk_and_wants_its_password(redis_port: int) -> None:
    client = redis.Redis(port=redis_port, password="secret", decode_responses=True)
    told = client.config_get("*")
    assert (told["save"], told["appendonly"]) == ("", "no")
    assert (told["maxmemory"], told["maxmemory-policy"]) == (str(256 * 1024**2), "volatile-lru")
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=redis_port).ping()
    check = SERVICES["redis"]["healthcheck"]["test"][1]
    assert shlex.split(check)[:2] == ["redis-cli", "ping"]
    for password, code in (("secret", 0), ("wrong", 1)):
        done = subprocess.run(
            ["sh", "-c", check.replace("redis-cli", f"redis-cli -p {redis_port}")],
            env={"REDISCLI_AUTH": password, "PATH": "/usr/bin:/bin"}, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == code
