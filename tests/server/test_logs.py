"""No library can put a person's words into the log, whatever it does with them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = """
import logging, os, sys, threading, warnings
import structlog
from server import logs

early = logging.getLogger("rasa.early")
early.addHandler(logging.StreamHandler())
ours = logging.getLogger("channels.rest")
CODE = os.path.join(os.getcwd(), "channels", "rest.py")
logs.configure()

for name in ("rasa.core.processor", "sanic.error", "sanic.root", "asyncio", "sqlalchemy.engine", "rasa.early", "late"):
    logger = logging.getLogger(name)
    logger.warning("could not parse %s", "zqxmarker")
    logger.error("zqxmarker")
    try:
        raise ValueError("zqxmarker")
    except ValueError:
        logger.exception("failed")
structlog.get_logger("rasa").warning("zqxmarker", text="zqxmarker", message={"text": "zqxmarker"})
structlog.get_logger().error("event", error=ValueError("zqxmarker"))
warnings.warn("zqxmarker", UserWarning)
logging.getLogger("rasa").info("zqxmarker")
ours.error("zqxmarker, from a library that was handed a logger of ours")
exec(compile('ours.error("Our own sentence (%s).", "ValueError"); ours.info("Our own notice.")', CODE, "exec"))


class Leaky:
    def __del__(self):
        raise ValueError("zqxmarker")


def fail():
    raise ValueError("zqxmarker")


thread = threading.Thread(target=fail)
thread.start()
thread.join()
Leaky()
"""


@pytest.fixture(scope="module")
def written() -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout + done.stderr


def test_what_a_library_logs_is_written_without_its_text(written: str) -> None:
    assert "zqxmarker" not in written


def test_it_is_told_where_and_with_which_error_something_was_logged(written: str) -> None:
    lines = [json.loads(line) for line in written.splitlines()]
    assert {"rasa.core.processor", "sanic.error", "rasa.early", "late"} <= {line["logger"] for line in lines}
    assert {line["level"] for line in lines} >= {"warning", "error", "info"}
    assert [line for line in lines if line.get("error") == "ValueError"]
    assert [line for line in lines if line["logger"] == "sanic.error" and not line["at"].endswith("0")]


def test_our_own_sentences_are_written_out(written: str) -> None:
    messages = [json.loads(line).get("message") for line in written.splitlines()]
    assert [message for message in messages if message][:2] == ["Our own sentence (ValueError).", "Our own notice."]


def test_what_fails_where_nobody_can_catch_it_is_told_by_its_type(written: str) -> None:
    messages = [json.loads(line).get("message") for line in written.splitlines()]
    assert messages[-2:] == ["A thread ended (ValueError).", "Something could not be raised (ValueError)."]
