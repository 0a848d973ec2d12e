"""How databases are opened, the same way for facts, conversations and feedback.

SQLite is a file at hand. Every other database is a server, which may be slow, gone or frozen: nothing
waits for it longer than `SECONDS`, and a connection that broke is replaced by itself.
"""

import select
import time
from typing import Any

import sqlalchemy as sa

#: For a connection to be made, and for a statement to be answered.
SECONDS = 2.0


def address_of(url: str) -> sa.engine.URL:
    """A URL as SQLAlchemy takes it; `postgres://`, as some hosts write it, is `postgresql://`.

    Raises:
        sqlalchemy.exc.ArgumentError: when it is none.
    """
    return sa.engine.make_url("postgresql://" + url[11:] if url.startswith("postgres://") else url)


def is_server(address: sa.engine.URL) -> bool:
    """Whether a database is asked over a network, and so can keep one waiting."""
    return bool(address.get_backend_name() != "sqlite")


def open_server(address: sa.engine.URL, **options: Any) -> sa.engine.Engine:
    """An engine for a database that is a server. It connects at the first statement.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, ImportError: when no driver is installed for it.
    """
    if address.get_backend_name() == "postgresql" and address.get_driver_name() == "psycopg2":
        from psycopg2 import extensions

        # libpq has no time limit for an answer; with a callback psycopg2 waits in `_wait` instead.
        extensions.set_wait_callback(_wait)
        options["connect_args"] = {"application_name": "ms-als-answers", **options.get("connect_args", {})}
    return sa.create_engine(address, pool_pre_ping=True, pool_timeout=SECONDS, **options)


def create_tables(metadata: sa.MetaData, target: sa.engine.Engine) -> None:
    """Create what is missing; when several processes start at once, one of them does.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when the database cannot be reached, or does not allow it.
    """
    try:
        metadata.create_all(target)
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
        metadata.create_all(target)


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
