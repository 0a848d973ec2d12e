"""Every question of the store, for each disease it answers: what a person reads."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from actions import answers
from actions.question import Question
from actions.reply import MOST_SOURCES
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot
from tests.actions.conftest import KEYS

SCOPES = {"MS": ("MS",), "ALS": ("ALS",), "both": CONDITIONS}
#: Topics that are about both diseases whichever is named.
ABOUT_BOTH = ("difference", "similarity", "both_together")


def answered_questions(facts: Snapshot) -> Iterator[tuple[str, Any, tuple[str, ...], str]]:
    """(name of the case, the record, diseases asked about, what is to be said) of all the store claims to answer."""
    for record in facts.questions.values():
        told = record.answers
        for condition in CONDITIONS:
            if condition in told:
                yield f"{record.id} {condition}", record, (condition,), told[condition].text
        if "both" in told:
            yield f"{record.id} both", record, CONDITIONS, told["both"].text
        elif set(CONDITIONS) <= set(told):
            text = "\n".join(f"{c}: {told[c].text}" for c in CONDITIONS)
            yield f"{record.id} one by one", record, CONDITIONS, text


def test_every_question_is_answered_for_every_disease_it_claims(facts: Snapshot) -> None:
    wrong, number = {}, 0
    for case, record, conditions, text in answered_questions(facts):
        reply = answers.answer(Question(record.topic, conditions, id=record.id), facts)
        number += 1
        if reply is None or reply.outcome.value != "answered":
            wrong[case] = "no answer"
        elif not reply.answer.endswith(text):
            wrong[case] = reply.answer
        elif (reply.topic, reply.question, reply.conditions) != (record.topic, record.id, conditions):
            wrong[case] = f"{reply.topic} {reply.question} {reply.conditions}"
    assert wrong == {}
    assert number > len(facts.questions)


def test_every_answer_shows_where_it_is_from_and_when_it_was_looked_at(facts: Snapshot) -> None:
    wrong = {}
    for case, record, conditions, _ in answered_questions(facts):
        reply = answers.answer(Question(record.topic, conditions, id=record.id), facts)
        assert reply is not None
        said = reply.metadata(facts)
        shown = {source["url"] for source in said["sources"]}
        bare = [f for f in said["facts"] if not any(facts.sources[s].url in shown for s in facts.facts[f].sources)]
        oldest = min(facts.facts[f].reviewed for f in said["facts"]) if said["facts"] else None
        if not said["sources"] or (bare and len(said["sources"]) < MOST_SOURCES):
            wrong[case] = f"no source of its own: {bare}"
        elif oldest is None or datetime.date.fromisoformat(said["reviewed"]) > oldest:
            wrong[case] = f"looked at {said['reviewed']}, the oldest fact {oldest}"
        elif said["checked"] and not all(facts.facts[f].checked for f in said["facts"]):
            wrong[case] = "said to be checked"
    assert wrong == {}


def test_a_question_of_one_disease_asked_about_both_is_answered_for_that_one(facts: Snapshot) -> None:
    wrong = {}
    for record in facts.questions.values():
        told = [c for c in CONDITIONS if c in record.answers]
        if len(told) == 1 and "both" not in record.answers:
            reply = answers.answer(Question(record.topic, CONDITIONS, id=record.id), facts)
            if reply is None or list(reply.conditions) != told or record.answers[told[0]].text not in reply.answer:
                wrong[record.id] = reply
    assert wrong == {}


def test_a_question_the_store_answers_for_the_other_disease_only_is_not_answered_with_that(facts: Snapshot) -> None:
    wrong = [
        f"{record.id} {condition}"
        for record in facts.questions.values()
        for condition in CONDITIONS
        if condition not in record.answers
        and answers.answer(Question(record.topic, (condition,), id=record.id), facts) is not None
    ]
    assert wrong == []


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_in_general_is_answered_as_the_contract_has_it(
    topic: str, scope: str, talk: Any, facts: Snapshot
) -> None:
    reply = talk.say(f"{topic}/overview", "what is known about it", " ".join(SCOPES[scope]))
    conditions = ["MS", "ALS"] if topic in ABOUT_BOTH else list(SCOPES[scope])
    assert set(reply) == KEYS
    assert (reply["outcome"], reply["topic"], reply["question"]) == ("answered", topic, f"{topic}/overview")
    assert reply["conditions"] == conditions
    assert reply["terms"] == []
    told = facts.overview(topic, conditions)
    assert told is not None
    assert reply["answer"] == told.text
    assert set(told.facts) <= set(reply["facts"]) <= set(facts.facts)
    for source in reply["sources"]:
        assert set(source) == {"title", "publisher", "url", "year"}
        assert source["url"].startswith("http")
        assert source["title"]
        assert source["publisher"]


@pytest.mark.parametrize("topic", TOPICS)
def test_both_diseases_are_compared_in_rows_the_question_is_about(
    topic: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    reply = new_talk().say(f"{topic}/overview", about="MS ALS")
    about = {row.aspect for row in facts.comparisons if topic in row.topics}
    assert {row["aspect"] for row in reply["comparison"]} <= about
    assert bool(reply["comparison"]) is bool(about)
    for row in reply["comparison"]:
        assert set(row) == {"aspect", "MS", "ALS"}
        assert row["MS"]
        assert row["ALS"]
    if topic not in ABOUT_BOTH:
        assert new_talk().say(f"{topic}/overview", about="MS")["comparison"] == []


def test_every_row_of_the_comparison_is_shown_for_some_topic(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    shown = {row["aspect"] for t in TOPICS for row in new_talk().say(f"{t}/overview", about="MS ALS")["comparison"]}
    assert {row.aspect for row in facts.comparisons} - shown == set()


def test_the_overview_of_differences_has_rows_on_several_aspects(talk: Any) -> None:
    assert len(talk.say("difference/overview", "how do als and ms differ", "MS ALS")["comparison"]) >= 5


def test_a_question_is_answered_itself_and_not_with_its_topic_in_general(talk: Any, facts: Snapshot) -> None:
    """What people ask is one question of many: the answer opens with that."""
    for record in [r for r in facts.questions.values() if r.topic == "diagnosis" and "MS" in r.answers]:
        reply = talk.say({record.id: 0.9}, "a question on ms", "MS")
        assert reply["question"] == record.id
        assert reply["answer"] == record.answers["MS"].text


def near(*facts: tuple[str, float]) -> dict[str, Any]:
    """What the NLU measures: facts nearest in words, with their cosine."""
    return {"facts": [{"name": name, "confidence": cosine} for name, cosine in facts]}


@pytest.fixture
def left_out(facts: Snapshot) -> Any:
    """A fact on MS that stands under a question, and that its answer does not say."""
    return next(
        f for f in facts.facts.values()
        if f.condition == "MS" and not f.question.endswith("/overview") and not facts.only_asked(f)
        and "MS" in (asked := facts.questions[f.question]).answers and not asked.of
        and f.id not in asked.answers["MS"].facts and not answers._says_already(asked.answers["MS"].text, f.statement)
    )  # fmt: skip


def test_a_fact_that_is_near_the_words_is_told_behind_the_answer_with_its_source(
    talk: Any, facts: Snapshot, left_out: Any
) -> None:
    reply = talk.say(left_out.question, "and that in ms", "MS", more=near((left_out.id, 0.9)))
    assert reply["answer"] == f"{facts.questions[left_out.question].answers['MS'].text}\n{left_out.statement}"
    assert left_out.id in reply["facts"]
    assert left_out.statement not in talk.say("tell_more", "more please")["answer"]


def test_an_overview_is_whole_as_it_stands(talk: Any, facts: Snapshot, left_out: Any) -> None:
    topic = left_out.question.partition("/")[0]
    reply = talk.say(f"{topic}/overview", "and that in ms", "MS", more=near((left_out.id, 0.9)))
    assert reply["answer"] == facts.questions[f"{topic}/overview"].answers["MS"].text


@pytest.mark.parametrize("asked", ["far", "of the other disease", "of another topic", "only when asked"])
def test_no_other_fact_is_told_unasked(asked: str, talk: Any, facts: Snapshot, left_out: Any) -> None:
    topic = left_out.question.partition("/")[0]
    of_als = (f for f in facts.facts_about(topic, ["ALS"]) if f.condition == "ALS")
    elsewhere = (f for f in facts.facts.values() if f.condition == "MS" and topic not in f.topics)
    unasked = {
        "far": (left_out.id, 0.3),
        "of the other disease": (next(of_als).id, 0.9),
        "of another topic": (next(elsewhere).id, 0.9),
        "only when asked": next((f.id, 0.9) for f in facts.facts.values() if facts.only_asked(f)),
    }
    reply = talk.say(left_out.question, "and that in ms", "MS", more=near(unasked[asked]))
    assert reply["answer"] == facts.questions[left_out.question].answers["MS"].text


def test_what_an_answer_says_already_is_not_said_twice(talk: Any, facts: Snapshot) -> None:
    told = facts.questions["bladder_bowel/overview"].answers["MS"]
    said = facts.facts[told.facts[0]]
    assert answers._says_already(f"{told.text} {said.statement.upper()}", said.statement)


def test_a_remedy_without_a_record_is_named_first(talk: Any, facts: Snapshot) -> None:
    remedy = next(t for t in facts.terms.values() if t.kind == "remedy")
    reply = talk.say("lifestyle/supplements", f"{remedy.name} and als", "ALS", remedy=remedy.id)
    assert reply["outcome"] == "answered"
    assert reply["answer"].startswith(f"I have nothing on {remedy.name} in my facts. ")
    unsure = talk.say("unclear", f"{remedy.name} als", "ALS", remedy=remedy.id)
    assert unsure["outcome"] == "not_covered"
    assert remedy.name in unsure["answer"]


def test_a_remedy_is_not_taken_for_named_inside_another_word(facts: Snapshot) -> None:
    reply = answers.answer(Question("therapy", ("MS",)), facts)
    assert reply is not None
    remedy = next(t for t in facts.terms.values() if t.kind == "remedy" and t.abbreviations)
    hidden = f"It is in a{remedy.abbreviations[0]}b."
    told = answers.naming(replace(reply, answer=hidden), [remedy.id], facts)
    assert told.answer == f"I have nothing on {remedy.name} in my facts. {hidden}"
