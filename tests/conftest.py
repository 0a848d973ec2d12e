"""What several rooms' tests share: the store built from the records, and a really running assistant."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from facts.build import build
from facts.store import FactStore, Snapshot
from tests.services import free_port, postgres, redis  # noqa: F401 - fixtures for all

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def facts_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fact store built from the records of the repository."""
    file = tmp_path_factory.mktemp("facts") / "facts.json"
    assert build(file) == []
    return file


@pytest.fixture(scope="session")
def facts(facts_file: Path) -> Snapshot:
    return FactStore(facts_file).snapshot()


@dataclass
class Assistant:
    """A running assistant and where it is."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def post(self, body: Any, **kwargs: Any) -> requests.Response:
        return requests.post(f"{self.address}/webhooks/rest/webhook", json=body, timeout=30, **kwargs)

    def ask(self, message: str, sender: str | None = None) -> dict[str, Any]:
        """The one reply to a message, in a conversation of its own unless `sender` is given."""
        response = self.post({"sender": sender or uuid.uuid4().hex, "message": message})
        assert response.status_code == 200, response.text
        replies = response.json()
        assert len(replies) == 1
        return dict(replies[0])


def start(arguments: list[str], ready: str, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a Python module as a process of its own and wait until `ready` answers 200."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=ROOT,
            env={**os.environ, "RASA_TELEMETRY_ENABLED": "false", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(f"{arguments} stopped:\n{log.read_text()[-2000:]}")
        try:
            if requests.get(ready, timeout=2).status_code == 200:
                return process
        except requests.RequestException:
            pass
        time.sleep(0.1)
    stop(process)
    pytest.fail(f"{arguments} did not get ready:\n{log.read_text()[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


@pytest.fixture(scope="session")
def start_assistant(tmp_path_factory: pytest.TempPathFactory, facts_file: Path) -> Iterator[Callable[..., Assistant]]:
    """Starts assistants, each on a port and with conversations of its own; all are stopped at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(**environment: str) -> Assistant:
        folder = tmp_path_factory.mktemp("assistant")
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        settings = {
            "PORT": str(port),
            "FACTS_FILE": str(facts_file),
            "CONVERSATIONS_URL": f"sqlite:///{folder}/conversations.sqlite",
            "MESSAGES_PER_MINUTE": "0",
            **environment,
        }
        log = folder / "assistant.log"
        process = start(["-m", "server"], f"{address}/health/live", log, **settings)
        started.append(process)
        return Assistant(address, process, log)

    yield begin
    for process in started:
        stop(process)


@pytest.fixture(scope="session")
def assistant(start_assistant: Callable[..., Assistant]) -> Assistant:
    """The assistant as `make run` starts it."""
    return start_assistant()
