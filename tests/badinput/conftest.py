"""The assistant as an operator runs it with every channel on; Slack's and Telegram's services are stand-ins."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.channels.slack_api import TOKEN as SLACK_TOKEN
from tests.channels.slack_api import SlackApi
from tests.channels.telegram_api import TOKEN as TELEGRAM_TOKEN
from tests.channels.telegram_api import TelegramApi
from tests.conftest import Assistant

SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TELEGRAM_SECRET = "a-secret-of-our-own_1"


@contextmanager
def _in_a_thread(api: Any) -> Iterator[Any]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(api.__aenter__(), loop).result(10)
    yield api
    asyncio.run_coroutine_threadsafe(api.__aexit__(None, None, None), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


@pytest.fixture(scope="session")
def slack_api() -> Iterator[SlackApi]:
    with _in_a_thread(SlackApi()) as api:
        yield api


@pytest.fixture(scope="session")
def telegram_api() -> Iterator[TelegramApi]:
    with _in_a_thread(TelegramApi()) as api:
        yield api


@pytest.fixture(scope="session")
def assistant(
    start_assistant: Callable[..., Assistant],
    slack_api: SlackApi,
    telegram_api: TelegramApi,
    tmp_path_factory: pytest.TempPathFactory,
) -> Assistant:
    """One for all of these tests; it logs as much as it can."""
    return start_assistant(
        LOG_LEVEL="debug",
        FEEDBACK_URL=f"sqlite:///{tmp_path_factory.mktemp('votes')}/feedback.sqlite",
        SLACK_BOT_TOKEN=SLACK_TOKEN,
        SLACK_SIGNING_SECRET=SLACK_SECRET,
        SLACK_API_URL=slack_api.url,
        TELEGRAM_BOT_TOKEN=TELEGRAM_TOKEN,
        TELEGRAM_WEBHOOK_URL="https://bot.example.org/webhooks/telegram/webhook",
        TELEGRAM_WEBHOOK_SECRET=TELEGRAM_SECRET,
        TELEGRAM_API_URL=telegram_api.url,
    )
