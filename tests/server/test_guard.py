"""Other sites, packed bodies, slow clients: what every request must be, and what browsers are told."""

from __future__ import annotations

import asyncio
import os
import stat
import time
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from actions.actions import fact_store
from server.guard import headers_for
from tests.server.bare import Agent, running

ASK = "/webhooks/rest/webhook"
SITE = "https://www.example.org"
HELLO = {"sender": "a", "message": "hello"}
VOTE = {"outcome": "answered", "topic": "cure", "helpful": True}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running(tmp_path, WEB_ORIGINS=f"{SITE},http://localhost:8000") as it:
        yield it


# --- other websites ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "", "text/json", "application/json-not"])  # fmt: skip
@pytest.mark.parametrize(("path", "body"), [(ASK, HELLO), ("/feedback", VOTE)])
async def test_what_a_browser_sends_unasked_is_not_taken(
    kind: str, path: str, body: Any, client: httpx.AsyncClient
) -> None:
    content = httpx.Request("POST", "http://x", json=body).content
    answer = await client.post(path, content=content, headers={"Content-Type": kind} if kind else {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "not_json")
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        assert (await client.post(path, content=content, headers={"Content-Type": kind})).status_code == 200


@pytest.mark.parametrize("path", [ASK, "/feedback"])
async def test_pages_of_others_are_refused_and_our_own_are_not(path: str, client: httpx.AsyncClient) -> None:
    body = HELLO if path == ASK else VOTE
    own = str(client.base_url).rstrip("/")
    for origin in ("https://evil.example", "null", "", f"{SITE}.evil.example", "https://example.org", "http://[", "x"):
        answer = await client.post(path, json=body, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign_origin"), origin
        assert "Access-Control-Allow-Origin" not in answer.headers
    for origin in (SITE, "http://localhost:8000", own):
        assert (await client.post(path, json=body, headers={"Origin": origin})).status_code == 200, origin
    # A proxy in front that changes the host: the browser itself says that it is the same site.
    same = {"Origin": "https://chat.example.org", "Sec-Fetch-Site": "same-origin"}
    assert (await client.post(path, json=body, headers=same)).status_code == 200
    assert (await client.post(path, json=body)).status_code == 200  # no page at all


async def test_a_page_of_a_website_of_ours_may_ask_and_read(client: httpx.AsyncClient) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = await client.options(ASK, headers={"Origin": SITE, **asks})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type"
    answer = await client.post(ASK, json=HELLO, headers={"Origin": SITE})
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    refused = await client.options(ASK, headers={"Origin": "https://evil.example", **asks})
    assert not [name for name in refused.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/chat/", "/chat/index.html", "/chat/frame.html", "/chat/ms-als-chat.js",
                                  "/chat/drawings/nerve-ms.svg", "/health/live", "/nowhere", "/version"])  # fmt: skip
async def test_browsers_are_told_the_same_without_nginx(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(path)
    for name, value in headers_for(path).items():
        assert answer.headers.get_list(name) == [value], name
    assert ("X-Frame-Options" in answer.headers) != (path == "/chat/frame.html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not [name for name in answer.headers if "credentials" in name]


# --- bodies and time -----------------------------------------------------------------------------------------


async def test_a_packed_body_is_refused(client: httpx.AsyncClient) -> None:
    bomb = zlib.compress(b"0" * 1_000_000)
    for coding in ("deflate", "gzip", "br", "identity"):
        answer = await client.post(ASK, content=bomb, headers={"Content-Encoding": coding})
        assert answer.status_code == 415


@pytest.mark.parametrize("part", [b"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nX: ",
                                  b"POST /webhooks/rest/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"],
                         ids=["head", "body"])  # fmt: skip
async def test_a_client_that_sends_a_letter_now_and_then_is_given_up_too(
    part: bytes, client: httpx.AsyncClient
) -> None:
    client.app.config.REQUEST_SECONDS = 1.5  # type: ignore[attr-defined]
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    begun = time.monotonic()
    writer.write(part)
    reading = asyncio.create_task(reader.read())
    while not reading.done() and time.monotonic() - begun < 10:
        writer.write(b"a")
        await asyncio.wait({reading}, timeout=0.2)
    assert reading.done()
    assert time.monotonic() - begun < 6
    writer.close()


async def test_a_connection_that_is_used_again_and_again_is_not_given_up(client: httpx.AsyncClient) -> None:
    client.app.config.REQUEST_SECONDS = 1.0  # type: ignore[attr-defined]
    for _ in range(8):
        assert (await client.post(ASK, json=HELLO)).status_code == 200
        await asyncio.sleep(0.3)


# --- files -------------------------------------------------------------------------------------------------------


async def test_nobody_else_on_the_machine_reads_the_files(tmp_path: Path) -> None:
    old = tmp_path / "feedback.sqlite"
    old.touch(0o644)  # of version 0.1.0
    async with running(tmp_path, QUESTION_LOG="rows") as client:
        await client.post(ASK, json=HELLO)
        await client.post("/feedback", json=VOTE)
        await asyncio.sleep(0.5)
        files = [file for file in tmp_path.iterdir() if ".sqlite" in file.name]
        assert len(files) >= 2
        assert {stat.S_IMODE(os.stat(file).st_mode) for file in files} == {0o600}


# --- health ------------------------------------------------------------------------------------------------------


async def test_without_what_is_shared_it_is_degraded_and_still_hears_a_cry_for_help(
    tmp_path: Path, facts_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACTS_FILE", str(facts_file))
    fact_store.cache_clear()

    def fails(_: Any) -> Any:
        raise OSError("store")

    async with running(tmp_path, Agent(fails)) as client:
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")

        async def away() -> None:
            raise OSError

        client.app.ctx.checks["conversations"] = away  # type: ignore[attr-defined]
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["conversations"] is False
        answer = (await client.post(ASK, json={**HELLO, "message": "I want to die"})).json()
        assert answer[0]["metadata"]["outcome"] == "crisis"
        client.app.ctx.checks["facts"] = away  # type: ignore[attr-defined]
        ready = await client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")


# --- what only asks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/chat", "/chat/", "/chat/index.html", "/health/live", "/health/ready",
                                  "/version", "/metrics", "/webhooks/rest/"])  # fmt: skip
async def test_head_is_answered_as_get_is_without_the_body(path: str, client: httpx.AsyncClient) -> None:
    whole, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    for name in ("content-type", "location", "cache-control", "content-security-policy"):
        assert head.headers.get(name) == whole.headers.get(name)
