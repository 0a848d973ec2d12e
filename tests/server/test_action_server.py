"""`python -m server actions`: the actions with health, metrics and our logs, and no Rasa."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.conftest import ROOT, free_port, start, stop

MARKER = "zqxmarkeraction"


def call(text: str = "what is ms", action: str = "action_answer") -> dict[str, Any]:
    """What Rasa sends, as far as the actions read it."""
    latest = {
        "text": text,
        "intent": {"name": "definition"},
        "intent_ranking": [{"name": "definition", "confidence": 0.9}],
        "question_ranking": [{"name": "definition/overview", "confidence": 0.9}],
        "entities": [{"entity": "condition", "value": "MS", "start": 8, "end": 10}],
    }
    tracker = {
        "sender_id": MARKER, "slots": {}, "latest_message": latest, "events": [], "paused": False,
        "followup_action": None, "active_loop": {}, "latest_action_name": "",
    }  # fmt: skip
    return {"next_action": action, "sender_id": MARKER, "tracker": tracker, "domain": {}, "version": "3.6.21"}


@dataclass
class Served:
    """What was seen of an action server, first without and then with its facts."""

    early_call: Any
    reply: Any
    bad: dict[str, requests.Response]
    metrics: str
    memory: float
    second_start: subprocess.CompletedProcess[str]
    stopped_after: float
    code: int
    log: str


@pytest.fixture(scope="module")
def served(facts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("actions")
    facts, log, port = folder / "facts.json", folder / "log", free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {"PORT": str(port), "FACTS_FILE": str(facts), "LOG_LEVEL": "DEBUG"}
    process = start(["-m", "server", "actions"], f"{address}/health", log, **environment)
    try:
        early_call = requests.post(f"{address}/webhook", json=call(MARKER), timeout=30).json()
        shutil.copy(facts_file, facts)
        reply = requests.post(f"{address}/webhook", json=call(f"what is ms {MARKER}"), timeout=30).json()
        bad = {
            "no JSON": requests.post(f"{address}/webhook", data=f'{{"{MARKER}', timeout=30),
            "nothing": requests.post(f"{address}/webhook", timeout=30),
            "a list": requests.post(f"{address}/webhook", json=[MARKER], timeout=30),
            "no tracker": requests.post(f"{address}/webhook", json={**call(), "tracker": MARKER}, timeout=30),
            "no such action": requests.post(f"{address}/webhook", json=call(action="utter_nothing"), timeout=30),
            "too large": requests.post(f"{address}/webhook", data=MARKER * 400_000, timeout=30),
            "packed": requests.post(
                f"{address}/webhook",
                data=zlib.compress(b"0" * 10_000_000),
                headers={"Content-Encoding": "deflate"},
                timeout=30,
            ),
            "unknown action": requests.post(f"{address}/webhook", json=call(action=MARKER), timeout=30),
            "elsewhere": requests.get(f"{address}/{MARKER}", timeout=30),
        }
        metrics = requests.get(f"{address}/metrics", timeout=30).text
        memory = psutil.Process(process.pid).memory_info().rss / 1e6
        command = [sys.executable, "-W", "ignore", "-m", "server", "actions"]
        second = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PORT": str(port)}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        with socket.create_connection(("127.0.0.1", port)):  # somebody holds a connection open
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            code = process.wait(20)
            stopped_after = time.monotonic() - begun
    finally:
        stop(process)
    return Served(early_call, reply, bad, metrics, memory, second, stopped_after, code, log.read_text("utf8"))


def test_it_answers_as_rasa_wants_it(served: Served) -> None:
    assert set(served.reply) == {"events", "responses"}
    (response,) = served.reply["responses"]
    assert (response["response"], response["metadata"]["outcome"]) == ("utter_reply", "answered")


def test_without_facts_it_apologises(served: Served) -> None:
    assert served.early_call["responses"][0]["metadata"]["outcome"] == "error"


def test_what_it_cannot_use_is_refused_and_not_sent_back(served: Served) -> None:
    codes = {name: answer.status_code for name, answer in served.bad.items()}
    assert codes == {
        "no JSON": 400, "nothing": 400, "a list": 500, "no tracker": 500, "no such action": 404, "too large": 413,
        "packed": 415, "unknown action": 404, "elsewhere": 404,
    }  # fmt: skip
    assert [name for name, answer in served.bad.items() if MARKER in answer.text or "Traceback" in answer.text] == []


def test_its_metrics_have_the_time_of_the_actions_and_no_turns(served: Served, facts: Any) -> None:
    assert f'msals_info{{facts="{facts.version}",model="",version=' in served.metrics
    assert 'msals_stage_seconds_count{stage="action"}' in served.metrics
    assert "process_resident_memory_bytes" in served.metrics
    # Turns are the assistant's to count: with both, each would count twice.
    assert "msals_turns_total{" not in served.metrics


def test_its_log_is_json_lines_without_what_was_written(served: Served) -> None:
    lines = [line for line in served.log.splitlines() if "are ready: http" not in line]
    assert lines
    assert [line for line in lines if not {"time", "level", "logger"} <= set(json.loads(line))] == []
    assert "fact store cannot be read" in served.log
    assert MARKER not in served.log


def test_a_taken_port_is_told_in_one_line(served: Served) -> None:
    assert served.second_start.returncode == 2
    (line,) = (served.second_start.stdout + served.second_start.stderr).splitlines()
    assert "is taken" in line
    assert "PORT=" in line


def test_it_stops_at_once(served: Served) -> None:
    assert served.code in (0, -signal.SIGTERM)
    assert served.stopped_after < 5


def test_it_is_small_because_it_does_without_rasa(served: Served) -> None:
    assert served.memory < 200
    script = "import sys, server.action_server; sys.exit(bool({'rasa', 'tensorflow', 'spacy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, timeout=60).returncode == 0


def test_a_mode_that_there_is_none_of_is_told_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "server", "action"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["python -m server [shell|actions]"]
