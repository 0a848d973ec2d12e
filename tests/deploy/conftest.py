"""nginx and stand-in assistants, each stopped by the test that started it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.real_nginx import Nginx, StandIn


@pytest.fixture
def stand_in() -> Iterator[Callable[..., StandIn]]:
    """Starts stand-ins for the assistant."""
    started: list[StandIn] = []

    def begin(**arguments: Any) -> StandIn:
        started.append(StandIn(**arguments))
        return started[-1]

    yield begin
    for one in started:
        one.stop()


@pytest.fixture
def start_nginx(tmp_path: Path) -> Iterator[Callable[..., Nginx]]:
    """Starts nginx with the given variables."""
    started: list[Nginx] = []

    def begin(**variables: Any) -> Nginx:
        folder = tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        started.append(Nginx(folder, **variables))
        return started[-1].start()

    yield begin
    for one in started:
        one.stop()


@pytest.fixture
def assistant_behind(stand_in: Callable[..., StandIn], start_nginx: Callable[..., Nginx]) -> tuple[Nginx, StandIn]:
    """nginx with one stand-in behind it."""
    behind = stand_in()
    return start_nginx(NGINX_UPSTREAMS=behind.line), behind
