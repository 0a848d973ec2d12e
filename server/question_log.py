"""What was asked and how well it was answered, to make the assistant better: a row per turn, without who asked.

A row is the day, channel, outcome, topic, conditions, confidence, whether the message was not understood, and the
model. Only when it is switched on, and only for questions that could not be answered, the question itself is kept,
after `server.redaction` has been over it; never that of somebody in need, or about somebody's own case.

Rows are written by a thread of its own, some at a time. When the database is away they are dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import secrets
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Protocol, Tuple

import sqlalchemy as sa

from actions.reply import Outcome
from facts import engine
from facts.schema import CONDITIONS, TOPICS
from server import metrics
from server.turns import Turn

logger = logging.getLogger(__name__)

#: Questions worth reading: what somebody might add facts or examples for.
WITH_TEXT = (Outcome.CLARIFY.value, Outcome.NOT_COVERED.value)
MOST_WAITING = 1_000
MOST_AT_ONCE = 100
SWEEP_SECONDS = 3_600.0
AGAIN_SECONDS = 0.5
SECONDS_A_DAY = 86_400

_metadata = sa.MetaData()
table = sa.Table(
    "question_log",
    _metadata,
    # Drawn by lot, so that rows tell no order in which people wrote.
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("day", sa.String(10), nullable=False, index=True),
    sa.Column("channel", sa.String(16), nullable=False),
    sa.Column("outcome", sa.String(32), nullable=False),
    sa.Column("topic", sa.String(64)),
    sa.Column("conditions", sa.String(16), nullable=False),
    sa.Column("confidence", sa.Float),
    sa.Column("fallback", sa.Boolean, nullable=False),
    sa.Column("model", sa.String(255), nullable=False),
    sa.Column("text", sa.Text),
    sqlite_with_rowid=False,
)


class Redacts(Protocol):
    """Takes out of a text what tells who wrote it; None when too little is left."""

    def redact(self, text: str) -> Optional[str]: ...


class QuestionLog:
    """Rows at any SQLAlchemy URL.

    Args:
        days: rows older than this are deleted.
        redactor: makes the redactor of the texts, when the first is kept; None when no text is kept.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ImportError: when there is no such database. It need not be there yet.
    """

    def __init__(self, url: str, days: int = 90, redactor: Optional[Callable[[], Redacts]] = None) -> None:
        address = engine.address_of(url)
        self._is_server = engine.is_server(address)
        self._engine = engine.open_server(address) if self._is_server else sa.create_engine(address)
        if not self._is_server:
            sa.event.listen(self._engine, "connect", _overwrite_what_is_deleted)
        self._days = days
        self._make_redactor = redactor
        self._redactor: Optional[Redacts] = None
        self._waiting: queue.Queue[Optional[Turn]] = queue.Queue(MOST_WAITING)
        self._thread: Optional[threading.Thread] = None
        self._created = False
        self._swept = 0.0
        self._failing = False

    def record(self, turn: Turn) -> None:
        """Have a row written. Returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="question log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(turn)
        except queue.Full:
            metrics.error("question_log")

    def close(self, seconds: float = 3.0) -> None:
        """Write what waits, if that does not take too long, and stop."""
        if self._thread is not None:
            try:
                self._waiting.put(None, timeout=seconds)
            except queue.Full:
                return
            self._thread.join(seconds)
            self._thread = None

    async def sweep(self) -> None:
        """Delete rows that are too old.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: when the database is away.
        """
        await asyncio.to_thread(self._delete_old)

    def _delete_old(self) -> None:
        self._swept = time.monotonic()
        self._create()
        oldest = _day(time.time() - self._days * SECONDS_A_DAY)
        with self._engine.begin() as connection:
            gone = connection.execute(table.delete().where(table.c.day < oldest))
        if gone.rowcount and not self._is_server:
            with self._engine.connect() as connection:
                # What was deleted is still in SQLite's log until that is folded into the file.
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write_all(self) -> None:
        while True:
            turns = self._next()
            rest = turns[: turns.index(None)] if None in turns else turns
            if rest:
                self._write([turn for turn in rest if turn is not None])
            if None in turns:
                return

    def _next(self) -> List[Optional[Turn]]:
        """At least one; all that wait, up to a number."""
        turns = [self._waiting.get()]
        while len(turns) < MOST_AT_ONCE:
            try:
                turns.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return turns

    def _write(self, turns: List[Turn]) -> None:
        try:
            rows = [self._row(turn) for turn in turns]
            try:
                self._insert(rows)
            except sa.exc.SQLAlchemyError:  # two assistants that start at once are in each other's way for a moment
                time.sleep(AGAIN_SECONDS)
                self._insert(rows)
            self._failing = False
        except Exception as error:  # noqa: BLE001 - the thread must live, and the message may hold a question
            for _ in turns:
                metrics.error("question_log")
            if not self._failing:
                logger.warning("The question log cannot be written (%s): rows are dropped.", type(error).__name__)
            self._failing = True

    def _insert(self, rows: List[Dict[str, Any]]) -> None:
        self._create()
        with self._engine.begin() as connection:
            connection.execute(table.insert(), rows)
        if not self._swept or time.monotonic() - self._swept > SWEEP_SECONDS:
            try:
                self._delete_old()
            except sa.exc.SQLAlchemyError as error:
                logger.warning("The question log was not swept (%s).", type(error).__name__)

    def _create(self) -> None:
        if not self._created:
            engine.create_tables(_metadata, self._engine)
            self._created = True

    def _row(self, turn: Turn) -> Dict[str, Any]:
        confidence = turn.confidence
        return {
            "id": secrets.token_hex(8),
            "day": _day(time.time()),
            "channel": metrics.channel_name(turn.channel),
            "outcome": turn.outcome,
            "topic": turn.topic if turn.topic in TOPICS else None,
            "conditions": ",".join(c for c in CONDITIONS if c in turn.conditions),
            "confidence": None if confidence is None else round(float(confidence), 2),
            "fallback": turn.fallback,
            "model": turn.model,
            "text": self._text(turn),
        }

    def _text(self, turn: Turn) -> Optional[str]:
        """The question without what tells who asked it, where it may be kept."""
        if self._make_redactor is None or turn.pressed or turn.outcome not in WITH_TEXT:
            return None
        try:
            if self._redactor is None:
                self._redactor = self._make_redactor()
            return self._redactor.redact(turn.text)
        except Exception as error:  # noqa: BLE001 - a row without its text is a row still
            logger.warning("A question is kept without its text (%s).", type(error).__name__)
            return None


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _overwrite_what_is_deleted(connection: Any, _: Tuple[Any, ...]) -> None:
    """SQLite: deleted rows are overwritten, and writing waits for no disk."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
