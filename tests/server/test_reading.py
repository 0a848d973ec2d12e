"""While somebody's message is read, everybody else is served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from rasa.core.processor import MessageProcessor

from channels import turns
from tests.server.bare import HELLO, Agent, running

LETTER, QUESTION = "so tired " * 100, "what is als"


def body(text: str, sender: str) -> dict[str, Any]:
    return {"sender": sender, "message": text}


class Held(Agent):
    """Reads messages as Rasa's agent does, but the letter only once it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end = threading.Event(), threading.Event()

    def hold(self) -> None:
        self.begun.set()
        self.may_end.wait(20)

    def _parse_message_with_graph(self, message: Any, tracker: Any, only_output: bool) -> Any:
        if message.text == LETTER.strip():
            self.hold()
        return {"text": message.text}

    async def handle_message(self, message: Any) -> None:
        await MessageProcessor.parse_message(self, message)  # type: ignore[arg-type]
        await super().handle_message(message)


@asynccontextmanager
async def held(folder: Path, agent: Held) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Task[httpx.Response]]]:
    """A client of an assistant that is held up over somebody's letter."""
    async with running(folder, agent) as client:
        letter = asyncio.create_task(client.post("/webhooks/rest/webhook", json=body(LETTER, "writer")))
        assert await asyncio.to_thread(agent.begun.wait, 20)
        try:
            yield client, letter
        finally:
            agent.may_end.set()


async def test_others_are_answered_while_a_letter_is_read(tmp_path: Path) -> None:
    agent = Held()
    async with held(tmp_path, agent) as (client, letter):
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.post("/webhooks/rest/webhook", json=body(QUESTION, "other"))
        assert answer.json()[0]["metadata"]["answer"] == HELLO["metadata"]["answer"]
        assert agent.texts == [QUESTION]
        assert not letter.done()
        assert not agent.may_end.is_set()
        agent.may_end.set()
        assert (await letter).json()[0]["metadata"]["outcome"] == "smalltalk"


async def test_others_are_answered_while_a_letter_is_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, hear = Held(), turns.alarm_in

    def held_up(text: str) -> Any:
        if text == LETTER.strip():
            agent.hold()
        return hear(text)

    monkeypatch.setattr(turns, "alarm_in", held_up)
    async with held(tmp_path, agent) as (client, letter):
        cry = await client.post("/webhooks/rest/webhook", json=body("I want to die", "other"))
        assert cry.json()[-1]["metadata"]["outcome"] == "crisis"
        # The same person's next message waits for its turn all the same.
        after = asyncio.create_task(client.post("/webhooks/rest/webhook", json=body(QUESTION, "writer")))
        assert (await client.get("/health/live")).status_code == 200
        assert not letter.done()
        assert not after.done()
        agent.may_end.set()
        await asyncio.gather(letter, after)
    assert agent.texts[-2:] == [LETTER.strip(), QUESTION]


async def test_who_waits_too_long_behind_letters_is_told_and_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns.Turns.__init__, "__defaults__", (*turns.Turns.__init__.__defaults__[:-1], 0.2))
    agent = Held()
    async with held(tmp_path, agent) as (client, letter):
        for answer in (await letter, await client.post("/webhooks/rest/webhook", json=body("as " + LETTER, "other"))):
            assert answer.json()[0]["metadata"]["outcome"] == "error"
        agent.may_end.set()
        again = await client.post("/webhooks/rest/webhook", json=body(QUESTION, "other"))
    assert again.json()[0]["metadata"]["outcome"] == "smalltalk"
    assert agent.texts == [QUESTION]
