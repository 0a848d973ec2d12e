"""What is counted and timed, for Prometheus at `GET /metrics` of the assistant and of the action server.

Every label takes its values from a closed set: nothing that somebody sends can become one.
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Callable, Iterator, Mapping, Optional

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

import channels
from channels.pace import Pace
from facts.schema import TOPICS
from replies.contract import Outcome

OUTCOMES = tuple(outcome.value for outcome in Outcome)
CHANNELS = ("rest", *channels.services(), "shell", "other")
STAGES = ("understanding", "dialogue", "action", "rendering", "turn")
#: Where errors happen: the loggers whose errors are counted as one, longest name first, and "other".
_LOGGERS = {
    "server.action_endpoint": "action_endpoint",
    "stores.conversations": "conversations",
    "stores.redis_stores": "conversations",
    "stores.question_log": "question_log",
    "server.question_log": "question_log",
    "server.votes": "feedback",
    **{f"channels.{name}": name for name in ("rest", *channels.services())},
    "channels": "channels",
    "actions": "actions",
    "facts": "facts",
    "nlu": "nlu",
    "replies": "replies",
    "server": "server",
    "stores": "stores",
    "rasa_sdk": "rasa",
    "rasa": "rasa",
    "sanic": "web",
}
PLACES = tuple(dict.fromkeys((*_LOGGERS.values(), "other")))

disable_created_metrics()
registry = CollectorRegistry()
ProcessCollector(registry=registry)
_turns = Counter("msals_turns", "Messages answered.", ("outcome", "topic", "channel"), registry=registry)
_stages = Histogram(
    "msals_stage_seconds",
    "Seconds of a turn: all of it, and its stages.",
    ("stage",),
    registry=registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_fallbacks = Counter("msals_fallbacks", "Messages that were not understood.", ("channel",), registry=registry)
_errors = Counter("msals_errors", "Errors logged, and rows of the question log dropped.", ("where",), registry=registry)
_rate_limited = Counter("msals_rate_limited", "Messages turned away.", ("channel",), registry=registry)
_feedback = Counter("msals_feedback", "Votes on replies.", ("helpful",), registry=registry)
# Counters begin at 0, so that the first of its kind is seen as an increase.
for _counter, _values in ((_errors, PLACES), (_fallbacks, CHANNELS), (_rate_limited, CHANNELS)):
    for _value in _values:
        _counter.labels(_value)
for _value in ("true", "false"):
    _feedback.labels(_value)


def channel_name(input_channel: Optional[str]) -> str:
    """One of `CHANNELS` for the name of a Rasa channel."""
    known = {"cmdline": "shell"}.get(input_channel or "", input_channel)
    return known if known in CHANNELS else "other"


def turn(channel: str, outcome: Outcome, topic: Optional[str], fallback: bool, seconds: Mapping[str, float]) -> None:
    """A message was answered, with an apology perhaps.

    Args:
        seconds: by stage.
    """
    _turns.labels(outcome.value, topic if topic in TOPICS else "", channel_name(channel)).inc()
    if fallback:
        _fallbacks.labels(channel_name(channel)).inc()
    for name, spent in seconds.items():
        stage(name, spent)


def stage(name: str, seconds: float) -> None:
    """A stage of a turn took so long."""
    if name in STAGES:
        _stages.labels(name).observe(seconds)


def rate_limited(channel: str) -> None:
    """A message was turned away because its sender sends too many."""
    _rate_limited.labels(channel_name(channel)).inc()


class CountedPace(Pace):
    """Counts who is asked to slow down, by channel, which is how the name of a person begins."""

    async def wait(self, person: str) -> int:
        seconds = await super().wait(person)
        if seconds:
            rate_limited(person.partition(":")[0])
        return seconds


def error(where: str) -> None:
    """Something failed that is not logged at level error; what is, counts by itself (`LoggedErrors`)."""
    _errors.labels(where if where in PLACES else "other").inc()


def feedback(helpful: bool) -> None:
    """Somebody voted on a reply."""
    _feedback.labels("true" if helpful else "false").inc()


class LoggedErrors(logging.Handler):
    """Counts what is logged at level error: every room logs its own failures, so none needs to know of this one."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        error(place(record.name))


@lru_cache(maxsize=256)
def place(logger: str) -> str:
    """One of `PLACES` for the name of a logger."""
    found = (where for name, where in _LOGGERS.items() if logger == name or logger.startswith(f"{name}."))
    return next(found, "other")


class _Info(Collector):
    """`msals_info`, with model and facts as they are when somebody asks."""

    def __init__(self, version: str, model: Callable[[], str], facts: Callable[[], Optional[str]]) -> None:
        self._version, self._model, self._facts = version, model, facts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        info = GaugeMetricFamily("msals_info", "What runs here.", labels=("version", "model", "facts"))
        info.add_metric((self._version, self._model(), self._facts() or ""), 1)
        yield info

    def describe(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("msals_info", "What runs here.")


_info: Optional[_Info] = None


def describe(version: str, model: Callable[[], str], facts: Callable[[], Optional[str]]) -> None:
    """Say what runs here.

    Args:
        model: tells the file's name; empty where there is none, as in the action server.
        facts: tells the version of the facts, None while they cannot be read.
    """
    global _info
    if _info is not None:
        registry.unregister(_info)
    _info = _Info(version, model, facts)
    registry.register(_info)


def blueprint() -> Blueprint:
    """The route `/metrics`. It is for the operator: a proxy in front does not pass it on."""
    metrics = Blueprint("metrics")

    @metrics.route("/metrics", methods=["GET", "HEAD"])
    async def show(request: Request) -> HTTPResponse:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        # The version of the facts may be asked of a database.
        body = await request.app.loop.run_in_executor(None, encode, registry)
        return HTTPResponse(body, content_type=content_type)

    return metrics
