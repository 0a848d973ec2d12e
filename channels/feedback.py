"""Thumbs up or down from the chat page: which replies helped, without who said so.

    POST /feedback {"outcome": "answered", "topic": "diagnosis", "helpful": false, "reason": "too long"}

No sender and no question is kept: outcome, topic, the day, the vote and, if given, the reason.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Dict, Optional

import sqlalchemy as sa
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.rest import BadRequest, read_json

logger = logging.getLogger(__name__)

MAX_REASON = 500
KEPT_DAYS = 90


class FeedbackStore:
    """Votes at any SQLAlchemy URL, deleted after 90 days."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url, pool_pre_ping=True)
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
        )
        metadata.create_all(self._engine)

    def add(self, outcome: Optional[str], topic: Optional[str], helpful: bool, reason: Optional[str]) -> None:
        now = time.time()
        today, oldest = (time.strftime("%Y-%m-%d", time.gmtime(t)) for t in (now, now - KEPT_DAYS * 86_400))
        row = {"day": today, "outcome": outcome, "topic": topic, "helpful": helpful, "reason": reason}
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(self._table.c.day < oldest))
            connection.execute(self._table.insert(), row)


def _text(body: Dict[str, Any], name: str, most: int) -> Optional[str]:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"bad_{name}", f'"{name}" must be a text of at most {most} characters.')
    return value.strip() or None


def blueprint(store: FeedbackStore) -> Blueprint:
    """The route, over a store."""
    feedback = Blueprint("feedback")

    @feedback.route("/feedback", methods=["POST"])
    async def receive(request: Request) -> HTTPResponse:
        try:
            body = read_json(request)
            if not isinstance(body, dict) or not isinstance(body.get("helpful"), bool):
                raise BadRequest("bad_helpful", '"helpful" must be true or false.')
            store.add(
                _text(body, "outcome", 32), _text(body, "topic", 64), body["helpful"], _text(body, "reason", MAX_REASON)
            )
        except BadRequest as error:
            return response.json({"error": {"code": error.code, "message": error.message}}, 400)
        return response.json({"status": "thank you"})

    return feedback
