"""Which topic (or other intent) a message is about, with no TensorFlow at run time.

A linear classifier over four groups of features: sentence vectors of the text as written and with
its names masked, character and word n-grams, which kinds of term occur, and a few plain signs
(first person, length). It is a linear support vector machine with a softmax over its margins: as
right as multinomial logistic regression on the same features and fitted in seconds, not minutes.

Long messages are read whole and sentence by sentence. Which sentence asks is learned too, from the
words marked so in the training data: "My mum has it. [Is it inherited?](question)".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import scipy.sparse as sp
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.nlu.constants import INTENT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import HashingVectorizer

from facts.schema import TOPICS
from nlu.sentence_encoder import SentenceEncoder, shared_encoder
from nlu.terms import Part, Reading

KINDS = ("condition", "subtype", "symptom", "drug", "test", "mimic", "person", "organisation", "gene",
         "topic_word")  # fmt: skip
_FIRST_PERSON = re.compile(r"\b(i|im|i'm|ive|i've|me|my|mine|am)\b", re.IGNORECASE)
_QUESTION = re.compile(r"\?|^(what|how|is|are|can|does|do|why|who|when|which|where|will|should|could)\b", re.IGNORECASE)

#: Someone's own decision, result or fear of having it.
_PERSONAL_SIGNS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(should|shall|can|could|may|must|do) (i|we|he|she|my \w+|they) "
        r"\b(?!(get|catch|prevent|find|help|ask|know)\b)",
        r"\b(my|his|her|our) (\w+ )?(mri|scan|emg|blood|test|tests|results?|report|lp|lumbar|"
        r"neurologist|doctor|dose|pills?|infusion)\b",
        r"\b(do|does|have|has|could|might|did|am|is) (i|he|she|it|this|these|my \w+)\b.{0,25}"
        r"\b(ms|als|mnd|sclerosis|this disease)\b\W*$",
        r"\b(will|how long|how fast|how much) \b.{0,20}\b(i|my|mine|he|she|his|her|me)\b",
        r"\b\d\d ?(m|f|yo|y/o|year old|years old)\b",
    )
]
SIGNS = 9 + len(_PERSONAL_SIGNS)

_CHARACTERS = HashingVectorizer(
    analyzer="char_wb", ngram_range=(2, 5), n_features=2**14, alternate_sign=False, dtype=np.float32
)  # fmt: skip
_WORDS = HashingVectorizer(
    analyzer="word", ngram_range=(1, 2), n_features=2**13, alternate_sign=False, token_pattern=r"(?u)\b\w+\b",
    dtype=np.float32,
)  # fmt: skip


def signs(readings: Sequence[Reading]) -> np.ndarray:
    """Kinds of term and plain signs, shape (len(readings), len(KINDS) + SIGNS)."""
    rows = []
    for reading in readings:
        kinds = [f.kind for f in reading.found]
        conditions = {f.id for f in reading.found if f.kind == "condition"}
        length = len(reading.repaired.split())
        rows.append(
            [min(kinds.count(kind), 2) / 2 for kind in KINDS]
            + [
                len(conditions) == 1,
                len(conditions) == 2,
                reading.other_meaning,
                bool(_FIRST_PERSON.search(reading.repaired)),
                bool(_QUESTION.search(reading.repaired)),
                *(bool(sign.search(reading.repaired)) for sign in _PERSONAL_SIGNS),
                length == 1,
                2 <= length <= 4,
                length > 15,
                length > 40,
            ]
        )
    return np.array(rows, np.float32).reshape(len(readings), len(KINDS) + SIGNS)


class Featuriser:
    """Readings to a sparse matrix. The weights of the groups were chosen by cross-validation."""

    def __init__(self, encoder: SentenceEncoder, vectors: float = 3.0, ngrams: float = 1.5, kinds: float = 1.0):
        self._encoder, self._weights = encoder, (vectors, ngrams, kinds)

    def groups(self, readings: Sequence[Reading]) -> List[Any]:
        """Features by group, each of shape (len(readings), its width); dense arrays or sparse matrices."""
        vectors, ngrams, kinds = self._weights
        written = [r.repaired.lower() for r in readings]
        masked = [r.masked.lower() for r in readings]
        # Most short messages name nothing or repeat themselves: each distinct text is encoded once.
        texts = list(dict.fromkeys([*written, *masked]))
        encoded = dict(zip(texts, self._encoder.encode_all(texts) * vectors, strict=False))
        return [
            np.array([encoded[t] for t in masked]),
            np.array([encoded[t] for t in written]),
            _CHARACTERS.transform(masked) * ngrams,
            _WORDS.transform(masked) * ngrams,
            signs(readings) * kinds,
        ]

    def matrix(self, readings: Sequence[Reading]) -> sp.csr_matrix:
        """All groups side by side, shape (len(readings), 2 * 384 + n-grams + signs)."""
        return sp.hstack([sp.csr_matrix(group) for group in self.groups(readings)], format="csr")


#: Margins to confidences: the factor at which held-out confidence matched accuracy best.
SHARPNESS = 4.5
#: A message about someone's own case counts as personal from this confidence on, even when a topic is likelier.
PERSONAL = 0.3
#: Intents whose replies claim nothing, and how sure two of them together must be.
REFUSING = {"out_of_scope", "not_covered", "other_condition", "bot_identity", "complaint", "goodbye", "greet", "help"}
SURE_TOGETHER = 0.7
#: What someone asks to be decided for them: personal from this much lower confidence on.
_DECISION = re.compile(
    r"(?:^|[.!?,;:]\s*)(?:so |but |and |now )?should (?:i|we|he|she|they|my \w+|mum|mom|dad)\b"
    r"|\bdo i (?:need|have) (?:it|to|this|that)\b|\b(?:how (?:fast|soon|quickly|bad)|when) (?:will|is) (?:my|mine)\b",
    re.IGNORECASE,
)
PERSONAL_DECISION = 0.1
_OWN = re.compile(r"\b(i|im|i'm|my|me|he|she|his|her|hers)\b", re.IGNORECASE)
#: Topics whose answers say much the same. A close call between two of them, this likely together, is answered and not
#: asked back.
NEIGHBOURS = {
    frozenset(pair)
    for first, others in {
        "symptom_check": ("symptoms", "vision_senses", "pain_fatigue", "mobility", "cognition", "bladder_bowel",
                          "swallowing_speech_breathing"),
        "symptoms": ("early_signs", "similarity"),
        "diagnosis": ("early_signs", "mimics"),
        "difference": ("similarity", "mimics"),
        "both_together": ("similarity", "mimics"),
        "definition": ("types", "myelin"),
        "autoimmune": ("cause", "myelin"),
        "risk_factors": ("cause", "genetics", "lifestyle"),
        "genetics": ("prevalence",),
        "progression": ("prognosis", "types", "lifestyle"),
        "prognosis": ("fatality",),
        "treatment": ("drug", "cure", "research"),
        "research": ("cure",),
        "therapy": ("swallowing_speech_breathing", "mobility", "support"),
        "mobility": ("pain_fatigue",),
    }.items()
    for pair in ((first, other) for other in others)
}  # fmt: skip
CLOSE, LIKELY_TOGETHER = 0.1, 0.6
#: Weight of the message read whole beside its sentences.
WHOLE = 0.5
#: What says nothing without what was said before. A sentence of a longer message leaves its weight to the whole then.
POINTING_BACK = {"affirm", "are_you_sure", "deny", "repeat", "simpler", "source", "tell_more", "unclear", "what_about",
                 "which_is_worse", "why"}  # fmt: skip
#: A sentence asks from this probability on; the only one that asks says which disease is meant from the lower one on.
ASKS, ASKS_ALONE = 0.5, 0.4
#: A sentence of a long message counts as a question of its own from this confidence on.
OWN_QUESTION = 0.55
#: In a message of three sentences or more it must also be this likely over the whole.
BORNE_OUT = 0.03
RANKED = 10


#: So many words that ask are an example of their own.
OWN_EXAMPLE = 5
#: Which sentence asks is learned from so many; more make training longer and nothing better.
MOST_SENTENCES = 10_000


class TopicModel:
    """The classifier itself: features, weights and the reading of long messages.

    Args:
        weights: shape (len(labels) + 1, features); the last row is that of asking.
        bias: shape (len(labels) + 1,)
    """

    def __init__(self, featuriser: Featuriser, labels: List[str], weights: np.ndarray, bias: np.ndarray) -> None:
        self._featuriser, self.labels, self._weights, self._bias = featuriser, labels, weights, bias
        # Laid out as the product of a message with it reads it: otherwise it is copied at every message.
        self._by_feature = np.ascontiguousarray(weights.T)

    @classmethod
    def fit(
        cls,
        featuriser: Featuriser,
        readings: Sequence[Reading],
        labels: Sequence[str],
        strength: float,
        sentences: Sequence[Tuple[Reading, bool]] = (),
    ) -> TopicModel:
        """Fit on readings with one label each; `strength` is the inverse of the regularisation.

        Args:
            sentences: of longer messages, and whether they ask. Without any, all sentences count alike.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.svm import LinearSVC

        # A fixed seed: the same data gives the same model.
        topics = LinearSVC(C=strength, max_iter=300, tol=1e-2, random_state=0)
        topics.fit(featuriser.matrix(readings), labels)
        weights, bias = topics.coef_, topics.intercept_
        asks = [asks for _, asks in sentences]
        if len(set(asks)) == 2:
            asking = LogisticRegression(solver="liblinear", random_state=0)
            asking.fit(featuriser.matrix([reading for reading, _ in sentences]), asks)
            weights, bias = np.vstack([weights, asking.coef_]), np.append(bias, asking.intercept_)
        else:
            weights, bias = np.vstack([weights, np.zeros_like(weights[:1])]), np.append(bias, 0.0)
        return cls(featuriser, list(topics.classes_), weights.astype(np.float32), bias.astype(np.float32))

    def read(self, readings: Sequence[Reading]) -> Tuple[np.ndarray, np.ndarray]:
        """Confidence per reading and label, shape (len(readings), len(labels)), and how likely each asks something."""
        logits = np.tile(self._bias, (len(readings), 1))
        start = 0
        # Group by group: putting one message's features into one matrix takes longer than all products.
        for group in self._featuriser.groups(readings):
            logits += group @ self._by_feature[start : start + group.shape[1]]
            start += group.shape[1]
        asking = 1 / (1 + np.exp(-logits[:, -1]))
        logits = logits[:, :-1] * SHARPNESS
        logits -= logits.max(1, keepdims=True)
        exponents = np.exp(logits)
        return exponents / exponents.sum(1, keepdims=True), asking

    def save(self, folder: Any) -> None:
        save_file({"weights": self._weights, "bias": self._bias}, str(folder / "topics.safetensors"))
        (folder / "labels.json").write_text(json.dumps(self.labels), encoding="utf8")

    @classmethod
    def load(cls, folder: Any, featuriser: Featuriser) -> TopicModel:
        arrays = load_file(str(folder / "topics.safetensors"))
        labels = json.loads((folder / "labels.json").read_text(encoding="utf8"))
        return cls(featuriser, labels, arrays["weights"], arrays["bias"])


@dataclass(frozen=True)
class Classified:
    """The likeliest intents with their confidence and, for several questions, each of them."""

    ranking: List[Tuple[str, float]]
    questions: List[Dict[str, Any]]
    #: Confidence by intent of each sentence, where there are several.
    sentences: List[Dict[str, float]] = field(default_factory=list)


def classify(model: TopicModel, reading: Reading, parts: Sequence[Part]) -> Classified:
    """Classify a message read whole and, when it has several sentences, sentence by sentence.

    The sentences weigh as much as the whole, each as likely as it asks: in a long message the question
    is one sentence among many.
    """
    probabilities, asking = model.read([reading, *(p.reading for p in parts)])
    whole, each, asking = probabilities[0], probabilities[1:], asking[1:]
    if not len(parts):
        return Classified(_ranked(model.labels, whole), [])
    borne_out = dict(zip(model.labels, whole >= BORNE_OUT, strict=True)) if len(parts) > 2 else {}
    said = each * np.array([label not in POINTING_BACK for label in model.labels])
    share = (1 - WHOLE) / max(asking.sum(), 1e-6)
    ranking = _ranked(model.labels, (1 - share * (asking @ said).sum()) * whole + share * (asking @ said))
    found: Dict[str, Dict[str, Any]] = {}
    for index, part in enumerate(parts):
        label, confidence = _ranked(model.labels, each[index])[0]
        own = asking[index] >= ASKS and confidence >= OWN_QUESTION and borne_out.get(label, True)
        if label in TOPICS and own:
            found.setdefault(label, {"intent": label, "confidence": confidence, "start": part.start, "end": part.end})
    questions = list(found.values())
    sentences = [dict(_ranked(model.labels, row)[:3]) for row in each]
    if len(questions) > 1 and ranking[0][0] in TOPICS:
        first = questions[0]["intent"]
        others = [r for r in ranking if r[0] != first]
        return Classified([(first, questions[0]["confidence"]), *others], questions, sentences)
    best = int(asking.argmax())
    if ranking[0][0] in TOPICS and asking[best] >= ASKS_ALONE and (np.delete(asking, best) < ASKS).all():
        # One question among other sentences: the disease it names is the one asked about.
        asked = {"intent": ranking[0][0], "confidence": ranking[0][1], "start": parts[best].start}
        return Classified(ranking, [{**asked, "end": parts[best].end}], sentences)
    return Classified(ranking, [], sentences)


def _leaning(ranking: List[Tuple[str, float]], reading: Reading) -> List[Tuple[str, float]]:
    """Close calls decided for the side on which a mistake does no harm."""
    if any(f.kind == "mimic" for f in reading.found):
        ranking = _together("mimics", ("difference", "similarity"), ranking)
    confidence = dict(ranking)
    first, second = ranking[0][0], ranking[1][0]
    if reading.other_meaning and not any(f.kind in ("condition", "subtype", "drug") for f in reading.found):
        # "MS" or "ALS" was there and meant something else.
        return _first("out_of_scope", ranking)
    personal = confidence.get("personal_advice", 0.0)
    least = PERSONAL_DECISION if _DECISION.search(reading.repaired) else PERSONAL
    own = _OWN.search(reading.repaired) or _DECISION.search(reading.repaired)
    if first in (*TOPICS, "personal_advice") and personal >= least and own:
        # The reply to personal questions says what is generally known too, and gives no verdict.
        return _first("personal_advice", ranking)
    if {first, second} <= REFUSING and ranking[0][1] + ranking[1][1] >= SURE_TOGETHER:
        # Whichever it is, nothing is claimed about MS or ALS.
        return _first(first, ranking)
    if ranking[0][1] + ranking[1][1] >= LIKELY_TOGETHER and ranking[0][1] - ranking[1][1] < CLOSE:
        if {first, second} in NEIGHBOURS:
            return _first(first, ranking)
        both = len({f.id for f in reading.found if f.kind == "condition"}) == 2
        particular = second if first == "difference" else first
        if both and "difference" in (first, second) and particular in TOPICS and particular != "both_together":
            # "How is MS diagnosed vs ALS": the diagnosis of both, side by side.
            return _first(particular, ranking)
    return ranking


def _together(name: str, others: Sequence[str], ranking: List[Tuple[str, float]]) -> List[Tuple[str, float]]:
    """The ranking with `others` counted as `name`, where that is among the likely ones: the reply is the same."""
    confidence = dict(ranking)
    if name not in confidence:
        return ranking
    confidence[name] += sum(confidence.pop(other, 0.0) for other in others)
    return sorted(confidence.items(), key=lambda item: -item[1])


def _first(name: str, ranking: List[Tuple[str, float]]) -> List[Tuple[str, float]]:
    top = ranking[0][1]
    return [(name, max(top, 0.6)), *((n, c / 2) for n, c in ranking if n != name)]


def _ranked(labels: List[str], probabilities: np.ndarray) -> List[Tuple[str, float]]:
    return [(labels[i], float(probabilities[i])) for i in np.argsort(-probabilities)[:RANKED]]


def _is_long(part: Part) -> bool:
    return len(part.reading.repaired.split()) >= OWN_EXAMPLE


def _asks(sentence: Part, asking: Sequence[Part]) -> bool:
    """Whether at least half of the sentence, or of the words marked, is in the other."""
    return any(
        min(sentence.end, marked.end) - max(sentence.start, marked.start)
        >= min(sentence.end - sentence.start, marked.end - marked.start) / 2
        for marked in asking
    )


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class TopicClassifier(GraphComponent, IntentClassifier):
    """Rasa's side of `TopicModel`.

    Message properties set: `intent`, `intent_ranking` (the ten likeliest) and, where a message asks
    several questions, `questions`: [{"intent", "confidence", "start", "end"}]; a single entry when one
    sentence of several asks.
    """

    def __init__(
        self, config: Dict[str, Any], storage: ModelStorage, resource: Resource, model: Optional[TopicModel] = None
    ):
        self._config, self._storage, self._resource, self.model = config, storage, resource, model

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"strength": 0.1}

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TopicClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [m for m in training_data.intent_examples if m.get("reading") is not None]
        own = [(part.reading, m.get(INTENT)) for m in examples for part in m.get("asking") or [] if _is_long(part)]
        readings, labels = zip(*((m.get("reading"), m.get(INTENT)) for m in examples), *own, strict=True)
        sentences = [
            (part.reading, _asks(part, m.get("asking"))) for m in examples if m.get("asking") for part in m.get("parts")
        ]
        sentences = Random(0).sample(sentences, min(len(sentences), MOST_SENTENCES))
        self.model = TopicModel.fit(Featuriser(shared_encoder()), readings, labels, self._config["strength"], sentences)
        with self._storage.write_to(self._resource) as folder:
            self.model.save(folder)
        return self._resource

    @classmethod
    def load(
        cls, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> TopicClassifier:  # fmt: skip
        with model_storage.read_from(resource) as folder:
            model = TopicModel.load(folder, Featuriser(shared_encoder()))
        return cls(config, model_storage, resource, model)

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            reading = message.get("reading")
            if reading is None or self.model is None:
                continue
            result = classify(self.model, reading, message.get("parts") or [])
            result = replace(result, ranking=_leaning(result.ranking, reading))
            ranking = [{"name": name, "confidence": confidence} for name, confidence in result.ranking]
            message.set("intent_ranking", ranking, add_to_output=True)
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set("names_only", reading.rest == 0 and bool(reading.found), add_to_output=True)
            message.set("sentence_rankings", result.sentences)
            if result.questions:
                message.set("questions", result.questions, add_to_output=True)
        return messages
