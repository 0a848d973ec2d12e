"""What channels do beside turns, counted: people asked to slow down, and votes. Channels know nothing of it."""

from __future__ import annotations

from typing import Any

from channels.feedback import FeedbackStore
from channels.pace import Pace
from server import metrics


class CountedPace(Pace):
    """Counts by channel, which is how the name of a person begins."""

    async def wait(self, person: str) -> int:
        seconds = await super().wait(person)
        if seconds:
            metrics.rate_limited(person.partition(":")[0])
        return seconds


class CountedVotes(FeedbackStore):
    """Counts a vote once, also when its reason comes later."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        new = super().add(*args, **kwargs)
        if new:
            metrics.feedback(kwargs["helpful"] if "helpful" in kwargs else args[2])
        return new
