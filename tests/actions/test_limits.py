"""Where knowledge ends: what is not known, not ours to judge, or cannot wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from actions.question import KIND_TOPICS
from facts.schema import TOPICS
from facts.store import Snapshot
from tests.actions.stored_records import RECORDS

TERMS = RECORDS["terms"]
#: Telling a person what they have, or that they are fine.
VERDICT = re.compile(
    r"\byou (?:probably |likely |certainly |clearly |may |might |could )?(?:don't |do not )?have "
    r"(?:MS|ALS|it|this|multiple|amyotrophic)\b"
    r"|\bit(?:'s| is) (?:probably |likely |certainly |clearly )?(?:not |n't )?(?:MS|ALS)\b"
    r"|\b(?:this|that) is (?:not )?(?:MS|ALS)\b|\byou are (?:fine|healthy|ill|sick)\b|\bnothing to worry\b",
    re.IGNORECASE,
)
DOSE = re.compile(
    r"\b[\d.,]+ ?(?:mg|milligrams?|mcg|micrograms?|ml|millilit\w+|grams?|tablets?|pills|capsules|drops|IU|units)\b"
    r"|\b(?:take|increase|lower|raise|double|skip) (?:your|the|a) (?:dose|tablet|pill)\b",
    re.IGNORECASE,
)
PERSON_TO_ASK = re.compile(r"\b(?:doctor|nurse|neurologist|pharmacist|care team|MS or ALS team)\b")
EMERGENCY_NUMBER = re.compile(r"\b(?:112|911|999)\b")


@pytest.mark.parametrize(("topic", "about"), product(TOPICS, ("MS", "ALS", "MS ALS", "")))
def test_a_question_about_ones_own_case_gets_no_verdict_and_someone_to_ask(topic: str, about: str, talk: Any) -> None:
    reply = talk.say("personal_advice", "what about me", about, likely=("personal_advice", topic))
    assert reply["outcome"] == "personal_advice"
    assert not VERDICT.search(reply["answer"])
    assert not DOSE.search(reply["answer"])
    assert PERSON_TO_ASK.search(reply["answer"])
    assert reply["conditions"] == about.split()
    assert reply["sources"]
    assert reply["reviewed"]
    assert 1 <= len(reply.buttons) <= 5
    assert talk.press(reply.offered[0])["outcome"] == "answered"


@pytest.mark.parametrize("kind", ["symptom", "drug", "test", "subtype", "gene", "mimic"])
def test_a_question_about_ones_own(kind: str, new_talk: Callable[[], Any]) -> None:
    """Symptom, drug, test, ...: whichever is named."""
    for term in (t for t in TERMS if t.kind == kind):
        for about in ("MS", "ALS", ""):
            reply = new_talk().say(
                "personal_advice", f"is my {term.name} a sign, should I stop it?", about, **{kind: term.id}
            )
            if reply["outcome"] == "other_condition":  # another disease, and neither of ours
                assert kind == "mimic"
                continue
            assert reply["outcome"] == "personal_advice", term.id
            assert not VERDICT.search(reply["answer"]), (term.id, reply["answer"])
            assert not DOSE.search(reply["answer"]), (term.id, reply["answer"])
            assert PERSON_TO_ASK.search(reply["answer"]), term.id


def test_ones_own_drug_is_not_to_be_changed_alone(talk: Any) -> None:
    reply = talk.say("personal_advice", "should I stop taking riluzole", drug="riluzole")
    assert "don't start, stop or change" in reply["answer"]
    assert (reply["topic"], reply["conditions"], reply["terms"]) == ("drug", ["ALS"], ["riluzole"])


def test_ones_own_sudden_sign_is_a_matter_for_the_emergency_number(talk: Any) -> None:
    reply = talk.say("personal_advice", "my hand is numb, is it ms", "MS", symptom="numbness")
    assert "emergency number" in reply["answer"]


def test_a_general_question_after_a_personal_one_is_answered(talk: Any) -> None:
    talk.say("personal_advice", "I have tingling, is it MS", "MS", symptom="tingling")
    reply = talk.say("early_signs", "what are the first signs")
    assert (reply["outcome"], reply["conditions"]) == ("answered", ["MS"])


@pytest.mark.parametrize("intent", ["crisis", "emergency"])
@pytest.mark.parametrize("about", ["", "MS", "ALS"])
def test_a_reply_that_cannot_wait_names_emergency_numbers(intent: str, about: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say(intent, "help", about)
    assert reply["outcome"] == intent
    assert EMERGENCY_NUMBER.search(reply["answer"])
    assert reply["conditions"] == about.split()
    assert reply["sources"]
    wanted = [h.crisis if intent == "crisis" else h.emergency for h in facts.helplines]
    assert [line for line in wanted if line not in reply["answer"]] == []
    own = [h.crisis_sources if intent == "crisis" else h.sources for h in facts.helplines]
    shown = {source["url"] for source in reply["sources"]}
    assert shown == {facts.sources[s].url for sources in own for s in sources}, "each number's source and no other"


def test_a_crisis_is_met_with_warmth_and_the_chat_stays_open(talk: Any) -> None:
    talk.say("fatality", "do people die of als", "ALS")
    assert "not have to go through this alone" in talk.say("crisis", "i want to die")["answer"].replace("don't", "not")
    assert talk.say("support", "who can help")["outcome"] == "answered"


@pytest.mark.parametrize("about", ["MS", "ALS", ""])
def test_what_the_store_does_not_hold_is_said_with_whom_to_ask(about: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say("not_covered", "what does it cost", about)
    assert reply["outcome"] == "not_covered"
    assert reply["conditions"] == (about.split() or ["MS", "ALS"])
    conditions = set(reply["conditions"])
    named = [o for o in facts.organisations if o.name in reply["answer"]]
    assert named
    assert {o.url.rstrip("/") for o in named} <= {source["url"].rstrip("/") for source in reply["sources"]}
    assert all(conditions & set(o.conditions) for o in named)
    if len(conditions) == 2:
        assert {c for o in named for c in o.conditions} == conditions
    assert reply["sources"]
    assert 1 <= len(reply.buttons) <= 5


@pytest.mark.parametrize(
    "intent",
    [
        "out_of_scope",
        "greet",
        "goodbye",
        "thank",
        "how_are_you",
        "bot_identity",
        "help",
        "praise",
        "complaint",
        "frightened",
        "deny",
    ],
)
def test_other_talk_has_words_of_its_own_and_a_way_on(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "hello")
    assert reply["outcome"] == ("out_of_scope" if intent == "out_of_scope" else "smalltalk")
    assert (reply["topic"], reply["conditions"], reply["facts"]) == (None, [], [])
    assert reply["answer"]
    assert 1 <= len(reply.buttons) <= 5
    assert talk.press(reply.offered[0])["outcome"] == "answered"


def test_it_says_what_it_is(talk: Any) -> None:
    answer = talk.say("bot_identity", "are you a doctor")["answer"]
    assert "not a doctor" in answer
    assert "No clinician has reviewed" in answer


@pytest.mark.parametrize("intent", ["unclear", "nlu_fallback"])
def test_after_asking_twice_the_way_to_a_person_is_shown(intent: str, talk: Any, facts: Snapshot) -> None:
    replies = [talk.say(intent, "hm?", likely=(intent, "cure", "treatment")) for _ in range(4)]
    assert [r["outcome"] for r in replies] == ["clarify"] * 4
    names = [o.name for o in facts.organisations]
    assert [any(name in r["answer"] for name in names) for r in replies] == [False, False, True, True]
    assert "doctor or nurse" in replies[2]["answer"]
    assert replies[2].buttons


def test_an_answer_in_between_starts_the_count_afresh(talk: Any) -> None:
    for _ in range(2):
        talk.say("unclear", "hm?")
        talk.say("unclear", "hm?")
        talk.say("cure", "is there a cure")
    assert "organisations" not in talk.say("unclear", "hm?")["answer"]


def test_the_likeliest_questions_are_offered_when_unsure(talk: Any) -> None:
    reply = talk.say("nlu_fallback", "vaccin cure als", "ALS", likely=("vaccines", "personal_advice", "cure"))
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("clarify", None, ["ALS"])
    answers = [talk.press(payload) for payload in reply.offered]
    assert [(a["topic"], a["conditions"]) for a in answers] == [("vaccines", ["ALS"]), ("cure", ["ALS"])]


@pytest.mark.parametrize("kind", sorted(set(KIND_TOPICS) - {"mimic"}))
def test_what_was_named_is_offered_when_unsure(kind: str, new_talk: Callable[[], Any]) -> None:
    for term in [t for t in TERMS if t.kind == kind][:5]:
        talk = new_talk()
        reply = talk.say("nlu_fallback", f"{term.name} hm", likely=("support",), **{kind: term.id})
        assert talk.press(reply.offered[0])["outcome"] == "answered"
        assert reply.buttons[0][0].lower().startswith(term.name.lower())


def test_an_intent_nobody_wrote_a_reply_for_is_asked_back(talk: Any) -> None:
    assert talk.say("brand_new_intent", "hello")["outcome"] == "clarify"


def test_what_a_named_test_is_needs_no_asking_back(talk: Any) -> None:
    reply = talk.say("nlu_fallback", "what is an mri", test="mri", likely=("diagnosis", "drug"))
    assert (reply["outcome"], reply["topic"]) == ("answered", "diagnosis")
    assert "mri" in reply["answer"].lower()
