"""The classifier: what is fitted, saved and loaded again decides the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu.sentence_encoder import shared_encoder
from nlu.terms import TermFinder
from nlu.topic_classifier import Featuriser, TopicModel, classify

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


@pytest.fixture(scope="module")
def featuriser() -> Featuriser:
    return Featuriser(shared_encoder())


@pytest.fixture(scope="module")
def model(finder: TermFinder, featuriser: Featuriser) -> TopicModel:
    readings = [finder.read(text) for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    return TopicModel.fit(featuriser, readings, labels, 1.0)


def test_it_learns_what_it_is_shown(model: TopicModel, finder: TermFinder) -> None:
    for label, texts in EXAMPLES.items():
        probabilities = model.probabilities([finder.read(text) for text in texts])
        assert [model.labels[i] for i in probabilities.argmax(1)] == [label] * len(texts)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-5)


def test_it_goes_by_meaning_and_not_by_the_disease(model: TopicModel, finder: TermFinder) -> None:
    for text in ("how do doctors find out that it is mnd", "which examination shows ms"):
        assert model.labels[int(model.probabilities([finder.read(text)])[0].argmax())] == "diagnosis"


def test_a_loaded_model_gives_the_same_probabilities(
    model: TopicModel, finder: TermFinder, featuriser: Featuriser, tmp_path: Path
) -> None:
    readings = [finder.read(t) for t in ("how is als found", "hello you", "who had lou gehrigs disease", "")]
    model.save(tmp_path)
    loaded = TopicModel.load(tmp_path, featuriser)
    assert loaded.labels == model.labels
    assert np.array_equal(loaded.probabilities(readings), model.probabilities(readings))


def test_the_same_examples_make_the_same_model(model: TopicModel, finder: TermFinder, featuriser: Featuriser) -> None:
    readings = [finder.read(text) for texts in EXAMPLES.values() for text in texts]
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    again = TopicModel.fit(featuriser, readings, labels, 1.0)
    assert np.allclose(again.probabilities(readings), model.probabilities(readings), atol=1e-6)


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
