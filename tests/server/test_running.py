"""A running assistant: what it keeps, what it logs, and how it goes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.conftest import ROOT, Assistant, free_port
from tests.contract.reply_contract import keep_to_contract


def count(folder: Path, marker: str) -> dict[str, int]:
    """How often a text stands in each file of a folder that holds it."""
    found = {path.name: path.read_bytes().count(marker.encode()) for path in folder.iterdir() if path.is_file()}
    return {name: number for name, number in found.items() if number}


# --- killed and started again ---------------------------------------------------------------------


@dataclass
class Life:
    """What was seen of an assistant that was killed, started again and stopped."""

    before: Any
    after: Any
    pressed: Any
    held: dict[str, int]
    words: dict[str, int]
    left: dict[str, int]
    forgotten: Any
    processes: list[psutil.Process]
    code: int
    port: int


@pytest.fixture(scope="module")
def life(start_assistant: Callable[..., Assistant], tmp_path_factory: pytest.TempPathFactory) -> Life:
    folder = tmp_path_factory.mktemp("kept")
    url = f"sqlite:///{folder}/conversations.sqlite"
    first = start_assistant(CONVERSATIONS_URL=url)
    before = first.ask("what causes als", "kept")
    first.process.kill()  # no chance to put anything away
    first.process.wait(20)

    second = start_assistant(CONVERSATIONS_URL=url)
    after = second.ask("tell me more", "kept")
    pressed = second.ask(before["buttons"][0]["payload"], "kept")
    second.ask("does als cause zqxwords", "zqxleaves")
    second.ask("zqxwords, tell me more", "zqxleaves")
    held, words = count(folder, "zqxleaves"), count(folder, "zqxwords")
    second.ask("forget me", "zqxleaves")
    left = count(folder, "zqxleaves")
    forgotten = second.ask("tell me more", "zqxleaves")

    process = psutil.Process(second.process.pid)
    processes = [process, *process.children(recursive=True)]
    second.process.send_signal(signal.SIGINT)
    code = second.process.wait(20)
    port = int(second.address.rpartition(":")[2])
    return Life(before, after, pressed, held, words, left, forgotten, processes, code, port)


def test_a_conversation_outlives_a_killed_assistant(life: Life) -> None:
    assert (life.after["metadata"]["topic"], life.after["metadata"]["conditions"]) == ("cause", ["ALS"])
    assert set(life.after["metadata"]["facts"]).isdisjoint(life.before["metadata"]["facts"])


def test_a_button_shown_before_may_still_be_pressed(life: Life) -> None:
    assert (life.pressed["metadata"]["topic"], life.pressed["metadata"]["conditions"]) == ("cause", ["MS"])


def test_what_people_write_is_in_no_file(life: Life) -> None:
    assert life.words == {}


def test_who_is_forgotten_leaves_no_byte_in_any_file(life: Life) -> None:
    assert life.held
    assert life.left == {}


def test_who_is_forgotten_begins_afresh(life: Life) -> None:
    assert life.forgotten["metadata"]["outcome"] == "clarify"


def test_one_ctrl_c_stops_everything(life: Life) -> None:
    assert life.code in (0, 130, -signal.SIGINT)
    assert [p for p in life.processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", life.port)) != 0


# --- without its store, and with it again ----------------------------------------------------------


@dataclass
class Storeless:
    """What was seen of an assistant that never had its store, which then came."""

    replies: list[Any]
    cry: Any
    ready: requests.Response
    version: requests.Response
    live: requests.Response
    later: Any
    ready_later: requests.Response
    log: str


@pytest.fixture(scope="module")
def storeless(
    start_assistant: Callable[..., Assistant], facts_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Storeless:
    path = tmp_path_factory.mktemp("storeless") / "facts.json"
    one = start_assistant(FACTS_FILE=str(path))
    replies = [one.ask(text) for text in ("what is zqxmarker in als", "hello", "/zqxmarker")]
    cry = one.ask("zqxmarker i want to die")
    ready, version, live = (
        requests.get(f"{one.address}{p}", timeout=30) for p in ("/health/ready", "/version", "/health/live")
    )
    assert not path.exists()
    shutil.copy(facts_file, path)
    later = one.ask("what is als")
    ready_later = requests.get(f"{one.address}/health/ready", timeout=30)
    return Storeless(replies, cry, ready, version, live, later, ready_later, one.log.read_text("utf8"))


def test_without_its_store_it_apologises_with_the_disclaimer(storeless: Storeless) -> None:
    for reply in storeless.replies:
        metadata = keep_to_contract(reply)
        assert metadata["outcome"] == "error"
        assert "112, 911 or 999" in metadata["answer"]


def test_without_its_store_a_cry_for_help_is_heard(storeless: Storeless) -> None:
    metadata = keep_to_contract(storeless.cry)
    assert metadata["outcome"] == "crisis"
    assert [number for number in ("988", "116 123", "112", "999", "911") if number not in metadata["answer"]] == []


def test_without_its_store_it_is_alive_but_not_ready(storeless: Storeless) -> None:
    assert storeless.live.status_code == 200
    assert storeless.ready.status_code == 503
    assert storeless.ready.json() == {"status": "unready", "model": True, "facts": False, "conversations": True}
    assert storeless.version.status_code == 200
    assert storeless.version.json()["facts"] is None


def test_when_the_store_comes_it_answers_without_a_restart(storeless: Storeless) -> None:
    assert storeless.later["metadata"]["outcome"] == "answered"
    assert storeless.ready_later.status_code == 200
    assert storeless.ready_later.json()["status"] == "ok"


def test_a_failure_is_logged_without_what_was_written(storeless: Storeless) -> None:
    assert "fact store cannot be read" in storeless.log
    assert "zqxmarker" not in storeless.log


# --- logs ---------------------------------------------------------------------------------------


def test_what_people_write_is_in_no_log_however_it_fails(assistant: Assistant) -> None:
    marker = f"zqx{uuid.uuid4().hex}"
    for text in (
        f"what is {marker}",
        f"/{marker}",
        f'/{marker}{{"condition":["MS"]}}',
        f"/restart {marker}",
        f"{marker} " * 50,
        f"i want to die {marker}",
        f"MS [{marker}](condition)",
        f"how is ms diagnosed? {marker}! is there a cure?",
    ):
        assistant.ask(text, f"{marker}-sender")
    bodies = [
        json.dumps({"sender": marker, "message": f"{marker} \ud83d"}).encode(),
        json.dumps({"sender": f"{marker} {marker}", "message": marker}).encode(),
        json.dumps({"sender": marker, "message": marker * 100}).encode(),
        f'{{"sender": "a", "message": "{marker}'.encode(),
        b"[" * 10_000 + marker.encode(),
        json.dumps({"message": marker * 2_000}).encode(),
        f'{{"sender": "a", "message": "{marker} \\ud800 what"}}'.encode(),
    ]
    for body in bodies:
        headers = {"Content-Type": "application/json"}
        requests.post(f"{assistant.address}/webhooks/rest/webhook", data=body, headers=headers, timeout=30)
    requests.get(f"{assistant.address}/{marker}", timeout=30)
    log = assistant.log.read_text("utf8")
    assert log
    assert marker not in log


def test_the_log_is_json_lines_but_for_the_line_that_it_is_ready(assistant: Assistant) -> None:
    lines = assistant.log.read_text("utf8").splitlines()
    assert [line for line in lines if "is ready: http" in line] != []
    others = [line for line in lines if "is ready: http" not in line]
    for line in others:
        assert line.startswith("{"), line
        assert {"time", "level", "logger"} <= set(json.loads(line))


def test_the_line_that_it_is_ready_has_an_address_that_opens(assistant: Assistant) -> None:
    (line,) = (line for line in assistant.log.read_text("utf8").splitlines() if "is ready: http" in line)
    page = requests.get(line.split()[-1], timeout=30)
    assert page.status_code == 200
    assert "<ms-als-chat" in page.text


# --- the terminal -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shell(facts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`make shell` with three messages typed, then left."""
    folder = tmp_path_factory.mktemp("shell")
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "server", "shell"],
        cwd=ROOT,
        input="what is the difference between ms and als\n\nhow is ms treated\n/stop\n",
        env={
            **os.environ,
            "PORT": str(free_port()),
            "FACTS_FILE": str(facts_file),
            "COLUMNS": "70",
            "CONVERSATIONS_URL": f"sqlite:///{folder}/c.sqlite",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_shell_answers_in_the_terminal_and_ends(shell: Any) -> None:
    assert shell.returncode == 0
    assert shell.stdout.count("General information, not medical advice") == 2
    assert "Sources" in shell.stdout
    assert "https://" in shell.stdout
    assert "Facts last looked at: 20" in shell.stdout


def test_the_shell_shows_a_comparison_as_a_table_in_the_width_of_the_terminal(shell: Any) -> None:
    lines = shell.stdout.splitlines()
    assert [line for line in lines if line.split() == ["MS", "ALS"]]
    assert [line for line in lines if len(line) > 70 and "://" not in line] == []


@pytest.mark.parametrize("width", [30, 70, 120])
def test_a_reply_for_the_terminal_loses_nothing(width: int) -> None:
    from channels.shell import render

    metadata = {
        "answer": "One plain sentence. " * 8,
        "comparison": [{"aspect": "Usual age at start", "MS": "Between 20 and 40", "ALS": "Between 55 and 75 or so"}],
        "sources": [
            {
                "title": "On both",
                "publisher": "NHS",
                "url": "https://example.org/a/very/long/address/" + "x" * 90,
                "year": None,
            }
        ],
        "reviewed": "2026-11-22",
        "disclaimer": "Not medical advice. " * 5,
    }
    text = render({"metadata": metadata}, width)
    for wanted in ("https://example.org/a/very/long/address/" + "x" * 90, "no date", "2026-11-22"):
        assert wanted in text
    words = " ".join(text.split())
    for wanted in (metadata["answer"].strip(), metadata["disclaimer"].strip()):
        assert " ".join(wanted.split()) in words
    for word in ("Usual", "start", "Between", "75"):
        assert word in text
    assert text.rstrip().endswith("advice.")


# --- explain ------------------------------------------------------------------------------------


def test_the_way_of_a_message_is_explained(facts_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "server.explain", "does riluzole help in MND"],
        cwd=ROOT,
        env={**os.environ, "FACTS_FILE": str(facts_file)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    told = dict(line.split(None, 1) for line in done.stdout.splitlines() if " " in line)
    assert told["terms"] == "drug riluzole (riluzole), condition ALS (MND)"
    assert told["intents"].split()[0] in ("drug", "treatment")
    assert "ALS" in told["question"]
    assert told["outcome"] == "answered"
    assert told["facts"].startswith("als-")
    assert "riluzole" in told["answer"].lower()
