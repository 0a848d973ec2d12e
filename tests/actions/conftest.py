"""A conversation without Rasa: what the NLU would have understood goes in, replies come out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from actions import dialogue
from actions.question import Context, Message
from facts.schema import TOPICS
from facts.store import Snapshot

#: What the metadata of a reply holds before the disclaimer is added.
KEYS = {"outcome", "topic", "conditions", "terms", "answer", "comparison", "facts", "sources", "reviewed", "checked"}


class Reply(dict[str, Any]):
    """The metadata of a reply, with its buttons."""

    buttons: list[tuple[str, str]]

    @property
    def offered(self) -> list[str]:
        """The payloads of its buttons."""
        return [payload for _, payload in self.buttons]


class Talk:
    """A conversation. What is remembered goes through the slot after each turn, as in Rasa."""

    def __init__(self, facts: Snapshot) -> None:
        self.facts = facts
        self.slot: Any = None

    def say(
        self,
        intent: str,
        text: str = "",
        about: str = "",
        likely: tuple[str, ...] = (),
        questions: tuple[dict[str, Any], ...] = (),
        **named: str,
    ) -> Reply:
        """Send a message.

        Args:
            intent: what the classifier made of it.
            text: its words.
            about: the diseases it names, such as "MS ALS".
            likely: intents by falling confidence, when they matter.
            questions: the questions of a message that asks several.
            named: ids of other terms by kind, such as drug="riluzole edaravone".
        """
        terms = {"condition": about, **named}
        entities = [{"entity": kind, "value": one} for kind, ids in terms.items() for one in ids.split()]
        for entity in entities:
            at = text.lower().find(entity["value"].lower())
            entity.update({"start": max(at, 0), "end": max(at, 0) + len(entity["value"])})  # type: ignore[dict-item]
        parsed = {
            "text": text,
            "intent": {"name": intent, "confidence": 0.9},
            "intent_ranking": [{"name": n, "confidence": 0.9 - i / 10} for i, n in enumerate(likely or (intent,))],
            "entities": entities,
            "questions": list(questions),
        }
        return self.receive(parsed)

    def press(self, payload: str) -> Reply:
        """Press a button, which Rasa understands as the intent and entities it names."""
        intent, _, values = payload.removeprefix("/").partition("{")
        named = json.loads("{" + values) if values else {}
        assert intent in TOPICS, payload
        return self.say(
            intent,
            payload,
            " ".join(named.pop("condition", [])),
            **{kind: " ".join(ids) for kind, ids in named.items()},
        )

    def receive(self, parsed: dict[str, Any]) -> Reply:
        context = Context.from_slot(self.slot)
        reply, context = dialogue.respond(Message.from_rasa(parsed), context, self.facts)
        self.slot = json.loads(json.dumps(context.to_slot()))
        said = Reply(json.loads(json.dumps(reply.metadata(self.facts))))
        said.buttons = [(b.title, b.payload) for b in reply.buttons]
        return said


@pytest.fixture
def talk(facts: Snapshot) -> Talk:
    """A conversation that begins."""
    return Talk(facts)


@pytest.fixture
def new_talk(facts: Snapshot) -> Callable[[], Talk]:
    """Begins one conversation after the other."""
    return lambda: Talk(facts)
