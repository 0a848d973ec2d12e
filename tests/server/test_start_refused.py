"""What keeps the assistant from starting is one line that says what to do, and exit code 2."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from server.app import input_channels, model_file, require_stores
from server.settings import SettingError, Settings, require_free_port
from tests.conftest import ROOT, free_port, stop


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory, assistant: Any) -> dict[str, tuple[int | None, list[str]]]:
    """Starts with a fault each, all at once: exit code and lines of output. The code is None when it runs."""
    place = tmp_path_factory.mktemp("refused")
    (place / "empty").mkdir()
    (place / "broken").mkdir()
    (place / "broken" / "model.tar.gz").write_bytes(b"this is no model")
    faults = {
        "port": {"PORT": assistant.address.rpartition(":")[2]},
        "model": {"MODEL": str(place / "empty")},
        "broken model": {"MODEL": str(place / "broken")},
        "conversations": {"CONVERSATIONS_URL": f"sqlite:///{place}/no/such/folder/c.sqlite"},
    }
    started: dict[str, tuple[subprocess.Popen[str], str]] = {}
    for name, fault in faults.items():
        environment = {"PORT": str(free_port()), "CONVERSATIONS_URL": f"sqlite:///{place}/{name}.sqlite", **fault}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "server"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started[name] = (process, f"http://127.0.0.1:{environment['PORT']}/health/live")
    found: dict[str, tuple[int | None, list[str]]] = {}
    for _ in range(600):
        for name, (process, address) in started.items():
            if name in found:
                continue
            if process.poll() is not None:
                found[name] = (process.returncode, process.communicate()[0].splitlines())
            elif name != "port" and _answers(address):
                stop(process)  # type: ignore[arg-type]
                found[name] = (None, process.communicate()[0].splitlines())
        if len(found) == len(started):
            return found
        time.sleep(0.2)
    for process, _ in started.values():
        process.kill()
    pytest.fail(f"neither refused nor ready: {set(started) - set(found)}")


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("port", ["Port", "is taken", "PORT="]),
        ("model", ["no trained model in empty/", "make train"]),
        ("broken model", ["model.tar.gz"]),
        ("conversations", ["CONVERSATIONS_URL"]),
    ],
)
def test_a_start_that_cannot_be_says_so_in_one_line(fault: str, named: list[str], refused: Any) -> None:
    code, lines = refused[fault]
    assert code == 2, f"exit code {code}: {lines[-3:]}"
    assert [part for part in named if part not in lines[-1]] == [], lines[-1]
    assert len(lines) == 1, lines[:-1]


def test_the_assistant_whose_port_was_wanted_still_answers(refused: Any, assistant: Any) -> None:
    assert assistant.ask("what is ms")["metadata"]["outcome"] == "answered"


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"conversations_url": "redis://:zqxsecret@127.0.0.1:{port}/0"}, "CONVERSATIONS_URL"),
        ({"conversations_url": "postgresql://me:zqxsecret@127.0.0.1:{port}/it"}, "CONVERSATIONS_URL"),
        ({"conversations_url": "mysql://me:zqxsecret@127.0.0.1:{port}/it"}, "CONVERSATIONS_URL"),  # no driver
        ({"feedback_url": "postgresql://me:zqxsecret@127.0.0.1:{port}/it"}, "FEEDBACK_URL"),
    ],
)
@pytest.mark.parametrize("way", ["nobody listens", "nobody answers"])
def test_a_store_that_is_away_at_the_start_is_named_soon(
    way: str, setting: dict[str, str], named: str, tmp_path: Path
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if way == "nobody answers":
            silent.listen()
        ((name, url),) = setting.items()
        values = {
            "conversations_url": f"sqlite:///{tmp_path}/c.sqlite",
            "feedback_url": f"sqlite:///{tmp_path}/f.sqlite",
            name: url.format(port=silent.getsockname()[1]),
        }
        begun = time.monotonic()
        with pytest.raises(SettingError) as caught:
            require_stores(Settings(**values))
    assert time.monotonic() - begun < 5
    assert str(caught.value).startswith(f"{named} cannot be used")
    assert "zqxsecret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_host_that_is_none_of_this_machine_is_not_called_a_taken_port() -> None:
    with pytest.raises(SettingError) as caught:
        require_free_port(Settings(host="no.such.host.invalid", port=free_port()))
    assert "HOST" in str(caught.value)
    assert "taken" not in str(caught.value)


def test_a_port_that_was_just_left_is_free_again() -> None:
    """After Ctrl-C one starts again at once; the address may linger in the kernel."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listening.accept()
            accepted.close()
    require_free_port(Settings(port=port))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with three models of different age."""
    for age, name in ((20, "old.tar.gz"), (0, "newest.tar.gz"), (10, "newer.tar.gz")):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    return tmp_path


def test_the_newest_model_of_a_folder_is_taken(models: Path) -> None:
    assert model_file(Settings(model=models)).name == "newest.tar.gz"


def test_a_model_that_is_named_is_the_one_that_is_taken(models: Path) -> None:
    assert model_file(Settings(model=models / "old.tar.gz")).name == "old.tar.gz"


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET"),
        ({"SLACK_SIGNING_SECRET": "s"}, "SLACK_BOT_TOKEN"),
        ({"TELEGRAM_WEBHOOK_URL": "https://example.org/x"}, "TELEGRAM_BOT_TOKEN"),
    ],
)
def test_half_a_chat_service_is_refused_and_the_missing_variable_named(
    environment: dict[str, str], missing: str
) -> None:
    with pytest.raises(SettingError, match=missing):
        input_channels(environment)


def test_without_credentials_there_is_no_chat_service() -> None:
    assert not {"slack", "telegram"} & {channel.name() for channel in input_channels({})}
