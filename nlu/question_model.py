"""Which question a message asks: a softmax over sentence vectors, trained and kept as plain arrays.

An example that is known to be of a topic only ("how is it found out" under `diagnosis`) teaches too: the model may then
share it out among the questions of that topic (training with partial labels; Jin and Ghahramani, "Learning with
multiple labels", NIPS 2002).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from safetensors.numpy import load_file, save_file

from nlu.alarm_neighbours import AlarmNeighbours
from nlu.sentence_encoder import DIMENSIONS, SentenceEncoder
from nlu.terms import Reading

KINDS = ("condition", "subtype", "symptom", "drug", "test", "mimic", "person", "organisation", "gene",
         "topic_word")  # fmt: skip
_FIRST_PERSON = re.compile(r"\b(i|im|i'm|ive|i've|me|my|mine|am)\b", re.IGNORECASE)
_QUESTION = re.compile(r"\?|^(what|how|is|are|can|does|do|why|who|when|which|where|will|should|could)\b", re.IGNORECASE)
#: Plain signs beside the kinds of term: diseases named, another meaning, first person, question, length.
SIGNS = 9
WIDTH = DIMENSIONS + len(KINDS) + SIGNS
#: Unit vectors are scaled up to the size of the signs, so that one strength of regularisation fits both.
SCALE = 5.0


def signs(readings: Sequence[Reading]) -> np.ndarray:
    """Kinds of term and plain signs, shape (len(readings), len(KINDS) + SIGNS)."""
    rows = []
    for reading in readings:
        kinds = [m.kind for m in reading.mentions]
        conditions = {m.id for m in reading.mentions if m.kind == "condition"}
        length = len(reading.repaired.split())
        rows.append(
            [min(kinds.count(kind), 2) / 2 for kind in KINDS]
            + [
                len(conditions) == 1,
                len(conditions) == 2,
                reading.other_meaning,
                bool(_FIRST_PERSON.search(reading.repaired)),
                bool(_QUESTION.search(reading.repaired)),
                length == 1,
                2 <= length <= 4,
                length > 15,
                length > 40,
            ]
        )
    return np.array(rows, np.float32).reshape(len(readings), len(KINDS) + SIGNS)


def features(readings: Sequence[Reading], encoder: SentenceEncoder) -> np.ndarray:
    """Sentence vectors and signs, shape (len(readings), WIDTH), float32. Each distinct text is encoded once."""
    texts = [r.repaired.lower() for r in readings]
    distinct = list(dict.fromkeys(texts))
    vectors = dict(zip(distinct, encoder.encode_all(distinct), strict=True))
    return np.hstack([np.array([vectors[t] for t in texts]).reshape(-1, DIMENSIONS) * SCALE, signs(readings)])


@dataclass(frozen=True)
class Training:
    """How the weights are found: Adam with a falling rate. The values were chosen by cross-validation."""

    l2: float = 1e-4
    epochs: int = 12
    rate: float = 0.03
    batch: int = 512


def fit_softmax(
    inputs: np.ndarray, groups: np.ndarray, group: np.ndarray, training: Training
) -> Tuple[np.ndarray, np.ndarray]:
    """Weights of a softmax whose examples are known up to a group of labels.

    Args:
        inputs: shape (examples, width)
        groups: which labels a group allows, shape (groups, labels), 0 or 1
        group: the group of each example, shape (examples,)

    Returns:
        Weights of shape (width, labels) and a bias of shape (labels,), float32. The same data gives the same weights.
    """
    random = np.random.default_rng(0)
    count, width = inputs.shape
    parameters = [np.zeros((width, groups.shape[1]), np.float32), np.zeros(groups.shape[1], np.float32)]
    means = [np.zeros_like(p) for p in parameters]
    squares = [np.zeros_like(p) for p in parameters]
    steps = training.epochs * -(-count // training.batch)
    step = 0
    for _ in range(training.epochs):
        order = random.permutation(count)
        for start in range(0, count, training.batch):
            step += 1
            chosen = order[start : start + training.batch]
            x = inputs[chosen]
            likely = _softmax(x @ parameters[0] + parameters[1])
            allowed = likely * groups[group[chosen]]
            error = (likely - allowed / np.maximum(allowed.sum(1, keepdims=True), 1e-12)) / len(chosen)
            rate = training.rate * 0.5 * (1 + np.cos(np.pi * step / steps)) + 1e-5
            for i, slope in enumerate((x.T @ error + training.l2 * parameters[0], error.sum(0))):
                means[i] += 0.1 * (slope - means[i])
                squares[i] += 0.01 * (slope * slope - squares[i])
                parameters[i] -= rate * (means[i] / (1 - 0.9**step)) / (np.sqrt(squares[i] / (1 - 0.99**step)) + 1e-8)
    return parameters[0], parameters[1]


def _softmax(logits: np.ndarray) -> np.ndarray:
    exponents = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(exponents / exponents.sum(1, keepdims=True))


class Statements:
    """What the store says, as sentence vectors: a message is near the question whose answer is near it.

    Args:
        questions: the questions, sorted, each with at least one text.
        starts: where the texts of each begin, shape (len(questions),)
        vectors: of all texts, shape (texts, DIMENSIONS)
        facts: the id of the fact that each text is; empty for titles and answers.
    """

    def __init__(self, questions: List[str], starts: np.ndarray, vectors: np.ndarray, facts: Sequence[str]) -> None:
        self.questions, self.starts, self.vectors, self.facts = questions, starts, vectors, list(facts)
        self._is_fact = np.array([bool(name) for name in facts])

    @classmethod
    def of(cls, texts: Sequence[Tuple[str, str, str]], encoder: SentenceEncoder) -> Statements:
        """From (question, text, id of the fact or nothing): titles, answers and facts."""
        ordered = sorted(texts)
        names = [name for name, _, _ in ordered]
        questions = sorted(set(names))
        vectors = encoder.encode_all([text.lower() for _, text, _ in ordered])
        return cls(
            questions, np.searchsorted(names, questions), vectors.astype(np.float32), [fact for _, _, fact in ordered]
        )

    def nearness(self, vectors: np.ndarray) -> np.ndarray:
        """Cosine of the nearest text of each question, shape (len(vectors), len(questions))."""
        return np.maximum.reduceat(vectors @ self.vectors.T, self.starts, axis=1)

    def nearest_facts(self, vectors: np.ndarray, most: int) -> List[Tuple[str, float]]:
        """The facts nearest to any of some vectors, with their cosine."""
        cosines = np.where(self._is_fact, (vectors @ self.vectors.T).max(0), -1.0)
        order = np.argsort(-cosines)[:most]
        return [(self.facts[i], float(cosines[i])) for i in order if self.facts[i]]


#: How much a question near in its statements is preferred: its confidence is multiplied by exp(cosine / NEARNESS).
NEARNESS = 0.1


class QuestionModel:
    """Confidence in each question and in each other intent, and how likely a sentence asks anything.

    Args:
        labels: `topic/question` or an intent.
        weights: shape (WIDTH, len(labels)); bias: shape (len(labels),)
        asking: weights and, last, bias of "this sentence asks", shape (WIDTH + 1,)
        statements: of the store; without any only the examples count.
        temperature: what the logits are divided by, so that confidence is honest.
        cries: examples of alarms among harmless ones; without any nothing is like a cry for help.
    """

    def __init__(
        self, labels: List[str], weights: np.ndarray, bias: np.ndarray, asking: np.ndarray,
        statements: Optional[Statements] = None, temperature: float = 1.0, cries: Optional[AlarmNeighbours] = None,
    ) -> None:  # fmt: skip
        self.labels, self._weights, self._bias, self._asking = labels, weights, bias, asking
        self._cries = cries or AlarmNeighbours.of(np.zeros((0, DIMENSIONS), np.float32), [])
        self._statements, self._temperature = statements, temperature
        known = statements.questions if statements else []
        #: Column of each label among the questions with statements; -1 for those without.
        self._column = np.array([known.index(label) if label in known else -1 for label in labels])
        self.intents = list(dict.fromkeys(label.partition("/")[0] for label in labels))
        self._intent_of = np.array([self.intents.index(label.partition("/")[0]) for label in labels])

    @classmethod
    def fit(
        cls, inputs: np.ndarray, labels: Sequence[str], asked: Tuple[np.ndarray, Sequence[bool]],
        training: Training, statements: Optional[Statements] = None, temperature: float = 1.0,
    ) -> QuestionModel:  # fmt: skip
        """Fit on features with a label each: a question, an intent, or a topic whose questions are known by others.

        Args:
            asked: features of sentences, and whether each asks. None: every sentence counts alike.
        """
        full = {label for label in labels if "/" in label}
        topics = {label.partition("/")[0] for label in full}
        known = sorted(full | {label for label in labels if "/" not in label and label not in topics})
        names = sorted(set(labels))
        groups = np.array([[k == name or k.startswith(f"{name}/") for k in known] for name in names], np.float32)
        group = np.searchsorted(names, labels)
        weights, bias = fit_softmax(inputs, groups, group, training)
        asking = np.zeros(WIDTH + 1, np.float32)
        sentences, asks = asked
        if len(set(asks)) == 2:
            w, b = fit_softmax(sentences, np.eye(2, dtype=np.float32), np.array(asks, int), training)
            asking = np.append(w[:, 1] - w[:, 0], b[1] - b[0]).astype(np.float32)
        cries = AlarmNeighbours.of(inputs[:, :DIMENSIONS] / SCALE, labels)
        return cls(known, weights, bias, asking, statements, temperature, cries)

    def like_cries(self, inputs: np.ndarray) -> Sequence[Dict[str, float]]:
        """The share of each alarm among the examples nearest to each input."""
        return self._cries.share(inputs[:, :DIMENSIONS] / SCALE)

    def read(self, inputs: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Confidence by label, shape (len(inputs), len(labels)), and how likely each input asks something."""
        asking = inputs @ self._asking[:-1] + self._asking[-1]
        confidence = _softmax((inputs @ self._weights + self._bias) / self._temperature)
        if self._statements is not None:
            confidence = self._shared_out(confidence, inputs[:, :DIMENSIONS] / SCALE)
        return confidence, 1 / (1 + np.exp(-asking))

    def _shared_out(self, confidence: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """The confidence in all questions together, shared out by how near their statements are as well."""
        assert self._statements is not None
        asked = self._column >= 0
        near = np.exp(self._statements.nearness(vectors)[:, self._column[asked]] / NEARNESS)
        shared = confidence.copy()
        weighed = confidence[:, asked] * near
        shared[:, asked] = weighed * (confidence[:, asked].sum(1) / np.maximum(weighed.sum(1), 1e-12))[:, None]
        return shared

    def nearest_facts(self, inputs: np.ndarray, most: int) -> List[Tuple[str, float]]:
        """The facts of the store that are nearest in words to any of some inputs, with their cosine."""
        return self._statements.nearest_facts(inputs[:, :DIMENSIONS] / SCALE, most) if self._statements else []

    def by_intent(self, confidence: np.ndarray) -> Dict[str, float]:
        """Confidence by intent: of a topic, that of all its questions together."""
        sums = np.bincount(self._intent_of, weights=confidence, minlength=len(self.intents))
        return dict(zip(self.intents, map(float, sums), strict=True))

    def save(self, folder: Path) -> None:
        arrays = {"weights": self._weights, "bias": self._bias, "asking": self._asking}
        arrays.update(cries=self._cries.vectors, kinds=self._cries.kinds)
        content: Dict[str, Any] = {"labels": self.labels, "temperature": self._temperature, "questions": None}
        if self._statements is not None:
            arrays.update(starts=self._statements.starts, vectors=self._statements.vectors)
            content["questions"], content["facts"] = self._statements.questions, self._statements.facts
        save_file(arrays, str(folder / "questions.safetensors"))
        (folder / "questions.json").write_text(json.dumps(content), encoding="utf8")

    @classmethod
    def load(cls, folder: Path) -> QuestionModel:
        arrays = load_file(str(folder / "questions.safetensors"))
        content = json.loads((folder / "questions.json").read_text(encoding="utf8"))
        questions = content["questions"]
        statements = Statements(questions, arrays["starts"], arrays["vectors"], content["facts"]) if questions else None
        cries = AlarmNeighbours(arrays["cries"], arrays["kinds"])
        return cls(
            content["labels"], arrays["weights"], arrays["bias"], arrays["asking"],
            statements, content["temperature"], cries,
        )  # fmt: skip
