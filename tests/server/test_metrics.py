"""What `/metrics` tells: exact names, labels from closed sets, and at next to no cost."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from facts.schema import TOPICS
from facts.store import Snapshot
from replies.contract import Content, Outcome
from server import metrics, turns
from tests.conftest import ROOT

NAMES = {
    "msals_turns": {"outcome", "topic", "channel"},
    "msals_stage_seconds": {"stage", "le"},
    "msals_fallbacks": {"channel"},
    "msals_errors": {"where"},
    "msals_rate_limited": {"channel"},
    "msals_info": {"version", "model", "facts"},
    "msals_feedback": {"helpful"},
}
CLOSED = {
    "outcome": set(metrics.OUTCOMES),
    "topic": {*TOPICS, ""},
    "channel": {"rest", "slack", "telegram", "shell", "other"},
    "stage": {"understanding", "dialogue", "action", "rendering", "turn"},
    "where": set(metrics.PLACES),
    "helpful": {"true", "false"},
}


def scrape(assistant: Any) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    text = requests.get(f"{assistant.address}/metrics", timeout=30).text
    return samples(text)


def samples(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counted(*key: str) -> float:
    """A sample of this process."""
    encode, _ = metrics.choose_encoder("")
    return samples(encode(metrics.registry).decode()).get(key, 0.0)


# --- a running assistant --------------------------------------------------------------------------


def test_the_names_and_labels_are_the_ones_that_dashboards_use(assistant: Any) -> None:
    assistant.ask("what is ms")
    answer = requests.get(f"{assistant.address}/metrics", timeout=30)
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert {name for name in families if not name.startswith("process_")} == set(NAMES)
    for name, labels in NAMES.items():
        assert {label for sample in families[name].samples for label in sample.labels} == labels
    assert {"process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"} <= set(families)


def test_a_turn_is_counted_once_with_all_its_stages(assistant: Any) -> None:
    before = scrape(assistant)
    reply = assistant.ask("how is ms diagnosed")
    after = scrape(assistant)
    key = ("msals_turns_total", "rest", "answered", "diagnosis")
    assert reply["metadata"]["topic"] == "diagnosis"
    assert after[key] - before.get(key, 0) == 1
    for stage in CLOSED["stage"]:
        assert after["msals_stage_seconds_count", stage] - before.get(("msals_stage_seconds_count", stage), 0) == 1
    whole, parts = (
        sum(after["msals_stage_seconds_sum", s] - before.get(("msals_stage_seconds_sum", s), 0) for s in stages)
        for stages in (["turn"], CLOSED["stage"] - {"turn"})
    )
    assert 0 < parts < whole < 10


def test_what_is_not_understood_is_a_fallback_and_what_has_nothing_before_it_is_none(assistant: Any) -> None:
    def fallbacks() -> float:
        return scrape(assistant)["msals_fallbacks_total", "rest"]

    before = fallbacks()
    assert assistant.ask("tell me more")["metadata"]["outcome"] == "clarify"
    assert fallbacks() == before
    assert assistant.ask("hm")["metadata"]["outcome"] == "clarify"
    assert fallbacks() == before + 1


def test_nothing_that_is_sent_becomes_a_label(assistant: Any) -> None:
    marker = f"zqx{uuid.uuid4().hex}"
    for text in (f"what is {marker}", f"/{marker}", f'/{marker}{{"condition":["{marker}"]}}', f"ms [{marker}](drug)"):
        assistant.ask(text, marker)
    for body in (
        {"helpful": True, "outcome": marker[:30], "topic": marker},
        {"helpful": marker},
        {"helpful": False, "reason": marker},
    ):
        requests.post(f"{assistant.address}/feedback", json=body, timeout=30)
    requests.post(f"{assistant.address}/webhooks/{marker}/webhook", json={}, timeout=30)
    requests.get(f"{assistant.address}/metrics?name={marker}", headers={"Accept": marker}, timeout=30)
    text = requests.get(f"{assistant.address}/metrics", timeout=30).text
    assert marker not in text
    found = {
        (label, value)
        for family in text_string_to_metric_families(text)
        if family.name.startswith("msals") and family.name != "msals_info"
        for sample in family.samples
        for label, value in sample.labels.items()
        if label != "le"
    }
    assert [pair for pair in found if pair[1] not in CLOSED[pair[0]]] == []


def test_it_tells_what_runs(assistant: Any, facts: Snapshot) -> None:
    told = requests.get(f"{assistant.address}/version", timeout=30).json()
    (info,) = (key for key in scrape(assistant) if key[0] == "msals_info")
    assert info[1:] == (facts.version, told["model"], (ROOT / "VERSION").read_text("utf8").strip())


def test_a_vote_is_counted_once_also_when_its_reason_comes_later(assistant: Any) -> None:
    before = scrape(assistant)
    vote = uuid.uuid4().hex
    for body in ({"helpful": False, "vote": vote}, {"helpful": False, "vote": vote, "reason": "too long"}):
        assert requests.post(f"{assistant.address}/feedback", json=body, timeout=30).status_code == 200
    after = scrape(assistant)
    assert after["msals_feedback_total", "false"] - before["msals_feedback_total", "false"] == 1
    assert after["msals_feedback_total", "true"] == before["msals_feedback_total", "true"]


# --- without one ----------------------------------------------------------------------------------


def test_the_version_of_the_facts_is_the_one_of_now() -> None:
    version: list[str | None] = ["one"]
    metrics.describe("1.2", lambda: "model.tar.gz", lambda: version[0])
    assert counted("msals_info", "one", "model.tar.gz", "1.2") == 1
    version[0] = "two"
    assert counted("msals_info", "two", "model.tar.gz", "1.2") == 1
    assert counted("msals_info", "one", "model.tar.gz", "1.2") == 0
    version[0] = None
    assert counted("msals_info", "", "model.tar.gz", "1.2") == 1


def test_values_out_of_no_set_are_other_empty_or_error() -> None:
    metrics.turn("smoke signals", Outcome("shrugged"), "gossip", True, {"turn": 0.1, "lunch": 1.0})
    metrics.rate_limited("smoke signals")
    metrics.error("the moon")
    assert counted("msals_turns_total", "other", "error", "") == 1
    assert counted("msals_fallbacks_total", "other") == 1
    assert counted("msals_rate_limited_total", "other") == 1
    assert counted("msals_errors_total", "other") >= 1
    assert counted("msals_stage_seconds_count", "lunch") == 0
    assert metrics.channel_name("cmdline") == "shell"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("server.action_endpoint", "action_endpoint"),
        ("stores.conversations", "conversations"),
        ("server.turns", "server"),
        ("channels.slack", "slack"),
        ("channels", "channels"),
        ("actions.actions", "actions"),
        ("rasa.core.processor", "rasa"),
        ("rasa_sdk.endpoint", "rasa"),
        ("sanic.error", "web"),
        ("serverless", "other"),
    ],
)
def test_an_error_that_is_logged_is_counted_where_it_happened(name: str, where: str) -> None:
    before = counted("msals_errors_total", where)
    logged = logging.Logger(name)
    logged.addHandler(metrics.LoggedErrors())
    logged.warning("only a warning")
    assert counted("msals_errors_total", where) == before
    logged.error("it failed")
    assert counted("msals_errors_total", where) == before + 1


async def test_who_writes_too_fast_is_counted_by_channel() -> None:
    pace = metrics.CountedPace(1)
    before = {name: counted("msals_rate_limited_total", name) for name in metrics.CHANNELS}
    for person in ("rest:a", "slack:T1:U1", "zqxmarker"):
        assert await pace.wait(person) == 0
        assert [await pace.wait(person) > 0 for _ in range(2)] == [True, True]
    after = {name: counted("msals_rate_limited_total", name) - before[name] for name in metrics.CHANNELS}
    assert after == {"rest": 2, "slack": 2, "telegram": 0, "shell": 0, "other": 2}


# --- watching turns -------------------------------------------------------------------------------

CLARIFY = {"outcome": "clarify", "topic": None, "conditions": []}


def parsed(intent: str, confidence: float, *more: tuple[str, float]) -> dict[str, Any]:
    ranking = [{"name": n, "confidence": c} for n, c in ((intent, confidence), *more)]
    return {"intent": ranking[0], "intent_ranking": ranking}


@pytest.mark.parametrize(
    ("text", "understood", "reply", "fallback", "confidence"),
    [
        ("hm", parsed("nlu_fallback", 0.3, ("cause", 0.2)), CLARIFY, True, 0.3),
        ("asdf", parsed("unclear", 0.95), CLARIFY, True, 0.95),
        ("and so", parsed("cause", 0.45), CLARIFY, True, 0.45),
        ("tell me more", parsed("tell_more", 0.98), CLARIFY, False, 0.98),
        ("ms jobs", parsed("not_covered", 0.5), {"outcome": "not_covered"}, True, 0.5),
        ("ms jobs", parsed("not_covered", 0.9), {"outcome": "not_covered"}, False, 0.9),
        ("what is ms", parsed("definition", 0.4), {"outcome": "answered", "topic": "definition"}, False, 0.4),
        ('/mimics{"mimic":["x"]}', parsed("mimics", 0.3), {"outcome": "not_covered"}, False, 0.3),
        ("what is ms", {}, {}, False, None),
    ],
)
def test_a_fallback_is_a_typed_message_that_was_not_understood(
    text: str, understood: Any, reply: Any, fallback: bool, confidence: float | None
) -> None:
    turn = turns.Turn("rest", text, understood, Content.from_dict(reply))
    assert (turn.fallback, turn.confidence) == (fallback, confidence)


class Fake:
    """Stands where Rasa's agent and its processor stand; each stage takes a moment."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.processor = SimpleNamespace(
            parse_message=self.parse, predict_next_with_tracker_if_should=self.predict, model_filename="one.tar.gz"
        )
        self.action_endpoint = SimpleNamespace(request=self.act)
        self.nlg = SimpleNamespace(generate=self.render)

    async def parse(self, text: str) -> dict[str, Any]:
        if self.fails == "understanding":
            raise ValueError(text)
        return parsed("cause", 0.9)

    def predict(self) -> None: ...

    async def act(self) -> None:
        await asyncio.sleep(0)

    async def render(self) -> dict[str, Any]:
        return {"text": "because", "metadata": {"outcome": "answered", "topic": "cause", "conditions": ["MS"]}}

    async def handle_message(self, message: Any) -> str:
        await self.processor.parse_message(message.text)
        self.processor.predict_next_with_tracker_if_should()
        await self.action_endpoint.request()
        self.processor.predict_next_with_tracker_if_should()
        await self.nlg.generate()
        if self.fails == "saving":
            raise OSError(message.text)
        return "done"


MESSAGE: Any = SimpleNamespace(text="why", input_channel="rest")


async def test_turns_that_go_on_at_once_are_told_apart() -> None:
    agent: Any = Fake()
    seen: list[turns.Turn] = []
    turns.watch(agent, seen.append)
    others = [SimpleNamespace(text=str(n), input_channel="slack") for n in range(20)]
    assert await asyncio.gather(*(agent.handle_message(m) for m in others)) == ["done"] * 20
    assert {turn.text for turn in seen} == {str(n) for n in range(20)}
    for turn in seen:
        assert (turn.channel, turn.reply.outcome, turn.reply.topic) == ("slack", "answered", "cause")
        assert set(turn.seconds) == CLOSED["stage"]


@pytest.mark.parametrize(("fails", "outcome"), [("understanding", "error"), ("saving", "answered")])
async def test_a_turn_that_fails_is_counted_and_still_fails(fails: str, outcome: str) -> None:
    agent: Any = Fake(fails)
    seen: list[turns.Turn] = []
    turns.watch(agent, seen.append)
    with pytest.raises((ValueError, OSError)):
        await agent.handle_message(MESSAGE)
    assert [turn.reply.outcome for turn in seen] == [outcome]


async def test_a_reply_outside_a_turn_is_none() -> None:
    agent: Any = Fake()
    seen: list[turns.Turn] = []
    turns.watch(agent, seen.append)
    assert (await agent.nlg.generate())["text"] == "because"
    assert seen == []
    await agent.handle_message(MESSAGE)
    spent = dict(seen[0].seconds)
    await agent.nlg.generate()
    assert seen[0].seconds == spent


async def test_an_answer_is_not_lost_to_counting() -> None:
    agent: Any = Fake()
    turns.watch(agent, lambda turn: 1 / 0)  # type: ignore[arg-type,return-value]
    assert await agent.handle_message(MESSAGE) == "done"


async def test_the_shell_has_its_own_name() -> None:
    agent: Any = Fake()
    seen: list[turns.Turn] = []
    turns.watch(agent, seen.append, {"rest": "shell"})
    await agent.handle_message(MESSAGE)
    assert [turn.channel for turn in seen] == ["shell"]


async def test_counting_costs_far_less_than_a_millisecond() -> None:
    async def seconds(agent: Any) -> float:
        begun = time.perf_counter()
        for _ in range(300):
            await agent.handle_message(MESSAGE)
        return (time.perf_counter() - begun) / 300

    watched: Any = Fake()
    turns.watch(watched, lambda t: metrics.turn(t.channel, t.reply.outcome, t.reply.topic, t.fallback, t.seconds))
    cost = min([await seconds(watched) for _ in range(5)]) - min([await seconds(Fake()) for _ in range(5)])
    assert cost < 0.0005
