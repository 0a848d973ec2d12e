"""What is bent in Rasa 3.6.21 itself, and why. Each change checks that it finds what it replaces."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Dict, Optional, Type

import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.shared.constants import DOCS_BASE_URL
from rasa.shared.core.events import Event


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


def apply() -> None:
    """Apply every patch, once.

    Rasa checks its constant schema of action results anew at every action call, 17 ms of a turn; a
    validator built once makes the same checks. And it walks all classes of events anew for every
    event of a stored conversation, 3 ms of a turn; what was found is remembered.
    """
    if getattr(RemoteAction, "_validate_action_result", None) is not _validate_action_result:
        _require(RemoteAction, "_validate_action_result", "validate(result, self.action_response_format_spec())")
        RemoteAction._validate_action_result = _validate_action_result
    if Event.resolve_by_type is not _resolve_event:
        _require(Event, "resolve_by_type", "all_subclasses(Event)", "cls.type_name == type_name")
        Event.resolve_by_type = staticmethod(_resolve_event)
