"""The table of what was asked and how well it was answered, written by a thread of its own, some rows at a time.

When the database is away, or a day has as many rows as it may, rows are dropped and counted.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from typing import Any, Dict, Generic, List, Optional, TypeVar

import sqlalchemy as sa

from stores.database import SECONDS_A_DAY, Database, address_of, day

logger = logging.getLogger(__name__)

MOST_WAITING = 1_000
MOST_AT_ONCE = 100
#: Some 200 MB.
MOST_A_DAY = 1_000_000
SWEEP_SECONDS = 3_600.0
AGAIN_SECONDS = 0.5

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
    sa.Column("reason", sa.String(64)),
    sa.Column("model", sa.String(255), nullable=False),
    sa.Column("text", sa.Text),
    sqlite_with_rowid=False,
)

Item = TypeVar("Item")


def _dialect_of(url: str) -> Any:
    return address_of(url).get_dialect().dbapi()


class RowLog(Generic[Item]):
    """Rows at any SQLAlchemy URL, one for each item.

    Args:
        days: rows older than this are deleted.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ImportError: when there is no such database. It need not be there yet.
    """

    def __init__(self, url: str, days: int = 90) -> None:
        self._url, self._days = url, days
        self._opened: Optional[Database] = None
        _dialect_of(url)
        self._waiting: queue.Queue[Optional[Item]] = queue.Queue(MOST_WAITING)
        self._thread: Optional[threading.Thread] = None
        self._today, self._rows_today = "", 0
        self._swept = 0.0
        self._failing = False

    def row(self, item: Item) -> Dict[str, Any]:
        """The row of an item; called by the thread that writes."""
        raise NotImplementedError

    def dropped(self) -> None:
        """Called for every row that is not kept."""

    def record(self, item: Item) -> None:
        """Have a row written. Returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="question log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self.dropped()

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

    def _database(self) -> Database:
        if self._opened is None:
            self._opened = Database(self._url, _metadata, later=True)
        return self._opened

    def _delete_old(self) -> None:
        self._swept = time.monotonic()
        self._database().erase(table.delete().where(table.c.day < day(self._days * SECONDS_A_DAY)))

    def _write_all(self) -> None:
        while True:
            items = self._next()
            self._write([item for item in items if item is not None])
            if None in items:
                return

    def _next(self) -> List[Optional[Item]]:
        """At least one; all that wait, up to a number."""
        items = [self._waiting.get()]
        while len(items) < MOST_AT_ONCE and items[-1] is not None:
            try:
                items.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return items

    def _write(self, items: List[Item]) -> None:
        if self._today != day():
            self._today, self._rows_today = day(), 0
        room = max(0, MOST_A_DAY - self._rows_today)
        kept, left = items[:room], items[room:]
        self._rows_today += len(kept)
        try:
            if kept:
                self._insert([self.row(item) for item in kept])
            self._failing = False
        except Exception as error:  # noqa: BLE001 - the thread must live, and the message may hold a question
            left = items
            if not self._failing:
                logger.warning("The question log cannot be written (%s): rows are dropped.", type(error).__name__)
            self._failing = True
        for _ in left:
            self.dropped()

    def _insert(self, rows: List[Dict[str, Any]]) -> None:
        def insert() -> None:
            with self._database().begin() as connection:
                connection.execute(table.insert(), rows)

        try:
            insert()
        except sa.exc.SQLAlchemyError:  # two assistants that start at once are in each other's way for a moment
            time.sleep(AGAIN_SECONDS)
            insert()
        if not self._swept or time.monotonic() - self._swept > SWEEP_SECONDS:
            try:
                self._delete_old()
            except sa.exc.SQLAlchemyError as error:
                logger.warning("The question log was not swept (%s).", type(error).__name__)
