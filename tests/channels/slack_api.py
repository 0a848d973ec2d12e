"""A stand-in of Slack's Web API: refuses what Slack refuses, with Slack's error codes."""

from __future__ import annotations

import html
import re

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "xoxb-111-222-test"
ARGUMENTS = {"channel", "text", "blocks", "thread_ts", "unfurl_links", "unfurl_media"}
ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
LINK = re.compile(r"<(https?://[^\s<>|]+)\|([^<>|]+)>")
FORMATTED = re.compile(r"(?<![\w*])\*(\S(?:[^*\n]*\S)?)\*(?!\w)")


class Refused(Exception):
    """With Slack's code for it."""


class SlackApi:
    """`posts` holds what was accepted; `errors` are given out first: a code or an HTTP status per call.

    `answers` are given out in place of those to posts that were accepted.
    """

    def __init__(self):
        self.posts = []
        self.refused = []
        self.errors = []
        self.answers = []
        self.reaches_pictures = True
        app = web.Application()
        app.router.add_post("/api/chat.postMessage", self.post_message)
        self.server = TestServer(app)

    async def __aenter__(self):
        await self.server.start_server(access_log=None)
        return self

    async def __aexit__(self, *_):
        await self.server.close()

    @property
    def url(self):
        return str(self.server.make_url("/api/"))

    async def post_message(self, request):
        if self.errors:
            error = self.errors.pop(0)
            if error == 429:
                return web.json_response(
                    {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "0"}
                )
            if isinstance(error, int):
                return web.json_response({"ok": False}, status=error)
            return web.json_response({"ok": False, "error": error})
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        post = await request.json()
        try:
            check(post)
            must(self.reaches_pictures or not picture(post), "invalid_blocks")  # downloading image failed
        except Refused as error:
            self.refused.append((str(error), post))
            return web.json_response({"ok": False, "error": str(error)})
        self.posts.append(post)
        if self.answers:
            answer = self.answers.pop(0)
            if answer == "close":
                request.transport.close()
                return web.Response()
            return answer
        return web.json_response({"ok": True, "channel": post["channel"], "ts": "1.2", "message": {}})


def check(post):
    """As Slack checks a chat.postMessage; what it would take but show wrongly is refused as well."""
    must(set(post) <= ARGUMENTS, "invalid_arguments")
    must(post.get("channel"), "channel_not_found")
    must(post.get("text") or post.get("blocks"), "no_text")
    must(len(post.get("text", "")) <= 4000, "msg_too_long")
    check_markup(post.get("text", ""), links=False)
    blocks = post.get("blocks", [])
    must(len(blocks) <= 50, "invalid_blocks")
    ids = [e["action_id"] for b in blocks if b.get("type") == "actions" for e in b["elements"]]
    must(len(ids) == len(set(ids)), "invalid_blocks")
    must(sum(check_block(b) for b in blocks) <= 12_000, "msg_blocks_too_long")


def must(condition, code):
    if not condition:
        raise Refused(code)


def check_block(block):
    kind = block.get("type")
    if kind == "image":
        must(re.fullmatch(r"https://[^\s/]+/\S+\.png", block["image_url"]), "invalid_blocks")
        must(1 <= len(block["alt_text"]) <= 2000, "invalid_blocks")
        return check_text(block["title"], "plain_text", 2000)
    if kind == "section":
        must(set(block) <= {"type", "text", "expand", "block_id"}, "invalid_blocks")
        return check_text(block["text"], "mrkdwn", 3000)
    if kind == "context":
        must(1 <= len(block["elements"]) <= 10, "invalid_blocks")
        return sum(check_text(e, "mrkdwn", 2000) for e in block["elements"])
    must(kind == "actions" and 1 <= len(block["elements"]) <= 25, "invalid_blocks")
    for button in block["elements"]:
        must(button["type"] == "button" and 1 <= len(button["action_id"]) <= 255, "invalid_blocks")
        must(1 <= len(button["value"]) <= 2000, "invalid_blocks")
        check_text(button["text"], "plain_text", 75)
    return 0


def check_text(text, kind, limit):
    must(text["type"] == kind and 1 <= len(text["text"]) <= limit, "invalid_blocks")
    if kind == "mrkdwn":
        check_markup(text["text"])
    return len(text["text"])


def check_markup(text, links=True):
    must(not ENTITY.search(text), "unescaped_ampersand")
    must(not re.search("[<>]", LINK.sub("", text) if links else text), "unescaped_angle_bracket")


def shown(post):
    """What a person sees of a post's blocks: mark-up gone, entities undone."""
    texts = []
    for block in post["blocks"]:
        for holder in [block] if "text" in block else block.get("elements", ()):
            texts.append(
                FORMATTED.sub(
                    r"\1",
                    LINK.sub(
                        r"\2",
                        holder["text"]["text"] if "text" in block or block["type"] == "actions" else holder["text"],
                    ),
                )
            )
    return html.unescape("\n".join(texts))


def links(post):
    """Every address that can be followed."""
    return [
        html.unescape(m.group(1))
        for b in post["blocks"]
        if b["type"] == "section"
        for m in LINK.finditer(b["text"]["text"])
    ]


def picture(post):
    """The block of a post that holds a picture; None without."""
    return next((b for b in post.get("blocks", ()) if b["type"] == "image"), None)


def buttons(post):
    """Every button, as it comes back when pressed."""
    return [e for b in post["blocks"] if b["type"] == "actions" for e in b["elements"]]
