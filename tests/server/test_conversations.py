"""Where conversations are kept: for a while, in one row, and gone when asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered

from stores import conversations
from stores.conversations import KEPT_EVENTS, ConversationStore
from tests.server.talks import load_domain, said, texts_of


@pytest.fixture(scope="module")
def domain() -> Domain:
    return load_domain()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/conversations.sqlite"


async def test_a_conversation_is_found_again_after_a_restart(url: str, domain: Domain) -> None:
    await said(ConversationStore(domain, host=url), "rest:a", "is there a cure")
    tracker = await ConversationStore(domain, host=url).retrieve("rest:a")
    assert tracker is not None
    assert tracker.sender_id == "rest:a"
    assert texts_of(tracker) == ["is there a cure"]
    assert tracker.get_slot("context") == {"topic": "cure"}


async def test_nobody_is_found_who_never_wrote(url: str, domain: Domain) -> None:
    assert await ConversationStore(domain, host=url).retrieve("rest:nobody") is None


async def test_conversations_are_kept_apart(url: str, domain: Domain) -> None:
    store = ConversationStore(domain, host=url)
    await said(store, "rest:a", "one")
    await said(store, "rest:b", "two")
    assert texts_of(await store.retrieve("rest:a")) == ["one"]
    assert sorted(await store.keys()) == ["rest:a", "rest:b"]


async def test_only_the_last_events_are_kept(url: str, domain: Domain) -> None:
    store = ConversationStore(domain, host=url)
    for number in range(60):
        await said(store, "rest:a", f"question {number}")
    tracker = await ConversationStore(domain, host=url).retrieve("rest:a")
    assert tracker is not None
    assert len(tracker.events) <= KEPT_EVENTS
    assert texts_of(tracker)[-1] == "question 59"
    assert "question 0" not in texts_of(tracker)
    assert tracker.get_slot("context") == {"topic": "cure"}


async def test_what_was_talked_about_outlasts_many_apologies(url: str, domain: Domain) -> None:
    await said(ConversationStore(domain, host=url), "rest:a", "is there a cure")
    for _ in range(20):
        store = ConversationStore(domain, host=url)
        tracker = await store.retrieve("rest:a")
        assert tracker is not None
        for event in (UserUttered("and for ALS?"), ActionExecuted("action_answer"), BotUttered("I am sorry")):
            tracker.update(event)
        await store.save(tracker)
    tracker = await store.retrieve("rest:a")
    assert tracker is not None
    assert tracker.get_slot("context") == {"topic": "cure"}
    assert len(tracker.events) <= KEPT_EVENTS


async def test_a_conversation_is_deleted_when_its_time_is_over(
    url: str, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not read any more, and at the next message of anyone its row goes."""
    store = ConversationStore(domain, host=url, retention_days=1)
    await said(store, "rest:old", "zqxmarker")
    now = time.time()
    monkeypatch.setattr(conversations.time, "time", lambda: now + 23 * 3600)
    assert await store.retrieve("rest:old") is not None
    monkeypatch.setattr(conversations.time, "time", lambda: now + 25 * 3600)
    assert await store.retrieve("rest:old") is None
    await said(store, "rest:new", "hello")
    assert sorted(await store.keys()) == ["rest:new"]


async def test_a_conversation_that_goes_on_is_kept(url: str, domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ConversationStore(domain, host=url, retention_days=1)
    now = time.time()
    for hours in range(0, 72, 12):
        monkeypatch.setattr(conversations.time, "time", lambda hours=hours: now + hours * 3600)
        await said(store, "rest:a", f"question {hours}")
    assert len(texts_of(await store.retrieve("rest:a"))) == 6


async def test_what_is_over_time_is_deleted_when_the_assistant_starts_again(
    url: str, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    await said(ConversationStore(domain, host=url), "rest:old", "zqxmarker")
    later = time.time() + 25 * 3600
    monkeypatch.setattr(conversations.time, "time", lambda: later)
    store = ConversationStore(domain, host=url)
    await said(store, "rest:new", "hello")
    assert list(await store.keys()) == ["rest:new"]


async def test_who_asks_to_be_forgotten_is_deleted_and_the_others_are_not(url: str, domain: Domain) -> None:
    store = ConversationStore(domain, host=url)
    await said(store, "rest:a", "one")
    await said(store, "rest:b", "two")
    await said(store, "rest:a", "forget me", forget=True)
    assert list(await store.keys()) == ["rest:b"]
    assert await store.retrieve("rest:a") is None


async def test_a_forgotten_conversation_leaves_no_byte_behind(url: str, domain: Domain, tmp_path: Path) -> None:
    store = ConversationStore(domain, host=url)
    await said(store, "rest:zqxmarker", "one", "two")
    await said(store, "rest:zqxmarker", "three")
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"zqxmarker" in held
    await said(store, "rest:zqxmarker", "forget me", forget=True)
    left = {path.name: path.read_bytes().count(b"zqxmarker") for path in tmp_path.iterdir()}
    assert {name: count for name, count in left.items() if count} == {}


async def test_what_is_deleted_for_its_age_leaves_no_byte_behind(
    url: str, domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ConversationStore(domain, host=url)
    await said(store, "rest:zqxmarker", "one")
    later = time.time() + 25 * 3600
    monkeypatch.setattr(conversations.time, "time", lambda: later)
    await said(store, "rest:new", "hello")
    left = {path.name: path.read_bytes().count(b"zqxmarker") for path in tmp_path.iterdir()}
    assert {name: count for name, count in left.items() if count} == {}


async def test_without_an_address_conversations_live_in_memory(domain: Domain) -> None:
    store = ConversationStore(domain)
    await said(store, "rest:a", "one")
    assert texts_of(await store.retrieve("rest:a")) == ["one"]


async def test_no_word_is_kept_and_a_row_is_small_whatever_was_written(
    url: str, domain: Domain, tmp_path: Path
) -> None:
    store = ConversationStore(domain, host=url)
    for _ in range(8):
        await said(store, "rest:a", "zqxmarker" * 200)
    assert b"zqxmarker" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    events = await store.events_of("rest:a")
    assert events is not None
    assert len(events) < 8_000
    assert events.count('"slot"') == 1


async def test_the_oldest_of_too_many_conversations_go(
    url: str, domain: Domain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversations, "MOST_CONVERSATIONS", 3)
    store = ConversationStore(domain, host=url)
    for number in range(6):
        await said(store, f"rest:{number}", "hello")
    await store.sweep()
    assert sorted(await store.keys()) == ["rest:3", "rest:4", "rest:5"]
