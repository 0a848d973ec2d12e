"""The model of questions: what it learns from examples that name a question, from those that name a topic only, and
from the statements of the store; how a message of several sentences is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nlu import alarm_neighbours
from nlu.alarm_neighbours import AlarmNeighbours
from nlu.question_classifier import asked_before, behind_question, measure
from nlu.question_model import DIMENSIONS, WIDTH, QuestionModel, Statements, Training, features, fit_softmax
from nlu.sentence_encoder import shared_encoder
from nlu.terms import Reading, Segment, TermFinder

EXAMPLES = {
    "genetics/child": ["will my child get ms", "chance for my kids", "can i pass it on to my son"],
    "genetics/test": ["gene test for als", "can you be tested for the gene", "dna test"],
    "diagnosis/how_long": ["how long until a diagnosis", "why does it take so long to find out", "months to diagnose"],
    "diagnosis/emg": ["does an emg hurt", "needle test in the muscle", "what is an emg"],
    "greet": ["hello", "hi there", "good morning"],
}
ASKING = [("My mum has it.", False), ("Is it inherited?", True), ("We live in Leeds.", False), ("Does it hurt?", True)]


def readings(finder: TermFinder, texts: list[str]) -> list[Reading]:
    return [finder.read(text) for text in texts]


@pytest.fixture(scope="module")
def model(finder: TermFinder) -> QuestionModel:
    labels = [label for label, texts in EXAMPLES.items() for _ in texts]
    inputs = features(readings(finder, [t for texts in EXAMPLES.values() for t in texts]), shared_encoder())
    asked = features(readings(finder, [text for text, _ in ASKING]), shared_encoder()), [asks for _, asks in ASKING]
    texts = [("genetics/child", "Each child has a 50% chance.", "half"), ("diagnosis/emg", "A fine needle.", "")]
    statements = Statements.of(texts, shared_encoder())
    return QuestionModel.fit(inputs, labels, asked, Training(epochs=60), statements)


def likeliest(model: QuestionModel, finder: TermFinder, text: str) -> str:
    confidence, _ = model.read(features(readings(finder, [text]), shared_encoder()))
    return model.labels[int(confidence[0].argmax())]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("could my daughter inherit it", "genetics/child"),
        ("is there a genetic test", "genetics/test"),
        ("how many months before they tell you", "diagnosis/how_long"),
        ("is the needle test painful", "diagnosis/emg"),
        ("hello there", "greet"),
    ],
)
def test_other_words_for_a_question_find_it(model: QuestionModel, finder: TermFinder, text: str, label: str) -> None:
    assert likeliest(model, finder, text) == label


def test_confidences_add_up_and_a_topic_has_that_of_its_questions(model: QuestionModel, finder: TermFinder) -> None:
    confidence, _ = model.read(features(readings(finder, ["gene test", "hi"]), shared_encoder()))
    assert np.allclose(confidence.sum(1), 1, atol=1e-4)
    by_intent = model.by_intent(confidence[0])
    of_genetics = sum(c for label, c in zip(model.labels, confidence[0], strict=True) if label.startswith("genetics/"))
    assert by_intent["genetics"] == pytest.approx(of_genetics, abs=1e-5)


def test_a_saved_model_reads_the_same(model: QuestionModel, finder: TermFinder, tmp_path: Path) -> None:
    model.save(tmp_path)
    inputs = features(readings(finder, ["does an emg hurt"]), shared_encoder())
    assert np.allclose(QuestionModel.load(tmp_path).read(inputs)[0], model.read(inputs)[0])


def test_what_is_like_cries_for_help_is_told_from_the_harmless_line_beside_it(finder: TermFinder) -> None:
    cries = ["i want to go for good", "i cant go on", "i will end it tonight", "let me go and be gone"]
    harmless = ["i want to go home", "can we go home now", "i want to go to bed", "lets go home tonight"]
    vectors = shared_encoder().encode([finder.read(text).repaired.lower() for text in [*cries, *harmless]])
    among = AlarmNeighbours.of(vectors, ["crisis"] * 4 + ["out_of_scope"] * 4)
    asked = shared_encoder().encode(["i just want to go home", "i really cant go on"])
    calm, cry = (share["crisis"] for share in among.share(asked))
    assert calm < 0.3 < 0.7 < cry
    again = AlarmNeighbours(among.vectors, among.kinds)
    assert again.share(asked) == among.share(asked)


def test_only_the_harmless_examples_nearest_to_a_cry_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_neighbours, "HARMLESS", 30)
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[1] = vectors[0]
    kept = AlarmNeighbours.of(vectors, ["crisis", *["greet"] * 199])
    assert len(kept.kinds) == 31
    assert kept.share(vectors[1:2])[0]["crisis"] == pytest.approx(0.5, abs=0.01)


def test_without_a_cry_among_the_examples_nothing_is_like_one() -> None:
    nothing = AlarmNeighbours.of(np.zeros((0, DIMENSIONS), np.float32), [])
    assert nothing.share(np.ones((2, DIMENSIONS), np.float32)) == [{"crisis": 0.0, "emergency": 0.0}] * 2


def test_the_same_data_gives_the_same_model() -> None:
    random = np.random.default_rng(1)
    inputs = random.normal(size=(40, WIDTH)).astype(np.float32)
    group = random.integers(0, 3, 40)
    first, second = (fit_softmax(inputs, np.eye(3, dtype=np.float32), group, Training()) for _ in range(2))
    assert np.array_equal(first[0], second[0])


def test_an_example_known_by_its_topic_only_raises_the_whole_topic() -> None:
    inputs = np.zeros((30, WIDTH), np.float32)
    inputs[:10, 0] = inputs[10:20, 1] = inputs[20:, 2] = 5
    labels = ["a/one"] * 10 + ["a/two"] * 5 + ["b/three"] * 5 + ["a"] * 10
    model = QuestionModel.fit(inputs, labels, (np.zeros((0, WIDTH), np.float32), []), Training())
    assert model.labels == ["a/one", "a/two", "b/three"]
    assert model.by_intent(model.read(inputs[-1:])[0][0])["a"] > 0.8


def test_statements_move_confidence_between_questions_only() -> None:
    labels = ["a/one", "a/two", "greet"]
    weights = np.zeros((WIDTH, 3), np.float32)
    vectors = np.eye(2, DIMENSIONS, dtype=np.float32)
    statements = Statements(["a/one", "a/two"], np.array([0, 1]), vectors, ["", "fact-two"])
    model = QuestionModel(labels, weights, np.zeros(3, np.float32), np.zeros(WIDTH + 1, np.float32), statements)
    near_two = np.zeros((1, WIDTH), np.float32)
    near_two[0, 1] = 5.0
    one, two, greet = model.read(near_two)[0][0]
    assert two > 10 * one
    assert greet == pytest.approx(1 / 3)


def test_the_facts_nearest_to_a_text_are_found_titles_are_none(model: QuestionModel, finder: TermFinder) -> None:
    texts = ["is it a chance of fifty percent for each child"]
    ((name, cosine),) = model.nearest_facts(features(readings(finder, texts), shared_encoder()), 5)
    assert name == "half"
    assert 0.3 < cosine <= 1


def test_the_sentence_that_asks_decides_in_a_long_message(model: QuestionModel, finder: TermFinder) -> None:
    sentences = ["Good morning from Leeds.", "We had a long drive.", "Does the needle test hurt?"]
    text, at, segments = " ".join(sentences), 0, []
    for sentence in sentences:
        segments.append(Segment(at, at + len(sentence), finder.read(sentence)))
        at += len(sentence) + 1
    inputs = features([finder.read(text), *(s.reading for s in segments)], shared_encoder())
    measured = measure(model, inputs, segments)
    assert measured.questions[0][0] == "diagnosis/emg"
    assert [s["start"] for s in measured.sentences] == [0, 25, 46]
    assert measured.sentences[2]["asks"] > measured.sentences[1]["asks"]


def test_only_a_short_message_is_read_behind_the_question_before_it(finder: TermFinder) -> None:
    short = behind_question(finder.read("for how long though"), "Does heat make MS worse?")
    assert short is not None
    assert short.repaired == "Does heat make MS worse? for how long though"
    assert behind_question(finder.read("word " * 20), "Does heat make MS worse?") is None
    assert behind_question(finder.read("for how long"), "") is None
    assert asked_before(None) == ""
