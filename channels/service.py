"""What every chat service's channel needs: one base class, and a file of its own for each service.

To add a service: `channels/<name>.py` with one subclass of `ChatService` that names its `SETTINGS`, checks what comes
in (`receive`), and makes an `Output`; and a guide, `docs/<name>.md`. It is switched on by any of its environment
variables (`<NAME>_...`); settings, metrics and documents are checked against the class.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Awaitable, Callable, ClassVar, Coroutine, Dict, NamedTuple, Optional, Set, Tuple

from rasa.core.channels.channel import InputChannel, UserMessage
from rasa.shared.exceptions import InvalidConfigException
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.pace import Pace
from channels.seen import Seen
from channels.turns import Output, Turns, Undeliverable, described
from channels.words import UNKNOWN_BUTTON, pressed
from replies.contract import Outcome

logger = logging.getLogger(__name__)


class Setting(NamedTuple):
    """A credential of a service.

    Attributes:
        key: as `credentials.yml` and the constructor name it.
        variable: of the environment, behind the service's name (`BOT_TOKEN` of Slack is `SLACK_BOT_TOKEN`).
        what: what it is, for who has not set it; empty for what may be left out.
    """

    key: str
    variable: str
    what: str = ""


class ChatService(InputChannel):
    """A channel of a chat service: its calls are acknowledged at once and answered in the background.

    Args:
        disclaimer: closes the channel's own sentences ("I can only read text").
        seconds: after this time a turn is given up with an apology; a service may make us wait before it takes a reply.
        seen: what was delivered before.
        pace: how many messages a minute one person may send.
    """

    SETTINGS: ClassVar[Tuple[Setting, ...]] = ()

    def __init__(
        self,
        disclaimer: Optional[str] = None,
        seconds: float = 60.0,
        seen: Optional[Seen] = None,
        pace: Optional[Pace] = None,
    ) -> None:
        self._disclaimer = disclaimer
        self.seen = seen or Seen()
        self._seconds, self._pace = seconds, pace
        self._turns: Optional[Turns] = None
        self._tasks: Set[asyncio.Task[Any]] = set()

    @classmethod
    def name(cls) -> str:
        """As in the channel's address, `/webhooks/<name>/webhook`: that of its file."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def guide(cls) -> str:
        return f"docs/{cls.name()}.md"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> ChatService:
        """Reads `SETTINGS`, and the other arguments that are there.

        Raises:
            InvalidConfigException: one is missing or not what it should be; names the environment variable.
        """
        given = {key: value for key, value in (credentials or {}).items() if value is not None}
        for key, variable, what in cls.SETTINGS:
            value = str(given.pop(key, "")).strip()
            if value and not value.startswith("${"):
                given[key] = value
            elif what:
                name = f"{cls.name().upper()}_{variable}"
                raise InvalidConfigException(
                    f"{what} is missing. Set the environment variable {name}; {cls.guide()} says where to find it."
                )
        problem = cls.problem_with(given)
        if problem:
            raise InvalidConfigException(f"{problem}. {cls.guide()} says more.")
        return cls(**given)

    @classmethod
    def problem_with(cls, given: Dict[str, Any]) -> str:
        """What is wrong with credentials that are all there; empty when nothing is."""
        return ""

    async def receive(self, request: Request) -> HTTPResponse:
        """Check that a call comes from the service, read it, and hand messages on with `answer`, `press` or `say`."""
        raise NotImplementedError

    async def started(self) -> None:
        """Called once the server runs; may take as long as it likes."""

    async def stopped(self) -> None:
        """Called when the server stops, after the turns under way."""

    def health(self) -> Dict[str, str]:
        """What `GET /webhooks/<name>/` shows."""
        return {"status": "ok"}

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        blueprint = Blueprint(f"{self.name()}_webhook")
        self._turns = Turns(on_new_message, self._disclaimer, self._pace, self._seconds)

        @blueprint.route("/", methods=["GET", "HEAD"])
        async def health(_: Request) -> HTTPResponse:
            return response.json(self.health())

        @blueprint.post("/webhook")
        async def webhook(request: Request) -> HTTPResponse:
            return await self.receive(request)

        async def start(_: Sanic, __: asyncio.AbstractEventLoop) -> None:
            self._starting = asyncio.ensure_future(self._logged(self.started()))

        async def stop(_: Sanic, __: asyncio.AbstractEventLoop) -> None:
            self._starting.cancel()
            await self._finish()
            await self.stopped()

        blueprint.listener("after_server_start")(start)
        blueprint.listener("before_server_stop")(stop)
        return blueprint

    def message(self, text: str, output: Output, conversation: str, number: str = "") -> UserMessage:
        """A message for Rasa."""
        return UserMessage(text, output, conversation, input_channel=self.name(), message_id=number or None)

    def answer(self, message: UserMessage, person: str, words: Optional[str] = None) -> None:
        """Starts a turn.

        Args:
            person: as `Turns.answer` has it.
            words: what they typed, where that is not the message's text.
        """
        self.run(self._answer(message, person, words))

    def press(self, message: UserMessage, person: str, payload: str) -> None:
        """Starts a turn for a button. What its payload may say is read again, however it came here."""
        message.text = pressed(payload) if payload.startswith("/") else UNKNOWN_BUTTON
        self.answer(message, person, "")

    def say(self, message: UserMessage, sentence: str) -> None:
        """Says something of the channel's own instead of asking Rasa."""
        assert self._turns is not None
        self.run(self._turns.say(message, self._turns.own(sentence, Outcome.CLARIFY)))

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Does something in the background; its failure is logged."""
        task = asyncio.get_running_loop().create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: UserMessage, person: str, words: Optional[str]) -> None:
        assert self._turns is not None
        refusal = await self._turns.answer(message, person, words)
        if refusal and (not refusal.seconds or await self._turns.tells(person)):
            await self._turns.say(message, self._turns.own(refusal.sentence, Outcome.CLARIFY))

    async def _finish(self, seconds: float = 10.0) -> None:
        """Lets the turns under way end when the server stops, then gives them up."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=seconds)
            for task in late:
                task.cancel()

    async def _logged(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Undeliverable as error:
            logger.warning("%s: nothing can be sent there: %s", self.name(), error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            logger.error("A reply could not be sent: %s", described(error))


def read_object(body: Any) -> Dict[str, Any]:
    """A call's JSON.

    Raises:
        ValueError: when it is no JSON object.
    """
    try:
        content = json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("no object")
    return content


def inside(holder: Any, *keys: str) -> Dict[str, Any]:
    """An object within objects; empty where it is missing or something else."""
    for key in keys:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) else {}
