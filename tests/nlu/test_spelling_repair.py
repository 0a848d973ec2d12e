"""Slips are repaired; words that are English or known are left as they stand."""

from __future__ import annotations

import re

import pytest
from rasa.shared.nlu.training_data.training_data import TrainingData

from nlu.plain import plain
from nlu.spelling import english, words
from nlu.terms import TermFinder, segments_of


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("symtoms of ms", "symptoms of ms"),
        ("symptms of als", "symptoms of als"),
        ("multiple sclerosiss", "multiple sclerosis"),
        ("treatmnt for als", "treatment for als"),
        ("diagnossis", "diagnosis"),
        ("rehabilitaton", "rehabilitation"),
        ("how is it diagnosd", "how is it diagnosed"),
        ("ocrelizumba", "ocrelizumab"),
        ("wiegth loss als", "weight loss als"),
        ("is ms heridaary", "is ms hereditary"),
        ("wat cuaess als", "wat causes als"),
        ("can she get prengent", "can she get pregnant"),
        ("speech and soeach", "speech and speech"),
        ("slwo and statr", "slow and start"),
    ],
)
def test_a_slip_is_repaired(written: str, meant: str, finder: TermFinder) -> None:
    assert finder.read(written).repaired == meant


def test_halves_of_a_word_stay_as_they_are(finder: TermFinder) -> None:
    assert finder.read("i gotta know am i gonna cannot").repaired == "i gotta know am i gonna cannot"


def test_an_abbreviation_nobody_knows_is_not_made_a_word(finder: TermFinder) -> None:
    assert finder.read("what is xqz").repaired == "what is xqz"


@pytest.mark.parametrize(
    "word",
    [
        "hurt",
        "rebound",
        "tablet",
        "relay",
        "sclera",
        "camera",
        "neutron",
        "diseased",
        "lesson",
        "massage",
        "walking",
        "heredity",
        "tumour",
        "colour",
        "spasm",
        "fatal",
        "facial",
        "genes",
        "jeans",
    ],
)
def test_an_english_word_stays_as_it_is(word: str, finder: TermFinder) -> None:
    assert finder.read(f"my {word} again").repaired == f"my {word} again"


def test_none_of_the_commonest_english_words_is_touched(finder: TermFinder) -> None:
    from importlib.resources import files

    listed = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text("utf-8-sig").splitlines()
    words = [line.split()[0] for line in listed[:20_000]]
    words = [word for word in words if word.isalpha()]
    changed = []
    for start in range(0, len(words), 100):  # a message is read up to its two thousandth character
        some = words[start : start + 100]
        read = finder.read(" ".join(some)).repaired.split()
        changed += [pair for pair in zip(some, read, strict=True) if pair[0] != pair[1]]
    assert changed == []


def test_the_training_examples_keep_their_english_words(training_data: TrainingData, finder: TermFinder) -> None:
    """No repair takes away a word of more than one example that is spelt right."""
    texts = [str(m.get("text")) for m in training_data.intent_examples[::40]]
    texts = [text for text in texts if plain(text).text == text]
    for text in texts:
        english_words = [word for word in words(text) if word in english()]
        assert set(english_words) <= set(words(finder.read(text).repaired)), text
    assert len(texts) > 100


@pytest.mark.parametrize("text", ["ALS", "20 mg", "x7q", "a1b2c3", "1234", "http://example.org/x", "", "   "])
def test_what_is_no_word_is_left_alone(text: str, finder: TermFinder) -> None:
    assert finder.read(text).repaired.strip() == text.strip()


def test_a_short_word_is_not_guessed(finder: TermFinder) -> None:
    """Two or three letters are near to everything."""
    for word in ("mz", "alz", "bls", "emq"):
        assert finder.read(f"what is {word}").repaired == f"what is {word}"


def test_repair_keeps_the_signs_around_a_word(finder: TermFinder) -> None:
    assert re.fullmatch(r"\(symptoms!\)", finder.read("(symtoms!)").repaired)


def test_a_message_of_many_sentences_has_no_more_words_repaired(
    finder: TermFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs milliseconds, and a message has a dozen sentences."""
    looked: list[str] = []
    repair = finder._spelling.repair
    monkeypatch.setattr(finder._spelling, "repair", lambda word: looked.append(word) or repair(word))
    text = " ".join(f"what is {a}{b}xq{a}d?" for a in "bcdfghklm" for b in "aeiou")
    segments_of(text, finder, finder.read(text))
    assert 0 < len(looked) <= 12
