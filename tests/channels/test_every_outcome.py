"""Every outcome, asked of the trained assistant through every channel: nothing of a reply gets lost.

One assistant runs for the module, with Slack and Telegram switched on as an operator does it. Slack's and
Telegram's services are stand-ins that refuse what the real ones refuse; the terminal is a pseudo-terminal,
the widget runs in Chromium. What a reply must show is read from the metadata that REST returns for it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright
from slack_sdk.signature import SignatureVerifier

from channels.shell import TYPE_INSTEAD
from tests.channels.slack_api import TOKEN as SLACK_TOKEN
from tests.channels.slack_api import SlackApi, buttons, links, shown
from tests.channels.telegram_api import TOKEN as TELEGRAM_TOKEN
from tests.channels.telegram_api import TelegramApi
from tests.channels.terminal import DOWN, ENTER, Terminal
from tests.conftest import Assistant
from tests.contract.reply_contract import OUTCOMES, keep_to_contract
from tests.topology import Program, server
from tests.web.conftest import CHROMIUM

SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TELEGRAM_SECRET = "a-secret-of-our-own_1"
NUMBERS = ("112", "911", "999")
#: Name: the message, and what its reply's metadata must hold, so that the reply is of the kind it stands for.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "MS": ("how is ms diagnosed", {"outcome": "answered", "topic": "diagnosis", "conditions": ["MS"]}),
    "ALS": ("what is als", {"outcome": "answered", "topic": "definition", "conditions": ["ALS"]}),
    "both": ("how do ms and als differ", {"outcome": "answered", "topic": "difference", "conditions": ["MS", "ALS"]}),
    "two questions": (
        "What causes ALS? And is there a cure for it?",
        {"outcome": "answered", "topics": ["cause", "cure"], "conditions": ["ALS"]},
    ),
    "symptom": ("does als cause tingling", {"outcome": "answered", "topic": "symptom_check", "terms": ["tingling"]}),
    "drug": ("what is ocrelizumab", {"outcome": "answered", "topic": "drug", "terms": ["ocrelizumab"]}),
    "clarify": ("tell me more", {"outcome": "clarify"}),
    "not covered": ("how much does biogen earn with ms drugs", {"outcome": "not_covered"}),
    "other condition": ("what is lupus", {"outcome": "other_condition", "terms": ["lupus"]}),
    "out of scope": ("what is the weather", {"outcome": "out_of_scope"}),
    "other language": ("was ist multiple sklerose", {"outcome": "other_language", "language": "de"}),
    "personal": ("I have tingling in my hands, is it MS?", {"outcome": "personal_advice", "conditions": ["MS"]}),
    "crisis": ("i want to die", {"outcome": "crisis"}),
    "emergency": ("he is choking right now", {"outcome": "emergency"}),
    "hello": ("hello", {"outcome": "smalltalk"}),
    "forget me": ("forget me", {"outcome": "smalltalk"}),
}
#: Kinds of reply that say no fact, and so name no source.
WITHOUT_SOURCES = ("clarify", "other_condition", "out_of_scope", "other_language", "smalltalk")
#: ... and those that offer no question to go on with.
WITHOUT_BUTTONS = ("crisis", "emergency", "other_language")
_counter = itertools.count(1)


def plain(text: str) -> str:
    """A text with every white space as one blank."""
    return " ".join(text.split())


@dataclass
class Shown:
    """One reply as a person meets it: all its words in one message, addresses that can be opened, buttons."""

    text: str
    addresses: list[str] = field(default_factory=list)
    buttons: list[str] = field(default_factory=list)


def soon(find: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first result of `find` that is true."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return found


# --- the assistant and who stands around it ---------------------------------------------------------


@contextmanager
def standing_in(api: Any) -> Iterator[Any]:
    """Runs a stand-in in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(api.__aenter__(), loop).result(10)
    yield api
    asyncio.run_coroutine_threadsafe(api.__aexit__(None, None, None), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="module")
def slack_api() -> Iterator[SlackApi]:
    with standing_in(SlackApi()) as api:
        yield api


@pytest.fixture(scope="module")
def telegram_api() -> Iterator[TelegramApi]:
    with standing_in(TelegramApi()) as api:
        yield api


@pytest.fixture(scope="module")
def actions(facts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """An action server, so that the actions can be taken away: facts that were read once stay in memory."""
    program = server("actions", tmp_path_factory.mktemp("actions"), "actions", FACTS_FILE=str(facts_file))
    program.start()
    yield program
    program.kill()


@pytest.fixture(scope="module")
def assistant(
    start_assistant: Callable[..., Assistant],
    slack_api: SlackApi,
    telegram_api: TelegramApi,
    actions: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Assistant:
    started = start_assistant(
        ACTION_ENDPOINT=f"http://127.0.0.1:{actions.port}/webhook",
        FEEDBACK_URL=f"sqlite:///{tmp_path_factory.mktemp('votes')}/feedback.sqlite",
        MESSAGES_PER_MINUTE="0",
        SLACK_BOT_TOKEN=SLACK_TOKEN,
        SLACK_SIGNING_SECRET=SLACK_SECRET,
        SLACK_API_URL=slack_api.url,
        TELEGRAM_BOT_TOKEN=TELEGRAM_TOKEN,
        TELEGRAM_WEBHOOK_URL="https://bot.example.org/webhooks/telegram/webhook",
        TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET,
        TELEGRAM_API_URL=telegram_api.url,
    )
    soon(lambda: telegram_api.webhooks)
    return started


class Rest:
    """A program over REST: the text is all that it shows."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._last: dict[str, Any] = {}

    def say(self, person: str, text: str) -> Shown:
        self._last = self._assistant.ask(text, person)
        # What is no sentence is set apart from the sentence before it.
        text = self._last["text"].replace("\n- ", "\n")
        titles = [button["title"] for button in self._last.get("buttons", [])]
        return Shown(plain(text), re.findall(r"https?://\S+", text), titles)

    def press(self, person: str, title: str) -> Shown:
        payload = next(b["payload"] for b in self._last["buttons"] if b["title"] == title)
        return self.say(person, payload)


class Slack:
    """Someone in Slack who writes direct messages."""

    def __init__(self, assistant: Assistant, api: SlackApi) -> None:
        self._address = f"{assistant.address}/webhooks/slack/webhook"
        self._api = api
        self._last: dict[str, Any] = {}

    def _call(self, person: str, body: str, kind: str) -> Shown:
        now = str(int(time.time()))
        signed = SignatureVerifier(SLACK_SECRET).generate_signature(timestamp=now, body=body)
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": signed or "", "Content-Type": kind}
        before = len(self._api.posts)
        assert requests.post(self._address, data=body.encode(), headers=headers, timeout=10).status_code == 200
        soon(lambda: len(self._api.posts) > before)
        time.sleep(0.1)
        (self._last,) = self._api.posts[before:]
        assert self._last["channel"] == f"D{person}"
        assert not self._api.refused
        text = shown(self._last).translate(str.maketrans("\u2217\u02cd\u223c\u02cb\u203a\u00a6", "*_~`>|"))
        return Shown(plain(text), links(self._last), [b["text"]["text"] for b in buttons(self._last)])

    def say(self, person: str, text: str) -> Shown:
        number = next(_counter)
        event = {"type": "message", "channel_type": "im", "channel": f"D{person}", "user": f"U{person}", "text": text}
        body = {
            "type": "event_callback",
            "team_id": "T1",
            "event_id": f"Ev{number}",
            "authorizations": [{"user_id": "UBOT", "is_bot": True}],
            "event": {**event, "ts": f"{number}.1"},
        }
        return self._call(person, json.dumps(body), "application/json")

    def press(self, person: str, title: str) -> Shown:
        pressed = next(b for b in buttons(self._last) if b["text"]["text"] == title)
        body = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": f"U{person}"},
            "channel": {"id": f"D{person}"},
            "message": {"ts": "5.5"},
            "actions": [{**pressed, "action_ts": str(next(_counter))}],
        }
        return self._call(person, urlencode({"payload": json.dumps(body)}), "application/x-www-form-urlencoded")


class Telegram:
    """Someone who writes to the bot in private."""

    def __init__(self, assistant: Assistant, api: TelegramApi) -> None:
        self._address = f"{assistant.address}/webhooks/telegram/webhook"
        self._api = api
        self._last: dict[str, Any] = {}

    def _call(self, person: str, update: dict[str, Any]) -> Shown:
        before = len(self._api.sent)
        answer = requests.post(
            self._address,
            json={"update_id": next(_counter), **update},
            headers={"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET},
            timeout=10,
        )
        assert answer.status_code == 200
        soon(lambda: len(self._api.sent) > before)
        time.sleep(0.1)
        (self._last,) = self._api.sent[before:]
        assert self._last["chat"] == self._number(person)
        assert not self._api.refused
        return Shown(plain(self._last["text"]), self._last["links"], [b["text"] for b in self._last["buttons"]])

    @staticmethod
    def _number(person: str) -> int:
        return int(person[:8], 16)

    def _chat(self, person: str) -> dict[str, Any]:
        return {"id": self._number(person), "type": "private"}

    def _person(self, person: str) -> dict[str, Any]:
        return {"id": self._number(person), "is_bot": False, "first_name": "P"}

    def say(self, person: str, text: str) -> Shown:
        message = {"message_id": 1, "date": 1, "from": self._person(person), "chat": self._chat(person), "text": text}
        return self._call(person, {"message": message})

    def press(self, person: str, title: str) -> Shown:
        query = f"q{next(_counter)}"
        self._api.queries.add(query)
        keyboard = {"inline_keyboard": [[button] for button in self._last["buttons"]]}
        below = {"message_id": 1, "date": 1, "chat": self._chat(person), "reply_markup": keyboard}
        data = next(b["callback_data"] for b in self._last["buttons"] if b["text"] == title)
        press = {"id": query, "from": self._person(person), "message": below, "chat_instance": "1", "data": data}
        reply = self._call(person, {"callback_query": press})
        soon(lambda: query in self._api.acknowledged)
        return reply


class Shell:
    """Someone at a terminal; one conversation, begun afresh for each person."""

    def __init__(self, assistant: Assistant, log: Path) -> None:
        talk = f"import asyncio; from channels.shell import talk; asyncio.run(talk({assistant.address!r}))"
        self.terminal = Terminal(["-c", talk], log, columns=80)
        self.terminal.until("Your question:")
        self._person = ""
        self._last: list[str] = []

    def _reply(self, keys: str) -> Shown:
        self.terminal.press(keys)
        # The disclaimer's end, then the next prompt.
        screen = self.terminal.until(r"emergency\s+number\.\s+\? (Next\? \((.|\n)*|Your question:\s*)$")
        text, _, menu = screen.rpartition("\n\n?")
        self._last = [line.strip(" »") for line in menu.splitlines()[1:]]
        titles = [title for title in self._last if title != TYPE_INSTEAD]
        return Shown(plain(unfolded(text)), re.findall(r"https?://\S+", text), titles)

    def say(self, person: str, text: str) -> Shown:
        if person != self._person:
            self._person = person
            self._reply(f"start over{ENTER}")
        return self._reply(text + ENTER)

    def press(self, person: str, title: str) -> Shown:
        return self._reply(DOWN * self._last.index(title) + ENTER)


def unfolded(text: str) -> str:
    """The text with its table column by column, so that a cell of several lines is in one piece."""
    found = re.search(r"^( +MS +ALS)\n-+\n((?:.+\n)+)", text, re.MULTILINE)
    if not found:
        return text
    head = found[1]
    starts = [0, head.index("MS"), head.index("ALS"), None]
    columns = [" ".join(line[start:end] for line in found[2].splitlines()) for start, end in itertools.pairwise(starts)]
    return "\n".join([text[: found.start()], *columns, text[found.end() :]])


class Widget:
    """Someone on the assistant's own chat page."""

    def __init__(self, assistant: Assistant, browser: Browser) -> None:
        self._assistant = assistant
        self._browser = browser
        self._pages: dict[str, Page] = {}

    def _page(self, person: str) -> Page:
        if person not in self._pages:
            for page in self._pages.values():
                page.context.close()
            page = self._browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US").new_page()
            page.goto(f"{self._assistant.address}/chat/")
            self._pages = {person: page}
        return self._pages[person]

    def _reply(self, page: Page, act: Callable[[], None]) -> Shown:
        mark = "document.querySelector('ms-als-chat').shadowRoot.querySelectorAll('article')"
        page.evaluate(f"{mark}.forEach((node) => node.setAttribute('data-old', ''))")
        act()
        bubble = page.locator("article:not([data-old]):not(.me)")
        bubble.wait_for()
        assert bubble.count() == 1
        bubble.locator("details").evaluate_all("nodes => nodes.forEach((node) => { node.open = true; })")
        hrefs = bubble.get_by_role("link").evaluate_all("nodes => nodes.map((node) => node.getAttribute('href'))")
        titles = bubble.locator(".now:not([role=group]) button").all_inner_texts()
        return Shown(plain(bubble.inner_text()), hrefs, titles)

    def say(self, person: str, text: str) -> Shown:
        page = self._page(person)
        page.get_by_label("Your question").fill(text)
        return self._reply(page, lambda: page.keyboard.press("Enter"))

    def press(self, person: str, title: str) -> Shown:
        page = self._page(person)
        return self._reply(page, lambda: page.get_by_role("button", name=title, exact=True).click())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def shell(assistant: Assistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(assistant, tmp_path_factory.mktemp("shell") / "log")
    yield shell
    shell.terminal.close()


@pytest.fixture(scope="module", params=["rest", "slack", "telegram", "shell", "widget"])
def channel(request: pytest.FixtureRequest, assistant: Assistant) -> Any:
    name = request.param
    if name == "rest":
        return Rest(assistant)
    if name == "shell":
        return request.getfixturevalue("shell")
    if name == "widget":
        return Widget(assistant, request.getfixturevalue("browser"))
    return {"slack": Slack, "telegram": Telegram}[name](assistant, request.getfixturevalue(f"{name}_api"))


@pytest.fixture
def person() -> str:
    return uuid.uuid4().hex


# --- what must be shown -----------------------------------------------------------------------------


def lost(metadata: dict[str, Any], reply: Shown, is_widget: bool) -> list[str]:
    """Every word or address of a reply that is not where a person can find it."""
    wanted = [*re.split(r"(?<=[.!?:;])\s+", metadata["answer"]), metadata["disclaimer"]]
    wanted += [row[key] for row in metadata["comparison"] for key in ("aspect", "MS", "ALS")]
    for source in metadata["sources"]:
        wanted += [source["title"], source["publisher"], *([str(source["year"])] if source["year"] else [])]
    if metadata["reviewed"]:
        day = date.fromisoformat(metadata["reviewed"])
        wanted.append(f"{day:%B} {day.day}, {day.year}" if is_widget else metadata["reviewed"])
    if not metadata["checked"]:
        wanted.append("not all read again yet" if is_widget else "not every source has been read again yet")
    if metadata["outcome"] in ("crisis", "emergency"):
        wanted += NUMBERS
    addresses = [source["url"] for source in metadata["sources"] if source["url"] not in reply.addresses]
    # The widget sets each way to reach help on a line of its own, without a full stop.
    return [text for text in wanted if plain(text).rstrip(".") not in reply.text] + addresses


@pytest.fixture(scope="module")
def replies(assistant: Assistant) -> dict[str, Any]:
    """The reply to each message, as REST returns it, and the one to its first button."""
    found: dict[str, Any] = {}
    for name, (message, _) in CASES.items():
        sender = uuid.uuid4().hex
        reply = assistant.ask(message, sender)
        payloads = [button["payload"] for button in reply.get("buttons", [])]
        found[name] = {"reply": reply, "pressed": assistant.ask(payloads[0], sender) if payloads else None}
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_message_stands_for_what_it_is_named_after(name: str, replies: dict[str, Any]) -> None:
    metadata = keep_to_contract(replies[name]["reply"])
    assert {key: metadata.get(key) for key in CASES[name][1]} == CASES[name][1]
    assert bool(metadata["comparison"]) == (name == "both")
    assert bool(metadata["sources"]) == (metadata["outcome"] not in WITHOUT_SOURCES)
    if metadata["outcome"] == "other_condition":
        assert "https://medlineplus.gov/" in metadata["answer"]
    assert (replies[name]["pressed"] is None) == (metadata["outcome"] in WITHOUT_BUTTONS)
    if replies[name]["pressed"]:
        payload = replies[name]["reply"]["buttons"][0]["payload"]
        assert replies[name]["pressed"]["metadata"]["topic"] == re.match(r"/(\w+)", payload)[1]  # type: ignore[index]


def test_no_outcome_is_left_out() -> None:
    assert {expected["outcome"] for _, expected in CASES.values()} | {"error"} == OUTCOMES


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_a_reply_is_lost_and_its_buttons_keep_their_promise(
    name: str, channel: Any, person: str, replies: dict[str, Any]
) -> None:
    reply, pressed = replies[name]["reply"], replies[name]["pressed"]
    seen = channel.say(person, CASES[name][0])
    is_widget = isinstance(channel, Widget)
    assert lost(reply["metadata"], seen, is_widget) == []
    assert seen.buttons == [button["title"] for button in reply.get("buttons", [])]
    if pressed:
        assert lost(pressed["metadata"], channel.press(person, seen.buttons[0]), is_widget) == []


def test_an_action_that_fails_ends_in_an_apology_with_the_disclaimer(
    channel: Any, person: str, assistant: Assistant, actions: Program
) -> None:
    if isinstance(channel, Shell):
        channel.say(person, "hello")
    actions.kill()
    try:
        reply = assistant.ask("what is als")
        seen = channel.say(person, "what is als")
    finally:
        actions.start()
    assert keep_to_contract(reply)["outcome"] == "error"
    assert lost(reply["metadata"], seen, isinstance(channel, Widget)) == []
    assert [number for number in NUMBERS if number not in seen.text] == []
    assert seen.buttons == []
    assert "ALS is a disease" in channel.say(person, "what is als").text
