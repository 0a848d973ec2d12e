"""Domain, rules and examples cover every topic; what is missing is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions import dialogue, wording
from facts.schema import TERM_KINDS, TOPICS
from nlu.terms import QUESTION

ROOT = Path(__file__).parent.parent.parent


def read(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text("utf8"))


@pytest.fixture(scope="module")
def intents() -> list[str]:
    return [next(iter(i)) if isinstance(i, dict) else i for i in read("domain.yml")["intents"]]


@pytest.fixture(scope="module")
def examples() -> dict[str, list[str]]:
    """The examples of each intent as people would write them, without annotation."""
    found: dict[str, list[str]] = {}
    for path in (ROOT / "data").rglob("*.yml"):
        for block in YAML(typ="safe").load(path.read_text("utf8")).get("nlu", []):
            lines = [line.strip().removeprefix("- ") for line in block.get("examples", "").splitlines()]
            plain = [re.sub(r"\[([^\]]*)\][({][^)}]*[)}]", r"\1", line) for line in lines if line]
            found.setdefault(block.get("intent", ""), []).extend(plain)
    return found


@pytest.fixture(scope="module")
def ruled() -> set[str]:
    """Intents that a rule answers with our action."""
    found: set[str] = set()
    for rule in read("data/rules.yml")["rules"]:
        assert rule["steps"][-1] == {"action": "action_answer"}
        for step in rule["steps"][:-1]:
            found |= {one["intent"] for one in step.get("or", [step])}
    return found


def test_the_domain_has_the_intents_of_the_dialogue_and_no_others(intents: list[str]) -> None:
    assert sorted(set(dialogue.INTENTS) - set(intents)) == []
    assert sorted(set(intents) - set(dialogue.INTENTS)) == []
    assert len(intents) == len(set(intents))


def test_every_topic_is_an_intent(intents: list[str]) -> None:
    assert sorted(set(TOPICS) - set(intents)) == []


def test_no_intent_is_chosen_by_what_is_named() -> None:
    """The action reads the entities; they must not steer the dialogue."""
    domain = read("domain.yml")
    assert [i for i in domain["intents"] if next(iter(i.values())) != {"use_entities": []}] == []
    assert [n for n, slot in domain["slots"].items() if slot["influence_conversation"] is not False] == []


def test_every_kind_of_term_is_an_entity() -> None:
    # One more marks the words that ask, in the training data only.
    assert sorted(read("domain.yml")["entities"]) == sorted([*TERM_KINDS, QUESTION])


def test_every_intent_is_in_a_rule(intents: list[str], ruled: set[str]) -> None:
    assert sorted({*intents, "nlu_fallback"} - ruled) == []


@pytest.mark.parametrize("intent", dialogue.INTENTS)
def test_an_intent_has_at_least_30_different_examples(intent: str, examples: dict[str, list[str]]) -> None:
    distinct = {text.lower().strip(" ?!.") for text in examples.get(intent, [])}
    assert len(distinct) >= 30, f"{intent}: {len(distinct)} examples in data/"


def test_no_example_stands_under_two_intents(examples: dict[str, list[str]]) -> None:
    owners: dict[str, set[str]] = {}
    for intent, texts in examples.items():
        for text in texts:
            owners.setdefault(text.lower().strip(" ?!."), set()).add(intent)
    assert {text: intents for text, intents in owners.items() if len(intents) > 1} == {}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_asked_about_ms_about_als_and_with_none_named(topic: str, examples: dict[str, list[str]]) -> None:
    ms, als = r"\bms\b|sclerosis", r"\bals\b|\bmnd\b|motor neuron|gehrig"
    texts = [text.lower() for text in examples.get(topic, [])]
    kinds = {(bool(re.search(ms, t)), bool(re.search(als, t))) for t in texts}
    assert {(True, True), (False, False)} <= kinds
    if topic not in ("similarity", "both_together"):  # asked about both
        assert {(True, False), (False, True)} <= kinds
    assert min(len(t.split()) for t in texts) <= 3, "no fragment"
    assert any(t.endswith("?") for t in texts), "no question with its mark"


def test_every_topic_has_a_title_and_related_questions() -> None:
    assert set(wording.TITLES) == set(wording.RELATED) == set(TOPICS)
    assert [t for t, others in wording.RELATED.items() if t in others or not set(others) <= set(TOPICS)] == []


def test_no_question_of_the_hold_out_is_a_training_example(examples: dict[str, list[str]]) -> None:
    held = "".join(file.read_text("utf8") for file in (ROOT / "tests" / "holdout").glob("*.yml"))
    rows = YAML(typ="safe").load(held)
    rows = rows if isinstance(rows, list) else next(v for v in rows.values() if isinstance(v, list))
    asked = {str(row.get("text") or row.get("question") or "").lower().strip(" ?!.") for row in rows}
    assert len(asked) > 50
    trained = {text.lower().strip(" ?!.") for texts in examples.values() for text in texts}
    # A few words are said by everyone.
    assert sorted(text for text in asked & trained if len(text.split()) > 5) == []
