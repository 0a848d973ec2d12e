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
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

import httpx
from rasa.core.channels.channel import UserMessage
from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from channels.rendering import MORE, in_full, pack, shortened, split, utf16_length, web_address
from channels.seen import PRESSED_SECONDS, SHOWN_SECONDS, Seen
from channels.service import ChatService, Setting, inside, read_object
from channels.turns import ALARMS, Output, Undeliverable, described
from channels.words import TEXT_ONLY, typed
from facts.drawings import Drawing
from replies.contract import Button, Content

logger = logging.getLogger(__name__)

API_URL = "https://api.telegram.org"
ALLOWED_UPDATES = ["message", "callback_query"]
EXPIRED = "I am sorry, I can't tell any more what that button stood for. Please type your question."

MOST_TEXT = 4096  # of what is shown, in UTF-16 units
MOST_IN_CAPTION = 1024
MOST_IN_TAIL = 1000
MOST_BUTTONS = 100
MOST_IN_TITLE = 60  # longer ones end in … on a phone, so they are written out above
MOST_CALLBACK_BYTES = 64

_COMMAND = re.compile(r"/(?P<name>\w+)(?:@(?P<bot>\w+))?(?P<rest>\s.*)?", re.ASCII | re.DOTALL)
#: Commands of ours, as BotFather lists them; `/start` comes with a word from a link.
_COMMANDS = {"start": "/greet", "help": "/help"}
_FROM_LINK = re.compile(r"\s*[\w-]{0,64}\s*", re.ASCII)
#: What Telegram itself says in a private chat; anything else without text a person sent.
_NEWS = re.compile(
    r"new_chat_\w+|left_chat_member|delete_chat_photo|\w+_chat_created|message_auto_delete_timer_changed|pinned_message"
    r"|migrate_\w+|\w+_payment|\w+_shared|connected_website|write_access_allowed|passport_data|boost_added"
    r"|chat_background_set|checklist_tasks_\w+|\w+_message_price_changed|\w*forum_topic_\w+|giveaway\w*"
    r"|suggested_post_\w+|video_chat_\w+|web_app_data|proximity_alert_triggered"
)
#: Nothing can be sent there, an apology neither.
_CLOSED = re.compile(
    r"TOPIC_(?:CLOSED|DELETED)|CHAT_(?:WRITE_FORBIDDEN|RESTRICTED)|PEER_ID_INVALID|chat not found|thread not found"
    r"|rights|deactivated",
    re.IGNORECASE,
)


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


def messages(content: Content, pressed: str = "") -> List[Tuple[str, str, Tuple[Button, ...]]]:
    """A reply as Telegram messages (HTML, the same as plain text, buttons): nearly always one.

    Every one ends with the disclaimer; the buttons are below the last.

    Args:
        pressed: title of the button that asked for it, to stand above: Telegram itself does not show a press.
    """
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
    pieces = _plain(content.paragraphs)
    for row in content.comparison:
        cells = [f"<b>{escaped(name)}:</b> {escaped(text)}" for name, text in row.cells]
        pieces += _marked("\n".join([f"<b>{escaped(row.aspect)}</b>", *cells]), row.text)
    for n, source in enumerate(content.sources, 1):
        url = web_address(source.url)
        if url:
            shown = f"{source.name}{source.detail}"
            markup = f'<a href="{html.escape(url)}">{escaped(source.name)}</a>{escaped(source.detail)}'
        else:
            shown, markup = source.text, escaped(source.text)
        first = ("<b>Sources</b>\n", "Sources\n") if n == 1 else ("", "")
        gap = "\n\n" if n == 1 else "\n"
        pieces += _marked(f"{first[0]}{n}. {markup}", f"{first[1]}{n}. {shown}", gap)
    return [*pieces, *_plain(content.review), *_plain(in_full(content, MOST_IN_TITLE))]


def caption(drawing: Drawing, disclaimer: str) -> str:
    """What stands below a drawing, as HTML. Telegram's pictures have no text alternative, so it is said here."""
    credit = drawing.credit(lambda url, name: f'<a href="{html.escape(web_address(url))}">{escaped(name)}</a>')
    in_words = f"The picture in words: {drawing.description}"
    pieces = [
        _Piece(f"<b>{escaped(drawing.title)}</b>", drawing.title),
        _Piece(f"{escaped(drawing.caption)} {credit}", f"{drawing.caption} {drawing.credit(lambda _, name: name)}"),
        _Piece(escaped(in_words), in_words),
    ]
    whole = [*pieces, _Piece(f"<i>{escaped(disclaimer)}</i>", disclaimer)] if disclaimer else pieces
    fits = utf16_length(_joined(whole, "text")) <= MOST_IN_CAPTION
    return _joined(whole if fits else pieces, "html")  # the answer above ends with it too


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


class TelegramOutput(Output):
    """Sends replies to one chat.

    Args:
        bot: for Telegram's Bot API.
        presses: what makes and later reads the data of buttons.
        chat: where to send; without it the chat is read from the conversation's id.
        topic: the topic of a forum-like group to answer in.
        quoted: number of the message to quote.
        pressed: title of the button that is answered.
        seen: what was shown before.
    """

    def __init__(
        self,
        bot: Bot,
        presses: Presses,
        chat: Optional[int] = None,
        topic: Optional[int] = None,
        quoted: Optional[int] = None,
        pressed: str = "",
        seen: Optional[Seen] = None,
    ) -> None:
        super().__init__()
        self._seen = seen or Seen()
        self._bot = bot
        self._presses = presses
        self._chat = chat
        self._topic = topic
        self._quoted = quoted
        self._pressed = pressed

    @classmethod
    def name(cls) -> str:
        return "telegram"

    async def deliver(self, recipient_id: str, content: Content) -> bool:
        """Sends a reply.

        Raises:
            TelegramError: Telegram can't be reached or does not take it.
            Undeliverable: it takes nothing there.
        """
        chat = self._chat if self._chat is not None else _chat_of(recipient_id)
        parts = messages(content, self._pressed)
        for markup, text, buttons in parts:
            await self._send(chat, markup, text, buttons)
        return bool(parts)

    async def show(self, recipient_id: str, drawing: Drawing, disclaimer: str) -> None:
        """Sends a drawing, once: it is not worth a second try.

        Raises:
            TelegramError: Telegram can't be reached or does not take it.
        """
        chat = self._chat if self._chat is not None else _chat_of(recipient_id)
        if not await self._seen.first(f"drawing {chat} {drawing.name}", seconds=SHOWN_SECONDS):
            return
        await self._bot.send_photo(
            chat,
            drawing.png,
            filename=f"{drawing.name}.png",
            caption=caption(drawing, disclaimer),
            parse_mode=ParseMode.HTML,
            message_thread_id=self._topic,
            disable_notification=True,  # the answer before it was one
        )

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
            if _CLOSED.search(error.message):
                raise Undeliverable(error.message) from error
            # Nothing in the mark-up should be refused; if something is, the words still go out.
            logger.error("telegram: sendMessage was refused: %s", error.message)
            words = "\n".join([text, *(f"• {b.title}" for b in buttons)])
            for part in split(words, MOST_TEXT, utf16_length):
                await self._post(chat, text=part)

    async def _post(self, chat: int, **message: Any) -> None:
        """Sends one message; waits when Telegram asks for it, tries again when it was surely not reached."""
        quoted = ReplyParameters(self._quoted, allow_sending_without_reply=True) if self._quoted else None
        for attempt in range(4):
            try:
                await self._bot.send_message(
                    chat,
                    message_thread_id=self._topic,
                    link_preview_options=LinkPreviewOptions(is_disabled=True),
                    reply_parameters=quoted,
                    **message,
                )
            except ChatMigrated as error:
                chat = self._chat = error.new_chat_id
                continue
            except RetryAfter as error:
                if attempt == 3:
                    raise
                await asyncio.sleep(min(float(error.retry_after), 30.0))
                continue
            except Forbidden as error:
                raise Undeliverable(error.message) from error
            except (BadRequest, InvalidToken):
                raise
            except Exception as error:
                if _never_arrived(error):
                    if attempt == 3:
                        raise
                    await asyncio.sleep(0.5 * 2**attempt)
                    continue
                # Twice would be wrong, but for a cry for help, where never would be worse.
                logger.warning("telegram: no answer came to a message, which may be there (%s)", described(error))
                if self.said and self.said.outcome in ALARMS and attempt == 0 and isinstance(error, TelegramError):
                    continue
            self._quoted = None  # of several messages the first quotes
            return


def _never_arrived(error: Exception) -> bool:
    unreached = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    return isinstance(error, NetworkError) and (
        isinstance(error.__cause__, unreached) or "503" in error.message or "Service Unavailable" in error.message
    )


def _chat_of(conversation: str) -> int:
    parts = conversation.split(":")
    return int(parts[1] if parts[0] == "telegram" else conversation)


class TelegramInput(ChatService):
    """Receives Telegram's updates through a webhook, which it registers by itself.

    In a group it answers what is meant for it alone: its commands, mentions of it, replies to it.

    Args:
        access_token: the bot's token, from BotFather.
        webhook_url: where Telegram finds us: `https://.../webhooks/telegram/webhook`.
        webhook_secret: what Telegram must send along to be believed.
        api_url: the Bot API, if it is not Telegram's own (a self-hosted one, or what stands in for it).
        proxy: an HTTP proxy for calls to Telegram.
        pauses: first and longest pause, in seconds, between attempts to register the webhook.
    """

    SETTINGS = (
        Setting("access_token", "BOT_TOKEN", "Telegram's bot token"),
        Setting("webhook_url", "WEBHOOK_URL", "The webhook's public address"),
        Setting("webhook_secret", "WEBHOOK_SECRET", "The webhook's secret"),
        Setting("api_url", "API_URL"),
    )

    def __init__(
        self,
        access_token: str,
        webhook_url: str,
        webhook_secret: str,
        api_url: Optional[str] = None,
        proxy: Optional[str] = None,
        pauses: Tuple[float, float] = (2.0, 300.0),
        **more: Any,
    ) -> None:
        super().__init__(**more)
        _hide_in_logs(access_token)
        self._number = int(access_token.partition(":")[0])
        self._mention: Optional[re.Pattern[str]] = None  # known once Telegram has told our name
        self._webhook_url = webhook_url
        self._secret = webhook_secret
        self._pauses = pauses
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
    def problem_with(cls, given: Dict[str, Any]) -> str:
        if not re.fullmatch(r"\d+:[\w-]+", given["access_token"], re.ASCII):
            return "TELEGRAM_BOT_TOKEN is not a bot token: one looks like 123456:ABC-def"
        if urlsplit(given["webhook_url"]).scheme != "https" and not given.get("api_url"):
            return "TELEGRAM_WEBHOOK_URL must begin with https://; Telegram calls nothing else"
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", given["webhook_secret"]):
            return "TELEGRAM_WEBHOOK_SECRET must be 16 to 256 letters, digits, _ or -"
        return ""

    def get_output_channel(self) -> TelegramOutput:
        """For messages that nobody asked for; they go to the conversation's own chat."""
        return TelegramOutput(self._bot, self._presses, seen=self.seen)

    def health(self) -> Dict[str, str]:
        return {"status": "ok", "webhook": "registered" if self._registered else "not yet"}

    async def started(self) -> None:
        """Tells Telegram where we are, as often as it takes; other channels answer meanwhile."""
        pause, longest = self._pauses
        said = ""
        while not self._registered:
            wait = pause
            try:
                name = (await self._bot.get_me()).username
                self._mention = re.compile(rf"@{re.escape(name or '')}\b", re.IGNORECASE) if name else None
                await self._bot.set_webhook(
                    self._webhook_url, secret_token=self._secret, allowed_updates=ALLOWED_UPDATES
                )
                self._registered = True
                logger.info("telegram: the webhook is registered")
                return
            except RetryAfter as error:
                wait, problem = float(error.retry_after), "it asks us to wait"
            except InvalidToken:
                problem = f"TELEGRAM_BOT_TOKEN is not a token that it knows ({self.guide()})"
            except BadRequest as error:
                problem = f"{error.message} (is TELEGRAM_WEBHOOK_URL right? {self.guide()})"
            except TelegramError as error:
                problem = f"it can't be reached ({type(error).__name__})"
            except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
                problem = described(error)
            if problem != said:
                logger.warning("telegram: the webhook is not registered: %s. Trying again until it is.", problem)
                said = problem
            await asyncio.sleep(wait)
            pause = min(pause * 2, longest)

    async def stopped(self) -> None:
        for request in self._requests:
            await request.shutdown()

    async def receive(self, request: Request) -> HTTPResponse:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self._secret.encode()):
            logger.warning("telegram: refused a call without the webhook's secret")
            return response.json({"error": "not from Telegram"}, status=401)
        try:
            update = read_object(request.body)
            number = int(update["update_id"])
        except (ValueError, TypeError, KeyError):
            return response.json({"error": "not an update"}, status=400)
        if await self.seen.first(f"update {self._number} {number}"):
            if isinstance(update.get("message"), dict):
                self._receive_message(update["message"], number)
            elif isinstance(update.get("callback_query"), dict):
                await self._receive_press(update["callback_query"], number)
        return response.empty(status=200)

    def _receive_message(self, message: Dict[str, Any], number: int) -> None:
        who = _who(message, inside(message, "from"))
        incoming = self._message(message, who, number)
        text = str(message.get("text") or message.get("caption") or "")
        # A linked channel's own posts appear in its group as messages.
        if incoming is None or message.get("is_automatic_forward") or not self._is_for_us(message, text):
            return
        person = f"telegram:{who}"
        command = _COMMAND.fullmatch(text)
        if command and command["name"] in _COMMANDS and _FROM_LINK.fullmatch(command["rest"] or ""):
            self.press(incoming, person, _COMMANDS[command["name"]])
            return
        words = typed(text)
        if self._mention and _is_group(message):
            words = typed(re.sub(r"[ \t]{2,}", " ", self._mention.sub(" ", text)))
        if words:
            incoming.text = words
            self.answer(incoming, person)
        elif _is_group(message) and text:  # mentioned, and nothing said
            self.press(incoming, person, "/greet")
        elif text or not any(_NEWS.fullmatch(key) for key in message):
            self.say(incoming, TEXT_ONLY)

    def _is_for_us(self, message: Dict[str, Any], text: str) -> bool:
        """Whether it is meant for us; in private everything is."""
        if not _is_group(message):
            return True
        command = _COMMAND.fullmatch(text)
        if command and command["bot"]:
            return bool(self._mention and self._mention.fullmatch(f"@{command['bot']}"))
        if inside(message, "reply_to_message", "from").get("id") == self._number:
            return bool(text)
        marks = [m for key in ("entities", "caption_entities") for m in message.get(key) or () if isinstance(m, dict)]
        named = any(inside(mark, "user").get("id") == self._number for mark in marks)
        ours = bool(command and command["name"] in _COMMANDS)
        return named or ours or bool(self._mention and self._mention.search(text))

    async def _receive_press(self, query: Dict[str, Any], number: int) -> None:
        # Until this is answered the button shows a spinner.
        self.run(self._acknowledge(str(query.get("id"))))
        below, data = inside(query, "message"), query.get("data")
        title = _title_of(below, data)
        who = inside(query, "from").get("id")
        chat = inside(below, "chat").get("id")
        incoming = self._message(below, who, number, title)
        button = f"button {who} {chat} {below.get('message_id')} {data}"
        if incoming is None or not await self.seen.first(button, seconds=PRESSED_SECONDS):
            return
        payload = self._presses.payload_of(int(chat or 0), data) if isinstance(data, str) else None
        if payload is not None:
            self.press(incoming, f"telegram:{who}", payload)
        elif typed(title):
            # A payload that is no longer known: what stood on the button is a question too.
            incoming.text = typed(title)
            self.answer(incoming, f"telegram:{who}", "")
        else:
            self.say(incoming, EXPIRED)

    async def _acknowledge(self, query: str) -> None:
        try:
            await self._bot.answer_callback_query(query)
        except BadRequest as error:  # too old: it has no spinner any more
            logger.debug("telegram: answerCallbackQuery was refused: %s", error.message)

    def _message(self, message: Dict[str, Any], who: Any, number: int, pressed: str = "") -> Optional[UserMessage]:
        """An empty message of somebody in this chat; None if there is nobody, or the chat is none that we answer in."""
        chat = inside(message, "chat")
        number_of_chat, kind = chat.get("id"), chat.get("type")
        if who is None or not isinstance(number_of_chat, int) or kind not in ("private", "group", "supergroup"):
            return None
        topic = message.get("message_thread_id") if message.get("is_topic_message") else None
        # In a group everyone has a conversation of their own, apart from the one in private, and sees what is answered.
        conversation, quoted = f"telegram:{number_of_chat}", None
        if kind != "private":
            conversation, quoted = f"{conversation}:{who}", message.get("message_id")
        output = TelegramOutput(self._bot, self._presses, number_of_chat, topic, quoted, pressed, self.seen)
        return self.message("", output, conversation, str(number))


def _who(message: Dict[str, Any], sender: Dict[str, Any]) -> Optional[int]:
    """Who wrote: a person, or the chat as which a person writes (their channel, an anonymous administrator)."""
    return inside(message, "sender_chat").get("id") or (None if sender.get("is_bot") else sender.get("id"))


def _is_group(message: Dict[str, Any]) -> bool:
    return inside(message, "chat").get("type") != "private"


def _title_of(message: Dict[str, Any], data: Any) -> str:
    """What stood on a pressed button, as far as Telegram still has the message."""
    rows = inside(message, "reply_markup").get("inline_keyboard")
    buttons = [b for row in rows if isinstance(row, list) for b in row] if isinstance(rows, list) else []
    return next((str(b.get("text")) for b in buttons if isinstance(b, dict) and b.get("callback_data") == data), "")
