"""Thumbs up or down from the chat page.

    POST /feedback {"vote": "<random id>", "outcome": "answered", "topic": "diagnosis", "helpful": false,
                    "reason": "too long"}

No sender and no question is kept: outcome, topic, the day, the vote and, if given, the reason. The id is made for this
one vote: the same id again, now with a reason, replaces what was stored before.
"""

from __future__ import annotations

import logging
from typing import Any, Dict, Optional, Sequence

import sqlalchemy as sa
from sanic import Blueprint, response
from sanic.request import Request
from sanic.response import HTTPResponse

from channels.pace import Pace
from channels.web import UNREADABLE, BadRequest, address_of, read_json, refused, say_unreadable
from facts.schema import TOPICS
from replies.contract import Outcome
from server import metrics
from stores.votes import MAX_REASON, MAX_VOTE, TooManyVotes, VoteStore

logger = logging.getLogger(__name__)

OUTCOMES = tuple(outcome.value for outcome in Outcome)


def _text(body: Dict[str, Any], name: str, most: int) -> Optional[str]:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > most:
        raise BadRequest(f"bad_{name}", f'"{name}" must be a text of at most {most} characters.')
    # Without what no database takes (NUL, half of a surrogate pair).
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip() or None


def _one_of(body: Dict[str, Any], name: str, known: Sequence[str]) -> Optional[str]:
    """A name as replies have it in their metadata: nobody's words."""
    value = body.get(name)
    if value is not None and value not in known:
        raise BadRequest(f"bad_{name}", f'"{name}" must be as it was in the metadata of the reply.')
    return value


def blueprint(store: VoteStore, pace: Optional[Pace] = None) -> Blueprint:
    """The route, over a store; `pace` counts votes by the address they come from."""
    feedback = Blueprint("feedback")
    feedback.exception(*UNREADABLE)(say_unreadable)
    pace = pace or Pace()

    @feedback.route("/feedback", methods=["POST"])
    async def receive(request: Request) -> HTTPResponse:
        try:
            body = read_json(request)
            if not isinstance(body, dict) or not isinstance(body.get("helpful"), bool):
                raise BadRequest("bad_helpful", '"helpful" must be true or false.')
            outcome, topic = _one_of(body, "outcome", OUTCOMES), _one_of(body, "topic", TOPICS)
            reason, vote = _text(body, "reason", MAX_REASON), _text(body, "vote", MAX_VOTE)
            seconds = await pace.wait(f"vote:{address_of(request)}")
            if seconds:
                wait = {"Retry-After": str(seconds)}
                return refused("too_many_requests", "That is more votes than can be kept at once.", 429, wait)
            if await store.add(outcome, topic, body["helpful"], reason, vote):
                metrics.feedback(body["helpful"])  # once, also when the reason comes later
        except BadRequest as error:
            return refused(error.code, error.message, error.status)
        except (sa.exc.SQLAlchemyError, TooManyVotes) as error:
            logger.error("A vote could not be kept (%s).", type(error).__name__)
            return refused("unavailable", "Votes cannot be kept right now. Please try again later.", 503)
        return response.json({"status": "thank you"})

    return feedback
