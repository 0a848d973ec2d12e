"""Replies to messages in another language than English: a few fixed sentences, where to read on, the numbers."""

from __future__ import annotations

from typing import Literal

from actions import wording
from actions.question import Context, Message
from actions.reply import Outcome, Reply
from facts.store import Snapshot
from nlu.language import languages


def other_language(message: Message, context: Context, facts: Snapshot) -> Reply:
    """In that language: that only English is read here, where to read on in it, the emergency number."""
    known = languages().get(message.language or "")
    if known is None:
        return Reply(Outcome.OTHER_LANGUAGE, wording.ONLY_ENGLISH)
    return Reply(Outcome.OTHER_LANGUAGE, known.answer, language=known.code)


def alarm(message: Message, reply: Reply) -> Reply:
    """A reply to a cry for help, in the language of the cry and then in English."""
    known = languages().get(message.language or "")
    outcome: Literal["crisis", "emergency"]
    if reply.outcome is Outcome.CRISIS:
        outcome = "crisis"
    elif reply.outcome is Outcome.EMERGENCY:
        outcome = "emergency"
    else:
        return reply
    if known is None or not known.alarm(outcome).strip():
        return reply
    return Reply(
        reply.outcome, f"{known.alarm(outcome)}\n{reply.answer}", conditions=reply.conditions,
        evidence=reply.evidence, language=known.code,
    )  # fmt: skip
