"""Danger and despair are heard whatever the classifier thinks, however they are typed; what only sounds like it is not.

Every rule of `nlu/safety/` brings its own sentences for it and against it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rasa.shared.nlu.training_data.message import Message

from nlu.alarm import Alarm, Pattern, PatternError, alarm_in, is_general, rules
from nlu.alarm import Message as Words
from nlu.plain import plain
from nlu.safety import SafetyRules

ROOT = Path(__file__).parent.parent.parent
FOR = [(rule.name, rule.outcome, sentence) for rule in rules().rules for sentence in rule.examples]
AGAINST = [(rule.name, sentence) for rule in rules().rules for sentence in rule.counterexamples]


def test_every_rule_has_sentences_for_and_against_it() -> None:
    short = [r.name for r in rules().rules if len(r.examples) < 10 or len(r.counterexamples) < 10]
    assert short == []


@pytest.mark.parametrize(("rule", "outcome", "sentence"), FOR)
def test_a_cry_for_help_is_heard(rule: str, outcome: str, sentence: str) -> None:
    assert rule in [heard.name for heard in rules().heard(plain(sentence).text)]
    alarm = alarm_in(sentence)
    assert alarm is not None
    assert alarm.outcome == outcome or rule == "violence"  # a threat to kill is heard as despair too


@pytest.mark.parametrize(("rule", "sentence"), AGAINST)
def test_what_only_sounds_like_one_is_not(rule: str, sentence: str) -> None:
    assert alarm_in(sentence) is None


def test_every_pattern_can_be_read_and_is_needed() -> None:
    for rule in rules().rules:
        written = [pattern.written for pattern in rule.says]
        assert len(written) == len(set(written)), rule.name
    with pytest.raises(PatternError, match="no list"):
        Pattern("{nowhere}", {})
    with pytest.raises(PatternError, match="never closed"):
        Pattern("(one|two", {})


# --- in any typing ------------------------------------------------------------------------------------------------

Typing = Callable[[str], str]
TYPINGS: Dict[str, Typing] = {
    "in capitals": str.upper,
    "another apostrophe": lambda text: text.replace("'", "\u00b4"),
    "a grave accent": lambda text: text.replace("'", "`"),
    "no apostrophe": lambda text: text.replace("'", ""),
    "entities": lambda text: text.replace("'", "&#39;").replace(" ", "&nbsp;"),
    "tags": lambda text: "<p>" + " ".join(f"<b>{word}</b>" for word in text.split()) + "</p>",
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "styled": lambda text: "".join(
        chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else c
        for c in text
    ),
    "invisible characters": lambda text: "\u200b".join(text),
    "soft hyphens": lambda text: "\u00ad".join(text),
    "letters of another alphabet": lambda text: text.translate(
        str.maketrans("aceopxyi", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456")
    ),
    "struck through": lambda text: "".join(c + "\u0336" if c.isalpha() else c for c in text),
    "blanks that do not break": lambda text: text.replace(" ", "\u00a0"),
    "pauses": lambda text: text.replace(" ", "... "),
    "a word a line": lambda text: text.replace(" ", "\n"),
    "underscores": lambda text: text.replace(" ", "_"),
    "ligatures": lambda text: text.replace("fi", "\ufb01").replace("fl", "\ufb02"),
    "shouted": lambda text: text + "!!!!!!!!????",
    "with pictures": lambda text: f"\U0001f62d {text} \U0001f198",
    "politely": lambda text: f"Good evening. I hope this is the right place. {text}. Thank you.",
    "before a question": lambda text: f"{text}. And what is riluzole?",
    "spaced out": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "spaced out evenly": lambda text: " ".join(text.replace(" ", "")),
    "run together": lambda text: text.replace(" ", "").replace("'", ""),
    "letters held down": lambda text: " ".join(w[:-1] + w[-1] * 4 if len(w) > 2 and w[-1].isalpha() else w for w in text.split()),
}  # fmt: skip
#: What of a sentence is lost with its blanks cannot always be found again.
HARD = {"spaced out evenly": 0.93, "run together": 0.93, "letters held down": 0.97}


@pytest.mark.parametrize("typing", TYPINGS)
def test_it_is_heard_in_any_typing(typing: str) -> None:
    sentences = [sentence for _, _, sentence in FOR]
    missed = [sentence for sentence in sentences if alarm_in(TYPINGS[typing](sentence)) is None]
    assert 1 - len(missed) / len(sentences) >= HARD.get(typing, 0.99), missed


@pytest.mark.parametrize("typing", TYPINGS)
@pytest.mark.parametrize(
    "text",
    ["i can't breathe", "i want to die", "he is choking", "my dad won't wake up", "i want to kill myself", "his lips are blue",
     "i took all my pills", "kill myself"],
)  # fmt: skip
def test_the_plainest_cries_are_heard_in_every_typing(text: str, typing: str) -> None:
    assert alarm_in(TYPINGS[typing](text)) is not None


@pytest.mark.parametrize("typing", TYPINGS)
def test_calm_questions_stay_calm_in_any_typing(typing: str) -> None:
    calm = ["what is MS", "do people with ALS choke to death", "how is breathing supported in ALS", "is suicide common in MS",
            "what helps against spasms", "does ALS run in families", "my battery dies every day"]  # fmt: skip
    assert [text for text in calm if alarm_in(TYPINGS[typing](text))] == []


@pytest.mark.parametrize(
    "text",
    ["k1ll mys3lf", "i c4nt breathe", "s*icide is all i think of", "cant breth", "cnt brth hlp", "hes chokin", "wanna dye",
     "wont wake up my dad wont wake up", "i wnat to die", "kms", "gonna unalive myself", "im gona kil myself", "call an ambulence"],
)  # fmt: skip
def test_panic_and_disguise_misspell(text: str) -> None:
    assert alarm_in(text) is not None


def test_the_alarm_is_heard_wherever_it_stands_in_a_long_message() -> None:
    filler = "We had a good summer and the garden was lovely. " * 60
    for text in (f"I want to die. {filler}", f"{filler} I want to die.", f"{filler} I want to die. {filler}"):
        assert alarm_in(text) == Alarm("crisis", "wish_to_die")


def test_what_was_taken_goes_before_despair_and_despair_before_danger() -> None:
    assert alarm_in("I took all my pills because I want to die") == Alarm("emergency", "overdose_taken")
    assert alarm_in("I can't breathe and I want to die").outcome == "crisis"  # type: ignore[union-attr]


# --- time ---------------------------------------------------------------------------------------------------------


def _longest(words: List[str]) -> str:
    return " ".join((words * 400)[:400])[:2_000]


@pytest.mark.parametrize("rule", rules().rules, ids=lambda rule: rule.name)
def test_no_message_holds_up_a_rule(rule: Any) -> None:
    words = sorted({word for pattern in rule.says for word in pattern.words})
    texts = ["'" * 2_000, "a " * 1_000, "not " * 500, _longest(words), _longest(words[::-1]), _longest(words[::3])]
    messages = [Words(text.split() if "'" not in text else rules().words(text)) for text in texts]
    begun = time.process_time()
    for message in messages:
        rule.ends(message)
    assert (time.process_time() - begun) / len(messages) < 0.06  # about 0.01 on a machine that does nothing else


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(rules().vocabulary)), max_size=400))
def test_a_message_made_of_words_of_fear_takes_no_longer(words: List[str]) -> None:
    text = " ".join(words)[:2_000]
    alarm_in(text)
    begun = time.process_time()
    alarm_in(text)
    assert time.process_time() - begun < 0.5


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_anything_can_be_read(text: str) -> None:
    alarm_in(text)


def test_the_rules_need_no_rasa() -> None:
    code = (
        "import sys; from nlu.alarm import alarm_in; assert alarm_in('i want to die'); assert 'rasa' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=False).returncode == 0


# --- Rasa's side --------------------------------------------------------------------------------------------------


def processed(
    text: str, ranking: List[Tuple[str, float]], sentences: Any = None, alarm: Any = None, like_cries: Any = None
) -> Message:
    message = Message.build(text)
    message.set("intent_ranking", [{"name": name, "confidence": value} for name, value in ranking])
    if sentences:
        message.set("sentences", sentences)
    if alarm:
        message.set("alarm", alarm)
    if like_cries:
        message.set("like_cries", like_cries)
    SafetyRules().process([message])
    return message


def test_an_alarm_stands_first_and_leaves_every_other_number_as_measured() -> None:
    message = processed("I want to kill myself", [("prognosis", 0.7), ("crisis", 0.2)])
    assert message.get("alarm") == {"outcome": "crisis", "rule": "wish_to_die"}
    assert message.get("intent") == {"name": "crisis", "confidence": 1.0}
    assert message.get("intent_ranking")[1:] == [{"name": "prognosis", "confidence": 0.7}]


def test_a_question_about_nobody_in_particular_is_calm() -> None:
    assert is_general("is choking common in als")
    assert is_general("feeling down today, i am not in any danger")
    assert not is_general("i am not ok")
    assert (
        processed("is choking common in als", [("emergency", 0.8)], like_cries={"emergency": 0.8}).get("alarm") is None
    )


def test_what_says_nothing_is_no_alarm_by_the_classifier_alone() -> None:
    message = Message.build("blorp wuggle 77")
    message.set("intent_ranking", [{"name": "emergency", "confidence": 0.9}])
    message.set("like_cries", {"emergency": 0.9})
    message.set("says_something", False)
    SafetyRules().process([message])
    assert message.get("alarm") is None


@pytest.mark.parametrize(
    "text", ["I do n't want to live anymore", "I ca n't breathe", "I want to die. n't", "❶ I want to die"]
)
def test_words_taken_apart_and_odd_numbers_are_heard(text: str) -> None:
    assert alarm_in(text) is not None


def test_no_character_keeps_a_cry_from_being_heard() -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000 and chr(code).isprintable()]
    for start in range(0, len(every), 100):
        beside = " ".join(every[start : start + 100])
        alarm_in(beside)
    for start in range(0, len(every), 5_000):
        heard = alarm_in(f"I want to die. {' '.join(every[start : start + 20])}")
        assert heard == alarm_in("I want to die")


def test_a_message_like_cries_for_help_is_one() -> None:
    text = "the evenings are long and there is less and less of him in them"
    cry = {"outcome": "crisis", "rule": "classifier"}
    assert processed(text, [("crisis", 0.6)], like_cries={"crisis": 0.3, "emergency": 0.1}).get("alarm") == cry
    assert processed(text, [("support", 0.9)], like_cries={"crisis": 1.0}).get("alarm") == cry
    assert processed(text, [("crisis", 0.8)], like_cries={"crisis": 0.0}).get("alarm") is None
    assert processed(text, [("support", 0.9)], like_cries={"crisis": 0.7}).get("alarm") is None


def test_one_sentence_is_enough_when_the_whole_leans_that_way() -> None:
    sentences = [{"start": 0, "end": 5, "like_cries": {"emergency": 0.97}}]

    def heard(whole: float) -> bool:
        message = processed(
            "a story. and his colour is odd", [("support", 0.6)], sentences, like_cries={"emergency": whole}
        )
        return bool(message.get("alarm"))

    assert heard(0.7)
    assert not heard(0.5)


@pytest.mark.parametrize(
    ("text", "outcome", "language"),
    [("no puedo respirar", "emergency", "es"), ("ich will nicht mehr leben", "crisis", "de")],
)
def test_it_is_heard_in_other_languages(text: str, outcome: str, language: str) -> None:
    message = processed(text, [("out_of_scope", 0.6)])
    assert message.get("alarm") == {"outcome": outcome, "rule": "other_language"}
    assert message.get("language") == language


def test_another_language_is_named_without_an_alarm() -> None:
    message = processed("qué es la ELA", [("definition", 0.6)])
    assert message.get("language") == "es"
    assert message.get("alarm") is None


def test_a_button_is_no_cry_for_help() -> None:
    assert processed('/fatality{"condition":["ALS"]}', [("fatality", 1.0)]).get("alarm") is None


@pytest.mark.parametrize(
    "text",
    [
        "both legs went to sleep on the train",
        "we hit a dead end with the insurance",
        "please close this chat",
        "i want to go home",
    ],
)
def test_the_classifier_alone_raises_no_alarm_over_things_of_every_day(text: str) -> None:
    assert processed(text, [("emergency", 0.9)], like_cries={"emergency": 1.0}).get("alarm") is None
