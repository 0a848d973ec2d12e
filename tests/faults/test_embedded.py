"""One assistant with everything in SQLite, while something breaks: killed, facts damaged, disk full, clock moved."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import requests

from channels.pace import Pace
from facts.build import build
from server.app import model_file, require_whole
from server.settings import SettingError, Settings
from tests.conftest import ROOT, free_port
from tests.faults.talker import BEGUN_ANEW, SECONDS, Found, Talkers, Turn, say
from tests.topology import Program, server

DAY = 86_400

#: Put before everything else that Python imports: the clock goes as wrong as a file says. Timers, which go by
#: another clock, stay right, as they do when a machine's clock is set.
WRONG_CLOCK = """\
import os, time
right = time.time
def wrong():
    with open(os.environ["CLOCK_IS_WRONG_BY"]) as seconds:
        return right() + float(seconds.read() or 0)
time.time = wrong
time.time_ns = lambda: int(wrong() * 1e9)
"""


class Disk:
    """A folder on a disk that can be full: a small tmpfs where it can be mounted, else files may not grow.

    Args:
        folder: a new folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "faults", str(folder)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    @contextmanager
    def full(self, pid: int) -> Iterator[None]:
        """Nothing more can be written by a process."""
        if not self.mounted:
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
            try:
                yield
            finally:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
            return
        filling = self.folder / "filling"
        try:
            fill(filling)
            yield
        finally:
            filling.unlink()

    def gone(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    try:
        with file.open("wb", buffering=0) as filling:
            while filling.write(bytes(4096)):
                pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


class Embedded(Program):
    """`python -m server` with files of its own, on a disk that can be full and with a clock that can be wrong."""

    def __init__(self, folder: Path) -> None:
        place = folder / "wrong-clock"
        place.mkdir()
        (place / "sitecustomize.py").write_text(WRONG_CLOCK, "utf8")
        self._clock = folder / "seconds"
        self._clock.write_text("0", "utf8")
        (folder / "disk").mkdir()
        self.disk = Disk(folder / "disk")
        self.conversations = folder / "disk" / "conversations.sqlite"
        self.facts = folder / "facts.json"
        assert build(self.facts) == []
        self.built = self.facts.read_bytes()
        made = server(
            "embedded",
            folder,
            FACTS_FILE=str(self.facts),
            CONVERSATIONS_URL=f"sqlite:///{self.conversations}",
            FEEDBACK_URL=f"sqlite:///{folder}/disk/feedback.sqlite",
            QUESTION_LOG="rows",
            MESSAGES_PER_MINUTE="0",
            CLOCK_IS_WRONG_BY=str(self._clock),
            PYTHONPATH=f"{place}{os.pathsep}{ROOT}",
        )
        self.__dict__.update(made.__dict__ | self.__dict__)

    def clock_is_wrong_by(self, days: float) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(str(days * DAY), "utf8")
        new.replace(self._clock)

    def ask(self, sender: str, message: str, condition: str = "MS", topic: str = "cause") -> Turn:
        return say(self.address, sender, message, topic, condition, False)

    def ready(self) -> tuple[int, dict[str, Any]]:
        answer = requests.get(f"{self.address}/health/ready", timeout=10)
        return answer.status_code, answer.json()

    def oldest(self) -> float:
        """Days since the last message of the conversation that has been kept longest."""
        with closing(sqlite3.connect(self.conversations)) as connection:
            (updated,) = connection.execute("select min(updated) from conversations").fetchone()
        return (time.time() + float(self._clock.read_text()) - updated) / DAY


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    one = Embedded(tmp_path_factory.mktemp("embedded"))
    try:
        one.start()
        yield one
    finally:
        one.kill()
        one.disk.gone()


def nobody_is_there(turn: Turn) -> bool:
    """Without a proxy in front there is nobody to apologise while the one assistant is away; the page does."""
    return "ConnectionError" in turn.detail


# --- killed ----------------------------------------------------------------------------------------


def test_it_is_killed_while_people_talk_and_right_after_a_reply(embedded: Embedded) -> None:
    person = uuid.uuid4().hex
    with Talkers(embedded.address, 3, refused=nobody_is_there) as people:
        people.wait_for_right(6)
        assert embedded.ask(person, "what causes ms").found is Found.RIGHT
        embedded.kill()
        embedded.start()
        assert embedded.ask(person, "and for ALS?", "ALS").found is Found.RIGHT
        people.wait_for_right(6)
    assert people.counted().keys() == {Found.RIGHT, Found.APOLOGY}, people.odd()
    with closing(sqlite3.connect(embedded.conversations)) as connection:
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


# --- the fact store --------------------------------------------------------------------------------


def replaced_by(content: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        new = file.with_suffix(".new")
        new.write_bytes(content(file.read_bytes()))
        new.replace(file)

    return damage


def overwritten(file: Path) -> None:
    """In place, as a failing disk would."""
    with file.open("r+b") as store:
        store.seek(4096)
        store.write(os.urandom(file.stat().st_size - 4096))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "deleted": Path.unlink,
    "garbage": replaced_by(lambda content: os.urandom(len(content))),
    "empty": replaced_by(lambda content: b""),
    "cut short": replaced_by(lambda content: content[: len(content) // 3]),
    "overwritten": overwritten,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_facts_that_are_damaged_are_served_as_read_before_and_reported(name: str, embedded: Embedded) -> None:
    person = uuid.uuid4().hex
    assert embedded.ask(person, "what causes ms").found is Found.RIGHT
    DAMAGES[name](embedded.facts)
    meanwhile = [embedded.ask(uuid.uuid4().hex, "what causes ms") for _ in range(3)]
    meanwhile.append(embedded.ask(person, "and for ALS?", "ALS"))
    assert {turn.found for turn in meanwhile} == {Found.RIGHT}, meanwhile
    assert (embedded.ready()[0], embedded.ready()[1]["status"]) == (200, "degraded")
    assert "the facts read before are served" in embedded.log
    if name == "deleted":
        assert build(embedded.facts) == []
    else:
        replaced_by(lambda content: embedded.built)(embedded.facts)
    assert embedded.ask(person, "and for ALS?", "ALS").found is Found.RIGHT
    assert embedded.ready()[1]["status"] == "ok"


# --- the disk --------------------------------------------------------------------------------------


def test_the_disk_is_full_for_a_while(embedded: Embedded) -> None:
    known, leaving, late = (uuid.uuid4().hex for _ in range(3))
    assert {embedded.ask(person, "what causes ms").found for person in (known, leaving)} == {Found.RIGHT}
    with Talkers(embedded.address, 2) as people:
        people.wait_for_right(4)
        with embedded.disk.full(embedded.pid):
            begin = time.monotonic()
            time.sleep(3.0)
            meanwhile = people.counted(begin)
            # A question that could not be kept must not be answered next time as the one before it.
            turns = [embedded.ask(known, "how is ms diagnosed", "MS", "diagnosis")]
            turns.append(embedded.ask(known, "and for ALS?", "ALS", "diagnosis"))
            forgotten = embedded.ask(leaving, "forget me")
            vote = {"outcome": "answered", "topic": "cause", "helpful": True}
            voted = requests.post(f"{embedded.address}/feedback", json=vote, timeout=10)
        people.wait_for_right(6)
        well = time.monotonic()
        people.wait_for_right(6)
    assert meanwhile.keys() <= {Found.RIGHT, Found.APOLOGY}, people.odd()
    assert meanwhile[Found.APOLOGY]
    assert forgotten.found is Found.APOLOGY  # it would not be true
    assert voted.status_code == 503
    assert [turn for turn in turns if turn.found is not Found.APOLOGY and "diagnosis" not in turn.detail] == []
    assert embedded.ask(known, "and for ALS?", "ALS").detail.startswith(BEGUN_ANEW)
    assert [t for t in people.turns if t.found in (Found.BROKEN, Found.HUNG)] == []
    odd = [t for t in people.turns if t.found is Found.ANOTHER]
    assert [t for t in odd if not t.follow_up or not t.detail.startswith(BEGUN_ANEW)] == []
    assert people.counted(well).keys() == {Found.RIGHT}
    assert embedded.ask(late, "what causes ms").found is Found.RIGHT
    assert embedded.ask(late, "and for ALS?", "ALS").found is Found.RIGHT
    assert embedded.ready()[0] == 200


# --- the clock -------------------------------------------------------------------------------------


def test_the_clock_jumps_by_days(embedded: Embedded) -> None:
    try:
        early, later, before = (uuid.uuid4().hex for _ in range(3))
        assert embedded.ask(early, "what causes ms").found is Found.RIGHT

        embedded.clock_is_wrong_by(2)
        afresh = embedded.ask(early, "and for ALS?", "ALS")
        assert afresh.found is Found.ANOTHER
        assert afresh.detail.startswith(BEGUN_ANEW)
        assert embedded.ask(later, "what causes ms").found is Found.RIGHT
        assert embedded.ask(later, "and for ALS?", "ALS").found is Found.RIGHT
        assert embedded.oldest() < 1  # nothing is kept for longer than RETENTION_DAYS

        embedded.clock_is_wrong_by(-2)
        assert embedded.ask(later, "and MS?").found is Found.RIGHT
        assert embedded.ask(before, "what causes ms").found is Found.RIGHT
        assert embedded.ask(before, "and for ALS?", "ALS").found is Found.RIGHT

        embedded.clock_is_wrong_by(0)
        for person in (later, before):  # two days old by now
            assert embedded.ask(person, "tell me more").detail.startswith("clarify")

        embedded.clock_is_wrong_by(3.1)
        assert embedded.ask(uuid.uuid4().hex, "what causes ms").found is Found.RIGHT
        assert embedded.oldest() < 1
    finally:
        embedded.clock_is_wrong_by(0)


async def test_a_clock_that_is_set_back_makes_nobody_wait_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(2)
    assert [await pace.wait("a") for _ in range(2)] == [0, 0]
    assert 0 < await pace.wait("a") <= 60
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() - 2 * DAY)
    assert await pace.wait("a") <= 60


# --- a slow action ---------------------------------------------------------------------------------


@pytest.fixture
def slow_actions() -> Iterator[str]:
    """The address of an action server that answers after 30 seconds."""
    over = Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # its health
            self.send_response(200)
            self.end_headers()

        def do_POST(self) -> None:
            over.wait(30)
            with suppress(OSError):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'{"events": [], "responses": []}')

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    listening.daemon_threads = True
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}/webhook"
    over.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


def test_a_slow_action_is_apologised_for_in_time_and_holds_nothing_else_up(slow_actions: str, tmp_path: Path) -> None:
    assert build(tmp_path / "facts.json") == []
    one = server(
        "slow",
        tmp_path,
        ACTION_ENDPOINT=slow_actions,
        FACTS_FILE=str(tmp_path / "facts.json"),
        CONVERSATIONS_URL=f"sqlite:///{tmp_path}/conversations.sqlite",
        FEEDBACK_URL=f"sqlite:///{tmp_path}/feedback.sqlite",
    )
    try:
        one.start()
        people = [uuid.uuid4().hex for _ in range(3)]
        with ThreadPoolExecutor(6) as pool:
            # Each sends two messages at once; the second waits for the first, as the order in a conversation wants.
            asked = [pool.submit(say, one.address, who, "what causes ms", "cause", "MS", False) for who in people * 2]
            time.sleep(1.0)
            begin = time.monotonic()
            assert requests.get(f"{one.address}/health/live", timeout=5).status_code == 200
            assert time.monotonic() - begin < 1.0
            turns = [turn.result() for turn in asked]
    finally:
        one.kill()
    assert {turn.found for turn in turns} == {Found.APOLOGY}
    assert max(turn.ended - turn.began for turn in turns) < SECONDS


# --- a model that is cut short ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> bytes:
    return model_file(Settings()).read_bytes()


def test_a_model_that_is_whole_is_taken() -> None:
    require_whole(model_file(Settings()))


def test_a_model_with_a_wrong_byte_is_noticed(model: bytes, tmp_path: Path) -> None:
    damaged = bytearray(model)
    damaged[len(model) // 2] ^= 0x55
    file = tmp_path / "model.tar.gz"
    file.write_bytes(damaged)
    with pytest.raises(SettingError, match="MODEL"):
        require_whole(file)


@pytest.mark.parametrize("left", [0, 100, 0.5, -1000, -100, -20, -4, -1])
def test_a_model_cut_short_is_noticed_wherever_it_ends(left: float, model: bytes, tmp_path: Path) -> None:
    end = int(left * len(model)) if isinstance(left, float) else left
    file = tmp_path / "model.tar.gz"
    file.write_bytes(model[:end])
    with pytest.raises(SettingError, match="MODEL"):
        require_whole(file)


def test_a_start_with_a_model_cut_short_is_refused_in_one_line(model: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(model[: len(model) // 2])
    environment = {
        **os.environ,
        "PORT": str(free_port()),
        "MODEL": str(tmp_path),
        "CONVERSATIONS_URL": f"sqlite:///{tmp_path}/conversations.sqlite",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "server"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    (line,) = (done.stdout + done.stderr).splitlines()
    assert line == "The model model.tar.gz (MODEL) cannot be read: run `make train`."
