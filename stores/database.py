"""How databases are opened, swept and erased from, the same way for conversations, votes and questions.

SQLite is a file at hand. Every other database is a server, which may be slow, gone or frozen: nothing waits for it
longer than `SECONDS`, and a connection that broke is replaced by itself.
"""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Callable
from typing import Any, Optional, TypeVar

import sqlalchemy as sa

#: For a connection to be made, and for a statement to be answered.
SECONDS = 2.0
SECONDS_A_DAY = 86_400

Result = TypeVar("Result")


def address_of(url: str) -> sa.engine.URL:
    """A URL as SQLAlchemy takes it; `postgres://`, as some hosts write it, is `postgresql://`.

    Raises:
        sqlalchemy.exc.ArgumentError: when it is none.
    """
    return sa.engine.make_url("postgresql://" + url[11:] if url.startswith("postgres://") else url)


def day(seconds_ago: float = 0.0) -> str:
    """A day as tables have it; today's by default."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - seconds_ago))


class Database:
    """Tables at any SQLAlchemy URL.

    Args:
        url: SQLite in memory when it is `sqlite://`.
        metadata: the tables, which are created where they are missing: now, or at the first statement with `later`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ImportError: when there is no such database; so do all methods when it is away.
    """

    def __init__(self, url: str, metadata: Optional[sa.MetaData] = None, later: bool = False) -> None:
        address = address_of(url)
        self._metadata = metadata
        #: Whether it is asked over a network, and so can keep one waiting.
        self.is_server = address.get_backend_name() != "sqlite"
        self.engine = _open_server(address) if self.is_server else _open_file(address)
        if not later:
            self.create()

    def create(self) -> None:
        """Create what is missing; when several processes start at once, one of them does."""
        metadata, self._metadata = self._metadata, None
        if metadata is None:
            return
        try:
            for _ in range(2):
                try:
                    metadata.create_all(self.engine)
                    break
                except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
                    continue
        except BaseException:
            self._metadata = metadata
            raise

    async def do(self, work: Callable[[], Result]) -> Result:
        """SQLite at once; a server in a thread, so that nobody else waits while it does not answer."""
        return await asyncio.to_thread(work) if self.is_server else work()

    def begin(self) -> Any:
        """A transaction."""
        self.create()
        return self.engine.begin()

    def erase(self, statement: Any) -> int:
        """Run a deletion so that no byte of it is left in SQLite's files: how many rows went."""
        with self.begin() as connection:
            gone = int(connection.execute(statement).rowcount)
        if gone and not self.is_server:
            with self.engine.connect() as connection:
                # What was deleted is still in SQLite's log until that is folded into the file.
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    async def check(self) -> None:
        """Ask for nothing, to see whether it answers."""

        def ask() -> None:
            with self.engine.connect() as connection:
                connection.execute(sa.select(1))

        await self.do(ask)


def _open_file(address: sa.engine.URL) -> sa.engine.Engine:
    path = address.database
    if path and path != ":memory:":
        # Nobody else on the machine reads what people ask.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
    # One connection, whichever thread asks for it.
    engine = sa.create_engine(
        address,
        poolclass=sa.pool.QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=SECONDS,
        connect_args={"check_same_thread": False},
    )

    def prepare(connection: Any, _: Any) -> None:
        # What is deleted is overwritten, and a turn does not wait for the disk.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", prepare)
    engine.connect().close()
    return engine


def _open_server(address: sa.engine.URL) -> sa.engine.Engine:
    options = {}
    if address.get_backend_name() == "postgresql" and address.get_driver_name() == "psycopg2":
        from psycopg2 import extensions

        # libpq has no time limit for an answer; with a callback psycopg2 waits in `_wait` instead.
        extensions.set_wait_callback(_wait)
        options["connect_args"] = {"application_name": "ms-als-answers"}
    return sa.create_engine(address, pool_pre_ping=True, pool_timeout=SECONDS, **options)


def _wait(connection: Any) -> None:
    """Wait until a connection has connected, or its statement is answered. psycopg2 closes it on an error.

    Raises:
        psycopg2.OperationalError: after `SECONDS`.
    """
    from psycopg2 import OperationalError, extensions

    until = time.monotonic() + SECONDS
    while True:
        state = connection.poll()
        if state == extensions.POLL_OK:
            return
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            raise OperationalError(f"no answer within {SECONDS:g} seconds")
