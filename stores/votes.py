"""Thumbs up or down: which replies helped, without who said so."""

from __future__ import annotations

from functools import partial
from typing import Any, Dict, Optional

import sqlalchemy as sa

from stores.database import SECONDS_A_DAY, Database, day

MAX_REASON = 500
MAX_VOTE = 64
KEPT_DAYS = 90
#: More in a day come from no people, and are not kept.
MOST_A_DAY = 20_000

_metadata = sa.MetaData()
_table = sa.Table(
    "feedback",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("day", sa.String(10), nullable=False, index=True),
    sa.Column("outcome", sa.String(32)),
    sa.Column("topic", sa.String(64)),
    sa.Column("helpful", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String(MAX_REASON)),
    sa.Column("vote", sa.String(MAX_VOTE)),
)
_by_vote = sa.Index("ix_feedback_vote", _table.c.vote)


class TooManyVotes(Exception):
    """As many as a day may have are kept already."""


class VoteStore:
    """Votes at any SQLAlchemy URL, deleted after 90 days.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when it cannot be reached; so do all methods.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url, _metadata)
        _by_vote.create(self._database.engine, checkfirst=True)  # for a table of version 0.1.0
        self._kept, self._day = 0, ""

    async def add(
        self,
        outcome: Optional[str],
        topic: Optional[str],
        helpful: bool,
        reason: Optional[str] = None,
        vote: Optional[str] = None,
    ) -> bool:
        """Keep a vote, instead of the one with the same id if there is one: whether there was none.

        Raises:
            TooManyVotes: for today.
        """
        row = {"day": day(), "outcome": outcome, "topic": topic, "helpful": helpful, "reason": reason, "vote": vote}
        if self._day != row["day"]:
            self._kept, self._day = 0, day()
        if self._kept >= MOST_A_DAY:
            raise TooManyVotes
        self._kept += 1
        return await self._database.do(partial(self._replace, row, vote))

    def _replace(self, row: Dict[str, Any], vote: Optional[str]) -> bool:
        with self._database.begin() as connection:
            before = connection.execute(_table.delete().where(_table.c.vote == vote)) if vote else None
            connection.execute(_table.insert(), row)
        return before is None or not before.rowcount

    async def sweep(self) -> None:
        """Delete what is over time."""
        old = _table.delete().where(_table.c.day < day(KEPT_DAYS * SECONDS_A_DAY))
        await self._database.do(partial(self._database.erase, old))
