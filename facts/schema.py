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
    "remedy", "topic_word",
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
    """One plain statement. `question` is the one it stands under, `also` other topics it belongs to."""

    id: str
    question: str
    condition: str
    statement: str
    sources: List[str] = Field(..., min_items=1)
    reviewed: date
    checked: bool
    also: List[str] = []
    terms: List[str] = []
    claims: List[str] = []
    corrects: List[str] = []

    _condition = validator("condition", allow_reuse=True)(_one_of(*SCOPES))
    _also = validator("also", each_item=True, allow_reuse=True)(_one_of(*TOPICS))

    @property
    def topics(self) -> List[str]:
        return [self.question.partition("/")[0], *self.also]


class Answer(Record):
    """What is said first to a question, for MS, for ALS or for both side by side; `topic` is the question's."""

    topic: str
    text: str
    simple: Optional[str]
    why: Optional[str]
    facts: List[str] = Field(..., min_items=1)


#: A question that is asked of a kind of named thing is answered from this field of its record.
ASPECTS = {
    "drug": ("text", "purpose", "approved", "how_given", "benefit", "side_effects", "tips", "checks", "missed",
             "stopping", "pregnancy", "access"),
    "symptom": ("text", "how_common", "helps"),
    "test": ("text", "what_happens"),
    "mimic": ("text", "differs"),
    "subtype": ("text", "drugs", "outlook"),
}  # fmt: skip


def worded(title: str, it: str, several: bool = False, name: str = "it") -> str:
    """A title with its placeholders filled in, see `Question.worded`."""
    verbs = ("Do", "do", "Are", "are") if several else ("Does", "does", "Is", "is")
    return title.format(
        it=it, one=it.replace(" and ", " or "), name=name, **dict(zip(("Do", "do", "Is", "is_"), verbs, strict=True))
    )


class Question(Record):
    """Something people ask: `topic/name`, with what is said about MS, about ALS and about both.

    Attributes:
        title: as a button names it, see `worded`.
        answers: by MS, ALS or both; without one for both, those of MS and ALS are said one after the other.
        next: ids of questions that people ask next.
        only_asked: sensitive, so never told to somebody who asked something else.
        of: the kind of named thing it is asked about; then `aspect` is the field of its record that answers it.
    """

    id: str
    topic: str
    title: str
    answers: Dict[str, Answer] = {}
    next: List[str] = []
    only_asked: bool = False
    of: Optional[str]
    aspect: Optional[str]

    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))
    _of = validator("of", allow_reuse=True)(_one_of(*ASPECTS, None))

    @root_validator(pre=True)
    def _gather_answers(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        values = dict(values)
        answers = dict(values.pop("answers", {}))
        for scope in SCOPES:
            if (answer := values.pop(scope, None)) is not None:
                answers[scope] = {**answer, "topic": values.get("topic")} if isinstance(answer, dict) else answer
        if not answers and not values.get("of"):
            raise ValueError("has no answer")
        return {**values, "answers": answers}

    def worded(self, it: str, several: bool = False, name: str = "it") -> str:
        """The title about a disease, or about several.

        `{it}` stands for them ("MS and ALS"), `{one}` for one of them ("MS or ALS"), `{name}` for what was named, and
        `{Do}`, `{do}`, `{Is}`, `{is_}` agree.
        """
        return worded(self.title, it, several, name)

    @validator("title")
    def _fits_a_button(cls, value: str) -> str:
        if len(value) > 60:
            raise ValueError("title has more than 60 characters")
        return value

    @root_validator(skip_on_failure=True)
    def _aspect_exists(cls, values: Dict[str, Any]) -> Dict[str, Any]:
        of, aspect = values["of"], values["aspect"]
        if bool(of) != bool(aspect) or (of and aspect not in ASPECTS[of]):
            raise ValueError(f"aspect {aspect!r} is none of a {of}: {', '.join(ASPECTS.get(of or '', ()))}")
        return values


class Cell(Record):
    """What a symptom, a test or another disease means for one of the two conditions.

    `how_common` and `helps` (what eases it) are sentences, of symptoms; `what_happens` (in the test), of tests.
    """

    text: str
    status: Optional[str]
    how_common: Optional[str]
    helps: Optional[str]
    what_happens: Optional[str]
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
    """`text` is the whole answer to "what is it"; the fields from `how_given` on answer one question each."""

    term: str
    conditions: List[str] = Field(..., min_items=1)
    kind: str
    subtypes: List[str] = []
    purpose: str
    status: Optional[str]
    approvals: List[Approval] = []
    text: str
    how_given: Optional[str]
    benefit: Optional[str]
    side_effects: Optional[str]
    tips: Optional[str]  # what helps with the side effects
    checks: Optional[str]
    missed: Optional[str]  # what to do about a missed dose
    stopping: Optional[str]
    pregnancy: Optional[str]
    access: Optional[str]
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
    outlook: Optional[str]
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
    offers: str
    sources: List[str] = []


class Helpline(Record):
    """Whom to call; `emergency_text` and `crisis_text` say how to reach them without speaking."""

    country: str
    emergency: str
    emergency_text: Optional[str]
    crisis: str
    crisis_text: Optional[str]
    #: Of the emergency number, and of the line for a crisis.
    sources: List[str] = Field(..., min_items=1)
    crisis_sources: List[str] = Field(..., min_items=1)

    @property
    def key(self) -> str:
        return self.country


class Term(Record):
    """A thing people name.

    Attributes:
        implies: the disease meant when the message names none; `both` where it belongs to either.
        near: of a remedy, which has no record of its own: the drug whose record comes nearest.
    """

    id: str
    kind: str
    name: str
    synonyms: List[str] = []
    abbreviations: List[str] = []
    misspellings: List[str] = []
    implies: Optional[str]
    near: Optional[str]

    _kind = validator("kind", allow_reuse=True)(_one_of(*TERM_KINDS))
    _implies = validator("implies", allow_reuse=True)(_one_of(*SCOPES, None))


class Topic(Record):
    """A file of facts/topics/. `review_due`: by when its facts are to be looked at again."""

    topic: str
    review_due: date

    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))

    @property
    def key(self) -> str:
        return self.topic


class Review(Record):
    """A sign-off: who read all records of a topic, and when.

    `digest` is that of what was signed (`facts.store.digest`): once the topic changes, the sign-off no longer counts.
    """

    topic: str
    by: str = Field(..., min_length=1)
    role: str = Field(..., min_length=1)
    on: date
    digest: str

    _topic = validator("topic", allow_reuse=True)(_one_of(*TOPICS))

    @property
    def key(self) -> str:
        return f"{self.topic} {self.by} {self.on}"


#: Table name -> record type, in the order a reader of the database would want them.
TABLES: Dict[str, Type[Record]] = {
    "sources": Source,
    "claims": Claim,
    "topics": Topic,
    "reviews": Review,
    "questions": Question,
    "facts": Fact,
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
