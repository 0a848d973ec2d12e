"""Every topic, for MS, for ALS and for both: what a person reads and may press next."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from actions.reply import MOST_SOURCES
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot

SCOPES = {"MS": ["MS"], "ALS": ["ALS"], "both": ["MS", "ALS"]}
#: Topics that are about both diseases whichever is named.
ABOUT_BOTH = ("difference", "similarity", "both_together")
KEYS = {"outcome", "topic", "conditions", "terms", "answer", "comparison", "facts", "sources", "reviewed", "checked"}


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_a_topic_is_answered_as_the_contract_has_it(topic: str, scope: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say(topic, about=" ".join(SCOPES[scope]))
    conditions = ["MS", "ALS"] if topic in ABOUT_BOTH else SCOPES[scope]
    assert set(reply) == KEYS
    assert reply["outcome"] == "answered"
    assert reply["topic"] == topic
    assert reply["conditions"] == conditions
    assert reply["terms"] == []
    assert reply["answer"] == facts.answer(topic, conditions).text  # type: ignore[union-attr]
    assert reply["facts"]
    assert set(reply["facts"]) <= set(facts.facts)
    assert reply["sources"]
    for source in reply["sources"]:
        assert set(source) == {"title", "publisher", "url", "year"}
        assert source["url"].startswith("http")
        assert source["title"]
        assert source["publisher"]
    shown = {source["url"] for source in reply["sources"]}
    bare = [f for f in reply["facts"] if not any(facts.sources[s].url in shown for s in facts.facts[f].sources)]
    assert not bare or len(reply["sources"]) == MOST_SOURCES, "each fact shows a source of its own"
    assert datetime.date.fromisoformat(reply["reviewed"]) == min(facts.facts[f].reviewed for f in reply["facts"])
    assert reply["checked"] is all(facts.facts[f].checked for f in reply["facts"])


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_what_may_be_pressed_next_is_short_titled_and_answered(
    topic: str, scope: str, new_talk: Callable[[], Any]
) -> None:
    talk = new_talk()
    reply = talk.say(topic, about=" ".join(SCOPES[scope]))
    titles = [title for title, _ in reply.buttons]
    assert 1 <= len(reply.buttons) <= 5
    assert len(set(titles)) == len(set(reply.offered)) == len(titles)
    assert [t for t in titles if "{" in t or "_" in t or not 5 <= len(t) <= 50] == []
    for title, payload in reply.buttons:
        answer = talk.press(payload)
        assert answer["outcome"] == "answered", payload
        named = [c for c in CONDITIONS if c in title]
        assert not named or answer["conditions"] == named, (title, payload)


@pytest.mark.parametrize(("topic", "scope"), product([t for t in TOPICS if t not in ABOUT_BOTH], CONDITIONS))
def test_the_other_disease_is_offered_first(topic: str, scope: str, talk: Any) -> None:
    reply = talk.say(topic, about=scope)
    other = "ALS" if scope == "MS" else "MS"
    assert reply.buttons[0][0] == f"And in {other}?"
    answer = talk.press(reply.offered[0])
    assert (answer["topic"], answer["conditions"]) == (topic, [other])


@pytest.mark.parametrize("topic", TOPICS)
def test_both_diseases_are_compared_in_rows_the_question_is_about(
    topic: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    reply = new_talk().say(topic, about="MS ALS")
    about = {row.aspect for row in facts.comparisons if topic in row.topics}
    assert {row["aspect"] for row in reply["comparison"]} <= about
    assert bool(reply["comparison"]) is bool(about)
    for row in reply["comparison"]:
        assert set(row) == {"aspect", "MS", "ALS"}
        assert row["MS"]
        assert row["ALS"]
    if topic not in ABOUT_BOTH:
        assert new_talk().say(topic, about="MS")["comparison"] == []


def test_every_row_of_the_comparison_is_shown_for_some_question(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    shown = {row["aspect"] for topic in TOPICS for row in new_talk().say(topic)["comparison"]}
    assert {row.aspect for row in facts.comparisons} - shown == set()


def test_the_overview_of_differences_has_rows_on_several_aspects(talk: Any) -> None:
    assert len(talk.say("difference", "what is the difference between als and ms", "MS ALS")["comparison"]) >= 5


@pytest.mark.parametrize("topic", TOPICS)
def test_a_question_that_names_no_disease_is_answered_for_both_at_first(topic: str, talk: Any) -> None:
    assert talk.say(topic)["conditions"] == ["MS", "ALS"]


@pytest.mark.parametrize("topic", [t for t in TOPICS if t not in ABOUT_BOTH])
def test_a_question_that_names_no_disease_is_about_the_one_talked_about(topic: str, talk: Any) -> None:
    talk.say("definition", "what is als", "ALS")
    assert talk.say(topic)["conditions"] == ["ALS"]


def test_the_disease_talked_about_is_left_when_another_is_named(talk: Any) -> None:
    talk.say("definition", "what is als", "ALS")
    assert talk.say("cure", "can ms be cured", "MS")["conditions"] == ["MS"]
    assert talk.say("treatment", "how is it treated")["conditions"] == ["MS"]


@pytest.mark.parametrize("named", ["MS ALS", "ALS MS"])
def test_ms_stands_before_als_whatever_the_order_asked(named: str, talk: Any) -> None:
    assert talk.say("cure", f"cure for {named}", named)["conditions"] == ["MS", "ALS"]


def test_two_questions_in_one_message_get_two_answers(talk: Any, facts: Snapshot) -> None:
    text = "How is ALS diagnosed and is there a cure?"
    reply = talk.say(
        "diagnosis",
        text,
        "ALS",
        questions=(
            {"intent": "diagnosis", "confidence": 0.9, "start": 0, "end": 20},
            {"intent": "cure", "confidence": 0.9, "start": 25, "end": len(text)},
        ),
    )
    assert set(reply) == {*KEYS, "topics"}
    assert reply["topic"] == "diagnosis"
    assert reply["topics"] == ["diagnosis", "cure"]
    assert reply["conditions"] == ["ALS"]
    for topic in ("diagnosis", "cure"):
        assert facts.answer(topic, ["ALS"]).text in reply["answer"]  # type: ignore[union-attr]
        assert set(facts.answer(topic, ["ALS"]).facts) <= set(reply["facts"])  # type: ignore[union-attr]
    assert "\n\n" not in reply["answer"]
    assert 1 <= len(reply.buttons) <= 5


def test_two_questions_about_two_diseases_are_answered_each_for_its_own(talk: Any, facts: Snapshot) -> None:
    text = "what causes ALS? how is MS treated?"
    reply = talk.say(
        "cause",
        text,
        "ALS MS",
        questions=(
            {"intent": "cause", "confidence": 0.9, "start": 0, "end": 16},
            {"intent": "treatment", "confidence": 0.9, "start": 17, "end": len(text)},
        ),
    )
    assert reply["topics"] == ["cause", "treatment"]
    assert reply["conditions"] == ["MS", "ALS"]
    assert facts.answer("cause", ["ALS"]).text in reply["answer"]  # type: ignore[union-attr]
    assert facts.answer("treatment", ["MS"]).text in reply["answer"]  # type: ignore[union-attr]


def test_one_question_has_no_list_of_topics(talk: Any) -> None:
    assert "topics" not in talk.say("cure", "is there a cure for als", "ALS")
