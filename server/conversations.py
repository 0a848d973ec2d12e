"""Where conversations are kept: one row each, with its last events only.

Rasa's own stores keep every event for ever and read them all at every turn. An answer here needs
the slots and the last few turns, so a turn costs the same however long the conversation is, and
erasing someone is deleting a row.
"""

from __future__ import annotations

import json
import time
from typing import Any, Iterable, Optional

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered
from rasa.shared.core.trackers import DialogueStateTracker

#: About five turns.
KEPT_EVENTS = 36
SECONDS_A_DAY = 86_400


class ConversationStore(TrackerStore, SerializedTrackerAsText):
    """A tracker store over any SQLAlchemy URL; SQLite in memory when none is given.

    Args:
        host: where conversations are kept (Rasa hands the `url` of endpoints.yml over by this name).
        retention_days: a conversation without a message for so long is deleted.
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
        address = sa.engine.make_url(host or "sqlite://")
        self._engine = sa.create_engine(
            address,
            **({"poolclass": sa.pool.StaticPool, "connect_args": {"check_same_thread": False}}
               if address.get_backend_name() == "sqlite" else {"pool_pre_ping": True}),
        )  # fmt: skip
        if address.get_backend_name() == "sqlite":
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
        metadata.create_all(self._engine)

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        return DialogueStateTracker(sender_id, self.domain.slots, max_event_history=KEPT_EVENTS)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep the last events, or erase everything when the reply was to "forget me"."""
        await self.stream_events(tracker)
        if _asked_to_forget(tracker):
            self.delete(tracker.sender_id)
            return
        now = time.time()
        events = [event.as_dict() for event in tracker.events][-KEPT_EVENTS:]
        row = {"sender": tracker.sender_id, "updated": now, "events": json.dumps(events)}
        with self._engine.begin() as connection:
            kept = connection.execute(self._table.update().where(self._table.c.sender == tracker.sender_id), row)
            if not kept.rowcount:
                connection.execute(self._table.insert(), row)
        self._sweep(now)

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        oldest = time.time() - self._retention_seconds
        query = sa.select(self._table.c.events).where(self._table.c.sender == sender_id, self._table.c.updated > oldest)
        with self._engine.connect() as connection:
            events = connection.execute(query).scalar()
        if events is None:
            return None
        return self.deserialise_tracker(sender_id, f'{{"name": {json.dumps(sender_id)}, "events": {events}}}')

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        return await self.retrieve(conversation_id)

    async def keys(self) -> Iterable[str]:
        with self._engine.connect() as connection:
            return [row.sender for row in connection.execute(sa.select(self._table.c.sender))]

    def delete(self, sender_id: str) -> None:
        """Erase a conversation."""
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(self._table.c.sender == sender_id))
        self._leave_no_trace()

    def _leave_no_trace(self) -> None:
        """SQLite's log file still holds what was deleted until it is folded into the database."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def _sweep(self, now: float) -> None:
        if now - self._swept < min(600.0, self._retention_seconds):
            return
        self._swept = now
        with self._engine.begin() as connection:
            gone = connection.execute(self._table.delete().where(self._table.c.updated < now - self._retention_seconds))
        if gone.rowcount:
            self._leave_no_trace()


def _asked_to_forget(tracker: DialogueStateTracker) -> bool:
    last = next((e for e in reversed(tracker.events) if isinstance(e, BotUttered)), None)
    return bool(last and (last.metadata.get("metadata") or {}).get("forget"))
