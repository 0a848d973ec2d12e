"""Whatever the NLU measures of a message, there is a reply that keeps to the contract."""

from __future__ import annotations

import subprocess
import sys
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions import dialogue
from actions.question import Context, Message, Sentence, Term
from facts.schema import TERM_KINDS
from facts.store import Snapshot
from replies.contract import Outcome
from tests.actions.conftest import KEYS, MAYBE

CONFIDENCE = st.floats(0, 1, width=16)
INTENTS = st.sampled_from([*dialogue.INTENTS, "nlu_fallback", "brand_new_intent"])
CONDITIONS = st.sampled_from([(), ("MS",), ("ALS",), ("MS", "ALS")])
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["both", "the second one", "3", "should i stop my drug", "als or the other one", "do i have ms",
                     '/cure{"condition":["ALS"]}', "/nonsense", '/drug{"drug":["riluzole"],"question":["benefit"]}']),
)  # fmt: skip


@lru_cache(maxsize=1)
def messages(facts: Snapshot) -> st.SearchStrategy[Message]:
    """Any message, of the things and questions of the store and of some it has never heard of."""
    questions = st.sampled_from([*facts.questions, "cure/no_longer_there", "weather/overview"])
    terms = st.sampled_from(
        [*(Term(t.kind, t.id) for t in facts.terms.values()), *(Term(k, "gone") for k in TERM_KINDS)]
    )
    some_terms = st.lists(terms, max_size=3, unique=True).map(tuple)
    ranking = st.lists(st.tuples(questions, CONFIDENCE), max_size=5, unique_by=lambda one: one[0])
    ranked = ranking.map(lambda found: tuple(sorted(found, key=lambda one: -one[1])))
    intents = st.lists(st.tuples(INTENTS, CONFIDENCE), max_size=4, unique_by=lambda one: one[0])
    ranked_intents = intents.map(lambda found: tuple(sorted(found, key=lambda one: -one[1])))
    sentence = st.builds(Sentence, TEXTS, CONFIDENCE, ranked, ranked_intents, some_terms, CONDITIONS)
    return st.builds(
        Message, text=TEXTS, intents=ranked_intents, questions=ranked, following=ranked, terms=some_terms,
        conditions=CONDITIONS, ruled_out=CONDITIONS, sentences=st.lists(sentence, max_size=3).map(tuple),
        names_only=st.booleans(), says_something=st.sampled_from([True, True, True, False]),
        other_meaning=st.sampled_from([False, False, False, True]),
        alarm=st.sampled_from([None] * 8 + ["crisis", "emergency"]), language=st.sampled_from([None] * 8 + ["de"]),
    )  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_conversation_gets_replies_as_the_contract_has_them(data: Any, facts: Snapshot) -> None:
    context = Context()
    for message in data.draw(st.lists(messages(facts), min_size=1, max_size=5)):
        reply, context, decision = dialogue.respond(message, context, facts)
        assert Context.from_slot(context.to_slot()) == context
        said = reply.metadata(facts)
        assert decision.reason
        assert set(said) >= KEYS
        assert set(said) <= KEYS | MAYBE
        assert said["outcome"] in {o.value for o in Outcome} - {"error"}
        assert said["answer"].strip()
        assert "{" not in said["answer"]
        assert said["conditions"] in ([], ["MS"], ["ALS"], ["MS", "ALS"])
        assert len(reply.buttons) <= 5
        assert len({b.title for b in reply.buttons}) == len(reply.buttons)
        assert message.alarm is None or message.text.startswith("/") or said["outcome"] == message.alarm
        if said["outcome"] == "answered":
            assert said["topic"]
            assert said["conditions"]
            assert said["sources"]
            assert said["question"] is None or said["question"] in facts.questions


def test_every_intent_of_the_dialogue_has_a_reply(new_talk: Any) -> None:
    for intent in dialogue.INTENTS:
        for about in ("", "MS"):
            assert new_talk().say(intent, "hello", about)["answer"]


def test_every_way_to_decide_has_words(new_talk: Any) -> None:
    """A decision names what is said; a name without words would be an apology."""
    said = {"answer", "no_fact", "personal_advice", "which_disease", "clarify", *dialogue.SAY}
    assert {"emergency", "crisis", "other_language", "unknown_button", "out_of_scope", "not_covered"} <= said
    assert set(dialogue.INTENTS) - set(dialogue.TOPICS) - said == {"unclear"}


@pytest.mark.parametrize("module", ["actions.dialogue", "facts.store", "facts.build"])
def test_a_module_needs_no_rasa(module: str) -> None:
    heavy = ("rasa", "rasa_sdk", "tensorflow")
    code = f"import sys, {module}; sys.exit(any(m.split('.')[0] in {heavy} for m in sys.modules))"
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0
