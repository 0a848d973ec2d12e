"""Conversations in SQLite, PostgreSQL and Redis: whichever it is, the same is kept and the same is gone."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered

from stores.conversations import KEPT_EVENTS, ConversationStore
from stores.database import SECONDS_A_DAY
from stores.redis_stores import RedisConversations
from tests.server.talks import load_domain, said, texts_of
from tests.services import Postgres, Redis

Open = Callable[..., TrackerStore]


@pytest.fixture(scope="module")
def domain() -> Domain:
    return load_domain()


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def opened(request: pytest.FixtureRequest, domain: Domain, tmp_path: Path) -> Open:
    """Opens the store, as one assistant after the other does; it is empty at first."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/conversations.sqlite"
        return lambda **more: ConversationStore(domain, host=url, **more)
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        postgres.query("drop table if exists conversations")
        return lambda **more: ConversationStore(domain, host=postgres.url, **more)
    redis: Redis = request.getfixturevalue("redis")
    redis.client.flushall()
    return lambda **more: RedisConversations(domain, host=redis.url, **more)


async def test_what_one_assistant_keeps_another_finds(opened: Open) -> None:
    await said(opened(), "rest:a", "is there a cure", "Ünïcode 🧠 'quoted' \"twice\"")
    tracker = await opened().retrieve("rest:a")
    assert tracker is not None
    assert tracker.sender_id == "rest:a"
    assert texts_of(tracker) == ["is there a cure", "Ünïcode 🧠 'quoted' \"twice\""]
    assert tracker.get_slot("context") == {"topic": "cure"}


async def test_nobody_is_found_who_never_wrote(opened: Open) -> None:
    assert await opened().retrieve("rest:nobody") is None


async def test_conversations_are_kept_apart(opened: Open) -> None:
    store = opened()
    senders = ["rest:a", "rest:b", "rest:*", "slack:T:U:C:1.2"]
    for sender in senders:
        await said(store, sender, f"I am {sender}")
    for sender in senders:
        assert texts_of(await store.retrieve(sender)) == [f"I am {sender}"]
    assert sorted(await store.keys()) == sorted(senders)


async def test_only_the_last_events_are_kept(opened: Open) -> None:
    store = opened()
    for number in range(40):
        await said(store, "rest:a", f"question {number}")
    tracker = await opened().retrieve("rest:a")
    assert tracker is not None
    assert len(tracker.events) <= KEPT_EVENTS
    assert texts_of(tracker)[-1] == "question 39"
    assert "question 0" not in texts_of(tracker)


async def test_of_a_reply_nothing_is_kept_and_what_is_being_sent_is_not_changed(opened: Open) -> None:
    store = opened()
    tracker = await store.get_or_create_tracker("rest:a")
    reply = {"outcome": "answered", "topic": "cure", "conditions": ["MS"], "answer": "No.", "sources": [{"title": "T"}]}
    tracker.update(BotUttered("No. Sources: T", {"buttons": []}, {"metadata": reply}))
    await store.save(tracker)
    kept = await opened().retrieve("rest:a")
    assert kept is not None
    assert not any(isinstance(event, BotUttered) for event in kept.events)
    assert tracker.events[-1].metadata["metadata"] == reply


async def test_who_asks_to_be_forgotten_is_gone_at_once_and_the_others_are_not(opened: Open) -> None:
    store = opened()
    await said(store, "rest:a", "one")
    await said(store, "rest:b", "two")
    await said(store, "rest:a", "forget me", forget=True)
    assert list(await opened().keys()) == ["rest:b"]
    assert await store.retrieve("rest:a") is None


async def test_a_conversation_is_over_some_time_after_its_last_message(opened: Open) -> None:
    store = opened(retention_days=1.0 / SECONDS_A_DAY)
    await said(store, "rest:quiet", "one")
    for number in range(4):  # longer than a second
        await said(store, "rest:a", f"{number}")
        await asyncio.sleep(0.4)
    assert texts_of(await store.retrieve("rest:a")) == ["0", "1", "2", "3"]
    assert await store.retrieve("rest:quiet") is None
    await asyncio.sleep(1.0)
    assert await store.retrieve("rest:a") is None
    await store.sweep()
    assert list(await store.keys()) == []


async def test_two_who_keep_the_same_new_conversation_at_once_do_not_fail(opened: Open) -> None:
    stores = [opened() for _ in range(4)]
    for _ in range(5):
        sender = uuid.uuid4().hex
        results: list[Any] = await asyncio.gather(*(said(store, sender, "hello") for store in stores))
        assert len(results) == len(stores)
        assert set(texts_of(await stores[0].retrieve(sender))) == {"hello"}


async def test_it_says_whether_conversations_can_be_kept(opened: Open) -> None:
    await opened().check()
