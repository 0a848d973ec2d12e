"""A person's message as measured, what was talked about before it, and the question to be answered."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

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
class Sentence:
    """One of several sentences of a message.

    Attributes:
        asks: how likely it asks anything.
        questions: which, by falling confidence; `following` the same, read behind the sentence before.
    """

    text: str
    asks: float
    questions: Tuple[Tuple[str, float], ...] = ()
    intents: Tuple[Tuple[str, float], ...] = ()
    terms: Tuple[Term, ...] = ()
    conditions: Tuple[str, ...] = ()
    following: Tuple[Tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Message:
    """One message as the NLU measured it. Nothing is decided yet.

    Attributes:
        intents: intents and topics by falling confidence.
        questions: `topic/question` by falling confidence.
        following: the same, read behind the question answered before.
        facts, following_facts: facts nearest in words to either, with their cosine.
        terms: everything named but MS and ALS, in order.
        conditions: MS and ALS as named, `ruled_out` where the message says "not MS".
        sentences: of a message that has several.
        names_only: nothing but names was written ("als?").
        says_something: there is a word that is known.
        other_meaning: "MS" or "ALS" was there and meant something else.
        alarm: `crisis` or `emergency`, where one was heard, and `alarm_rule` by which rule.
        language: the language it is in, where that is not English.
        pressed: the question of a button.
    """

    text: str = ""
    intents: Tuple[Tuple[str, float], ...] = ()
    questions: Tuple[Tuple[str, float], ...] = ()
    following: Tuple[Tuple[str, float], ...] = ()
    facts: Tuple[Tuple[str, float], ...] = ()
    following_facts: Tuple[Tuple[str, float], ...] = ()
    terms: Tuple[Term, ...] = ()
    conditions: Tuple[str, ...] = ()
    ruled_out: Tuple[str, ...] = ()
    sentences: Tuple[Sentence, ...] = ()
    names_only: bool = False
    says_something: bool = True
    other_meaning: bool = False
    alarm: Optional[str] = None
    alarm_rule: str = ""
    language: Optional[str] = None
    pressed: Optional[Question] = None

    @property
    def intent(self) -> str:
        """The likeliest intent, `unclear` without any."""
        return self.intents[0][0] if self.intents else "unclear"

    def confidence(self, *intents: str) -> float:
        """How likely it is one of these intents or topics."""
        return sum(value for name, value in self.intents if name in intents)

    def ids(self, *kinds: str) -> List[str]:
        return [t.id for t in self.terms if t.kind in kinds]

    @property
    def likely_topics(self) -> List[str]:
        return [name for name, _ in self.intents if name in TOPICS]

    @classmethod
    def from_rasa(cls, parsed: Mapping[str, Any]) -> Message:
        """From `tracker.latest_message`, as the components of `nlu/` fill it."""
        entities = [e for e in parsed.get("entities") or () if e.get("entity") in TERM_KINDS]
        text = parsed.get("text") or ""
        if text.startswith("/"):
            pressed = from_payload(text)
            intent = (parsed.get("intent") or {}).get("name")
            return cls(text=text, pressed=pressed, intents=((intent, 1.0),) if intent else ())
        sentences = []
        for part in parsed.get("sentences") or ():
            inside = [e for e in entities if part["start"] <= e.get("start", -1) < part["end"]]
            sentences.append(
                Sentence(
                    text[part["start"] : part["end"]], part["asks"], _pairs(part["questions"]), _pairs(part["intents"]),
                    _terms(inside), _conditions(inside), _pairs(part.get("following") or ()),
                )
            )  # fmt: skip
        return cls(
            text=text,
            intents=_ranking(parsed, "intent_ranking"),
            questions=_ranking(parsed, "question_ranking"),
            following=_ranking(parsed, "following"),
            facts=_ranking(parsed, "facts"),
            following_facts=_ranking(parsed, "following_facts"),
            terms=_terms(entities),
            conditions=_conditions(entities),
            ruled_out=_conditions(entities, ruled_out=True),
            sentences=tuple(sentences),
            names_only=bool(parsed.get("names_only")),
            says_something=bool(parsed.get("says_something", True)),
            other_meaning=bool(parsed.get("other_meaning")),
            alarm=(parsed.get("alarm") or {}).get("outcome"),
            alarm_rule=(parsed.get("alarm") or {}).get("rule", ""),
            language=parsed.get("language"),
        )


def _ranking(parsed: Mapping[str, Any], key: str) -> Tuple[Tuple[str, float], ...]:
    return tuple((r["name"], r["confidence"]) for r in parsed.get(key) or () if r.get("name"))


def _pairs(ranking: Iterable[Sequence[Any]]) -> Tuple[Tuple[str, float], ...]:
    return tuple((str(name), float(value)) for name, value in ranking)


def _terms(entities: Iterable[Mapping[str, Any]]) -> Tuple[Term, ...]:
    named = ((e["entity"], str(e["value"])) for e in entities)
    return tuple(dict.fromkeys(Term(kind, value) for kind, value in named if kind != "condition"))


def _conditions(entities: Iterable[Mapping[str, Any]], ruled_out: bool = False) -> Tuple[str, ...]:
    return tuple(
        in_order(
            str(e["value"]) for e in entities
            if e["entity"] == "condition" and (e.get("role") == "ruled_out") == ruled_out
        )
    )  # fmt: skip


@dataclass(frozen=True)
class Context:
    """What was talked about: kept between turns, empty at the start and after "start over"."""

    topic: Optional[str] = None
    question: Optional[str] = None
    #: That question in words, for the NLU to read a short message behind it.
    asked: str = ""
    conditions: Tuple[str, ...] = ()
    terms: Tuple[Term, ...] = ()
    told: Tuple[str, ...] = ()
    #: How often in a row the assistant has asked what is meant.
    clarified: int = 0
    #: Payloads of the buttons of the last reply: "the first one", "2", a bare "yes".
    offers: Tuple[str, ...] = ()

    def to_slot(self) -> Optional[Dict[str, Any]]:
        if self == Context():
            return None
        return {**asdict(self), "terms": [[t.kind, t.id] for t in self.terms]}

    @classmethod
    def from_slot(cls, value: Optional[Mapping[str, Any]]) -> Context:
        if not value:
            return cls()
        return cls(
            value.get("topic"),
            value.get("question"),
            str(value.get("asked") or ""),
            tuple(value.get("conditions") or ()),
            tuple(Term(k, i) for k, i in value.get("terms") or ()),
            tuple(value.get("told") or ()),
            int(value.get("clarified") or 0),
            tuple(value.get("offers") or ()),
        )


@dataclass(frozen=True)
class Question:
    """What is to be answered: a question of the store, or a topic in general, about one disease or both.

    Attributes:
        id: `topic/name` of a question of the store; its overview when there is none.
        terms: what else was named.
        text: the words it was asked in.
    """

    topic: str
    conditions: Tuple[str, ...]
    terms: Tuple[Term, ...] = ()
    text: str = ""
    id: Optional[str] = None

    @property
    def name(self) -> str:
        return self.id or f"{self.topic}/overview"

    def ids(self, *kinds: str) -> List[str]:
        return [t.id for t in self.terms if t.kind in kinds]

    def about(self, conditions: Iterable[str]) -> Question:
        return replace(self, conditions=tuple(in_order(conditions)))

    def payload(self) -> str:
        """The message a button sends to ask this question."""
        values: Dict[str, List[str]] = {}
        if self.id and not self.id.endswith("/overview"):
            values["question"] = [self.id.partition("/")[2]]
        if self.conditions != CONDITIONS:
            values["condition"] = list(self.conditions)
        for term in self.terms:
            values.setdefault(term.kind, []).append(term.id)
        return f"/{self.topic}" + (json.dumps(values, separators=(",", ":")) if values else "")


def from_payload(payload: str) -> Optional[Question]:
    """The question a button of ours stands for; None for anything else, and what is unknown in it is left out."""
    match = re.fullmatch(r"/(\w+)(\{.*\})?", payload, re.DOTALL)
    if not match or match[1] not in TOPICS:
        return None
    try:
        values = json.loads(match[2] or "{}")
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None

    def strings(key: str) -> List[str]:
        found = values.get(key)
        return [v for v in found if isinstance(v, str)] if isinstance(found, list) else []

    terms = tuple(Term(kind, i) for kind in TERM_KINDS if kind != "condition" for i in strings(kind))
    names = strings("question")
    return Question(
        match[1], tuple(in_order(strings("condition"))) or CONDITIONS, terms,
        id=f"{match[1]}/{names[0]}" if names else None,
    )  # fmt: skip


def implied_conditions(terms: Iterable[Term], facts: Snapshot) -> Tuple[str, ...]:
    """The diseases that named drugs, forms or events belong to."""
    records = (facts.terms.get(t.id) for t in terms)
    implied = [r.implies for r in records if r is not None and r.implies]
    # What belongs to either says nothing beside what belongs to one.
    one = [name for name in implied if name != "both"]
    return tuple(in_order(one or (CONDITIONS if implied else ())))
