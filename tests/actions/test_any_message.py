"""Whatever the NLU makes of a message, there is a reply that keeps to the contract."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions import dialogue
from actions.reply import Outcome
from tests.actions.stored_records import RECORDS

BY_KIND: dict[str, list[str]] = {}
for _term in RECORDS["terms"]:
    BY_KIND.setdefault(_term.kind, []).append(_term.id)
KEYS = {"outcome", "topic", "conditions", "terms", "answer", "comparison", "facts", "sources", "reviewed", "checked"}

named = st.dictionaries(st.sampled_from(sorted(set(BY_KIND) - {"condition"})), st.integers(0, 10_000), max_size=3)
turn = st.tuples(
    st.sampled_from([*dialogue.INTENTS, "nlu_fallback"]),
    st.text(max_size=60),
    st.sampled_from(["", "MS", "ALS", "MS ALS"]),
    named,
    st.lists(st.sampled_from(dialogue.INTENTS), max_size=4).map(tuple),
)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(turns=st.lists(turn, min_size=1, max_size=6))
def test_any_conversation_gets_replies_as_the_contract_has_them(turns: list[Any], new_talk: Any) -> None:
    talk = new_talk()
    for intent, text, about, things, likely in turns:
        terms = {kind: BY_KIND[kind][at % len(BY_KIND[kind])] for kind, at in things.items()}
        reply = talk.say(intent, text, about, likely=likely, **terms)
        assert set(reply) - {"topics", "forget"} == KEYS
        assert reply["outcome"] in {o.value for o in Outcome} - {"error"}
        assert reply["answer"].strip()
        assert "{" not in reply["answer"]
        assert "None" not in reply["answer"]
        assert reply["conditions"] in ([], ["MS"], ["ALS"], ["MS", "ALS"])
        assert len(reply.buttons) <= 5
        if reply["outcome"] == "answered":
            assert reply["topic"]
            assert reply["conditions"]
            assert reply["sources"]


def test_a_term_the_store_no_longer_has_is_not_an_error(talk: Any) -> None:
    """The model may be older than the store."""
    for kind in ("drug", "symptom", "test", "subtype", "mimic", "person", "gene", "organisation"):
        for intent in (
            "drug",
            "symptom_check",
            "diagnosis",
            "types",
            "mimics",
            "other_condition",
            "personal_advice",
            "nlu_fallback",
            "what_about",
            "simpler",
        ):
            assert talk.say(intent, "what is it", "MS", **{kind: "no-longer-there"})["answer"]


def test_every_intent_of_the_dialogue_has_a_reply(new_talk: Any) -> None:
    for intent in dialogue.INTENTS:
        assert new_talk().say(intent, "hello")["answer"]


@pytest.mark.parametrize("module", ["actions.dialogue", "facts.store", "facts.build"])
def test_a_module_needs_no_rasa(module: str) -> None:
    heavy = ("rasa", "rasa_sdk", "tensorflow")
    code = f"import sys, {module}; sys.exit(any(m.split('.')[0] in {heavy} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
