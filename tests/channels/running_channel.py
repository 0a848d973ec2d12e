"""A channel as it runs in Rasa: its blueprint on a Sanic server on loopback."""

from __future__ import annotations

import asyncio
import socket
import uuid
from contextlib import asynccontextmanager

import httpx
from sanic import Sanic


class Assistant:
    """Stands where Rasa stands: takes messages, answers through their output channel."""

    def __init__(self, reply=None):
        self.reply = reply
        self.messages = []

    @property
    def texts(self):
        return [m.text for m in self.messages]

    async def __call__(self, message):
        self.messages.append(message)
        reply = self.reply(message) if callable(self.reply) else self.reply
        if isinstance(reply, Exception):
            raise reply
        if reply is not None:
            await message.output_channel.send_response(message.sender_id, dict(reply))


@asynccontextmanager
async def serving(channel, assistant):
    """A client for the channel's blueprint on a running Sanic server."""
    Sanic.test_mode = True  # more than one server in a process
    app = Sanic(f"test_{uuid.uuid4().hex}", configure_logging=False)
    app.blueprint(channel.blueprint(assistant), url_prefix=f"/webhooks/{channel.url_prefix()}")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        server = await app.create_server(sock=sock, return_asyncio_server=True, access_log=False)
        await server.startup()
        await server.before_start()
        await server.start_serving()
        await server.after_start()
        base = f"http://127.0.0.1:{sock.getsockname()[1]}/webhooks/{channel.url_prefix()}"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=10) as client:
            yield client
        await server.before_stop()
        server.close()
        await server.wait_closed()
        await server.after_stop()


async def until(condition, seconds=15.0):
    """Waits for what happens in the background; fails when it does not."""
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def begun_before(channel, seconds=0.5):
    """Waits a little for the turns under way: two conversations are read side by side, and either may end first."""
    for _ in range(int(seconds / 0.01)):
        if not channel or not channel._tasks:
            return
        await asyncio.sleep(0.01)
