"""A browser, and a small assistant that answers as the contract says, for the tests of the widget."""

from __future__ import annotations

import json
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

# Nothing here measures time: a busy machine may take longer than a person would wait.
expect.set_options(timeout=20_000)

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
#: What only the tests need, and is not ours to keep here: axe, and resets that sites really use.
MODULES = ROOT / ".build/axe/node_modules"
PACKAGES = {"axe-core@4": "axe-core/axe.min.js", "@unocss/reset@66": "@unocss/reset/tailwind.css"}
#: How Chromium is launched: it calls nobody by itself.
CHROMIUM: Dict[str, Any] = {
    "executable_path": "/usr/bin/chromium",
    "args": [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ],
}
#: As strict as a site can be: whatever is inline, or comes from elsewhere, is blocked.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'"
DISCLAIMER = "This is general information and does not replace a doctor."
SOURCE = {
    "title": "What is MS?",
    "publisher": "National MS Society",
    "url": "https://www.nationalmssociety.org/What-is-MS",
    "year": 2023,
}
COMPARISON = [
    {
        "aspect": "What it is",
        "MS": "An immune disease that strips the coating of nerves",
        "ALS": "A loss of motor neurons, the nerve cells that work the muscles",
    },
    {"aspect": "Usual age at start", "MS": "20 to 40", "ALS": "55 to 75"},
    {
        "aspect": "Key tests",
        "MS": "MRI, spinal fluid, evoked potentials",
        "ALS": "Examination, EMG and nerve conduction",
    },
]


def reply(answer: str, outcome: str = "answered", buttons: tuple = (), **more: Any) -> Dict[str, Any]:
    """A message of the contract in design.md."""
    titles = {s["title"]: s["url"] for s in more.get("sources", ())}
    metadata = {
        "outcome": outcome,
        "topic": None,
        "conditions": [],
        "answer": answer,
        "comparison": [],
        "sources": [],
        "reviewed": None,
        "checked": True,
        "disclaimer": DISCLAIMER,
        **more,
    }
    lines = [answer, *(f"Source: {title}, {url}" for title, url in titles.items()), DISCLAIMER]
    return {
        "recipient_id": "u",
        "text": "\n".join(lines),
        "buttons": [{"title": title, "payload": payload} for title, payload in buttons],
        "metadata": metadata,
    }


MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>'
REPLIES = {
    "What is MS?": [
        reply(
            "MS is a disease of the brain and spinal cord.\nThe immune system harms the coating of nerves.",
            topic="definition",
            conditions=["MS"],
            sources=[SOURCE],
            reviewed="2026-11-22",
            checked=False,
            buttons=(("And in ALS?", "/definition_als"), ("First signs of MS", "early signs of ms")),
        )
    ],
    "/definition_als": [reply("ALS is a disease of the nerve cells that move muscles.", topic="definition")],
    "compare": [
        reply(
            "Both affect nerves. They are different diseases.",
            topic="difference",
            conditions=["MS", "ALS"],
            comparison=COMPARISON,
            sources=[SOURCE, {**SOURCE, "title": "What is ALS?", "publisher": "NINDS", "year": None}],
            reviewed="2026-11-22",
            buttons=(("First signs of MS and ALS", "early signs"),),
        )
    ],
    "he is choking": [
        reply(
            "This could be an emergency. Call your emergency number now: 911 (US, Canada), 999 (UK), "
            "112 (EU). If you can't speak, let someone near you call. I stay here, but I can't send help.",
            outcome="emergency",
        )
    ],
    "I want to die": [
        reply(
            "I am really glad you told me. Please talk to someone now: call or text 988 (US, Canada), "
            "call Samaritans on 116 123 (UK, Ireland), Lifeline on 13 11 14 (Australia), "
            "call or text 1737 (New Zealand). This chat stays open.",
            outcome="crisis",
        )
    ],
    "numbers": [
        reply(
            "Call 116 123 24 hours a day, 112/911, +1 (800) 273-8255 or (since 2022) 988. "
            "Text SHOUT to 85258. 10,000 people call in 24-48 hours.",
            outcome="crisis",
        )
    ],
    "broken store": [reply("I am sorry, I cannot look up my facts right now.", outcome="error")],
    "markup": [
        reply(
            MARKUP,
            topic=MARKUP,
            comparison=[{"aspect": MARKUP, "MS": MARKUP, "ALS": MARKUP}],
            sources=[
                {**SOURCE, "title": MARKUP},
                {**SOURCE, "title": "script", "url": "javascript:window.hacked=1"},
                {**SOURCE, "title": "data", "url": "data:text/html,<script>1</script>"},
                {**SOURCE, "title": "broken", "url": "http://"},
            ],
            reviewed=MARKUP,
            disclaimer=MARKUP,
            buttons=((MARKUP, MARKUP),),
        )
    ],
    "plain": [{"recipient_id": "u", "text": "An answer of any Rasa assistant."}],
    "twice": [reply("First half."), reply("Second half.")],
    "nothing": [],
    "start over": [reply("We start afresh.", outcome="smalltalk")],
    "forget me": [reply("Done. What we talked about is erased here.", outcome="smalltalk")],
    "please erase me": [{**reply("Done. What we talked about is erased here.", outcome="smalltalk"), "forget": True}],
}


class Assistant:
    """Serves web/ and the REST channel on a port of its own; remembers what it was sent."""

    def __init__(self) -> None:
        self.messages: List[Dict[str, Any]] = []
        self.replies = dict(REPLIES)
        self.feedback: List[Dict[str, Any]] = []
        self.takes_feedback = True
        self.down = False
        #: Status and seconds to wait, such as "429 7": every message is answered so.
        self.refusal = ""
        self.allowed: List[str] = []
        self.policy = POLICY
        self.page = ""
        #: How many answers are lost on their way from here on.
        self.lost = 0
        #: What was answered, by the id of the message: asked again, the same is said again.
        self.answered: Dict[str, Any] = {}
        self.hold = threading.Event()
        self.hold.set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, assistant: Assistant, *args: Any) -> None:
        self.assistant = assistant
        super().__init__(*args, directory=str(WEB))

    def log_message(self, *args: Any) -> None:
        pass

    def end_headers(self) -> None:
        origin = self.headers.get("Origin")
        if origin in self.assistant.allowed:
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Headers", "Content-Type")
            self.send_header("Access-Control-Expose-Headers", "Retry-After")
        elif self.command == "GET":
            self.send_header("Access-Control-Allow-Origin", "*")  # the files are anybody's
        self.send_header("Content-Security-Policy", self.assistant.policy)
        super().end_headers()

    def do_GET(self) -> None:
        self.path = self.path.replace("/chat/", "/", 1)  # as the product has it, and as it is in web/
        if self.path == "/page":
            return self._send(200, self.assistant.page.encode(), {"Content-Type": "text/html"})
        super().do_GET()

    def do_OPTIONS(self) -> None:
        self._send(204, b"", {})

    def do_POST(self) -> None:
        assistant = self.assistant
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/feedback":
            if assistant.takes_feedback:
                assistant.feedback.append(body)
            return self._json(200 if assistant.takes_feedback else 404, {})
        assistant.messages.append(body)
        message = body["message"]
        if assistant.down or message == "crash":
            return self._send(500, b"<h1>Internal Server Error</h1>", {"Content-Type": "text/html"})
        if assistant.refusal:
            status, _, wait = assistant.refusal.partition(" ")
            error = {"error": {"code": "too_many_requests", "message": "Too many requests."}}
            headers = {"Content-Type": "application/json", **({"Retry-After": wait} if wait else {})}
            return self._send(int(status), json.dumps(error).encode(), headers)
        assistant.hold.wait(20)
        said = assistant.replies.get(message, [reply(f"You wrote: {message}")])
        said = assistant.answered.setdefault(body.get("metadata", {}).get("message_id"), said)
        if assistant.lost:
            assistant.lost -= 1
            self.close_connection = True
            self.connection.close()
            return None
        self._json(200, said)

    def _json(self, status: int, content: Any) -> None:
        self._send(status, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: Dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def assistant() -> Iterator[Assistant]:
    server = Assistant()
    yield server
    server.close()


@pytest.fixture
def other_site() -> Iterator[Assistant]:
    """A second origin, to embed the widget of the first in."""
    server = Assistant()
    yield server
    server.close()


# Not for the session: while Playwright runs, no other test of this thread could use asyncio.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Contexts that fail the test when a page reports an error or breaks its policy."""
    contexts: List[BrowserContext] = []
    problems: List[str] = []

    def new(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.on("weberror", lambda error: problems.append(str(error.error)))
        context.on(
            "console",
            lambda entry: problems.append(entry.text) if "Content Security Policy" in entry.text else None,
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture
def open_chat(assistant: Assistant, new_context: Callable[..., BrowserContext]) -> Callable[..., Page]:
    """Opens embed.html and, unless told otherwise, the chat on it."""

    def open_(opened: bool = True, path: str = "embed.html", script: str = "", **options: Any) -> Page:
        context = new_context(**options)
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(f"{assistant.url}/{path}")
        if opened:
            page.get_by_role("button", name="Ask about MS or ALS").click()
        return page

    return open_


@pytest.fixture
def say() -> Callable[[Page, str], None]:
    """Types a message and sends it."""

    def say_(page: Page, text: str) -> None:
        page.get_by_label("Your question").fill(text)
        page.keyboard.press("Enter")

    return say_


@pytest.fixture(scope="session")
def modules() -> Path:
    """Where the packages are, installed when they are missing."""
    if not all((MODULES / file).exists() for file in PACKAGES.values()):
        install = ["npm", "install", "--no-save", "--prefix", str(MODULES.parent), *PACKAGES]
        done = subprocess.run(install, capture_output=True, text=True)
        if not all((MODULES / file).exists() for file in PACKAGES.values()):
            pytest.fail(f"{list(PACKAGES)} could not be installed: {' '.join(install)}\n{done.stderr}")
    return MODULES


@pytest.fixture(scope="session")
def axe_source(modules: Path) -> str:
    return (modules / PACKAGES["axe-core@4"]).read_text(encoding="utf-8")


@pytest.fixture
def violations(axe_source: str) -> Callable[[Page], List[str]]:
    """What axe finds wrong with the page as it is: rule and element."""

    def run(page: Page) -> List[str]:
        page.evaluate(axe_source)
        found = page.evaluate(
            """async () => {
              const rules = { 'target-size': { enabled: true } };
              const { violations, passes } = await axe.run(document, { rules });
              const seen = passes.some(({ id }) => id === 'color-contrast');
              if (innerHeight > 300 && !seen) return ['contrast was not looked at'];
              const said = ({ id, nodes }) =>
                nodes.map(({ target, failureSummary }) => `${id}: ${target.flat()} ${failureSummary}`);
              const left = [];
              for (const violation of violations) {
                if (violation.id !== 'target-size') left.push(...said(violation));
                else for (const { target } of violation.nodes) {
                  // Where it is cut by the edge of what scrolls says nothing of its size.
                  const path = target.flat();
                  const node = path.reduce((root, one) => (root.shadowRoot || root).querySelector(one), document);
                  node.scrollIntoView({ block: 'center', behavior: 'instant' });
                  const again = await axe.run({ include: [[path]] }, { runOnly: ['target-size'] });
                  left.push(...again.violations.flatMap(said));
                }
              }
              return left;
            }"""
        )
        return list(found)

    return run
