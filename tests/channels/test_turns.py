"""The one way of a message: cries for help before every limit, one person's messages in order, nothing done twice."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from rasa.core.channels.channel import UserMessage

from actions import wording
from channels import turns, words
from channels.pace import Pace
from channels.rest import ReplyCollector, RestInput
from channels.retries import LastReplies
from tests.channels.outcomes import DRAWN, reply
from tests.channels.running_channel import Assistant, serving
from tests.services import Redis

HELLO = reply("smalltalk", "Hello.")
CRY = "I want to die"


def body(text: str, sender: str = "a", number: str = "") -> dict[str, Any]:
    return {"sender": sender, "message": text, **({"metadata": {"message_id": number}} if number else {})}


def first(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (message,) = answer.json()
    return message


# --- safety before any limit ---------------------------------------------------------------------------


async def test_a_cry_for_help_is_answered_above_the_pace():
    assistant = Assistant(HELLO)
    async with serving(RestInput(pace=Pace(1)), assistant) as client:
        assert (await client.post("/webhook", json=body("hi"))).status_code == 200
        assert (await client.post("/webhook", json=body("hi"))).status_code == 429
        for _ in range(3):
            message = first(await client.post("/webhook", json=body(CRY)))
            assert message["metadata"]["outcome"] == "crisis"
            assert "988" in message["text"]
    assert assistant.texts == ["hi"]


async def test_a_cry_for_help_is_answered_in_a_message_that_is_too_long():
    async with serving(RestInput(), Assistant(HELLO)) as client:
        for text in (f"{CRY}. " + "so tired " * 1_000, "so tired " * 1_000 + CRY):
            assert first(await client.post("/webhook", json=body(text)))["metadata"]["outcome"] == "crisis"
        assert (await client.post("/webhook", json=body("so tired " * 1_000))).status_code == 400


@pytest.mark.parametrize("text", [CRY, "icantbreathe", "/I want to die", "/iwanttodie"])
@pytest.mark.parametrize("way", ["raises", "silent", "apologises", "never"])
async def test_a_cry_for_help_is_answered_when_the_turn_fails(way: str, text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turns, "ALARM_SECONDS", 0.1)

    async def never(_: Any) -> None:
        await asyncio.sleep(60)

    broken = {"raises": ValueError("lock"), "silent": None, "apologises": reply("error", "I am sorry.")}
    async with serving(RestInput(), Assistant(broken[way]) if way in broken else never) as client:
        message = first(await client.post("/webhook", json=body(text)))
    assert message["metadata"]["outcome"] in turns.ALARMS
    assert message["text"].count(words.DISCLAIMER) == 1


async def test_a_carer_who_fears_to_hurt_somebody_gets_their_own_words_when_the_turn_fails():
    async with serving(RestInput(), Assistant(ValueError())) as client:
        message = first(await client.post("/webhook", json=body("I am scared I will hit him")))
    assert message["metadata"]["outcome"] == "crisis"
    assert "step out of the room" in message["text"]


async def test_a_fault_in_looking_for_an_alarm_costs_nobody_the_turn(monkeypatch: pytest.MonkeyPatch):
    def broken(text: str) -> None:
        raise ValueError(text)

    async with serving(RestInput(), Assistant(HELLO)) as client:
        monkeypatch.setattr(turns, "alarm_in", broken)
        assert first(await client.post("/webhook", json=body("hi")))["text"].startswith("Hello.")


async def test_without_facts_the_numbers_are_still_told(monkeypatch: pytest.MonkeyPatch):
    def gone() -> Any:
        raise OSError

    monkeypatch.setattr(turns, "fact_store", gone)
    async with serving(RestInput("Ours."), Assistant(ValueError())) as client:
        message = first(await client.post("/webhook", json=body(CRY)))
    assert message["text"] == f"{wording.ALARM_WITHOUT_FACTS['crisis']}\nOurs."


async def test_what_stands_on_a_button_is_no_cry_for_help():
    async with serving(RestInput(), Assistant(HELLO)) as client:
        pressed = '/symptom_check{"symptom":["choking","I want to die"]}'
        assert first(await client.post("/webhook", json=body(pressed)))["metadata"]["outcome"] == "smalltalk"


# --- one person's messages at once -----------------------------------------------------------------------


class Slow:
    """Stands where Rasa stands, for 30 ms a turn."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.most = self._now = 0

    async def __call__(self, message: Any) -> None:
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0.03)
        self._now -= 1
        self.texts.append(message.text)
        await message.output_channel.send_response(message.sender_id, reply("answered", message.text))


async def test_twelve_at_once_are_answered_one_after_the_other_in_milliseconds():
    slow, texts = Slow(), [f"message {n}" for n in range(12)]
    async with serving(RestInput(), slow) as client:
        begun = time.monotonic()
        answers = await asyncio.gather(*(client.post("/webhook", json=body(text)) for text in texts))
        assert time.monotonic() - begun < 5  # Rasa's own lock would take 66 seconds
    assert [first(answer)["metadata"]["answer"] for answer in answers] == texts
    assert slow.most == 1


async def test_they_are_answered_in_the_order_in_which_they_came():
    slow = Slow()
    line, texts = turns.Turns(slow), [f"message {n}" for n in range(12)]
    messages = [UserMessage(text, ReplyCollector("a"), "rest:a", input_channel="rest") for text in texts]
    assert await asyncio.gather(*(line.answer(message, "rest:a") for message in messages)) == [None] * 12
    assert slow.texts == texts


async def test_others_do_not_wait_and_nothing_is_left_of_the_line():
    slow, line = Slow(), turns.Turns(lambda _: asyncio.sleep(0))
    async with serving(RestInput(), slow) as client:
        await asyncio.gather(*(client.post("/webhook", json=body("hi", f"s{n}")) for n in range(5)))
    assert slow.most > 1
    async with line._line("a"):
        assert line._lines
    assert line._lines == {}


# --- sent again --------------------------------------------------------------------------------------------


async def test_a_message_sent_again_is_asked_once_and_gets_the_same_reply():
    slow = Slow()
    async with serving(RestInput(), slow) as client:
        both = [client.post("/webhook", json=body("tell me more", number="n-1")) for _ in range(2)]
        answers = [answer.json() for answer in await asyncio.gather(*both)]
        answers.append((await client.post("/webhook", json=body("tell me more", number="n-1"))).json())
        assert answers[0] == answers[1] == answers[2]
        assert len(slow.texts) == 1
        await client.post("/webhook", json=body("tell me more", number="n-2"))
        await client.post("/webhook", json=body("tell me more", "b", "n-2"))  # somebody else
        await client.post("/webhook", json=body("tell me more"))
        await client.post("/webhook", json=body("tell me more"))
    assert len(slow.texts) == 5


async def test_other_words_under_the_same_number_are_asked():
    assistant = Assistant(HELLO)
    async with serving(RestInput(), assistant) as client:
        first(await client.post("/webhook", json=body("what is MS", number="1")))
        answer = await client.post("/webhook", json=body(CRY, number="1"))
        assert answer.json()[-1]["metadata"]["outcome"] == "crisis"
    assert assistant.texts[0] == "what is MS"


async def test_an_apology_is_not_given_again():
    answers = iter([ValueError(), HELLO])
    async with serving(RestInput(), Assistant(lambda _: next(answers))) as client:
        outcomes = [
            first(await client.post("/webhook", json=body("hi", number="1")))["metadata"]["outcome"] for _ in range(2)
        ]
    assert outcomes == ["error", "smalltalk"]


async def test_who_is_forgotten_has_no_last_reply():
    replies = LastReplies()
    forgotten = {**HELLO, "metadata": {**HELLO["metadata"], "forget": True}}
    async with serving(RestInput(replies=replies), Assistant(forgotten)) as client:
        assert first(await client.post("/webhook", json=body("forget me", number="1")))["forget"] is True
    assert not replies._last


async def test_a_client_that_hangs_up_finds_its_reply_when_it_asks_again():
    slow = Slow()
    async with serving(RestInput(), slow) as client:
        with pytest.raises(Exception, match=r"^$"):
            await client.post("/webhook", json=body("hi", number="1"), timeout=0.01)
        assert first(await client.post("/webhook", json=body("hi", number="1")))["metadata"]["answer"] == "hi"
    assert slow.texts == ["hi"]


async def test_two_assistants_ask_a_message_once(redis: Redis):
    from stores.redis_stores import connect

    redis.client.flushall()
    slow = Slow()
    async with (
        serving(RestInput(replies=LastReplies(shared=connect(redis.url, retries=0))), slow) as one,
        serving(RestInput(replies=LastReplies(shared=connect(redis.url, retries=0))), slow) as other,
    ):
        calls = [client.post("/webhook", json=body("zqx", "zqxsender", "1")) for client in (one, other)]
        answers = [answer.json() for answer in await asyncio.gather(*calls)]
        answers.append((await other.post("/webhook", json=body("zqx", "zqxsender", "1"))).json())
    assert answers[0] == answers[1] == answers[2]
    assert len(slow.texts) == 1
    assert b"zqxsender" not in b"".join(redis.client.keys())
    assert [key for key in redis.client.scan_iter() if not 0 < redis.client.ttl(key) <= 300] == []


async def test_two_presses_of_one_button_at_once_act_once():
    slow = Slow()
    async with serving(RestInput(), slow) as client:
        presses = [client.post("/webhook", json=body("/tell_more")) for _ in range(2)]
        assert len({answer.text for answer in await asyncio.gather(*presses)}) == 1
    assert slow.texts == ["/tell_more"]


# --- buttons -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ('/drug{"condition":["MS"]}', '/drug{"condition":["MS"]}'),
        (' /drug{"condition": ["MS"]} ', '/drug{"condition":["MS"]}'),
        ("/drug", "/drug"),
        ('/drug{"condition":["MS"],"evil":["x"],"condition2":3}', '/drug{"condition":["MS"]}'),
        ("/tell_more", "/tell_more"),
        ("/forget_me", "/forget_me"),
        ("/restart", words.UNKNOWN_BUTTON),
        ("/session_start", words.UNKNOWN_BUTTON),
        ('/drug{"condition":["MS"]', words.UNKNOWN_BUTTON),
        ("/drug@0.5", words.UNKNOWN_BUTTON),
        ('/old_topic{"condition":["MS"]}', words.UNKNOWN_BUTTON),
        ("/back", words.UNKNOWN_BUTTON),
        ("/restart now", "restart now"),
        ("EXTERNAL: x", "EXTERNAL: x"),
        ("\u200b/restart", "restart"),
        ("/", "?"),
    ],
)
async def test_a_button_is_read_as_one_or_politely_not_known_and_never_as_a_sentence(payload: str, told: str):
    assistant = Assistant(HELLO)
    async with serving(RestInput(), assistant) as client:
        assert (await client.post("/webhook", json=body(payload, "new"))).status_code == 200
    assert assistant.texts == [told]


def test_the_actions_say_politely_that_a_button_is_not_known(facts: Any):
    from actions.dialogue import respond
    from actions.question import Context, Message

    message = Message.from_rasa({"text": words.UNKNOWN_BUTTON, "intent": {"name": words.UNKNOWN_BUTTON[1:]}})
    said = respond(message, Context(), facts)[0]
    assert said.answer == wording.UNKNOWN_BUTTON
    assert said.buttons


# --- drawings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["hangs", "fails"])
async def test_an_answer_stands_whatever_becomes_of_its_drawing(way: str, monkeypatch: pytest.MonkeyPatch):
    tried = []

    async def show(*_: Any) -> None:
        tried.append(way)
        if way == "fails":
            raise OSError("no such file")
        await asyncio.Event().wait()

    monkeypatch.setattr(turns, "DRAWING_SECONDS", 0.05)
    monkeypatch.setattr(ReplyCollector, "show", show)
    async with serving(RestInput(), Assistant(DRAWN)) as client:
        assert first(await client.post("/webhook", json=body("mri?")))["metadata"]["outcome"] == "answered"
    assert tried == [way]
