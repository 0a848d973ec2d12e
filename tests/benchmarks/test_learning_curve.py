"""What is drawn for the learning curve, and how its tables are made."""

from __future__ import annotations

import numpy as np
import pytest
from rasa.shared.nlu.training_data.message import Message

from benchmarks.learning_curve import Asked, Point, by_size, hold_outs, part, point, reading, split, wanted
from nlu.question_model import features
from nlu.sentence_encoder import SentenceEncoder
from nlu.spelling import domain_words
from nlu.terms import TermFinder, load_terms


def examples(**counts: int) -> list[Message]:
    """So many of each label; `topic_question` stands for `topic/question`."""
    made = []
    for label, count in counts.items():
        intent, _, question = label.partition("_")
        metadata = {"metadata": {"intent": {"question": question}}} if question else {}
        made += [Message({"text": f"{label} {i}", "intent": intent, **metadata}) for i in range(count)]
    return made


def texts(messages: list[Message]) -> set[str]:
    return {m.get("text") for m in messages}


def test_a_share_is_of_each_question_and_leaves_none_out() -> None:
    drawn = part(examples(cure_ms=40, cure_als=1, greet=8), 0.25, seed=0)
    assert sorted(m.get("text").split()[0] for m in drawn) == ["cure_als"] + ["cure_ms"] * 10 + ["greet"] * 2


def test_a_larger_share_holds_the_smaller_one_and_draws_differ() -> None:
    all_of_them = examples(cure_ms=40)
    assert texts(part(all_of_them, 0.25, 0)) < texts(part(all_of_them, 0.5, 0)) < texts(all_of_them)
    assert texts(part(all_of_them, 0.25, 0)) != texts(part(all_of_them, 0.25, 1))


def test_what_is_asked_is_never_learned() -> None:
    all_of_them = examples(cure_ms=40, cure_als=9, greet=50)
    learned, apart = split(all_of_them)
    assert texts(learned) | texts(apart) == texts(all_of_them)
    assert not texts(learned) & texts(apart)
    # A tenth of a question; none of one with few, and none of small talk.
    assert [m.get("text").split()[0] for m in apart] == ["cure_ms"] * 4


HALF = [Point(10, np.array([True, False]), np.array([True, True, False])),
        Point(10, np.array([True, True]), np.array([True, False, False]))]  # fmt: skip


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_a_line_of_the_curve_is_the_mean_of_its_draws() -> None:
    assert cells(hold_outs({0.5: HALF}, ["inbox", "inbox", "no topic"])) == [["50%", "10", "75.0", "75.0", "0.0"]]


def test_what_the_curve_says_is_counted_from_half_and_from_the_beginning() -> None:
    whole = Point(20, np.array([True, True]), np.array([True, True, True]))
    nothing = Point(2, np.array([False, False]), np.array([False, False, False]))
    said = reading({0.1: [nothing], 0.5: HALF, 1.0: [whole]})
    assert "brings +25.0 points of questions found and +50.0 points of right readings" in said
    assert said.endswith("brought +75.0 and +50.0.")


def test_questions_with_few_and_with_many_examples_are_told_apart() -> None:
    one = Point(10, np.array([False, True, True]), np.array([]))
    sizes = dict.fromkeys(["b", "c"], 300) | {"a": 10, "d": 20, "e": 50, "f": 90}
    lines = cells(by_size({1.0: [one]}, ["a", "b", "b"], sizes))
    assert lines[0] == ["1 to 15", "1", "1", "0.0"]
    assert lines[-1] == ["121 and more", "2", "2", "100.0"]
    assert lines[1] == ["16 to 30", "1", "0", "-"]


def test_what_the_hold_out_accepts_counts_as_right_and_what_asks_twice_is_left_out() -> None:
    row = {"outcome": "answered", "topic": "cure", "also": ["treatment"]}
    assert wanted("inbox", row) == ("inbox", ["cure", "treatment"])
    assert wanted("inbox", {"outcome": "answered", "topics": ["cure", "drug"]}) == ("inbox", [])
    assert wanted("inbox", {"outcome": "crisis"}) == ("no topic", ["crisis"])
    assert wanted("inbox", {"outcome": "smalltalk"}) == ("no topic", [])


def test_a_model_is_trained_on_a_part_and_asked_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    stated = [("cure/ms", "MS has no cure.", ""), ("cure/als", "ALS has no cure.", "")]
    monkeypatch.setattr("nlu.question_classifier.statements_of_the_store", lambda: stated)
    said = {"cure_ms": "is there a cure for ms", "cure_als": "can als be healed", "greet_": "hello there my friend"}
    finder = TermFinder(load_terms(), domain_words(said.values()))
    learned = []
    for label, text in said.items():
        (example,) = examples(**{label: 1})
        example.set("reading", finder.read(text))
        learned.append(example)
    encoder = SentenceEncoder()
    inputs = [features([finder.read(text)], encoder) for text in said.values()]
    asked = [Asked("inbox", [right], i, []) for right, i in zip(("cure", "cure", "cure"), inputs, strict=True)]
    got = point(learned, np.vstack(inputs[:2]), ["cure/ms", "cure/als"], asked)
    assert got.examples == 3
    assert got.found.tolist() == [True, True]
    assert got.right.tolist() == [True, True, False]
