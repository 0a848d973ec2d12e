"""Where people meet the assistant: one module per channel, and here what every chat service's channel needs.

A channel takes a message in, checks that it really comes from the service, and hands the reply out in the
service's own form. What a reply looks like is in `rendering`; what is said is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
import traceback
from collections import OrderedDict
from typing import Any, Awaitable, Callable, Coroutine, Dict, Optional, Set

import redis
import redis.asyncio
from rasa.shared.exceptions import InvalidConfigException

from channels.pace import TOO_FAST, Pace

logger = logging.getLogger(__name__)

#: Longest message that is answered. Telegram sends no longer ones; Slack does.
MOST_CHARACTERS = 4096

#: Closes the few sentences that a channel says by itself; `disclaimer` in its credentials replaces it.
DISCLAIMER = (
    "General information, not medical advice. Ask a doctor about your own situation. "
    "In an emergency, call your emergency number (112, 911 or 999)."
)
_URGENT = "If this is urgent, ask a doctor or call your emergency number (112, 911 or 999)."
APOLOGY = f"I am sorry, something went wrong and I could not answer. Please ask again in a minute. {_URGENT}"
#: For who asked to be forgotten and was told so, when it then failed.
NOT_FORGOTTEN = "I am sorry, I could not delete our conversation just now. Please ask me again in a minute."
TEXT_ONLY = "I am sorry, I can only read text. Please write your question. A word or two is enough."
TOO_LONG = f"I am sorry, that message is too long for me. Please use fewer than {MOST_CHARACTERS} characters."

#: What starts a message that Rasa would take for control input (`/restart`, `/intent{...}`).
_UNSEEN = r"\s\u200b-\u200f\u2060-\u2064\ufeff"
_CONTROL_PREFIX = re.compile(rf"^[{_UNSEEN}]*[/\uff0f][{_UNSEEN}/\uff0f]*")


def typed(text: str) -> str:
    """What a person typed, as text that Rasa reads as text.

    Leading slashes go: only buttons that we sent may carry control input such as `/restart`. So do
    characters that no database or tokenizer takes (NUL, half of a surrogate pair).
    """
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return _CONTROL_PREFIX.sub("", text).strip()


def own_reply(answer: str, disclaimer: str, outcome: str = "error") -> Dict[str, Any]:
    """A sentence of the channel's own, as a reply like any other, with the disclaimer."""
    return {
        "text": f"{answer}\n{disclaimer}",
        "buttons": [],
        "metadata": {
            "outcome": outcome,
            "topic": None,
            "conditions": [],
            "terms": [],
            "answer": answer,
            "comparison": [],
            "facts": [],
            "sources": [],
            "reviewed": None,
            "checked": True,
            "disclaimer": disclaimer,
        },
    }


def setting(credentials: Optional[Dict[str, Any]], key: str, variable: str, what: str, guide: str) -> str:
    """One credential that a channel can't do without.

    Raises:
        InvalidConfigException: it is missing; the message names the environment variable to set.
    """
    value = (credentials or {}).get(key)
    value = "" if value is None else str(value).strip()
    if not value or value.startswith("${"):
        raise InvalidConfigException(
            f"{what} is missing. Set the environment variable {variable}; {guide} says where to find it."
        )
    return value


class Seen:
    """Remembers what was delivered, so that a message delivered twice is answered once.

    Kept in this process, and in Redis if one is given, so that assistants behind one address know what
    the others have seen.

    Args:
        most: entries kept in this process; the oldest goes first.
        seconds: how long an entry is kept. Slack repeats within minutes, Telegram within hours.
        shared: a client that sends no command twice; its entries say nothing to whoever reads them.
    """

    def __init__(
        self, most: int = 20_000, seconds: float = 24 * 3600.0, shared: Optional[redis.asyncio.Redis[bytes]] = None
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._shared = shared
        self._when: OrderedDict[str, float] = OrderedDict()

    def first(self, *keys: str) -> bool:
        """Whether none of these keys was here before, in this process. They count as seen from now on."""
        now = time.monotonic()
        while self._when and now - next(iter(self._when.values())) > self._seconds:
            self._when.popitem(last=False)
        new = not any(key in self._when for key in keys)
        for key in keys:
            self._when.setdefault(key, now)
        while len(self._when) > self._most:
            self._when.popitem(last=False)
        return new

    async def first_anywhere(self, *keys: str) -> bool:
        """As `first`, for all assistants that share a Redis. Without it nothing is lost: the message counts as new."""
        if not self.first(*keys):
            return False
        if self._shared is None:
            return True
        try:
            # All at once: of two who come with the same keys, one finds all of them new.
            async with self._shared.pipeline(transaction=True) as pipeline:
                for key in keys:
                    name = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
                    pipeline.set(f"ms-als:seen:{name}", 1, nx=True, ex=int(self._seconds))
                return all(await pipeline.execute())
        except redis.RedisError as error:
            logger.warning("Redis does not say what was delivered before (%s).", type(error).__name__)
            return True


def described(error: BaseException) -> str:
    """An error for the log: its type and place, never its message, which may hold what someone wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


class Turns:
    """Answers messages in the background, so that the service gets its 200 at once.

    A turn that fails, takes too long or says nothing ends in an apology. The output channel of a message
    needs two attributes: `complete`, whether the last reply went out whole, and `forgets`, whether it
    said that the conversation is forgotten.

    Args:
        on_new_message: what Rasa hands to a channel's blueprint.
        seconds: after this time a turn is given up.
        pace: how many messages a minute one person may send; as many as come, when there is none.
    """

    def __init__(
        self,
        on_new_message: Callable[[Any], Awaitable[Any]],
        seconds: float = 60.0,
        pace: Optional[Pace] = None,
    ) -> None:
        self._on_new_message = on_new_message
        self._seconds = seconds
        self._pace = pace or Pace()
        self._tasks: Set[asyncio.Task[Any]] = set()

    def answer(self, message: Any, disclaimer: str, person: str) -> None:
        """Starts a turn for a Rasa `UserMessage` of a person; `disclaimer` closes what is said if it fails."""
        self.run(self._answer(message, disclaimer, person))

    def reply(self, message: Any, reply: Dict[str, Any]) -> None:
        """Sends a sentence of the channel's own instead of asking Rasa."""
        self.run(message.output_channel.send_response(message.sender_id, reply))

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Does something else in the background; its failure is logged."""
        task = asyncio.get_running_loop().create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, seconds: float = 10.0) -> None:
        """Lets the turns under way end when the server stops, then gives them up."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()

    async def _answer(self, message: Any, disclaimer: str, person: str) -> None:
        output = message.output_channel
        seconds = await self._pace.wait(person)
        if seconds:
            if await self._pace.tells(person):
                reply = own_reply(TOO_FAST.format(seconds=seconds), disclaimer, "clarify")
                await output.send_response(message.sender_id, reply)
            return
        output.complete = output.forgets = failed = False
        try:
            await asyncio.wait_for(self._on_new_message(message), self._seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            failed = True
            logger.error("%s: a message could not be answered: %s", message.input_channel, described(error))
        if failed and output.complete and output.forgets:
            await output.send_response(message.sender_id, own_reply(NOT_FORGOTTEN, disclaimer))
        elif not output.complete:
            await output.send_response(message.sender_id, own_reply(APOLOGY, disclaimer))

    @staticmethod
    async def _logged(work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            logger.error("A reply could not be sent: %s", described(error))
