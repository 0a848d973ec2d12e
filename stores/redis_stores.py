"""Conversations and locks in Redis, for more than one assistant behind one address.

Redis lets a conversation expire by itself. It writes nothing to disk unless it is told to; with
`save` or `appendonly` its files hold what was deleted until they are written anew.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from contextlib import asynccontextmanager
from typing import Any, AsyncGenerator, Dict, Iterable, Optional

import redis
import redis.asyncio
import redis.asyncio.lock
from rasa.core.brokers.broker import EventBroker
from rasa.core.lock import TicketLock
from rasa.core.lock_store import LockError, LockStore
from rasa.shared.core.domain import Domain
from rasa.utils.endpoints import EndpointConfig
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from stores.conversations import ShortConversations
from stores.database import SECONDS_A_DAY

logger = logging.getLogger(__name__)

#: All our keys begin with it, so that a Redis may be shared with others.
PREFIX = "ms-als:"
#: For a connection to be made, and for a command to be answered.
SECONDS = 1.0
#: A lock is renewed while its turn lasts; whoever died in one holds the conversation up for so long.
LOCK_SECONDS = 4.0
#: How long a message waits for the one before it in its conversation, and how often it looks.
WAIT_SECONDS, LOOK_SECONDS = 6.0, 0.03


def connect(url: str, retries: int = 1) -> redis.asyncio.Redis[bytes]:
    """A client for `redis://` or `rediss://`. It connects at its first command, and again when it must.

    Args:
        retries: how often a command is sent again after a connection broke; 0 for what must not happen twice.

    Raises:
        ValueError: when the URL is none.
    """
    client: redis.asyncio.Redis[bytes] = redis.asyncio.Redis.from_url(
        url,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), retries),
        retry_on_error=[redis.ConnectionError] if retries else [],
        **_tls(url),
    )
    return client


def _tls(url: str) -> Dict[str, Any]:
    """redis-py 4 checks a certificate, but not whose it is."""
    return {"ssl_check_hostname": True} if url.startswith("rediss://") else {}


class RedisConversations(ShortConversations):
    """A tracker store like `ConversationStore`: one value per conversation.

    Args:
        host: `redis://` or `rediss://` URL (Rasa hands the `url` of endpoints.yml over by this name).
        retention_days: a conversation without a message for so long is deleted, by Redis itself.

    Raises:
        redis.RedisError: by all methods, when it cannot be reached.
    """

    def __init__(
        self,
        domain: Optional[Domain],
        event_broker: Optional[EventBroker] = None,
        host: str = "redis://127.0.0.1:6379/0",
        retention_days: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._retention_seconds = round(float(retention_days) * SECONDS_A_DAY)
        self._redis = connect(host)

    async def keep(self, sender_id: str, events: str) -> None:
        # Events repeat themselves: a fraction of the memory for a third of a millisecond.
        await self._redis.set(_key(sender_id), zlib.compress(events.encode(), level=1), ex=self._retention_seconds)

    async def events_of(self, sender_id: str) -> Optional[str]:
        events = await self._redis.get(_key(sender_id))
        return None if events is None else zlib.decompress(events).decode()

    async def erase(self, sender_id: str) -> None:
        await self._redis.delete(_key(sender_id))

    async def keys(self) -> Iterable[str]:
        beginning = _key("")
        return [key.decode()[len(beginning) :] async for key in self._redis.scan_iter(f"{beginning}*", count=1000)]

    async def sweep(self) -> None:
        """Nothing: Redis deletes what is over time."""

    async def check(self) -> None:
        """Ask for nothing, to see whether conversations can be kept."""
        await self._redis.ping()


def _key(sender_id: str) -> str:
    return f"{PREFIX}conversation:{sender_id}"


class RedisLocks(LockStore):
    """One message of a conversation at a time, whichever assistant it reaches.

    Rasa's own `RedisLockStore` does not hold between processes: a ticket is read, counted up and
    written back in three steps, so that two may draw the same one. Its locks stay for ever when their
    holder dies, every command waits up to ten seconds for Redis and stops the whole process
    meanwhile, and who waits looks once a second. This one is redis-py's lock, which is taken in one
    step and expires within the time that the next message waits.
    """

    def __init__(self, endpoint_config: EndpointConfig) -> None:
        super().__init__()
        self._redis = connect(endpoint_config.url, retries=0)

    @asynccontextmanager
    async def lock(
        self, conversation_id: str, lock_lifetime: float = LOCK_SECONDS, wait_time_in_seconds: float = LOOK_SECONDS
    ) -> AsyncGenerator[TicketLock, None]:
        """Hold a conversation.

        Raises:
            LockError: when Redis cannot be reached, or others hold it for too long.
        """
        held = self._redis.lock(
            f"{PREFIX}lock:{conversation_id}",
            timeout=lock_lifetime,
            sleep=wait_time_in_seconds,
            blocking_timeout=WAIT_SECONDS,
        )
        try:
            taken = await held.acquire()
        except redis.RedisError as error:
            raise LockError(f"The lock cannot be had ({type(error).__name__}).") from error
        if not taken:
            raise LockError("An earlier message of the conversation is still being answered.")
        renewing = asyncio.create_task(self._renew(held, lock_lifetime / 3))
        try:
            yield self.create_lock(conversation_id)
        finally:
            renewing.cancel()
            try:
                await held.release()
            except redis.RedisError as error:
                # It expires. The reply is there already and is not held back for this.
                logger.warning("A lock could not be released (%s).", type(error).__name__)

    @staticmethod
    async def _renew(held: redis.asyncio.lock.Lock, seconds: float) -> None:
        """Keep a lock for a turn that takes longer than most, until it is lost."""
        try:
            while True:
                await asyncio.sleep(seconds)
                await held.reacquire()
        except redis.RedisError as error:
            logger.warning("A lock could not be renewed (%s).", type(error).__name__)

    async def check(self) -> None:
        """Ask for nothing, to see whether locks can be had.

        Raises:
            redis.RedisError: when they cannot.
        """
        await self._redis.ping()


def require(url: str) -> None:
    """Fail when a Redis cannot be used now.

    Raises:
        redis.RedisError: it is away, or does not let us in.
    """
    client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, **_tls(url))
    try:
        client.ping()
    finally:
        client.close()
