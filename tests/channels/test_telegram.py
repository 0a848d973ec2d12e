"""Telegram, from an update to the message that Telegram accepts."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from channels import words
from channels.rendering import utf16_length
from channels.telegram import EXPIRED, MOST_IN_CAPTION, Presses, TelegramInput, caption, messages
from facts import drawings
from replies.contract import Content
from tests.channels.outcomes import DISCLAIMER, DRAWN, LONG_PAYLOAD, OUTCOMES, reply, words_of
from tests.channels.running_channel import Assistant, begun_before, serving, until
from tests.channels.telegram_api import TOKEN, Parsed, TelegramApi

SECRET = "a-secret-of-our-own_1"
URL = "https://bot.example.org/webhooks/telegram/webhook"
HELLO = reply("smalltalk", "Hello.")
OF_MRI = {"question": "diagnosis/overview", "conditions": ["MS"]}
_numbers = itertools.count(1)


class Telegram:
    """Telegram's side: delivers updates."""

    def __init__(self, client, api, assistant, channel=None):
        self.client, self.api, self.assistant, self.channel = client, api, assistant, channel

    async def call(self, body, secret=SECRET):
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        content = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return await self.client.post("/webhook", content=content, headers=headers)

    async def message(self, text=None, **more):
        return await self.call(update(text, **more))

    async def press(self, data, chat=7, answerable=True, **message):
        query = f"q{next(_numbers)}"
        if answerable:
            self.api.queries.add(query)
        below = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}, **message}
        person = {"id": 7, "is_bot": False, "first_name": "P"}
        press = {"id": query, "from": person, "message": below, "chat_instance": "1", "data": data}
        return await self.call({"update_id": next(_numbers), "callback_query": press})

    async def answered(self, call):
        """Makes a call and waits for the message that it leads to."""
        await begun_before(self.channel)
        before = len(self.api.sent)
        await call
        await until(lambda: len(self.api.sent) > before)


def update(text=None, number=None, chat=7, kind="private", user=7, **more):
    message = {
        "message_id": 1,
        "date": 1,
        "from": {"id": user, "is_bot": False, "first_name": "P"},
        "chat": {"id": chat, "type": kind},
        **({"text": text} if text is not None else {}),
        **more,
    }
    return {"update_id": number or next(_numbers), "message": message}


def channel_for(api, token=TOKEN, **more):
    return TelegramInput(token, URL, SECRET, api_url=api.url, pauses=(0.02, 0.1), **more)


@asynccontextmanager
async def telegram(answer=HELLO, **more):
    assistant = Assistant(answer)
    async with TelegramApi() as api, serving(channel := channel_for(api, **more), assistant) as client:
        await until(lambda: api.webhooks)
        yield Telegram(client, api, assistant, channel)


@pytest.mark.asyncio
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_every_outcome_arrives_whole(outcome):
    message = OUTCOMES[outcome]
    async with telegram(message) as t:
        assert (await t.message("How is MS diagnosed?")).status_code == 200
        await until(lambda: t.api.sent)
        assert not t.api.refused
        assert len(t.api.sent) == 1
        sent = t.api.sent[0]
        assert [w for w in words_of(message) if w not in sent["text"]] == []
        assert sent["text"].endswith(DISCLAIMER)
        assert not sent["preview"]
        for source in message["metadata"]["sources"]:
            url = source["url"]
            assert any(link.startswith(url.split("|")[0]) for link in sent["links"]) or url in sent["text"]
        assert not any(link.startswith("javascript") for link in sent["links"])
        for button, wanted in zip(sent["buttons"], message["buttons"], strict=True):
            assert button["text"] == wanted["title"]
            before = len(t.assistant.messages)
            await t.press(button["callback_data"])
            await until(lambda n=before: len(t.assistant.messages) > n)
            assert t.assistant.texts[-1] == wanted["payload"]
        await until(lambda: len(t.api.acknowledged) == len(message["buttons"]))


@pytest.mark.asyncio
async def test_a_comparison_reads_row_by_row():
    async with telegram(OUTCOMES["answered"]) as t:
        await t.answered(t.message("tests?"))
        assert "\n\nUsual onset\nMS: 20 to 40 years\nALS: 55 to 75 years\n\n" in t.api.sent[0]["text"]


LONG = "Every word counts here & <now> \U0001f9e0. "
MANY_SOURCES = [{"title": f"T{n} " * 30, "publisher": "P", "url": f"https://e.org/{n}", "year": n} for n in range(60)]


@pytest.mark.parametrize(
    "message",
    [
        reply("answered", LONG * 400, buttons=[("More", "/tell_more")]),
        reply("answered", "x" * 9000),
        reply("answered", "\U0001f9e0" * 4000),
        reply(
            "answered",
            "R",
            comparison=[{"aspect": f"A{n}", "MS": f"m{n}", "ALS": f"a{n}"} for n in range(400)],
        ),
        reply("answered", "Row", comparison=[{"aspect": "Long", "MS": LONG * 150, "ALS": LONG * 90}]),
        reply("answered", "S", sources=MANY_SOURCES),
        reply("clarify", "Which?", buttons=[(f"Question {n}?", f"/ask{n}") for n in range(250)]),
        reply(
            "clarify",
            "Which?",
            buttons=[(f"{n} " + "long title " * 12, "/x" + "y" * 1990) for n in range(12)],
        ),
    ],
    ids=["text", "word", "emoji", "rows", "row", "sources", "buttons", "titles"],
)
@pytest.mark.asyncio
async def test_long_replies_keep_every_word_within_the_limits(message):
    async with telegram(message) as t:
        await t.message("hi")
        await until(lambda: sum(len(s["buttons"]) for s in t.api.sent) == len(message["buttons"]) and t.api.sent)
        await asyncio.sleep(0.1)
        assert not t.api.refused
        assert all(DISCLAIMER in s["text"] for s in t.api.sent)
        text = " ".join(s["text"] for s in t.api.sent)
        assert [w for w in set(words_of(message)) if len(w) < 2000 and w not in text] == []
        for character in "x\U0001f9e0":
            assert text.count(character) >= message["metadata"]["answer"].count(character)
        assert all(" ".join(b["title"].split()) in text for b in message["buttons"] if len(b["title"]) > 60)
        for sent, wanted in zip((b for s in t.api.sent for b in s["buttons"]), message["buttons"], strict=True):
            assert sent["text"] == wanted["title"] or sent["text"].endswith("…")


def test_a_reply_is_split_only_when_it_must_be():
    assert len(messages(Content.from_message(reply("answered", "word " * 600)))) == 1
    assert len(messages(Content.from_message(reply("answered", "word " * 900)))) == 2


def test_a_disclaimer_too_long_for_every_message_still_arrives_whole():
    parts = messages(Content.from_message(reply("answered", "word " * 700, disclaimer="careful " * 300)))
    assert all(utf16_length(text) <= 4096 for _, text, _ in parts)
    assert "".join(text for _, text, _ in parts).count("careful") == 300


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_markup_shows_the_plain_text(outcome):
    for markup, text, _ in messages(Content.from_message(OUTCOMES[outcome])):
        assert Parsed(markup).text == text


def test_a_reply_without_metadata_is_shown_from_its_text():
    ((markup, text, buttons),) = messages(
        Content.from_message({"text": "Plain <text> & more.\n\nSecond part.", "buttons": None})
    )
    assert (Parsed(markup).text, text, buttons) == (text, "Plain <text> & more.\n\nSecond part.", ())
    assert messages(Content.from_message({"text": None, "buttons": []})) == []


@pytest.mark.asyncio
async def test_a_call_without_the_secret_is_refused():
    async with telegram() as t:
        body = update("hi")
        wrong = [None, "", "a", SECRET[:-1], SECRET + "1", SECRET.upper(), "é".encode("latin-1")]
        assert [(await t.call(body, secret)).status_code for secret in wrong] == [401] * len(wrong)
        assert (await t.client.get("/webhook")).status_code == 405
        assert (await t.call("not json", "x")).status_code == 401
        await t.answered(t.call(body))
        assert t.assistant.texts == ["hi"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"[]",
            b"3",
            b"{",
            b"\xff",
            b"[" * 100_000,
            b"{}",
            b'{"update_id": "x"}',
            b'{"update_id": null}',
        ),
        *(b'{"update_id": 90001, "message": 3}', b'{"update_id": 90002, "message": {"chat": 3, "text": 4}}'),
        *(
            b'{"update_id": 90003, "callback_query": {}}',
            b'{"update_id": 90004, "callback_query": {"message": []}}',
        ),
        *(b'{"update_id": 90005, "message": {"chat": {"id": 7, "type": "private"}, "text": 1, "from": 3}}',),
    ],
    ids=[f"body{n}" for n in range(14)],
)
async def test_an_update_that_makes_no_sense_is_no_server_error(body):
    async with telegram() as t:
        assert (await t.call(body)).status_code in (200, 400)


@pytest.mark.asyncio
async def test_the_webhook_is_registered_with_what_we_need():
    async with telegram() as t:
        assert t.api.webhooks == [{"url": URL, "secret": SECRET, "updates": ["message", "callback_query"]}]
        assert (await t.client.get("/")).json() == {"status": "ok", "webhook": "registered"}


@pytest.mark.asyncio
async def test_the_server_starts_without_telegram_and_registers_later(caplog):
    caplog.set_level(logging.DEBUG)
    async with TelegramApi() as api:
        api.errors += [
            (502, {"description": "Bad Gateway"}),
            (429, {"description": "Too Many Requests", "parameters": {"retry_after": 1}}),
            (400, {"description": "Bad Request: bad webhook"}),
        ]
        async with serving(channel_for(api), Assistant(HELLO)) as client:
            assert (await client.get("/")).json()["webhook"] == "not yet"
            await until(lambda: api.webhooks)
            await until(lambda: "the webhook is registered" in caplog.text)
            assert (await client.get("/")).json()["webhook"] == "registered"
    assert "TELEGRAM_WEBHOOK_URL" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.asyncio
async def test_the_server_starts_and_stops_when_nothing_listens(caplog):
    channel = TelegramInput(TOKEN, URL, SECRET, api_url="http://127.0.0.1:9", pauses=(0.02, 0.1))
    async with serving(channel, Assistant(HELLO)) as client:
        await until(lambda: "can't be reached" in caplog.text)
        assert (await client.get("/")).status_code == 200
        await asyncio.sleep(0.3)
    assert caplog.text.count("is not registered") == 1


@pytest.mark.asyncio
async def test_a_wrong_token_is_named_and_never_logged(caplog):
    caplog.set_level(logging.DEBUG)
    async with TelegramApi() as api, serving(channel_for(api, token="99:wrong-token"), Assistant(HELLO)):
        await until(lambda: "TELEGRAM_BOT_TOKEN is not a token" in caplog.text)
    assert "99:wrong-token" not in caplog.text


@pytest.mark.asyncio
async def test_start_and_help_are_questions_and_other_slashes_are_text():
    async with telegram() as t:
        for text in [
            "/start",
            "/start abc-DEF_1",
            "/help",
            "/help@ms_als_bot",
            "/restart",
            "/help me understand",
        ]:
            await t.answered(t.message(text))
        await t.answered(t.message('/diagnosis{"condition":["ALS"]}'))
        await t.answered(t.message("/start\n/restart"))
        assert t.assistant.texts == [
            *("/greet", "/greet", "/help", "/help", "restart", "help me understand"),
            *('diagnosis{"condition":["ALS"]}', "start\n/restart"),
        ]


@pytest.mark.asyncio
async def test_a_repeated_update_is_answered_once():
    async with telegram() as t:
        body = update("hi")
        for _ in range(3):
            assert (await t.call(body)).status_code == 200
        await t.answered(t.message("last"))
        assert t.assistant.texts == ["hi", "last"]


@pytest.mark.asyncio
async def test_edits_channels_bots_and_service_messages_are_ignored():
    async with telegram() as t:
        await t.call({"update_id": next(_numbers), "edited_message": update("edited")["message"]})
        await t.call({"update_id": next(_numbers), "my_chat_member": {}})
        await t.message("posted", kind="channel")
        await t.message(new_chat_members=[{"id": 1}])
        await t.message(pinned_message={})
        await t.message(photo=[{}], kind="group", chat=-5)
        await t.call(
            {
                "update_id": next(_numbers),
                "message": {**update("x")["message"], "from": {"id": 1, "is_bot": True}},
            }
        )
        await t.answered(t.message("last"))
        assert t.assistant.texts == ["last"]
        assert len(t.api.sent) == 1


@pytest.mark.asyncio
async def test_what_is_no_text_gets_a_kind_sentence_with_the_disclaimer():
    async with telegram(disclaimer="Ours.") as t:
        for kind in ("photo", "voice", "sticker", "location", "document"):
            await t.answered(t.message(**{kind: {}}))
        await t.answered(t.message("/"))
        assert all(s["text"] == f"{words.TEXT_ONLY}\n\nOurs." for s in t.api.sent)
        await t.answered(t.message(photo=[{}], caption="what is ALS?"))
        assert t.assistant.texts == ["what is ALS?"]


@pytest.mark.asyncio
async def test_conversations_stay_apart_and_answers_go_where_the_question_was():
    async with telegram() as t:
        await t.answered(t.message("private"))
        await t.answered(t.message("@ms_als_bot what is MS?", chat=-100, kind="supergroup", user=8))
        topic = {"message_thread_id": 3, "is_topic_message": True}
        await t.answered(t.message("@MS_ALS_bot and ALS?", chat=-100, kind="supergroup", user=9, **topic))
        assert [m.sender_id for m in t.assistant.messages] == [
            "telegram:7",
            "telegram:-100:8",
            "telegram:-100:9",
        ]
        assert [(s["chat"], s["topic"]) for s in t.api.sent] == [(7, None), (-100, None), (-100, "3")]
        assert t.assistant.texts == ["private", "what is MS?", "and ALS?"]
        assert {m.input_channel for m in t.assistant.messages} == {"telegram"}


@pytest.mark.asyncio
async def test_a_message_nobody_asked_for_goes_to_the_conversations_chat():
    async with TelegramApi() as api:
        output = channel_for(api).get_output_channel()
        await output.send_response("telegram:7", HELLO)
        await output.send_response("telegram:-100:8", HELLO)
        await output.send_text_message("telegram:7", "one\n\ntwo")
        assert [s["chat"] for s in api.sent] == [7, -100, 7]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data", ["/restart", "p12345678/restart", "kAAAAAAAAAAAAAAAAAAAAAAAA", "", "p", "é" * 32, None]
)
async def test_a_press_that_we_did_not_offer_is_no_control_input(data):
    async with telegram() as t:
        await t.answered(t.press(data))
        assert t.api.sent[0]["text"].startswith(EXPIRED)
        assert t.api.sent[0]["text"].endswith(words.DISCLAIMER)
        await until(lambda: t.api.acknowledged)
        assert not t.assistant.messages
        keyboard = {"inline_keyboard": [[{"text": "/restart How is it treated?", "callback_data": data}]]}
        await t.answered(t.press(data, reply_markup=keyboard, message_id=2))
        assert t.assistant.texts == ["restart How is it treated?"]  # its title, as if it were typed


@pytest.mark.asyncio
async def test_a_press_from_another_chat_or_before_a_restart_is_answered_kindly():
    async with telegram(OUTCOMES["clarify"]) as t:
        await t.answered(t.message("hi"))
        short, long = (b["callback_data"] for b in t.api.sent[0]["buttons"][:2])
        await t.answered(t.press(short, chat=8))
        assert EXPIRED in t.api.sent[1]["text"]
    async with telegram() as t:  # restarted: short payloads still work, long ones are gone
        await t.answered(t.press(long, answerable=False))
        assert EXPIRED in t.api.sent[0]["text"]
        await t.answered(t.press(short))
        assert t.assistant.texts == [OUTCOMES["clarify"]["buttons"][0]["payload"]]


@pytest.mark.asyncio
async def test_a_reply_to_a_press_says_what_was_pressed():
    async with telegram(OUTCOMES["clarify"]) as t:
        await t.answered(t.message("hi"))
        buttons = t.api.sent[0]["buttons"]
        keyboard = {"inline_keyboard": [[button] for button in buttons]}
        await t.answered(t.press(buttons[0]["callback_data"], reply_markup=keyboard))
        assert t.api.sent[0]["text"].startswith("Do you mean")
        assert t.api.sent[1]["text"].startswith("How is ALS diagnosed?\n\nDo you mean")


def test_long_payloads_fit_into_64_bytes_and_what_is_kept_is_bounded():
    presses = Presses(b"key", chats=2, per_chat=3)
    payloads = [f"{LONG_PAYLOAD}{n}" for n in range(4)]
    data = [presses.data_for(1, p) for p in payloads]
    assert all(len(d.encode()) <= 64 for d in data)
    assert [presses.payload_of(1, d) for d in data] == [None, *payloads[1:]]
    assert presses.payload_of(2, data[3]) is None
    presses.data_for(2, payloads[0])
    presses.data_for(3, payloads[0])
    assert presses.payload_of(1, data[3]) is None
    exact = "/" + "x" * 54
    assert presses.data_for(1, exact).startswith("p")
    assert presses.data_for(1, exact + "x").startswith("k")
    assert presses.payload_of(1, presses.data_for(1, exact)) == exact


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [ValueError("secret words"), None], ids=["raises", "silent"])
async def test_a_failing_turn_ends_in_an_apology(failure, caplog):
    caplog.set_level(logging.DEBUG)
    async with telegram(failure) as t:
        await t.answered(t.message("my secret words"))
        assert t.api.sent[0]["text"] == f"{words.APOLOGY}\n\n{words.DISCLAIMER}"
    for secret in ("secret words", TOKEN, SECRET):
        assert secret not in caplog.text


@pytest.mark.asyncio
async def test_a_busy_telegram_is_waited_for_and_an_unreachable_one_asked_again():
    async with telegram() as t:
        t.api.errors += [
            (429, {"description": "Too Many Requests: retry after 1", "parameters": {"retry_after": 1}}),
            (503, {"description": "Service Unavailable"}),
        ]
        await t.message("hi")
        await until(lambda: t.api.sent)
        assert [s["text"] for s in t.api.sent] == [f"Hello.\n\n{DISCLAIMER}"]


@pytest.mark.asyncio
async def test_a_group_that_became_a_supergroup_is_followed():
    async with telegram() as t:
        moved = {
            "description": "Bad Request: group chat was upgraded",
            "parameters": {"migrate_to_chat_id": -100},
        }
        t.api.errors += [(400, moved)]
        await t.answered(t.message("@ms_als_bot hi", chat=-5, kind="group"))
        assert t.api.sent[0]["chat"] == -100


@pytest.mark.asyncio
async def test_when_markup_is_refused_the_words_still_arrive():
    async with telegram(OUTCOMES["clarify"]) as t:
        t.api.errors += [(400, {"description": "Bad Request: can't parse entities"})]
        await t.answered(t.message("hi"))
        assert DISCLAIMER in t.api.sent[0]["text"]
        assert "Does it affect the bladder?" in t.api.sent[0]["text"]


@pytest.mark.asyncio
async def test_someone_who_blocked_the_bot_is_no_trouble(caplog):
    async with telegram() as t:
        t.api.errors += [(403, {"description": "Forbidden: bot was blocked by the user"})]
        await t.message("hi")
        await until(lambda: "nothing can be sent there: Forbidden" in caplog.text)
        await t.answered(t.message("again"))


GOOD = {"access_token": TOKEN, "webhook_url": URL, "webhook_secret": SECRET}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"access_token": None}, "TELEGRAM_BOT_TOKEN is|environment variable TELEGRAM_BOT_TOKEN"),
        ({"webhook_url": ""}, "environment variable TELEGRAM_WEBHOOK_URL"),
        ({"webhook_secret": "${TELEGRAM_WEBHOOK_SECRET}"}, "environment variable TELEGRAM_WEBHOOK_SECRET"),
        ({"access_token": "my bot"}, "TELEGRAM_BOT_TOKEN is not"),
        ({"webhook_url": "http://x.org/webhooks/telegram/webhook"}, "TELEGRAM_WEBHOOK_URL must"),
        ({"webhook_secret": "short"}, "TELEGRAM_WEBHOOK_SECRET must"),
        ({"webhook_secret": "spaces are not allowed here"}, "TELEGRAM_WEBHOOK_SECRET must"),
    ],
)
def test_a_missing_or_wrong_setting_is_named(change, message):
    with pytest.raises(Exception, match=message):
        TelegramInput.from_credentials({**GOOD, **change})


def test_rasa_makes_the_channel_from_credentials():
    from rasa.core.run import _create_single_channel

    made = _create_single_channel("channels.telegram.TelegramInput", GOOD)
    assert isinstance(made, TelegramInput)
    assert made.url_prefix() == "telegram"


# --- what people reported of other chat software -----------------------------------------------------


def group(text=None, **more):
    return {"text": text, "chat": -100, "kind": "supergroup", **more}


BY_US = {"reply_to_message": {"message_id": 5, "from": {"id": 123456, "is_bot": True}}}
BY_ANOTHER = {"reply_to_message": {"message_id": 5, "from": {"id": 8, "is_bot": False}}}
NAMED = {"entities": [{"type": "text_mention", "offset": 0, "length": 4, "user": {"id": 123456}}]}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("message", "read"),
    [
        (group("how is the weather"), None),
        (group("/start@other_bot"), None),
        (group("/start@other_bot", **BY_US), None),
        (group("/weather"), None),
        (group("@other_bot what is MS"), None),
        (group("@ms_als_bot2 what is MS"), None),
        (group("@user what is MS", **BY_ANOTHER), None),
        (group("@ms_als_bot what is MS", is_automatic_forward=True), None),
        (group(photo=[{}]), None),
        (group(checklist={}), None),
        (group("/start"), "/greet"),
        (group("/help@MS_ALS_bot"), "/help"),
        (group("/help@ms_als_bot I can't breathe"), "help I can't breathe"),
        (group("@ms_als_bot"), "/greet"),
        (group("what is MS, @ms_als_bot?"), "what is MS, ?"),
        (group("and for ALS?", **BY_US), "and for ALS?"),
        (group("MS and ALS Answers, what is MS", **NAMED), "MS and ALS Answers, what is MS"),
        (group(photo=[{}], caption="@ms_als_bot what is ALS?"), "what is ALS?"),
    ],
)
async def test_in_a_group_what_is_meant_for_us_is_answered_and_nothing_else(message, read):
    async with telegram() as t:
        await t.message(**message)
        await t.answered(t.message("last"))
        await until(lambda: "last" in t.assistant.texts)
        assert [text for text in t.assistant.texts if text != "last"] == ([read] if read else [])


@pytest.mark.asyncio
async def test_in_a_group_the_question_is_quoted_and_in_private_it_is_not():
    async with telegram() as t:
        await t.answered(t.message("@ms_als_bot hi", chat=-100, kind="group", message_id=77))
        await t.answered(t.message("hi", message_id=78))
        assert [s["quotes"] for s in t.api.sent] == [77, None]


@pytest.mark.asyncio
async def test_who_writes_as_a_channel_or_as_an_anonymous_administrator_is_a_person():
    async with telegram() as t:
        for chat, number in ((-555, 136817688), (-100, 1087968824)):
            body = update("@ms_als_bot hi", chat=-100, kind="supergroup", sender_chat={"id": chat, "type": "channel"})
            body["message"]["from"] = {"id": number, "is_bot": True, "first_name": "Channel"}
            await t.answered(t.call(body))
        assert [m.sender_id for m in t.assistant.messages] == ["telegram:-100:-555", "telegram:-100:-100"]


@pytest.mark.asyncio
@pytest.mark.parametrize("why", ["TOPIC_CLOSED", "not enough rights to send text messages to the chat"])
async def test_a_closed_topic_is_not_tried_again(why, caplog):
    async with telegram() as t:
        t.api.errors.append((400, {"description": f"Bad Request: {why}"}))
        await t.message("@ms_als_bot hi", chat=-100, kind="supergroup")
        await until(lambda: t.assistant.messages)
        await t.answered(t.message("last"))
        assert [s["chat"] for s in t.api.sent] == [7]
        assert not t.api.errors


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["checklist", "gift", "unique_gift", "paid_media", "something_new"])
async def test_new_kinds_of_message_get_the_kind_sentence_in_private(kind):
    async with telegram() as t:
        await t.answered(t.message(**{kind: {}}))
        assert t.api.sent[0]["text"].startswith(words.TEXT_ONLY)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "news", ["pinned_message", "boost_added", "forum_topic_created", "successful_payment", "write_access_allowed"]
)
async def test_what_telegram_itself_says_gets_no_reply(news):
    async with telegram() as t:
        await t.message(**{news: {}})
        await t.answered(t.message("last"))
        assert len(t.api.sent) == 1


LOST = {
    "another shape": lambda: web.json_response({"ok": True, "result": True}),
    "half a message": lambda: web.json_response({"ok": True, "result": {"message_id": 4}}),
    "no result": lambda: web.json_response({"ok": True}),
    "no JSON": lambda: web.Response(text="ok"),
    "500": lambda: web.json_response({"ok": False, "description": "Internal"}, status=500),
    "closed": lambda: "close",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
async def test_a_message_whose_answer_is_lost_or_odd_is_sent_once_and_nothing_follows(answer):
    async with telegram() as t:
        t.api.answers.append(answer())
        await t.answered(t.message("hi"))
        await t.answered(t.message("last"))
        await until(lambda: len(t.assistant.messages) == 2)
        await asyncio.sleep(0.3)
        assert [s["text"] for s in t.api.sent] == [f"Hello.\n\n{DISCLAIMER}"] * 2


@pytest.mark.asyncio
async def test_a_cry_for_help_is_sent_again_when_its_answer_is_lost():
    async with telegram(OUTCOMES["crisis"]) as t:
        t.api.answers.append(LOST["500"]())
        await t.message("I want to die")
        await until(lambda: len(t.api.sent) == 2)


@pytest.mark.asyncio
async def test_two_presses_of_one_button_at_once_act_once():
    async with telegram(OUTCOMES["clarify"]) as t:
        await t.answered(t.message("hi"))
        data = t.api.sent[0]["buttons"][0]["callback_data"]
        await t.answered(t.press(data))
        await t.press(data)
        await t.answered(t.message("last"))
        await until(lambda: len(t.api.acknowledged) == 2)  # neither shows a spinner any more
        assert len(t.assistant.messages) == 3


@pytest.mark.asyncio
async def test_a_message_of_more_than_2000_characters_gets_a_kind_sentence_or_help():
    async with telegram() as t:
        await t.answered(t.message("what is MS " * 200))
        await t.answered(t.message("what is MS " * 200 + "I want to die"))
        assert t.api.sent[0]["text"].startswith(words.TOO_LONG)
        assert "988" in t.api.sent[1]["text"]
        assert not t.assistant.messages


@pytest.mark.asyncio
async def test_an_answer_is_followed_by_its_drawing_with_caption_words_sources_and_disclaimer():
    async with telegram(DRAWN) as t:
        await t.message("How is MS diagnosed?", message_thread_id=4, is_topic_message=True)
        await until(lambda: t.api.photos)
        assert t.api.sent[0]["text"].startswith("MRI shows spots.")
        photo, drawing = t.api.photos[0], drawings.read("mri")
        assert (photo["chat"], photo["topic"], photo["picture"]) == (7, "4", drawing.png)
        for words_below in (drawing.title, drawing.caption, drawing.description, DISCLAIMER):
            assert words_below in photo["caption"]
        assert photo["links"] == [url for _, url in drawing.sources]


@pytest.mark.asyncio
async def test_a_drawing_comes_once_in_a_while_and_only_with_an_answer_that_it_explains():
    asked = {"How is MS diagnosed?": DRAWN, "personal": reply("personal_advice", "x", **OF_MRI), "hi": HELLO}
    async with telegram(lambda message: asked[message.text]) as t:
        for text in ("hi", "personal", *["How is MS diagnosed?"] * 3):
            await t.answered(t.message(text))
        await t.answered(t.message("How is MS diagnosed?", chat=8, user=8))
        await until(lambda: len(t.api.photos) == 2)
        assert [photo["chat"] for photo in t.api.photos] == [7, 8]


@pytest.mark.asyncio
async def test_a_drawing_that_is_not_taken_costs_nothing_but_a_line_in_the_log(caplog):
    async with telegram(DRAWN) as t:
        t.api.takes_photos = False
        await t.message("How is MS diagnosed?")
        await until(lambda: "a drawing could not be sent" in caplog.text)
        await t.answered(t.message("again"))
        assert all(sent["text"].startswith("MRI shows spots.") for sent in t.api.sent)
        assert len(t.api.sent) == 2


@pytest.mark.parametrize("drawing", [drawings.read(file.stem) for file in drawings.FOLDER.glob("*.svg")])
@pytest.mark.parametrize("disclaimer", [DISCLAIMER, "&" * 900], ids=["short", "long"])
def test_a_caption_is_never_too_long(drawing, disclaimer):
    below = Parsed(caption(drawing, disclaimer)).text
    assert drawing.description in below
    assert utf16_length(below) <= MOST_IN_CAPTION
