"""What may be pressed below a reply: short titles, and an answer behind every one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from actions import answers, dialogue
from actions.question import Context, Message, Question, Term, from_payload
from actions.reply import Button, Reply
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot
from tests.actions.conftest import Talk

SCOPES = (("MS",), ("ALS",), CONDITIONS)
ABOUT_BOTH = ("difference", "similarity", "both_together")
#: Slack shows no more; Telegram and the widget break a longer one too.
MOST_CHARACTERS = 75


@dataclass(frozen=True)
class Pressed:
    """A button, the first question below whose answer it stood, and the reply to pressing it."""

    button: Button
    below: str
    reply: Reply

    @property
    def question(self) -> Question:
        asked = from_payload(self.button.payload)
        assert asked is not None, self.button
        return asked


def asked_of_the_store(facts: Snapshot) -> Iterator[Question]:
    """Every question, for MS, ALS and both, in general and about each thing of its kind that belongs to the disease."""
    tables: dict[str, Any] = {
        "drug": facts.drugs, "symptom": facts.symptoms, "test": facts.tests, "mimic": facts.mimics,
        "subtype": facts.subtypes,
    }  # fmt: skip
    for record, conditions in product(facts.questions.values(), SCOPES):
        yield Question(record.topic, conditions, id=record.id)
        for row in tables[record.of].values() if record.of else ():
            own = set(getattr(row, "conditions", None) or getattr(row, "cells", None) or [row.condition])
            if own & set(conditions):
                yield Question(record.topic, conditions, (Term(record.of, row.term),), id=record.id)


def press(button: Button, facts: Snapshot) -> Reply:
    intent = button.payload.removeprefix("/").partition("{")[0]
    message = Message.from_rasa({"text": button.payload, "intent": {"name": intent, "confidence": 1.0}})
    return dialogue.respond(message, Context(), facts)[0]


@pytest.fixture(scope="module")
def pressed(facts: Snapshot) -> list[Pressed]:
    """Every button of the store: below any answer, and below the answers that are reached by pressing."""
    found: dict[str, Pressed] = {}
    todo = [(b, q.payload()) for q in asked_of_the_store(facts) if (r := answers.answer(q, facts)) for b in r.buttons]
    todo += [(b, "hello") for b in greeting(facts)]
    while todo:
        button, below = todo.pop()
        if button.payload not in found:
            reply = press(button, facts)
            found[button.payload] = Pressed(button, below, reply)
            todo += [(b, button.payload) for b in reply.buttons]
    return list(found.values())


def greeting(facts: Snapshot) -> tuple[Button, ...]:
    """What may be pressed first of all."""
    return dialogue.respond(Message(intents=(("greet", 1.0),), text="hello"), Context(), facts)[0].buttons


def wrong(pressed: list[Pressed], is_wrong: Any) -> dict[str, str]:
    """The buttons something is wrong with, with where they stood."""
    return {f"{p.button.title} -> {p.button.payload}": f"below {p.below}" for p in pressed if is_wrong(p)}


def test_every_button_of_the_store_leads_to_an_answer(pressed: list[Pressed]) -> None:
    assert len(pressed) > 1000
    assert wrong(pressed, lambda p: p.reply.outcome.value != "answered") == {}


def test_every_button_is_answered_with_its_own_question_and_about_its_own_diseases(pressed: list[Pressed]) -> None:
    assert wrong(pressed, lambda p: p.reply.question != p.question.name) == {}
    assert wrong(pressed, lambda p: p.reply.conditions != p.question.conditions) == {}


def test_no_button_leads_to_a_reply_that_has_nothing_on_it(pressed: list[Pressed]) -> None:
    """Whoever presses "Side effects of X" does not read that there is nothing on the side effects of X."""
    nothing = ("I have nothing on this", "I have no fact about", "I have no fact on this")
    assert wrong(pressed, lambda p: p.reply.answer.startswith(nothing)) == {}


def test_no_button_asks_for_a_drug_in_a_disease_it_is_not_for(pressed: list[Pressed]) -> None:
    assert wrong(pressed, lambda p: "not a drug for" in p.reply.answer) == {}


def test_a_button_for_the_other_disease_asks_about_that(pressed: list[Pressed]) -> None:
    others = [p for p in pressed if p.button.title.startswith("And in ")]
    assert len(others) > 100
    assert wrong(others, lambda p: p.button.title != f"And in {' and '.join(p.reply.conditions)}?") == {}


def test_titles_are_short_and_whole(pressed: list[Pressed]) -> None:
    assert wrong(pressed, lambda p: not 5 <= len(p.button.title) <= MOST_CHARACTERS) == {}
    assert wrong(pressed, lambda p: any(c in p.button.title for c in "{}_\n")) == {}
    assert wrong(pressed, lambda p: p.button.title != p.button.title.strip()) == {}
    assert wrong(pressed, lambda p: not p.button.title[0].isupper() and not p.button.title[0].isdigit()) == {}


def test_titles_about_both_diseases_are_english_and_give_nobody_both(pressed: list[Pressed]) -> None:
    titles = {one.button.title for one in pressed if "MS and ALS" in one.button.title}
    assert any(title.startswith("Are MS and ALS") for title in titles)
    assert not [t for t in titles if t.startswith(("Is MS and ALS", "Does MS and ALS")) or " I have MS and ALS" in t]


def test_the_buttons_below_a_reply_differ_and_none_asks_the_same_again(pressed: list[Pressed]) -> None:
    assert wrong(pressed, lambda p: len({b.title for b in p.reply.buttons}) < len(p.reply.buttons)) == {}
    assert wrong(pressed, lambda p: len({b.payload for b in p.reply.buttons}) < len(p.reply.buttons)) == {}
    assert wrong(pressed, lambda p: not 1 <= len(p.reply.buttons) <= 5) == {}
    assert wrong(pressed, lambda p: p.button.payload in {b.payload for b in p.reply.buttons}) == {}


def test_a_payload_comes_back_as_the_question_it_stands_for(facts: Snapshot) -> None:
    for question in asked_of_the_store(facts):
        found = from_payload(question.payload())
        assert found is not None, question
        assert (found.name, found.conditions, found.terms) == (question.name, question.conditions, question.terms)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("topic", [t for t in TOPICS if t not in ABOUT_BOTH])
def test_the_other_disease_is_offered_first(topic: str, condition: str, talk: Talk) -> None:
    reply = talk.say(f"{topic}/overview", about=condition)
    other = "ALS" if condition == "MS" else "MS"
    assert reply.buttons[0][0] == f"And in {other}?"
    answer = talk.press(reply.offered[0])
    assert (answer["topic"], answer["conditions"]) == (topic, [other])


@pytest.mark.parametrize(
    "payload",
    [
        "/cure{broken", "/cure{broken}", "/cure[]", '/cure{"condition":"MS"}', '/cure{"condition":["PLS"]}',
        '/cure{"condition":[1]}',
        '/cure{"question":["no_longer_there"]}', '/drug{"drug":["no-longer-there"]}', '/drug{"question":[null]}',
        '/symptom_check{"symptom":["no-longer-there"],"condition":["ALS"]}', "/no_such_topic", "/", "/restart",
        '/mimics{"mimic":["no-longer-there"]}', '/prognosis{"question":["overview"],"weather":["fine"]}',
        "/cure/overview",
        '/diagnosis{"question":["one_test"],"test":["no-longer-there"]}',
    ],
)  # fmt: skip
def test_a_payload_nobody_here_made_or_that_is_no_longer_known_still_gets_a_reply(payload: str, talk: Talk) -> None:
    """The model, the page or the chat may be older than the store."""
    reply = talk.press(payload)
    assert reply["outcome"] in ("answered", "clarify", "not_covered")
    assert reply["answer"]
    assert 1 <= len(reply.buttons) <= 5
    assert talk.press(reply.offered[0])["outcome"] == "answered"


@pytest.mark.parametrize("payload", ["/no_such_topic", "/cure{broken", "/"])
def test_a_button_that_can_no_longer_be_used_says_so(payload: str, talk: Talk) -> None:
    reply = talk.press(payload)
    assert reply["outcome"] == "clarify"
    assert "button" in reply["answer"]


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("1", 0), ("the first one", 0), ("2", 1), ("second please", 1), ("number 3", 2), ("option 2", 1),
        ("the last one", -1), ("3.", 2), ("nr 1", 0), ("THE SECOND", 1), ("2nd", 1),
    ],
)  # fmt: skip
def test_a_button_may_be_chosen_by_its_place(words: str, place: int, talk: Talk) -> None:
    first = talk.say("cause/overview", "what causes als", "ALS")
    wanted = from_payload(first.offered[place])
    reply = talk.say("unclear", words)
    assert wanted is not None
    assert (reply["question"], reply["conditions"]) == (wanted.name, list(wanted.conditions))


@pytest.mark.parametrize("words", ["9", "the first signs", "2 years ago", "one", "last night it hurt"])
def test_what_only_looks_like_a_choice_is_none(words: str, talk: Talk) -> None:
    talk.say("cause/overview", "what causes als", "ALS")
    assert talk.say("unclear", words).rule != "a button was chosen by its place"
