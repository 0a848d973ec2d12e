"""Rasa's side of what is heard before any question: cries for help, and other languages than English.

Rules that a clinician can read (`nlu/alarm.py`) and the classifier's own confidence: either is enough for an alarm.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message

from nlu.alarm import alarm_in
from nlu.language import foreign, foreign_alarm

ALARMS = ("crisis", "emergency")
#: From here on the classifier alone raises an alarm: over the whole message, or in one sentence when the whole leans
#: that way. Chosen on messages of strangers, see docs/decisions.md.
SUSPECTED, SUSPECTED_IN_SENTENCE, LEANS = 0.5, 0.95, 0.12

#: A question in general that is about nobody in particular is no alarm by the classifier alone.
_GENERAL = re.compile(r"^\W*(?:what|how|why|when|do|does|is|are|can(?!'t)|could|which|who|will)\b")
_OWN = re.compile(r"\b(?:i|i'm|im|me|my|myself|he|she|him|her|they|we|us|our)\b")


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyRules(GraphComponent):
    """Puts `crisis` or `emergency` first in the ranking where one is heard; all other numbers stay as measured.

    Message properties set: `alarm` {"outcome", "rule"} and `language` (ISO code, or `other`), each only where there
    is one.
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
            if text.startswith("/"):
                continue
            ranking: List[Dict[str, Any]] = message.get("intent_ranking") or []
            found = self._alarm(text, message, ranking)
            if language := foreign(text):
                message.set("language", language, add_to_output=True)
            if found is None:
                continue
            outcome, rule = found
            first: Dict[str, Any] = {"name": outcome, "confidence": 1.0}
            message.set("alarm", {"outcome": outcome, "rule": rule}, add_to_output=True)
            message.set(INTENT, first, add_to_output=True)
            message.set("intent_ranking", [first, *(r for r in ranking if r["name"] != outcome)], add_to_output=True)
        return messages

    @staticmethod
    def _alarm(text: str, message: Message, ranking: List[Dict[str, Any]]) -> Optional[Tuple[str, str]]:
        heard = alarm_in(text) or foreign_alarm(text)
        if heard is not None:
            return heard.outcome, getattr(heard, "rule", "another language")
        reading = message.get("reading")
        repaired = alarm_in(reading.repaired) if reading and reading.repaired.lower() != text.lower() else None
        if repaired is not None:
            return repaired.outcome, repaired.rule
        if (reading is not None and not reading.says_something) or _is_calm(text):
            return None
        suspected = _suspected(ranking, message.get("sentences") or [])
        return (suspected, "classifier") if suspected else None


def _suspected(ranking: List[Dict[str, Any]], sentences: List[Dict[str, Any]]) -> Optional[str]:
    """The alarm the classifier leans to, over the whole message or in a single sentence of it."""
    whole = {r["name"]: r["confidence"] for r in ranking}
    if sum(whole.get(name, 0.0) for name in ALARMS) >= SUSPECTED:
        return max(ALARMS, key=lambda name: whole.get(name, 0.0))
    for sentence in sentences:
        alone = dict(sentence["intents"])
        leans = sum(whole.get(name, 0.0) for name in ALARMS) >= LEANS
        # A sentence of a story says little alone; the whole must point the same way.
        if leans and sum(alone.get(name, 0.0) for name in ALARMS) >= SUSPECTED_IN_SENTENCE:
            return max(ALARMS, key=lambda name: alone.get(name, 0.0))
    return None


def _is_calm(text: str) -> bool:
    plain = text.lower().replace("\u2019", "'")
    return bool(_GENERAL.search(plain)) and not _OWN.search(plain)
