"""What was there before: a message delivered twice, a button pressed twice, a drawing shown a moment ago."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict
from typing import Optional

import redis
import redis.asyncio

logger = logging.getLogger(__name__)

#: Slack repeats within minutes, Telegram within hours.
DELIVERED_SECONDS = 24 * 3600.0
#: Of two presses of one button within this time one was a slip of the hand.
PRESSED_SECONDS = 3.0
#: What a drawing says once need not be said again soon, least of all to a whole group.
SHOWN_SECONDS = 3600.0


class Seen:
    """Kept in this process, and in Redis if one is given, so that assistants behind one address know of each other.

    Args:
        most: entries kept in this process; the oldest goes first.
        shared: a client that sends no command twice; its entries say nothing to whoever reads them.
    """

    def __init__(self, most: int = 20_000, shared: Optional[redis.asyncio.Redis[bytes]] = None) -> None:
        self._most = most
        self._shared = shared
        self._until: OrderedDict[str, float] = OrderedDict()

    def _first(self, keys: tuple[str, ...], seconds: float) -> bool:
        now = time.monotonic()
        new = not any(self._until.get(key, 0.0) > now for key in keys)
        if new:
            for key in keys:
                self._until[key] = now + seconds
                self._until.move_to_end(key)
        while len(self._until) > self._most or (self._until and next(iter(self._until.values())) <= now):
            self._until.popitem(last=False)
        return new

    async def first(self, *keys: str, seconds: float = DELIVERED_SECONDS) -> bool:
        """Whether none of these keys was seen within so many seconds. They count as seen from now on.

        Without Redis nothing is lost: what this process has not seen counts as new.
        """
        if not self._first(keys, seconds):
            return False
        if self._shared is None:
            return True
        try:
            # All at once: of two who come with the same keys, one finds all of them new.
            async with self._shared.pipeline(transaction=True) as pipeline:
                for key in keys:
                    name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
                    pipeline.set(f"ms-als:seen:{name}", 1, nx=True, px=int(seconds * 1000))
                return all(await pipeline.execute())
        except redis.RedisError as error:
            logger.warning("Redis does not say what was delivered before (%s).", type(error).__name__)
            return True
