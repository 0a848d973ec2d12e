"""Who knows or guesses somebody's id learns nothing of other channels, and nothing but a topic of the same one."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from slack_sdk.signature import SignatureVerifier

from tests.badinput.conftest import SLACK_SECRET, TELEGRAM_SECRET
from tests.channels.slack_api import SlackApi, buttons
from tests.channels.telegram_api import TelegramApi
from tests.conftest import Assistant
from tests.contract.reply_contract import keep_to_contract

_numbers = itertools.count(1)


def soon(find: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first result of `find` that is true."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return found


class Services:
    """Slack and Telegram: they deliver what people write, and take the replies."""

    def __init__(self, assistant: Assistant, slack: SlackApi, telegram: TelegramApi) -> None:
        self.address, self.slack, self.telegram = assistant.address, slack, telegram

    def from_slack(
        self, body: dict[str, Any], signed: bytes | None = None, age: float = 0, **headers: str
    ) -> requests.Response:
        """A call to Slack's webhook; `signed`: the body that the signature was made for, if another."""
        content = json.dumps(body).encode()
        timestamp = str(int(time.time() - age))
        signature = SignatureVerifier(SLACK_SECRET).generate_signature(
            timestamp=timestamp, body=(content if signed is None else signed).decode()
        )
        proof = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature or ""}
        headers = {"Content-Type": "application/json", **proof, **headers}
        address = f"{self.address}/webhooks/slack/webhook"
        return requests.post(address, data=content, headers=headers, timeout=30)

    def from_telegram(self, body: dict[str, Any], path: str = "", **headers: str) -> requests.Response:
        address = f"{self.address}/webhooks/telegram/webhook{path}"
        return requests.post(address, json=body, headers=headers, timeout=30)

    def say_in_slack(self, text: str, user: str = "U1") -> dict[str, Any]:
        """What is posted in answer to a direct message."""
        before = len(self.slack.posts)
        assert self.from_slack(event(text, user)).status_code == 200
        soon(lambda: len(self.slack.posts) > before)
        return dict(self.slack.posts[-1])

    def say_in_telegram(self, text: str, user: int = 7) -> dict[str, Any]:
        before = len(self.telegram.sent)
        answer = self.from_telegram(update(text, user), **{"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET})
        assert answer.status_code == 200
        soon(lambda: len(self.telegram.sent) > before)
        return dict(self.telegram.sent[-1])


def event(text: str, user: str = "U1") -> dict[str, Any]:
    number = next(_numbers)
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": f"Ev{number}",
        "authorizations": [{"user_id": "UBOT", "is_bot": True}],
        "event": {
            **{"type": "message", "channel_type": "im", "channel": f"D{user}", "user": user},
            **{"ts": f"{number}.1", "text": text},
        },
    }


def update(text: str, user: int = 7) -> dict[str, Any]:
    person = {"id": user, "is_bot": False, "first_name": "P"}
    message = {"message_id": 1, "date": 1, "from": person, "chat": {"id": user, "type": "private"}, "text": text}
    return {"update_id": next(_numbers), "message": message}


@pytest.fixture(scope="module")
def services(assistant: Assistant, slack_api: SlackApi, telegram_api: TelegramApi) -> Services:
    return Services(assistant, slack_api, telegram_api)


# --- ids ----------------------------------------------------------------------------------------------

IDS_ELSEWHERE = ["slack:U1", "T1:U1", "U1", "DU1", "telegram:7", "7", "rest:telegram:7"]
FOLLOW_UPS = ["tell me more", "are you sure?", "where is that from", "yes"]


def test_conversations_of_slack_and_telegram_are_out_of_reach_of_rest(services: Services, assistant: Assistant) -> None:
    cause = assistant.ask("what causes als")["metadata"]["answer"]
    services.say_in_slack("what causes als")
    services.say_in_telegram("what causes als")
    for sender in IDS_ELSEWHERE:
        for follow_up in FOLLOW_UPS:
            metadata = keep_to_contract(assistant.ask(follow_up, sender))
            assert (metadata["topic"], metadata["facts"]) == (None, []), (sender, follow_up)
            assert cause not in metadata["answer"]
        assistant.ask("start over", sender)
        assistant.ask("forget me", sender)
    # Nor did "start over" and "forget me" reach them.
    assert cause in services.say_in_slack("are you sure?")["text"]
    assert cause in services.say_in_telegram("are you sure?")["text"]


def test_conversations_of_rest_are_out_of_reach_of_the_others(services: Services, assistant: Assistant) -> None:
    for sender in ("slack:U8", "T1:U8", "telegram:8", "8"):
        assistant.ask("what causes als", sender)
    nothing_before = assistant.ask("tell me more")["metadata"]["answer"]
    assert nothing_before in services.say_in_slack("tell me more", "U8")["text"]
    assert nothing_before in services.say_in_telegram("tell me more", 8)["text"]


@pytest.mark.parametrize("change", [str.upper, str.title, lambda s: s + ".", lambda s: s[:-1], lambda s: f"rest:{s}"])
def test_a_guess_that_is_nearly_right_is_a_stranger(change: Callable[[str], str], assistant: Assistant) -> None:
    sender = f"a{uuid.uuid4().hex}b"
    assistant.ask("what causes als", sender)
    assert change(sender) != sender
    assert assistant.ask("tell me more", change(sender))["metadata"]["outcome"] == "clarify"
    assert assistant.ask("tell me more", sender)["metadata"]["topic"] == "cause"


def test_who_has_the_very_id_learns_the_topic_and_no_word_that_was_written(assistant: Assistant) -> None:
    sender = uuid.uuid4().hex
    assistant.ask("My name is Zqxbert, from Zqxham. What causes ALS?", sender)
    told = [assistant.ask(follow_up, sender) for follow_up in [*FOLLOW_UPS, "what did I ask you?", "who am I"]]
    assert told[0]["metadata"]["topic"] == "cause"
    assert "zqx" not in json.dumps(told).lower()
    assert assistant.ask("tell me more", uuid.uuid4().hex)["metadata"]["topic"] is None


def test_a_button_shown_in_slack_says_in_rest_what_stands_on_it_and_no_more(
    services: Services, assistant: Assistant
) -> None:
    shown = [button["value"] for button in buttons(services.say_in_slack("symptoms of lupus", "U20"))]
    assert [payload for payload in shown if payload.startswith("/mimics{")]
    for payload in shown:
        as_new = assistant.ask(payload)["metadata"]
        for sender in ("slack:U20", "U20"):
            assert assistant.ask(payload, sender)["metadata"] == as_new
            assistant.ask("start over", sender)


def test_a_button_of_another_service_is_no_control_input_in_telegram(services: Services) -> None:
    payload = buttons(services.say_in_slack("symptoms of lupus", "U22"))[0]["value"]
    before = len(services.telegram.sent)
    press = {
        "update_id": next(_numbers),
        "callback_query": {
            "id": "q1",
            "from": {"id": 9, "is_bot": False, "first_name": "P"},
            "message": {"message_id": 1, "date": 1, "chat": {"id": 9, "type": "private"}},
            "chat_instance": "1",
            "data": payload,
        },
    }
    secret = {"X-Telegram-Bot-Api-Secret-Token": TELEGRAM_SECRET}
    assert services.from_telegram(press, **secret).status_code == 200
    soon(lambda: len(services.telegram.sent) > before)
    assert "that button" in services.telegram.sent[-1]["text"]


def test_no_address_tells_who_talks_or_what_about(services: Services, assistant: Assistant) -> None:
    sender = f"zqxsender{uuid.uuid4().hex}"
    assistant.ask("does zqxberry tea help with ALS", sender)
    services.say_in_slack("zqxberry", "UZQX")
    pages = ["/", "/version", "/health/live", "/health/ready", "/metrics", "/chat/", "/feedback", "/conversations"]
    pages += [f"/webhooks/{name}/{rest}" for name in ("rest", "slack", "telegram") for rest in ("", "webhook")]
    for path in [*pages, f"/webhooks/rest/webhook?sender={sender}", f"/conversations/rest:{sender}/tracker"]:
        for method in ("GET", "OPTIONS", "HEAD"):
            response = requests.request(
                method, assistant.address + path, timeout=30, headers={"Origin": "http://x.org"}
            )
            told = (response.text + str(response.headers)).lower().replace(path.lower(), "")
            for secret in ("zqx", "u1", "t1:", "rest:", "slack:t", "telegram:7"):
                assert secret not in told, (method, path)


# --- forged calls -------------------------------------------------------------------------------------
# tests/channels has more of these, against each channel by itself.


def test_no_forged_call_reaches_slack(services: Services, assistant: Assistant) -> None:
    before = len(services.slack.posts)
    genuine = event("what is als", "U30")
    content = json.dumps(genuine).encode()
    now = str(int(time.time()))

    def signature(secret: str = SLACK_SECRET, timestamp: str = now, body: bytes = content) -> str:
        return str(SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body.decode()))

    good = signature()
    wrong: list[dict[str, str]] = [
        {"X-Slack-Signature": signature(secret="0")},
        {"X-Slack-Signature": signature(secret=SLACK_SECRET.upper())},
        {"X-Slack-Signature": signature(secret=TELEGRAM_SECRET)},
        {"X-Slack-Signature": signature(timestamp=str(int(now) - 1))},
        {"X-Slack-Signature": signature(body=b"")},
        {"X-Slack-Signature": signature(body=content + b" ")},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0="},
        {"X-Slack-Signature": good.removeprefix("v0=")},
        {"X-Slack-Signature": good.replace("v0=", "v1=")},
        {"X-Slack-Signature": good.upper()},
        {"X-Slack-Signature": good[:-1]},
        {"X-Slack-Signature": good + "0"},
        {"X-Slack-Signature": f"{signature(secret='x')}, {good}"},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "0"},
        {"X-Slack-Request-Timestamp": f"-{now}"},
        {"X-Slack-Request-Timestamp": f"{now}.0"},
        {"X-Slack-Request-Timestamp": f"{now}0"},
        {"X-Slack-Request-Timestamp": f"0x{int(now):x}"},
        {"X-Slack-Request-Timestamp": "nan"},
        {"X-Slack-Request-Timestamp": "9" * 300},
        {"X-Slack-Request-Timestamp": str(int(now) + 1)},
    ]
    for odd in wrong:
        headers = {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": good, **odd}
        response = services.from_slack(genuine, **headers)
        assert response.status_code == 401, odd
        assert response.json() == {"error": "not signed by Slack, or too old"}
    assert services.from_slack(genuine, signed=b'{"type": "url_verification"}').status_code == 401
    assert services.from_slack(genuine, age=400).status_code == 401  # rightly signed, and kept for later
    assert services.from_slack(genuine, age=-400).status_code == 401
    as_a_form = services.from_slack(genuine, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert as_a_form.status_code == 400
    url = f"{assistant.address}/webhooks/slack/webhook"
    assert requests.post(url, json={"type": "url_verification", "challenge": "zqx"}, timeout=30).status_code == 401
    for _ in range(3):  # the genuine call, and two replays of it with signatures that are still good
        assert services.from_slack(genuine).status_code == 200
    soon(lambda: len(services.slack.posts) > before)
    services.say_in_slack("hello", "U31")
    assert [post["channel"] for post in services.slack.posts[before:]] == ["DU30", "DU31"]


def test_a_time_that_no_clock_knows_is_not_slacks(services: Services) -> None:
    assert services.from_slack(event("what is als"), **{"X-Slack-Request-Timestamp": "9" * 400}).status_code == 401


def test_no_forged_call_reaches_telegram(services: Services) -> None:
    before = len(services.telegram.sent)
    genuine, name = update("what is als", 30), "X-Telegram-Bot-Api-Secret-Token"
    calls: list[tuple[str, dict[str, str]]] = [
        ("", {}),
        ("", {name: ""}),
        ("", {name: "undefined"}),
        ("", {name: TELEGRAM_SECRET[:-1]}),
        ("", {name: TELEGRAM_SECRET + "1"}),
        ("", {name: TELEGRAM_SECRET.upper()}),
        ("", {name: f"{TELEGRAM_SECRET},{TELEGRAM_SECRET}"}),
        ("", {name: SLACK_SECRET}),
        ("", {"Authorization": f"Bearer {TELEGRAM_SECRET}"}),
        ("", {"X-Telegram-Bot-Api-Secret-Tokens": TELEGRAM_SECRET}),
        ("", {"Cookie": f"{name}={TELEGRAM_SECRET}"}),
        (f"?{name}={TELEGRAM_SECRET}", {}),
        (f"?secret_token={TELEGRAM_SECRET}", {}),
    ]
    for path, headers in calls:
        response = services.from_telegram({**genuine, "secret_token": TELEGRAM_SECRET}, path, **headers)
        assert response.status_code == 401, (path, headers)
        assert response.json() == {"error": "not from Telegram"}
    for _ in range(3):  # the genuine update, and two replays of it
        assert services.from_telegram(genuine, **{name: TELEGRAM_SECRET}).status_code == 200
    soon(lambda: len(services.telegram.sent) > before)
    services.say_in_telegram("hello", 31)
    assert [sent["chat"] for sent in services.telegram.sent[before:]] == [30, 31]


def test_no_secret_is_in_the_log(assistant: Assistant) -> None:
    log = assistant.log.read_text("utf8")
    for secret in (SLACK_SECRET, TELEGRAM_SECRET, "v0=", "zqx"):
        assert secret.lower() not in log.lower()
