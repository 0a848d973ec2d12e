"""Emergencies and crises, found by rules of their own beside the classifier. Either is enough."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Pattern, Tuple

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from ruamel.yaml import YAML

RULES_FILE = Path(__file__).parent / "safety.yml"
#: How many characters ".*" of a rule spans at most. Without a bound "face face face ... numb numb numb ..." takes
#: seconds to read at 2,000 characters, and nobody else is answered meanwhile.
REACH = 150


def _load(path: Path = RULES_FILE) -> Dict[str, Pattern[str]]:
    rules = YAML(typ="safe").load(path.read_text(encoding="utf8"))
    return {name: re.compile("|".join(f"(?:{_bounded(p)})" for p in patterns)) for name, patterns in rules.items()}


def _bounded(pattern: str) -> str:
    # What must not follow anywhere, "(?!.*", is looked for once and stays as it is.
    return re.sub(r"(?<!\(\?!)\.\*", f".{{0,{REACH}}}", pattern)


_RULES = _load()

ALARMS = ("crisis", "emergency")
#: From here on the classifier alone raises an alarm: over the whole message, or in one sentence when
#: the whole leans that way.
SUSPECTED, SUSPECTED_IN_SENTENCE, LEANS = 0.4, 0.95, 0.12

#: Somebody in particular, so never a question in general.
_OWN = re.compile(
    r"\b(?:i(?!'?m (?:writing|doing|working|reading|studying|researching)\b)|me|my|myself|"
    r"he|she|him|her|they|we|us|our)\b"
)


def find(text: str) -> Optional[str]:
    """`crisis`, `emergency` or None for a text."""
    plain = re.sub(r"\s+", " ", text.lower().replace("\u2019", "'")).strip()
    sentences = [s.strip() for s in re.split(r"[.!?\n;]+", plain) if s.strip()]
    if _RULES["methods"].search(plain):
        return "crisis"
    told = [s for s in sentences if not _RULES["past"].search(s)]
    # Some rules span sentences: the message as a whole is read too, but for what is long past.
    whole = plain if len(told) == len(sentences) else ". ".join(told)
    for name in ALARMS:
        for sentence in [*told, whole]:
            if _RULES[name].search(sentence) and not _RULES["general"].search(sentence):
                return name
    return None


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=False)
class SafetyRules(GraphComponent):
    """Puts `crisis` or `emergency` first in the ranking where the rules find one."""

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
            reading = message.get("reading")
            ranking: List[Dict[str, Any]] = message.get("intent_ranking") or []
            text = message.get(TEXT) or ""
            # Panic misspells: the text as written and as repaired are both looked at.
            found = find(text) or (find(reading.repaired) if reading else None)
            suspected = _suspected(ranking, message.get("sentence_rankings") or [])
            says_something = reading is None or reading.says_something
            if found is None and suspected is not None and says_something and not _is_calm(text):
                found = suspected
            if found == "emergency" and suspected == "crisis":
                # Both name the emergency number; only the reply to a crisis speaks to despair.
                found = "crisis"
            if found is not None:
                self._put_first(message, found, ranking)
            elif ranking and ranking[0]["name"] in ALARMS:
                rest = [r for r in ranking if r["name"] not in ALARMS]
                message.set(INTENT, rest[0], add_to_output=True)
                message.set("intent_ranking", rest, add_to_output=True)
        return messages

    @staticmethod
    def _put_first(message: Message, found: str, ranking: List[Dict[str, Any]]) -> None:
        # The others are set far back, so that nothing takes the alarm for a close call.
        first: Dict[str, Any] = {"name": found, "confidence": 1.0}
        others = [{**r, "confidence": r["confidence"] / 10} for r in ranking if r["name"] != found]
        message.set(INTENT, first, add_to_output=True)
        message.set("intent_ranking", [first, *others], add_to_output=True)
        message.set("questions", [], add_to_output=True)


def _suspected(ranking: List[Dict[str, Any]], sentences: List[Dict[str, float]]) -> Optional[str]:
    """The alarm the classifier leans to, over the whole message or in a single sentence of it."""
    whole = _alarm({r["name"]: r["confidence"] for r in ranking})
    for name, confidence in [whole, *map(_alarm, sentences)]:
        if confidence >= SUSPECTED and whole[1] >= SUSPECTED:
            return name
        # A sentence of a story says little alone; the whole must point the same way.
        if confidence >= SUSPECTED_IN_SENTENCE and whole[1] >= LEANS:
            return name
    return None


def _alarm(confidences: Dict[str, float]) -> Tuple[str, float]:
    return (
        max(ALARMS, key=lambda name: confidences.get(name, 0.0)),
        sum(confidences.get(name, 0.0) for name in ALARMS),
    )


def _is_calm(text: str) -> bool:
    """A general question that is about nobody in particular."""
    plain = text.lower().replace("\u2019", "'")
    sentences = [s.strip() for s in re.split(r"[.!?\n;:]+", plain)]
    return any(_RULES["general"].search(s) for s in sentences) and not _OWN.search(plain)
