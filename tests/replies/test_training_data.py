"""Domain, rules and examples cover every question of the store; what is missing is named."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions import dialogue, wording
from facts.schema import TERM_KINDS, TOPICS
from facts.store import Snapshot
from nlu.terms import QUESTION

ROOT = Path(__file__).parent.parent.parent
#: So many differently worded examples a question needs, and an intent that is none.
OF_A_QUESTION, OF_AN_INTENT = 8, 30


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=False).load(path.read_text("utf8"))


@dataclass(frozen=True)
class Block:
    """Examples of one intent, of a topic also of one question, as people would write them, without annotation."""

    file: str
    intent: str
    question: str | None
    examples: list[str]

    @property
    def label(self) -> str:
        return f"{self.intent}/{self.question}" if self.question else self.intent


def same(text: str) -> str:
    """Texts that differ in case, spaces and marks at the end are the same."""
    return " ".join(text.lower().split()).strip(" ?!.")


@pytest.fixture(scope="module")
def blocks() -> list[Block]:
    files = [ROOT / "data" / "nlu.yml", *sorted((ROOT / "data" / "nlu").glob("*.yml"))]
    found = []
    for path in files:
        for block in (read(path) or {}).get("nlu", []) if path.exists() else ():
            lines = [line.strip().removeprefix("- ").strip() for line in block.get("examples", "").splitlines()]
            plain = [re.sub(r"\[([^\]]*)\][({][^)}]*[)}]", r"\1", line) for line in lines if line]
            question = (block.get("metadata") or {}).get("question")
            found.append(Block(path.name, block.get("intent", ""), question, plain))
    return found


@pytest.fixture(scope="module")
def intents() -> list[str]:
    listed = read(ROOT / "domain.yml")["intents"]
    return [next(iter(i)) if isinstance(i, dict) else i for i in listed]


@pytest.fixture(scope="module")
def ruled() -> set[str]:
    """Intents that a rule answers with our action."""
    found: set[str] = set()
    for rule in read(ROOT / "data" / "rules.yml")["rules"]:
        assert rule["steps"][-1] == {"action": "action_answer"}
        for step in rule["steps"][:-1]:
            found |= {one["intent"] for one in step.get("or", [step])}
    return found


# --- domain and rules ---------------------------------------------------------------------------------


def test_the_domain_has_the_intents_of_the_dialogue_and_no_others(intents: list[str]) -> None:
    assert sorted(set(dialogue.INTENTS) - set(intents)) == []
    assert sorted(set(intents) - set(dialogue.INTENTS)) == []
    assert len(intents) == len(set(intents))


def test_every_topic_is_an_intent(intents: list[str]) -> None:
    assert sorted(set(TOPICS) - set(intents)) == []


def test_no_intent_is_chosen_by_what_is_named() -> None:
    """The action reads the entities; they must not steer the dialogue."""
    domain = read(ROOT / "domain.yml")
    assert [i for i in domain["intents"] if next(iter(i.values())) != {"use_entities": []}] == []
    assert [n for n, slot in domain["slots"].items() if slot["influence_conversation"] is not False] == []


def test_every_kind_of_term_is_an_entity() -> None:
    # One more marks the words that ask, in the training data only.
    assert sorted(read(ROOT / "domain.yml")["entities"]) == sorted([*TERM_KINDS, QUESTION])


def test_every_intent_is_in_a_rule(intents: list[str], ruled: set[str]) -> None:
    assert sorted(set(intents) - ruled) == []


# --- examples -----------------------------------------------------------------------------------------


def test_every_block_of_a_topic_says_its_question_and_no_other_block_has_one(blocks: list[Block]) -> None:
    assert sorted({f"{b.file}: {b.intent}" for b in blocks if (b.intent in TOPICS) != (b.question is not None)}) == []


def test_every_block_is_of_an_intent_of_the_domain(blocks: list[Block], intents: list[str]) -> None:
    assert sorted({f"{b.file}: {b.intent}" for b in blocks} - {f"{b.file}: {i}" for b in blocks for i in intents}) == []


def test_every_block_names_a_question_of_the_store(blocks: list[Block], facts: Snapshot) -> None:
    assert sorted({f"{b.file}: {b.label}" for b in blocks if b.question and b.label not in facts.questions}) == []


def test_a_block_stands_in_the_file_of_its_topic(blocks: list[Block]) -> None:
    strays = {
        f"{b.file}: {b.label}" for b in blocks if b.intent in TOPICS and b.file not in (f"{b.intent}.yml", "nlu.yml")
    }
    assert sorted(strays) == []


def test_every_question_of_the_store_has_at_least_8_different_examples(blocks: list[Block], facts: Snapshot) -> None:
    asked: dict[str, set[str]] = {name: set() for name in facts.questions}
    for block in blocks:
        asked.setdefault(block.label, set()).update(map(same, block.examples))
    few = {name: len(texts) for name, texts in asked.items() if len(texts) < OF_A_QUESTION}
    assert few == {}


def test_every_intent_has_at_least_30_different_examples(blocks: list[Block]) -> None:
    asked: dict[str, set[str]] = {intent: set() for intent in dialogue.INTENTS}
    for block in blocks:
        asked.setdefault(block.intent, set()).update(map(same, block.examples))
    assert {intent: len(texts) for intent, texts in asked.items() if len(texts) < OF_AN_INTENT} == {}


def test_no_example_stands_under_two_intents_or_questions(blocks: list[Block]) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for block in blocks:
        for text in block.examples:
            owners[same(text)].add(block.label)
    assert {text: sorted(labels) for text, labels in owners.items() if len(labels) > 1} == {}


def test_no_block_is_empty(blocks: list[Block]) -> None:
    assert [f"{b.file}: {b.label}" for b in blocks if not b.examples] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_asked_about_ms_about_als_and_with_none_named(topic: str, blocks: list[Block]) -> None:
    ms, als = r"\bms\b|sclerosis", r"\bals\b|\bmnd\b|motor neuron|gehrig"
    texts = [text.lower() for block in blocks if block.intent == topic for text in block.examples]
    kinds = {(bool(re.search(ms, t)), bool(re.search(als, t))) for t in texts}
    assert {(True, True), (False, False)} <= kinds
    if topic not in ("similarity", "both_together"):  # asked about both
        assert {(True, False), (False, True)} <= kinds
    assert min(len(t.split()) for t in texts) <= 3, "no fragment"
    assert any(t.endswith("?") for t in texts), "no question with its mark"


def test_every_topic_has_a_title_and_related_questions() -> None:
    assert set(wording.TITLES) == set(wording.RELATED) == set(TOPICS)
    assert [t for t, others in wording.RELATED.items() if t in others or not set(others) <= set(TOPICS)] == []


# --- the hold-out is only for measuring ---------------------------------------------------------------


def held_out() -> Iterator[tuple[str, str]]:
    """(file, text) of every line a person says in tests/holdout."""

    def texts(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            for key, value in node.items():
                if key in ("text", "question") and isinstance(value, str):
                    yield value
                else:
                    yield from texts(value)
        elif isinstance(node, list):
            for one in node:
                yield from texts(one)

    for file in sorted((ROOT / "tests" / "holdout").glob("*.yml")):
        found = list(texts(read(file)))
        assert len(found) > 20, f"{file.name} is not read"
        yield from ((file.name, text) for text in found)


def test_no_line_of_the_hold_out_is_a_training_example(blocks: list[Block]) -> None:
    trained = {same(text) for block in blocks for text in block.examples}
    held = {same(text): file for file, text in held_out()}
    assert len(held) > 500
    # A few words are said by everyone.
    assert {text: file for text, file in held.items() if text in trained and len(text.split()) > 5} == {}
