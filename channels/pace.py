"""How many messages a minute one person may send, counted in this process or, for several assistants, in Redis.

This keeps one person, or one runaway program, from using up what all share. It is no defence against
somebody who makes up ever new names: that is the proxy's, which sees addresses.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from typing import Any, Callable, Dict, Optional

from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

logger = logging.getLogger(__name__)

#: For Redis to be reached, and to answer.
REDIS_SECONDS = 1.0


class Pace:
    """Counts messages by person, in minutes that begin with a person's first message.

    Args:
        per_minute: messages that are taken; 0 for as many as come.
        url: `redis://` or `rediss://` URL of a Redis that others count in too.
    """

    def __init__(self, per_minute: int = 0, url: Optional[str] = None) -> None:
        self._limit = RateLimitItemPerMinute(per_minute, namespace="messages") if per_minute else None
        self._told = RateLimitItemPerMinute(1, namespace="told")
        self._in_redis = url is not None
        if not per_minute:
            return
        options: Dict[str, Any] = {}
        if url:
            options = {"key_prefix": "ms-als:pace"}
            options.update(dict.fromkeys(("socket_timeout", "socket_connect_timeout"), REDIS_SECONDS))
            if url.startswith("rediss://"):
                options["ssl_check_hostname"] = True  # redis-py 4 does not by itself
        self._storage = storage_from_string(url or "memory://", **options)
        self._limiter = FixedWindowRateLimiter(self._storage)

    async def wait(self, person: str) -> int:
        """Count a message: seconds until this person may write again, 0 when the message is taken.

        When Redis cannot be reached every message is taken.
        """
        if self._limit is None:
            return 0
        try:
            return await self._do(self._seconds, _hidden(person))
        except self._storage.base_exceptions as error:
            logger.warning("Messages cannot be counted (%s); all are taken.", type(error).__name__)
            return 0

    async def tells(self, person: str) -> bool:
        """Whether this person has not been told to wait within the last minute."""
        try:
            return bool(await self._do(lambda who: int(self._limiter.hit(self._told, who)), _hidden(person)))
        except self._storage.base_exceptions:
            return True

    async def _do(self, work: Callable[[str], int], person: str) -> int:
        """In memory at once; Redis in a thread, so that nobody else waits while it does not answer."""
        return await asyncio.to_thread(work, person) if self._in_redis else work(person)

    def _seconds(self, person: str) -> int:
        assert self._limit is not None
        if self._limiter.hit(self._limit, person):
            return 0
        wait = self._limiter.get_window_stats(self._limit, person).reset_time - time.time()
        if wait > self._limit.get_expiry():
            # The clock was set back; the end of the minute is kept as a time of day.
            self._limiter.clear(self._limit, person)
            return 0
        return max(1, math.ceil(wait))


def _hidden(person: str) -> str:
    """A name for counting from which nobody reads who it is."""
    return hashlib.sha256(person.encode("utf-8", "replace")).hexdigest()[:32]
