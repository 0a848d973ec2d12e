"""No message keeps the one core busy for long, whatever it was made of to do so."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
import structlog
from rasa.core.agent import Agent
from rasa.model import get_latest_model

from channels.slack import escaped, question_in
from channels.words import typed
from tests.badinput.awkward import SLOW, STRINGS
from tests.conftest import ROOT

#: Of processor time, for 2,000 characters: about one on a core of its own.
SECONDS = 1.5


@pytest.fixture(scope="module")
def agent() -> Agent:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    found = Agent.load(get_latest_model(str(ROOT / "models")))
    asyncio.run(found.parse_message("warm up"))
    return found


def test_no_message_takes_long_to_read(agent: Agent) -> None:
    async def read() -> dict[str, float]:
        taken = {}
        for text in STRINGS[SLOW]:
            started = time.thread_time()
            await agent.parse_message(typed(text[:2000]) or "?")
            taken[json.dumps(text)[:60]] = round(time.thread_time() - started, 2)
        return taken

    assert {text: seconds for text, seconds in asyncio.run(read()).items() if seconds > SECONDS} == {}


def test_no_text_takes_a_channel_long_to_take_in_or_hand_out() -> None:
    for text in STRINGS[SLOW]:
        whole = (text * (40_000 // len(text) + 1))[:40_000]  # the longest that Slack sends
        started = time.thread_time()
        question_in(whole)
        typed(whole)
        escaped(whole[:4096])
        assert time.thread_time() - started < SECONDS, text[:60]
