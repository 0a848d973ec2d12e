"""The same chat in Debian's Firefox, driven over WebDriver BiDi: Playwright only drives a Firefox of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import websockets

from tests.conftest import free_port

FIREFOX = shutil.which("firefox-esr")
pytestmark = pytest.mark.skipif(not FIREFOX, reason="firefox-esr is not installed (apt install firefox-esr)")

ROOT = "document.querySelector('ms-als-chat').shadowRoot"
WIDGET = "document.querySelector('ms-als-chat')?.shadowRoot"
OPENED = (
    "(() => { const chat = document.querySelector('ms-als-chat');"
    " if (!chat.hasAttribute('open')) chat.shadowRoot.querySelector('.launcher').click(); })()"
)
COVERS = f"{WIDGET}?.querySelector('dialog')?.matches(':modal') ?? false"
#: Waits for something in the page, then returns it.
TALK = """async (messages) => {
  const root = ROOT;
  const until = async (found) => {
    for (let i = 0; i < 200 && !found(); i++) await new Promise((wait) => setTimeout(wait, 50));
    if (!found()) throw new Error(`never: ${found}`);
  };
  for (const [count, message] of messages.entries()) {
    const box = root.querySelector('textarea');
    box.value = message;
    box.dispatchEvent(new Event('input'));
    root.querySelector('form').requestSubmit();
    await until(() => root.querySelectorAll('article:not(.me)').length > count);
  }
  await until(() => root.querySelector('figure svg') && root.querySelector('.rate'));
  const { width, position } = getComputedStyle(root.querySelector('.panel'));
  return JSON.stringify({
    articles: root.querySelectorAll('article').length,
    cells: root.querySelectorAll('td').length,
    sources: root.querySelector('summary').textContent,
    stored: JSON.parse(localStorage['ms-als-chat ']).log.length,
    width, position,
  });
}""".replace("ROOT", ROOT)


class Firefox:
    """One page of one Firefox, by commands of WebDriver BiDi."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._ids, self._page = socket, itertools.count(1), ""

    async def do(self, method: str, **params: Any) -> Dict[str, Any]:
        number = next(self._ids)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(await self._socket.recv())
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return dict(answer["result"])

    async def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        if not self._page:
            await self.do("session.new", capabilities={})
            self._page = (await self.do("browsingContext.getTree"))["contexts"][0]["context"]
        size = {"width": width, "height": height}
        await self.do("browsingContext.setViewport", context=self._page, viewport=size)
        await self.do("browsingContext.navigate", context=self._page, url=url, wait="complete")

    async def run(self, script: str) -> Any:
        target = {"context": self._page}
        # What is asked for may not be there yet: Firefox gets to viewports and modules a little later.
        for _ in range(50):
            answer = await self.do("script.evaluate", expression=script, target=target, awaitPromise=True)
            if answer["type"] == "success":
                break
            await asyncio.sleep(0.1)
        assert answer["type"] == "success", answer
        return answer["result"].get("value")


@pytest.fixture
def in_firefox(tmp_path: Path) -> Any:
    """Runs a scene in a Firefox of its own, which is ended by its process."""

    async def play(scene: Callable[[Firefox], Any]) -> None:
        port = free_port()
        options = ["--headless", "--no-remote", "--profile", str(tmp_path), "--remote-debugging-port", str(port)]
        environment = {**os.environ, "HOME": str(tmp_path), "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([str(FIREFOX), *options, "about:blank"], env=environment, **quiet)
        try:
            for _ in range(120):
                try:
                    socket = await websockets.connect(f"ws://127.0.0.1:{port}/session", max_size=None)
                    break
                except OSError:
                    await asyncio.sleep(0.5)
            await scene(Firefox(socket))
            await socket.close()
        finally:
            process.terminate()
            process.wait(20)

    return lambda scene: asyncio.run(asyncio.wait_for(play(scene), 120))


def test_a_conversation_in_firefox(assistant: Any, in_firefox: Any) -> None:
    async def scene(firefox: Firefox) -> None:
        await firefox.open(f"{assistant.url}/embed.html")
        await firefox.run(f"{ROOT}.querySelector('.launcher').click()")
        assert await firefox.run(f"{ROOT}.querySelector('dialog').matches(':popover-open')")
        seen = json.loads(await firefox.run(f"({TALK})(['compare', 'What is MS?'])"))
        assert seen == {
            "articles": 4,
            "cells": 6,
            "sources": "2 sources · facts as of Nov 2026",
            "stored": 4,
            "width": "424px",
            "position": "fixed",
        }
        # On a small screen it covers the page, and Back closes it.
        await firefox.open(f"{assistant.url}/embed.html", width=360, height=640)
        for _ in range(25):
            await firefox.run(OPENED)
            await asyncio.sleep(0.2)
            if await firefox.run(COVERS):
                break
        assert await firefox.run(f"{ROOT}.querySelector('dialog').matches(':modal')")
        for _ in range(50):
            if await firefox.run("Boolean(history.state?.['ms-als-chat'])"):
                break
            await asyncio.sleep(0.1)
        await firefox.run("history.back()")
        for _ in range(50):
            if not await firefox.run(f"{ROOT}.querySelector('dialog').open"):
                break
            await asyncio.sleep(0.1)
        assert not await firefox.run("document.querySelector('ms-als-chat').hasAttribute('open')")
        # As a page of its own.
        await firefox.open(f"{assistant.url}/index.html")
        kept = json.loads(await firefox.run(f"({TALK})(['plain', 'plain', 'compare'])"))
        assert kept["articles"] == 10

    in_firefox(scene)
    assert len({message["sender"] for message in assistant.messages}) == 1
