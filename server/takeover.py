"""A newly trained model takes over from the running one, without a turn lost and without a restart.

New facts need nothing of the kind: the store is asked for its version (`facts.store`). A new model is
loaded beside the old one in a thread; turns under way end with the old one, the next begins with the new.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Callable, Optional, Tuple

from rasa.core.agent import Agent
from rasa.core.processor import MessageProcessor
from sanic import Sanic

from server.settings import SettingError

logger = logging.getLogger(__name__)

#: How often a newer model is looked for, in seconds.
LOOK_SECONDS = 5.0

Stamp = Tuple[str, int, int]


class Takeover:
    """Watches for another model than the one that runs.

    Args:
        find: the model that should run.
        check: raises `SettingError` for a model that cannot be read to its end.
        running: the model loaded at the start.
        taken: called with the agent once another model answers.
    """

    def __init__(
        self,
        find: Callable[[], Path],
        check: Callable[[Path], None],
        running: Path,
        taken: Callable[[Agent], None] = lambda agent: None,
    ) -> None:
        self._find, self._check, self._taken = find, check, taken
        self._running = self._seen = _stamp(running)

    async def look(self, agent: Agent) -> bool:
        """Load another model if there is one; True when it has taken over.

        A file that is still being written is left until it has not changed for a round, and one that
        cannot be used until it changes; the model that runs goes on running.
        """
        try:
            path = self._find()
        except SettingError:
            return False
        stamp = _stamp(path)
        if stamp is None or stamp == self._running:
            return False
        if stamp != self._seen:
            self._seen = stamp
            return False
        self._running = stamp
        try:
            await asyncio.to_thread(self._check, path)
            processor = await asyncio.to_thread(_processor, agent, path)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old one goes on
            logger.error("The model %s cannot be used (%s); the one before goes on.", path.name, type(error).__name__)
            return False
        agent.processor = processor
        agent.domain = agent.tracker_store.domain = processor.domain
        self._taken(agent)
        logger.info("The model %s has taken over.", path.name)
        return True

    def keep_looking(self, app: Sanic, seconds: float = LOOK_SECONDS) -> None:
        """Look for as long as the server runs."""

        async def begin(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
            app.ctx.taking_over = loop.create_task(self._for_ever(app.ctx.agent, seconds))

        async def end(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
            app.ctx.taking_over.cancel()

        app.register_listener(begin, "after_server_start")
        app.register_listener(end, "before_server_stop")

    async def _for_ever(self, agent: Agent, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.look(agent)
            except OSError as error:
                logger.error("No newer model could be looked for (%s).", type(error).__name__)


def _processor(agent: Agent, path: Path) -> MessageProcessor:
    return MessageProcessor(
        model_path=path,
        tracker_store=agent.tracker_store,
        lock_store=agent.lock_store,
        action_endpoint=agent.action_endpoint,
        generator=agent.nlg,
        http_interpreter=agent.http_interpreter,
    )


def _stamp(path: Path) -> Optional[Stamp]:
    """What changes when another model stands there; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (str(path), found.st_size, found.st_mtime_ns)
