"""Rasa's REST channel with the checks a public address needs and the whole reply in its answer.

    POST /webhooks/rest/webhook {"sender": "<opaque id>", "message": "..."}

returns Rasa's list of messages, each with `metadata` as the contract has it. What cannot be used is
answered 400 with a JSON error, and who writes too fast 429 with `Retry-After`. Control input
("/restart", "/intent{...}") is text unless it is the payload of a button this conversation was shown.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple

from rasa.core.channels.channel import CollectingOutputChannel, InputChannel, UserMessage
from rasa.shared.core.events import BotUttered
from sanic import Blueprint, response
from sanic.exceptions import InvalidUsage, PayloadTooLarge, SanicException
from sanic.request import Request
from sanic.response import HTTPResponse

from channels import APOLOGY, DISCLAIMER, NOT_FORGOTTEN, own_reply, typed
from channels.pace import TOO_FAST, Pace

logger = logging.getLogger(__name__)

MAX_MESSAGE = 2_000
#: A question is a few hundred bytes. What the server reads at all is more: Slack sends whole replies back.
MAX_BODY_BYTES = 32_768
MAX_SENDER = 128
_SENDER = re.compile(rf"[A-Za-z0-9_.:@+-]{{1,{MAX_SENDER}}}")
#: After so long a turn is given up with an apology. Actions give up earlier, by themselves.
TURN_SECONDS = 8.5
#: Bot messages whose buttons may still be pressed.
RECENT_MESSAGES = 5

#: Of the metadata, what is for the server alone.
INTERNAL = ("forget", "reason")


class BadRequest(Exception):
    """What is wrong with a request: a code for programs and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def checked(body: Any) -> Tuple[str, str]:
    """Sender and message of a request body.

    Raises:
        BadRequest: when either is missing, of the wrong type, empty, too long or odd.
    """
    if not isinstance(body, dict):
        raise BadRequest("not_an_object", 'Send a JSON object with "sender" and "message".')
    sender, message = body.get("sender"), body.get("message")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise BadRequest(
            "bad_sender", f'"sender" must be 1 to {MAX_SENDER} letters, digits or any of _ . : @ + - (an opaque id).'
        )
    if not isinstance(message, str) or not message.strip():
        raise BadRequest("bad_message", '"message" must be a text that is not empty.')
    if len(message) > MAX_MESSAGE:
        raise BadRequest("message_too_long", f'"message" must have at most {MAX_MESSAGE} characters.')
    return sender, message


class ReplyCollector(CollectingOutputChannel):
    """Collects messages as the REST channel returns them, metadata included."""

    def __init__(self, recipient: str) -> None:
        super().__init__()
        self._recipient = recipient

    @classmethod
    def name(cls) -> str:
        return "rest"

    async def send_response(self, recipient_id: str, message: Dict[str, Any]) -> None:
        shown: Dict[str, Any] = {"recipient_id": self._recipient}
        for key in ("text", "buttons", "metadata", "image", "attachment", "custom"):
            if message.get(key):
                shown[key] = message[key]
        metadata = shown.get("metadata") or {}
        if metadata.get("forget"):
            shown["forget"] = True  # for clients that keep the conversation too
        if metadata:
            # The metadata stays as the contract has it.
            shown["metadata"] = {k: v for k, v in metadata.items() if k not in INTERNAL}
        self.messages.append(shown)


class RestInput(InputChannel):
    """Takes messages in over HTTP and returns the replies in the same response.

    Args:
        disclaimer: closes the channel's own apology.
        pace: how many messages a minute one sender may send; as many as come, when there is none.
    """

    def __init__(self, disclaimer: Optional[str] = None, pace: Optional[Pace] = None) -> None:
        self._disclaimer = disclaimer or DISCLAIMER
        self._pace = pace or Pace()

    @classmethod
    def name(cls) -> str:
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> RestInput:
        """Reads `disclaimer` and `pace` if they are there."""
        return cls(**{key: (credentials or {}).get(key) for key in ("disclaimer", "pace")})

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[None]]) -> Blueprint:
        webhook = Blueprint("rest_webhook")

        @webhook.route("/", methods=["GET"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        webhook.exception(*UNREADABLE)(say_unreadable)

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                sender, message = checked(read_json(request))
            except BadRequest as error:
                return response.json({"error": {"code": error.code, "message": error.message}}, 400)
            # The prefix keeps the conversations of other channels out of reach.
            conversation = f"rest:{sender}"
            seconds = await self._pace.wait(conversation)
            if seconds:
                refusal = {"code": "too_many_requests", "message": TOO_FAST.format(seconds=seconds)}
                return response.json({"error": refusal}, 429, headers={"Retry-After": str(seconds)})
            collector = ReplyCollector(sender)

            async def turn() -> None:
                pressed = message.strip()
                if pressed.startswith("/") and pressed in await _shown_payloads(request.app.ctx.agent, conversation):
                    text = message
                else:
                    text = typed(message) or "?"
                await on_new_message(UserMessage(text, collector, conversation, input_channel=self.name()))

            try:
                await asyncio.wait_for(turn(), TURN_SECONDS)
            except Exception as error:  # noqa: BLE001 - the person gets an apology, whatever failed
                logger.error("A message could not be handled (%s).", type(error).__name__)
                if any(reply.get("forget") for reply in collector.messages):
                    collector.messages.clear()  # it is not true
                    await collector.send_response(sender, own_reply(NOT_FORGOTTEN, self._disclaimer))
            if not collector.messages:
                await collector.send_response(sender, own_reply(APOLOGY, self._disclaimer))
            return response.json(collector.messages)

        return webhook


#: What Sanic raises for a body that it could not or would not read.
UNREADABLE = (InvalidUsage, PayloadTooLarge)


async def say_unreadable(request: Request, error: SanicException) -> HTTPResponse:
    """As JSON, whatever else a client says it accepts."""
    if isinstance(error, PayloadTooLarge):
        problem = {"code": "too_large", "message": "The body is too large."}
    else:
        problem = {"code": "bad_request", "message": "The body does not come as HTTP has it."}
    return response.json({"error": problem}, error.status_code)


def read_json(request: Request) -> Any:
    """The JSON body of a request.

    Raises:
        BadRequest: when it is none.
        PayloadTooLarge: which becomes a 413.
    """
    if len(request.body) > MAX_BODY_BYTES:
        raise PayloadTooLarge("Payload Too Large")
    try:
        body = request.json
    except (InvalidUsage, ValueError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("not_json", "The body is not JSON.") from error
    return body


async def _shown_payloads(agent: Any, conversation: str) -> List[str]:
    tracker = await agent.tracker_store.retrieve(conversation)
    shown = [e for e in reversed(tracker.events) if isinstance(e, BotUttered)] if tracker else []
    return [b["payload"] for e in shown[:RECENT_MESSAGES] for b in e.data.get("buttons") or () if b.get("payload")]
