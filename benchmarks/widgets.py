"""Our chat widget beside three others that many sites use: what each costs a page, and what it gives people who see,
hear, move or wait in other ways.

    python -m benchmarks.widgets        writes the table in docs/widgets.md

All get the same page, the same answer and the same stand-in for their server, on loopback. The others are put on the
page as their own documentation says, with nothing switched off or mended, and get the answer in the richest form that
it describes. They come from npm, into a folder that is thrown away; Chromium must be there.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import mimetypes
import re
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import socketio
from aiohttp import web
from PIL import Image, ImageChops
from playwright.sync_api import Browser, BrowserContext, CDPSession, Error, Page, sync_playwright

from benchmarks.documents import machine, put_between, table
from benchmarks.running import ROOT, Failed
from tests.web.conftest import CHROMIUM

DOCUMENT = ROOT / "docs/widgets.md"
SCRIPT = (Path(__file__).parent / "widgets.js").read_text("utf8")
ROUNDS = 7
TRIES = 3  # on a busy machine a page may be late
PACKAGES = {"deep-chat": "2.4.2", "@n8n/chat": "1.37.0", "rasa-webchat": "1.0.1", "axe-core": "4.14.1"}
#: Chromium asks nobody but this machine, and fails at once where a page would.
LOCAL = [*CHROMIUM["args"], "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
#: A cheap phone on a slow mobile network, as Lighthouse has it: bytes a second, milliseconds, how much slower.
SLOW = {"offline": False, "downloadThroughput": 1_638_400 / 8, "uploadThroughput": 675_000 / 8, "latency": 150}
SLOWER = 4
SECONDS = 30_000  # milliseconds that anything may take
MOST_TABS = 40
MANY_STOPS = 12

SENTENCE = "MS and ALS are two different diseases."
PARAGRAPH = "MS harms the coating of nerves in the brain and spinal cord. ALS harms the nerve cells that move muscles."
ITEMS = ("MS mostly starts between 20 and 40.", "ALS mostly starts between 55 and 75.", "Neither is catching.")
LINK = ("About MS and ALS", "https://www.example.org/ms-and-als")
BUTTONS = ("Symptoms of MS", "Symptoms of ALS", "How is MS treated?", "How is ALS treated?")
QUESTION = "How do they differ?"
MARKDOWN = "\n\n".join([f"**{SENTENCE}**", PARAGRAPH, "\n".join(f"- {i}" for i in ITEMS), f"[{LINK[0]}]({LINK[1]})"])
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"></head>
<body><main><h1>A page</h1><p>Some text of the page.</p>%s</main></body></html>"""


@dataclass(frozen=True)
class Widget:
    """One of those compared.

    Attributes:
        html: what is put on the page.
        launcher: opens it (CSS); "" where it is a part of the page, always open.
        field: where one types.
        box: what holds an answer on screen.
    """

    name: str
    html: str
    launcher: str
    field: str
    box: str


WIDGETS = (
    Widget(
        "ours",
        '<script src="/web/ms-als-chat.js" defer></script><ms-als-chat></ms-als-chat>',
        ".launcher",
        "#box",
        "article",
    ),
    Widget(
        "deep-chat",
        '<script type="module" src="/npm/deep-chat/dist/deepChat.bundle.js"></script>'
        """<deep-chat connect='{"url": "/deep-chat"}'></deep-chat>""",
        "",
        "#text-input",
        ".message-bubble",
    ),
    Widget(
        "@n8n/chat",
        '<link href="/npm/@n8n/chat/dist/style.css" rel="stylesheet"><script type="module">'
        "import { createChat } from '/npm/@n8n/chat/dist/chat.bundle.es.js';"
        "createChat({ webhookUrl: `${location.origin}/n8n` });</script>",
        ".chat-window-toggle",
        ".chat-inputs textarea",
        ".chat-message",
    ),
    Widget(
        "rasa-webchat",
        '<script src="/npm/rasa-webchat/lib/index.js"></script>'
        "<script>WebChat.default({ socketUrl: location.origin, socketPath: '/socket.io/' }, null);</script>",
        ".rw-launcher",
        ".rw-new-message",
        ".rw-message",
    ),
)


class StandIn:
    """Pages, packages and answers, on a port of its own; every file gzipped, none kept by the browser."""

    def __init__(self, packages: Path) -> None:
        self.down = False
        self.wait = 0.0
        self._folders = {"web": ROOT / "web", "npm": packages}
        self._packed_once: Dict[bytes, bytes] = {}
        self._sessions: set = set()
        self._sockets = socketio.AsyncServer(async_mode="aiohttp")
        self._sockets.on("connect", lambda *_: not self.down)
        self._sockets.on("session_request", self._session)
        self._sockets.on("user_uttered", self._uttered)
        app = web.Application()
        self._sockets.attach(app)
        app.add_routes(
            [
                web.get("/page/{number}", self._page),
                web.get("/{folder:web|npm}/{path:.+}", self._file),
                web.get("/chat/{path:.+}", self._file),
                web.post("/webhooks/rest/webhook", self._ours),
                web.post("/deep-chat", self._deep_chat),
                web.post("/n8n", self._n8n),
            ]
        )
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None)
        self._loop.run_until_complete(self._runner.setup())
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        await self._sockets.shutdown()
        await self._runner.cleanup()

    def _packed(self, kind: str, body: bytes) -> web.Response:
        headers = {"Content-Type": kind, "Content-Encoding": "gzip", "Cache-Control": "no-store"}
        if body not in self._packed_once:
            self._packed_once[body] = gzip.compress(body, 9)
        return web.Response(body=self._packed_once[body], headers=headers)

    async def _page(self, request: web.Request) -> web.Response:
        return self._packed("text/html", (PAGE % WIDGETS[int(request.match_info["number"])].html).encode())

    async def _file(self, request: web.Request) -> web.Response:
        file = self._folders[request.match_info.get("folder", "web")] / request.match_info["path"]
        if not file.is_file():
            raise web.HTTPNotFound
        kind = "text/javascript" if file.suffix == ".mjs" else mimetypes.guess_type(file.name)[0]
        return self._packed(kind or "application/octet-stream", file.read_bytes())

    async def _said(self, answer: Any) -> web.Response:
        await asyncio.sleep(self.wait)
        if self.down:
            raise web.HTTPInternalServerError
        return self._packed("application/json", json.dumps(answer).encode())

    async def _ours(self, _: web.Request) -> web.Response:
        metadata = {
            "outcome": "answered",
            "topic": "prognosis",
            "conditions": ["MS", "ALS"],
            "answer": "\n".join([f"{SENTENCE} {PARAGRAPH}", *(f"- {item}" for item in ITEMS)]),
            "sources": [{"title": LINK[0], "url": LINK[1]}],
            "disclaimer": "General information, not medical advice.",
        }
        buttons = [{"title": title, "payload": title} for title in BUTTONS]
        return await self._said([{"text": metadata["answer"], "buttons": buttons, "metadata": metadata}])

    async def _deep_chat(self, _: web.Request) -> web.Response:
        items = "".join(f"<li>{item}</li>" for item in ITEMS)
        style = "deep-chat-button deep-chat-suggestion-button"
        buttons = "".join(f'<button class="{style}">{title}</button>' for title in BUTTONS)
        link = f'<a href="{LINK[1]}">{LINK[0]}</a>'
        return await self._said(
            {"html": f"<h3>{SENTENCE}</h3><p>{PARAGRAPH}</p><ul>{items}</ul><p>{link}</p><div>{buttons}</div>"}
        )

    async def _n8n(self, request: web.Request) -> web.Response:
        asked = await request.json()
        known = asked["sessionId"] in self._sessions
        self._sessions.add(asked["sessionId"])
        if asked["action"] == "loadPreviousSession":
            said = {"HumanMessage": QUESTION, "AIMessage": MARKDOWN} if known else {}
            items = [{"id": [who], "kwargs": {"content": text}} for who, text in said.items()]
            return self._packed("application/json", json.dumps({"data": items}).encode())
        return await self._said({"output": MARKDOWN})  # buttons come through a socket of n8n's own server only

    async def _session(self, sid: str, data: Any) -> None:
        await self._sockets.emit("session_confirm", (data or {}).get("session_id") or sid, to=sid)

    async def _uttered(self, sid: str, _: Any) -> None:
        await asyncio.sleep(self.wait)
        if self.down:
            return await self._sockets.disconnect(sid)
        replies = [{"title": title, "payload": title, "content_type": "text"} for title in BUTTONS]
        await self._sockets.emit("bot_uttered", {"text": MARKDOWN, "quick_replies": replies}, to=sid)


def unpack(folder: Path) -> None:
    """Put each package into the folder, by its name. They come without what they are built from: all are bundles.

    Raises:
        Failed: npm did not have one.
    """
    for name, version in PACKAGES.items():
        pack = ["npm", "pack", f"{name}@{version}", "--silent", "--pack-destination", str(folder)]
        done = subprocess.run(pack, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"{' '.join(pack)}:\n{done.stderr[-2000:]}")
        with tarfile.open(folder / done.stdout.strip()) as packed:
            packed.extractall(folder / "packed", filter="data")
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / "packed/package").rename(folder / name)


class Visit:
    """One widget in a browser that has never seen it."""

    def __init__(self, browser: Browser, stand_in: StandIn, number: int, **look: Any) -> None:
        self.widget = WIDGETS[number]
        self.context: BrowserContext = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **look})
        self.context.set_default_timeout(SECONDS)
        self.context.add_init_script(f"window.answerSays = {json.dumps(SENTENCE)};")
        self.context.add_init_script(f"window.answerBox = {json.dumps(self.widget.box)};{SCRIPT}")
        self.page: Page = self.context.new_page()
        self.asked: List[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.cdp: CDPSession = self.context.new_cdp_session(self.page)
        self.bytes = 0
        self.cdp.send("Network.enable")
        self.cdp.on("Network.loadingFinished", self._loaded)
        self._url = f"{stand_in.url}/page/{number}"
        stand_in.down, stand_in.wait = False, 0.0

    def _loaded(self, event: Dict[str, Any]) -> None:
        self.bytes += event["encodedDataLength"]

    def go(self) -> Visit:
        self.page.goto(self._url, wait_until="commit")
        return self

    def until_usable(self) -> float:
        """Milliseconds from the request for the page until one can type, opened as soon as that is possible."""
        self.go()
        return float(self.page.evaluate("css => measured.usable(css)", [self.widget.launcher, self.widget.field]))

    @property
    def field(self) -> Any:
        return self.page.locator(self.widget.field).first

    @property
    def answer(self) -> Any:
        return self.page.locator(self.widget.box).get_by_text(SENTENCE).last

    def settle(self) -> None:
        self.page.wait_for_timeout(700)

    def open(self) -> Visit:
        self.until_usable()
        self.settle()
        return self

    def ask(self) -> Visit:
        self.field.click()
        self.page.keyboard.type(QUESTION)
        self.page.keyboard.press("Enter")
        return self

    def answered(self) -> Visit:
        self.open().ask()
        self.answer.wait_for()
        self.settle()
        return self

    def is_open(self) -> bool:
        return bool(self.field.is_visible())


class Bench:
    """Asks every widget the same; each row of the table is one method."""

    def __init__(self, browser: Browser, stand_in: StandIn, axe: str) -> None:
        self._browser, self._stand_in, self._axe = browser, stand_in, axe

    @contextmanager
    def visit(self, number: int, **look: Any) -> Iterator[Visit]:
        visit = Visit(self._browser, self._stand_in, number, **look)
        try:
            yield visit
        finally:
            self._stand_in.down, self._stand_in.wait = False, 0.0
            visit.context.close()

    # What it costs

    def weight(self, number: int) -> Dict[str, str]:
        with self.visit(number) as visit:
            visit.open()
            files = [url for url in visit.asked if url.startswith(self._stand_in.url)]
            usable = f"{visit.bytes / 1000:,.1f} KB", str(len(files))
            visit.ask()
            visit.answer.wait_for()
            visit.settle()
            return {
                "over the wire until one can type": usable[0],
                "... requests": usable[1],
                "over the wire with the first answer": f"{visit.bytes / 1000:,.1f} KB",
            }

    def closed(self, number: int) -> Dict[str, str]:
        row = "over the wire while nobody opens it"
        if not WIDGETS[number].launcher:
            return {row: "has no closed state"}
        with self.visit(number) as visit:
            visit.go()
            visit.page.locator(visit.widget.launcher).wait_for()
            visit.settle()
            return {row: f"{visit.bytes / 1000:,.1f} KB"}

    def times(self) -> List[Dict[str, str]]:
        """In turn, so that whatever else the machine does meets all of them alike."""
        taken: Dict[str, List[List[float]]] = {"": [[] for _ in WIDGETS], "slow": [[] for _ in WIDGETS]}
        for speed, numbers in taken.items():
            for _ in range(ROUNDS):
                for number, one in enumerate(numbers):
                    with self.visit(number) as visit:
                        if speed:
                            visit.cdp.send("Network.emulateNetworkConditions", SLOW)
                            visit.cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
                        visit.context.set_default_timeout(60_000)
                        one.append(visit.until_usable())
        said = {name: [f"{statistics.median(one):,.0f} ms" for one in numbers] for name, numbers in taken.items()}
        return [
            {"until one can type": fast, "... on a cheap phone, slow network": slow}
            for fast, slow in zip(said[""], said["slow"], strict=True)
        ]

    # Who sees, hears, moves in other ways

    def axe(self, number: int) -> Dict[str, str]:
        looks: Dict[str, Dict[str, Any]] = {
            "at 1280 px": {},
            "at 320 px": {"viewport": {"width": 320, "height": 640}},
            "at 400 %": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
        }
        found: Dict[str, str] = {}
        strict, all_rules = set(), set()
        for name, look in looks.items():
            states: Sequence[Callable[[Visit], Any]] = (
                [Visit.go, Visit.open, Visit.answered] if not look else [Visit.answered]
            )
            for state in states:
                with self.visit(number, **look) as visit:
                    state(visit)
                    visit.settle()
                    for rule, tags in self._violations(visit.page):
                        all_rules.add(rule)
                        if re.search(r"\bwcag\d*aa?\b", tags):
                            strict.add(rule)
                    if look:
                        seen = visit.page.evaluate("measured.answerOnScreen()")
                        wide = visit.page.evaluate("measured.isTooWide()")
                        found[f"of the screen, the answer has, {name}"] = f"{seen:.0%}" + (
                            ", and it scrolls sideways" if wide else ""
                        )
        return {
            "axe: rules of WCAG A and AA that it breaks": _listed(strict),
            "... further ones (AAA, best practice, experimental)": _listed(all_rules - strict),
            **found,
        }

    def _violations(self, page: Page) -> List[List[str]]:
        page.evaluate(self._axe)
        return list(page.evaluate("measured.violations()"))

    def keyboard(self, number: int) -> Dict[str, str]:
        names = ("opens", "field reached", "asks", "first suggestion reached", "Escape closes", "focus goes back")
        done = dict.fromkeys(names, "no")
        with self.visit(number) as visit:
            visit.go()
            page, widget = visit.page, visit.widget
            page.locator(widget.launcher or widget.field).first.wait_for()
            visit.settle()
            if not widget.launcher:
                done["opens"] = done["Escape closes"] = done["focus goes back"] = "always open"
            elif self._tab(page, f"measured.holds({json.dumps(widget.launcher)})"):
                page.keyboard.press("Enter")
                visit.settle()
                done["opens"] = _yes(visit.is_open())
            if not visit.is_open():
                page.locator(widget.launcher).click()
                visit.settle()
            at_field = f"measured.holds({json.dumps(widget.field)})"
            tabs = self._tab(page, at_field)
            done["field reached"] = "at once" if tabs == 1 else f"{tabs - 1} times Tab" if tabs else "no"
            if not tabs:
                visit.field.click()
            page.keyboard.type(QUESTION)
            page.keyboard.press("Enter")
            try:
                visit.answer.wait_for()
                done["asks"] = "yes"
            except Error:
                return self._rows(done)
            visit.settle()
            there = f"measured.active().textContent.trim() === {json.dumps(BUTTONS[0])}"
            reached = {}
            for key in ("Tab", "Shift+Tab"):
                visit.field.focus()
                reached[key] = self._tab(page, there, key)
            ways = [f"{tabs - 1} times {key}" for key, tabs in reached.items() if tabs]
            done["first suggestion reached"] = min(ways, key=lambda way: int(way.split()[0])) if ways else "no"
            if widget.launcher:
                page.keyboard.press("Escape")
                visit.settle()
                done["Escape closes"] = _yes(not visit.is_open())
                done["focus goes back"] = _yes(page.evaluate(f"measured.holds({json.dumps(widget.launcher)})"))
        return self._rows(done)

    @staticmethod
    def _rows(done: Dict[str, str]) -> Dict[str, str]:
        return {
            f"keyboard alone: {name}" if i == 0 else f"... {name}": said for i, (name, said) in enumerate(done.items())
        }

    @staticmethod
    def _tab(page: Page, there: str, key: str = "Tab") -> int:
        """How often a key was pressed, and one more, until it was there; 0 where it never was."""
        for pressed in range(1, MOST_TABS + 1):
            if page.evaluate(there):
                return pressed
            page.keyboard.press(key)
        return 0

    def heard(self, number: int) -> Dict[str, str]:
        with self.visit(number) as visit:
            visit.open().ask()
            visit.answer.wait_for()
            visit.settle()
            times = visit.page.evaluate("measured.heard")
            nodes = visit.cdp.send("Accessibility.getFullAXTree")["nodes"]
            regions = [node for node in nodes if not node["ignored"] and _live(node)]
            parents = {node["nodeId"]: node.get("parentId") for node in nodes}
            ids = {node["nodeId"] for node in regions}
            said = [node["nodeId"] for node in nodes if SENTENCE in str(node.get("name", {}).get("value", ""))]
            inside = any(_within(one, ids, parents) for one in said)
            roles = sorted({node["role"]["value"] for node in regions})
        return {
            "an answer comes into a live region": {0: "no", 1: "once"}.get(times, f"{times} times"),
            "... as the accessibility tree has it": f"{'in' if inside else 'not in'} {', '.join(roles)}"
            if roles
            else "no live region",
        }

    def moves(self, number: int) -> Dict[str, str]:
        with self.visit(number, reduced_motion="reduce") as visit:
            visit.go()
            visit.page.evaluate("measured.watch()")
            self._stand_in.wait = 1.5
            visit.page.evaluate("css => measured.usable(css)", [visit.widget.launcher, visit.widget.field])
            visit.settle()
            visit.ask()
            visit.answer.wait_for()
            visit.settle()
            moving = visit.page.evaluate("[...measured.moves]")
        return {
            "what moves although less motion is asked for": f"{len(moving)} animations or transitions"
            if moving
            else "nothing"
        }

    def focus(self, number: int) -> Dict[str, str]:
        rows = {}
        for name, look in {"": {}, "forced": {"forced_colors": "active"}}.items():
            with self.visit(number, **look) as visit:  # type: ignore[arg-type]
                visit.answered()
                seen = self._focus_seen(visit)
                what = "stops of Tab where one sees the focus"
                rows["... with forced colours" if name else what] = f"{sum(seen)} of {len(seen)}"
        return rows

    def _focus_seen(self, visit: Visit) -> List[bool]:
        """For each stop from the field backwards: whether it looks different with the focus on it."""
        page, seen = visit.page, []
        visit.field.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Shift+Tab")
        for _ in range(MANY_STOPS):
            node = page.evaluate_handle("measured.active()").as_element()
            box = node and node.bounding_box()
            if not node or not box or page.evaluate("node => node === document.body || !!node.measured", node):
                break
            page.evaluate("node => { node.measured = true; }", node)
            left, top = max(box["x"] - 8, 0), max(box["y"] - 8, 0)
            clip = {
                "x": left,
                "y": top,
                "width": min(box["width"] + 16, 1280 - left),
                "height": min(box["height"] + 16, 800 - top),
            }
            if clip["width"] <= 0 or clip["height"] <= 0:
                seen.append(False)  # one cannot even see where it is
            else:
                shot: Callable[[], bytes] = lambda: page.screenshot(clip=clip, animations="disabled", caret="hide")  # type: ignore[arg-type]  # noqa: B023, E731
                page.wait_for_timeout(250)
                with_focus = shot()
                page.evaluate("measured.active().blur()")
                page.wait_for_timeout(250)
                seen.append(_differ(with_focus, shot()))
                page.evaluate("node => node.focus({ preventScroll: true })", node)
            page.keyboard.press("Shift+Tab")
        return seen

    # What it does to people's data, and when something fails

    def data(self, number: int) -> Dict[str, str]:
        with self.visit(number, permissions=["clipboard-read", "clipboard-write"]) as visit:
            visit.open()
            before = self._stored(visit)
            visit.ask()
            visit.answer.wait_for()
            visit.settle()
            after = self._stored(visit)
            visit.answer.click(click_count=3)
            visit.page.keyboard.press("Control+c")
            copied = visit.page.evaluate("navigator.clipboard.readText()")
            visit.page.reload()
            visit.page.evaluate("css => measured.usable(css)", [visit.widget.launcher, visit.widget.field])
            visit.settle()
            again = visit.answer.is_visible()
            others = sorted(
                {url.split("/")[2] for url in visit.asked if re.match(r"(http|ws)s?://(?!127\.0\.0\.1)", url)}
            )
        return {
            "asks hosts of others": ", ".join(others) or "none",
            "stored in the browser before anybody writes": before,
            "... after an answer": after,
            "the conversation is there after a reload": _yes(again),
            "an answer's text can be selected and copied": _yes(SENTENCE in copied),
        }

    @staticmethod
    def _stored(visit: Visit) -> str:
        found = visit.page.evaluate(
            """async () => [
              ...Object.keys(localStorage).map((key) => `localStorage, ${localStorage[key].length} characters`),
              ...Object.keys(sessionStorage).map((key) => `sessionStorage, ${sessionStorage[key].length} characters`),
              ...(await indexedDB.databases()).map(() => 'a database'),
            ]"""
        )
        return "; ".join([*found, *("a cookie" for _ in visit.context.cookies())]) or "nothing"

    def failure(self, number: int) -> Dict[str, str]:
        with self.visit(number) as visit:
            visit.open()
            before = _text(visit.page)
            self._stand_in.down = True
            visit.ask()
            visit.page.wait_for_timeout(3000)
            told = _text(visit.page).replace(before, "").replace(QUESTION, "")
            kept = QUESTION in _text(visit.page)
            if not kept and visit.is_open():
                kept = visit.field.evaluate("(node, text) => (node.value ?? node.textContent).includes(text)", QUESTION)
            retry = visit.page.get_by_role("button", name=re.compile("again|retry|resend|repost", re.I))
            pressable = bool(retry.count()) and retry.last.is_visible()
            self._stand_in.down = False
            works = False
            if pressable:
                retry.last.click()
                works = self._comes(visit)
        with self.visit(number) as visit:
            visit.open()
            visit.context.set_offline(True)
            visit.ask()
            visit.page.wait_for_timeout(1500)
            visit.context.set_offline(False)
            back = self._comes(visit)
        failed = re.compile(r"again|error|fail|wrong|not answer|unavailable|lost|connect", re.I)
        return {
            "when the server fails, it says so": _yes(bool(failed.search(told))),
            "... the question stays to be read": _yes(kept),
            "... can be asked again with one press": _yes(works),
            "asked offline, it is sent when back": _yes(back),
        }

    @staticmethod
    def _comes(visit: Visit) -> bool:
        try:
            visit.answer.wait_for()
            return True
        except Error:
            return False


def _text(page: Page) -> str:
    return str(page.evaluate("measured.text()"))


def _yes(so: bool) -> str:
    return "yes" if so else "no"


def _listed(rules: set) -> str:
    return f"{len(rules)}: {', '.join(sorted(rules))}" if rules else "none"


def _live(node: Dict[str, Any]) -> bool:
    found = {one["name"]: one["value"].get("value") for one in node.get("properties", [])}
    return found.get("live", "off") != "off"


def _within(node: Any, ids: set, parents: Dict[str, Any]) -> bool:
    while node and node not in ids:
        node = parents.get(node)
    return bool(node)


def _differ(one: bytes, other: bytes) -> bool:
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in (one, other)]
    return ImageChops.difference(*pictures).getbbox() is not None


def measure(browser: Browser, stand_in: StandIn, axe: str) -> List[Dict[str, str]]:
    """What stands in the table, by widget; a row that could not be measured is not there."""
    bench = Bench(browser, stand_in, axe)
    measured: List[Dict[str, str]] = []
    times = bench.times()
    parts = (
        bench.weight,
        bench.closed,
        bench.axe,
        bench.keyboard,
        bench.heard,
        bench.moves,
        bench.focus,
        bench.data,
        bench.failure,
    )
    for number, widget in enumerate(WIDGETS):
        rows = {}
        for part in parts:
            if part is bench.closed:
                rows.update(times[number])
            for _ in range(TRIES):
                try:
                    rows.update(part(number))
                    break
                except Error as error:
                    print(f"{widget.name}: {part.__name__}: {str(error)[:300]}", file=sys.stderr)
        measured.append(rows)
        print(f"{widget.name} measured", file=sys.stderr, flush=True)
    return measured


def document(measured: Sequence[Dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for rows in measured for name in rows))
    header = ["", *(f"{w.name} {PACKAGES.get(w.name, '')}".strip() for w in WIDGETS)]
    body = [[name, *(rows.get(name, "not measured") for rows in measured)] for name in names]
    return (
        f"Written by `python -m benchmarks.widgets` on {date.today()}: {machine()}; Chromium, axe-core "
        f"{PACKAGES['axe-core']}. Times are medians of {ROUNDS}, in turn; the cheap phone's processor is {SLOWER} "
        f"times slower, 1.6 Mbit/s and 150 ms. Everything was gzipped, nothing cached.\n\n{table(header, body)}"
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        packages = Path(folder)
        try:
            unpack(packages)
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
        stand_in = StandIn(packages)
        browser = playwright.chromium.launch(executable_path=CHROMIUM["executable_path"], args=LOCAL)
        try:
            measured = measure(browser, stand_in, (packages / "axe-core/axe.min.js").read_text("utf8"))
        finally:
            browser.close()
            stand_in.close()
    put_between(DOCUMENT, "benchmarks.widgets", document(measured))
    print(f"{DOCUMENT.relative_to(ROOT)} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
