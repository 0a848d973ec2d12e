"""Danger and despair are heard whatever the classifier thinks, however they are typed; what only sounds like it is not.

Every rule of `nlu/safety/` brings its own sentences for it and against it.
"""

from __future__ import annotations

from typing import Any

import pytest
from rasa.shared.nlu.training_data.message import Message

from nlu.alarm import alarm_in, rules
from nlu.safety import SafetyRules

FOR = [(rule.name, rule.outcome, sentence) for rule in rules().rules for sentence in rule.examples]
AGAINST = [(rule.name, sentence) for rule in rules().rules for sentence in rule.counterexamples]


def test_every_rule_has_sentences_for_and_against_it() -> None:
    short = [r.name for r in rules().rules if len(r.examples) < 8 or len(r.counterexamples) < 8]
    assert short == []


@pytest.mark.parametrize(("rule", "outcome", "sentence"), FOR)
def test_a_cry_for_help_is_heard(rule: str, outcome: str, sentence: str) -> None:
    alarm = alarm_in(sentence)
    assert alarm is not None
    assert alarm.outcome == outcome


@pytest.mark.parametrize(("rule", "sentence"), AGAINST)
def test_what_only_sounds_like_one_is_not(rule: str, sentence: str) -> None:
    alarm = alarm_in(sentence)
    assert alarm is None or alarm.rule != rule


TYPINGS = {
    "run together": lambda text: text.replace(" ", ""),
    "in capitals": str.upper,
    "another apostrophe": lambda text: text.replace("'", "\u00b4"),
    "entities": lambda text: text.replace("'", "&#39;"),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "invisible characters": lambda text: "\u200b".join(text),
    "tags": lambda text: f"<b>{text}</b>",
}


@pytest.mark.parametrize("typing", TYPINGS)
@pytest.mark.parametrize(
    "text", ["i can't breathe", "i want to die", "he is choking", "my dad won't wake up", "kill myself"]
)
def test_it_is_heard_in_any_typing(text: str, typing: str) -> None:
    assert alarm_in(TYPINGS[typing](text)) is not None


def processed(text: str, ranking: list[tuple[str, float]], sentences: Any = None) -> Message:
    message = Message.build(text)
    message.set("intent_ranking", [{"name": name, "confidence": value} for name, value in ranking])
    if sentences:
        message.set("sentences", sentences)
    SafetyRules().process([message])
    return message


def test_an_alarm_stands_first_and_leaves_every_other_number_as_measured() -> None:
    message = processed("I want to kill myself", [("prognosis", 0.7), ("crisis", 0.2)])
    assert message.get("alarm")["outcome"] == "crisis"
    assert message.get("intent")["name"] == "crisis"
    assert message.get("intent_ranking")[1:] == [{"name": "prognosis", "confidence": 0.7}]


def test_the_classifier_alone_is_enough() -> None:
    message = processed("my time here is over and the cat has a new home", [("crisis", 0.8), ("prognosis", 0.1)])
    assert message.get("alarm") == {"outcome": "crisis", "rule": "classifier"}


def test_a_question_about_nobody_in_particular_is_calm() -> None:
    assert processed("is choking common in als", [("emergency", 0.8)]).get("alarm") is None


def test_one_sentence_is_enough_when_the_whole_leans_that_way() -> None:
    sentences = [{"start": 0, "end": 5, "asks": 0.1, "intents": [("emergency", 0.97)], "questions": []}]
    assert processed("a story. and his colour is odd", [("support", 0.6), ("emergency", 0.2)], sentences).get("alarm")
    assert not processed("a story. and his colour is odd", [("support", 0.9), ("emergency", 0.05)], sentences).get(
        "alarm"
    )


@pytest.mark.parametrize(
    ("text", "outcome"), [("no puedo respirar", "emergency"), ("ich will nicht mehr leben", "crisis")]
)
def test_it_is_heard_in_other_languages(text: str, outcome: str) -> None:
    message = processed(text, [("out_of_scope", 0.6)])
    assert message.get("alarm")["outcome"] == outcome
    assert message.get("language") in ("es", "de")


def test_a_button_is_no_cry_for_help() -> None:
    assert processed('/fatality{"condition":["ALS"]}', [("fatality", 1.0)]).get("alarm") is None
