"""Rasa's REST channel with the checks a public address needs and the whole reply in its answer.

    POST /webhooks/rest/webhook {"sender": "<opaque id>", "message": "...", "metadata": {"message_id": "<uuid>"}}

returns Rasa's list of messages, each with `metadata` as the contract has it. What cannot be used is answered 400 with
a JSON error, and who writes too fast 429 with `Retry-After`. With a `message_id` a message may be sent again: it is
asked once, and gets the same reply for five minutes.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.pace import Pace
from channels.retries import KEPT_SECONDS, Answer, LastReplies
from channels.seen import PRESSED_SECONDS
from channels.turns import Output, Turns
from channels.web import UNREADABLE, BadRequest, read_json, refused, say_unreadable
from channels.words import UNKNOWN_BUTTON, asked, typed
from replies.contract import INTERNAL, Content, Outcome

MAX_SENDER = 128
_SENDER = re.compile(rf"[A-Za-z0-9_.:@+-]{{1,{MAX_SENDER}}}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def checked(body: Any) -> Tuple[str, str, str]:
    """Sender, message and number of the message ("" without one) of a request body.

    Raises:
        BadRequest: when the first two are missing, of the wrong type, empty or odd.
    """
    if not isinstance(body, dict):
        raise BadRequest("not_an_object", 'Send a JSON object with "sender" and "message".')
    sender, message, metadata = body.get("sender"), body.get("message"), body.get("metadata")
    if not isinstance(sender, str) or not _SENDER.fullmatch(sender):
        raise BadRequest(
            "bad_sender", f'"sender" must be 1 to {MAX_SENDER} letters, digits or any of _ . : @ + - (an opaque id).'
        )
    if not isinstance(message, str) or not message.strip():
        raise BadRequest("bad_message", '"message" must be a text that is not empty.')
    number = metadata.get("message_id") if isinstance(metadata, dict) else None
    return sender, message, number if isinstance(number, str) and _MESSAGE_ID.fullmatch(number) else ""


class ReplyCollector(Output):
    """Collects messages as the REST channel returns them, metadata included."""

    def __init__(self, recipient: str) -> None:
        super().__init__()
        self._recipient = recipient
        self.messages: List[Dict[str, Any]] = []

    @classmethod
    def name(cls) -> str:
        return "rest"

    async def deliver(self, recipient_id: str, content: Content) -> bool:
        shown = {"recipient_id": self._recipient, **content.to_message()}
        if not content.buttons:
            del shown["buttons"]
        if content.forget:
            shown["forget"] = True  # for clients that keep the conversation too
        shown["metadata"] = {key: value for key, value in shown["metadata"].items() if key not in INTERNAL}
        self.messages.append(shown)
        return True

    def take_back(self) -> None:
        self.messages.clear()


class RestInput(InputChannel):
    """Takes messages in over HTTP and returns the replies in the same response.

    Args:
        disclaimer: closes the channel's own sentences.
        pace: how many messages a minute one sender may send; as many as come, when there is none.
        replies: what was answered last.
    """

    def __init__(
        self, disclaimer: Optional[str] = None, pace: Optional[Pace] = None, replies: Optional[LastReplies] = None
    ) -> None:
        self._disclaimer = disclaimer
        self._pace = pace
        self._replies = replies or LastReplies()

    @classmethod
    def name(cls) -> str:
        return "rest"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> RestInput:
        """Reads the arguments that are there."""
        return cls(**{key: (credentials or {}).get(key) for key in ("disclaimer", "pace", "replies")})

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        webhook = Blueprint("rest_webhook")
        turns = Turns(on_new_message, self._disclaimer, self._pace)

        @webhook.route("/", methods=["GET", "HEAD"])
        async def health(request: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        webhook.exception(*UNREADABLE)(say_unreadable)

        @webhook.route("/webhook", methods=["POST"])
        async def receive(request: Request) -> HTTPResponse:
            try:
                sender, message, number = checked(read_json(request))
            except BadRequest as error:
                return refused(error.code, error.message, error.status)
            text, seconds = asked(message), KEPT_SECONDS
            if not number and text.startswith("/"):
                number, seconds = text, PRESSED_SECONDS  # pressed twice by a slip of the hand

            if number:  # a client that counts from 1 on each page asks something else
                number = sha256(f"{number} {text}".encode("utf8", "replace")).hexdigest()

            async def ask() -> Answer:
                return await self._ask(turns, sender, text, message)

            answer = await self._replies.once(sender, number, ask, seconds) if number else await ask()
            return response.json(answer.body, answer.status, headers=answer.headers)

        return webhook

    async def _ask(self, turns: Turns, sender: str, text: str, words: str) -> Answer:
        # The prefix keeps the conversations of other channels out of reach.
        conversation, collector = f"rest:{sender}", ReplyCollector(sender)
        message = UserMessage(text, collector, conversation, input_channel=self.name())
        # A payload of ours names symptoms and is no cry for help.
        known = text.startswith("/") and text != UNKNOWN_BUTTON
        refusal = await turns.answer(message, conversation, "" if known else typed(words))
        if refusal:
            problem = {"error": {"code": refusal.code, "message": refusal.sentence}}
            if refusal.seconds:
                return Answer(problem, 429, {"Retry-After": str(refusal.seconds)}, lasting=False)
            return Answer(problem, 400, lasting=False)
        said = collector.said
        if said and said.forget:
            await self._replies.forget(sender)
        return Answer(collector.messages, lasting=bool(said and said.outcome is not Outcome.ERROR))
