"""What is bent in Rasa behaves as the original did, and says when the original is gone."""

from __future__ import annotations

import itertools
import json
from typing import Any

import dask
import jsonschema
import pytest
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore
from rasa.engine.runner import dask as runner
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.utils.common import all_subclasses

from server import rasa_patches

# Taken when this module is collected, before anything can have been patched.
ORIGINAL = RemoteAction._validate_action_result
RESOLVE = Event.resolve_by_type
CREATE = Agent._create_tracker_store
POSSIBLE_KEYS = RulePolicy._get_possible_keys


@pytest.fixture(autouse=True)
def _original(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with Rasa's own validator and leaves it behind."""
    assert ORIGINAL.__module__ == "rasa.core.actions.action"
    monkeypatch.setattr(RemoteAction, "_validate_action_result", ORIGINAL)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(RESOLVE))
    monkeypatch.setattr(Agent, "_create_tracker_store", staticmethod(CREATE))
    monkeypatch.setattr(RulePolicy, "_get_possible_keys", POSSIBLE_KEYS)
    monkeypatch.setattr(runner, "dask", dask)


RESULTS: list[Any] = [
    {"events": [], "responses": []},
    {
        "events": [{"event": "slot", "name": "a", "value": 1, "timestamp": None}],
        "responses": [{"text": "x", "buttons": []}],
    },
    {
        "events": [{"event": "slot", "timestamp": 1.5}],
        "responses": [{"response": "utter_reply", "metadata": {"a": None}}],
    },
    {"events": []},
    {"responses": []},
    {},
    {"events": None, "responses": []},
    {"events": {}, "responses": []},
    {"events": "none", "responses": []},
    {"events": [{"name": "a"}], "responses": []},
    {"events": [{"event": 5}], "responses": []},
    {"events": ["slot"], "responses": []},
    {"events": [], "responses": {}},
    {"events": [], "responses": ["text"]},
    {"events": [], "responses": [], "more": 1},
    [],
    None,
    "text",
]


def outcome(validate: Any, result: Any) -> tuple[Any, ...]:
    """What a validator does with a result: what it returns, or what it raises and where."""
    try:
        return ("returns", validate(RemoteAction("action_answer", None), result))
    except jsonschema.ValidationError as error:
        return ("raises", type(error), error.message, list(error.absolute_path), error.validator, error.validator_value)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: repr(result)[:60])
def test_the_validator_does_what_the_original_does(result: Any) -> None:
    rasa_patches.apply()
    assert RemoteAction._validate_action_result is not ORIGINAL
    assert outcome(RemoteAction._validate_action_result, result) == outcome(ORIGINAL, result)


def test_there_are_results_of_both_kinds() -> None:
    assert {outcome(ORIGINAL, result)[0] for result in RESULTS} == {"returns", "raises"}


def test_a_message_for_people_is_not_written_twice() -> None:
    rasa_patches.apply()
    first = outcome(RemoteAction._validate_action_result, {})
    assert outcome(RemoteAction._validate_action_result, {}) == first


def test_applying_it_twice_changes_nothing() -> None:
    rasa_patches.apply()
    patched = RemoteAction._validate_action_result
    rasa_patches.apply()
    assert RemoteAction._validate_action_result is patched


def test_a_rasa_without_the_method_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RemoteAction, "_validate_action_result")
    with pytest.raises(rasa_patches.RasaChanged, match="_validate_action_result is gone"):
        rasa_patches.apply()


def test_a_rasa_with_another_method_is_reported_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(self: RemoteAction, result: Any) -> bool:
        return True

    monkeypatch.setattr(RemoteAction, "_validate_action_result", other)
    with pytest.raises(rasa_patches.RasaChanged, match="is not what it was"):
        rasa_patches.apply()
    assert RemoteAction._validate_action_result is other


def resolved(resolve: Any, *args: Any) -> Any:
    try:
        return resolve(*args)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("name", [*sorted({c.type_name for c in all_subclasses(Event)}), "topic", "nothing", ""])
def test_event_classes_are_found_as_the_original_finds_them(name: str) -> None:
    rasa_patches.apply()
    assert Event.resolve_by_type is not RESOLVE
    for args in ((name,), (name, Event), (name,)):
        assert resolved(Event.resolve_by_type, *args) == resolved(RESOLVE, *args)


def test_an_event_class_made_later_is_found() -> None:
    rasa_patches.apply()
    assert "Unknown event" in resolved(Event.resolve_by_type, "made_later")
    later = type(
        "MadeLater", (next(c for c in all_subclasses(Event) if c.type_name == "slot"),), {"type_name": "made_later"}
    )
    assert Event.resolve_by_type("made_later") is later


def test_a_rasa_that_finds_events_otherwise_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(lambda name, default=None: None))
    with pytest.raises(rasa_patches.RasaChanged, match="resolve_by_type is not what it was"):
        rasa_patches.apply()


def turn(intent: str | None, action: str | None, **more: Any) -> dict[str, Any]:
    user = {"user": {"intent": intent, **more}} if intent else {}
    return {**user, **({"prev_action": {"action_name": action}} if action else {})}


LISTEN, ANSWER = "action_listen", "action_answer"
#: Begins of conversations, turns after an answer, rules for any intent, with an entity, and with a slot not set.
RULES = {
    json.dumps(states): f"action_{number}"
    for number, states in enumerate(
        [
            [turn("cause", LISTEN)],
            [turn("cure", LISTEN)],
            [turn("cause", LISTEN, entities=["ms"])],
            [turn("cause", LISTEN), turn("cause", ANSWER)],
            [turn("cure", LISTEN), turn("cause", LISTEN)],
            [{}, turn("cure", LISTEN)],
            [{}],
            [turn("cure", None)],
            [turn(None, ANSWER)],
            [turn(None, LISTEN)],
            [{**turn("cure", LISTEN), "slots": {"context": "should_not_be_set"}}],
        ]
    )
}


@pytest.mark.parametrize("last", [None, "cause", "cure", "why"])
@pytest.mark.parametrize("action", [None, LISTEN, ANSWER])
def test_the_same_rules_apply_as_the_original_finds(last: str | None, action: str | None) -> None:
    policy = RulePolicy.__new__(RulePolicy)
    before = [[], [{}], [turn("cause", LISTEN)], [turn("cure", LISTEN), turn("cure", ANSWER)]]
    extra = [{}, {"entities": ("ms",)}]
    histories = [[*b, turn(last, action, **e)] for b, e in itertools.product(before, extra)]
    expected = [POSSIBLE_KEYS(policy, RULES, states) for states in histories]
    rasa_patches.apply()
    assert RulePolicy._get_possible_keys is not POSSIBLE_KEYS
    assert [policy._get_possible_keys(RULES, states) for states in histories] == expected


def test_rules_learnt_later_are_found() -> None:
    rasa_patches.apply()
    policy, rules = RulePolicy.__new__(RulePolicy), dict(list(RULES.items())[:1])
    assert not policy._get_possible_keys(rules, [turn("cure", LISTEN)])
    rules.update(RULES)
    assert json.dumps([turn("cure", LISTEN)]) in policy._get_possible_keys(rules, [turn("cure", LISTEN)])


def test_a_graph_is_computed_as_the_original_computes_it() -> None:
    calls: list[str] = []

    def node(name: str) -> Any:
        def run(*needs: Any) -> Any:
            calls.append(name)
            return name, needs

        return run

    message = ("__message__", {"text": "hello"})
    graph = {
        "last": (node("last"), "left", "right", "missing"),
        "left": (node("left"), "first"),
        "right": (node("right"), "first", "__message__"),
        "first": (node("first"), "__message__"),
        "__message__": message,
    }
    expected = dask.get(graph, ["last", "left"])
    once = calls.copy()
    rasa_patches.apply()
    calls.clear()
    assert runner.dask.get(graph, ["last", "left"]) == expected
    assert sorted(calls) == sorted(once) == ["first", "last", "left", "right"]


def test_a_component_that_fails_fails_the_turn_as_before() -> None:
    rasa_patches.apply()

    def broken(*needs: Any) -> Any:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        runner.dask.get({"a": (broken,)}, ["a"])


@pytest.mark.parametrize(
    ("owner", "name"),
    [(RulePolicy, "_get_possible_keys"), (RulePolicy, "_is_rule_applicable"), (runner.DaskGraphRunner, "run")],
)
def test_a_rasa_that_decides_otherwise_is_reported(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner, name, lambda *args: None)
    with pytest.raises(rasa_patches.RasaChanged, match=f"{name} is not what it was"):
        rasa_patches.apply()


class Away(InMemoryTrackerStore):
    """A store that cannot be reached."""

    async def save(self, tracker: Any) -> None:
        raise OSError("away")

    async def retrieve(self, sender_id: str) -> Any:
        raise OSError("away")

    retrieve_full_tracker = retrieve


async def test_a_store_that_fails_is_not_replaced_by_one_in_memory() -> None:
    rasa_patches.apply()
    store = Agent(domain=Domain.empty(), tracker_store=Away(Domain.empty())).tracker_store
    assert isinstance(store, FailSafeTrackerStore)
    tracker = store.init_tracker("a")
    for work in (store.retrieve("a"), store.retrieve_full_tracker("a"), store.save(tracker)):
        with pytest.raises(OSError, match="away"):
            await work
    assert store._fallback_tracker_store is None


async def test_a_store_that_works_is_used_as_before() -> None:
    rasa_patches.apply()
    store = Agent(domain=Domain.empty(), tracker_store=InMemoryTrackerStore(Domain.empty())).tracker_store
    await store.save(store.init_tracker("a"))
    assert await store.retrieve("a") is not None


def test_a_rasa_that_keeps_conversations_otherwise_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Agent, "_create_tracker_store", staticmethod(lambda store, domain: store))
    with pytest.raises(rasa_patches.RasaChanged, match="_create_tracker_store is not what it was"):
        rasa_patches.apply()
