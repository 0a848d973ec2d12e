"""Turns that lean on the one before."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from actions import wording
from facts.schema import TOPICS
from facts.store import Snapshot

SCOPES = {"MS": ["MS"], "ALS": ["ALS"], "both": ["MS", "ALS"]}


def test_what_about_the_other_disease_asks_the_same_of_it(talk: Any, facts: Snapshot) -> None:
    talk.say("diagnosis", "how is ms diagnosed", "MS")
    reply = talk.say("what_about", "what about als", "ALS")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "diagnosis", ["ALS"])
    assert reply["answer"] == facts.answer("diagnosis", ["ALS"]).text  # type: ignore[union-attr]


def test_what_about_the_other_one_unnamed_takes_the_other_disease(talk: Any) -> None:
    talk.say("cure", "is there a cure for als", "ALS")
    reply = talk.say("what_about", "and for the other one?")
    assert (reply["topic"], reply["conditions"]) == ("cure", ["MS"])


def test_the_name_of_the_other_disease_alone_asks_the_same_of_it(talk: Any) -> None:
    talk.say("prognosis", "how long do people live with ms", "MS")
    parsed = {
        "intent": {"name": "definition"},
        "text": "and als?",
        "names_only": True,
        "entities": [{"entity": "condition", "value": "ALS", "start": 4, "end": 7}],
    }
    reply = talk.receive(parsed)
    assert (reply["topic"], reply["conditions"]) == ("prognosis", ["ALS"])


def test_what_about_the_other_disease_keeps_the_symptom(talk: Any, facts: Snapshot) -> None:
    talk.say("symptom_check", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say("what_about", "and ms?", "MS")
    assert (reply["topic"], reply["terms"]) == ("symptom_check", ["tingling"])
    assert reply["answer"] == facts.symptoms["tingling"].cells["MS"].text


def test_what_about_another_symptom_keeps_the_disease(talk: Any, facts: Snapshot) -> None:
    talk.say("symptom_check", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say("what_about", "and tremor?", symptom="tremor")
    assert (reply["topic"], reply["conditions"], reply["terms"]) == ("symptom_check", ["ALS"], ["tremor"])


def test_what_about_the_other_disease_after_a_drug_asks_for_its_treatment(talk: Any) -> None:
    talk.say("drug", "what is riluzole", drug="riluzole")
    reply = talk.say("what_about", "and for ms?", "MS")
    assert (reply["topic"], reply["conditions"], reply["terms"]) == ("treatment", ["MS"], [])


def test_what_about_another_drug_is_answered(talk: Any, facts: Snapshot) -> None:
    talk.say("drug", "what is riluzole", drug="riluzole")
    assert talk.say("what_about", "and edaravone?", drug="edaravone")["answer"] == facts.drugs["edaravone"].text


def test_what_about_a_third_disease_tells_it_apart(talk: Any, facts: Snapshot) -> None:
    talk.say("diagnosis", "how is ms diagnosed", "MS")
    reply = talk.say("what_about", "and lupus?", mimic="lupus")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "mimics", ["MS"])
    assert facts.mimics["lupus"].cells["MS"].text in reply["answer"]


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_tell_me_more_goes_on_until_all_is_told_and_then_says_so(
    topic: str, scope: str, talk: Any, facts: Snapshot
) -> None:
    first = talk.say(topic, about=" ".join(SCOPES[scope]))
    told = list(first["facts"])
    for _ in range(60):
        reply = talk.say("tell_more", "tell me more")
        assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", topic, first["conditions"])
        assert reply["sources"]
        assert reply["reviewed"]
        if reply["answer"] == wording.NO_MORE:
            break
        assert set(reply["facts"]).isdisjoint(told)
        assert 1 <= len(reply["facts"]) <= 3
        for fact in reply["facts"]:
            assert facts.facts[fact].statement in reply["answer"]
        told += reply["facts"]
    else:
        pytest.fail("it never ends")
    assert {f.id for f in facts.facts_about(topic, first["conditions"])} <= set(told)
    assert talk.say("tell_more", "more")["answer"] == wording.NO_MORE


def test_tell_me_more_about_a_drug_begins_with_facts_about_that_drug(talk: Any, facts: Snapshot) -> None:
    first = talk.say("drug", "what is riluzole", drug="riluzole")
    untold = [f.id for f in facts.facts_naming("riluzole") if f.id not in first["facts"]]
    assert talk.say("tell_more", "more")["facts"][: len(untold)] == untold[:3]


def test_what_was_told_of_another_topic_is_not_missing_later(talk: Any) -> None:
    talk.say("cure", "cure for ms", "MS")
    first = talk.say("tell_more", "more")["facts"]
    talk.say("cause", "cause of ms", "MS")
    talk.say("cure", "cure for ms", "MS")
    assert talk.say("tell_more", "more")["facts"] == first


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_more_simply_says_the_same_in_fewer_words(topic: str, scope: str, talk: Any, facts: Snapshot) -> None:
    first = talk.say(topic, about=" ".join(SCOPES[scope]))
    reply = talk.say("simpler", "say it more simply")
    assert reply["answer"] == facts.answer(topic, first["conditions"]).simple  # type: ignore[union-attr]
    assert len(reply["answer"].split()) < len(first["answer"].split())
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", topic, first["conditions"])
    assert reply["sources"]


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_why_gives_a_reason_with_its_source(topic: str, scope: str, talk: Any, facts: Snapshot) -> None:
    first = talk.say(topic, about=" ".join(SCOPES[scope]))
    reply = talk.say("why", "why?")
    answer = facts.answer(topic, first["conditions"])
    assert answer is not None
    if answer.why:
        assert reply["answer"] == answer.why
    elif topic != "cause":
        assert reply["answer"] != first["answer"]
    assert (reply["outcome"], reply["topic"]) == ("answered", topic)
    assert reply["sources"]


@pytest.mark.parametrize("intent", ["source", "are_you_sure", "repeat"])
@pytest.mark.parametrize(("topic", "scope"), [("cure", "ALS"), ("difference", "both"), ("cause", "both")])
def test_the_answer_is_given_again_with_its_sources(intent: str, topic: str, scope: str, talk: Any) -> None:
    first = talk.say(topic, about=" ".join(SCOPES[scope]))
    again = talk.say(intent, "where is that from")
    assert first["answer"] in again["answer"]
    for key in ("outcome", "topic", "conditions", "facts", "sources", "reviewed", "comparison"):
        assert again[key] == first[key]
    if intent == "repeat":
        assert again["answer"] == first["answer"]


@pytest.mark.parametrize("intent", ["source", "are_you_sure", "repeat", "simpler"])
def test_an_answer_about_a_drug_is_still_about_it_when_one_asks_back(intent: str, talk: Any) -> None:
    talk.say("drug", "what is tofersen", drug="tofersen")
    reply = talk.say(intent, "really?")
    assert reply["terms"] == ["tofersen"]
    assert "tofersen" in reply["answer"].lower()


def test_which_is_worse_compares_both(talk: Any) -> None:
    for before in (None, "definition"):
        if before:
            talk.say(before, "what is als", "ALS")
        reply = talk.say("which_is_worse", "which is worse")
        assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "difference", ["MS", "ALS"])
        assert reply["comparison"]


def test_a_follow_up_may_name_the_disease_it_is_about(talk: Any) -> None:
    talk.say("cure", "is there a cure", "MS ALS")
    assert talk.say("tell_more", "more about als", "ALS")["conditions"] == ["ALS"]


def test_yes_after_an_answer_tells_more(talk: Any) -> None:
    first = talk.say("cause", "what causes ms", "MS")
    reply = talk.say("affirm", "yes please")
    assert (reply["outcome"], reply["topic"]) == ("answered", "cause")
    assert set(reply["facts"]).isdisjoint(first["facts"])


def test_yes_takes_the_only_question_that_was_offered(talk: Any) -> None:
    asked = talk.say("nlu_fallback", "vaccinatoin als??", "ALS", likely=("vaccines",))
    assert asked["outcome"] == "clarify"
    assert len(asked.offered) == 1
    reply = talk.say("affirm", "yes")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "vaccines", ["ALS"])


def test_yes_to_a_choice_of_several_does_not_guess(talk: Any) -> None:
    talk.say("unclear", "numbers?", likely=("prevalence", "prognosis"))
    assert talk.say("affirm", "yes")["outcome"] in ("clarify", "smalltalk")


@pytest.mark.parametrize("intent", ["affirm", "deny", "thank", "greet"])
def test_small_words_with_nothing_before_are_met_with_questions_to_press(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "yes")
    assert reply["outcome"] == "smalltalk"
    assert reply.buttons


@pytest.mark.parametrize("intent", ["tell_more", "simpler", "why", "source", "are_you_sure", "repeat", "what_about"])
def test_with_nothing_before_it_is_asked_what_is_meant(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "why?")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("clarify", None, [])
    assert talk.press(reply.offered[0])["outcome"] == "answered"


def test_a_disease_named_with_nothing_before_is_kept_for_the_next_question(talk: Any) -> None:
    asked = talk.say("what_about", "what about als", "ALS")
    assert (asked["outcome"], asked["conditions"]) == ("clarify", ["ALS"])
    assert talk.say("treatment", "treatment")["conditions"] == ["ALS"]


@pytest.mark.parametrize("between", ["thank", "praise", "frightened", "out_of_scope", "emergency"])
def test_the_talk_goes_on_after_other_words_in_between(between: str, talk: Any) -> None:
    talk.say("cause", "what causes als", "ALS")
    talk.say(between, "thanks")
    assert talk.say("tell_more", "more")["topic"] == "cause"
    assert talk.say("cure", "is there a cure")["conditions"] == ["ALS"]


@pytest.mark.parametrize("intent", ["start_over", "forget_me"])
def test_all_is_forgotten_when_a_person_asks_for_it(intent: str, talk: Any) -> None:
    talk.say("symptom_check", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say(intent, "start over")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("smalltalk", None, [])
    assert not talk.slot
    assert reply.buttons
    assert not any("ALS" in title and "MS" not in title for title, _ in reply.buttons)
    assert talk.say("tell_more", "more")["outcome"] == "clarify"


def test_after_a_fresh_start_a_question_is_about_both_again(new_talk: Callable[[], Any]) -> None:
    talk = new_talk()
    talk.say("cure", "cure for als", "ALS")
    talk.say("start_over", "start over")
    assert talk.say("cure", "cure?") == new_talk().say("cure", "cure?")


@pytest.mark.parametrize("topic", ["treatment", "difference", "symptom_check"])
def test_a_conversation_of_many_turns_never_runs_out_of_replies(topic: str, talk: Any) -> None:
    talk.say(topic, about="MS")
    for intent in ("tell_more", "why", "simpler", "source", "what_about", "repeat", "are_you_sure") * 5:
        reply = talk.say(intent, "and?")
        assert reply["outcome"] == "answered"
        assert reply["answer"]
        assert len(reply.buttons) <= 5


def test_the_one_and_the_other_are_both(talk: Any) -> None:
    assert talk.say("contagious", "is it catching, the ms or the other one?", "MS")["conditions"] == ["MS", "ALS"]
    assert talk.say("vision_senses", "does ALS spare hearing and the other senses?", "ALS")["conditions"] == ["ALS"]
