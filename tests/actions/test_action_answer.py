"""The action Rasa runs, through the executor an action server uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions import actions, dialogue


@pytest.fixture
def executor(facts_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ActionExecutor]:
    """An executor with the actions; the store is looked for anew before and after."""
    monkeypatch.setenv("FACTS_FILE", str(facts_file))
    actions.fact_store.cache_clear()
    made = ActionExecutor()
    made.register_package("actions")
    yield made
    actions.fact_store.cache_clear()


def call(text: str = "how is MS diagnosed", asked: str = "diagnosis/overview", slot: Any = None) -> dict[str, Any]:
    """What Rasa posts to an action server."""
    intent = {"name": asked.partition("/")[0], "confidence": 0.9}
    latest = {
        "text": text,
        "intent": intent,
        "intent_ranking": [intent],
        "question_ranking": [{"name": asked, "confidence": 0.9}] if "/" in asked else [],
        "entities": [{"entity": "condition", "value": "MS", "start": 7, "end": 9}] if "MS" in text else [],
    }
    tracker = {"sender_id": "someone", "slots": {"context": slot}, "latest_message": latest, "events": []}
    return {"next_action": "action_answer", "sender_id": "someone", "domain": {}, "tracker": tracker}


async def test_a_question_becomes_one_response_for_the_generator(executor: ActionExecutor) -> None:
    result = await executor.run(call())
    (response,) = result["responses"]
    assert response["response"] == "utter_reply"
    assert not response.get("text")
    assert response["metadata"]["outcome"] == "answered"
    assert response["metadata"]["question"] == "diagnosis/overview"
    assert response["metadata"]["conditions"] == ["MS"]
    assert response["metadata"]["reason"]
    assert {"title": "And in ALS?", "payload": '/diagnosis{"condition":["ALS"]}'} in response["buttons"]
    (event,) = result["events"]
    assert (event["event"], event["name"], event["value"]["topic"]) == ("slot", "context", "diagnosis")
    json.dumps(result)  # it goes over the wire


async def test_what_was_talked_about_comes_from_the_slot(executor: ActionExecutor) -> None:
    first = await executor.run(call())
    again = await executor.run(call("tell me more", "tell_more", first["events"][0]["value"]))
    assert again["responses"][0]["metadata"]["topic"] == "diagnosis"
    assert again["responses"][0]["metadata"]["conditions"] == ["MS"]


@pytest.mark.parametrize("content", [None, b"", b"no store", b"{}", b'{"version": "1", "tables": {}}'])
async def test_without_its_store_it_apologises(
    content: bytes | None,
    executor: ActionExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "facts.json"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("FACTS_FILE", str(file))
    actions.fact_store.cache_clear()
    slot = {"topic": "cure", "conditions": ["ALS"], "terms": [], "told": [], "clarified": 0, "offers": []}
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
    executor: ActionExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Any, *others: Any) -> None:
        raise ValueError(message.text)

    monkeypatch.setattr(dialogue, "respond", fail)
    result = await executor.run(call("zqxmarker"))
    assert result["responses"][0]["metadata"]["outcome"] == "error"
    assert "zqxmarker" not in caplog.text
    assert "ValueError" in caplog.text


async def test_the_store_is_ready_when_it_can_be_read(
    executor: ActionExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await actions.check_facts()
    assert actions.facts_version()
    monkeypatch.setenv("FACTS_FILE", str(tmp_path / "nowhere.json"))
    actions.fact_store.cache_clear()
    assert actions.facts_version() is None
    with pytest.raises(actions.StoreUnavailable):
        await actions.check_facts()
