"""A person's message as understood, and what was talked about before it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from actions.reply import in_order
from facts.schema import CONDITIONS, TERM_KINDS, TOPICS
from facts.store import Snapshot

#: The topic that a named thing is asked about when the words themselves give none.
KIND_TOPICS = {
    "drug": "drug",
    "symptom": "symptom_check",
    "test": "diagnosis",
    "subtype": "types",
    "mimic": "mimics",
    "person": "famous_people",
    "gene": "genetics",
    "organisation": "support",
}


@dataclass(frozen=True)
class Term:
    """Something named: its kind and its id in the fact store."""

    kind: str
    id: str


@dataclass(frozen=True)
class Message:
    """One message as the NLU understood it.

    Attributes:
        intent: the intent, a topic or another one; `nlu_fallback` when too unsure.
        likely: intents by falling confidence, without the fallback.
        terms: everything named but MS and ALS, in order.
        conditions: MS and ALS as named.
        parts: the questions of a message that asks several.
        names_only: nothing but names was written ("als?").
    """

    intent: str
    text: str = ""
    terms: Tuple[Term, ...] = ()
    conditions: Tuple[str, ...] = ()
    likely: Tuple[Tuple[str, float], ...] = ()
    parts: Tuple[Message, ...] = ()
    names_only: bool = False

    def ids(self, *kinds: str) -> List[str]:
        return [t.id for t in self.terms if t.kind in kinds]

    @property
    def likely_topics(self) -> List[str]:
        return [name for name, _ in self.likely if name in TOPICS]

    @classmethod
    def from_rasa(cls, parsed: Mapping[str, Any]) -> Message:
        """From `tracker.latest_message`: intent, intent_ranking, entities, text, questions."""
        entities = [e for e in parsed.get("entities") or () if e.get("entity") in TERM_KINDS]
        text = parsed.get("text") or ""

        def build(intent: str, inside: List[Mapping[str, Any]], words: str, **more: Any) -> Message:
            named = [(e["entity"], str(e["value"])) for e in inside]
            return cls(
                intent=intent,
                text=words,
                terms=tuple(dict.fromkeys(Term(k, v) for k, v in named if k != "condition")),
                conditions=tuple(in_order(v for k, v in named if k == "condition")),
                **more,
            )

        parts = []
        for part in parsed.get("questions") or ():
            start, end = part["start"], part["end"]
            inside = [e for e in entities if start <= e.get("start", -1) < end]
            parts.append(build(part["intent"], inside, text[start:end]))
        if len(parts) == 1 and parts[0].conditions:
            # One sentence of several asks, and names the disease it asks about.
            asked = {id(e) for e in entities if e["entity"] != "condition"}
            entities = [e for e in entities if id(e) in asked or str(e["value"]) in parts[0].conditions]
        likely = [(r["name"], r["confidence"]) for r in parsed.get("intent_ranking") or ()]
        return build(
            (parsed.get("intent") or {}).get("name") or "nlu_fallback",
            entities,
            text,
            likely=tuple((n, c) for n, c in likely if n and n != "nlu_fallback"),
            parts=tuple(parts) if len(parts) > 1 else (),
            names_only=bool(parsed.get("names_only")),
        )


@dataclass(frozen=True)
class Context:
    """What was talked about: kept between turns, empty at the start and after "start over"."""

    topic: Optional[str] = None
    conditions: Tuple[str, ...] = ()
    terms: Tuple[Term, ...] = ()
    told: Tuple[str, ...] = ()
    #: How often in a row the assistant has asked what is meant.
    clarified: int = 0
    #: What a bare "yes" would accept: the payload of a button.
    offer: Optional[str] = None

    def to_slot(self) -> Optional[Dict[str, Any]]:
        if self == Context():
            return None
        return {
            "topic": self.topic,
            "conditions": list(self.conditions),
            "terms": [[t.kind, t.id] for t in self.terms],
            "told": list(self.told),
            "clarified": self.clarified,
            "offer": self.offer,
        }

    @classmethod
    def from_slot(cls, value: Optional[Mapping[str, Any]]) -> Context:
        if not value:
            return cls()
        return cls(
            value.get("topic"),
            tuple(value.get("conditions") or ()),
            tuple(Term(k, i) for k, i in value.get("terms") or ()),
            tuple(value.get("told") or ()),
            int(value.get("clarified") or 0),
            value.get("offer"),
        )


@dataclass(frozen=True)
class Question:
    """A topic asked about one disease or both, with whatever else was named."""

    topic: str
    conditions: Tuple[str, ...]
    terms: Tuple[Term, ...] = ()
    text: str = ""

    def ids(self, *kinds: str) -> List[str]:
        return [t.id for t in self.terms if t.kind in kinds]

    def about(self, conditions: Iterable[str]) -> Question:
        return replace(self, conditions=tuple(in_order(conditions)))

    def payload(self) -> str:
        """The message a button sends to ask this question."""
        values: Dict[str, List[str]] = {}
        if self.conditions != CONDITIONS:
            values["condition"] = list(self.conditions)
        for term in self.terms:
            values.setdefault(term.kind, []).append(term.id)
        return f"/{self.topic}" + (json.dumps(values, separators=(",", ":")) if values else "")


def implied_conditions(terms: Iterable[Term], facts: Snapshot) -> Tuple[str, ...]:
    """The diseases that named drugs, forms or events belong to."""
    records = (facts.terms.get(t.id) for t in terms)
    return tuple(in_order(r.implies for r in records if r is not None and r.implies))


_THE_OTHER = re.compile(r"\b(?:or|and)(?: only| just)?(?: \w+)? the other(?: (?:one|disease)\b|\W*$)", re.IGNORECASE)


def understood(message: Message, context: Context, facts: Snapshot, topic: Optional[str] = None) -> Question:
    """The question a message asks, with the disease taken from its words, its terms or the talk before."""
    topic = topic or message.intent
    conditions = message.conditions or implied_conditions(message.terms, facts) or context.conditions or CONDITIONS
    compares = topic in ("difference", "similarity", "both_together") or _THE_OTHER.search(message.text)
    if compares and len(message.conditions) < 2:
        # "how is it different from ALS" compares with the one not named; "the MS or the other one" is both.
        conditions = CONDITIONS
    return Question(topic, tuple(conditions), message.terms, message.text)
