"""Rasa's side of `nlu.alarm` and `nlu.language`: a cry for help goes before whatever else was understood.

Channels ask `nlu.alarm.alarm_in` themselves before they turn a message away; this component hears what reaches the
model.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.alarm import LABELS, alarm_in, is_general
from nlu.language import foreign, foreign_alarm

#: Message properties: {"outcome": `crisis` or `emergency`, "rule": the rule's name, `classifier` or
#: `other_language`}; and the language of a message that is not English.
ALARM, LANGUAGE = "alarm", "language"
#: What the examples nearest to a message are, and what the classifier of intents makes of it.
LIKE_CRIES, RANKING, SENTENCES = "like_cries", "intent_ranking", "sentences"
#: The mean of both from which on a message is a cry for help; or one sentence has hardly any other neighbours, when the
#: whole leans that way.
CRY, SENTENCE, LEANS = 0.45, 0.95, 0.30


def find(text: str) -> Optional[str]:
    """`crisis`, `emergency` or None for a text as it was typed."""
    heard = alarm_in(text)
    return heard.outcome if heard else None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyRules(GraphComponent):
    """Puts `crisis` or `emergency` first in the ranking where one is heard. All other numbers stay as they are.

    Any is enough: the rules, the phrases of other languages, or the nearest examples and the classifier together.
    """

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SafetyRules:
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if not text or text.startswith("/"):
                continue
            language = foreign(text)
            heard = _heard(message, text)
            cry = foreign_alarm(text) if heard is None or heard["rule"] == "classifier" else None
            if cry is not None:
                language, heard = cry.language, {"outcome": cry.outcome, "rule": "other_language"}
            if language is not None:
                message.set(LANGUAGE, language, add_to_output=True)
            if heard is not None:
                _put_first(message, heard)
        return messages


def _heard(message: Message, text: str) -> Optional[Dict[str, str]]:
    found = alarm_in(text)
    reading = message.get("reading")
    if found is None and reading is not None and reading.repaired != text:
        # Panic misspells: the words as they were repaired are looked at too.
        found = alarm_in(reading.repaired)
    if found is not None:
        return {"outcome": found.outcome, "rule": found.rule}
    suspected = _suspected(message)
    if suspected is None or not message.get("says_something", True) or is_general(text):
        return None
    return {"outcome": suspected, "rule": "classifier"}


def _suspected(message: Message) -> Optional[str]:
    """The alarm that a message is like, by its neighbours and by the classifier of intents together."""
    classified = {r["name"]: r["confidence"] for r in message.get(RANKING) or []}
    like = message.get(LIKE_CRIES) or {}
    name, whole = _leaning({n: (classified.get(n, 0.0) + like.get(n, 0.0)) / 2 for n in LABELS})
    if whole >= CRY:
        return name
    for sentence in message.get(SENTENCES) or []:
        of_sentence, share = _leaning(sentence.get(LIKE_CRIES) or {})
        # A sentence of a story says little alone; the whole must point the same way.
        if share >= SENTENCE and whole >= LEANS:
            return of_sentence
    return None


def _leaning(shares: Dict[str, float]) -> Tuple[str, float]:
    likelier = max(LABELS, key=lambda name: shares.get(name, 0.0))
    return likelier, sum(shares.get(name, 0.0) for name in LABELS)


def _put_first(message: Message, heard: Dict[str, str]) -> None:
    ranking: List[Dict[str, Any]] = message.get(RANKING) or []
    first: Dict[str, Any] = {"name": heard["outcome"], "confidence": 1.0}
    message.set(ALARM, heard, add_to_output=True)
    message.set(INTENT, first, add_to_output=True)
    message.set(RANKING, [first, *(r for r in ranking if r["name"] != heard["outcome"])], add_to_output=True)
