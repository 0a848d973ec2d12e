"""The records of the fact store, as they stand in the YAML files of this folder.

`facts/README.md` describes every field for people; this module is the same for the machine.
"""

from datetime import date
from typing import Any, Dict, List, Optional, Type

from pydantic import BaseModel, Extra, Field, root_validator, validator

CONDITIONS = ("MS", "ALS")
SCOPES = (*CONDITIONS, "both")

TOPICS = (
    "definition", "difference", "similarity", "symptoms", "early_signs", "symptom_check", "cause",
    "risk_factors", "genetics", "autoimmune", "myelin", "contagious", "prevention", "prevalence",
    "diagnosis", "mimics", "both_together", "types", "progression", "prognosis", "fatality",
    "treatment", "drug", "cure", "research", "lifestyle", "therapy", "cognition", "pain_fatigue",
    "mobility", "bladder_bowel", "swallowing_speech_breathing", "vision_senses", "pregnancy",
    "vaccines", "name_history", "famous_people", "support", "when_to_see_doctor",
)  # fmt: skip

TERM_KINDS = (
    "condition", "subtype", "symptom", "drug", "test", "mimic", "person", "organisation", "gene",
    "topic_word",
)  # fmt: skip


#: When the tables of symptoms, drugs, tests and forms were compiled: the review date of their records
#: until someone sets a later one.
COMPILED = date(2026, 11, 22)


def _one_of(*allowed: Optional[str]) -> Any:
    def check(cls: Any, value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"{value!r} is not one of {', '.join(map(str, allowed))}")
        return value

    return check


class Record(BaseModel):
    """A record of the store; unknown fields are errors, so that a typing slip is seen."""

    class Config:
        extra = Extra.forbid
        frozen = True

    @property
    def key(self) -> str:
        """The id this record is known by within its table."""
        return str(getattr(self, "id", None) or getattr(self, "term", None))


class Source(Record):
    id: str
    title: str
    publisher: str
    url: str
    year: Optional[int]
    tier: str

    _tier = validator("tier", allow_reuse=True)(_one_of("A", "B", "C"))

    @validator("url")
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")) or " " in value:
            raise ValueError("url must be a web address")
        return value

    @validator("title", "publisher")
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty")
        return value


class Claim(Record):
    """A claim of older articles. `asked_with`: one word of every group is in a question that assumes it."""

    id: str
    condition: str
    topic: str
    status: str
    claim: str
    correction: Optional[str]
    asked_with: List[List[str]] = []

    _condition = validator("condition", allow_reuse=True)(_one_of(*SCOPES))
    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))
    _status = validator("status", allow_reuse=True)(
        _one_of("current", "oversimplified", "outdated", "contradicted-within-article")
    )


class Fact(Record):
    id: str
    condition: str
    topics: List[str] = Field(..., min_items=1)
    statement: str
    sources: List[str] = Field(..., min_items=1)
    reviewed: date
    checked: bool
    terms: List[str] = []
    claims: List[str] = []
    corrects: List[str] = []
    origin: List[str] = []

    _condition = validator("condition", allow_reuse=True)(_one_of(*SCOPES))
    _topics = validator("topics", each_item=True, allow_reuse=True)(_one_of(*TOPICS))


class Answer(Record):
    """What is said first about one topic, for MS, for ALS or for both side by side."""

    topic: str
    condition: str
    text: str
    simple: str
    why: Optional[str]
    facts: List[str] = Field(..., min_items=1)

    _condition = validator("condition", allow_reuse=True)(_one_of(*SCOPES))
    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))

    @property
    def key(self) -> str:
        return f"{self.topic}/{self.condition}"


class Cell(Record):
    """What a symptom, a test or another disease means for one of the two conditions."""

    text: str
    status: Optional[str]
    how_common: Optional[str]
    facts: List[str] = []
    sources: List[str] = []
    reviewed: date = COMPILED
    checked: bool = True

    _status = validator("status", allow_reuse=True)(_one_of("typical", "possible", "unusual", "no", None))


class _PerCondition(Record):
    """A record whose fields `MS` and `ALS` hold a cell each, or null where there is nothing to say."""

    cells: Dict[str, Cell] = {}

    @root_validator(pre=True)
    def _gather_cells(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        values = dict(values)
        cells = dict(values.pop("cells", {}))
        for condition in CONDITIONS:
            cell = values.pop(condition, None)
            if isinstance(cell, str):
                cell = {"text": cell}
            if cell is not None:
                cells[condition] = cell
        if not cells:
            raise ValueError("says nothing about MS or ALS")
        return {**values, "cells": cells}


class Comparison(Record):
    id: str
    aspect: str
    topics: List[str] = Field(..., min_items=1)
    MS: str
    ALS: str
    facts: List[str] = Field(..., min_items=1)

    _topics = validator("topics", each_item=True, allow_reuse=True)(_one_of(*TOPICS))


class Symptom(_PerCondition):
    term: str
    topic: str

    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))

    @root_validator(skip_on_failure=True)
    def _has_status(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        if any(cell.status is None for cell in values["cells"].values()):
            raise ValueError("a symptom needs a status: typical, possible, unusual or no")
        return values


class Test(_PerCondition):
    term: str


class Mimic(_PerCondition):
    term: str
    name: str
    about: str
    medlineplus: str
    sources: List[str] = []
    facts: List[str] = []
    reviewed: date
    checked: bool


class Approval(Record):
    by: str
    date: str  # a year, a year and month, or a full date
    what: Optional[str]


class Drug(Record):
    term: str
    conditions: List[str] = Field(..., min_items=1)
    kind: str
    subtypes: List[str] = []
    purpose: str
    status: Optional[str]
    approvals: List[Approval] = []
    how_given: Optional[str]
    safety: Optional[str]
    text: str
    facts: List[str] = []
    sources: List[str] = []
    reviewed: date = COMPILED
    checked: bool = True

    _conditions = validator("conditions", each_item=True, allow_reuse=True)(_one_of(*CONDITIONS))
    _kind = validator("kind", allow_reuse=True)(_one_of("disease_modifying", "relapse", "symptom", "other"))
    _status = validator("status", allow_reuse=True)(
        _one_of("approved", "withdrawn", "not_approved", "off_label", "in_use", None)
    )


class Subtype(Record):
    term: str
    condition: str
    name: str
    status: str
    text: str
    facts: List[str] = []
    sources: List[str] = []
    reviewed: date = COMPILED
    checked: bool = True

    _condition = validator("condition", allow_reuse=True)(_one_of(*CONDITIONS))
    _status = validator("status", allow_reuse=True)(_one_of("current", "retired"))


class Organisation(Record):
    id: str
    name: str
    country: str
    conditions: List[str] = Field(..., min_items=1)
    url: str
    phone: Optional[str]
    offers: str
    sources: List[str] = []


class Helpline(Record):
    country: str
    emergency: str
    crisis: str
    #: Of the emergency number, and of the line for a crisis.
    sources: List[str] = Field(..., min_items=1)
    crisis_sources: List[str] = Field(..., min_items=1)

    @property
    def key(self) -> str:
        return self.country


class Term(Record):
    """A thing people name. `implies`: the disease meant when the message names none."""

    id: str
    kind: str
    name: str
    synonyms: List[str] = []
    abbreviations: List[str] = []
    misspellings: List[str] = []
    implies: Optional[str]

    _kind = validator("kind", allow_reuse=True)(_one_of(*TERM_KINDS))
    _implies = validator("implies", allow_reuse=True)(_one_of(*CONDITIONS, None))


#: Table name -> record type, in the order a reader of the database would want them.
TABLES: Dict[str, Type[Record]] = {
    "sources": Source,
    "claims": Claim,
    "facts": Fact,
    "answers": Answer,
    "comparisons": Comparison,
    "symptoms": Symptom,
    "drugs": Drug,
    "tests": Test,
    "mimics": Mimic,
    "subtypes": Subtype,
    "organisations": Organisation,
    "helplines": Helpline,
    "terms": Term,
}
