"""The stock peer learns from our examples as Rasa can read them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import rasa_sdk
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa_sdk.executor import ActionExecutor

from benchmarks import peer
from facts.store import FactStore


def entity(kind: str, start: int, end: int) -> dict[str, object]:
    return {"entity": kind, "value": kind, "start": start, "end": end}


def test_of_spans_that_overlap_the_longest_stays() -> None:
    found = [entity("condition", 0, 2), entity("symptom", 0, 10), entity("drug", 8, 14), entity("test", 14, 18)]
    assert [e["entity"] for e in peer.apart(found)] == ["symptom", "test"]
    assert peer.apart([entity("b", 3, 5), entity("a", 0, 3)]) == [entity("a", 0, 3), entity("b", 3, 5)]


def test_a_sample_is_spread_evenly_and_takes_all_where_there_are_few() -> None:
    examples = [Message({"text": f"{i}", "intent": "many"}) for i in range(100)]
    examples += [Message({"text": "x", "intent": "few"}), Message({"text": "y", "intent": "few"})]
    chosen = peer.sample(examples, 4)
    assert [m.get("text") for m in chosen] == ["0", "25", "50", "75", "x", "y"]


def test_rasa_reads_the_same_examples_back_with_our_terms_as_entities(tmp_path: Path) -> None:
    # "MS fatigue" holds MS; a letter has the sentence that asks marked, with names in it.
    letter = "She has ALS. Will riluzole help her?"
    asks = {"entity": "question", "value": letter[13:], "start": 13, "end": len(letter)}
    data = TrainingData(
        [
            Message({"text": "is ms fatigue common", "intent": "symptoms"}),
            Message({"text": "lou gehrig's disease or multiple sclerosis", "intent": "difference"}),
            Message({"text": letter, "intent": "drug", "entities": [asks]}),
        ]
    )
    file = tmp_path / "nlu.yml"
    file.write_text(peer.annotated(data, 5), encoding="utf8")
    read = {m.get("text"): m for m in load_data(str(file)).intent_examples}
    assert Counter(m.get("intent") for m in read.values()) == Counter(["symptoms", "difference", "drug"])
    found = {text: [(e["entity"], e["value"]) for e in m.get("entities")] for text, m in read.items()}
    assert found["lou gehrig's disease or multiple sclerosis"] == [("condition", "ALS"), ("condition", "MS")]
    assert found[letter] == [("condition", "ALS"), ("drug", "riluzole")]
    assert found["is ms fatigue common"]


def test_the_peer_is_built_of_our_domain_and_rules_and_rasas_own_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer, "PROJECT", tmp_path)
    monkeypatch.setattr(peer, "training_data", lambda: TrainingData([Message({"text": "ms?", "intent": "definition"})]))
    peer.build()
    for name in ("domain.yml", "data/rules.yml", "data/stories.yml"):
        assert (tmp_path / name).read_text("utf8") == (peer.ROOT / name).read_text("utf8")
    config = (tmp_path / "config.yml").read_text("utf8")
    assert "DIETClassifier" in config
    assert "nlu." not in config
    assert "definition" in (tmp_path / "data" / "nlu.yml").read_text("utf8")


async def test_a_topic_that_a_stock_classifier_finds_is_answered(
    facts_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actions.actions.fact_store", lambda: FactStore(facts_file))
    executor = ActionExecutor()
    executor.register_package("benchmarks.peer_actions")
    ranking = [{"name": "diagnosis", "confidence": 0.9}, {"name": "greet", "confidence": 0.1}]
    named = {"entity": "condition", "value": "MS", "start": 7, "end": 9}
    message = {"text": "how is MS found", "intent": ranking[0], "intent_ranking": ranking, "entities": [named]}
    tracker = {"sender_id": "x", "slots": {}, "latest_message": message, "events": [], "paused": False}
    call = {"next_action": "action_answer", "version": rasa_sdk.__version__, "tracker": tracker, "domain": {}}
    reply = await executor.run({**call, "sender_id": "x"})
    metadata = reply["responses"][0]["metadata"]
    assert (metadata["outcome"], metadata["question"], metadata["conditions"]) == (
        "answered",
        "diagnosis/overview",
        ["MS"],
    )
