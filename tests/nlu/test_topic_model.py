"""The classifier: what is fitted, saved and loaded again decides the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import List, Tuple

import numpy as np
import pytest

from nlu.sentence_encoder import shared_encoder
from nlu.sentences import segments
from nlu.terms import Part, Reading, TermFinder
from nlu.topic_classifier import Featuriser, TopicModel, _leaning, classify

EXAMPLES = {
    "diagnosis": ["how is ms diagnosed", "which tests show als", "als diagnosis", "what scan do they do", "mri for ms"],
    "cure": ["is there a cure for als", "can ms be cured", "cure ms", "will it ever go away", "healing als"],
    "famous_people": [
        "who has ms",
        "famous people with als",
        "celebrities with ms",
        "stephen hawking",
        "actors with ms",
    ],
    "greet": ["hello", "hi there", "good morning", "hey", "good evening"],
}


#: Sentences of longer messages, by whether they ask.
SENTENCES = {
    True: [
        "Which tests show it?",
        "I would like to know if it can be cured.",
        "who else has it",
        "Kindly tell me how it is found",
        "what is there to do",
    ],
    False: [
        "My mother was a teacher in Manila.",
        "She fell on the stairs.",
        "Thank you and God bless.",
        "We have two dogs.",
        "I am 71 years old and retired.",
    ],
}


def sentences(finder: TermFinder) -> List[Tuple[Reading, bool]]:
    return [(finder.read(text), asks) for asks, texts in SENTENCES.items() for text in texts]


@pytest.fixture(scope="module")
def featuriser() -> Featuriser:
    return Featuriser(shared_encoder())


@pytest.fixture(scope="module")
def model(finder: TermFinder, featuriser: Featuriser) -> TopicModel:
    readings = [finder.read(text) for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    return TopicModel.fit(featuriser, readings, labels, 1.0, sentences(finder))


def test_it_learns_what_it_is_shown(model: TopicModel, finder: TermFinder) -> None:
    for label, texts in EXAMPLES.items():
        probabilities, _ = model.read([finder.read(text) for text in texts])
        assert [model.labels[i] for i in probabilities.argmax(1)] == [label] * len(texts)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-5)


def test_it_goes_by_meaning_and_not_by_the_disease(model: TopicModel, finder: TermFinder) -> None:
    for text in ("how do doctors find out that it is mnd", "which examination shows ms"):
        assert model.labels[int(model.read([finder.read(text)])[0][0].argmax())] == "diagnosis"


def test_a_loaded_model_gives_the_same_probabilities(
    model: TopicModel, finder: TermFinder, featuriser: Featuriser, tmp_path: Path
) -> None:
    readings = [finder.read(t) for t in ("how is als found", "hello you", "who had lou gehrigs disease", "")]
    model.save(tmp_path)
    loaded = TopicModel.load(tmp_path, featuriser)
    assert loaded.labels == model.labels
    assert all(map(np.array_equal, loaded.read(readings), model.read(readings)))


def test_the_same_examples_make_the_same_model(model: TopicModel, finder: TermFinder, featuriser: Featuriser) -> None:
    readings = [finder.read(text) for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    again = TopicModel.fit(featuriser, readings, labels, 1.0, sentences(finder))
    assert all(map(partial(np.allclose, atol=1e-6), again.read(readings), model.read(readings)))


def asked(model: TopicModel, finder: TermFinder, text: str) -> Tuple[str, str]:
    """The topic of a message of several sentences, and the sentence taken for its question."""
    parts = [Part(start, end, finder.read(text[start:end])) for start, end in segments(text)]
    found = classify(model, finder.read(text), parts)
    (question,) = found.questions
    return found.ranking[0][0], text[question["start"] : question["end"]].strip()


def test_the_sentence_that_asks_is_found_wherever_it_stands(model: TopicModel, finder: TermFinder) -> None:
    story = ["My uncle was a farmer in Kerala.", "He has two sons."]
    for question, topic in (
        ("I want to know which tests show ms.", "diagnosis"),
        ("Please write me whether als can be cured.", "cure"),
        ("Which famous people have it?", "famous_people"),
    ):
        for place in range(3):
            text = " ".join([*story[:place], question, *story[place:]])
            assert asked(model, finder, text) == (topic, question), text


def test_without_marked_sentences_all_count_alike(finder: TermFinder, featuriser: Featuriser) -> None:
    readings = [finder.read(text) for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    model = TopicModel.fit(featuriser, readings, labels, 1.0)
    assert model.read([finder.read("hello"), finder.read("can it be cured")])[1].tolist() == [0.5, 0.5]


class Reader:
    """Says of a message and each of its sentences what it is told to."""

    labels = ["cure", "diagnosis", "greet"]

    def __init__(self, probabilities: List[List[float]]) -> None:
        self._probabilities = np.array(probabilities)

    def read(self, readings: List[Reading]) -> Tuple[np.ndarray, np.ndarray]:
        assert len(readings) == len(self._probabilities)
        return self._probabilities, np.array([1.0, *[0.9] * (len(readings) - 1)])


@pytest.mark.parametrize(("whole", "topics"), [(0.2, ["cure", "diagnosis"]), (0.0, [])])
def test_a_second_question_of_a_letter_must_be_borne_out_by_the_whole(
    whole: float, topics: List[str], finder: TermFinder
) -> None:
    parts = [Part(i, i + 1, finder.read("what is it")) for i in range(3)]
    says = Reader([[0.8 - whole, whole, 0.2], [0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.1, 0.1, 0.8]])
    found = classify(says, finder.read("a letter"), parts)  # type: ignore[arg-type]
    assert [q["intent"] for q in found.questions] == topics


def test_a_close_call_between_like_topics_is_answered_and_between_others_asked_back(finder: TermFinder) -> None:
    reading = finder.read("and the end of it")
    like = _leaning([("prognosis", 0.4), ("fatality", 0.35), ("cure", 0.1)], reading)
    assert like[0][0] == "prognosis"
    assert like[0][1] >= 0.45
    assert like[0][1] - like[1][1] >= 0.1
    compared = finder.read("how is ms diagnosed vs als")
    assert _leaning([("difference", 0.45), ("diagnosis", 0.4), ("cure", 0.1)], compared)[0][0] == "diagnosis"
    alike = [("difference", 0.45), ("similarity", 0.4), ("cure", 0.1)]
    assert _leaning(alike, compared)[0][0] == "difference"
    other = [("pregnancy", 0.4), ("contagious", 0.35), ("cure", 0.1)]
    assert _leaning(other, reading) == other


def test_the_ranking_falls(model: TopicModel, finder: TermFinder) -> None:
    ranking = classify(model, finder.read("is there a cure"), []).ranking
    confidences = [confidence for _, confidence in ranking]
    assert ranking[0][0] == "cure"
    assert confidences == sorted(confidences, reverse=True)
    assert len({name for name, _ in ranking}) == len(ranking)


def test_no_tensorflow_is_needed_to_decide() -> None:
    """Rasa imports it; our components must not rely on it."""
    folder = Path(__file__).parent.parent.parent / "nlu"
    assert [path.name for path in folder.glob("*.py") if "import tensorflow" in path.read_text("utf8")] == []
    assert [path.name for path in folder.glob("*.py") if "import torch" in path.read_text("utf8")] == []
