"""Slack: questions by direct message or mention, answers as blocks. Set-up is in docs/slack.md.

channels.slack.SlackInput:
  slack_token: ${SLACK_BOT_TOKEN}
  slack_signing_secret: ${SLACK_SIGNING_SECRET}
"""

from __future__ import annotations

import html
import json
import logging
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple
from urllib.parse import parse_qs

import aiohttp
from sanic import response
from sanic.request import Request
from sanic.response import HTTPResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from channels.rendering import MORE, in_full, pack, shortened, split, web_address
from channels.seen import PRESSED_SECONDS, SHOWN_SECONDS, Seen
from channels.service import ChatService, Setting, inside, read_object
from channels.turns import ALARMS, Output, Undeliverable
from channels.words import TEXT_ONLY, typed
from facts.drawings import Drawing
from replies.contract import Button, Citation, Content, Row

logger = logging.getLogger(__name__)
# slack_sdk writes whole requests, and so what people were told, to a logger at debug level.
_http_logger = logging.getLogger(f"{__name__}.http")
_http_logger.setLevel(logging.INFO)

MOST_TEXT = 4000  # longer is refused (msg_too_long)
MOST_IN_SECTION = 3000
MOST_IN_TAIL = 900  # a section and a disclaimer together stay within MOST_TEXT
MOST_BLOCKS = 50
MOST_IN_BLOCKS = 10_000  # in sum; somewhat above that Slack refuses (msg_blocks_too_long)
MOST_IN_TITLE = 75
MOST_IN_VALUE = 2000
BUTTONS_IN_ROW = 5

_BLOCKS_REFUSED = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
#: Nothing can be posted there, an apology neither.
_CLOSED = {"channel_not_found", "is_archived", "is_inactive", "not_in_channel", "restricted_action"}
#: Slack failed, and may have posted before.
_UNSURE = {"fatal_error", "internal_error"}
_READ_SUBTYPES = {None, "file_share", "thread_broadcast", "me_message"}
_FORMATTING = re.compile(r"(?<![\w*_~`])([*_~`])(?=\S)(?=[^\n]*?\S\1(?!\w))")
# Operators and modifier letters that look the same and format nothing.
_LOOKALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}
_ADDRESS = re.compile(r"(https?://\S+)")
#: A name that others may know, no number and no service beside us.
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]+(?::\d+)?", re.IGNORECASE)
_ANGLE = re.compile(r"<([^<>]*)>")


def escaped(text: str) -> str:
    """A text as Slack shows it unchanged: `&<>` as entities, nothing that it would take for formatting."""

    def plain(part: str) -> str:
        part = _FORMATTING.sub(lambda m: _LOOKALIKE[m.group(1)], part)
        return re.sub(r"(?m)^>", "\u203a", part)

    parts = _ADDRESS.split(text)  # every second one is an address
    parts[::2] = [plain(part) for part in parts[::2]]
    return "".join(parts).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def question_in(text: str) -> str:
    """What a person wrote, without Slack's mark-up: no mentions, of links the label, entities undone."""

    def shown(match: re.Match[str]) -> str:
        target, _, label = match.group(1).partition("|")
        if target.startswith(("@", "!")):
            return " "
        return label or (target[1:] if target.startswith("#") else target)

    text = _ANGLE.sub(shown, text)
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return typed(re.sub(r"[ \t]{2,}", " ", text))


def words_of(event: Dict[str, Any]) -> str:
    """What somebody wrote or forwarded, as `text` would have it. Slack leaves that empty for some ways of writing."""
    text = str(event.get("text") or "")
    if question_in(text):
        return text
    shared = [a for a in event.get("attachments") or () if isinstance(a, dict)]
    written = "\n".join(_words(event.get("blocks")))
    forwarded = (
        str(a.get("text") or "") or "\n".join(_words(a.get("message_blocks") or a.get("blocks"))) for a in shared
    )
    return "\n".join(part for part in (text, written, *forwarded) if part.strip())


def _words(blocks: Any, depth: int = 8) -> Iterator[str]:
    """The lines of rich text and other blocks, in Slack's mark-up."""
    for block in blocks if isinstance(blocks, list) and depth else ():
        if not isinstance(block, dict):
            continue
        inner = block.get("elements")
        if isinstance(block.get("message"), dict):
            yield from _words(inside(block, "message").get("blocks"), depth - 1)
        elif block.get("type") in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
            yield "".join(_said(one) for one in inner if isinstance(one, dict)) if isinstance(inner, list) else ""
        elif isinstance(inner, list):
            yield from _words(inner, depth - 1)
        elif isinstance(block.get("text"), (str, dict)):
            text = block["text"]
            yield str(text.get("text") or "") if isinstance(text, dict) else text


def _said(element: Dict[str, Any]) -> str:
    kind = element.get("type")
    if kind == "user":
        return f"<@{element.get('user_id')}>"
    if kind == "emoji":
        return "".join(chr(int(c, 16)) for c in re.findall(r"\b[0-9a-f]{2,5}\b", str(element.get("unicode") or "")))
    return html.escape(str(element.get("text") or element.get("url") or ""), quote=False)


@dataclass(frozen=True)
class _Piece:
    """A block, and its words as plain text for the notification and the screen reader."""

    block: Dict[str, Any]
    text: str


def messages(content: Content, pressed: str = "") -> List[Dict[str, Any]]:
    """A reply as Slack messages (`text` and `blocks`): one, or more when Slack's limits ask for it.

    Every one ends with the disclaimer; the buttons are in the last.

    Args:
        pressed: title of the button that asked for it, to stand above: Slack itself does not show a press.
    """
    tail = _tail(content.disclaimer)
    body = _body(content)
    if pressed and body:
        body.insert(0, _section(pressed, f"*{_bold(pressed)}*"))
    if not tail and content.disclaimer:
        body += [_section(t) for t in _split(content.disclaimer, MOST_IN_SECTION)]
    buttons = _button_rows(content.buttons)
    if not body and not buttons:
        return []

    def fits(pieces: List[_Piece]) -> bool:
        whole = [*pieces, *tail]
        return (
            len(whole) <= MOST_BLOCKS
            and len(escaped(_text(whole))) <= MOST_TEXT
            and sum(_size(p.block) for p in whole) <= MOST_IN_BLOCKS
        )

    packed = pack(body, fits)
    # Buttons stand below the disclaimer, next to where one types.
    below: List[List[_Piece]] = [[] for _ in packed]
    for row in buttons:
        if not packed or not fits([*packed[-1], *below[-1], row]):
            packed.append([_section(MORE)])
            below.append([])
        below[-1].append(row)
    result = [
        {"text": escaped(_text([*pieces, *tail])), "blocks": [p.block for p in [*pieces, *tail, *rows]]}
        for pieces, rows in zip(packed, below, strict=True)
    ]
    whole = escaped("\n".join(part for part in (pressed, content.text) if part))
    if len(result) == 1 and content.text and len(whole) <= MOST_TEXT:
        result[0]["text"] = whole
    return result


def picture(drawing: Drawing, folder: str, disclaimer: str) -> Dict[str, Any]:
    """A drawing as a Slack message (`text` and `blocks`): the picture, what it means, the disclaimer.

    Args:
        folder: address under which Slack fetches it.
    """
    shown = {
        "type": "image",
        "image_url": f"{folder}/{drawing.name}.png",
        "alt_text": f"{drawing.title}. {drawing.description}",
        "title": {"type": "plain_text", "text": drawing.title, "emoji": False},
    }
    credit = drawing.credit(lambda url, name: f"<{web_address(url)}|{escaped(name)}>")
    meaning = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{escaped(drawing.caption)} {credit}"}]}
    pieces = [_Piece(shown, str(shown["alt_text"])), _Piece(meaning, drawing.caption), *_tail(disclaimer)]
    return {"text": escaped(_text(pieces)), "blocks": [piece.block for piece in pieces]}


def _body(content: Content) -> List[_Piece]:
    pieces = [_section(t) for t in _split(content.paragraphs, MOST_IN_SECTION)]
    for row in content.comparison:
        pieces += _row(row)
    lines = [_source(n, s) for n, s in enumerate(content.sources, 1)]
    heading = _Piece({}, "Sources")
    for group in pack([heading, *lines] if lines else [], _fit_in_section):
        marked = "\n".join(p.block.get("line", "*Sources*") for p in group)
        plain = "\n".join(p.text for p in group)
        if len(marked) <= MOST_IN_SECTION:
            pieces.append(_section(plain, marked))
        else:
            pieces += [_section(t) for t in _split(plain, MOST_IN_SECTION)]
    if content.review:
        pieces.append(_context(content.review))
    return pieces + [_section(t) for t in _split(in_full(content, MOST_IN_TITLE), MOST_IN_SECTION)]


def _fit_in_section(group: List[_Piece]) -> bool:
    return len("\n".join(p.block.get("line", "*Sources*") for p in group)) <= MOST_IN_SECTION


def _row(row: Row) -> List[_Piece]:
    marked = "\n".join([f"*{_bold(row.aspect)}*", *(f"*{_bold(n)}:* {escaped(t)}" for n, t in row.cells)])
    if row.aspect and len(marked) <= MOST_IN_SECTION:
        return [_section(row.text, marked)]
    return [_section(t) for t in _split(row.text, MOST_IN_SECTION)]


def _bold(text: str) -> str:
    """A text for between two asterisks."""
    return escaped(text.replace("\n", " ").replace("*", "\u2217"))


def _source(number: int, source: Citation) -> _Piece:
    label = escaped(source.name.replace("\n", " ")).replace("|", "¦")
    url = web_address(source.url)
    if url:
        url = url.replace("&", "&amp;").replace("|", "%7C")
        line = f"{number}. <{url}|{label}>{escaped(source.detail)}"
    else:
        line = f"{number}. {escaped(source.text)}"
    return _Piece({"line": line}, f"{number}. {source.text}")


def _split(text: str, limit: int) -> List[str]:
    return split(text, limit, lambda t: len(escaped(t)))


def _section(text: str, marked: Optional[str] = None) -> _Piece:
    """A section; `expand` keeps Slack from hiding its end behind "see more"."""
    markup = {"type": "mrkdwn", "text": escaped(text) if marked is None else marked}
    return _Piece({"type": "section", "text": markup, "expand": True}, text)


def _context(text: str) -> _Piece:
    return _Piece({"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(text)}]}, text)


def _tail(disclaimer: str) -> List[_Piece]:
    """The disclaimer for below every message; none if it is too long for that."""
    return [_context(disclaimer)] if disclaimer and len(escaped(disclaimer)) <= MOST_IN_TAIL else []


def _button_rows(buttons: Tuple[Button, ...]) -> List[_Piece]:
    elements = [
        {
            "type": "button",
            "action_id": f"ask_{n}",
            "text": {"type": "plain_text", "text": shortened(b.title, MOST_IN_TITLE), "emoji": False},
            "value": b.payload if len(b.payload) <= MOST_IN_VALUE else b.title[:MOST_IN_VALUE],
        }
        for n, b in enumerate(buttons)
    ]
    rows = pack(elements, lambda row: len(row) <= BUTTONS_IN_ROW and len(json.dumps(row)) <= MOST_IN_BLOCKS // 2)
    return [_Piece({"type": "actions", "elements": row}, "") for row in rows]


def _text(pieces: List[_Piece]) -> str:
    return "\n".join(p.text for p in pieces if p.text)


def _size(block: Dict[str, Any]) -> int:
    """Characters of a block as Slack counts them, or somewhat more."""
    return len(json.dumps(block, ensure_ascii=False))


class SlackOutput(Output):
    """Sends replies to one Slack conversation.

    Args:
        client: for Slack's Web API.
        channel: where to send; without it the place is read from the conversation's id.
        thread: the `ts` of the message below which to answer.
        pressed: title of the button that is answered.
        drawings: address of their folder, from which Slack fetches them; without it none is shown.
        seen: what was shown before.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        channel: Optional[str] = None,
        thread: Optional[str] = None,
        pressed: str = "",
        drawings: str = "",
        seen: Optional[Seen] = None,
    ) -> None:
        super().__init__()
        self._client = client
        self._drawings = drawings
        self._seen = seen or Seen()
        self._channel = channel
        self._thread = thread
        self._pressed = pressed

    @classmethod
    def name(cls) -> str:
        return "slack"

    async def deliver(self, recipient_id: str, content: Content) -> bool:
        """Posts a reply.

        Raises:
            SlackApiError: Slack does not take it. The reason is in the log.
            Undeliverable: it takes nothing there.
        """
        channel, thread = (self._channel, self._thread) if self._channel else _place(recipient_id)
        parts = messages(content, self._pressed)
        for part in parts:
            await self._post({"channel": channel, "unfurl_links": False, "unfurl_media": False, **part}, thread)
        return bool(parts)

    async def show(self, recipient_id: str, drawing: Drawing, disclaimer: str) -> None:
        """Posts a drawing, in a message of its own: Slack refuses all of one whose picture it can't fetch."""
        channel, thread = (self._channel, self._thread) if self._channel else _place(recipient_id)
        if not self._drawings or not await self._seen.first(f"drawing {channel} {drawing.name}", seconds=SHOWN_SECONDS):
            return
        post: Dict[str, Any] = {"channel": channel, "unfurl_links": False, "unfurl_media": False, "thread_ts": thread}
        try:
            await self._client.chat_postMessage(**post, **picture(drawing, self._drawings, disclaimer))
        except SlackApiError as error:
            guide = f"can anyone open {self._drawings}? {SlackInput.guide()}"
            logger.warning("slack: a drawing was refused: %s (%s)", _reason(error), guide)

    async def _post(self, post: Dict[str, Any], thread: Optional[str]) -> None:
        if thread:
            post["thread_ts"] = thread
        try:
            try:
                await self._client.chat_postMessage(**post)
            except Exception as error:
                if not _may_be_there(error):
                    raise
                # Twice would be wrong, but for a cry for help, where never would be worse.
                logger.warning("slack: no answer came to a post, which may be there (%s)", type(error).__name__)
                if self.said and self.said.outcome in ALARMS:
                    await self._client.chat_postMessage(**post)
        except SlackApiError as error:
            reason = _reason(error)
            logger.error("slack: chat.postMessage was refused: %s%s", reason, _advice(reason))
            if reason in _CLOSED:
                raise Undeliverable(reason) from error
            if reason not in _BLOCKS_REFUSED:
                raise
            titles = [e["text"]["text"] for b in post.pop("blocks") for e in b.get("elements", []) if "value" in e]
            asks = "".join(f"\n• {escaped(t)}" for t in titles)
            await self._client.chat_postMessage(**{**post, "text": post["text"] + asks})


def _reason(error: SlackApiError) -> str:
    return str(error.response.get("error")) if isinstance(error.response, AsyncSlackResponse) else "no JSON"


def _may_be_there(error: Exception) -> bool:
    """Whether Slack may have posted a message although it did not say so."""
    if not isinstance(error, SlackApiError):
        return not isinstance(error, aiohttp.ClientConnectorError)
    answer = error.response
    if not isinstance(answer, AsyncSlackResponse):
        return True  # an answer that was cut off, or is none
    return answer.get("error") in _UNSURE or (answer.status_code >= 500 and answer.status_code != 503)


class _NotNowRetryHandler(AsyncServerErrorRetryHandler):
    """Asks again where Slack took nothing (503); after a 500 it may have posted."""

    async def _can_retry_async(self, *, response: Any = None, **_: Any) -> bool:
        return response is not None and response.status_code == 503


def _advice(reason: str) -> str:
    guide = SlackInput.guide()
    if reason in {"invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_authed"}:
        return f" (is SLACK_BOT_TOKEN that of the installed app? {guide})"
    if reason in {"missing_scope", "not_in_channel", "channel_not_found"}:
        return f" (are the scopes set and the app in that channel? {guide})"
    return ""


def _conversation(user: str, channel: str, thread: Optional[str]) -> str:
    """The conversation's id. What was asked in a direct message is not carried into a channel, nor back.

    Without the workspace: in a shared channel a press names the person's, an event the app's. People's ids differ.
    """
    return f"slack:{user}" if _is_direct(channel) else f"slack:{user}:{channel}:{thread or ''}"


def _place(conversation: str) -> Tuple[Optional[str], Optional[str]]:
    """Channel and thread of a conversation, from its id; a user's id stands for the direct message."""
    parts = conversation.split(":")
    if parts[0] != "slack" or len(parts) < 2:
        return conversation, None
    return (parts[2], parts[3] or None) if len(parts) > 3 else (parts[1], None)


def _is_direct(channel: str) -> bool:
    return channel.startswith("D")


class SlackInput(ChatService):
    """Receives Slack's events and button presses.

    Args:
        slack_token: the bot's token (`xoxb-...`).
        slack_signing_secret: proves that a call comes from Slack.
        api_url: Slack's Web API, or what stands in for it.
        proxy: an HTTP proxy for calls to Slack.
    """

    SETTINGS = (
        Setting("slack_token", "BOT_TOKEN", "Slack's bot token"),
        Setting("slack_signing_secret", "SIGNING_SECRET", "Slack's signing secret"),
        Setting("api_url", "API_URL"),
    )

    def __init__(
        self,
        slack_token: str,
        slack_signing_secret: str,
        api_url: Optional[str] = None,
        proxy: Optional[str] = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._drawings = ""
        self._verifier = SignatureVerifier(slack_signing_secret)
        self._client = AsyncWebClient(
            slack_token,
            base_url=api_url or AsyncWebClient.BASE_URL,
            proxy=proxy,
            logger=_http_logger,
            retry_handlers=[
                # Only where nothing can have arrived: a post must not stand there twice.
                AsyncConnectionErrorRetryHandler(max_retry_count=2, error_types=[aiohttp.ClientConnectorError]),
                AsyncRateLimitErrorRetryHandler(max_retry_count=3),
                _NotNowRetryHandler(max_retry_count=2),
            ],
        )

    @classmethod
    def problem_with(cls, given: Dict[str, Any]) -> str:
        return (
            ""
            if given["slack_token"].startswith("xoxb-")
            else "SLACK_BOT_TOKEN is not a bot token: it starts with xoxb-"
        )

    def get_output_channel(self) -> SlackOutput:
        """For messages that nobody asked for; they go to the conversation's own place."""
        return SlackOutput(self._client, drawings=self._drawings, seen=self.seen)

    async def receive(self, request: Request) -> HTTPResponse:
        if not self._is_from_slack(request):
            logger.warning("slack: refused a call that Slack did not sign (or more than five minutes ago)")
            return response.json({"error": "not signed by Slack, or too old"}, status=401)
        # Where Slack finds us it finds the pictures too; nobody need set an address for that.
        host = request.headers.get("host", "")
        self._drawings = f"https://{host}/chat/drawings" if _HOST.fullmatch(host) else ""
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        try:
            if kind == "application/x-www-form-urlencoded":
                return await self._receive_press(read_object(parse_qs(request.body.decode())["payload"][0]))
            if kind == "application/json":
                return await self._receive_event(read_object(request.body), request)
        except (ValueError, KeyError):
            return response.json({"error": "not JSON as Slack sends it"}, status=400)
        return response.json({"error": "expected application/json or a form"}, status=415)

    def _is_from_slack(self, request: Request) -> bool:
        try:
            return self._verifier.is_valid(
                request.body,
                request.headers.get("X-Slack-Request-Timestamp"),
                request.headers.get("X-Slack-Signature"),
            )
        except (ValueError, TypeError, OverflowError):  # a time that is none, a body that is no text, an odd signature
            return False

    async def _receive_event(self, body: Dict[str, Any], request: Request) -> HTTPResponse:
        if body.get("type") == "url_verification":
            return response.json({"challenge": body.get("challenge")})
        event = body.get("event")
        if not isinstance(event, dict) or not self._is_question(event, body):
            return _taken()
        channel, ts = str(event["channel"]), str(event.get("ts"))
        if not await self.seen.first(f"event {body.get('event_id') or ts}", f"message {channel} {ts}"):
            if "X-Slack-Retry-Num" in request.headers:
                logger.info("slack: an event came again (%s)", request.headers.get("X-Slack-Retry-Reason"))
            return _taken()
        text = question_in(words_of(event))
        thread = event.get("thread_ts") or (None if _is_direct(channel) else ts)
        message = self._message(event["user"], channel, thread, text)
        if not text and event.get("files"):
            self.say(message, TEXT_ONLY)
        elif not text:  # mentioned, and nothing said
            self.press(message, f"slack:{event['user']}", "/greet")
        else:
            self.answer(message, f"slack:{event['user']}")
        return _taken()

    @staticmethod
    def _is_question(event: Dict[str, Any], body: Dict[str, Any]) -> bool:
        """Whether a person wrote this to us: a direct message or a mention; no edit, no bot, not us."""
        ours = {a.get("user_id") for a in body.get("authorizations") or [] if isinstance(a, dict) and a.get("is_bot")}
        to_us = event.get("type") == "app_mention" or (
            event.get("type") == "message" and event.get("channel_type") == "im"
        )
        return bool(
            to_us
            and event.get("user")
            and event.get("channel")
            and event["user"] not in {"USLACKBOT", *ours}
            and event.get("subtype") in _READ_SUBTYPES
            and not event.get("bot_id")
            and not event.get("edited")
            and not event.get("hidden")
        )

    async def _receive_press(self, body: Dict[str, Any]) -> HTTPResponse:
        actions = body.get("actions")
        action = next((a for a in actions if isinstance(a, dict) and a.get("value")), None) if actions else None
        below, user = inside(body, "message"), inside(body, "user").get("id")
        channel = str(inside(body, "channel").get("id") or "")
        if body.get("type") != "block_actions" or not (action and channel and user):
            return _taken()
        button = f"{user} {channel} {below.get('ts')} {action.get('action_id')} {action['value']}"
        pressed_at = action.get("action_ts") or body.get("trigger_id")
        if not await self.seen.first(f"press {button} {pressed_at}") or not await self.seen.first(
            f"button {button}", seconds=PRESSED_SECONDS
        ):
            return _taken()
        thread = below.get("thread_ts") or (None if _is_direct(channel) else below.get("ts"))
        title = str(inside(action, "text").get("text") or "")
        self.press(self._message(user, channel, thread, "", title), f"slack:{user}", str(action["value"]))
        return _taken()

    def _message(self, user: Any, channel: str, thread: Optional[str], text: str, pressed: str = "") -> Any:
        output = SlackOutput(self._client, channel, thread, pressed, self._drawings, self.seen)
        return self.message(text, output, _conversation(str(user), channel, thread))


def _taken() -> HTTPResponse:
    """What Slack wants within three seconds, or it sends again."""
    return response.empty(status=200)
