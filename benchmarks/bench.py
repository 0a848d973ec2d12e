"""Speed, start and memory beside the peer, in turn on the same machine.

python -m benchmarks.bench           everything, both trained afresh; writes docs/bench.md and the README's table
python -m benchmarks.bench --quick   one short round on the trained models; prints only
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from http.client import HTTPException
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from benchmarks import peer
from benchmarks.documents import machine, put_between, table
from benchmarks.messages import LONG_TALK, MESSAGES, SIX
from benchmarks.peer import Peer
from benchmarks.running import ROOT, Assistant, Client, Failed, Product, prepare, train

DOCUMENT, README = ROOT / "docs" / "bench.md", ROOT / "README.md"
CLIENTS = 8
WARM_UP = 12
EARLY, LATE = 5, 200

Figures = Dict[str, float]


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        train: train both afresh and serve those models.
        rounds: starts of each assistant, taking turns.
        passes: how often one client sends all messages.
        talks: long conversations.
    """

    train: bool
    rounds: int
    passes: int
    talks: int


FULL = Plan(train=True, rounds=3, passes=4, talks=5)
QUICK = Plan(train=False, rounds=1, passes=1, talks=1)


@dataclass(frozen=True)
class Row:
    """A line of the table: a figure, how it is written, and the most its ratio to the peer's should be."""

    figure: str
    name: str
    form: str
    target: Optional[float] = None


ROWS = (
    Row("training", "training afresh (`rasa train --force`)", "{:.0f} s", 0.5),
    Row("training_processor", "training afresh, time of a processor core", "{:.0f} s"),
    Row("start", "cold start to first answer", "{:.1f} s", 0.25),
    Row("memory", "memory after the runs, all processes (PSS)", "{:.0f} MB", 0.6),
    Row("one_p50", "turn, one client, p50", "{:.1f} ms", 0.15),
    Row("one_p95", "turn, one client, p95", "{:.1f} ms"),
    Row("one_processor", "turn, one client, time of a processor core", "{:.1f} ms"),
    Row("many_p50", f"turn, {CLIENTS} clients, p50", "{:.0f} ms", 0.33),
    Row("many_p95", f"turn, {CLIENTS} clients, p95", "{:.0f} ms"),
    Row("early", f"turn {EARLY} of a conversation", "{:.1f} ms"),
    Row("late", f"turn {LATE} of a conversation", "{:.1f} ms"),
)
#: What the README shows.
SUMMARY = ("training", "start", "memory", "one_p50", "many_p50")
#: The most that turn 200 may take of turn 5's time, each assistant by itself.
GROWTH_TARGET = 1.5


def turn(client: Client, sender: str, message: str) -> float:
    """Milliseconds from sending a message to having read its reply."""
    began = time.perf_counter()
    client.ask(sender, message)
    return (time.perf_counter() - began) * 1000


def converse(client: Client, name: str, passes: int) -> List[float]:
    """Milliseconds of each turn when one client sends all messages, six to a conversation."""
    return [
        turn(client, f"{name}-{number}-{i // SIX}", message)
        for number in range(passes)
        for i, message in enumerate(MESSAGES)
    ]


def converse_together(assistant: Assistant) -> List[float]:
    """Milliseconds of each turn when eight clients send all messages at the same time."""
    people = ThreadPoolExecutor(CLIENTS)
    try:
        talks = [people.submit(converse, assistant.client(), f"many-{i}", 1) for i in range(CLIENTS)]
        return [milliseconds for talk in talks for milliseconds in talk.result()]
    finally:
        people.shutdown(wait=False, cancel_futures=True)


def talk_long(client: Client, sender: str) -> Tuple[float, float]:
    """Milliseconds of turn 5 and of turn 200; each the median of the five turns around it."""
    times = [turn(client, sender, LONG_TALK[i % len(LONG_TALK)]) for i in range(LATE + 2)]
    # Turns count from one; the five around each hold every message once.
    return median(times[EARLY - 3 : EARLY + 2]), median(times[LATE - 3 : LATE + 2])


def measure(assistant: Assistant, plan: Plan) -> Figures:
    """The figures of one start of an assistant."""
    with assistant:
        client = assistant.client()
        for i in range(WARM_UP):
            client.ask(f"warm-{i // SIX}", MESSAGES[i])
        used = assistant.processor_seconds()
        one = converse(client, "one", plan.passes)
        used = assistant.processor_seconds() - used
        many = converse_together(assistant)
        talks = [talk_long(client, f"talk-{i}") for i in range(plan.talks)]
        return {
            "start": assistant.start_seconds,
            "one_p50": median(one),
            "one_p95": quantiles(one, n=20)[-1],
            "one_processor": 1000 * used / len(one),
            "many_p50": median(many),
            "many_p95": quantiles(many, n=20)[-1],
            "early": median(early for early, _ in talks),
            "late": median(late for _, late in talks),
            "growth": median(late / early for early, late in talks),
            "memory": assistant.memory() / 2**20,
        }


def where_time_goes(folder: Path, models: Path) -> Dict[str, float]:
    """Mean milliseconds of a turn in each room of the product, with one client."""
    log = folder / "turns.jsonl"
    with Product(folder, models, "benchmarks.turn_times", TURN_TIMES=str(log)) as product:
        client = product.client()
        for i in range(WARM_UP):
            client.ask(f"warm-{i // SIX}", MESSAGES[i])
        whole = converse(client, "rooms", 2)
    turns = [json.loads(line) for line in log.read_text(encoding="utf8").splitlines()][-len(whole) :]
    rooms = {room: mean(t.get(room, 0.0) for t in turns) * 1000 for room in turns[0]}
    return {**rooms, "HTTP, and the client": mean(whole) - sum(rooms.values())}


@dataclass(frozen=True)
class Result:
    """Figures of the product and of the peer, medians over the rounds.

    Attributes:
        rooms: where the product's time goes, mean milliseconds of a turn.
        loads: load averages of the machine in the course of it.
    """

    rounds: int
    product: Figures
    peer: Figures
    rooms: Dict[str, float]
    loads: List[float]


def run(plan: Plan, folder: Path) -> Result:
    """Measure both, in turn."""
    names = ("product", "peer")
    models = {name: folder / f"{name}-models" for name in names}
    taken: Dict[str, List[Figures]] = {name: [] for name in names}
    trainings: Dict[str, Figures] = {name: {} for name in names}
    loads = [os.getloadavg()[0]]
    if plan.train:
        peer.build()
        for name, project in (("product", ROOT), ("peer", peer.PROJECT)):
            # No cache of earlier trainings.
            took = train(project, models[name], "--force", RASA_CACHE_DIRECTORY=str(folder / f"{name}-cache"))
            trainings[name] = {"training": took.seconds, "training_processor": took.processor_seconds}
            _say(f"{name}, training", trainings[name])
            loads.append(os.getloadavg()[0])
    else:
        models = {"product": ROOT / "models", "peer": peer.model(stale=True)}
    for number in range(plan.rounds):
        # Whoever goes first in one round goes second in the next.
        for name in names if number % 2 == 0 else reversed(names):
            kind = Product if name == "product" else Peer
            taken[name].append(measure(kind(folder, models[name]), plan))
            _say(f"{name}, round {number + 1} of {plan.rounds}", taken[name][-1])
            loads.append(os.getloadavg()[0])
    return Result(
        plan.rounds,
        {**trainings["product"], **medians(taken["product"])},
        {**trainings["peer"], **medians(taken["peer"])},
        where_time_goes(folder, models["product"]),
        loads,
    )


def medians(rounds: Sequence[Figures]) -> Figures:
    """The median of each figure over the rounds."""
    return {figure: median(r[figure] for r in rounds) for figure in rounds[0]}


def _say(what: str, figures: Figures) -> None:
    line = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
    print(f"{what}: {line}", file=sys.stderr, flush=True)


def _met(value: float, target: Optional[float]) -> Tuple[str, str]:
    return ("", "") if target is None else (f"<= {target:.2f}", "yes" if value <= target else "no")


def comparison(product: Mapping[str, float], other: Mapping[str, float]) -> str:
    """The table of figures, ratios and targets."""
    lines = []
    for row in ROWS:
        if row.figure not in product:
            lines.append([row.name, "-", "-", "-", _met(0.0, row.target)[0], "not measured"])
            continue
        ratio = product[row.figure] / other[row.figure]
        shown = [row.form.format(figures[row.figure]) for figures in (product, other)]
        lines.append([row.name, *shown, f"{ratio:.2f}", *_met(ratio, row.target)])
    growth = [f"{figures['growth']:.2f} x" for figures in (product, other)]
    lines.append([f"turn {LATE} against turn {EARLY}", *growth, "", *_met(product["growth"], GROWTH_TARGET)])
    return table(["", "product", "peer", "ratio", "target", "met"], lines)


def rooms_table(rooms: Mapping[str, float]) -> str:
    whole = sum(rooms.values())
    costly_first = sorted(rooms.items(), key=lambda room: -room[1])
    lines = [[room, f"{ms:.2f} ms", f"{ms / whole:.0%}"] for room, ms in costly_first]
    return table(["room", "per turn", "share"], [*lines, ["whole turn", f"{whole:.2f} ms", "100%"]])


def document(result: Result) -> str:
    """The whole result, Markdown and plain text in one."""
    return f"""\
# Speed, start and memory

Written by `make bench` on {date.today()}: {machine()}. {busy(result)}

The peer is {peer.DESCRIPTION}, with the actions behind a stock action server. Both ran in turn; figures are \
medians of {result.rounds} round(s). {len(MESSAGES)} messages went through REST, six to a conversation, from a \
client on the same machine. A ratio is the product's figure over the peer's.

{comparison(result.product, result.peer)}

Where a turn of the product goes (one client, means):

{rooms_table(result.rooms)}
"""


def busy(result: Result) -> str:
    """What else the machine was doing, which lengthens every time of both."""
    least, most = min(result.loads), max(result.loads)
    return f"Processes that wanted a core while it ran (load average): {least:.1f} to {most:.1f}."


def summary(result: Result) -> str:
    """What the README shows of it."""
    rows = [
        [row.name, *(row.form.format(of[row.figure]) for of in (result.product, result.peer)),
         f"{result.product[row.figure] / result.peer[row.figure]:.2f}"]
        for row in ROWS if row.figure in SUMMARY
    ]  # fmt: skip
    return f"""\
{table(["", "product", "stock Rasa", "ratio"], rows)}

Written by `make bench` on {date.today()} from the same run as [docs/bench.md](docs/bench.md), which says more. \
Turn {LATE} of a conversation takes {result.product["growth"]:.2f} times what turn {EARLY} takes. {busy(result)}"""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round on the trained models; prints only")
    parser.add_argument("--rounds", type=int, default=FULL.rounds, help=f"starts of each assistant ({FULL.rounds})")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else replace(FULL, rounds=options.rounds)
    prepare()
    try:
        with tempfile.TemporaryDirectory() as folder:
            result = run(plan, Path(folder))
        print(document(result))
        if plan.train:
            DOCUMENT.write_text(document(result), encoding="utf8")
            put_between(README, "benchmarks.bench", summary(result))
    except (Failed, OSError, HTTPException) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
