"""A new model and new facts are taken over by a running assistant; nobody who is talking to it notices."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from rasa.model import get_latest_model

from tests.conftest import ROOT, Assistant
from tests.contract.reply_contract import keep_to_contract

#: Longer than the assistant takes to look twice for another model and to load it.
PATIENCE = 60.0


@dataclass(eq=False)
class Talker(threading.Thread):
    """Goes on talking: a question, then a follow-up that can only be answered with what was said before."""

    assistant: Assistant
    outcomes: list[tuple[str, str | None, tuple[str, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            for message in ("what causes ms", "and for ALS?"):
                self.outcomes.append(self.heard(f"talker-{number}", message))

    def heard(self, sender: str, message: str) -> tuple[str, str | None, tuple[str, ...]]:
        try:
            reply = self.assistant.ask(message, sender)["metadata"]
        except (AssertionError, requests.RequestException) as error:
            return ("lost", type(error).__name__, ())
        return (reply["outcome"], reply["topic"], tuple(reply["conditions"]))


@dataclass
class Changed:
    """What was seen while the model was changed under people who talked."""

    seen: list[str]
    outcomes: set[tuple[str, str | None, tuple[str, ...]]]
    turns: int
    after: dict[str, Any]
    log: str


def model_of(assistant: Assistant) -> str:
    return str(requests.get(f"{assistant.address}/version", timeout=10).json()["model"])


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.3)


@pytest.fixture(scope="module")
def changed(start_assistant: Callable[..., Assistant], tmp_path_factory: pytest.TempPathFactory) -> Changed:
    models = tmp_path_factory.mktemp("models")
    newest = Path(str(get_latest_model(str(ROOT / "models"))))
    shutil.copy(newest, models / "1-first.tar.gz")
    assistant = start_assistant(MODEL=str(models))
    until(lambda: requests.get(f"{assistant.address}/health/ready", timeout=10).status_code == 200)
    seen = [model_of(assistant)]
    talker = Talker(assistant)
    talker.start()
    (models / "2-cut-short.tar.gz").write_bytes(newest.read_bytes()[:200_000])
    until(lambda: "cut-short" in assistant.log.read_text())
    seen.append(model_of(assistant))
    shutil.copy(newest, models / "3-third.tar.gz")
    until(lambda: model_of(assistant) == "3-third.tar.gz")
    seen.append(model_of(assistant))
    time.sleep(1)
    talker.over.set()
    talker.join(30)
    metrics = requests.get(f"{assistant.address}/metrics", timeout=10).text
    after = assistant.ask("is there a cure for ms", "later")
    return Changed(seen, set(talker.outcomes), len(talker.outcomes), after, assistant.log.read_text() + metrics)


def test_a_newer_model_takes_over_and_one_cut_short_does_not(changed: Changed) -> None:
    assert changed.seen == ["1-first.tar.gz", "1-first.tar.gz", "3-third.tar.gz"]


def test_no_turn_is_lost_and_no_context_forgotten_meanwhile(changed: Changed) -> None:
    assert changed.turns > 10
    assert changed.outcomes == {("answered", "cause", ("MS",)), ("answered", "cause", ("ALS",))}


def test_the_new_model_answers_and_is_named_in_the_metrics(changed: Changed) -> None:
    keep_to_contract(changed.after)
    assert changed.after["metadata"]["topic"] == "cure"
    assert 'model="3-third.tar.gz"' in changed.log
    assert "The model 2-cut-short.tar.gz cannot be used" in changed.log
