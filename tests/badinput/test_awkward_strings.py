"""Every awkward string is answered as the contract has it, or refused, and does no harm."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
import requests

from channels.words import MOST_CHARACTERS
from facts.schema import TOPICS
from tests.badinput.awkward import MARKER, SLOW, STRINGS, pieces
from tests.conftest import ROOT, Assistant
from tests.contract.reply_contract import keep_to_contract

#: Strings sent in one conversation before it is asked something ordinary.
IN_A_ROW = 16
#: What the assistant takes of one request.
MOST_BYTES = 32_768


@dataclass
class Exchange:
    """A string, and what came back for it."""

    text: str
    body: bytes
    sender: str
    response: requests.Response

    def __str__(self) -> str:
        return f"{self.response.status_code} for {json.dumps(self.text)[:100]}"


@dataclass
class Sent:
    """All exchanges, and the replies to the ordinary questions in between."""

    exchanges: list[Exchange]
    ordinary: list[dict[str, Any]]
    #: What was logged before, and meanwhile.
    before: str
    log: str


def _conversation(address: str, texts: list[str]) -> tuple[list[Exchange], dict[str, Any]]:
    sender = uuid.uuid4().hex
    exchanges = []
    with requests.Session() as session:
        for text in [*texts, "how is MS diagnosed"]:
            body = json.dumps({"sender": sender, "message": text}).encode()
            kind = {"Content-Type": "application/json"}
            response = session.post(f"{address}/webhooks/rest/webhook", data=body, headers=kind, timeout=30)
            exchanges.append(Exchange(text, body, sender, response))
    return exchanges, exchanges.pop().response.json()[0]


def _in_rows(texts: Iterator[str]) -> Iterator[list[str]]:
    while row := list(islice(texts, IN_A_ROW)):
        yield row


@pytest.fixture(scope="module")
def sent(assistant: Assistant) -> Sent:
    texts = [text for kind, texts in STRINGS.items() if kind != SLOW for text in texts]
    before = assistant.log.read_text("utf8")
    with ThreadPoolExecutor(4) as pool:
        talks = list(pool.map(lambda row: _conversation(assistant.address, row), _in_rows(iter(texts))))
    exchanges = [exchange for talk, _ in talks for exchange in talk]
    log = assistant.log.read_text("utf8").removeprefix(before)
    return Sent(exchanges, [reply for _, reply in talks], before, log)


@pytest.fixture(scope="module")
def answered(sent: Sent) -> list[Exchange]:
    return [exchange for exchange in sent.exchanges if exchange.response.status_code == 200]


@pytest.fixture(scope="module")
def ours() -> str:
    """Every word that a reply may be made of."""
    files = [
        *(ROOT / "facts").rglob("*.yml"), *(ROOT / "actions").glob("*.py"), ROOT / "domain.yml",
        ROOT / "nlu" / "languages.yml",
    ]  # fmt: skip
    return "\n".join(path.read_text("utf8") for path in files).lower()


def test_there_are_enough_strings_and_none_twice() -> None:
    texts = [text for kind, texts in STRINGS.items() if kind != SLOW for text in texts]
    assert len(texts) == len(set(texts)) >= 1000
    assert all(STRINGS.values())


def test_what_can_be_read_is_answered_and_all_else_refused(sent: Sent) -> None:
    def expected(exchange: Exchange) -> int:
        if len(exchange.body) > MOST_BYTES:
            return 413
        return 200 if exchange.text.strip() and len(exchange.text) <= MOST_CHARACTERS else 400

    assert [str(e) for e in sent.exchanges if e.response.status_code != expected(e)] == []
    assert {e.response.status_code for e in sent.exchanges} == {200, 400, 413}


def test_every_answer_keeps_to_the_contract(answered: list[Exchange]) -> None:
    for exchange in answered:
        (reply,) = exchange.response.json()
        assert reply["recipient_id"] == exchange.sender, exchange
        metadata = keep_to_contract(reply)
        assert metadata["outcome"] != "error", exchange
        assert metadata["topic"] is None or metadata["topic"] in TOPICS, exchange


def test_every_refusal_says_why_in_json_and_repeats_nothing(sent: Sent) -> None:
    for exchange in sent.exchanges:
        if exchange.response.status_code != 200:
            assert exchange.response.headers["Content-Type"] == "application/json", exchange
            (error,) = exchange.response.json().values()
            assert set(error) == {"code", "message"}, exchange
            assert [piece for piece in pieces(exchange.text, 4) if piece in exchange.response.text] == [], exchange


def test_no_reply_holds_anything_that_we_did_not_write(answered: list[Exchange], ours: str) -> None:
    for exchange in answered:
        (reply,) = exchange.response.json()
        titles = [button["title"] for button in reply.get("buttons", [])]
        shown = json.dumps([reply["text"], titles, *reply["metadata"].values()], ensure_ascii=False)
        foreign = [piece for piece in pieces(exchange.text, 4) if piece.lower() not in ours]
        assert [piece for piece in foreign if piece in shown] == [], exchange
        assert MARKER not in exchange.response.text, exchange
        assert not re.search(r"<\s*[a-z!/]|\{\w*\}|%s", shown), exchange
        for button in reply.get("buttons", []):
            assert re.fullmatch(r"/[a-z_]+(\{[\w:,.\"\[\] -]*\})?", button["payload"]), exchange


def test_the_conversation_goes_on_as_if_nothing_had_been(sent: Sent) -> None:
    for reply in sent.ordinary:
        metadata = keep_to_contract(reply)
        assert (metadata["outcome"], metadata["topic"], metadata["conditions"]) == ("answered", "diagnosis", ["MS"])


def test_nothing_of_them_is_in_the_log_and_no_line_is_forged(sent: Sent) -> None:
    lines = [json.loads(line) for line in sent.log.splitlines()]
    assert len(lines) > len(sent.exchanges), "it should have logged at level debug"
    for line in lines:
        assert set(line) - {"error"} in ({"time", "level", "logger", "at"}, {"time", "level", "logger", "message"})
    assert MARKER not in sent.log
    told = "\n".join({json.dumps({**line, "time": ""}) for line in lines})
    for exchange in sent.exchanges:
        odd = [one for one in pieces(exchange.text, 6) if not re.fullmatch(r"[\w.:]+", one) and one not in sent.before]
        assert [piece for piece in odd if piece in told or json.dumps(piece)[1:-1] in told] == [], exchange


def test_who_writes_nonsense_gives_no_alarm(sent: Sent) -> None:
    lines = [json.loads(line) for line in sent.log.splitlines()]
    loud = [line for line in lines if line["level"] in ("warning", "error", "critical")]
    assert [line for line in loud if line["logger"] != "asyncio"] == []  # which tells what took 0.1 seconds
