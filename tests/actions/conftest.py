"""A conversation without Rasa: what the NLU would have measured goes in, replies come out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from actions import dialogue
from actions.question import Context, Message
from facts.store import Snapshot
from replies.contract import OPTIONAL, Content

KEYS = set(Content().to_dict())
MAYBE = set(OPTIONAL)


class Reply(dict[str, Any]):
    """The metadata of a reply, with its buttons and the rule that decided."""

    buttons: list[tuple[str, str]]
    rule: str

    @property
    def offered(self) -> list[str]:
        """The payloads of its buttons."""
        return [payload for _, payload in self.buttons]


def ranked(asked: str | Mapping[str, float]) -> list[tuple[str, float]]:
    """Intents and questions with their confidence, likeliest first; one alone is as good as sure."""
    measured = {asked: 0.9} if isinstance(asked, str) else dict(asked)
    return sorted(measured.items(), key=lambda item: -item[1])


def measured(asked: str | Mapping[str, float]) -> dict[str, Any]:
    """As the classifier hands it on: the questions of a topic together are the confidence in the topic."""
    intents: dict[str, float] = {}
    for name, confidence in ranked(asked):
        intent = name.partition("/")[0]
        intents[intent] = intents.get(intent, 0.0) + confidence
    return {
        "intents": sorted(intents.items(), key=lambda item: -item[1]),
        "questions": [(name, confidence) for name, confidence in ranked(asked) if "/" in name],
    }


def named(pairs: list[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"name": name, "confidence": confidence} for name, confidence in pairs]


class Talk:
    """A conversation. What is remembered goes through the slot after each turn, as in Rasa."""

    def __init__(self, facts: Snapshot) -> None:
        self.facts = facts
        self.slot: Any = None

    def say(
        self,
        asked: str | Mapping[str, float] = "unclear",
        text: str = "what is known about it",
        about: str = "",
        *,
        following: str | Mapping[str, float] = "",
        sentences: tuple[dict[str, Any], ...] = (),
        ruled_out: str = "",
        more: Mapping[str, Any] | None = None,
        **terms: str,
    ) -> Reply:
        """Send a message.

        Args:
            asked: the question or intent it is measured to be, such as "diagnosis/overview" or "tell_more"; or
                several with their confidence.
            text: its words.
            about: the diseases it names, such as "MS ALS"; `ruled_out` those it says it is not.
            following: what it is measured to be behind the question answered before.
            sentences: of a message that has several: `text`, `asked`, `asks` where it is not sure to ask, and
                `following` what it is measured to be behind the sentence before.
            more: what else was measured, such as {"alarm": {"outcome": "crisis"}} or {"names_only": True}.
            terms: ids of what else is named by kind, such as drug="riluzole edaravone".
        """
        entities = []
        for kind, ids, role in (
            ("condition", about, None), ("condition", ruled_out, "ruled_out"), *((k, i, None) for k, i in terms.items())
        ):  # fmt: skip
            for one in ids.split():
                at = max(text.lower().find(one.lower()), 0)
                entities.append(
                    {
                        "entity": kind,
                        "value": one,
                        "start": at,
                        "end": at + len(one),
                        **({"role": role} if role else {}),
                    }
                )
        measures = measured(asked)
        parsed: dict[str, Any] = {
            "text": text,
            "intent": named(measures["intents"])[0],
            "intent_ranking": named(measures["intents"]),
            "question_ranking": named(measures["questions"]),
            "entities": entities,
            **(more or {}),
        }
        if following:
            parsed["following"] = named(measured(following)["questions"])
        if sentences:
            parsed["sentences"] = [self._sentence(text, **one) for one in sentences]
        return self.receive(parsed)

    @staticmethod
    def _sentence(
        whole: str, text: str, asked: str | Mapping[str, float], asks: float = 0.95,
        following: str | Mapping[str, float] = "",
    ) -> dict[str, Any]:  # fmt: skip
        start = whole.index(text)
        behind = {"following": measured(following)["questions"]} if following else {}
        return {"start": start, "end": start + len(text), "asks": asks, **measured(asked), **behind}

    def press(self, payload: str) -> Reply:
        """Press a button: its payload is the message, and Rasa reads the intent from it."""
        intent = payload.removeprefix("/").partition("{")[0]
        return self.receive({"text": payload, "intent": {"name": intent, "confidence": 1.0}, "entities": []})

    def receive(self, parsed: dict[str, Any]) -> Reply:
        """Send a message as Rasa would hand it over."""
        context = Context.from_slot(self.slot)
        reply, context, decision = dialogue.respond(Message.from_rasa(parsed), context, self.facts)
        self.slot = json.loads(json.dumps(context.to_slot()))
        said = Reply(json.loads(json.dumps(reply.metadata(self.facts))))
        said.buttons = [(b.title, b.payload) for b in reply.buttons]
        said.rule = decision.reason
        return said


@pytest.fixture
def talk(facts: Snapshot) -> Talk:
    """A conversation that begins."""
    return Talk(facts)


@pytest.fixture
def new_talk(facts: Snapshot) -> Callable[[], Talk]:
    """Begins one conversation after the other."""
    return lambda: Talk(facts)
