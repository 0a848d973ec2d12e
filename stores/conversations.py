"""Where conversations are kept: what was talked about, for a while, and never a word that somebody wrote.

Rasa's own stores keep every event with all that was understood, for ever, and read it all at every turn. An answer
here needs the slot `context` and which intents came last. So that is what is kept, a turn costs the same however long
the conversation is or whatever is in it, and erasing someone is deleting a row.
"""

from __future__ import annotations

import json
import time
from typing import Any, Dict, Iterable, List, Optional, Set

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from replies.contract import Content
from stores.database import SECONDS_A_DAY, Database

#: Five turns of six events.
KEPT_EVENTS = 30
#: The ones used last; older ones go, so that nobody fills the disk by being ever new people.
MOST_CONVERSATIONS = 100_000

_metadata = sa.MetaData()
_table = sa.Table(
    "conversations",
    _metadata,
    sa.Column("sender", sa.String(255), primary_key=True),
    sa.Column("updated", sa.Float, nullable=False, index=True),
    sa.Column("events", sa.Text, nullable=False),
)


class ShortConversations(TrackerStore, SerializedTrackerAsText):
    """What tracker stores of ours have in common, wherever they keep conversations."""

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        return DialogueStateTracker(sender_id, self.domain.slots, max_event_history=KEPT_EVENTS)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Keep what is needed of the last events, or erase everything when the reply was to "forget me"."""
        await self.stream_events(tracker)
        if asked_to_forget(tracker):
            await self.erase(tracker.sender_id)
        else:
            await self.keep(tracker.sender_id, json.dumps(kept_events(tracker), ensure_ascii=False))

    async def retrieve(self, sender_id: str) -> Optional[DialogueStateTracker]:
        events = await self.events_of(sender_id)
        if events is None:
            return None
        return self.deserialise_tracker(sender_id, f'{{"name": {json.dumps(sender_id)}, "events": {events}}}')

    async def retrieve_full_tracker(self, conversation_id: str) -> Optional[DialogueStateTracker]:
        return await self.retrieve(conversation_id)

    async def keep(self, sender_id: str, events: str) -> None:
        """Put the events of a conversation, as JSON, in place of those before."""
        raise NotImplementedError

    async def events_of(self, sender_id: str) -> Optional[str]:
        """The events of a conversation, as JSON."""
        raise NotImplementedError

    async def erase(self, sender_id: str) -> None:
        """Forget a conversation."""
        raise NotImplementedError


class ConversationStore(ShortConversations):
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
        self._database = Database(host or "sqlite://", _metadata)
        self.check = self._database.check

    async def keep(self, sender_id: str, events: str) -> None:
        now = time.time()
        row = {"sender": sender_id, "updated": now, "events": events}
        try:
            await self._database.do(lambda: self._replace(row))
        except BaseException:
            self._unkept.add(sender_id)
            raise
        self._unkept.discard(sender_id)
        if now - self._swept >= min(600.0, self._retention_seconds):
            await self.sweep()

    async def events_of(self, sender_id: str) -> Optional[str]:
        # Begun anew rather than gone on with as it was a turn ago: "and for ALS?" would answer another question.
        return None if sender_id in self._unkept else await self._database.do(lambda: self._events(sender_id))

    async def erase(self, sender_id: str) -> None:
        await self._database.do(lambda: self._database.erase(_table.delete().where(_table.c.sender == sender_id)))

    async def keys(self) -> Iterable[str]:
        def senders() -> List[str]:
            with self._database.engine.connect() as connection:
                return [row.sender for row in connection.execute(sa.select(_table.c.sender))]

        return await self._database.do(senders)

    async def sweep(self) -> None:
        """Delete every conversation whose time is over, and the oldest of too many."""
        self._swept = time.time()
        await self._database.do(self._delete_old)
        for sender in tuple(self._unkept):
            await self.erase(sender)
            self._unkept.discard(sender)

    def _replace(self, row: Dict[str, Any]) -> None:
        replace = _table.update().where(_table.c.sender == row["sender"])
        try:
            with self._database.begin() as connection:
                if not connection.execute(replace, row).rowcount:
                    connection.execute(_table.insert(), row)
        except sa.exc.IntegrityError:  # another assistant has just put it there
            with self._database.begin() as connection:
                connection.execute(replace, row)

    def _events(self, sender_id: str) -> Optional[str]:
        oldest = time.time() - self._retention_seconds
        query = sa.select(_table.c.events).where(_table.c.sender == sender_id, _table.c.updated > oldest)
        with self._database.engine.connect() as connection:
            return connection.execute(query).scalar()

    def _delete_old(self) -> None:
        too_many = sa.select(_table.c.updated).order_by(_table.c.updated.desc()).offset(MOST_CONVERSATIONS).limit(1)
        with self._database.engine.connect() as connection:
            oldest = max(time.time() - self._retention_seconds, connection.execute(too_many).scalar() or 0.0)
        self._database.erase(_table.delete().where(_table.c.updated <= oldest))


def kept_events(tracker: DialogueStateTracker) -> List[Dict[str, Any]]:
    """What is needed of the last events, as JSON takes it.

    Of a message the likeliest intent, of each slot its last value, however long ago it was set; no text, no ranking, no
    entities, no reply. What is left is bounded, whatever was written.
    """
    events = list(tracker.events)[-KEPT_EVENTS:]
    last = {event.key: event for event in events if isinstance(event, SlotSet)}
    older = [SlotSet(s.name, s.value) for s in tracker.slots.values() if s.value is not None and s.name not in last]
    return [event.as_dict() for event in older] + [
        _shortened(e) for e in events if not isinstance(e, BotUttered) and last.get(getattr(e, "key", None), e) is e
    ]


def _shortened(event: Event) -> Dict[str, Any]:
    whole: Dict[str, Any] = event.as_dict()
    if not isinstance(event, UserUttered):
        return whole
    intent = {name: (event.intent or {}).get(name) for name in ("name", "confidence")}
    return {"event": whole["event"], "timestamp": whole["timestamp"], "parse_data": {"intent": intent, "entities": []}}


def asked_to_forget(tracker: DialogueStateTracker) -> bool:
    """Whether the last reply was to "forget me"."""
    last = next((e for e in reversed(tracker.events) if isinstance(e, BotUttered)), None)
    return bool(last and Content.from_message(last.metadata).forget)
