"""Thumbs up or down from the chat page: which replies helped, without who said so.

    POST /feedback {"vote": "<random id>", "outcome": "answered", "topic": "diagnosis", "helpful": false,
                    "reason": "too long"}

No sender and no question is kept: outcome, topic, the day, the vote and, if given, the reason. The id is
made for this one vote: the same id again, now with a reason, replaces what was stored before.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from functools import partial
from typing import Any, Callable, Dict, Optional

import sqlalchemy as sa
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.rest import UNREADABLE, BadRequest, read_json, say_unreadable
from facts import engine

logger = logging.getLogger(__name__)

MAX_REASON = 500
MAX_VOTE = 64
KEPT_DAYS = 90


class FeedbackStore:
    """Votes at any SQLAlchemy URL, deleted after 90 days.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when it cannot be reached; so do all methods.
    """

    def __init__(self, url: str) -> None:
        address = engine.address_of(url)
        self._is_server = engine.is_server(address)
        self._engine = engine.open_server(address) if self._is_server else sa.create_engine(address)
        if not self._is_server:
            sa.event.listen(self._engine, "connect", _overwrite_what_is_deleted)
        metadata = sa.MetaData()
        self._table = sa.Table(
            "feedback",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("day", sa.String(10), nullable=False, index=True),
            sa.Column("outcome", sa.String(32)),
            sa.Column("topic", sa.String(64)),
            sa.Column("helpful", sa.Boolean, nullable=False),
            sa.Column("reason", sa.String(MAX_REASON)),
            sa.Column("vote", sa.String(MAX_VOTE)),
        )
        engine.create_tables(metadata, self._engine)
        if "vote" not in [column["name"] for column in sa.inspect(self._engine).get_columns("feedback")]:
            # A table of before there were ids.
            with self._engine.begin() as connection:
                connection.execute(sa.text(f"ALTER TABLE feedback ADD COLUMN vote VARCHAR({MAX_VOTE})"))

    def add(
        self,
        outcome: Optional[str],
        topic: Optional[str],
        helpful: bool,
        reason: Optional[str] = None,
        vote: Optional[str] = None,
    ) -> bool:
        """Keep a vote, instead of the one with the same id if there is one: whether there was none."""
        today = _day(time.time())
        row = {"day": today, "outcome": outcome, "topic": topic, "helpful": helpful, "reason": reason, "vote": vote}
        with self._engine.begin() as connection:
            self._delete_old(connection)
            before = connection.execute(self._table.delete().where(self._table.c.vote == vote)) if vote else None
            connection.execute(self._table.insert(), row)
        return before is None or not before.rowcount

    async def sweep(self) -> None:
        """Delete what is over time."""

        def delete() -> None:
            with self._engine.begin() as connection:
                self._delete_old(connection)

        await self.do(delete)

    async def do(self, work: Callable[[], Any]) -> None:
        """SQLite at once; a server in a thread, so that nobody else waits while it does not answer."""
        if self._is_server:
            await asyncio.to_thread(work)
        else:
            work()

    def _delete_old(self, connection: sa.engine.Connection) -> None:
        connection.execute(self._table.delete().where(self._table.c.day < _day(time.time() - KEPT_DAYS * 86_400)))


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))


def _overwrite_what_is_deleted(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA secure_delete=ON")


def _text(body: Dict[str, Any], name: str, most: int) -> Optional[str]:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"bad_{name}", f'"{name}" must be a text of at most {most} characters.')
    # Without what no database takes (NUL, half of a surrogate pair).
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip() or None


def _name(body: Dict[str, Any], name: str, most: int) -> Optional[str]:
    """A name as replies have it in their metadata: nobody's words."""
    value = _text(body, name, most)
    if value is not None and not re.fullmatch("[a-z_]+", value):
        raise BadRequest(f"bad_{name}", f'"{name}" must be as it was in the metadata of the reply.')
    return value


def blueprint(store: FeedbackStore) -> Blueprint:
    """The route, over a store."""
    feedback = Blueprint("feedback")
    feedback.exception(*UNREADABLE)(say_unreadable)

    @feedback.route("/feedback", methods=["POST"])
    async def receive(request: Request) -> HTTPResponse:
        try:
            body = read_json(request)
            if not isinstance(body, dict) or not isinstance(body.get("helpful"), bool):
                raise BadRequest("bad_helpful", '"helpful" must be true or false.')
            outcome, topic = _name(body, "outcome", 32), _name(body, "topic", 64)
            reason, vote = _text(body, "reason", MAX_REASON), _text(body, "vote", MAX_VOTE)
            await store.do(partial(store.add, outcome, topic, body["helpful"], reason, vote))
        except BadRequest as error:
            return response.json({"error": {"code": error.code, "message": error.message}}, 400)
        except sa.exc.SQLAlchemyError as error:
            logger.error("A vote could not be kept (%s).", type(error).__name__)
            problem = {"code": "unavailable", "message": "Votes cannot be kept right now. Please try again later."}
            return response.json({"error": problem}, 503)
        return response.json({"status": "thank you"})

    return feedback
