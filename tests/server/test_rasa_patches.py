"""What is bent in Rasa behaves as the original did, and says when the original is gone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event
from rasa.shared.utils.common import all_subclasses

from server import rasa_patches

# Taken when this module is collected, before anything can have been patched.
ORIGINAL = RemoteAction._validate_action_result
RESOLVE = Event.resolve_by_type
CREATE = Agent._create_tracker_store


@pytest.fixture(autouse=True)
def _original(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with Rasa's own validator and leaves it behind."""
    assert ORIGINAL.__module__ == "rasa.core.actions.action"
    monkeypatch.setattr(RemoteAction, "_validate_action_result", ORIGINAL)
    monkeypatch.setattr(Event, "resolve_by_type", staticmethod(RESOLVE))
    monkeypatch.setattr(Agent, "_create_tracker_store", staticmethod(CREATE))


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


def test_an_application_without_cors_is_reported() -> None:
    with pytest.raises(rasa_patches.RasaChanged, match="CORS"):
        rasa_patches.expose_header(SimpleNamespace(ctx=SimpleNamespace()), "Retry-After")  # type: ignore[arg-type]
