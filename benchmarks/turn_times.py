"""The product with a stopwatch in each room: `python -m benchmarks.turn_times` in place of `-m server`.

Appends a JSON object per turn to the file named in `TURN_TIMES`: seconds per room, each without the
rooms entered from within it, so that they add up to the turn. For one client only.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any, Callable, Dict, List

TURN = "Rasa around them"


class Stopwatch:
    """Seconds spent in each room of the turn that is going on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inside: List[float] = []
        self._seconds: Dict[str, float] = {}

    def around(self, room: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed; calls may nest."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed(*args: Any, **kwargs: Any) -> Any:
                began = self._enter()
                try:
                    return await function(*args, **kwargs)
                finally:
                    self._leave(room, began)

        else:

            @functools.wraps(function)
            def timed(*args: Any, **kwargs: Any) -> Any:
                began = self._enter()
                try:
                    return function(*args, **kwargs)
                finally:
                    self._leave(room, began)

        return timed

    def _enter(self) -> float:
        self._inside.append(0.0)
        return perf_counter()

    def _leave(self, room: str, began: float) -> None:
        whole = perf_counter() - began
        own = whole - self._inside.pop()
        self._seconds[room] = self._seconds.get(room, 0.0) + own
        if self._inside:
            self._inside[-1] += whole
        if room == TURN:
            with self._path.open("a", encoding="utf8") as file:
                file.write(json.dumps(self._seconds) + "\n")
            self._seconds = {}


def rooms() -> List[Any]:
    """(room, class, method) in the order of a turn."""
    from rasa.core.processor import MessageProcessor

    from nlu.question_classifier import QuestionClassifier
    from nlu.safety import SafetyRules
    from nlu.terms import TermMatcher
    from replies.nlg import DisclaimerNLG
    from server.action_endpoint import InProcessActions
    from stores.conversations import ConversationStore

    return [
        ("understanding: terms", TermMatcher, "process"),
        ("understanding: questions", QuestionClassifier, "process"),
        ("understanding: safety", SafetyRules, "process"),
        ("understanding: Rasa's graph", MessageProcessor, "parse_message"),
        ("policies", MessageProcessor, "predict_next_with_tracker_if_should"),
        ("action", InProcessActions, "request"),
        ("reply (NLG)", DisclaimerNLG, "generate"),
        ("conversation store", ConversationStore, "retrieve"),
        ("conversation store", ConversationStore, "save"),
        (TURN, MessageProcessor, "handle_message"),
    ]


def main() -> int:
    from server.__main__ import main as serve

    stopwatch = Stopwatch(Path(os.environ["TURN_TIMES"]))
    for room, owner, method in rooms():
        setattr(owner, method, stopwatch.around(room, getattr(owner, method)))
    return serve()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    sys.exit(main())
