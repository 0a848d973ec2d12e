"""Votes on replies over HTTP: what is stored of them, and what is not."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager

import httpx
import pytest
import sqlalchemy as sa
from sanic import Sanic

from channels.pace import Pace
from server import votes
from stores import votes as store_of_votes
from stores.votes import KEPT_DAYS, MAX_REASON, VoteStore

VOTE = {"outcome": "answered", "topic": "diagnosis", "helpful": False}


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/feedback.sqlite"


def rows(url):
    with sa.create_engine(url).connect() as connection:
        return [dict(row) for row in connection.execute(sa.text("select * from feedback order by id")).mappings()]


@asynccontextmanager
async def serving(url, pace=None):
    """A client for the route over a store."""
    Sanic.test_mode = True  # more than one server in a process
    app = Sanic(f"feedback_{time.monotonic_ns()}", configure_logging=False)
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.blueprint(votes.blueprint(VoteStore(url), pace))
    server = await app.create_server(host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.start_serving()
    host, port = server.server.sockets[0].getsockname()
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False, timeout=10) as client:
        yield client
    server.close()
    await server.wait_closed()


@pytest.mark.asyncio
async def test_a_vote_is_kept_with_its_day_and_nothing_about_who_gave_it(url):
    async with serving(url) as client:
        answer = await client.post("/feedback", json={**VOTE, "sender": "zqxmarker", "question": "zqxmarker?"})
        assert (answer.status_code, answer.json()) == (200, {"status": "thank you"})
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert rows(url) == [{"id": 1, "day": today, **VOTE, "helpful": 0, "reason": None, "vote": None}]
    path = url.removeprefix("sqlite:///")
    with open(path, "rb") as file:
        assert b"zqxmarker" not in file.read()


@pytest.mark.asyncio
async def test_a_vote_and_the_same_vote_with_its_reason_are_one_row(url):
    async with serving(url) as client:
        for more in ({"vote": "v-1"}, {"vote": "v-2"}, {"vote": "v-1", "reason": " too long \n"}):
            assert (await client.post("/feedback", json={**VOTE, **more})).status_code == 200
    assert [(row["vote"], row["reason"]) for row in rows(url)] == [("v-2", None), ("v-1", "too long")]


@pytest.mark.asyncio
async def test_votes_without_an_id_are_a_row_each(url):
    async with serving(url) as client:
        for _ in range(2):
            await client.post("/feedback", json={**VOTE, "reason": "x" * MAX_REASON})
    assert [row["reason"] for row in rows(url)] == ["x" * MAX_REASON] * 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_helpful"),
        (b"{", "not_json"),
        (b"\xff", "not_json"),
        (b"[" * 10_000, "not_json"),
        (b"null", "bad_helpful"),
        (b"[]", "bad_helpful"),
        ({}, "bad_helpful"),
        ({**VOTE, "helpful": 1}, "bad_helpful"),
        ({**VOTE, "helpful": "true"}, "bad_helpful"),
        ({**VOTE, "outcome": 3}, "bad_outcome"),
        ({**VOTE, "outcome": "x" * 33}, "bad_outcome"),
        ({**VOTE, "outcome": "my mother has als"}, "bad_outcome"),
        ({**VOTE, "topic": ["ms"]}, "bad_topic"),
        ({**VOTE, "topic": "<script>"}, "bad_topic"),
        ({**VOTE, "topic": "my_mother"}, "bad_topic"),
        ({**VOTE, "outcome": "my_mother"}, "bad_outcome"),
        ({**VOTE, "outcome": {}}, "bad_outcome"),
        ({**VOTE, "reason": "x" * (MAX_REASON + 1)}, "bad_reason"),
        ({**VOTE, "reason": {"a": 1}}, "bad_reason"),
        ({**VOTE, "vote": "x" * 65}, "bad_vote"),
        ({**VOTE, "vote": 7}, "bad_vote"),
    ],
    ids=str,
)
async def test_a_bad_body_is_answered_400_in_json_and_not_stored(body, code, url):
    async with serving(url) as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await client.post("/feedback", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert set(answer.json()["error"]) == {"code", "message"}
        assert answer.json()["error"]["code"] == code
        assert (await client.get("/feedback")).status_code == 405
    assert rows(url) == []


@pytest.mark.asyncio
async def test_characters_that_no_database_takes_are_left_out(url):
    async with serving(url) as client:
        body = json.dumps({**VOTE, "reason": "a\x00b \ud83d c"})
        headers = {"Content-Type": "application/json"}
        assert (await client.post("/feedback", content=body, headers=headers)).status_code == 200
    assert [row["reason"] for row in rows(url)] == ["ab ? c"]


@pytest.mark.asyncio
async def test_a_store_that_fails_is_said_in_json(url, monkeypatch):
    async def fail(*_):
        raise sa.exc.OperationalError("insert", {}, Exception("zqxmarker"))

    monkeypatch.setattr(VoteStore, "add", fail)
    async with serving(url) as client:
        answer = await client.post("/feedback", json=VOTE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "zqxmarker" not in answer.text


async def test_a_store_of_version_0_1_0_gets_its_index_and_a_vote_is_found_by_it(url):
    with sa.create_engine(url).begin() as connection:
        connection.execute(
            sa.text(
                "create table feedback (id integer primary key, day varchar(10) not null, outcome varchar(32), "
                "topic varchar(64), helpful boolean not null, reason varchar(500), vote varchar(64))"
            )
        )
    for reason in (None, "good"):
        await VoteStore(url).add("answered", "cure", True, reason, "v-1")
    assert [(row["vote"], row["reason"]) for row in rows(url)] == [("v-1", "good")]
    with sa.create_engine(url).connect() as connection:
        (plan,) = connection.execute(sa.text("explain query plan delete from feedback where vote = 'x'")).fetchall()
    assert "ix_feedback_vote" in str(plan)


async def test_votes_from_one_address_have_a_pace(url):
    async with serving(url, Pace(2)) as client:

        def vote(address):
            return client.post("/feedback", json=VOTE, headers={"X-Forwarded-For": address})

        assert [(await vote("203.0.113.1")).status_code for _ in range(3)] == [200, 200, 429]
        refused = await vote("203.0.113.1")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert (await vote("6.6.6.6, 203.0.113.1")).status_code == 429  # what the proxy wrote counts
        assert (await vote("203.0.113.2")).status_code == 200


async def test_a_day_has_so_many_votes_and_no_more(url, monkeypatch):
    monkeypatch.setattr(store_of_votes, "MOST_A_DAY", 2)
    async with serving(url) as client:
        assert [(await client.post("/feedback", json=VOTE)).status_code for _ in range(3)] == [200, 200, 503]
    assert len(rows(url)) == 2


async def test_votes_are_deleted_after_their_time(url, monkeypatch):
    now = time.time()
    store = VoteStore(url)
    for days, reason in ((KEPT_DAYS + 1, "old"), (KEPT_DAYS - 1, "young"), (0, "new")):
        monkeypatch.setattr(time, "time", lambda days=days: now - days * 86_400)
        await store.add(None, None, True, reason)
    monkeypatch.setattr(time, "time", lambda: now)
    await store.sweep()
    assert [row["reason"] for row in rows(url)] == ["young", "new"]
