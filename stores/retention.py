"""Deletes what is over time, also when nobody writes: at the start, and then every few minutes."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Awaitable, Callable

from sanic import Sanic

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 600.0

Sweep = Callable[[], Awaitable[Any]]


def keep(app: Sanic, *sweeps: Sweep, seconds: float = SWEEP_SECONDS) -> None:
    """Sweep for as long as the server runs.

    Args:
        sweeps: each deletes what is over time in one place, and may fail: it is tried again next time.
        seconds: from one round to the next.
    """

    async def begin(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
        app.ctx.sweeping = loop.create_task(_for_ever(sweeps, seconds))

    async def end(app: Sanic, _: asyncio.AbstractEventLoop) -> None:
        app.ctx.sweeping.cancel()

    app.register_listener(begin, "after_server_start")
    app.register_listener(end, "before_server_stop")


async def _for_ever(sweeps: tuple[Sweep, ...], seconds: float) -> None:
    while True:
        for sweep in sweeps:
            try:
                await sweep()
            except Exception as error:  # noqa: BLE001 - the next round tries again
                logger.warning("%s failed (%s).", sweep.__qualname__, type(error).__name__)
        await asyncio.sleep(seconds)
