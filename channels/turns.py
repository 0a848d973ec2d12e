"""The one way of a message from a channel to Rasa and back.

A cry for help is looked for first, in the text alone, so that nothing which may turn a message away or fail (length,
pace, lock, store, model) stands between it and its reply. Then messages of one conversation go one after the other, in
the order in which they came: Rasa's own lock looks once a second whether it is free, and keeps no order.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Tuple

from rasa.core.channels.channel import OutputChannel, UserMessage

from actions import dialogue, wording
from actions.actions import fact_store
from channels.pace import Pace
from channels.words import APOLOGY, DISCLAIMER, MOST_CHARACTERS, NOT_FORGOTTEN, TOO_FAST, TOO_LONG, own_reply
from nlu.alarm import alarm_in
from nlu.plain import head_and_tail
from replies.nlg import EMPTY, plain_text

logger = logging.getLogger(__name__)

#: After so long a turn is given up with an apology: waiting for the messages before it included. Shorter than nginx
#: waits (deploy/nginx/render), longer than an action may take (server/action_endpoint.py).
TURN_SECONDS = 8.0
#: After so long who cries for help is answered without Rasa.
ALARM_SECONDS = 3.0
ALARMS = ("crisis", "emergency")
#: Of a message that is too long to be answered, beginning and end are still heard.
MOST_HEARD = 2 * MOST_CHARACTERS


@dataclass(frozen=True)
class Refusal:
    """Why a message was turned away; `seconds` until it is worth trying again."""

    code: str
    sentence: str
    seconds: int = 0


class Output(OutputChannel):
    """What `Turns` needs to know of the replies to one message. Channels send in `deliver`."""

    #: Whether the last reply went out whole, what kind it was, and whether it said that the conversation is forgotten.
    complete = False
    outcome = ""
    forgets = False
    #: Said in place of an apology.
    alarm: Optional[Dict[str, Any]] = None

    async def send_response(self, recipient_id: str, message: Dict[str, Any]) -> None:
        """Sends a reply, rendered from its metadata; from its text if it has none."""
        metadata = message.get("metadata") or {}
        if self.alarm and metadata.get("outcome") == "error":
            message = self.alarm
            metadata = message["metadata"]
        self.complete, self.outcome = False, str(metadata.get("outcome") or "")
        self.forgets = bool(metadata.get("forget"))
        self.complete = await self.deliver(recipient_id, message)

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Sends a plain text in one message, blank lines included."""
        await self.send_response(recipient_id, {**kwargs, "text": text})

    async def deliver(self, recipient_id: str, message: Dict[str, Any]) -> bool:
        """Hand a reply over to the service: whether there was anything to hand over."""
        raise NotImplementedError

    def take_back(self) -> None:
        """Unsay what was said, where that is still possible."""


class Undeliverable(Exception):
    """Nothing can be sent there (a closed topic, a bot that was blocked): an apology neither."""


class Turns:
    """Answers messages. A turn that fails, takes too long or says nothing ends in an apology.

    Args:
        on_new_message: what Rasa hands to a channel's blueprint.
        disclaimer: closes what is said without Rasa.
        pace: how many messages a minute one person may send; as many as come, when there is none.
        seconds: after this time a turn is given up.
    """

    def __init__(
        self,
        on_new_message: Callable[[Any], Awaitable[Any]],
        disclaimer: Optional[str] = None,
        pace: Optional[Pace] = None,
        seconds: float = TURN_SECONDS,
    ) -> None:
        self._on_new_message = on_new_message
        self._disclaimer = disclaimer or DISCLAIMER
        self._pace = pace or Pace()
        self._seconds = seconds
        self._lines: Dict[str, Tuple[asyncio.Lock, List[None]]] = {}
        alarm_in("")  # reads its rules now rather than in somebody's turn

    async def answer(self, message: UserMessage, person: str, words: Optional[str] = None) -> Optional[Refusal]:
        """Answer a message through its output channel: None, or why nothing was said.

        Args:
            person: whose messages a minute are counted; an id that begins with the channel's name.
            words: what the person typed, where that is not the message's text; "" for a press.
        """
        output: Any = message.output_channel
        alarm = alarm_in(head_and_tail((message.text or "") if words is None else words, MOST_HEARD))
        if alarm:
            output.alarm = alarm_message(alarm.outcome, self._disclaimer)
        seconds = min(self._seconds, ALARM_SECONDS) if alarm else self._seconds
        refusal, failed = None, False
        try:
            refusal = await asyncio.wait_for(self._in_line(message, person), seconds)
        except Undeliverable as error:
            logger.warning("%s: nothing can be sent there: %s", message.input_channel, error)
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            failed = True
            logger.error("%s: a message could not be answered: %s", message.input_channel, described(error))
        if alarm:
            if not (output.complete and output.outcome in ALARMS):
                await self.say(message, output.alarm)
        elif refusal:
            return refusal
        elif failed and output.complete and output.forgets:
            output.take_back()  # it is not true
            await self.say(message, own_reply(NOT_FORGOTTEN, self._disclaimer))
        elif not output.complete:
            await self.say(message, own_reply(APOLOGY, self._disclaimer))
        return None

    async def say(self, message: UserMessage, reply: Dict[str, Any]) -> None:
        """Send a reply that Rasa knows nothing of."""
        assert message.output_channel is not None
        await message.output_channel.send_response(message.sender_id, reply)

    async def tells(self, person: str) -> bool:
        """Whether this person is to be told that they write too fast: once a minute."""
        return await self._pace.tells(person)

    async def _in_line(self, message: UserMessage, person: str) -> Optional[Refusal]:
        async with self._line(message.sender_id):
            if len(message.text or "") > MOST_CHARACTERS:
                return Refusal("message_too_long", TOO_LONG)
            seconds = await self._pace.wait(person)
            if seconds:
                return Refusal("too_many_requests", TOO_FAST.format(seconds=seconds), seconds)
            await self._on_new_message(message)
            return None

    @asynccontextmanager
    async def _line(self, conversation: str) -> AsyncIterator[None]:
        """Wait for the messages before this one; who comes first goes first."""
        lock, waiting = self._lines.setdefault(conversation, (asyncio.Lock(), []))
        waiting.append(None)
        try:
            async with lock:
                yield
        finally:
            waiting.pop()
            if not waiting:
                self._lines.pop(conversation, None)


def alarm_message(outcome: str, disclaimer: str) -> Dict[str, Any]:
    """The reply to a cry for help, made without Rasa, and without facts when they cannot be read."""
    try:
        facts = fact_store().snapshot()
        reply = dialogue.alarm_reply(outcome, facts)
        metadata = {**EMPTY, **reply.metadata(facts), "disclaimer": disclaimer}
        buttons = [{"title": b.title, "payload": b.payload} for b in reply.buttons]
        return {"text": plain_text(metadata), "buttons": buttons, "metadata": metadata}
    except Exception as error:  # noqa: BLE001 - whatever it is, who cries for help is answered
        logger.error("An alarm is answered without facts (%s).", type(error).__name__)
        return own_reply(wording.ALARM_WITHOUT_FACTS[outcome], disclaimer, outcome)


def described(error: BaseException) -> str:
    """An error for the log: its type and place, never its message, which may hold what someone wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
