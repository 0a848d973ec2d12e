"""Rasa's side of `QuestionModel`, and how a message of several sentences is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT, METADATA
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from facts.build import FOLDER, load
from nlu.question_model import QuestionModel, Statements, Training, features
from nlu.sentence_encoder import SentenceEncoder, shared_encoder
from nlu.terms import Reading, Segment

#: Weight of the message read whole beside its sentences.
WHOLE = 0.5
#: What says nothing without what was said before. A sentence of a longer message leaves its weight to the whole then.
POINTING_BACK = {"affirm", "are_you_sure", "deny", "repeat", "simpler", "source", "tell_more", "unclear", "what_about",
                 "which_is_worse", "why"}  # fmt: skip
#: So many of the likeliest are handed on.
INTENTS_RANKED, QUESTIONS_RANKED, FOLLOWING_RANKED, OF_A_SENTENCE, FACTS_RANKED = 10, 40, 20, 5, 10
#: From here on a sentence of a message is taken to ask something.
ASKS = 0.5
#: Where the dialogue keeps what was talked about, and up to how many words a message may lean on it.
CONTEXT_SLOT, LEANS_ON_WORDS = "context", 12
#: So many words that ask are an example of their own.
OWN_EXAMPLE = 5
#: Which sentence asks is learned from so many, and so many messages whose words that ask are marked are read whole as
#: well; more make training longer and nothing better.
MOST_SENTENCES = MOST_WHOLE = 4_000


@dataclass(frozen=True)
class Measured:
    """The likeliest intents and questions with their confidence, of the message and of each of its sentences."""

    intents: List[Tuple[str, float]]
    questions: List[Tuple[str, float]]
    sentences: List[Dict[str, Any]]


def measure(model: QuestionModel, inputs: np.ndarray, segments: Sequence[Segment]) -> Measured:
    """Read a message whole and, when it has several sentences, sentence by sentence.

    The sentences weigh as much as the whole, each as likely as it asks: in a long message the question is one
    sentence among many.

    Args:
        inputs: features of the whole message and, behind it, of each segment.
    """
    confidence, asking = model.read(inputs)
    together = confidence[0]
    if len(segments):
        each, asking = confidence[1:], asking[1:]
        back = np.array([label in POINTING_BACK for label in model.labels])
        share = (1 - WHOLE) / max(float(asking.sum()), 1e-6)
        said = share * (asking @ np.where(back, 0.0, each))
        together = (1 - said.sum()) * together + said
    sentences = [
        {
            "start": segment.start, "end": segment.end, "asks": round(float(asks), 4),
            "intents": _first(model.by_intent(row), OF_A_SENTENCE),
            "questions": _first_questions(model, row, OF_A_SENTENCE),
        }
        for segment, row, asks in zip(segments, confidence[1:], asking, strict=False)
    ]  # fmt: skip
    return Measured(
        _first(model.by_intent(together), INTENTS_RANKED),
        _first_questions(model, together, QUESTIONS_RANKED),
        sentences,
    )


def _first(confidence: Dict[str, float], most: int) -> List[Tuple[str, float]]:
    ranked = sorted(confidence.items(), key=lambda item: -item[1])[:most]
    return [(name, round(value, 4)) for name, value in ranked]


def _first_questions(model: QuestionModel, confidence: np.ndarray, most: int) -> List[Tuple[str, float]]:
    order = np.argsort(-confidence)
    ranked = [(model.labels[i], round(float(confidence[i]), 4)) for i in order[: most + 20] if "/" in model.labels[i]]
    return [(name, value) for name, value in ranked[:most] if value > 0]


def asked_before(tracker: Optional[DialogueStateTracker]) -> str:
    """The question answered last in a conversation, in words; empty at its start."""
    context = tracker.get_slot(CONTEXT_SLOT) if tracker is not None and CONTEXT_SLOT in tracker.slots else None
    return str(context.get("asked") or "") if isinstance(context, dict) else ""


def behind_question(reading: Reading, before: str) -> Optional[Reading]:
    """A short message read behind the question before it: "Does heat make MS worse? for how long though"."""
    if not before or len(reading.repaired.split()) > LEANS_ON_WORDS:
        return None
    return replace(reading, repaired=f"{before} {reading.repaired}")


def _named(ranking: List[Tuple[str, float]]) -> List[Dict[str, Any]]:
    return [{"name": name, "confidence": confidence} for name, confidence in ranking]


def statements_of_the_store() -> List[Tuple[str, str, str]]:
    """(question, text, id of a fact or nothing) of every title, answer and fact in facts/topics/."""
    found, _ = load()
    texts: List[Tuple[str, str, str]] = []
    for located in found["questions"]:
        question = located.record
        texts.append((question.id, question.worded("the disease", name="the drug"), ""))
        texts += [(question.id, answer.text, "") for answer in question.answers.values()]
    facts = [located.record for located in found["facts"]]
    return texts + [(fact.question, fact.statement, fact.id) for fact in facts]


def label_of(message: Message) -> str:
    """`topic/question` of an example, or its intent."""
    question = ((message.get(METADATA) or {}).get(INTENT) or {}).get("question")
    return f"{message.get(INTENT)}/{question}" if question else str(message.get(INTENT))


def _is_long(segment: Segment) -> bool:
    return len(segment.reading.repaired.split()) >= OWN_EXAMPLE


def _asks(sentence: Segment, asking: Sequence[Segment]) -> bool:
    """Whether at least half of the sentence, or of the words marked, is in the other."""
    return any(
        min(sentence.end, marked.end) - max(sentence.start, marked.start)
        >= min(sentence.end - sentence.start, marked.end - marked.start) / 2
        for marked in asking
    )


def read_message(
    model: QuestionModel, encoder: SentenceEncoder, reading: Reading, segments: Sequence[Segment], before: str
) -> Dict[str, Any]:
    """What is measured of one message: the properties that `QuestionClassifier` sets.

    Args:
        segments: its sentences, where it has several.
        before: the question answered before it, in words; empty at the start of a conversation.
    """
    behind = behind_question(reading, before)
    readings = [reading, *(s.reading for s in segments), *([behind] if behind else [])]
    inputs = features(readings, encoder)
    found: Dict[str, Any] = {}
    if behind:
        confidence, _ = model.read(inputs[-1:])
        found["following"] = _named(_first_questions(model, confidence[0], FOLLOWING_RANKED))
        found["following_facts"] = _named(model.nearest_facts(inputs[-1:], FACTS_RANKED))
    inputs = inputs[: 1 + len(segments)]
    measured = measure(model, inputs, segments)
    found["like_cries"], *of_sentences = model.like_cries(inputs)
    for sentence, share in zip(measured.sentences, of_sentences, strict=True):
        sentence["like_cries"] = share
    asking = [True, *(s["asks"] >= ASKS for s in measured.sentences)]
    found["facts"] = _named(model.nearest_facts(inputs[asking], FACTS_RANKED))
    found["intent_ranking"] = _named(measured.intents)
    found["question_ranking"] = _named(measured.questions)
    if measured.sentences:
        _read_behind(model, encoder, segments, measured.sentences)
        found["sentences"] = measured.sentences
    found["names_only"] = reading.rest == 0 and bool(reading.mentions)
    found["says_something"] = reading.says_something
    found["other_meaning"] = reading.other_meaning
    return found


def _read_behind(
    model: QuestionModel, encoder: SentenceEncoder, segments: Sequence[Segment], sentences: List[Dict[str, Any]]
) -> None:
    """Adds `following` to each sentence that asks behind another that does: "Is it in the genes? Can I be tested?"."""
    chosen: List[int] = []
    readings: List[Reading] = []
    for i in range(1, len(segments)):
        behind = behind_question(segments[i].reading, segments[i - 1].reading.repaired)
        if behind and min(sentences[i]["asks"], sentences[i - 1]["asks"]) >= ASKS:
            chosen.append(i)
            readings.append(behind)
    if readings:
        confidence, _ = model.read(features(readings, encoder))
        for i, row in zip(chosen, confidence, strict=True):
            sentences[i]["following"] = _first_questions(model, row, FOLLOWING_RANKED)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class QuestionClassifier(GraphComponent, IntentClassifier):
    """Measures which question is asked; decides nothing (actions/decision.py does).

    Message properties set: `intent` and `intent_ranking` (the likeliest, a topic's questions together),
    `question_ranking` [{"name", "confidence"}], `following` (the same for the message read behind the question that was
    answered before it, where it is short enough to lean on that), `facts` and `following_facts` (those of the store
    nearest in words, with their cosine), `sentences` [{"start", "end", "asks", "intents",
    "questions", "following", "like_cries"}] where there are several, `like_cries` (the share of each alarm among the
    nearest examples), `names_only`, `says_something`, `other_meaning`.
    """

    def __init__(
        self, config: Dict[str, Any], storage: ModelStorage, resource: Resource, model: Optional[QuestionModel] = None
    ):
        self._config, self._storage, self._resource, self.model = config, storage, resource, model

    @staticmethod
    def get_default_config() -> Dict[str, Any]:
        return {"l2": 1e-4, "epochs": 12, "rate": 0.03, "temperature": 1.0}

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """The statements of the store are training data that Rasa does not see: their digest joins the fingerprint."""
        return sha256(b"".join(path.read_bytes() for path in sorted((FOLDER / "topics").glob("*.yml")))).hexdigest()

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> QuestionClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        examples = [m for m in training_data.intent_examples if m.get("reading") is not None]
        marked = [i for i, m in enumerate(examples) if m.get("asking")]
        whole = Random(0).sample(marked, min(len(marked), MOST_WHOLE))
        in_parts = set(marked) - set(whole)
        own = [(part.reading, label_of(m)) for m in examples for part in m.get("asking") or [] if _is_long(part)]
        read = [(m.get("reading"), label_of(m)) for i, m in enumerate(examples) if i not in in_parts]
        readings, labels = zip(*read, *own, strict=True)
        sentences = [
            (part.reading, _asks(part, m.get("asking")))
            for m in examples if m.get("asking") for part in m.get("segments")
        ]  # fmt: skip
        sentences = Random(0).sample(sentences, min(len(sentences), MOST_SENTENCES))
        inputs = features([*readings, *(reading for reading, _ in sentences)], shared_encoder())
        asked = inputs[len(readings) :], [asks for _, asks in sentences]
        training = Training(self._config["l2"], self._config["epochs"], self._config["rate"])
        statements = Statements.of(statements_of_the_store(), shared_encoder())
        self.model = QuestionModel.fit(
            inputs[: len(readings)], labels, asked, training, statements, self._config["temperature"]
        )
        with self._storage.write_to(self._resource) as folder:
            self.model.save(folder)
        return self._resource

    @classmethod
    def load(
        cls, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> QuestionClassifier:  # fmt: skip
        with model_storage.read_from(resource) as folder:
            model = QuestionModel.load(folder)
        shared_encoder()
        return cls(config, model_storage, resource, model)

    def process(self, messages: List[Message], tracker: Optional[DialogueStateTracker] = None) -> List[Message]:
        before = asked_before(tracker)
        for message in messages:
            reading: Optional[Reading] = message.get("reading")
            if reading is None or self.model is None:
                continue
            read = read_message(self.model, shared_encoder(), reading, message.get("segments") or [], before)
            message.set(INTENT, read["intent_ranking"][0], add_to_output=True)
            for name, value in read.items():
                message.set(name, value, add_to_output=True)
        return messages
