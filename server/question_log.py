"""What was asked and how well it was answered, to make the assistant better: a row per turn, without who asked.

A row is the day, channel, outcome, topic, conditions, confidence, whether the message was not understood, the rule
that decided, and the model. Only when it is switched on, and only for questions that could not be answered, the
question itself is kept, after `server.redaction` has been over it; never that of somebody in need, or about somebody's
own case.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any, Callable, Dict, Optional, Protocol

from facts.schema import CONDITIONS, TOPICS
from replies.contract import Outcome
from server import metrics
from server.turns import Turn
from stores.database import day
from stores.question_log import RowLog

logger = logging.getLogger(__name__)

#: Questions worth reading: what somebody might add facts or examples for.
WITH_TEXT = (Outcome.CLARIFY, Outcome.NOT_COVERED)


class Redacts(Protocol):
    """Takes out of a text what tells who wrote it; None when too little is left."""

    def redact(self, text: str) -> Optional[str]: ...


class QuestionLog(RowLog[Turn]):
    """Rows of turns.

    Args:
        redactor: makes the redactor of the texts, when the first is kept; None when no text is kept.
    """

    def __init__(self, url: str, days: int = 90, redactor: Optional[Callable[[], Redacts]] = None) -> None:
        super().__init__(url, days)
        self._make_redactor = redactor
        self._redactor: Optional[Redacts] = None

    def dropped(self) -> None:
        metrics.error("question_log")

    def row(self, turn: Turn) -> Dict[str, Any]:
        confidence = turn.confidence
        return {
            "id": secrets.token_hex(8),
            "day": day(),
            "channel": metrics.channel_name(turn.channel),
            "outcome": turn.reply.outcome.value,
            "topic": turn.reply.topic if turn.reply.topic in TOPICS else None,
            "conditions": ",".join(c for c in CONDITIONS if c in turn.reply.conditions),
            "confidence": None if confidence is None else round(float(confidence), 2),
            "fallback": turn.fallback,
            "reason": turn.reply.reason,
            "model": turn.model,
            "text": self._text(turn),
        }

    def _text(self, turn: Turn) -> Optional[str]:
        """The question without what tells who asked it, where it may be kept."""
        if self._make_redactor is None or turn.pressed or turn.reply.outcome not in WITH_TEXT:
            return None
        try:
            if self._redactor is None:
                self._redactor = self._make_redactor()
            return self._redactor.redact(turn.text)
        except Exception as error:  # noqa: BLE001 - a row without its text is a row still
            logger.warning("A question is kept without its text (%s).", type(error).__name__)
            return None
