"""The fact store as the actions read it: `FactStore.snapshot()` gives all records, indexed.

The store is one JSON file that `facts.build` writes. Its records (a few megabytes) are held in memory and read
again when the file changes, which is looked at in every turn.
"""

import hashlib
import json
import logging
import os
import re
import threading
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from facts.schema import (
    TABLES,
    Answer,
    Claim,
    Comparison,
    Drug,
    Fact,
    Helpline,
    Mimic,
    Organisation,
    Question,
    Record,
    Review,
    Source,
    Subtype,
    Symptom,
    Term,
    Test,
    Topic,
)  # fmt: skip

logger = logging.getLogger(__name__)

#: By how many of the topics are signed: none, some, all. Said to who asks who this is, and on the chat page.
REVIEWED = (
    "No clinician has reviewed these facts yet.",
    "Clinicians have reviewed and signed {signed} of {all} topics; nobody has reviewed the rest yet.",
    "Clinicians have reviewed and signed all topics.",
)
#: Where records of a table are read and signed; those of the other tables say so themselves.
_HOMES = {
    "drugs": "drug",
    "tests": "diagnosis",
    "mimics": "mimics",
    "subtypes": "types",
    "organisations": "support",
    "helplines": "support",
}


class StoreUnavailable(Exception):
    """The store is missing, unreadable or of another version of the schema."""


class Snapshot:
    """All records of one version of the store. Nothing in it changes."""

    def __init__(self, version: str, tables: Dict[str, List[Record]]):
        self.version = version
        by_key = {name: {r.key: r for r in records} for name, records in tables.items()}
        self.sources: Dict[str, Source] = by_key["sources"]  # type: ignore[assignment]
        self.claims: Dict[str, Claim] = by_key["claims"]  # type: ignore[assignment]
        self.facts: Dict[str, Fact] = by_key["facts"]  # type: ignore[assignment]
        self.symptoms: Dict[str, Symptom] = by_key["symptoms"]  # type: ignore[assignment]
        self.drugs: Dict[str, Drug] = by_key["drugs"]  # type: ignore[assignment]
        self.tests: Dict[str, Test] = by_key["tests"]  # type: ignore[assignment]
        self.mimics: Dict[str, Mimic] = by_key["mimics"]  # type: ignore[assignment]
        self.subtypes: Dict[str, Subtype] = by_key["subtypes"]  # type: ignore[assignment]
        self.terms: Dict[str, Term] = by_key["terms"]  # type: ignore[assignment]
        self.comparisons: List[Comparison] = tables["comparisons"]  # type: ignore[assignment]
        self.organisations: List[Organisation] = tables["organisations"]  # type: ignore[assignment]
        self.helplines: List[Helpline] = tables["helplines"]  # type: ignore[assignment]
        self.questions: Dict[str, Question] = by_key["questions"]  # type: ignore[assignment]
        self.topics: Dict[str, Topic] = by_key["topics"]  # type: ignore[assignment]
        #: The last sign-off of each topic that has not changed since.
        self.signed: Dict[str, Review] = {
            review.topic: review
            for review in sorted(tables["reviews"], key=lambda r: r.on)  # type: ignore[attr-defined]
            if isinstance(review, Review) and review.digest == digest(review.topic, tables)
        }
        self._by_topic: Dict[Tuple[str, str], List[Fact]] = defaultdict(list)
        self._by_question: Dict[Tuple[str, str], List[Fact]] = defaultdict(list)
        self._by_term: Dict[str, List[Fact]] = defaultdict(list)
        self._correcting: Dict[str, List[Fact]] = defaultdict(list)
        for fact in self.facts.values():
            self._by_question[fact.question, fact.condition].append(fact)
            for topic in fact.topics:
                self._by_topic[topic, fact.condition].append(fact)
            for term in fact.terms:
                self._by_term[term].append(fact)
            for claim in fact.corrects:
                self._correcting[claim].append(fact)

    def has_signed(self, topics: Iterable[str]) -> bool:
        """Whether all of these topics are signed; no topic at all stands for every one."""
        return (set(topics) or set(self.topics)) <= set(self.signed)

    @property
    def review_note(self) -> str:
        """What clinicians have signed, in a sentence."""
        signed, every = len(self.signed), len(self.topics)
        return REVIEWED[0 if not signed else 2 if signed == every else 1].format(signed=signed, all=every)

    def overview(self, topic: str, conditions: Iterable[str]) -> Optional[Answer]:
        """What a topic says first, for one condition or for both side by side."""
        names = list(conditions)
        question = self.questions.get(f"{topic}/overview")
        return question.answers.get(names[0] if len(names) == 1 else "both") if question else None

    def facts_under(self, question: str, conditions: Iterable[str]) -> List[Fact]:
        """Facts that stand under a question, those about both diseases last."""
        return [f for c in (*conditions, "both") for f in self._by_question[question, c]]

    def facts_about(self, topic: str, conditions: Iterable[str]) -> List[Fact]:
        """Facts of a topic that may be told unasked, those about both diseases last."""
        return [f for c in (*conditions, "both") for f in self._by_topic[topic, c] if not self.only_asked(f)]

    def only_asked(self, fact: Fact) -> bool:
        """Whether a fact is told to nobody who asked something else."""
        question = self.questions.get(fact.question)
        return question is not None and question.only_asked

    def facts_naming(self, term: str) -> List[Fact]:
        """Facts about something named that may be told unasked."""
        return [f for f in self._by_term[term] if not self.only_asked(f)]

    def comparison(self, topic: str) -> List[Comparison]:
        """The rows to show for a topic, those it is the main topic of first."""
        rows = [row for row in self.comparisons if topic in row.topics]
        return sorted(rows, key=lambda row: row.topics.index(topic))

    def assumed_claims(self, question: str, conditions: Iterable[str]) -> List[Tuple[Claim, List[Fact]]]:
        """Claims since corrected that the wording of a question takes for granted, with the facts."""
        words = frozenset(re.findall(r"[a-z0-9]+", question.lower()))
        scopes = {*conditions, "both"}
        return [
            (claim, self._correcting[claim.id])
            for claim in self.claims.values()
            if claim.correction and claim.condition in scopes and _asks_with(words, claim)
        ]


def _asks_with(words: FrozenSet[str], claim: Claim) -> bool:
    return bool(claim.asked_with) and all(words & set(group) for group in claim.asked_with)


def records_of(topic: str, tables: Mapping[str, Sequence[Any]]) -> Dict[str, List[Any]]:
    """By table, all records that are read and signed with a topic: each record belongs to one topic."""
    found: Dict[str, List[Any]] = {}
    for table, records in tables.items():
        if table in ("sources", "topics", "reviews", "terms"):
            continue
        kept = [r for r in records if (_HOMES.get(table) or _first_topic(r)) == topic]
        if kept:
            found[table] = kept
    return found


def _first_topic(record: Any) -> str:
    return str(record.topics[0] if hasattr(record, "topics") else record.topic)


def digest(topic: str, tables: Mapping[str, Sequence[Any]]) -> str:
    """Of all records of a topic, as a sign-off names it."""
    rows = {name: [json.loads(r.json()) for r in records] for name, records in records_of(topic, tables).items()}
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]


def write(file: Path, records: Mapping[str, Sequence[Record]]) -> str:
    """Replace the store in one step: readers see the old one or the new one. Returns its version.

    Raises:
        OSError: when it cannot be written. What was there still is.
    """
    tables = {name: [json.loads(record.json()) for record in records[name]] for name in TABLES}
    content = json.dumps(tables, ensure_ascii=False, sort_keys=True)
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(f'{{"version": "{version}", "tables": {content}}}', encoding="utf8")
    os.replace(fresh, file)
    return version


class FactStore:
    """Read access to the store in a file. Threads may share it."""

    def __init__(self, file: Path):
        self._file = file
        self._snapshot: Optional[Snapshot] = None
        self._stamp: Optional[Tuple[int, ...]] = None
        self._reading = threading.Lock()
        #: Why the file could not be read when last looked at; empty while it can.
        self.problem = ""

    def snapshot(self) -> Snapshot:
        """The current records; those read before while the file is gone or broken, which is logged.

        Raises:
            StoreUnavailable: when the store cannot be read and never was.
        """
        with self._reading:
            try:
                found = self._file.stat()
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
                if self._snapshot is None or stamp != self._stamp:
                    self._snapshot, self._stamp = _read(self._file), stamp
                self.problem = ""
            except (OSError, ValueError, KeyError, TypeError) as error:
                name = type(error).__name__
                if self._snapshot is None:
                    raise StoreUnavailable(name) from error
                if not self.problem:
                    logger.error("The fact store cannot be read (%s): the facts read before are served.", name)
                self.problem = name
            return self._snapshot


def _read(file: Path) -> Snapshot:
    content = json.loads(file.read_text(encoding="utf8"))
    tables = {name: [kind(**row) for row in content["tables"][name]] for name, kind in TABLES.items()}
    return Snapshot(content["version"], tables)
