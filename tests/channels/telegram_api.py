"""A stand-in of Telegram's Bot API: refuses what Telegram refuses, in Telegram's words."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "123456:AAH-test_token"
TAGS = {"b", "strong", "i", "em", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"}
KNOWN_UPDATES = {
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "inline_query",
    "channel_post",
}


class Refused(Exception):
    """With Telegram's description of it."""


def must(condition, description):
    if not condition:
        raise Refused(f"Bad Request: {description}")


class Parsed(HTMLParser):
    """A message's HTML as Telegram reads it."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.text, self.links, self._open = "", [], []
        # Python's parser is more lenient than Telegram's: a tag is well-formed, every other < an error.
        bare = re.sub(r"</?[a-z-]+(?: href=\"[^\"<>]*\")?>", "", markup)
        must("<" not in bare, "can't parse entities: unsupported start tag")
        self.feed(markup)
        self.close()
        must(
            not self._open,
            f"can't parse entities: Can't find end tag corresponding to start tag {self._open}",
        )

    def handle_starttag(self, tag, attrs):
        must(tag in TAGS, f'can\'t parse entities: Unsupported start tag "{tag}"')
        self._open.append(tag)
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag):
        must(self._open and self._open.pop() == tag, "can't parse entities: Unexpected end tag")

    def handle_data(self, data):
        self.text += data


class TelegramApi:
    """`sent` and `photos` hold what was accepted; `errors` are given out first: (status, body) per call.

    `answers` are given out in place of those to calls that were done: a response, or one that is cut off.
    """

    def __init__(self):
        self.sent, self.refused, self.webhooks, self.acknowledged, self.errors = [], [], [], [], []
        self.answers = []
        self.photos, self.takes_photos = [], True
        self.queries = set()
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self.call)
        self.server = TestServer(app)

    async def __aenter__(self):
        await self.server.start_server(access_log=None)
        return self

    async def __aexit__(self, *_):
        await self.server.close()

    @property
    def url(self):
        return str(self.server.make_url("")).rstrip("/")

    async def call(self, request):
        if request.match_info["token"] != TOKEN:
            return self.error(401, "Unauthorized")
        if self.errors:
            status, body = self.errors.pop(0)
            return web.json_response({"ok": False, "error_code": status, **body}, status=status)
        method = {
            "getMe": self.me,
            "sendMessage": self.send,
            "sendPhoto": self.send_photo,
            "setWebhook": self.webhook,
            "answerCallbackQuery": self.acknowledge,
        }
        if request.match_info["method"] not in method:
            return self.error(404, "Not Found")
        fields = await (request.json() if request.content_type == "application/json" else request.post())
        try:
            result = method[request.match_info["method"]](dict(fields))
        except Refused as error:
            self.refused.append(str(error))
            return self.error(400, str(error))
        if self.answers:
            answer = self.answers.pop(0)
            if answer == "close":
                request.transport.close()
                return web.Response()
            return answer
        return web.json_response({"ok": True, "result": result})

    @staticmethod
    def me(_):
        return {"id": int(TOKEN.partition(":")[0]), "is_bot": True, "first_name": "Answers", "username": "ms_als_bot"}

    @staticmethod
    def error(status, description):
        body = {"ok": False, "error_code": status, "description": description}
        return web.json_response(body, status=status)

    def send(self, fields):
        must(re.fullmatch(r"-?\d+", str(fields.get("chat_id", ""))), "chat not found")
        text = fields.get("text", "")
        parsed = Parsed(text) if fields.get("parse_mode") == "HTML" else None
        plain = parsed.text if parsed else text
        must(plain.strip(), "message text is empty")
        must(len(plain.encode("utf-16-le")) // 2 <= 4096, "message is too long")
        rows = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
        must(sum(map(len, rows)) <= 100, "reply markup is too long")
        for button in (b for row in rows for b in row):
            must(button.get("text"), "BUTTON_TEXT_EMPTY")
            must(1 <= len(button.get("callback_data", "").encode()) <= 64, "BUTTON_DATA_INVALID")
        self.sent.append(
            {
                "chat": int(fields["chat_id"]),
                "topic": fields.get("message_thread_id"),
                "quotes": json.loads(fields.get("reply_parameters", "{}")).get("message_id"),
                "text": plain,
                "links": parsed.links if parsed else [],
                "buttons": [b for row in rows for b in row],
                "preview": not json.loads(fields.get("link_preview_options", "{}")).get("is_disabled"),
            }
        )
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        return {"message_id": len(self.sent), "date": 1, "chat": chat, "text": plain}

    def send_photo(self, fields):
        must(re.fullmatch(r"-?\d+", str(fields.get("chat_id", ""))), "chat not found")
        must(self.takes_photos, "not enough rights to send photos to the chat")
        picture = fields["photo"].file.read()
        must(picture.startswith(b"\x89PNG"), "IMAGE_PROCESS_FAILED")
        parsed = Parsed(fields.get("caption", ""))
        must(len(parsed.text.encode("utf-16-le")) // 2 <= 1024, "message caption is too long")
        chat = {"id": int(fields["chat_id"]), "type": "private"}
        photo = {"chat": chat["id"], "topic": fields.get("message_thread_id"), "picture": picture}
        self.photos.append({**photo, "caption": parsed.text, "links": parsed.links})
        return {"message_id": 1, "date": 1, "chat": chat, "photo": []}

    def webhook(self, fields):
        must(
            fields.get("url", "").startswith("https://"),
            "bad webhook: An HTTPS URL must be provided for webhook",
        )
        secret = fields.get("secret_token", "")
        must(re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret), "secret token contains unallowed characters")
        updates = json.loads(fields.get("allowed_updates", "[]"))
        must(set(updates) <= KNOWN_UPDATES, "can't parse allowed updates")
        self.webhooks.append({"url": fields["url"], "secret": secret, "updates": updates})
        return True

    def acknowledge(self, fields):
        query = fields.get("callback_query_id", "")
        must(query in self.queries, "query is too old and response timeout expired or query ID is invalid")
        self.queries.discard(query)
        self.acknowledged.append(query)
        return True
