"""The action Rasa runs, through the executor an action server uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions import actions, dialogue


@pytest.fixture
def executor() -> Iterator[ActionExecutor]:
    """An executor with the actions; the store is looked for anew before and after."""
    actions.fact_store.cache_clear()
    made = ActionExecutor()
    made.register_package("actions")
    yield made
    actions.fact_store.cache_clear()


def call(text: str = "how is MS diagnosed", intent: str = "diagnosis", slot: Any = None) -> dict[str, Any]:
    """What Rasa posts to an action server."""
    return {
        "next_action": "action_answer",
        "sender_id": "someone",
        "domain": {},
        "tracker": {
            "sender_id": "someone",
            "slots": {"context": slot},
            "latest_message": {
                "text": text,
                "intent": {"name": intent, "confidence": 0.9},
                "intent_ranking": [{"name": intent, "confidence": 0.9}],
                "entities": [{"entity": "condition", "value": "MS", "start": 7, "end": 9}],
            },
            "events": [],
        },
    }


async def test_a_question_becomes_one_response_for_the_generator(
    executor: ActionExecutor, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACT_STORE_URL", store_url)
    result = await executor.run(call())
    (response,) = result["responses"]
    assert response["response"] == "utter_reply"
    assert not response.get("text")
    assert response["metadata"]["outcome"] == "answered"
    assert response["metadata"]["conditions"] == ["MS"]
    assert {"title": "And in ALS?", "payload": '/diagnosis{"condition":["ALS"]}'} in response["buttons"]
    (event,) = result["events"]
    assert (event["event"], event["name"], event["value"]["topic"]) == ("slot", "context", "diagnosis")


async def test_what_was_talked_about_comes_from_the_slot(
    executor: ActionExecutor, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACT_STORE_URL", store_url)
    first = await executor.run(call())
    again = await executor.run(call("tell me more", "tell_more", first["events"][0]["value"]))
    assert again["responses"][0]["metadata"]["topic"] == "diagnosis"


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.sqlite", "sqlite:///{empty}", "no address", "nosuch://x/y"])
async def test_without_its_store_it_apologises(
    url: str,
    executor: ActionExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "empty").write_bytes(b"")
    monkeypatch.setenv("FACT_STORE_URL", url.format(empty=tmp_path / "empty"))
    slot = {"topic": "cure", "conditions": ["ALS"], "terms": [], "told": [], "clarified": 0, "offer": None}
    result = await executor.run(call("zqxmarker how is MS diagnosed", slot=slot))
    (response,) = result["responses"]
    assert response["response"] == "utter_reply"
    assert response["metadata"]["outcome"] == "error"
    assert "sorry" in response["metadata"]["answer"]
    assert "112" in response["metadata"]["answer"]
    assert result["events"][0]["value"]["topic"] == "cure"  # the talk goes on when the store is back
    assert "zqxmarker" not in caplog.text
    assert any(record.levelname == "ERROR" for record in caplog.records)


async def test_a_fault_in_the_dialogue_is_an_apology_and_not_in_the_log_word_by_word(
    executor: ActionExecutor, store_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Any, *others: Any) -> None:
        raise ValueError(message.text)

    monkeypatch.setenv("FACT_STORE_URL", store_url)
    monkeypatch.setattr(dialogue, "respond", fail)
    result = await executor.run(call("zqxmarker"))
    assert result["responses"][0]["metadata"]["outcome"] == "error"
    assert "zqxmarker" not in caplog.text
    assert "ValueError" in caplog.text
