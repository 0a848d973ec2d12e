"""What cannot be used is answered 400 with a JSON error, and nothing is answered 5xx."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import requests

from tests.contract.reply_contract import keep_to_contract

GOOD = {"sender": "someone", "message": "what is ms"}


def post(assistant: Any, body: bytes, kind: str = "application/json") -> requests.Response:
    address = f"{assistant.address}/webhooks/rest/webhook"
    return requests.post(address, data=body, headers={"Content-Type": kind}, timeout=30)


@pytest.mark.parametrize(
    "body",
    [
        {"sender": "someone"},
        {"sender": "someone", "message": None},
        {"sender": "someone", "message": ""},
        {"sender": "someone", "message": " \n\t "},
        {"sender": "someone", "message": 5},
        {"sender": "someone", "message": True},
        {"sender": "someone", "message": ["what is ms"]},
        {"sender": "someone", "message": {"text": "what is ms"}},
        {"sender": "someone", "message": "x" * 2001},
        {"sender": "someone", "message": "é" * 2001},
        {"message": "what is ms"},
        {**GOOD, "sender": None},
        {**GOOD, "sender": ""},
        {**GOOD, "sender": 7},
        {**GOOD, "sender": ["someone"]},
        {**GOOD, "sender": "some one"},
        {**GOOD, "sender": "someone\n"},
        {**GOOD, "sender": "../etc/passwd"},
        {**GOOD, "sender": "<b>"},
        {**GOOD, "sender": "ümläut"},
        {**GOOD, "sender": "s" * 129},
        {},
        [],
        [GOOD],
        "what is ms",
        None,
        5,
    ],
    ids=lambda body: json.dumps(body)[:60],
)
def test_a_body_that_is_no_message_is_400_and_says_why(body: Any, assistant: Any) -> None:
    response = post(assistant, json.dumps(body).encode())
    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("application/json")
    error = response.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["code"].islower()
    assert len(error["message"]) > 15


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"{",
        b'{"sender": "a", "message": "b"',
        b"\xff\xfe\x00",
        b'{"sender":"a","message":"\xff"}',
        b"[" * 15_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"sender":"a","message":' + b"9" * 10_000 + b"}",
        b"sender=a&message=b",
    ],
    ids=lambda body: repr(body[:25]),
)
def test_a_body_that_is_no_json_is_400(body: bytes, assistant: Any) -> None:
    response = post(assistant, body)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


def test_what_was_sent_is_not_sent_back_in_an_error(assistant: Any) -> None:
    for body in ({"sender": "zqxmarker<script>", "message": "x"}, {"sender": "a", "message": "zqxmarker" * 300}):
        assert "zqxmarker" not in post(assistant, json.dumps(body).encode()).text


def test_a_body_that_is_too_large_is_refused(assistant: Any) -> None:
    response = post(assistant, json.dumps({**GOOD, "message": "x" * 100_000}).encode())
    assert response.status_code in (400, 413)
    assert response.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("length", [1, 1999, 2000])
def test_a_message_of_up_to_2000_characters_is_answered(length: int, assistant: Any) -> None:
    keep_to_contract(assistant.ask(("what is ms " * 200)[: length - 1] + "s"))


def test_an_id_of_128_signs_is_taken(assistant: Any) -> None:
    sender = uuid.uuid4().hex * 4
    assert assistant.ask("hello", sender)["recipient_id"] == sender
    assert assistant.ask("hello", "a.B_c:d@e+f-1")["recipient_id"] == "a.B_c:d@e+f-1"


@pytest.mark.parametrize(
    "text",
    [
        "?",
        "/",
        "😀",
        "\u200b",
        "\u0000what is ms",
        "{",
        "{sender}",
        "%s %d",
        "[MS](condition)",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "\u202ewhat is als",
        "a" * 2000,
        "ms " * 600,
        "what is MS?" * 180,
        "。" * 500,
        "İ" * 300,
        "\n\n\nwhat is als\n\n",
        "/{}",
        '/diagnosis{"condition":',
        '/diagnosis{"condition":[["MS"]]}',
        "/diagnosis@0.5",
        "EXTERNAL: x",
    ],
)
def test_an_odd_message_gets_a_reply_like_any_other(text: str, assistant: Any) -> None:
    metadata = keep_to_contract(assistant.ask(text))
    assert metadata["outcome"] != "error"


def test_half_a_surrogate_pair_is_refused_or_answered_but_not_called_a_fault_of_ours(assistant: Any) -> None:
    """Some keyboards cut an emoji in two; JSON can carry the half."""
    response = post(assistant, b'{"sender": "someone", "message": "what is MS \\ud83d"}')
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert response.json()[0]["metadata"]["outcome"] == "answered"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(method: str, assistant: Any) -> None:
    response = requests.request(method, f"{assistant.address}/webhooks/rest/webhook", timeout=30)
    assert response.status_code == 405


def test_the_assistant_still_answers_after_all_that(assistant: Any) -> None:
    assert assistant.ask("what is als")["metadata"]["outcome"] == "answered"
