"""Replies to messages in another language than English."""

from __future__ import annotations

from actions import wording
from actions.question import Context, Message
from actions.reply import Outcome, Reply
from facts.store import Snapshot


def other_language(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(Outcome.OTHER_LANGUAGE, wording.OUT_OF_SCOPE)
