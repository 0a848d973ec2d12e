"""What a reply is: the one definition that actions, generator, channels, server and tests read.

content = Content.from_message(message)   # as Rasa hands it to an output channel, or REST returns it
content.answer, content.sources, content.disclaimer, content.buttons
content.to_dict()                          # its `metadata`, as docs/openapi.yml describes it
content.to_message()                       # {"text": ..., "buttons": [...], "metadata": {...}}
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any, Dict, Mapping, Optional, Tuple

#: Of the metadata, what is there only where it applies, and of that what is for the server alone.
INTERNAL = ("forget", "reason", "signed")
OPTIONAL = ("topics", "questions", "language", *INTERNAL)


class Outcome(str, Enum):
    """Why a reply is what it is. The values are the ones other programs read."""

    ANSWERED = "answered"
    CLARIFY = "clarify"
    NOT_COVERED = "not_covered"
    OTHER_CONDITION = "other_condition"
    OUT_OF_SCOPE = "out_of_scope"
    PERSONAL_ADVICE = "personal_advice"
    CRISIS = "crisis"
    EMERGENCY = "emergency"
    SMALLTALK = "smalltalk"
    OTHER_LANGUAGE = "other_language"
    ERROR = "error"

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        return cls.ERROR


@dataclass(frozen=True)
class Button:
    """What a person may press next; `payload` is sent in their place."""

    title: str
    payload: str


@dataclass(frozen=True)
class Row:
    """One row of a comparison: what is compared, and what holds for each disease."""

    aspect: str = ""
    MS: str = ""
    ALS: str = ""

    @property
    def cells(self) -> Tuple[Tuple[str, str], ...]:
        """(disease, text) of those that say something."""
        return tuple((name, text) for name, text in (("MS", self.MS), ("ALS", self.ALS)) if text)

    @property
    def text(self) -> str:
        """The row for reading on a phone: the aspect, then a line per disease."""
        return "\n".join([self.aspect, *(f"{name}: {text}" for name, text in self.cells)])


@dataclass(frozen=True)
class Citation:
    """Where something was read."""

    title: str = ""
    publisher: str = ""
    url: str = ""
    year: Optional[int] = None

    @property
    def name(self) -> str:
        return self.title or self.publisher or self.url

    @property
    def detail(self) -> str:
        """Publisher and year, to stand behind the name."""
        # "MS Trust, home page" need not be followed by "MS Trust" once more.
        publisher = "" if f"{self.name},".startswith(f"{self.publisher},") else self.publisher
        return "".join(f", {part}" for part in (publisher, self.year or "no date") if part)

    @property
    def text(self) -> str:
        """Name, publisher, year and bare address in one line."""
        return f"{self.name}{self.detail}" + (f", {self.url}" if self.url else "")


@dataclass(frozen=True)
class Content:
    """What a reply says, and what stands behind it.

    Attributes:
        topic, question, conditions, terms: what was understood; of several questions answered in one reply the first,
            all of them in `topics` and `questions`.
        facts: their ids in the store.
        reviewed: when they were last looked at, as YYYY-MM-DD: the oldest.
        checked: whether every source has been read.
        language: of the text, where that is not English.
        forget: the conversation is to be erased.
        reason: the rule that decided.
        signed: a clinician has signed all that is said.
        buttons: what may be pressed next; no part of the metadata.
    """

    outcome: Outcome = Outcome.SMALLTALK
    topic: Optional[str] = None
    question: Optional[str] = None
    conditions: Tuple[str, ...] = ()
    terms: Tuple[str, ...] = ()
    answer: str = ""
    comparison: Tuple[Row, ...] = ()
    facts: Tuple[str, ...] = ()
    sources: Tuple[Citation, ...] = ()
    reviewed: Optional[str] = None
    checked: bool = True
    disclaimer: str = ""
    topics: Tuple[str, ...] = ()
    questions: Tuple[str, ...] = ()
    language: Optional[str] = None
    forget: bool = False
    reason: Optional[str] = None
    signed: bool = False
    buttons: Tuple[Button, ...] = ()

    @classmethod
    def from_dict(cls, metadata: Mapping[str, Any]) -> Content:
        """From metadata, of which any part may be missing; what is not of the contract is left out."""
        given = {f.name: metadata[f.name] for f in fields(cls) if metadata.get(f.name) is not None}
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
        given["outcome"] = Outcome(given.get("outcome", cls.outcome))
        for name, kind in (("comparison", Row), ("sources", Citation), ("buttons", Button)):
            parts = ({f.name: part[f.name] for f in fields(kind) if part.get(f.name)} for part in given.get(name, ()))
            given[name] = tuple(kind(**part) for part in parts)
        return cls(**given)

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Content:
        """From a message of Rasa. Without an answer in its metadata that is its text, less the disclaimer behind it."""
        buttons = [
            {"title": str(b["title"]).strip(), "payload": str(b.get("payload") or b["title"])}
            for b in [*(message.get("buttons") or ()), *(message.get("quick_replies") or ())]
            if str(b.get("title") or "").strip()
        ]
        content = cls.from_dict({**(message.get("metadata") or {}), "buttons": buttons})
        if content.answer:
            return content
        text = str(message.get("text") or "").strip()
        return replace(content, answer=text.removesuffix(content.disclaimer).strip())

    def to_dict(self) -> Dict[str, Any]:
        """The metadata, ready for JSON."""
        whole = {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name != "buttons"}
        return {name: value for name, value in whole.items() if value or name not in OPTIONAL}

    def to_message(self) -> Dict[str, Any]:
        """A message as Rasa hands it on."""
        return {"text": self.text, "buttons": _plain(self.buttons), "metadata": self.to_dict()}

    @property
    def paragraphs(self) -> str:
        """The answer with each paragraph, such as that to a second question, apart from the next."""
        return re.sub(r"\s*\n\s*", "\n\n", self.answer.strip())

    @property
    def review(self) -> str:
        """When the facts were last looked at, in a sentence; empty where nothing stands behind the reply."""
        unchecked = "" if self.checked else "; not every source has been read again yet"
        return f"Facts last looked at: {self.reviewed}{unchecked}." if self.reviewed else ""

    @property
    def text(self) -> str:
        """The whole reply as plain text: answer, comparison, sources, review date, disclaimer.

        One newline between paragraphs: Rasa's channels split a text at blank lines into several messages.
        """
        lines = [self.answer, *(f"{row.aspect}. MS: {row.MS}. ALS: {row.ALS}." for row in self.comparison)]
        if self.sources:
            lines += ["Sources:", *(f"- {source.text}" for source in self.sources)]
        return re.sub(r"\n\s*\n", "\n", "\n".join([*lines, self.review, self.disclaimer])).strip()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    return asdict(value) if isinstance(value, (Button, Row, Citation)) else value
