"""The last reply to each sender over HTTP, for a few minutes: a message sent again is not asked again.

A reply gets lost on the way, a client tries again, and the turn would be done twice ("tell me more" would skip a part).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Dict, Optional, Tuple

import redis
import redis.asyncio

logger = logging.getLogger(__name__)

KEPT_SECONDS = 300.0
#: For how long one assistant waits for the reply that another is just making.
OTHER_SECONDS, LOOK_SECONDS = 3.0, 0.05


@dataclass
class Answer:
    """A response to a message; `lasting` when it may be given again."""

    body: Any
    status: int = 200
    headers: Dict[str, str] = field(default_factory=dict)
    lasting: bool = True


class LastReplies:
    """Kept in this process, and in Redis if one is given, for assistants behind one address.

    Args:
        most: senders kept in this process; who wrote longest ago goes first.
        shared: a client that sends no command twice.
    """

    def __init__(self, most: int = 2_000, shared: Optional[redis.asyncio.Redis[bytes]] = None) -> None:
        self._most = most
        self._shared = shared
        self._last: OrderedDict[str, Tuple[str, float, asyncio.Task[Answer]]] = OrderedDict()

    async def once(
        self, sender: str, number: str, ask: Callable[[], Awaitable[Answer]], seconds: float = KEPT_SECONDS
    ) -> Answer:
        """What `ask` makes of a message, asked once for each number; it goes on when who asked hangs up."""
        now = time.monotonic()
        while self._last and (len(self._last) >= self._most or next(iter(self._last.values()))[1] <= now):
            self._last.popitem(last=False)
        last = self._last.get(sender)
        if last and last[0] == number and last[1] > now and not (last[2].done() and last[2].exception()):
            return await asyncio.shield(last[2])
        task = asyncio.get_running_loop().create_task(self._ask(sender, number, ask, seconds))
        self._last[sender] = (number, now + seconds, task)
        self._last.move_to_end(sender)
        answer = await asyncio.shield(task)
        current = self._last.get(sender)
        if not answer.lasting and current and current[2] is task:
            del self._last[sender]
        return answer

    async def forget(self, sender: str) -> None:
        """Drop what was said to somebody."""
        self._last.pop(sender, None)
        if self._shared is not None:
            try:
                await self._shared.delete(_key("reply", sender))
            except redis.RedisError as error:
                logger.warning("A last reply was not dropped; it expires (%s).", type(error).__name__)

    async def _ask(self, sender: str, number: str, ask: Callable[[], Awaitable[Answer]], seconds: float) -> Answer:
        if self._shared is None:
            return await ask()
        asked, reply = _key("asked", f"{sender} {number}"), _key("reply", sender)
        try:
            if not await self._shared.set(asked, 1, nx=True, px=int(seconds * 1000)):
                until = time.monotonic() + OTHER_SECONDS
                while time.monotonic() < until:
                    kept = await self._shared.get(reply)
                    content = json.loads(zlib.decompress(kept)) if kept else {}
                    if content.get("number") == number:
                        return Answer(content["body"])
                    await asyncio.sleep(LOOK_SECONDS)
        except redis.RedisError as error:
            logger.warning("Redis does not say what was answered before (%s).", type(error).__name__)
            return await ask()
        answer = await ask()
        try:
            if answer.lasting:
                kept = zlib.compress(json.dumps({"number": number, "body": answer.body}).encode(), level=1)
                await self._shared.set(reply, kept, px=int(seconds * 1000))
            else:
                await self._shared.delete(asked)
        except redis.RedisError as error:
            logger.warning("A last reply is not shared (%s).", type(error).__name__)
        return answer


def _key(kind: str, name: str) -> str:
    return f"ms-als:{kind}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
