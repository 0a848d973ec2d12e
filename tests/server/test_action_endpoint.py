"""Actions in this process or behind an address: a failure is an apology, never silence."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from server import action_endpoint
from server.action_endpoint import InProcessActions, RemoteActions, apology_response

CALL = {
    "next_action": "action_answer",
    "sender_id": "zqxmarker",
    "domain": {},
    "tracker": {
        "sender_id": "zqxmarker",
        "slots": {},
        "latest_message": {"text": "zqxmarker", "says_something": False},
        "events": [],
    },
}


def is_apology(result: Any) -> bool:
    (response,) = result["responses"]
    return bool(
        response["response"] == "utter_reply"
        and response["metadata"]["outcome"] == "error"
        and "sorry" in response["metadata"]["answer"]
        and result["events"] == []
    )


def test_the_apology_is_what_an_action_server_could_have_sent() -> None:
    import jsonschema
    from rasa.core.actions.action import RemoteAction

    jsonschema.validate(apology_response(), RemoteAction.action_response_format_spec())
    assert is_apology(apology_response())


async def test_actions_in_this_process_answer(facts_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from actions import actions

    monkeypatch.setenv("FACTS_FILE", str(facts_file))
    actions.fact_store.cache_clear()
    result = await InProcessActions().request(json=CALL)
    actions.fact_store.cache_clear()
    assert result["responses"][0]["metadata"]["outcome"] == "clarify"


async def test_an_action_that_fails_is_apologised_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = InProcessActions()

    async def fail(call: Any) -> None:
        raise RuntimeError(str(call))

    monkeypatch.setattr(endpoint._executor, "run", fail)
    assert is_apology(await endpoint.request(json=CALL))
    assert "RuntimeError" in caplog.text
    assert "zqxmarker" not in caplog.text


async def test_an_action_that_is_unknown_is_apologised_for() -> None:
    assert is_apology(await InProcessActions().request(json={**CALL, "next_action": "action_nobody_wrote"}))


async def test_an_action_that_hangs_is_apologised_for(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = InProcessActions()
    monkeypatch.setattr(action_endpoint, "TIMEOUT_SECONDS", 0.2)
    monkeypatch.setattr(endpoint._executor, "run", lambda call: asyncio.sleep(30))
    assert is_apology(await asyncio.wait_for(endpoint.request(json=CALL), 5))


async def test_an_action_server_that_is_not_there_is_apologised_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/webhook"
        start = time.monotonic()
        assert is_apology(await RemoteActions(url=address).request(method="post", json=CALL))
    assert time.monotonic() - start < 10


async def test_an_action_server_that_never_answers_is_apologised_for_within_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert action_endpoint.TIMEOUT_SECONDS < 10
    monkeypatch.setattr(action_endpoint, "TIMEOUT_SECONDS", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        endpoint = RemoteActions(url=f"http://127.0.0.1:{silent.getsockname()[1]}/webhook")
        assert is_apology(await asyncio.wait_for(endpoint.request(method="post", json=CALL), 5))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
        b"nonsense",
    ],
)
async def test_an_action_server_that_answers_nonsense_is_apologised_for(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert is_apology(await RemoteActions(url=f"http://127.0.0.1:{port}/webhook").request(method="post", json=CALL))
