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
        # As `nlu/` leaves it, with all that it measured.
        parsed = {
            "intent": {"name": name_of(text), "confidence": 1.0},
            "entities": [{"entity": "condition", "value": "ALS", "start": n} for n in range(700)],
            "intent_ranking": [{"name": "cure", "confidence": 1.0}] * 10,
            "question_ranking": [{"name": "cure/overview", "confidence": 1.0}] * 40,
            "sentences": [{"start": 0, "end": 4, "questions": [["cure/overview", 1.0]] * 5}] * 30,
        }
        tracker.update(UserUttered(text, parsed["intent"], parsed["entities"], parsed))
        tracker.update(SlotSet("context", {"topic": "cure"}))
        tracker.update(BotUttered(f"reply to {text}", metadata={"metadata": {"forget": True} if forget else {}}))
    await store.save(tracker)
    return tracker


def name_of(text: str) -> str:
    """Stands for the intent of a text, which is all that is kept of it."""
    return text.replace("zqxmarker", "").strip()


def texts_of(tracker: Any) -> list[str]:
    """What was said, by its intents."""
    return [event.intent["name"] for event in tracker.events if isinstance(event, UserUttered)]
