"""The same replies from actions in this process and from an action server, and an apology without one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Assistant, free_port, start, stop
from tests.contract.reply_contract import OUTCOMES, keep_to_contract

CONVERSATIONS = {
    "follow-ups": [
        "how is MS diagnosed",
        "and for ALS?",
        "tell me more",
        "more simply",
        "why",
        "where is that from",
        "start over",
    ],
    "several": ["compare symptoms of ms and als", "What causes ALS? And is there a cure for it?", "what about MS"],
    "named": ["is riluzole the only drug for ALS?", "does als cause tingling", "lupus or MS", "symptoms of lupus"],
    "limits": [
        "I have tingling in my hands, is it MS?",
        "how much does biogen earn with ms drugs",
        "what is the weather",
        "i want to die",
        "he is choking right now",
        "hm",
        "hello",
        "forget me",
        "tell me more",
    ],
    "elsewhere": ["symptoms of lupus", "what is the capital of france", "was ist multiple sklerose"],
    "buttons": ["what is als", '/definition{"condition":["MS"]}', "/restart"],
}


@dataclass
class Both:
    """What was replied with actions in this process, and from the action server."""

    near: dict[str, list[Any]]
    far: dict[str, list[Any]]
    without_server: list[tuple[Any, float]]
    ready: list[requests.Response]
    logs: str


def talk(assistant: Assistant, sender: str, texts: list[str]) -> list[Any]:
    return [assistant.ask(text, f"{sender}-of-the-pair") for text in texts]


@pytest.fixture(scope="module")
def both(
    assistant: Assistant,
    start_assistant: Callable[..., Assistant],
    facts_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Both:
    """An assistant with an action server beside it, asked the same as the other one; then without."""
    port = free_port()
    log = tmp_path_factory.mktemp("actions") / "actions.log"
    actions = start(
        ["-m", "rasa", "run", "actions", "--port", str(port)],
        f"http://127.0.0.1:{port}/health",
        log,
        FACTS_FILE=str(facts_file),
    )
    try:
        remote = start_assistant(ACTION_ENDPOINT=f"http://127.0.0.1:{port}/webhook")
        near = {name: talk(assistant, name, texts) for name, texts in CONVERSATIONS.items()}
        far = {name: talk(remote, name, texts) for name, texts in CONVERSATIONS.items()}
        remote.ask("what does zqxmarker mean in als")
        ready = [requests.get(f"{remote.address}/health/ready", timeout=30)]
    finally:
        stop(actions)
    ready.append(requests.get(f"{remote.address}/health/ready", timeout=30))
    timed = []
    for text in ("what is ms", "hello", "i want to die"):
        begun = time.monotonic()
        timed.append((remote.ask(text), time.monotonic() - begun))
    return Both(near, far, timed, ready, log.read_text("utf8") + remote.log.read_text("utf8"))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_replies_are_the_same(name: str, both: Both) -> None:
    assert both.far[name] == both.near[name]
    assert len(both.near[name]) == len(CONVERSATIONS[name])


def test_the_replies_were_not_apologies(both: Both) -> None:
    outcomes = {reply["metadata"]["outcome"] for replies in both.far.values() for reply in replies}
    assert outcomes == OUTCOMES - {"error"}


def test_without_the_action_server_there_is_an_apology_with_the_disclaimer_within_ten_seconds(both: Both) -> None:
    *ordinary, cry = both.without_server
    for reply, seconds in ordinary:
        metadata = keep_to_contract(reply)
        assert metadata["outcome"] == "error"
        assert "sorry" in metadata["answer"]
        assert seconds < 10
    # The rules need no action server: who writes in need is heard.
    assert keep_to_contract(cry[0])["outcome"] == "crisis"
    assert cry[1] < 10


def test_without_its_action_server_it_is_degraded_and_still_hears_a_cry(both: Both) -> None:
    seen = [(answer.status_code, answer.json()["status"], answer.json()["actions"]) for answer in both.ready]
    assert seen == [(200, "ok", True), (200, "degraded", False)]


def test_neither_process_logs_what_was_written(both: Both) -> None:
    assert "zqxmarker" not in both.logs
