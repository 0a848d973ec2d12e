"""Conversations put into a tracker store, and read from it, without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, SlotSet, UserUttered

ROOT = Path(__file__).parent.parent.parent


def load_domain() -> Domain:
    return Domain.load(str(ROOT / "domain.yml"))


async def said(store: TrackerStore, sender: str, *texts: str, forget: bool = False) -> Any:
    """Let someone say something, with a reply to each."""
    tracker = await store.get_or_create_tracker(sender)
    for text in texts:
        tracker.update(UserUttered(text, {"name": "cure", "confidence": 1.0}))
        tracker.update(SlotSet("context", {"topic": "cure"}))
        tracker.update(BotUttered(f"reply to {text}", metadata={"metadata": {"forget": True} if forget else {}}))
    await store.save(tracker)
    return tracker


def texts_of(tracker: Any) -> list[str]:
    return [event.text for event in tracker.events if isinstance(event, UserUttered)]
