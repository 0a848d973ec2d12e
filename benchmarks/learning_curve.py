"""How many examples a question needs: writes docs/learning-curve.md.

    python -m benchmarks.learning_curve

Trains the model of questions on parts of its examples and reads the hold-out with each; what is decided then is left
out. Needs about five minutes of a core, and five more the first time, when every example is encoded (kept in .build/).
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import numpy as np
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from benchmarks import scoring
from benchmarks.documents import table
from benchmarks.running import ROOT, prepare, training_data
from nlu import question_classifier
from nlu.question_classifier import QuestionClassifier, label_of, measure
from nlu.question_model import QuestionModel, features
from nlu.sentence_encoder import ADAPTER_SHA256, DIMENSIONS, MODEL_SHA256, SentenceEncoder
from nlu.terms import Segment, TermMatcher, segments_of

DOCUMENT = ROOT / "docs" / "learning-curve.md"
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
SEEDS = (0,)
#: One of so many examples of each question is kept from all trainings, to be asked.
KEPT = 10
#: How many examples a question has, for the second table.
SIZES = ((1, 15), (16, 30), (31, 60), (61, 120), (121, sys.maxsize))
#: Outcomes that are no topic and have an intent of their name.
ELSEWHERE = ("other_condition", "out_of_scope", "not_covered", "personal_advice", "emergency", "crisis")


class CachedEncoder(SentenceEncoder):
    """The encoder, which reads each text once; `keep` writes the vectors to .build/ for the next time."""

    def __init__(self) -> None:
        super().__init__()
        digest = sha256((MODEL_SHA256 + ADAPTER_SHA256).encode()).hexdigest()[:16]
        self._file = ROOT / ".build" / f"vectors-{digest}.npz"
        self._vectors: Dict[str, np.ndarray] = {}
        if self._file.exists():
            kept = np.load(self._file)
            self._vectors = dict(zip(str(kept["texts"]).split("\n"), kept["vectors"], strict=True))

    def encode_all(self, texts: Sequence[str], batch: int = 16) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, super().encode_all(new, batch), strict=True))
        return np.array([self._vectors[text] for text in texts]).reshape(-1, DIMENSIONS)

    def keep(self) -> None:
        np.savez(self._file, texts="\n".join(self._vectors), vectors=list(self._vectors.values()))


def part(examples: Sequence[Message], share: float, seed: int) -> List[Message]:
    """That share of the examples of each question and intent, one at least; a larger share holds the smaller ones."""
    by_label: Dict[str, List[Message]] = defaultdict(list)
    for example in examples:
        by_label[label_of(example)].append(example)
    chosen: List[Message] = []
    for label, found in sorted(by_label.items()):
        mixed = Random(f"{seed} {label}").sample(found, len(found))
        chosen += mixed[: max(1, round(share * len(found)))]
    return chosen


def split(examples: Sequence[Message]) -> Tuple[List[Message], List[Message]]:
    """What is learned from, and what is kept apart to be asked: a tenth of the examples of each question."""
    questions = [e for e in examples if "/" in label_of(e)]
    sizes = Counter(label_of(e) for e in questions)
    apart = {id(e) for e in part([e for e in questions if sizes[label_of(e)] >= KEPT], 1 / KEPT, seed=-1)}
    return [e for e in examples if id(e) not in apart], [e for e in questions if id(e) in apart]


def trained(examples: Sequence[Message]) -> QuestionModel:
    """The model as `rasa train` makes it of these examples."""
    with tempfile.TemporaryDirectory() as folder:
        storage = LocalModelStorage.create(Path(folder))
        classifier = QuestionClassifier(QuestionClassifier.get_default_config(), storage, Resource("questions"))
        classifier.train(TrainingData(list(examples)))
    assert classifier.model
    return classifier.model


@dataclass(frozen=True)
class Asked:
    """A message of the hold-out as the model reads it, and what may come first.

    Attributes:
        group: the column it counts in.
        intents: the topics or the outcome that are right.
        inputs: features of the whole message and, behind it, of each segment.
    """

    group: str
    intents: Sequence[str]
    inputs: np.ndarray
    segments: List[Segment]


def wanted(name: str, row: Mapping[str, Any]) -> Tuple[str, List[str]]:
    """In which column a row of a set counts, and which intents are right; none where it asks for no one intent."""
    if row["outcome"] == "answered":
        return name, [] if row.get("topics") else [row["topic"], *(row.get("also") or ())]
    return "no topic", [row["outcome"], *(row.get("also") or ())] if row["outcome"] in ELSEWHERE else []


def hold_out(matcher: TermMatcher, encoder: SentenceEncoder) -> List[Asked]:
    """Every message of the hold-out that is no turn of a dialogue."""
    assert matcher.finder
    sets = {"hold-out": scoring.load_questions(), **{name: scoring.load_apart(name) for name in scoring.APART}}
    asked = []
    for name, rows in sets.items():
        for row in rows:
            group, intents = wanted(name, row)
            if intents:
                whole = matcher.finder.read(row["text"])
                segments = segments_of(row["text"], matcher.finder, whole)
                readings = [whole, *(s.reading for s in segments)]
                asked.append(Asked(group, intents, features(readings, encoder), segments))
    return asked


@dataclass(frozen=True)
class Point:
    """What came of one training.

    Attributes:
        examples: how many were learned from.
        found: for each example kept apart, whether its question came first.
        right: for each message of the hold-out, whether a right intent came first.
    """

    examples: int
    found: np.ndarray
    right: np.ndarray


#: A share of the examples, and what came of each training on one; the draws differ.
Curve = Dict[float, List[Point]]


def point(learned: Sequence[Message], inputs: np.ndarray, labels: Sequence[str], asked: Sequence[Asked]) -> Point:
    """Train on some examples, and let the model read the examples kept apart and the hold-out."""
    model = trained(learned)
    confidence, _ = model.read(inputs)
    questions = np.array(["/" in label for label in model.labels])
    first = np.where(questions, confidence, -1.0).argmax(1)
    found = np.array([model.labels[i] == label for i, label in zip(first, labels, strict=True)])
    right = [measure(model, a.inputs, a.segments).intents[0][0] in a.intents for a in asked]
    return Point(len(learned), found, np.array(right))


def percent(values: Iterable[np.ndarray]) -> str:
    """The mean of some shares; nothing where there is nothing to count."""
    shares = [100 * float(v.mean()) for v in values if len(v)]
    return f"{mean(shares):.1f}" if shares else "-"


def hold_outs(curve: Curve, groups: Sequence[str]) -> str:
    """A line per share: how many examples, how many questions found, and right intents by column."""
    columns = list(dict.fromkeys(groups))
    inside = {name: np.array([group == name for group in groups]) for name in columns}
    rows = [
        [
            *(f"{share:.0%}", f"{points[0].examples:,}", percent(p.found for p in points)),
            *(percent(p.right[inside[name]] for p in points) for name in columns),
        ]
        for share, points in curve.items()
    ]
    return table(["share", "examples", "question found", *columns], rows)


def by_size(curve: Curve, labels: Sequence[str], sizes: Mapping[str, int]) -> str:
    """How often the question of an example kept apart comes first, by how many examples that question has in all."""
    rows = []
    for least, most in SIZES:
        inside = np.array([least <= sizes[label] <= most for label in labels])
        questions = sum(least <= size <= most for size in sizes.values())
        found = [percent(p.found[inside] for p in points) for points in curve.values()]
        name = f"{least} to {most}" if most < sys.maxsize else f"{least} and more"
        rows.append([name, str(questions), str(int(inside.sum())), *found])
    return table(["examples of a question", "questions", "asked", *(f"{share:.0%}" for share in curve)], rows)


def document(curve: Curve, labels: Sequence[str], sizes: Mapping[str, int], groups: Sequence[str]) -> str:
    return f"""\
# How many examples a question needs

Written by `python -m benchmarks.learning_curve` on {date.today()}. Figures in percent, means of {len(SEEDS)} draw(s).

The model of questions was trained on a share of the examples of each question and each other intent. What the product \
knows besides (terms, spelling, what the store says) stayed whole, and nothing was decided: a reading is right when \
what comes first is. One of {KEPT} examples of each question was kept from every training, {len(labels):,} in all, \
and asked: "question found" says for how many the right one of {len(sizes)} came first. Their writers wrote the other \
examples too, so that figure flatters. The {len(groups):,} messages of the hold-outs are by other writers and labelled \
by topic; "no topic" are those of all three sets that ask nothing the store answers, cries for help included.

{hold_outs(curve, groups)}

"Question found" by how many examples the question has in all:

{by_size(curve, labels, sizes)}

{reading(curve)}
"""


def reading(curve: Curve) -> str:
    """What the first table says, in words."""
    ordered = [100 * float(np.mean([p.found.mean() for p in points])) for points in curve.values()]
    topics = [100 * float(np.mean([p.right.mean() for p in points])) for points in curve.values()]
    last, half = list(curve).index(1.0), list(curve).index(0.5)
    return (
        f"The second half of the examples brings {ordered[last] - ordered[half]:+.1f} points of questions found and "
        f"{topics[last] - topics[half]:+.1f} points of right readings over all hold-outs; the first half, from a tenth "
        f"on, brought {ordered[half] - ordered[0]:+.1f} and {topics[half] - topics[0]:+.1f}."
    )


def main() -> int:
    prepare()
    encoder = CachedEncoder()
    question_classifier.shared_encoder = lambda: encoder  # type: ignore[assignment]
    data = training_data()
    with tempfile.TemporaryDirectory() as folder:
        matcher = TermMatcher(LocalModelStorage.create(Path(folder)), Resource("terms"))
        matcher.train(data)
    examples = matcher.process_training_data(data).intent_examples
    learned, apart = split(examples)
    labels = [label_of(e) for e in apart]
    inputs = features([e.get("reading") for e in apart], encoder)
    asked = hold_out(matcher, encoder)
    curve: Curve = {}
    for share in SHARES:
        # All of them are the same in every draw.
        seeds = SEEDS if share < 1 else SEEDS[:1]
        curve[share] = [point(part(learned, share, seed), inputs, labels, asked) for seed in seeds]
        encoder.keep()
        print(f"{share:.0%} measured", file=sys.stderr, flush=True)
    sizes = Counter(label for label in map(label_of, examples) if "/" in label)
    DOCUMENT.write_text(document(curve, labels, sizes, [a.group for a in asked]), encoding="utf8")
    print(f"{DOCUMENT.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
