"""What is bent in Rasa 3.6.21 itself, and why. Each change checks that it finds what it replaces."""

from __future__ import annotations

import functools
import inspect
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, Dict, List, Optional, Set, Tuple, Type

import jsonschema
import rasa.server
from rasa.core.actions.action import RemoteAction
from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage
from rasa.core.policies.rule_policy import RulePolicy
from rasa.core.processor import MessageProcessor
from rasa.core.tracker_store import FailSafeTrackerStore, TrackerStore
from rasa.engine.runner import dask as runner
from rasa.shared.constants import DOCS_BASE_URL
from rasa.shared.core.constants import PREVIOUS_ACTION, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import Event
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT

from channels.reading import Reader


class RasaChanged(Exception):
    """Rasa no longer has what a patch replaces; the patch must be looked at again."""


def _require(owner: Any, name: str, *expected: str) -> None:
    try:
        source = inspect.getsource(getattr(owner, name))
    except (AttributeError, TypeError, OSError) as error:
        raise RasaChanged(f"{owner.__name__}.{name} is gone") from error
    for text in expected:
        if text not in source:
            raise RasaChanged(f"{owner.__name__}.{name} is not what it was: {text!r} is gone")


@functools.lru_cache(maxsize=1)
def _validator() -> Any:
    schema = RemoteAction.action_response_format_spec()
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


def _validate_action_result(self: RemoteAction, result: Dict[str, Any]) -> bool:
    error = jsonschema.exceptions.best_match(_validator().iter_errors(result))
    if error is None:
        return True
    error.message += (
        f". Failed to validate Action server response from API, make sure your response from the Action "
        f"endpoint is valid. For more information about the format visit {DOCS_BASE_URL}/custom-actions"
    )
    raise error


_resolve_by_type = Event.resolve_by_type


@functools.cache
def _known_type(type_name: str) -> Optional[Type[Event]]:
    return _resolve_by_type(type_name)


def _resolve_event(type_name: str, default: Optional[Type[Event]] = None) -> Optional[Type[Event]]:
    try:
        return _known_type(type_name)
    except ValueError:
        return _resolve_by_type(type_name, default)


_get_possible_keys = RulePolicy._get_possible_keys


def _keys_by_intent(policy: RulePolicy, lookup: Dict[str, str]) -> Dict[Optional[str], List[str]]:
    known = policy.__dict__.setdefault("_keys_by_intent", {}).get(id(lookup))
    if known is None or len(lookup) != known[0]:
        keys: Dict[Optional[str], List[str]] = defaultdict(list)
        for key in lookup:
            keys[policy._rule_key_to_state(key)[-1].get(USER, {}).get(INTENT) or None].append(key)
        known = policy._keys_by_intent[id(lookup)] = (len(lookup), keys)
    return known[1]


def _possible_keys(self: RulePolicy, lookup: Dict[str, str], states: List[State]) -> Set[str]:
    if not states or not states[-1].get(PREVIOUS_ACTION):
        return _get_possible_keys(self, lookup, states)
    keys = _keys_by_intent(self, lookup)
    intent = states[-1].get(USER, {}).get(INTENT)
    fitting = [*keys.get(None, ()), *(keys.get(intent, ()) if intent else ())]
    return _get_possible_keys(self, dict.fromkeys(fitting, ""), states)


def _compute(graph: Dict[str, Any], targets: List[str]) -> Tuple[Any, ...]:
    """What `dask.get` returns for a graph of (component, *names of what it needs), computed in turn."""
    values: Dict[str, Any] = {}

    def value(name: str) -> Any:
        if name not in graph:
            return name
        if name not in values:
            node, *needs = graph[name]
            values[name] = node(*map(value, needs)) if callable(node) else graph[name]
        return values[name]

    return tuple(map(value, targets))


_create_tracker_store = Agent._create_tracker_store


def _create_honest_tracker_store(store: Optional[TrackerStore], domain: Domain) -> TrackerStore:
    created = _create_tracker_store(store, domain)

    def fail(error: Exception) -> None:
        raise error

    if isinstance(created, FailSafeTrackerStore):
        created._on_tracker_store_error = fail
    return created


_reading = Reader("reading")


async def _parse_in_a_thread(
    self: MessageProcessor,
    message: UserMessage,
    tracker: Optional[DialogueStateTracker] = None,
    only_output_properties: bool = True,
) -> Dict[str, Any]:
    known = tracker or DialogueStateTracker.from_events(message.sender_id, [])
    return await _reading.read(
        message.text or "", lambda: self._parse_message_with_graph(message, known, only_output_properties)
    )


def _no_cors(app: Any, cors_origins: Any = "") -> None:
    """What other websites may do is said by `server.guard`."""


def apply() -> None:
    """Apply every patch, once.

    Rasa checks its constant schema of action results anew at every action call, 17 ms of a turn; a
    validator built once makes the same checks. And it walks all classes of events anew for every
    event of a stored conversation, 3 ms of a turn; what was found is remembered. It compares every
    rule with every turn, where only those of the message's intent can apply, and plans anew at every
    turn how dozens of processes would share the few components of its graph.

    When conversations cannot be read or kept, Rasa answers as if nothing had been said before, and keeps
    them in memory for ever, out of reach of "forget me". Here the turn fails, and the channel says so.

    It reads a message on the event loop, which nobody else gets an answer from meanwhile. Here a thread reads it.

    It tells every browser that credentials may be sent, whatever website asks.
    """
    if getattr(RemoteAction, "_validate_action_result", None) is not _validate_action_result:
        _require(RemoteAction, "_validate_action_result", "validate(result, self.action_response_format_spec())")
        RemoteAction._validate_action_result = _validate_action_result
    if Event.resolve_by_type is not _resolve_event:
        _require(Event, "resolve_by_type", "all_subclasses(Event)", "cls.type_name == type_name")
        Event.resolve_by_type = staticmethod(_resolve_event)
    if RulePolicy._get_possible_keys is not _possible_keys:
        _require(RulePolicy, "_get_possible_keys", "possible_keys = set(lookup.keys())", "enumerate(reversed(states))")
        _require(
            RulePolicy,
            "_is_rule_applicable",
            "if not rule_previous_action and not current_previous_action:",
            "return self._does_rule_match_state(",
        )
        RulePolicy._get_possible_keys = _possible_keys
    if getattr(runner.dask, "get", None) is not _compute:
        _require(runner.DaskGraphRunner, "run", "dask.get(run_graph, run_targets)")
        runner.dask = SimpleNamespace(get=_compute)
    if MessageProcessor.parse_message is not _parse_in_a_thread:
        _require(MessageProcessor, "parse_message", "DialogueStateTracker.from_events(message.sender_id, [])")
        _require(MessageProcessor, "parse_message", "parse_data = self._parse_message_with_graph(")
        MessageProcessor.parse_message = _parse_in_a_thread
    if rasa.server.configure_cors is not _no_cors:
        _require(rasa.server, "configure_cors", "CORS_SUPPORTS_CREDENTIALS = True")
        rasa.server.configure_cors = _no_cors
    if Agent._create_tracker_store is not _create_honest_tracker_store:
        _require(Agent, "_create_tracker_store", "return FailSafeTrackerStore(tracker_store)")
        _require(FailSafeTrackerStore, "save", "self.on_tracker_store_error(e)")
        _require(FailSafeTrackerStore, "retrieve", "self.on_tracker_store_retrieve_error(e)")
        for name in ("on_tracker_store_error", "on_tracker_store_retrieve_error"):
            _require(FailSafeTrackerStore, name, "self._on_tracker_store_error(error)")
        Agent._create_tracker_store = staticmethod(_create_honest_tracker_store)
