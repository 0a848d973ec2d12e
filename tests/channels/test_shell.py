"""The terminal: what a reply looks like at every width, the keys, and how one leaves."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.shell import AWAY, TABLE_COLUMNS, TYPE_INSTEAD, render
from tests.channels.outcomes import DISCLAIMER, NICE, OUTCOMES, reply, words_of
from tests.channels.terminal import CTRL_C, CTRL_D, DOWN, ENTER, ROOT, UP, Terminal
from tests.conftest import free_port

WIDTHS = (40, 80, 120)
ROWS = [
    {
        "aspect": "Typical first signs",
        "MS": "Painful loss of sight, double vision, numbness, unsteady walking",
        "ALS": "Painless weakness in a limb, twitching, cramps, tripping, slurred speech",
    },
    {"aspect": "Usual onset", "MS": "20 to 40", "ALS": "40 to 70"},
    {"aspect": "Fills every line", "MS": "a " * 60 + "a", "ALS": "b " * 60 + "b"},
]
COMPARISON = reply("answered", "They differ. " * 9, comparison=ROWS, sources=[NICE], reviewed="2026-11-22")
ADDRESS = "https://www.example.org/health-information/disorders/amyotrophic-lateral-sclerosis-als"


# --- what a reply looks like --------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_word_is_there_within_the_width_and_the_disclaimer_comes_last(outcome: str, width: int) -> None:
    message = OUTCOMES[outcome]
    text = render(message, width)
    assert [word for word in words_of(message) if word not in text] == []
    assert [line for line in text.splitlines() if len(line) > width and "://" not in line] == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert joined(text).endswith(DISCLAIMER)
    assert [source["url"] for source in message["metadata"]["sources"] if source["url"] not in text] == []
    assert "\n\n\n" not in text


def test_who_reads_is_told_that_sources_are_still_to_be_checked() -> None:
    assert "Facts last looked at: 2026-11-22; not every source has been read again yet." in render(
        OUTCOMES["answered"], 120
    )


@pytest.mark.parametrize("width", [80, 120])
def test_a_comparison_is_a_table(width: int) -> None:
    lines = render(COMPARISON, width).splitlines()
    (head,) = (n for n, line in enumerate(lines) if line.split() == ["MS", "ALS"])
    ms, als = lines[head].index("MS"), lines[head].index("ALS")
    body = lines[head + 2 : lines.index("", head)]
    assert lines[head + 1] == "-" * width
    assert max(len(line) for line in body) <= width
    columns = [" ".join(line[a:b].strip() for line in body).split() for a, b in ((0, ms), (ms, als), (als, None))]
    for column, key in zip(columns, ("aspect", "MS", "ALS"), strict=True):
        assert column == " ".join(row[key] for row in ROWS).split()
    # Two blanks at least between one column and the next.
    assert {line[n - 2 : n] for line in body for n in (ms, als)} <= {"  ", ""}


@pytest.mark.parametrize("width", [20, 40, TABLE_COLUMNS - 1])
def test_a_comparison_is_stacked_where_a_table_would_be_too_thin(width: int) -> None:
    text = render(COMPARISON, width)
    assert [line for line in text.splitlines() if len(line) > width and "://" not in line] == []
    for row in ROWS:
        assert f"{row['aspect']} MS: {row['MS']} ALS: {row['ALS']}" in joined(text)


def test_an_address_in_an_answer_is_never_broken() -> None:
    assert ADDRESS in render(reply("not_covered", f"Ask them: {ADDRESS}; or your doctor."), 40)


def test_a_reply_without_metadata_is_shown_from_its_text() -> None:
    assert render({"text": "Plain text."}, 80) == "Plain text."


# --- keys, in a terminal ------------------------------------------------------------------------------

NEXT = ("And in ALS?", "/diagnosis_als"), ("Types of MS", "/types_ms"), ("Who can help?", "/support")
PROMPT = "Your question:"
MENU = r"Next\? \((.|\n)*Who can help\?"


class RestApi:
    """A small REST channel; remembers what it was sent and answers as it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.asked = threading.Event()
        self.answer: Callable[[str], web.Response] = self.talk
        app = web.Application()
        app.router.add_post("/webhooks/rest/webhook", self.receive)
        app.router.add_post("/never", self.never)
        self.server = TestServer(app)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self.server.start_server(access_log=None), self._loop).result(10)
        self.url = str(self.server.make_url("")).rstrip("/")

    async def receive(self, request: web.Request) -> web.Response:
        self.messages.append((await request.json())["message"])
        return self.answer(self.messages[-1])

    async def never(self, _: web.Request) -> web.Response:
        self.asked.set()
        await asyncio.sleep(60)
        return web.Response(status=503)

    @staticmethod
    def talk(message: str) -> web.Response:
        buttons = () if message == "no buttons" else NEXT
        return web.json_response([reply("answered", f"You said {message}.", buttons=buttons)])

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def api() -> Iterator[RestApi]:
    served = RestApi()
    yield served
    served.close()


@pytest.fixture
def open_terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def begin(address: str, columns: int = 100) -> Terminal:
        talk = f"import asyncio; from channels.shell import talk; asyncio.run(talk({address!r}))"
        opened.append(Terminal(["-c", talk], tmp_path / "log", columns))
        opened[-1].until(PROMPT)
        return opened[-1]

    yield begin
    for terminal in opened:
        terminal.close()


def test_buttons_are_chosen_by_arrow_keys_and_a_question_is_simply_typed(
    api: RestApi, open_terminal: Callable[..., Terminal]
) -> None:
    terminal = open_terminal(api.url)
    terminal.press(f"what is ms{ENTER}")
    menu = terminal.until(MENU)
    assert "You said what is ms." in menu
    assert [line.strip(" »") for line in menu.splitlines()[-4:]] == [TYPE_INSTEAD, *(title for title, _ in NEXT)]
    terminal.press(DOWN + DOWN + ENTER)
    terminal.until(MENU)
    terminal.press(UP + ENTER)  # from the first round to the last
    terminal.until(MENU)
    terminal.press("jk, is it mine?")  # letters, although lists elsewhere move by them
    terminal.until("jk, is it mine")
    terminal.press(ENTER)
    terminal.until(MENU)
    terminal.press(ENTER)
    terminal.until(PROMPT)
    terminal.press(f"no buttons{ENTER}")
    terminal.until(PROMPT + r"\s*$")
    terminal.press(f"{ENTER}{ENTER}  /stop {ENTER}")
    assert terminal.ended() == 0
    assert api.messages == ["what is ms", "/types_ms", "/support", "jk, is it mine?", "no buttons"]


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["ctrl-c", "ctrl-d"])
@pytest.mark.parametrize("place", ["question", "menu"])
def test_leaving_by_key_is_quiet(
    place: str, key: str, api: RestApi, open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = open_terminal(api.url)
    if place == "menu":
        terminal.press(f"what is ms{ENTER}")
        terminal.until(MENU)
    terminal.press(key)
    assert terminal.ended() == 0
    assert "Traceback" not in terminal.shown + (tmp_path / "log").read_text()
    assert "Cancelled" not in terminal.shown


def test_text_is_wrapped_to_the_terminal(api: RestApi, open_terminal: Callable[..., Terminal]) -> None:
    api.answer = lambda _: web.json_response([reply("answered", "word " * 60)])
    for columns, widest in ((40, 40), (200, 88)):
        terminal = open_terminal(api.url, columns)
        terminal.press(f"hi{ENTER}")
        lines = terminal.until(PROMPT + r"\s*$").splitlines()
        assert widest - 5 <= max(len(line) for line in lines if line.startswith("word")) <= widest


def joined(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def too_many(_: str) -> web.Response:
    error = {"error": {"code": "too_many_requests", "message": "Too many requests."}}
    return web.json_response(error, status=429, headers={"Retry-After": "7"})


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (too_many, "The assistant is busy. Please try again in 7 seconds."),
        (
            lambda _: web.Response(text="<h1>no</h1>", status=503, headers={"Retry-After": "30"}),
            "try again in 30 seconds",
        ),
        (lambda _: web.json_response({"error": {"code": "x", "message": "Too long."}}, status=400), "Too long."),
        (lambda _: web.Response(text="<h1>Bad Gateway</h1>", status=502), AWAY),
        (lambda _: web.Response(text="not json"), AWAY),
        (lambda _: web.json_response([]), AWAY),
    ],
    ids=["429", "503", "400", "502", "no-json", "nothing"],
)
def test_what_could_not_be_answered_gets_a_kind_line_and_stays_in_the_line_to_be_sent(
    answer: Callable[[str], web.Response], line: str, api: RestApi, open_terminal: Callable[..., Terminal]
) -> None:
    api.answer = answer
    terminal = open_terminal(api.url)
    terminal.press(f"what is ms{ENTER}")
    assert line in joined(terminal.until(PROMPT + r" what is ms\s*$"))
    api.answer = api.talk
    terminal.press(ENTER)
    assert "You said what is ms." in terminal.until(MENU)
    # A button that could not be sent is still there to be pressed.
    api.answer = answer
    terminal.press(DOWN + ENTER)
    assert line in joined(terminal.until(MENU))
    api.answer = api.talk
    terminal.press(DOWN + ENTER)
    assert "You said /diagnosis_als." in terminal.until(MENU)
    assert api.messages == ["what is ms", "what is ms", "/diagnosis_als", "/diagnosis_als"]


def test_a_server_that_is_away_gets_a_kind_line(open_terminal: Callable[..., Terminal]) -> None:
    terminal = open_terminal(f"http://127.0.0.1:{free_port()}")
    terminal.press(f"what is ms{ENTER}")
    assert AWAY in joined(terminal.until(PROMPT + r" what is ms\s*$"))
    terminal.press(CTRL_C)
    assert terminal.ended() == 0


def test_without_a_terminal_the_buttons_are_numbered(api: RestApi) -> None:
    talk = f"import asyncio; from channels.shell import talk; asyncio.run(talk({api.url!r}))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", talk],
        cwd=ROOT,
        input="what is ms\n2\n7\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "  1. And in ALS?\n  2. Types of MS\n  3. Who can help?\n" in done.stdout
    assert api.messages == ["what is ms", "/types_ms", "7"]
    assert done.stderr == ""


# --- with the assistant behind it ---------------------------------------------------------------------


def server_shell(folder: Path, facts_file: Path, **environment: str) -> Terminal:
    """`make shell` in a terminal."""
    settings = {
        "PORT": str(free_port()),
        "FACTS_FILE": str(facts_file),
        "CONVERSATIONS_URL": f"sqlite:///{folder}/conversations.sqlite",
        "FEEDBACK_URL": f"sqlite:///{folder}/feedback.sqlite",
        "RASA_TELEMETRY_ENABLED": "false",
        **environment,
    }
    terminal = Terminal(["-m", "server", "shell"], folder / "log", 80, **settings)
    terminal.until(PROMPT, seconds=90)
    return terminal


def is_over(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_make_shell_answers_and_ctrl_d_stops_the_assistant(facts_file: Path, tmp_path: Path) -> None:
    terminal = server_shell(tmp_path, facts_file)
    try:
        terminal.press(f"how is ms diagnosed{ENTER}")
        first = terminal.until(r"Next\? \((.|\n)*And in ALS\?")
        assert "Sources" in first
        assert re.search(r"ask\s+a\s+doctor", first)
        terminal.press(DOWN + ENTER)
        assert "ALS" in terminal.until(r"Next\? \((.|\n)*And in MS\?")
        terminal.press(CTRL_D)
        assert terminal.ended() == 0
        assert is_over(terminal.pid)
    finally:
        terminal.close()
    assert "Traceback" not in terminal.shown + (tmp_path / "log").read_text()


def test_ctrl_c_while_waiting_for_an_answer_stops_the_assistant(facts_file: Path, tmp_path: Path, api: RestApi) -> None:
    # An action server that takes the question and says nothing.
    terminal = server_shell(tmp_path, facts_file, ACTION_ENDPOINT=f"{api.url}/never")
    try:
        terminal.press(f"how is ms diagnosed{ENTER}")
        assert api.asked.wait(20)
        terminal.press(CTRL_C)
        assert terminal.ended(20) == 0
    finally:
        terminal.close()
    assert "Traceback" not in terminal.shown + (tmp_path / "log").read_text()
