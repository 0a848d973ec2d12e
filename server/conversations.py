"""Where conversations are kept: one row each, with its last events only.

Rasa's own stores keep every event for ever and read them all at every turn. An answer here needs
the slots and the last few turns, so a turn costs the same however long the conversation is, and
erasing someone is deleting a row.
"""

from __future__ import annotations

import asyncio
import json
import time
from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, TypeVar

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker

from facts import engine

#: Five turns of six events.
KEPT_EVENTS = 30
#: What stays of a reply's metadata in what is kept: answers, sources and tables come from the fact store again.
KEPT_METADATA = ("outcome", "topic", "conditions")
SECONDS_A_DAY = 86_400


Result = TypeVar("Result")


class ConversationStore(TrackerStore, SerializedTrackerAsText):
    """A tracker store over any SQLAlchemy URL; SQLite in memory when none is given.

    Args:
        host: where conversations are kept (Rasa hands the `url` of endpoints.yml over by this name).
        retention_days: a conversation without a message for so long is deleted.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: when it cannot be reached; so do all methods.
    """

    def __init__(
        self,
        domain: Optional[Domain],
        event_broker: Optional[EventBroker] = None,
        host: Optional[str] = None,
        retention_days: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._retention_seconds = float(retention_days) * SECONDS_A_DAY
        self._swept = 0.0
        #: Whose last turn was answered but could not be kept, as on a full disk: what is stored is out of date.
        self._unkept: Set[str] = set()
        address = engine.address_of(host or "sqlite://")
        self._is_server = engine.is_server(address)
        if self._is_server:
            self._engine = engine.open_server(address)
        else:
            self._engine = sa.create_engine(
                address, poolclass=sa.pool.StaticPool, connect_args={"check_same_thread": False}
            )
            with self._engine.connect() as connection:
                # What is deleted is overwritten, and a turn does not wait for the disk.
                for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
                    connection.exec_driver_sql(f"PRAGMA {pragma}")
        metadata = sa.MetaData()
        self._table = sa.Table(
            "conversations",
            metadata,
            sa.Column("sender", sa.String(255), primary_key=True),
            sa.Column("updated", sa.Float, nullable=False, index=True),
            sa.Column("events", sa.Text, nullable=False),
        )
        engine.create_tables(metadata, self._engine)

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        return DialogueStateTracker(sender_id, self.domain.slots, max_event_history=KEPT_EVENTS)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the last events, or erase everything when the reply was to "forget me"."""
        await self.stream_events(tracker)
        if asked_to_forget(tracker):
            await self._do(lambda: self.delete(tracker.sender_id))
            return
        now = time.time()
        row = {"sender": tracker.sender_id, "updated": now, "events": json.dumps(kept_events(tracker))}
        try:
            await self._do(lambda: self._keep(row))
        except BaseException:
            self._unkept.add(tracker.sender_id)
            raise
        self._unkept.discard(tracker.sender_id)
        if now - self._swept >= min(600.0, self._retention_seconds):
            await self.sweep()

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        # Begun anew rather than gone on with as it was a turn ago: "and for ALS?" would answer another question.
        events = None if sender_id in self._unkept else await self._do(lambda: self._events(sender_id))
        return None if events is None else self.deserialise_tracker(sender_id, serialised(sender_id, events))

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        return await self.retrieve(conversation_id)

    async def keys(self) -> Iterable[str]:
        def senders() -> List[str]:
            with self._engine.connect() as connection:
                return [row.sender for row in connection.execute(sa.select(self._table.c.sender))]

        return await self._do(senders)

    async def sweep(self) -> None:
        """Delete every conversation whose time is over."""
        self._swept = time.time()
        await self._do(self._delete_old)
        for sender in tuple(self._unkept):
            await self._do(partial(self.delete, sender))
            self._unkept.discard(sender)

    async def check(self) -> None:
        """Ask for nothing, to see whether conversations can be kept."""

        def ask() -> None:
            with self._engine.connect() as connection:
                connection.execute(sa.select(1))

        await self._do(ask)

    def delete(self, sender_id: str) -> None:
        """Erase a conversation."""
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(self._table.c.sender == sender_id))
        self._leave_no_trace()

    async def _do(self, work: Callable[[], Result]) -> Result:
        """SQLite at once; a server in a thread, so that nobody else waits while it does not answer."""
        return await asyncio.to_thread(work) if self._is_server else work()

    def _keep(self, row: Any) -> None:
        replace = self._table.update().where(self._table.c.sender == row["sender"])
        try:
            with self._engine.begin() as connection:
                if not connection.execute(replace, row).rowcount:
                    connection.execute(self._table.insert(), row)
        except sa.exc.IntegrityError:  # another assistant has just put it there
            with self._engine.begin() as connection:
                connection.execute(replace, row)

    def _events(self, sender_id: str) -> Optional[str]:
        oldest = time.time() - self._retention_seconds
        query = sa.select(self._table.c.events).where(self._table.c.sender == sender_id, self._table.c.updated > oldest)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar()

    def _leave_no_trace(self) -> None:
        """SQLite's log file still holds what was deleted until it is folded into the database."""
        if not self._is_server:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _delete_old(self) -> None:
        oldest = time.time() - self._retention_seconds
        with self._engine.begin() as connection:
            gone = connection.execute(self._table.delete().where(self._table.c.updated < oldest))
        if gone.rowcount:
            self._leave_no_trace()


def kept_events(tracker: DialogueStateTracker) -> List[Any]:
    """The last events of a conversation, as JSON takes them."""
    events = [event.as_dict() for event in tracker.events][-KEPT_EVENTS:]
    return [_shortened(event) if event["event"] == BotUttered.type_name else event for event in events]


def _shortened(bot: Dict[str, Any]) -> Dict[str, Any]:
    metadata = bot.get("metadata") or {}
    reply = metadata.get("metadata") or {}
    kept = {name: reply[name] for name in KEPT_METADATA if name in reply}
    return {**bot, "metadata": {**metadata, "metadata": kept}}


def serialised(sender_id: str, events: str) -> str:
    """A conversation as Rasa's `deserialise_tracker` reads it, from the JSON of its events."""
    return f'{{"name": {json.dumps(sender_id)}, "events": {events}}}'


def asked_to_forget(tracker: DialogueStateTracker) -> bool:
    """Whether the last reply was to "forget me"."""
    last = next((e for e in reversed(tracker.events) if isinstance(e, BotUttered)), None)
    return bool(last and (last.metadata.get("metadata") or {}).get("forget"))
