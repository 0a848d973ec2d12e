"""What assistants behind one address share in Redis, and what happens when it is away."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from rasa.core.lock_store import LockError
from rasa.utils.endpoints import EndpointConfig

from channels.pace import Pace
from channels.seen import Seen
from stores import redis_stores
from stores.redis_stores import PREFIX, RedisConversations, RedisLocks, connect, require
from tests.conftest import Assistant
from tests.contract.reply_contract import keep_to_contract
from tests.server.talks import load_domain, said, texts_of
from tests.services import Outage, Redis, redis_server


@pytest.fixture(autouse=True)
def empty(redis: Redis) -> None:
    redis.client.flushall()


def locks(url: str) -> RedisLocks:
    return RedisLocks(EndpointConfig(url=url))


# --- what it holds -------------------------------------------------------------------------------


async def test_a_forgotten_conversation_leaves_no_byte_behind(redis: Redis) -> None:
    store = RedisConversations(load_domain(), host=redis.url)
    await said(store, "rest:zqxsender", "zqxmarker one", "zqxmarker two")
    held = redis.held()
    assert b"zqxmarker" not in held
    assert b"zqxsender" in held
    await said(store, "rest:zqxsender", "forget me", forget=True)
    assert redis.client.keys() == []
    assert b"zqx" not in redis.held()


async def test_redis_itself_lets_a_conversation_expire_anew_from_each_message(redis: Redis) -> None:
    store = RedisConversations(load_domain(), host=redis.url, retention_days=2)
    await said(store, "rest:a", "one")
    (key,) = redis.client.keys()
    assert 2 * 86_400 - 5 <= redis.client.ttl(key) <= 2 * 86_400
    redis.client.expire(key, 10)
    await said(store, "rest:a", "two")
    assert redis.client.ttl(key) > 10


async def test_everything_in_it_begins_with_our_prefix_and_expires(redis: Redis) -> None:
    await said(RedisConversations(load_domain(), host=redis.url), "rest:a", "one")
    await Seen(shared=connect(redis.url)).first("message of zqxsender")
    assert await Pace(1, redis.url).wait("zqxsender") == 0
    async with locks(redis.url).lock("rest:a"):
        keys = redis.client.keys()
    assert sorted(key.decode().split(":")[1] for key in keys) == ["conversation", "lock", "pace", "seen"]
    assert [key for key in keys if not key.startswith(PREFIX.encode())] == []
    assert [key for key in keys if key != b"ms-als:lock:rest:a" and redis.client.ttl(key) <= 0] == []
    assert b"zqxsender" not in redis.held()


# --- one message of a conversation at a time -------------------------------------------------------


async def test_a_conversation_is_held_by_one_assistant_at_a_time(redis: Redis) -> None:
    inside, most = 0, 0

    async def turn(store: RedisLocks) -> None:
        nonlocal inside, most
        async with store.lock("rest:a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    assistants = [locks(redis.url) for _ in range(4)]
    await asyncio.gather(*(turn(store) for store in assistants for _ in range(5)))
    assert most == 1
    assert redis.client.keys() == []


async def test_other_conversations_do_not_wait(redis: Redis) -> None:
    async with locks(redis.url).lock("rest:a"):
        begun = time.monotonic()
        async with locks(redis.url).lock("rest:b"):
            assert time.monotonic() - begun < 0.5


async def test_the_lock_of_an_assistant_that_died_expires(redis: Redis) -> None:
    redis.client.set(f"{PREFIX}lock:rest:a", "whoever it was", px=300)
    begun = time.monotonic()
    async with locks(redis.url).lock("rest:a"):
        assert 0.2 < time.monotonic() - begun < 2


async def test_a_lock_expires_when_its_holder_dies(redis: Redis) -> None:
    async with locks(redis.url).lock("rest:a"):
        assert 0 < redis.client.ttl(f"{PREFIX}lock:rest:a") <= redis_stores.LOCK_SECONDS


async def test_a_turn_that_takes_long_keeps_its_lock(redis: Redis) -> None:
    async with locks(redis.url).lock("rest:a", lock_lifetime=0.3):
        for _ in range(8):
            await asyncio.sleep(0.1)
            assert redis.client.exists(f"{PREFIX}lock:rest:a")


async def test_who_waits_too_long_is_told(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_stores, "WAIT_SECONDS", 0.2)
    async with locks(redis.url).lock("rest:a"):
        with pytest.raises(LockError, match="still being answered"):
            async with locks(redis.url).lock("rest:a"):
                pass


async def test_a_lock_that_another_has_by_now_is_left_to_it(redis: Redis) -> None:
    async with locks(redis.url).lock("rest:a"):
        redis.client.set(f"{PREFIX}lock:rest:a", "another", ex=10)
    assert redis.client.get(f"{PREFIX}lock:rest:a") == b"another"


# --- a message delivered twice ---------------------------------------------------------------------


async def test_a_message_delivered_to_two_assistants_is_answered_by_one(redis: Redis) -> None:
    assistants = [Seen(shared=connect(redis.url, retries=0)) for _ in range(5)]
    found = await asyncio.gather(*(one.first("event 1", "message 1") for one in assistants))
    assert sorted(found) == [False] * 4 + [True]
    assert not await assistants[0].first("event 2", "message 1")
    assert not await Seen(shared=connect(redis.url)).first("event 3", "message 1")
    assert await assistants[0].first("event 4", "message 4")
    assert not await assistants[1].first("event 4", "message 5")


async def test_without_redis_each_assistant_knows_itself(redis: Redis) -> None:
    seen = Seen()
    assert [await seen.first("event 1"), await seen.first("event 1")] == [True, False]


# --- away ------------------------------------------------------------------------------------------


@pytest.fixture(params=Outage.WAYS)
def outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outage]:
    """A way for a Redis of the test's own to be away."""
    with redis_server(tmp_path) as server:
        yield Outage(server, request.param)


async def test_when_redis_is_away_nothing_waits_long_and_no_message_is_lost(outage: Outage) -> None:
    url = outage.server.url
    store, lock = RedisConversations(load_domain(), host=url), locks(url)
    seen, pace = Seen(shared=connect(url, retries=0)), Pace(1, url)
    await said(store, "rest:a", "before")
    async with lock.lock("rest:a"):
        pass
    assert await seen.first("event 1")
    assert await pace.wait("a") == 0

    outage.begin()
    begun = time.monotonic()
    with pytest.raises(redis_stores.redis.RedisError):
        await store.retrieve("rest:a")
    with pytest.raises(redis_stores.redis.RedisError):
        await store.check()
    with pytest.raises(LockError):
        async with lock.lock("rest:a"):
            pass
    assert await seen.first("event 2")
    assert not await seen.first("event 1")  # seen in this process
    assert await pace.wait("a") == 0  # a second message: taken all the same
    assert time.monotonic() - begun < 10

    outage.end()
    assert texts_of(await said(store, "rest:a", "after"))[-1] == "after"
    async with lock.lock("rest:a"):
        pass
    await store.check()
    assert await seen.first("event 3")
    assert await pace.wait("b") == 0
    assert await pace.wait("b") > 0


async def test_a_redis_that_goes_while_a_turn_runs_does_not_hold_its_reply_back(outage: Outage) -> None:
    async with locks(outage.server.url).lock("rest:a"):
        outage.begin()
    outage.end()


async def test_while_redis_is_frozen_nobody_else_waits(redis: Redis) -> None:
    """The process goes on with other things: it is never stopped by a command under way."""
    store, lock, pace = RedisConversations(load_domain(), host=redis.url), locks(redis.url), Pace(5, redis.url)
    longest = 0.0

    async def beat() -> None:
        nonlocal longest
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - begun)

    redis.freeze()
    try:
        beating = asyncio.create_task(beat())
        await asyncio.sleep(0.05)
        await asyncio.gather(store.check(), store.retrieve("rest:a"), pace.wait("a"), return_exceptions=True)
        with pytest.raises(LockError):
            async with lock.lock("rest:a"):
                pass
        await asyncio.sleep(0.05)
        beating.cancel()
    finally:
        redis.thaw()
    assert longest < 0.5


# --- over TLS ---------------------------------------------------------------------------------------


def certified(folder: Path, name: str) -> Path:
    """A certificate for a name, and the authority that signed it."""
    folder.mkdir()

    def openssl(command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)

    (folder / "names").write_text(f"subjectAltName=DNS:{name}")
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=authority -days 2")
    openssl("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server")
    openssl("x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names")
    return folder


@pytest.mark.parametrize(("name", "believed"), [("localhost", True), ("redis.example.org", False)])
async def test_a_redis_with_the_certificate_of_another_is_not_talked_to(
    name: str, believed: bool, tmp_path: Path
) -> None:
    with redis_server(tmp_path, certified(tmp_path / "tls", name)) as server:
        pace = Pace(1, server.url)
        found = []
        for attempt in (lambda: require(server.url), connect(server.url).ping):
            try:
                result = attempt()
                found.append(bool(await result) if result else True)
            except redis_stores.redis.ConnectionError:
                found.append(False)
        found.append([await pace.wait("a"), await pace.wait("a")] != [0, 0])
        assert found == [believed] * 3


# --- two assistants --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(redis: Redis, start_assistant: Callable[..., Assistant]) -> tuple[Assistant, Assistant]:
    """Two assistants that share a Redis."""
    with ThreadPoolExecutor(2) as both:
        first, second = (both.submit(start_assistant, CONVERSATIONS_URL=redis.url) for _ in range(2))
        return first.result(), second.result()


def test_a_conversation_goes_on_at_the_other_assistant(pair: tuple[Assistant, Assistant]) -> None:
    first, second = pair
    before = first.ask("what causes als", "goes-on")
    after = second.ask("tell me more", "goes-on")
    assert (after["metadata"]["topic"], after["metadata"]["conditions"]) == ("cause", ["ALS"])
    pressed = second.ask(before["buttons"][0]["payload"], "goes-on")
    assert (pressed["metadata"]["topic"], pressed["metadata"]["conditions"]) == ("cause", ["MS"])


def test_who_is_forgotten_by_one_is_forgotten_by_both(pair: tuple[Assistant, Assistant], redis: Redis) -> None:
    first, second = pair
    first.ask("what causes als zqxmarker", "leaves")
    assert b"zqxmarker" not in redis.held()
    assert redis.client.exists(f"{PREFIX}conversation:rest:leaves")
    second.ask("forget me", "leaves")
    assert not redis.client.exists(f"{PREFIX}conversation:rest:leaves")
    assert first.ask("tell me more", "leaves")["metadata"]["outcome"] == "clarify"


def test_messages_that_reach_both_at_once_are_all_answered_and_kept(
    pair: tuple[Assistant, Assistant], redis: Redis
) -> None:
    texts = ["what is als", "what causes als", "is there a cure for als", "how is als diagnosed"]
    with ThreadPoolExecutor(4) as several:
        replies = list(several.map(lambda n: pair[n % 2].ask(texts[n], "at-once"), range(4)))
    assert [reply["metadata"]["topic"] for reply in replies] == ["definition", "cause", "cure", "diagnosis"]


@pytest.mark.parametrize("way", Outage.WAYS)
def test_without_redis_it_apologises_and_recovers_by_itself(
    way: str, pair: tuple[Assistant, Assistant], redis: Redis
) -> None:
    one, outage = pair[0], Outage(redis, way)
    one.ask("what is als", f"{way}-before")
    outage.begin()
    try:
        for text in ("what is als zqxmarker", "/restart", "i want to die", "forget me"):
            begun = time.monotonic()
            metadata = keep_to_contract(one.ask(text, f"{way}-before"))
            assert time.monotonic() - begun < 10
            assert metadata["outcome"] == ("crisis" if text == "i want to die" else "error")
        begun = time.monotonic()
        ready = requests.get(f"{one.address}/health/ready", timeout=30)
        assert time.monotonic() - begun < 5
        assert (ready.status_code, ready.json()["conversations"], ready.json()["locks"]) == (200, False, False)
        assert ready.json()["status"] == "degraded"
        assert ready.json()["facts"] is ready.json()["model"] is True
        assert requests.get(f"{one.address}/health/live", timeout=30).status_code == 200
    finally:
        outage.end()
    assert one.ask("what is als", f"{way}-after")["metadata"]["outcome"] == "answered"
    ready = requests.get(f"{one.address}/health/ready", timeout=30)
    assert (ready.status_code, ready.json()["status"]) == (200, "ok")
    assert "zqxmarker" not in one.log.read_text("utf8")


def test_many_at_once_are_all_told_within_ten_seconds(pair: tuple[Assistant, Assistant], redis: Redis) -> None:
    def ask(number: int) -> tuple[str, float]:
        begun = time.monotonic()
        return pair[0].ask("what is als", f"crowd-{number}")["metadata"]["outcome"], time.monotonic() - begun

    redis.freeze()
    try:
        with ThreadPoolExecutor(20) as several:
            found = list(several.map(ask, range(20)))
    finally:
        redis.thaw()
    assert {outcome for outcome, _ in found} == {"error"}
    assert max(seconds for _, seconds in found) < 10
