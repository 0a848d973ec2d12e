"""What is over time is deleted by the running assistant itself, also when nobody writes."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sanic import Sanic

from stores import retention, votes
from stores.conversations import ConversationStore
from stores.database import SECONDS_A_DAY
from stores.votes import KEPT_DAYS, VoteStore
from tests.conftest import Assistant
from tests.server.talks import load_domain, said


def held(folder: Path) -> dict[str, int]:
    """How often the marker stands in each file of a folder."""
    found = {path.name: path.read_bytes().count(b"zqxmarker") for path in folder.iterdir() if path.is_file()}
    return {name: count for name, count in found.items() if count}


async def until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen")


@asynccontextmanager
async def sweeping(*sweeps: retention.Sweep, seconds: float = 0.05) -> AsyncIterator[None]:
    """A server that does nothing else, as Sanic starts and stops it."""
    Sanic.test_mode = True  # more than one server in a process
    app = Sanic(f"sweeping_{time.monotonic_ns()}", configure_logging=False)
    retention.keep(app, *sweeps, seconds=seconds)
    app.add_route(lambda request: None, "/")
    server = await app.create_server(host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False)
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    yield
    await server.before_stop()
    server.close()
    await server.wait_closed()


async def test_a_conversation_goes_in_its_time_and_leaves_no_byte(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/conversations.sqlite"
    store = ConversationStore(load_domain(), host=url, retention_days=0.5 / SECONDS_A_DAY)
    await said(store, "rest:zqxmarker", "one", "two")
    assert held(tmp_path)
    async with sweeping(store.sweep):
        await until(lambda: held(tmp_path) == {})
    assert list(await store.keys()) == []


async def test_votes_go_in_their_time_and_leave_no_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = VoteStore(f"sqlite:///{tmp_path}/feedback.sqlite"), time.time()
    await store.add("answered", "cure", False, "young")
    monkeypatch.setattr(time, "time", lambda: now - (KEPT_DAYS + 1) * 86_400)
    await store.add("answered", "cure", False, "zqxmarker")
    monkeypatch.setattr(time, "time", lambda: now)
    assert held(tmp_path)
    async with sweeping(store.sweep):
        await until(lambda: held(tmp_path) == {})
    assert b"young" in (tmp_path / "feedback.sqlite").read_bytes()


async def test_one_that_fails_is_tried_again_and_keeps_no_other_back(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[str] = []

    async def fails() -> None:
        tries.append("fails")
        raise RuntimeError("zqxmarker")

    async def works() -> None:
        tries.append("works")

    async with sweeping(fails, works):
        await until(lambda: tries.count("works") >= 3)
    assert tries.count("fails") >= 3
    assert "RuntimeError" in caplog.text
    assert "zqxmarker" not in caplog.text
    ended = len(tries)
    await asyncio.sleep(0.2)
    assert len(tries) == ended  # it stops with the server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files as an assistant left them that has not run for half a year."""
    ConversationStore(None, host=f"sqlite:///{tmp_path}/conversations.sqlite")
    VoteStore(f"sqlite:///{tmp_path}/feedback.sqlite")
    with sqlite3.connect(tmp_path / "conversations.sqlite") as connection:
        connection.execute(
            "insert into conversations values ('rest:old', ?, '[\"zqxmarker\"]')", [time.time() - 180 * 86_400]
        )
    with sqlite3.connect(tmp_path / "feedback.sqlite") as connection:
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 180 * 86_400))
        connection.execute("insert into feedback (day, helpful, reason) values (?, 1, 'zqxmarker')", [day])
    return tmp_path


async def test_an_assistant_that_nobody_writes_to_deletes_what_is_over_time(
    folder: Path, start_assistant: Callable[..., Assistant]
) -> None:
    # Or in what SQLite wrote ahead of it.
    assert {name.partition("-")[0] for name in held(folder)} == {"conversations.sqlite", "feedback.sqlite"}
    start_assistant(
        CONVERSATIONS_URL=f"sqlite:///{folder}/conversations.sqlite",
        FEEDBACK_URL=f"sqlite:///{folder}/feedback.sqlite",
    )
    await until(lambda: held(folder) == {})


def test_it_looks_every_few_minutes() -> None:
    assert retention.SWEEP_SECONDS <= 900
    assert votes.KEPT_DAYS == 90
