"""What somebody writes is in no log, whatever happens to it, and in the log of questions only redacted."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from slack_sdk.signature import SignatureVerifier

from tests.conftest import Assistant, free_port, start, stop

#: In every text, name and id that is sent; no word of any list.
MARKER = "zqxmarkerprivate"
SIGNING_SECRET, WEBHOOK_SECRET = "a" * 32, "b" * 32

#: One for each outcome and for what may go wrong with a text.
TEXTS = [
    f"how is ms diagnosed {MARKER}",
    f"something of it {MARKER} hm",
    f"what does {MARKER} cost for ms",
    f"is {MARKER} lupus",
    f"what is the weather in {MARKER}",
    f"I have tingling in my {MARKER}, is it MS?",
    f"i want to die {MARKER}",
    f"he is choking right now {MARKER}",
    f"hello i am {MARKER}",
    f"/{MARKER}",
    f'/{MARKER}{{"condition":["{MARKER}"]}}',
    f"MS [{MARKER}](condition) \u0000 \u202e {MARKER}",
    f"{MARKER} " * 100,
    f"forget me {MARKER}",
]


class _Service(BaseHTTPRequestHandler):
    """Stands for Slack's and Telegram's API: takes everything."""

    calls: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.calls.append(self.path)
        body = json.dumps({"ok": True, "result": True, "ts": "1.1", "user_id": "U0", "bot_id": "B0"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@dataclass
class Written:
    """Everything that two assistants and an action server have written, and what they answered."""

    logs: dict[str, str]
    questions: list[dict[str, Any]]
    question_bytes: bytes
    outcomes: dict[str, list[str]]
    levels: set[str]
    service_calls: list[str]


def rest(address: str, texts: list[str]) -> list[str]:
    """The outcomes of messages, each in a conversation of its own."""
    outcomes = []
    for number, text in enumerate(texts):
        body = {"sender": f"{MARKER}{number}", "message": text}
        (reply,) = requests.post(f"{address}/webhooks/rest/webhook", json=body, timeout=30).json()
        outcomes.append(reply["metadata"]["outcome"])
    return outcomes


def refused(address: str) -> None:
    """What cannot be used."""
    for body in (
        json.dumps({"sender": MARKER, "message": f"{MARKER} \ud83d"}),
        json.dumps({"sender": f"{MARKER} {MARKER}", "message": MARKER}),
        json.dumps({"sender": MARKER, "message": MARKER * 1_000}),
        json.dumps({"sender": MARKER, "message": [MARKER]}),
        json.dumps([MARKER]),
        f'{{"sender": "a", "message": "{MARKER}',
        "[" * 10_000 + MARKER,
        json.dumps({"message": MARKER * 5_000}),
    ):
        headers = {"Content-Type": "application/json"}
        requests.post(f"{address}/webhooks/rest/webhook", data=body, headers=headers, timeout=30)
    requests.get(f"{address}/{MARKER}?{MARKER}", headers={MARKER: MARKER}, timeout=30)
    requests.post(f"{address}/feedback", json={"helpful": MARKER}, timeout=30)
    requests.post(f"{address}/feedback", json={"helpful": False, "reason": MARKER, "outcome": MARKER}, timeout=30)
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as raw:
        raw.sendall(f"POST /{MARKER} NOTHTTP\r\n{MARKER}\r\n\r\n".encode())
        raw.recv(1_000)


def slack(address: str, text: str) -> None:
    event = {
        "type": "message",
        "channel_type": "im",
        "channel": "D1",
        "user": "U1",
        "ts": str(time.time()),
        "text": text,
    }
    body = json.dumps(
        {"type": "event_callback", "team_id": "T1", "event_id": f"E{time.time()}", "event": event,
         "authorizations": [{"team_id": "T1", "user_id": "U0", "is_bot": True}]}
    )  # fmt: skip
    stamp = str(int(time.time()))
    signature = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature, "Content-Type": "application/json"}
    address = f"{address}/webhooks/slack/webhook"
    assert requests.post(address, data=body, headers=headers, timeout=30).status_code == 200
    # Not from Slack.
    assert requests.post(address, data=body, headers={**headers, "X-Slack-Signature": MARKER}).status_code == 401


def telegram(address: str, text: str) -> None:
    person = {"id": 7, "is_bot": False, "first_name": MARKER}
    message = {"message_id": 1, "date": 1, "chat": {"id": 7, "type": "private"}, "from": person, "text": text}
    body = {"update_id": time.time_ns() // 1_000_000, "message": message}
    headers = {"X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET}
    address = f"{address}/webhooks/telegram/webhook"
    assert requests.post(address, json=body, headers=headers, timeout=30).status_code == 200
    # Not from Telegram.
    headers = {"X-Telegram-Bot-Api-Secret-Token": MARKER}
    assert requests.post(address, json=body, headers=headers, timeout=30).status_code == 401


def chat(address: str, service: list[str]) -> None:
    """The same through Slack and Telegram, until both have said something."""
    for text in (TEXTS[0], TEXTS[1], f"/{MARKER}"):
        slack(address, text)
        telegram(address, text)
    for _ in range(300):
        if [c for c in service if "chat.postMessage" in c] and [c for c in service if "sendMessage" in c]:
            break
        time.sleep(0.1)


#: A model whose classifier fails with what was written in its message, as libraries like to do.
FAILING = """
import server.__main__ as launcher
import nlu.question_classifier as classifier
def fails(self, messages):
    raise ValueError(f"cannot classify {messages[0].get('text')}")
classifier.QuestionClassifier.process = fails
launcher.main()
"""


@pytest.fixture(scope="module")
def written(
    start_assistant: Callable[..., Assistant], facts_file: Path, service: str, tmp_path_factory: pytest.TempPathFactory
) -> Written:
    folder = tmp_path_factory.mktemp("private")
    facts = folder / "facts.json"
    conversations = folder / "conversations.sqlite"
    port, actions_log, failing_log = free_port(), folder / "actions.log", folder / "failing.log"
    actions = start(
        ["-m", "server", "actions"],
        f"http://127.0.0.1:{port}/health",
        actions_log,
        PORT=str(port),
        FACTS_FILE=str(facts),
        LOG_LEVEL="debug",
    )
    outcomes: dict[str, list[str]] = {}
    try:
        one = start_assistant(
            ACTION_ENDPOINT=f"http://127.0.0.1:{port}/webhook",
            CONVERSATIONS_URL=f"sqlite:///{conversations}",
            FEEDBACK_URL=f"sqlite:///{folder}/feedback.sqlite",
            QUESTION_LOG="text",
            LOG_LEVEL="debug",
            SLACK_BOT_TOKEN="xoxb-1",
            SLACK_SIGNING_SECRET=SIGNING_SECRET,
            SLACK_API_URL=f"{service}/slack/",
            TELEGRAM_BOT_TOKEN="123:abc",
            TELEGRAM_WEBHOOK_URL="https://example.org/webhooks/telegram/webhook",
            TELEGRAM_WEBHOOK_SECRET=WEBHOOK_SECRET,
            TELEGRAM_API_URL=f"{service}/telegram",
        )
        # Facts that were read once are served without their file.
        outcomes["without facts"] = rest(one.address, TEXTS[:3])
        facts.write_bytes(facts_file.read_bytes())
        outcomes["well"] = rest(one.address, TEXTS)
        refused(one.address)
        chat(one.address, _Service.calls)
        stop(actions)
        outcomes["without action server"] = rest(one.address, TEXTS[:3])
        with sqlite3.connect(conversations) as connection:
            # The error that follows names the statement and its values: the whole conversation.
            connection.execute("DROP TABLE conversations")
        outcomes["without conversations"] = rest(one.address, TEXTS[:3])
        chat(one.address, [])
        time.sleep(1)
        stop(one.process)
    finally:
        stop(actions)
    port = free_port()
    failing = start(
        ["-c", FAILING],
        f"http://127.0.0.1:{port}/health/ready",
        failing_log,
        PORT=str(port),
        FACTS_FILE=str(facts_file),
        CONVERSATIONS_URL=f"sqlite:///{folder}/more.sqlite",
        FEEDBACK_URL=f"sqlite:///{folder}/feedback.sqlite",
    )
    try:
        outcomes["without understanding"] = rest(f"http://127.0.0.1:{port}", TEXTS[:3])
    finally:
        stop(failing)
    logs = {
        name: path.read_text("utf8")
        for name, path in (("assistant", one.log), ("actions", actions_log), ("failing", failing_log))
    }
    lines = [json.loads(line) for log in logs.values() for line in log.splitlines() if line.startswith("{")]
    files = [path for path in folder.iterdir() if path.name.startswith("feedback.sqlite")]
    with sqlite3.connect(folder / "feedback.sqlite") as connection:
        connection.row_factory = sqlite3.Row
        questions = [dict(row) for row in connection.execute("SELECT * FROM question_log")]
    return Written(
        logs,
        questions,
        b"".join(path.read_bytes() for path in files),
        outcomes,
        {line["level"] for line in lines},
        list(_Service.calls),
    )


def test_every_path_was_gone(written: Written) -> None:
    """Else it is easy to leave no trace."""
    assert set(written.outcomes["well"]) >= {
        "answered", "clarify", "other_condition", "out_of_scope", "personal_advice", "crisis", "emergency", "smalltalk"
    }  # fmt: skip
    for fault in ("without facts", "without action server", "without conversations", "without understanding"):
        assert set(written.outcomes[fault]) == {"error"}, fault
    assert {"debug", "warning", "error"} <= written.levels
    assert [call for call in written.service_calls if "chat.postMessage" in call]
    assert [call for call in written.service_calls if "sendMessage" in call]


@pytest.mark.parametrize("name", ["assistant", "actions", "failing"])
def test_no_log_holds_what_was_written(name: str, written: Written) -> None:
    log = written.logs[name]
    assert log
    assert [line[:400] for line in log.splitlines() if MARKER in line.lower()] == []


def test_no_log_holds_a_question_in_pieces(written: Written) -> None:
    """Nor what was replied."""
    for said in ("tingling in my", "i want to die", "I am not sure I understood", "General information"):
        assert [name for name, log in written.logs.items() if said.lower() in log.lower()] == []


def test_every_line_of_the_logs_is_json_but_for_the_one_that_it_is_ready(written: Written) -> None:
    for log in written.logs.values():
        others = [line for line in log.splitlines() if " ready: http" not in line]
        assert [line for line in others if not line.startswith('{"time"')] == []


def test_the_log_of_questions_holds_no_trace_of_who_wrote(written: Written) -> None:
    assert MARKER.encode() not in written.question_bytes
    assert MARKER.upper().encode() not in written.question_bytes


def test_the_log_of_questions_has_a_row_per_turn_and_words_only_of_what_was_not_answered(written: Written) -> None:
    well = [row for row in written.questions if row["channel"] == "rest"]
    asked = sum(len(found) for name, found in written.outcomes.items() if name != "without understanding")
    assert len(well) == asked + 1  # half a surrogate pair is taken out, and the rest answered
    assert {row["channel"] for row in written.questions} == {"rest", "slack", "telegram"}
    texts = {row["text"] for row in written.questions if row["text"]}
    assert "something of it _" in texts
    assert {row["outcome"] for row in written.questions if row["text"]} <= {"clarify", "not_covered"}
    assert MARKER not in json.dumps(written.questions)


def test_who_runs_it_learns_of_each_failure(written: Written) -> None:
    for said in ("actions could not be run", "could not be answered"):
        assert said in written.logs["assistant"]
    assert "fact store cannot be read" in written.logs["actions"]
    assert "could not be answered: " in written.logs["failing"]
