"""The one way of a message from a channel to Rasa and back.

A cry for help is looked for first, in the text alone, so that nothing which may turn a message away or fail (length,
pace, lock, store, model) stands between it and its reply. Then messages of one conversation go one after the other, in
the order in which they came: Rasa's own lock looks once a second whether it is free, and keeps no order.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, List, Optional, Tuple

from rasa.core.channels.channel import OutputChannel, UserMessage

from actions import dialogue, wording
from actions.actions import fact_store
from channels.pace import Pace
from channels.reading import Reader
from channels.words import APOLOGY, DISCLAIMER, MOST_CHARACTERS, NOT_FORGOTTEN, TOO_FAST, TOO_LONG
from facts.drawings import Drawing, drawing_for
from nlu.alarm import Alarm, alarm_in
from nlu.plain import head_and_tail
from replies.contract import Content, Outcome

logger = logging.getLogger(__name__)

#: After so long a turn is given up with an apology: waiting for the messages before it included. Shorter than nginx
#: waits (deploy/nginx/render), longer than an action may take (server/action_endpoint.py).
TURN_SECONDS = 8.0
#: After so long who cries for help is answered without Rasa.
ALARM_SECONDS = 3.0
#: A drawing that has not been taken by then is given up.
DRAWING_SECONDS = 10.0
ALARMS = (Outcome.CRISIS, Outcome.EMERGENCY)
#: Of a message that is too long to be answered, beginning and end are still heard.
MOST_HEARD = 2 * MOST_CHARACTERS


_hearing = Reader("hearing")


async def _alarm(words: str) -> Optional[Alarm]:
    """The alarm in what was typed. A fault in looking for one costs nobody the turn: Rasa looks again."""
    try:
        return await _hearing.read(words, lambda: alarm_in(head_and_tail(words, MOST_HEARD)))
    except Exception as error:  # noqa: BLE001
        logger.error("The rules for alarms failed: %s", described(error))
        return None


@dataclass(frozen=True)
class Refusal:
    """Why a message was turned away; `seconds` until it is worth trying again."""

    code: str
    sentence: str
    seconds: int = 0


class Output(OutputChannel):
    """What `Turns` needs to know of the replies to one message. Channels send in `deliver`."""

    #: The last reply, and whether it went out whole.
    said: Optional[Content] = None
    complete = False
    #: Said in place of an apology.
    alarm: Optional[Content] = None

    async def send_response(self, recipient_id: str, message: Dict[str, Any]) -> None:
        """Sends a reply, rendered from its metadata; from its text if it has none."""
        await self.send(recipient_id, Content.from_message(message))

    async def send(self, recipient_id: str, content: Content) -> None:
        """Sends a reply."""
        self.complete = False
        self.said = self.alarm if self.alarm and content.outcome is Outcome.ERROR else content
        self.complete = await self.deliver(recipient_id, self.said)
        if self.complete and self.said.outcome is Outcome.ANSWERED:
            await self._illustrate(recipient_id, self.said)

    async def _illustrate(self, recipient_id: str, content: Content) -> None:
        """Shows the drawing that explains an answer. Whatever goes wrong, the answer is there and says it too."""
        try:
            drawing = drawing_for(content.question, content.conditions, content.terms)
            if drawing:
                await asyncio.wait_for(self.show(recipient_id, drawing, content.disclaimer), DRAWING_SECONDS)
        except Exception as error:  # noqa: BLE001
            logger.warning("%s: a drawing could not be sent: %s", self.name(), described(error))

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Sends a plain text in one message, blank lines included."""
        await self.send_response(recipient_id, {**kwargs, "text": text})

    async def deliver(self, recipient_id: str, content: Content) -> bool:
        """Hand a reply over to the service: whether there was anything to hand over."""
        raise NotImplementedError

    async def show(self, recipient_id: str, drawing: Drawing, disclaimer: str) -> None:
        """Send a drawing behind the answer that it explains, where the service shows pictures."""

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
        began = time.monotonic()
        heard = asyncio.ensure_future(self._hear(output, (message.text or "") if words is None else words))
        turn = asyncio.ensure_future(self._in_line(message, person, heard))  # its place in the line is this one
        refusal, failed = None, False
        try:
            await asyncio.wait_for(heard, self._seconds)
            seconds = min(self._seconds, ALARM_SECONDS) if output.alarm else self._seconds
            refusal = await asyncio.wait_for(turn, began + seconds - time.monotonic())
        except Undeliverable as error:
            logger.warning("%s: nothing can be sent there: %s", message.input_channel, error)
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            failed = True
            logger.error("%s: a message could not be answered: %s", message.input_channel, described(error))
        if output.alarm:
            if not (output.complete and output.said.outcome in ALARMS):
                await self.say(message, output.alarm)
        elif refusal:
            return refusal
        elif failed and output.complete and output.said.forget:
            output.take_back()  # it is not true
            await self.say(message, self.own(NOT_FORGOTTEN))
        elif not output.complete:
            await self.say(message, self.own(APOLOGY))
        return None

    def own(self, sentence: str, outcome: Outcome = Outcome.ERROR) -> Content:
        """A sentence of the channel's own, as a reply like any other."""
        return Content(outcome, answer=sentence, disclaimer=self._disclaimer)

    async def say(self, message: UserMessage, content: Content) -> None:
        """Send a reply that Rasa knows nothing of."""
        output: Any = message.output_channel
        await output.send(message.sender_id, content)

    async def tells(self, person: str) -> bool:
        """Whether this person is to be told that they write too fast: once a minute."""
        return await self._pace.tells(person)

    async def _hear(self, output: Any, words: str) -> None:
        alarm = await _alarm(words)
        if alarm:
            output.alarm = alarm_reply(alarm.outcome, self._disclaimer, alarm.rule)

    async def _in_line(self, message: UserMessage, person: str, heard: Awaitable[None]) -> Optional[Refusal]:
        async with self._line(message.sender_id):
            await heard
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


def alarm_reply(outcome: str, disclaimer: str, rule: str = "") -> Content:
    """The reply to a cry for help, made without Rasa, and without facts when they cannot be read."""
    try:
        facts = fact_store().snapshot()
        return replace(dialogue.alarm_reply(outcome, facts, rule).content(facts), disclaimer=disclaimer)
    except Exception as error:  # noqa: BLE001 - whatever it is, who cries for help is answered
        logger.error("An alarm is answered without facts (%s).", type(error).__name__)
        return Content(Outcome(outcome), answer=wording.ALARM_WITHOUT_FACTS[outcome], disclaimer=disclaimer)


def described(error: BaseException) -> str:
    """An error for the log: its type and place, never its message, which may hold what someone wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
