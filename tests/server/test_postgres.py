"""Conversations and votes in PostgreSQL, and what happens when it is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from stores.conversations import ConversationStore
from stores.votes import KEPT_DAYS, VoteStore
from tests.conftest import Assistant
from tests.contract.reply_contract import keep_to_contract
from tests.server.talks import load_domain, said, texts_of
from tests.services import Outage, Postgres, postgres_server

VOTE = {"outcome": "answered", "topic": "cure", "helpful": True}


# --- conversations and votes ------------------------------------------------------------------------


async def test_a_forgotten_conversation_has_no_row(postgres: Postgres) -> None:
    """Its bytes stay in the server's files until it vacuums: that is the server's own to settle."""
    store = ConversationStore(load_domain(), host=postgres.url)
    await said(store, "rest:a", "zqxmarker one", "zqxmarker two")
    assert postgres.query("select count(*) from conversations where events not like '%zqxmarker%'") == [(1,)]
    await said(store, "rest:a", "forget me", forget=True)
    assert postgres.query("select * from conversations") == []


async def test_assistants_that_start_at_once_make_the_tables_together(postgres: Postgres) -> None:
    for _ in range(5):
        postgres.query("drop table if exists conversations, feedback")
        opened = [lambda: ConversationStore(None, host=postgres.url), lambda: VoteStore(postgres.url)] * 3
        await asyncio.gather(*(asyncio.to_thread(open_one) for open_one in opened))


async def test_votes_are_kept_and_deleted_after_their_time(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.query("drop table if exists feedback")
    store, now = VoteStore(postgres.url), time.time()
    for days in (KEPT_DAYS + 1, KEPT_DAYS - 1):
        monkeypatch.setattr(time, "time", lambda days=days: now - days * 86_400)
        await store.add("answered", "cure", True, f"{days} days ago")
    monkeypatch.setattr(time, "time", lambda: now)
    await store.sweep()
    assert postgres.query("select reason from feedback") == [(f"{KEPT_DAYS - 1} days ago",)]


@pytest.fixture(params=Outage.WAYS)
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    """A way for a PostgreSQL of the test's own to be away."""
    with postgres_server(tmp_path) as server:
        yield Outage(server, request.param)


async def test_when_it_is_away_nobody_waits_long_and_it_is_found_again(outage: Outage) -> None:
    store = ConversationStore(load_domain(), host=outage.server.url)
    await said(store, "rest:a", "before")
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - begun)

    outage.begin()
    beating, begun = asyncio.create_task(beat()), time.monotonic()
    await asyncio.sleep(0.05)
    for _ in range(2):
        for work in (store.retrieve("rest:a"), store.check(), store.sweep()):
            with pytest.raises(sa.exc.OperationalError):
                await asyncio.wait_for(work, 10)
    await asyncio.sleep(0.05)
    assert time.monotonic() - begun < 6 * 4.5
    beating.cancel()
    assert longest < 0.5  # the process went on with other things
    outage.end()
    assert len(texts_of(await said(store, "rest:a", "after"))) == 2
    await store.check()


# --- an assistant with everything in it -------------------------------------------------------------


@pytest.fixture(scope="module")
def one(postgres: Postgres, start_assistant: Callable[..., Assistant]) -> Assistant:
    postgres.query("drop table if exists conversations, feedback")
    return start_assistant(CONVERSATIONS_URL=postgres.url, FEEDBACK_URL=postgres.url, RETENTION_DAYS="7")


def test_it_answers_keeps_and_forgets(one: Assistant, postgres: Postgres) -> None:
    assert requests.get(f"{one.address}/health/ready", timeout=30).json() == {
        "status": "ok",
        "model": True,
        "facts": True,
        "conversations": True,
    }
    one.ask("what causes als zqxmarker", "kept")
    assert one.ask("tell me more", "kept")["metadata"]["topic"] == "cause"
    assert postgres.query("select sender from conversations where events not like '%zqxmarker%'") == [("rest:kept",)]
    one.ask("forget me", "kept")
    assert postgres.query("select sender from conversations where sender = 'rest:kept'") == []
    voted = requests.post(f"{one.address}/feedback", json=VOTE, timeout=30)
    assert voted.status_code == 200
    assert postgres.query("select outcome, topic, helpful from feedback") == [("answered", "cure", True)]


@pytest.mark.parametrize("way", Outage.WAYS)
def test_without_it_the_assistant_apologises_and_recovers_by_itself(
    way: str, one: Assistant, postgres: Postgres
) -> None:
    one.ask("what is als", f"{way}-before")
    outage = Outage(postgres, way)
    outage.begin()
    try:
        for text in ("what is als zqxmarker", "/restart", "i want to die", "forget me"):
            begun = time.monotonic()
            metadata = keep_to_contract(one.ask(text, f"{way}-before"))
            assert time.monotonic() - begun < 10
            assert metadata["outcome"] == ("crisis" if text == "i want to die" else "error")
        voted = requests.post(f"{one.address}/feedback", json=VOTE, timeout=30)
        assert (voted.status_code, voted.json()["error"]["code"]) == (503, "unavailable")
        begun = time.monotonic()
        ready = requests.get(f"{one.address}/health/ready", timeout=30)
        assert time.monotonic() - begun < 5
        assert (ready.status_code, ready.json()["status"], ready.json()["conversations"]) == (200, "degraded", False)
        assert requests.get(f"{one.address}/health/live", timeout=30).status_code == 200
    finally:
        outage.end()
    time.sleep(1.1)  # so long an outage is remembered
    assert one.ask("what is als", f"{way}-before")["metadata"]["outcome"] == "answered"
    assert requests.get(f"{one.address}/health/ready", timeout=30).status_code == 200
    assert requests.post(f"{one.address}/feedback", json=VOTE, timeout=30).status_code == 200
    assert "zqxmarker" not in one.log.read_text("utf8")


def test_many_at_once_are_all_told_within_ten_seconds(one: Assistant, postgres: Postgres) -> None:
    def ask(number: int) -> tuple[str, float]:
        begun = time.monotonic()
        return one.ask("what is als", f"crowd-{number}")["metadata"]["outcome"], time.monotonic() - begun

    postgres.freeze()
    try:
        with ThreadPoolExecutor(20) as several:
            found = list(several.map(ask, range(20)))
    finally:
        postgres.thaw()
    assert {outcome for outcome, _ in found} == {"error"}
    assert max(seconds for _, seconds in found) < 10
    assert one.ask("what is als")["metadata"]["outcome"] == "answered"
