"""The whole application as `create_app` makes it, without a trained model: an agent of ours stands in for Rasa's."""

from __future__ import annotations

import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import rasa.core.run
from sanic import Sanic

from server import app as server_app
from server.guard import TimedProtocol
from server.settings import Settings
from tests.channels.outcomes import reply

HELLO = reply("smalltalk", "Hello.")


class Agent:
    """Answers every message alike, or as `answer` does."""

    def __init__(self, answer: Callable[[Any], Any] | None = None) -> None:
        self.texts: list[str] = []
        self._answer = answer

        async def nothing(*args: Any, **kwargs: Any) -> Any:
            return {}

        self.processor = SimpleNamespace(
            model_filename="stand-in.tar.gz", parse_message=nothing, predict_next_with_tracker_if_should=nothing
        )
        self.action_endpoint = SimpleNamespace(request=nothing)
        self.nlg = SimpleNamespace(generate=nothing)

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: Any) -> None:
        self.texts.append(message.text)
        said = self._answer(message) if self._answer else HELLO
        await message.output_channel.send_response(message.sender_id, dict(said))


@asynccontextmanager
async def running(folder: Path, agent: Agent | None = None, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client for the application, with its files in a folder."""
    with tarfile.open(folder / "stand-in.tar.gz", "w:gz"):
        pass
    settings = Settings.from_environment(
        {
            "CONVERSATIONS_URL": f"sqlite:///{folder}/conversations.sqlite",
            "FEEDBACK_URL": f"sqlite:///{folder}/feedback.sqlite",
            "MESSAGES_PER_MINUTE": "0",
            **environment,
        }
    )

    async def load(model: str, endpoints: Any, remote: Any, app: Sanic, loop: Any) -> Sanic:
        app.ctx.agent = agent or Agent()
        return app

    before, rasa.core.run.load_agent_on_start = rasa.core.run.load_agent_on_start, load
    Sanic.test_mode = True  # more than one in a process
    try:
        app = server_app.create_app(settings, folder / "stand-in.tar.gz")
    finally:
        rasa.core.run.load_agent_on_start = before
    server = await app.create_server(
        host="127.0.0.1", port=0, return_asyncio_server=True, access_log=False, protocol=TimedProtocol
    )
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    host, port = server.server.sockets[0].getsockname()
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False, timeout=20) as client:
        client.app = app  # type: ignore[attr-defined]
        yield client
    await server.before_stop()
    server.close()
    await server.wait_closed()
