"""Telegram: questions to a bot, answers as HTML with buttons. Set-up is in docs/telegram.md.

channels.telegram.TelegramInput:
  access_token: ${TELEGRAM_BOT_TOKEN}
  webhook_url: ${TELEGRAM_WEBHOOK_URL}
  webhook_secret: ${TELEGRAM_WEBHOOK_SECRET}
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import json
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.shared.exceptions import InvalidConfigException
from sanic import Blueprint, Sanic, response
from sanic.request import Request
from sanic.response import HTTPResponse
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)
from telegram.request import HTTPXRequest

from channels import DISCLAIMER, TEXT_ONLY, Seen, Turns, described, own_reply, setting, typed
from channels.pace import Pace
from channels.rendering import Button, Content, content_of, pack, shortened, split, utf16_length

logger = logging.getLogger(__name__)

GUIDE = "docs/telegram.md"
API_URL = "https://api.telegram.org"
ALLOWED_UPDATES = ["message", "callback_query"]
MORE = "More questions you can press:"
EXPIRED = "I am sorry, I can't tell any more what that button stood for. Please type your question."

MOST_TEXT = 4096  # of what is shown, in UTF-16 units
MOST_IN_TAIL = 1000
MOST_BUTTONS = 100
MOST_IN_TITLE = 60  # longer ones end in … on a phone, so they are written out above
MOST_CALLBACK_BYTES = 64

_START = re.compile(r"/start(@\w+)?(\s+[\w-]{1,64})?\s*", re.ASCII)
_HELP = re.compile(r"/help(@\w+)?\s*", re.ASCII)
_BOT_NAME = re.compile(r"@\w{1,29}bot\b", re.ASCII | re.IGNORECASE)
#: What a person sends that is no text. Anything else without text (joins, pins, ...) is Telegram's own news.
_NOT_TEXT = {
    *("animation", "audio", "contact", "dice", "document", "game", "location", "paid_media", "photo", "poll"),
    *("sticker", "story", "venue", "video", "video_note", "voice"),
}


class _TokenHidden(logging.Filter):
    """Takes the bot's token out of what libraries log: httpx logs every address, and the token is in it."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if self._token in text:
            record.msg, record.args = text.replace(self._token, "<token>"), ()
        return True


def _hide_in_logs(token: str) -> None:
    for name in ("httpx", "telegram", "telegram.Bot"):
        logging.getLogger(name).addFilter(_TokenHidden(token))
    # At debug level it writes down whole messages, and so what people were told.
    logging.getLogger("telegram.Bot").setLevel(logging.INFO)


def escaped(text: str) -> str:
    """A text as it may stand in Telegram's HTML."""
    return html.escape(text, quote=False)


@dataclass(frozen=True)
class _Piece:
    """Part of a message: its HTML, its words, and what goes between it and the part before."""

    html: str
    text: str
    gap: str = "\n\n"


def messages(message: Dict[str, Any], pressed: str = "") -> List[Tuple[str, str, Tuple[Button, ...]]]:
    """A reply as Telegram messages (HTML, the same as plain text, buttons): nearly always one.

    Every one ends with the disclaimer; the buttons are below the last.

    Args:
        message: as Rasa hands it to an output channel.
        pressed: title of the button that asked for it, to stand above: Telegram itself does not show a press.
    """
    content = content_of(message)
    body = _body(content)
    if pressed and body:
        body = [*_marked(f"<b>{escaped(pressed)}</b>", pressed), *body]
    tail = []
    if content.disclaimer and utf16_length(content.disclaimer) <= MOST_IN_TAIL:
        tail = [_Piece(f"<i>{escaped(content.disclaimer)}</i>", content.disclaimer)]
    else:
        body += _plain(content.disclaimer)
    packed = pack(body, lambda pieces: utf16_length(_joined([*pieces, *tail], "text")) <= MOST_TEXT)
    groups = [content.buttons[n : n + MOST_BUTTONS] for n in range(0, len(content.buttons), MOST_BUTTONS)]
    if groups and not packed:
        packed = [_plain(MORE)]
    below: List[Tuple[Button, ...]] = [()] * (len(packed) - 1) + (groups[:1] or [()]) if packed else []
    for group in groups[1:]:
        packed.append(_plain(MORE))
        below.append(group)
    return [
        (_joined([*pieces, *tail], "html"), _joined([*pieces, *tail], "text"), buttons)
        for pieces, buttons in zip(packed, below, strict=True)
    ]


def _joined(pieces: List[_Piece], form: str) -> str:
    return "".join((p.gap if n else "") + getattr(p, form) for n, p in enumerate(pieces))


def _plain(text: str) -> List[_Piece]:
    room = MOST_TEXT - MOST_IN_TAIL - 10
    return [_Piece(escaped(part), part) for part in split(text, room, utf16_length)]


def _marked(markup: str, text: str, gap: str = "\n\n") -> List[_Piece]:
    """A part with mark-up; without, and in several, if it is too long for one message."""
    return [_Piece(markup, text, gap)] if utf16_length(text) <= MOST_TEXT - MOST_IN_TAIL - 10 else _plain(text)


def _body(content: Content) -> List[_Piece]:
    pieces = _plain(content.answer)
    for row in content.rows:
        cells = [f"<b>{escaped(name)}:</b> {escaped(text)}" for name, text in row.cells]
        pieces += _marked("\n".join([f"<b>{escaped(row.aspect)}</b>", *cells]), row.text)
    for n, source in enumerate(content.sources, 1):
        title = escaped(source.title)
        if source.url:
            shown = f"{source.title}{source.detail}"
            markup = f'<a href="{html.escape(source.url)}">{title}</a>{escaped(source.detail)}'
        else:
            shown, markup = source.text, escaped(source.text)
        first = ("<b>Sources</b>\n", "Sources\n") if n == 1 else ("", "")
        gap = "\n\n" if n == 1 else "\n"
        pieces += _marked(f"{first[0]}{n}. {markup}", f"{first[1]}{n}. {shown}", gap)
    pieces += _plain(content.reviewed)
    long = [b.title for b in content.buttons if len(b.title) > MOST_IN_TITLE]
    return pieces + (_plain("\n".join(["The questions below in full:", *(f"• {t}" for t in long)])) if long else [])


class Presses:
    """Turns a button's payload into the 64 bytes that Telegram carries, and back.

    Anyone can send a bot any such bytes, so each carries a code that only we can compute, for one chat. A
    payload that is too long stays here; what is kept is bounded, and lost when the process ends.

    Args:
        key: what the code is computed with.
        chats: chats of which long payloads are kept; the one silent for longest goes first.
        per_chat: long payloads kept per chat.
    """

    def __init__(self, key: bytes, chats: int = 10_000, per_chat: int = 100) -> None:
        self._key = key
        self._chats = chats
        self._per_chat = per_chat
        self._kept: OrderedDict[int, OrderedDict[str, str]] = OrderedDict()

    def data_for(self, chat: int, payload: str) -> str:
        """What to put into `callback_data`: at most 64 bytes."""
        code = self._code(chat, payload)
        if len(f"p{code[:8]}{payload}".encode("utf-8", "surrogatepass")) <= MOST_CALLBACK_BYTES:
            return f"p{code[:8]}{payload}"
        kept = self._kept.setdefault(chat, OrderedDict())
        self._kept.move_to_end(chat)
        kept[code] = payload
        kept.move_to_end(code)
        if len(kept) > self._per_chat:
            kept.popitem(last=False)
        if len(self._kept) > self._chats:
            self._kept.popitem(last=False)
        return f"k{code}"

    def payload_of(self, chat: int, data: str) -> Optional[str]:
        """The payload, or None: no longer known, or not from us."""
        if data.startswith("p"):
            code, payload = data[1:9], data[9:]
            ours = self._code(chat, payload)[:8]
            return payload if hmac.compare_digest(ours.encode(), code.encode("utf-8", "replace")) else None
        return self._kept.get(chat, OrderedDict()).get(data[1:]) if data.startswith("k") else None

    def _code(self, chat: int, payload: str) -> str:
        digest = hmac.new(self._key, f"{chat}\n{payload}".encode("utf-8", "replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:18]).decode()


class TelegramOutput(OutputChannel):
    """Sends replies to one chat.

    Args:
        bot: for Telegram's Bot API.
        presses: what makes and later reads the data of buttons.
        chat: where to send; without it the chat is read from the conversation's id.
        topic: the topic of a forum-like group to answer in.
        pressed: title of the button that is answered.
    """

    #: Whether the last reply went out whole, and whether it said that the conversation is forgotten.
    complete = False
    forgets = False

    def __init__(
        self,
        bot: Bot,
        presses: Presses,
        chat: Optional[int] = None,
        topic: Optional[int] = None,
        pressed: str = "",
    ) -> None:
        super().__init__()
        self._bot = bot
        self._presses = presses
        self._chat = chat
        self._topic = topic
        self._pressed = pressed

    @classmethod
    def name(cls) -> str:
        """As in the channel's address, `/webhooks/telegram/webhook`."""
        return "telegram"

    async def send_response(self, recipient_id: str, message: Dict[str, Any]) -> None:
        """Sends a reply, rendered from its metadata; from its text if it has none.

        Raises:
            TelegramError: Telegram can't be reached or does not take it.
        """
        self.complete = False
        self.forgets = bool((message.get("metadata") or {}).get("forget"))
        chat = self._chat if self._chat is not None else _chat_of(recipient_id)
        parts = messages(message, self._pressed)
        for markup, text, buttons in parts:
            await self._send(chat, markup, text, buttons)
        self.complete = bool(parts)

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        """Sends a plain text in one message, blank lines included."""
        await self.send_response(recipient_id, {**kwargs, "text": text})

    async def _send(self, chat: int, markup: str, text: str, buttons: Tuple[Button, ...]) -> None:
        keyboard = [
            [
                InlineKeyboardButton(
                    shortened(b.title, MOST_IN_TITLE), callback_data=self._presses.data_for(chat, b.payload)
                )
            ]
            for b in buttons
        ]
        try:
            await self._post(
                chat,
                text=markup,
                parse_mode=ParseMode.HTML,
                reply_markup=InlineKeyboardMarkup(keyboard) if keyboard else None,
            )
        except BadRequest as error:
            # Nothing in the mark-up should be refused; if something is, the words still go out.
            logger.error("telegram: sendMessage was refused: %s", error.message)
            words = "\n".join([text, *(f"• {b.title}" for b in buttons)])
            for part in split(words, MOST_TEXT, utf16_length):
                await self._post(chat, text=part)

    async def _post(self, chat: int, **message: Any) -> None:
        """Sends one message; waits when Telegram asks for it, tries again when it was not reached."""
        for attempt in range(4):
            try:
                await self._bot.send_message(
                    chat,
                    message_thread_id=self._topic,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    **message,
                )
                return
            except ChatMigrated as error:
                chat = self._chat = error.new_chat_id
            except RetryAfter as error:
                if attempt == 3:
                    raise
                await asyncio.sleep(min(float(error.retry_after), 30.0))
            except NetworkError as error:
                # After a time-out the message may well have arrived; to send it twice would not help.
                if attempt == 3 or isinstance(error, (BadRequest, TimedOut)):
                    raise
                await asyncio.sleep(0.5 * 2**attempt)


def _chat_of(conversation: str) -> int:
    parts = conversation.split(":")
    return int(parts[1] if parts[0] == "telegram" else conversation)


class TelegramInput(InputChannel):
    """Receives Telegram's updates through a webhook, which it registers by itself.

    Args:
        access_token: the bot's token, from BotFather.
        webhook_url: where Telegram finds us: `https://.../webhooks/telegram/webhook`.
        webhook_secret: what Telegram must send along to be believed.
        api_url: the Bot API, if it is not Telegram's own (a self-hosted one, or what stands in for it).
        proxy: an HTTP proxy for calls to Telegram.
        disclaimer: closes the channel's own sentences ("I can only read text").
        seconds: after this time a turn is given up with an apology.
        pauses: first and longest pause, in seconds, between attempts to register the webhook.
        seen: what was delivered before.
        pace: how many messages a minute one person may send.
    """

    def __init__(
        self,
        access_token: str,
        webhook_url: str,
        webhook_secret: str,
        api_url: Optional[str] = None,
        proxy: Optional[str] = None,
        disclaimer: Optional[str] = None,
        seconds: float = 60.0,
        pauses: Tuple[float, float] = (2.0, 300.0),
        seen: Optional[Seen] = None,
        pace: Optional[Pace] = None,
    ) -> None:
        _hide_in_logs(access_token)
        self._number = access_token.partition(":")[0]
        self._webhook_url = webhook_url
        self._secret = webhook_secret
        self._disclaimer = disclaimer or DISCLAIMER
        self._seconds = seconds
        self._pauses = pauses
        self._seen = seen or Seen()
        self._pace = pace
        self._turns: Optional[Turns] = None
        self._registering: Optional[asyncio.Task[None]] = None
        self._registered = False
        self._requests = [HTTPXRequest(connection_pool_size=n, pool_timeout=10.0, proxy=proxy) for n in (1, 64)]
        self._bot = Bot(
            access_token,
            base_url=f"{(api_url or API_URL).rstrip('/')}/bot",
            get_updates_request=self._requests[0],
            request=self._requests[1],
        )
        self._presses = Presses(hashlib.sha256(f"presses {access_token} {webhook_secret}".encode()).digest())

    @classmethod
    def name(cls) -> str:
        """As in the channel's address, `/webhooks/telegram/webhook`."""
        return "telegram"

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[str, Any]]) -> TelegramInput:
        """Reads `access_token`, `webhook_url` and `webhook_secret`, and the other arguments that are there.

        Raises:
            InvalidConfigException: one is missing or not what it should be; names the environment variable.
        """
        token = setting(credentials, "access_token", "TELEGRAM_BOT_TOKEN", "Telegram's bot token", GUIDE)
        url = setting(credentials, "webhook_url", "TELEGRAM_WEBHOOK_URL", "The webhook's public address", GUIDE)
        secret = setting(credentials, "webhook_secret", "TELEGRAM_WEBHOOK_SECRET", "The webhook's secret", GUIDE)
        others = credentials or {}
        problem = ""
        if not re.fullmatch(r"\d+:[\w-]+", token, re.ASCII):
            problem = "TELEGRAM_BOT_TOKEN is not a bot token: one looks like 123456:ABC-def"
        elif urlsplit(url).scheme != "https" and not others.get("api_url"):
            problem = "TELEGRAM_WEBHOOK_URL must begin with https://; Telegram calls nothing else"
        elif not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", secret):
            problem = "TELEGRAM_WEBHOOK_SECRET must be 16 to 256 letters, digits, _ or -"
        if problem:
            raise InvalidConfigException(f"{problem}. {GUIDE} says more.")
        return cls(
            token,
            url,
            secret,
            others.get("api_url"),
            others.get("proxy"),
            others.get("disclaimer"),
            seen=others.get("seen"),
            pace=others.get("pace"),
        )

    def get_output_channel(self) -> TelegramOutput:
        """For messages that nobody asked for; they go to the conversation's own chat."""
        return TelegramOutput(self._bot, self._presses)

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """`GET /` says whether the webhook is registered; Telegram posts updates to `/webhook`."""
        blueprint = Blueprint("telegram_webhook")
        turns = self._turns = Turns(on_new_message, self._seconds, self._pace)

        @blueprint.get("/")
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok", "webhook": "registered" if self._registered else "not yet"})

        @blueprint.post("/webhook")
        async def webhook(request: Request) -> HTTPResponse:
            return await self._receive(request)

        async def start(_: Sanic, loop: asyncio.AbstractEventLoop) -> None:
            self._registering = loop.create_task(self._register())

        async def stop(_: Sanic, __: asyncio.AbstractEventLoop) -> None:
            if self._registering:
                self._registering.cancel()
            await turns.finish()
            for request in self._requests:
                await request.shutdown()

        blueprint.listener("after_server_start")(start)
        blueprint.listener("before_server_stop")(stop)
        return blueprint

    async def _register(self) -> None:
        """Tells Telegram where we are, as often as it takes; other channels answer meanwhile."""
        pause, longest = self._pauses
        said = ""
        while not self._registered:
            wait = pause
            try:
                await self._bot.set_webhook(
                    self._webhook_url, secret_token=self._secret, allowed_updates=ALLOWED_UPDATES
                )
                self._registered = True
                logger.info("telegram: the webhook is registered")
                return
            except RetryAfter as error:
                wait, problem = float(error.retry_after), "it asks us to wait"
            except InvalidToken:
                problem = f"TELEGRAM_BOT_TOKEN is not a token that it knows ({GUIDE})"
            except BadRequest as error:
                problem = f"{error.message} (is TELEGRAM_WEBHOOK_URL right? {GUIDE})"
            except TelegramError as error:
                problem = f"it can't be reached ({type(error).__name__})"
            except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
                problem = described(error)
            if problem != said:
                logger.warning("telegram: the webhook is not registered: %s. Trying again until it is.", problem)
                said = problem
            await asyncio.sleep(wait)
            pause = min(pause * 2, longest)

    async def _receive(self, request: Request) -> HTTPResponse:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._secret.encode()):
            logger.warning("telegram: refused a call without the webhook's secret")
            return response.json({"error": "not from Telegram"}, status=401)
        try:
            update = json.loads(request.body)
            number = int(update["update_id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return response.json({"error": "not an update"}, status=400)
        if await self._seen.first_anywhere(f"update {self._number} {number}"):
            if isinstance(update.get("message"), dict):
                self._receive_message(update["message"], number)
            elif isinstance(update.get("callback_query"), dict):
                self._receive_press(update["callback_query"], number)
        return response.empty(status=200)

    def _receive_message(self, message: Dict[str, Any], number: int) -> None:
        sender = _object(message, "from")
        incoming = self._message(message, sender, number)
        if incoming is None or sender.get("is_bot"):
            return
        text = str(message.get("text") or message.get("caption") or "")
        if _START.fullmatch(text):
            incoming.text = "/greet"
        elif _HELP.fullmatch(text):
            incoming.text = "/help"
        else:
            text = typed(_BOT_NAME.sub(" ", text) if _is_group(message) else text)
            incoming.text = text
        if incoming.text:
            self._answer(incoming)
        elif "text" in message or (_NOT_TEXT & message.keys() and not _is_group(message)):
            self._reply(incoming, TEXT_ONLY)

    def _receive_press(self, query: Dict[str, Any], number: int) -> None:
        assert self._turns is not None
        # Until this is answered the button shows a spinner.
        self._turns.run(self._acknowledge(str(query.get("id"))))
        below, data = _object(query, "message"), query.get("data")
        title = _title_of(below, data)
        incoming = self._message(below, _object(query, "from"), number, title)
        if incoming is None:
            return
        payload = self._presses.payload_of(_object(below, "chat")["id"], data) if isinstance(data, str) else None
        # A payload that is no longer known: what stood on the button is a question too.
        incoming.text = payload or typed(title)
        if incoming.text:
            self._answer(incoming)
        else:
            self._reply(incoming, EXPIRED)

    async def _acknowledge(self, query: str) -> None:
        try:
            await self._bot.answer_callback_query(query)
        except BadRequest as error:  # too old: it has no spinner any more
            logger.debug("telegram: answerCallbackQuery was refused: %s", error.message)

    def _message(
        self, message: Dict[str, Any], sender: Dict[str, Any], number: int, pressed: str = ""
    ) -> Optional[UserMessage]:
        """An empty message from this person in this chat; None if the chat is none that we answer in."""
        chat = _object(message, "chat")
        number_of_chat, kind = chat.get("id"), chat.get("type")
        if not isinstance(number_of_chat, int) or kind not in ("private", "group", "supergroup"):
            return None
        topic = message.get("message_thread_id") if message.get("is_topic_message") else None
        # In a group everyone has a conversation of their own, apart from the one in private.
        conversation = f"telegram:{number_of_chat}" + ("" if kind == "private" else f":{sender.get('id')}")
        output = TelegramOutput(self._bot, self._presses, number_of_chat, topic, pressed)
        return UserMessage("", output, conversation, input_channel=self.name(), message_id=str(number))

    def _answer(self, message: UserMessage) -> None:
        assert self._turns is not None
        person = message.sender_id.rpartition(":")[2]  # in private and in every group
        self._turns.answer(message, self._disclaimer, f"telegram:{person}")

    def _reply(self, message: UserMessage, sentence: str) -> None:
        assert self._turns is not None
        self._turns.reply(message, own_reply(sentence, self._disclaimer, "clarify"))


def _is_group(message: Dict[str, Any]) -> bool:
    return _object(message, "chat").get("type") != "private"


def _title_of(message: Dict[str, Any], data: Any) -> str:
    """What stood on a pressed button, as far as Telegram still has the message."""
    rows = _object(message, "reply_markup").get("inline_keyboard")
    buttons = [b for row in rows if isinstance(row, list) for b in row] if isinstance(rows, list) else []
    return next((str(b.get("text")) for b in buttons if isinstance(b, dict) and b.get("callback_data") == data), "")


def _object(holder: Dict[str, Any], key: str) -> Dict[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, dict) else {}
