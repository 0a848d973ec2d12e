"""Who writes too fast is asked to wait, kindly and with a time; nobody else notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from channels import turns
from channels.pace import Pace
from channels.rest import RestInput
from channels.service import ChatService
from channels.turns import Output
from replies.contract import Content
from tests.channels.running_channel import serving
from tests.conftest import Assistant
from tests.contract.reply_contract import keep_to_contract
from tests.services import Redis

ORIGIN = "https://www.example.org"
ADDRESS = "/webhooks/rest/webhook"


@pytest.fixture(scope="module")
def one(start_assistant: Callable[..., Assistant]) -> Assistant:
    """An assistant that takes three messages a minute, used by a website."""
    return start_assistant(MESSAGES_PER_MINUTE="3", WEB_ORIGINS=f"{ORIGIN},http://localhost:8000")


@pytest.fixture(scope="module")
def refused(one: Assistant) -> requests.Response:
    """The answer to a fourth message within a minute, sent by a page of the website."""
    for _ in range(3):
        one.ask("what is als", "hurried")
    return one.post({"sender": "hurried", "message": "what is als"}, headers={"Origin": ORIGIN})


def test_the_message_too_many_is_429_with_seconds_to_wait(refused: requests.Response) -> None:
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Content-Type"].startswith("application/json")
    error = refused.json()["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == "too_many_requests"
    assert f"again in {refused.headers['Retry-After']} seconds" in error["message"]
    assert "112, 911 or 999" in error["message"]  # whoever wrote in need


def test_others_are_answered_meanwhile(refused: requests.Response, one: Assistant) -> None:
    assert one.ask("what is als", "patient")["metadata"]["outcome"] == "answered"


def test_what_cannot_be_used_does_not_count(one: Assistant) -> None:
    for _ in range(5):
        assert one.post({"sender": "clumsy", "message": ""}).status_code == 400
    assert one.ask("what is als", "clumsy")["metadata"]["outcome"] == "answered"


def test_a_page_of_another_website_can_read_when_to_try_again(refused: requests.Response, one: Assistant) -> None:
    for answer in (refused, one.post({"sender": "a", "message": "hello"}, headers={"Origin": ORIGIN})):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def test_a_page_of_the_website_may_ask_whether_it_may(one: Assistant) -> None:
    asks = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = requests.options(one.address + ADDRESS, headers=asks, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"].lower() == "content-type"


@pytest.mark.parametrize("origin", ["https://evil.example", "https://www.example.org.evil.example", "null", ""])
def test_a_website_that_is_not_on_the_list_gets_no_cors_headers(origin: str, one: Assistant) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answers = [
        one.post({"sender": "elsewhere", "message": "hello"}, headers=headers),
        requests.options(one.address + ADDRESS, headers=headers, timeout=30),
    ]
    assert answers[0].status_code == 403
    for answer in answers:
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_without_websites_no_page_elsewhere_may_use_it(assistant: Assistant) -> None:
    answer = assistant.post({"sender": "a", "message": "hello"}, headers={"Origin": ORIGIN})
    assert answer.status_code == 403
    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


def test_zero_is_as_many_as_come(assistant: Assistant) -> None:
    answers = [assistant.post({"sender": "busy", "message": "hello"}) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}


# --- counting --------------------------------------------------------------------------------------


async def test_after_a_minute_one_may_write_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(2)
    waits = [await pace.wait("a") for _ in range(4)]
    now = time.time()
    assert waits[:2] == [0, 0]
    assert all(1 <= seconds <= 60 for seconds in waits[2:])
    assert await pace.wait("b") == 0
    monkeypatch.setattr(time, "time", lambda: now + waits[-1])
    assert await pace.wait("a") == 0


async def test_who_wrote_is_not_kept_for_longer_than_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    pace, now = Pace(2), time.time()
    for number in range(100):
        await pace.wait(f"person-{number}")
    assert len(pace._storage.storage) == 100
    assert "person" not in str(pace._storage.storage)
    monkeypatch.setattr(time, "time", lambda: now + 61)
    await pace.wait("somebody")
    time.sleep(0.2)  # it tidies up beside
    assert len(pace._storage.storage) == 1


async def test_without_a_limit_nothing_is_counted() -> None:
    pace = Pace()
    assert [await pace.wait("a") for _ in range(1000)] == [0] * 1000


async def test_two_assistants_count_together_in_redis(redis: Redis) -> None:
    redis.client.flushall()
    first, second = Pace(3, redis.url), Pace(3, redis.url)
    assert [await one.wait("zqxsender") for one in (first, second, first)] == [0, 0, 0]
    assert 1 <= await second.wait("zqxsender") <= 60
    assert await second.wait("another") == 0
    keys = redis.client.keys()
    assert len(keys) == 2
    assert [key for key in keys if not 0 < redis.client.ttl(key) <= 60] == []
    assert b"zqxsender" not in redis.held()


# --- Slack and Telegram ------------------------------------------------------------------------------


class Collected(Output):
    """Stands for a conversation in a chat service."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Content] = []

    async def deliver(self, recipient_id: str, content: Content) -> bool:
        self.sent.append(content)
        return True


class Service(ChatService):
    """A chat service without a service."""

    async def ask(self, text: str, person: str = "slack:U") -> list[str]:
        output = Collected()
        self.answer(self.message(text, output, "slack:U:C:1"), person)
        await self._finish()
        return [sent.text for sent in output.sent]


def service(answer: Callable[[Any], Any], pace: Pace | None = None) -> Service:
    made = Service("Not advice.", pace=pace)
    made.blueprint(answer)
    return made


def answering(forget: bool = False, then: Exception | None = None) -> Callable[[Any], Any]:
    """Stands where Rasa stands."""

    async def answer(message: Any) -> None:
        await message.output_channel.send_response("", {"text": "answer", "metadata": {"forget": forget}})
        if then:
            raise then

    return answer


async def test_in_a_chat_service_one_is_told_once_and_kindly() -> None:
    asked = service(answering(), Pace(2))
    said = [await asked.ask("hi") for _ in range(6)]
    assert said[:2] == [["answer"], ["answer"]]
    (told,) = said[2]
    assert "I am sorry" in told
    assert "again in 60 seconds" in told or "again in 59 seconds" in told
    assert told.endswith("Not advice.")
    assert said[3:] == [[], [], []]
    assert "988" in (await asked.ask("I want to die"))[0]
    assert await asked.ask("hi", "slack:another") == ["answer"]


# --- forgotten, and it is not true -------------------------------------------------------------------


async def test_who_was_told_to_be_forgotten_and_is_not_is_told_so() -> None:
    said = await service(answering(forget=True, then=RuntimeError("store"))).ask("forget me")
    assert [text.split(".")[0] for text in said] == [
        "answer",
        "I am sorry, I could not delete our conversation just now",
    ]


@pytest.mark.parametrize(
    ("forget", "said"), [(True, "I am sorry, I could not delete our conversation just now."), (False, "answer")]
)
async def test_over_rest_a_promise_that_was_not_kept_is_taken_back_and_an_answer_is_not(
    forget: bool, said: str
) -> None:
    async with serving(RestInput("Not advice."), answering(forget, then=RuntimeError("store"))) as client:
        answer = await client.post("/webhook", json={"sender": "a", "message": "forget me"})
    assert answer.status_code == 200
    (reply,) = answer.json()
    assert reply["text"].startswith(said)
    assert "forget" not in reply or not forget


async def test_over_rest_a_turn_that_takes_too_long_is_apologised_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns.Turns.__init__, "__defaults__", (None, None, 0.2))
    async with serving(RestInput("Not advice."), lambda message: asyncio.sleep(30)) as client:
        answer = await client.post("/webhook", json={"sender": "a", "message": "hello"})
    assert answer.status_code == 200
    (reply,) = answer.json()
    assert keep_to_contract(reply)["outcome"] == "error"
    assert reply["text"].endswith("Not advice.")


async def test_an_answer_that_only_could_not_be_kept_is_not_apologised_for() -> None:
    assert await service(answering(then=RuntimeError("store"))).ask("hi") == ["answer"]
