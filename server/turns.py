"""Watches every turn: what was answered and how long its stages took, for the metrics and the question log.

All channels hand their messages to Rasa's agent, so it is there that turns are watched. `watch` wraps methods of one
agent, the one that runs; Rasa's classes stay as they are.
"""

from __future__ import annotations

import functools
import inspect
import logging
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Callable, Dict, Iterator, Mapping, Optional

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage

from replies.contract import Content, Outcome

logger = logging.getLogger(__name__)

#: A message taken for something with less confidence than this was hardly understood.
HARDLY_UNDERSTOOD = 0.6
APOLOGISED = Content(Outcome.ERROR)


@dataclass
class Turn:
    """What is known of a turn when it is over.

    Attributes:
        model: the file of the model that it began with.
        text: what the person wrote, or the payload of a button.
        parsed: what Rasa's NLU made of it; empty when that failed.
        reply: the last one. Without any the channel has apologised.
        seconds: time spent, by stage.
    """

    channel: str
    text: str
    parsed: Mapping[str, Any] = field(default_factory=dict)
    reply: Content = APOLOGISED
    seconds: Dict[str, float] = field(default_factory=dict)
    model: str = ""

    @property
    def pressed(self) -> bool:
        """Whether a button was pressed: channels take the slash off whatever is typed."""
        return self.text.startswith("/")

    @property
    def confidence(self) -> Optional[float]:
        """Of the likeliest intent, as measured."""
        ranking = self.parsed.get("intent_ranking") or [self.parsed.get("intent") or {}]
        return next((r["confidence"] for r in ranking if r.get("name")), None)

    @property
    def fallback(self) -> bool:
        """Whether a typed message was not understood.

        It was not when the reply asks back or has no facts, and the classifier was unsure or took the message for none
        that means anything.
        """
        if self.pressed or self.reply.outcome not in (Outcome.CLARIFY, Outcome.NOT_COVERED):
            return False
        intent = (self.parsed.get("intent") or {}).get("name")
        return intent in (None, "unclear") or (self.confidence or 0.0) < HARDLY_UNDERSTOOD


_under_way: ContextVar[Optional[Turn]] = ContextVar("turn", default=None)


def watch(agent: Agent, finished: Callable[[Turn], None], channels: Optional[Mapping[str, str]] = None) -> None:
    """Have `finished` called with every turn of an agent.

    Args:
        channels: other names for Rasa's channels ("rest" is the shell when that is all there is).
    """
    names = channels or {}
    answer = agent.handle_message

    @functools.wraps(answer)
    async def handle_message(message: UserMessage) -> Any:
        channel = message.input_channel or ""
        turn = Turn(names.get(channel, channel), message.text or "", model=model_of(agent))
        before = _under_way.set(turn)
        began = perf_counter()
        try:
            return await answer(message)
        finally:
            _under_way.reset(before)
            turn.seconds["turn"] = perf_counter() - began
            try:
                finished(turn)
            except Exception as error:  # noqa: BLE001 - counting must not cost anybody an answer
                logger.error("A turn could not be counted (%s).", type(error).__name__)

    setattr(agent, "handle_message", handle_message)  # noqa: B010 - mypy takes no assignment to a method
    assert agent.processor is not None
    _time(agent.processor, "parse_message", "understanding", _understood)
    _time(agent.processor, "predict_next_with_tracker_if_should", "dialogue")
    _time(agent.action_endpoint, "request", "action")
    _time(agent.nlg, "generate", "rendering", _rendered)


def model_of(agent: Optional[Agent]) -> str:
    """The file of the model that an agent answers with; empty while there is none."""
    return str(getattr(getattr(agent, "processor", None), "model_filename", ""))


def _understood(turn: Turn, parsed: Mapping[str, Any]) -> None:
    turn.parsed = parsed


def _rendered(turn: Turn, message: Optional[Mapping[str, Any]]) -> None:
    turn.reply = Content.from_message(message) if message else APOLOGISED


def _time(owner: Any, method: str, stage: str, note: Optional[Callable[[Turn, Any], None]] = None) -> None:
    """Count what a method of an object takes to a stage of the turn under way, and note what it returns."""
    original = getattr(owner, method)
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def timed(*args: Any, **kwargs: Any) -> Any:
            with _clock(stage) as turn:
                result = await original(*args, **kwargs)
                if turn and note:
                    note(turn, result)
                return result

    else:

        @functools.wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with _clock(stage) as turn:
                result = original(*args, **kwargs)
                if turn and note:
                    note(turn, result)
                return result

    setattr(owner, method, timed)


@contextmanager
def _clock(stage: str) -> Iterator[Optional[Turn]]:
    turn = _under_way.get()
    began = perf_counter()
    try:
        yield turn
    finally:
        if turn:
            turn.seconds[stage] = turn.seconds.get(stage, 0.0) + perf_counter() - began
