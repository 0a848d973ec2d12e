"""The fact store as the actions read it: `FactStore.snapshot()` gives all records, indexed.

The database is opened read-only. The records are small (about a megabyte), so they are held in
memory and read again when the file, or the version in the database, changes. A file is looked at in
every turn; a database that is a server is asked at most once in `RECENT_SECONDS`.
"""

import os
import re
import threading
import time
from collections import defaultdict
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Tuple
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from facts import database, engine
from facts.schema import (
    Answer,
    Claim,
    Comparison,
    Drug,
    Fact,
    Helpline,
    Mimic,
    Organisation,
    Record,
    Source,
    Subtype,
    Symptom,
    Term,
    Test,
)  # fmt: skip

#: So old may be what a server last said, of its version or of its being away.
RECENT_SECONDS = 1.0


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
        self._answers: Dict[str, Answer] = by_key["answers"]  # type: ignore[assignment]
        self._by_topic: Dict[Tuple[str, str], List[Fact]] = defaultdict(list)
        self._by_term: Dict[str, List[Fact]] = defaultdict(list)
        self._correcting: Dict[str, List[Fact]] = defaultdict(list)
        for fact in self.facts.values():
            for topic in fact.topics:
                self._by_topic[topic, fact.condition].append(fact)
            for term in fact.terms:
                self._by_term[term].append(fact)
            for claim in fact.corrects:
                self._correcting[claim].append(fact)

    def answer(self, topic: str, conditions: Iterable[str]) -> Optional[Answer]:
        """The answer for one condition, or the one for both side by side."""
        names = list(conditions)
        return self._answers.get(f"{topic}/{names[0] if len(names) == 1 else 'both'}")

    def facts_about(self, topic: str, conditions: Iterable[str]) -> List[Fact]:
        """Facts of a topic, those about both diseases last."""
        return [f for c in (*conditions, "both") for f in self._by_topic[topic, c]]

    def facts_naming(self, term: str) -> List[Fact]:
        return self._by_term[term]

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


class FactStore:
    """Read access to the store at `url` (any SQLAlchemy URL).

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ImportError: when the URL is none, or of a database without a driver.
    """

    def __init__(self, url: str):
        address = engine.address_of(url)
        self._file: Optional[str] = None
        if engine.is_server(address):
            # A transaction that reads all tables sees them as they were at its start.
            self._engine = engine.open_server(
                address, isolation_level="REPEATABLE READ", execution_options={"postgresql_readonly": True}
            )
        else:
            # Opened anew each time, so that a store built in its place is the one that is read;
            # read-only, so that a missing file is an error and not an empty store.
            self._file = address.database or ""
            address = sa.engine.URL.create(
                "sqlite", database="file:" + quote(self._file), query={"mode": "ro", "uri": "true"}
            )
            self._engine = sa.create_engine(address, poolclass=NullPool)
        self._snapshot: Optional[Snapshot] = None
        self._stamp: Any = None
        self._asking = threading.Lock()
        self._asked = -RECENT_SECONDS
        self._problem = ""

    @property
    def at_hand(self) -> bool:
        """Whether `snapshot` answers at once, without asking a server that may keep one waiting."""
        return self._file is not None or time.monotonic() - self._asked < RECENT_SECONDS

    def snapshot(self) -> Snapshot:
        """The current records. Threads may share a store.

        Raises:
            StoreUnavailable: when the store cannot be read.
        """
        if self._file is not None:
            return self._current()
        # Those who come while somebody asks take the same answer: a frozen server costs its time once.
        with self._asking:
            if not self.at_hand:
                try:
                    self._current()
                    self._problem = ""
                except StoreUnavailable as error:
                    self._problem = str(error)
                self._asked = time.monotonic()
            if self._problem or self._snapshot is None:
                raise StoreUnavailable(self._problem)
            return self._snapshot

    def _current(self) -> Snapshot:
        try:
            stamp = self._file_stamp()
            if self._snapshot is not None and stamp is not None and stamp == self._stamp:
                return self._snapshot
            with self._engine.connect() as connection:
                version = connection.execute(sa.select(database.version_table.c.version)).scalar()
                if version is None:
                    raise ValueError("a store without a version")
                if self._snapshot is None or self._snapshot.version != version:
                    self._snapshot = Snapshot(str(version), database.read(connection))
        except (sa.exc.SQLAlchemyError, ValueError, OSError) as error:
            raise StoreUnavailable(type(error).__name__) from error
        self._stamp = stamp
        return self._snapshot

    def _file_stamp(self) -> Optional[Tuple[int, ...]]:
        """What changes when the file is built anew; cheaper to ask than a database. None for a server."""
        if self._file is None:
            return None
        found = os.stat(self._file)
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
