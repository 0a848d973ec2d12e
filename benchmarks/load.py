"""Many people talking at once: how long they wait, what fails, and whether memory stays flat.

python -m benchmarks.load                        one assistant with everything in SQLite
python -m benchmarks.load --scaled --peer        also scaled out (tests/topology.py), and the default-pipeline peer
python -m benchmarks.load --saturate             no pauses instead: turns per second and memory of each assistant
python -m benchmarks.load --write                put the last figures into docs/scaling.md; measures nothing

Figures are added to .build/load.json; those of an earlier run of the same kind are replaced.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from statistics import quantiles
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

from benchmarks import peer
from benchmarks.bench import WARM_UP
from benchmarks.documents import machine, put_between, table
from benchmarks.messages import MESSAGES, SIX
from benchmarks.peer import Peer
from benchmarks.running import ROOT, Assistant, Failed, Product, prepare
from stores.redis_stores import PREFIX
from tests.topology import Topology, topology

FIGURES = ROOT / ".build" / "load.json"
DOCUMENT = ROOT / "docs" / "scaling.md"

SEED = 20_26
#: Seconds that a person reads and types.
THINK = (4.0, 8.0)
#: A person gives up then; the assistant should never need half of it.
PATIENCE = 30.0
#: Without pauses: people per assistant, and seconds.
CROWD, SATURATED_SECONDS = 6, 20.0
MB = 2**20

#: Assumptions of the arithmetic: messages of a person a day, how much busier the peak hour is than the average,
#: and how busy an assistant may be in it. docs/scaling.md says them too.
MESSAGES_A_DAY, PEAK, BUSY = 6, 3.0, 0.6
USERS = (100, 10_000, 1_000_000)
LOG_DAYS = 90
TURN_IN_LOG = "PostgreSQL, a turn in the log of questions"


@dataclass(frozen=True)
class Turn:
    """A message: milliseconds until its reply was read, and what was wrong with that, if anything."""

    milliseconds: float
    problem: Optional[str] = None


class Person:
    """Somebody with a connection and an address of his own, who begins a new conversation after six messages.

    Args:
        name: tells people apart; the same name says the same at the same pace.
    """

    def __init__(self, port: int, name: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._random = random.Random(f"{SEED} {name}")
        self._name = name
        self._said = 0
        self._first = self._random.randrange(len(MESSAGES) // SIX) * SIX

    def think(self) -> float:
        """Seconds until the next message."""
        return self._random.uniform(*THINK)

    def say(self) -> Turn:
        talk, number = divmod(self._said, SIX)
        self._said += 1
        message = MESSAGES[(self._first + talk * SIX + number) % len(MESSAGES)]
        body = json.dumps({"sender": f"{self._name}-{talk}", "message": message})
        address = random.Random(f"{self._name} {talk}").getrandbits(24)
        headers = {
            "Content-Type": "application/json",
            # nginx in front limits what one address may ask.
            "X-Forwarded-For": f"10.{address >> 16}.{address >> 8 & 255}.{address & 255}",
        }
        began = time.perf_counter()
        try:
            problem = self._ask(body, headers)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            problem = type(error).__name__
        return Turn((time.perf_counter() - began) * 1000, problem)

    def _ask(self, body: str, headers: Dict[str, str]) -> Optional[str]:
        """What is wrong with the reply."""
        for again in (True, False):
            try:
                self._connection.request("POST", "/webhooks/rest/webhook", body, headers)
                response = self._connection.getresponse()
                content = response.read()
                break
            except (http.client.BadStatusLine, ConnectionResetError, BrokenPipeError):
                # The server has closed a connection that was idle for some seconds.
                self._connection.close()
                if not again:
                    raise
        if response.status != 200:
            return f"status {response.status}"
        try:
            (reply, *_) = json.loads(content)
        except ValueError:
            return "no reply"
        return "apology" if reply.get("metadata", {}).get("outcome") == "error" else None


@dataclass
class Talk:
    """What was seen while people talked."""

    turns: List[Turn] = field(default_factory=list)
    seconds: float = 0.0
    #: Bytes, from begin to end.
    memory: List[int] = field(default_factory=list)


def talk(port: int, people: int, seconds: float, memory: Callable[[], int], pause: bool = True) -> Talk:
    """Let people talk for some time.

    Args:
        memory: bytes of all processes that are measured.
        pause: whether they read and type between messages.
    """
    seen, over = Talk(), threading.Event()

    def live(number: int) -> None:
        person = Person(port, f"{'load' if pause else 'rush'}-{number}")
        if pause:
            over.wait(person.think() - THINK[0] + number / max(1, people) * THINK[0])
        while not over.is_set():
            seen.turns.append(person.say())
            if pause:
                over.wait(person.think())

    for _ in range(WARM_UP):
        Person(port, "warm").say()
    threads = [threading.Thread(target=live, args=(number,), daemon=True) for number in range(people)]
    seen.memory.append(memory())
    began = time.perf_counter()
    try:
        for thread in threads:
            thread.start()
        for _ in range(2):
            time.sleep(seconds / 2)
            seen.memory.append(memory())
    finally:
        over.set()
        seen.seconds = time.perf_counter() - began
        for thread in threads:
            thread.join()
    return seen


@dataclass(frozen=True)
class Load:
    """Figures of people who talked with pauses."""

    name: str
    day: str
    people: int
    minutes: float
    turns: int
    turns_per_second: float
    p50: float
    p95: float
    p99: float
    slowest: float
    problems: Dict[str, int]
    memory_mb: List[float]
    #: Bytes, by what is held.
    held: Dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, people: int, seen: Talk, held: Optional[Dict[str, float]] = None) -> Load:
        times = sorted(turn.milliseconds for turn in seen.turns)
        if len(times) < 2:
            raise Failed(f"{name}: {len(times)} turns are too few to be measured")
        hundredths = quantiles(times, n=100, method="inclusive")
        return cls(
            name,
            str(date.today()),
            people,
            minutes=round(seen.seconds / 60, 2),
            turns=len(times),
            turns_per_second=round(len(times) / seen.seconds, 2),
            p50=round(hundredths[49], 1),
            p95=round(hundredths[94], 1),
            p99=round(hundredths[98], 1),
            slowest=round(times[-1], 1),
            problems=dict(Counter(turn.problem for turn in seen.turns if turn.problem)),
            memory_mb=[round(value / MB, 1) for value in seen.memory],
            held=held or {},
        )


@dataclass(frozen=True)
class Saturation:
    """Figures of people who never pause."""

    name: str
    day: str
    assistants: int
    turns_per_second: float
    p50: float
    p95: float
    problems: Dict[str, int]
    assistant_mb: float
    all_mb: float

    @classmethod
    def of(cls, name: str, assistants: int, seen: Talk, assistant_bytes: float) -> Saturation:
        load = Load.of(name, 0, seen)
        return cls(
            name,
            load.day,
            assistants,
            load.turns_per_second,
            load.p50,
            load.p95,
            load.problems,
            round(assistant_bytes / MB, 1),
            load.memory_mb[-1],
        )


@contextmanager
def product() -> Iterator[Assistant]:
    """One assistant with everything in SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        log = f"sqlite:///{folder}/questions.sqlite"
        with Product(Path(folder), ROOT / "models", FEEDBACK_URL=log, QUESTION_LOG="rows") as running:
            yield running


@contextmanager
def default_pipeline() -> Iterator[Assistant]:
    """The peer with its last model."""
    models = peer.model(stale=True)
    with tempfile.TemporaryDirectory() as folder, Peer(Path(folder), models) as running:
        yield running


@contextmanager
def scaled_out(assistants: int = 2) -> Iterator[Topology]:
    with tempfile.TemporaryDirectory() as folder, topology(Path(folder), assistants) as running:
        yield running


def measure(name: str, people: int, seconds: float) -> Load:
    """Start one kind of assistant, let people talk to it, and stop it."""
    if name == "scaled out":
        with scaled_out() as running:
            seen = talk(running.nginx.port, people, seconds, memory_of(running))
            return Load.of(name, people, seen, held_by(running))
    kinds: Dict[str, Callable[[], AbstractContextManager[Assistant]]] = {"embedded": product, "peer": default_pipeline}
    with kinds[name]() as one:
        return Load.of(name, people, talk(one.port, people, seconds, one.memory))


def memory_of(running: Topology) -> Callable[[], int]:
    return lambda: sum(running.memory().values())


def held_by(running: Topology) -> Dict[str, float]:
    """Bytes that Redis and PostgreSQL hold, keys and indexes included."""
    redis = running.redis.client
    conversations = [redis.memory_usage(key) or 0 for key in redis.scan_iter(f"{PREFIX}conversation:*")]
    ((log, rows, facts),) = running.postgres.query(
        "select pg_total_relation_size('question_log'), (select count(*) from question_log), "
        "pg_database_size(current_database()) - pg_total_relation_size('question_log')"
    )
    return {
        "Redis, a conversation": sum(conversations) / max(1, len(conversations)),
        TURN_IN_LOG: float(str(log)) / max(1, int(str(rows))),
        "PostgreSQL, the rest": float(str(facts)),
    }


def saturate(seconds: float) -> Iterator[Saturation]:
    """Turns per second with nobody pausing: one embedded assistant, then one and two scaled out."""
    with product() as one:
        seen = talk(one.port, CROWD, seconds, one.memory, pause=False)
        yield Saturation.of("embedded", 1, seen, seen.memory[-1])
    for number in (1, 2):
        with scaled_out(number) as running:
            seen = talk(running.nginx.port, CROWD * number, seconds, memory_of(running), pause=False)
            each = running.memory()["assistants"] / number
            yield Saturation.of(f"scaled out, {number}", number, seen, each)


# --- figures ---------------------------------------------------------------------------------------


def keep(kind: str, figures: Any) -> None:
    """Add figures to those of earlier runs."""
    kept = json.loads(FIGURES.read_text(encoding="utf8")) if FIGURES.exists() else {}
    kept["machine"] = machine()
    kept.setdefault(kind, {})[figures.name] = asdict(figures)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf8")


def _problems(found: Dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(found.items())) or "none"


def _size(size: Optional[float]) -> str:
    if size is None:
        return ""
    for unit, bytes_ in (("GB", 2**30), ("MB", MB)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return f"{size / 1024:.1f} KB"


def loads_table(loads: Sequence[Dict[str, Any]]) -> str:
    """A column per kind, a line per figure."""
    held = [what for one in loads for what in one["held"]]
    lines: List[Tuple[str, Callable[[Dict[str, Any]], str]]] = [
        ("people at once", lambda f: f"{f['people']}"),
        ("minutes", lambda f: f"{f['minutes']:g}"),
        ("turns", lambda f: f"{f['turns']}"),
        ("turns per second", lambda f: f"{f['turns_per_second']:.1f}"),
        ("reply, p50", lambda f: f"{f['p50']:.0f} ms"),
        ("reply, p95", lambda f: f"{f['p95']:.0f} ms"),
        ("reply, p99", lambda f: f"{f['p99']:.0f} ms"),
        ("reply, slowest", lambda f: f"{f['slowest']:.0f} ms"),
        ("errors and apologies", lambda f: _problems(f["problems"])),
        ("memory, all processes: begin", lambda f: f"{f['memory_mb'][0]:.0f} MB"),
        ("middle", lambda f: f"{f['memory_mb'][1]:.0f} MB"),
        ("end", lambda f: f"{f['memory_mb'][-1]:.0f} MB"),
        ("end against begin", lambda f: f"{f['memory_mb'][-1] / f['memory_mb'][0] - 1:+.1%}"),
        *((what, lambda f, what=what: _size(f["held"].get(what))) for what in held),
        ("measured on", lambda f: f["day"]),
    ]
    return table(["", *(f["name"] for f in loads)], [[name, *map(show, loads)] for name, show in lines])


def saturations_table(found: Sequence[Dict[str, Any]]) -> str:
    lines: List[Tuple[str, Callable[[Dict[str, Any]], str]]] = [
        ("assistants", lambda f: f"{f['assistants']}"),
        ("turns per second", lambda f: f"{f['turns_per_second']:.1f}"),
        ("turns per second and assistant", lambda f: f"{f['turns_per_second'] / f['assistants']:.1f}"),
        ("reply, p50", lambda f: f"{f['p50']:.0f} ms"),
        ("reply, p95", lambda f: f"{f['p95']:.0f} ms"),
        ("errors and apologies", lambda f: _problems(f["problems"])),
        ("memory of an assistant", lambda f: f"{f['assistant_mb']:.0f} MB"),
        ("memory of all processes", lambda f: f"{f['all_mb']:.0f} MB"),
        ("measured on", lambda f: f["day"]),
    ]
    return table(["", *(f["name"] for f in found)], [[name, *map(show, found)] for name, show in lines])


def capacity_table(kept: Dict[str, Any]) -> str:
    """What numbers of users a day would take, from the figures measured scaled out."""
    several = [f for f in kept["saturation"].values() if f["name"].startswith("scaled out")]
    # The least is the one for which all of the machine was shared with everything else that ran.
    rate = min(f["turns_per_second"] / f["assistants"] for f in several)
    memory = max(f["assistant_mb"] for f in several) * MB
    held = kept["load"]["scaled out"]["held"]
    peaks = [users * MESSAGES_A_DAY * PEAK / 86_400 for users in USERS]
    assistants = [max(1, math.ceil(peak / (BUSY * rate))) for peak in peaks]
    lines = [
        ["messages a day", *(f"{users * MESSAGES_A_DAY:,}" for users in USERS)],
        ["turns per second in the peak hour", *(f"{peak:.3g}" for peak in peaks)],
        [f"assistants at {rate:.0f} turns per second, {BUSY:.0%} busy", *(f"{number}" for number in assistants)],
        ["their memory", *(_size(number * memory) for number in assistants)],
        ["conversations of a day in Redis", *(_size(users * held["Redis, a conversation"]) for users in USERS)],
        [
            f"log of questions of {LOG_DAYS} days in PostgreSQL",
            *(_size(users * MESSAGES_A_DAY * LOG_DAYS * held[TURN_IN_LOG]) for users in USERS),
        ],
    ]
    return table(["users a day", *(f"{users:,}" for users in USERS)], lines)


def tables() -> str:
    """All figures kept, as they stand in docs/scaling.md.

    Raises:
        Failed: when nothing was measured yet.
    """
    if not FIGURES.exists():
        raise Failed(f"nothing was measured yet: there is no {FIGURES.relative_to(ROOT)}")
    kept = json.loads(FIGURES.read_text(encoding="utf8"))
    parts = [f"Measured on {kept['machine']}."]
    if "load" in kept:
        title = f"People who read and type for {THINK[0]:g} to {THINK[1]:g} seconds between messages:"
        parts += [title, loads_table(list(kept["load"].values()))]
    if "saturation" in kept:
        title = f"People who never pause, {CROWD} to an assistant:"
        parts += [title, saturations_table(list(kept["saturation"].values()))]
    if kept.get("load", {}).get("scaled out", {}).get("held") and "scaled out, 1" in kept.get("saturation", {}):
        parts += ["From these figures, for:", capacity_table(kept)]
    return "\n\n".join(parts)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--people", type=int, default=50, help="how many talk at once (50)")
    parser.add_argument("--minutes", type=float, default=5.0, help="for how long (5)")
    parser.add_argument("--scaled", action="store_true", help="also scaled out: two assistants behind nginx")
    parser.add_argument("--peer", action="store_true", help="also the default-pipeline peer, with its last model")
    parser.add_argument("--saturate", action="store_true", help="no pauses instead; one and two assistants")
    parser.add_argument("--write", action="store_true", help="put the last figures into docs/scaling.md, and end")
    options = parser.parse_args(arguments)
    if options.people < 1 or options.minutes <= 0:
        parser.error("--people and --minutes must be more than 0")
    prepare()
    try:
        if options.write:
            put_between(DOCUMENT, "benchmarks.load", tables())
            return 0
        seconds = options.minutes * 60
        if options.saturate:
            for figures in saturate(min(seconds, SATURATED_SECONDS)):
                keep("saturation", figures)
                print(saturations_table([asdict(figures)]), flush=True)
            return 0
        for name, wanted in (("embedded", True), ("scaled out", options.scaled), ("peer", options.peer)):
            if wanted:
                load = measure(name, options.people, seconds)
                keep("load", load)
                print(loads_table([asdict(load)]), flush=True)
    except (Failed, OSError, http.client.HTTPException, pytest.fail.Exception) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
