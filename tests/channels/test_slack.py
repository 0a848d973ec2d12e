"""Slack, from a signed call to the message that Slack accepts."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import time
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from channels import words
from channels.slack import SlackInput, escaped, messages, picture, question_in, words_of
from facts import drawings
from replies.contract import Content
from tests.channels.outcomes import DISCLAIMER, DRAWN, OUTCOMES, reply
from tests.channels.outcomes import words_of as every_word
from tests.channels.running_channel import Assistant, begun_before, serving, until
from tests.channels.slack_api import TOKEN, SlackApi, buttons, check, links, shown
from tests.channels.slack_api import picture as picture_in

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
HELLO = reply("smalltalk", "Hello.")
_numbers = itertools.count(1)


class Slack:
    """Slack's side: signs calls and delivers them."""

    def __init__(self, client, api, assistant, channel=None):
        self.client, self.api, self.assistant, self.channel = client, api, assistant, channel

    async def call(self, body, kind="application/json", headers=None, secret=SECRET, age=0):
        content = body if isinstance(body, bytes) else body.encode()
        timestamp = str(int(time.time()) - age)
        signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=content.decode("latin-1"))
        headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature, **(headers or {})}
        return await self.client.post("/webhook", content=content, headers={"Content-Type": kind, **headers})

    async def event(self, **event):
        return await self.call(json.dumps(envelope(**event)))

    async def answered(self, call):
        """Makes a call and waits for the message that it leads to."""
        await begun_before(self.channel)
        before = len(self.api.posts)
        await call
        await until(lambda: len(self.api.posts) > before)

    async def press(self, value, channel="D1", message=None, **action):
        action = {
            "type": "button",
            "action_id": "ask_0",
            "value": value,
            "action_ts": str(next(_numbers)),
            **action,
        }
        payload = {
            "type": "block_actions",
            "team": {"id": "T1"},
            "user": {"id": "U1"},
            "channel": {"id": channel},
            "message": message or {"ts": "5.5"},
            "actions": [action],
        }
        return await self.call(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded")


def envelope(event_id=None, **event):
    n = next(_numbers)
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": f"{n}.1", **event}
    return {
        "type": "event_callback",
        "team_id": "T1",
        "event_id": event_id or f"Ev{n}",
        "authorizations": [{"user_id": "UBOT", "is_bot": True}],
        "event": {k: v for k, v in event.items() if v is not None},
    }


def channel_for(api, **more):
    return SlackInput(TOKEN, SECRET, api_url=api.url, **more)


@asynccontextmanager
async def slack(answer=HELLO, **more):
    assistant = Assistant(answer)
    async with SlackApi() as api, serving(channel := channel_for(api, **more), assistant) as client:
        yield Slack(client, api, assistant, channel)


@pytest.mark.asyncio
@pytest.mark.parametrize("outcome", OUTCOMES)
async def test_every_outcome_arrives_whole(outcome):
    message = OUTCOMES[outcome]
    async with slack(message) as s:
        assert (await s.event(text="How is MS diagnosed?")).status_code == 200
        await until(lambda: s.api.posts)
        assert not s.api.refused
        assert len(s.api.posts) == 1
        post = s.api.posts[0]
        text = shown(post).translate(str.maketrans("\u2217\u02cd\u223c\u02cb\u203a¦", "*_~`>|"))
        assert [w for w in every_word(message) if w not in text and w.strip("*") not in text] == []
        assert [b for b in post["blocks"] if b["type"] == "context"][-1]["elements"][0]["text"] == DISCLAIMER
        for source in message["metadata"]["sources"]:
            url = source["url"]
            assert any(link.startswith(url.split("|")[0]) for link in links(post)) or url in shown(post)
            assert escaped(url) in post["text"]
        assert post["text"] == escaped(message["text"])
        for button, sent in zip(buttons(post), message["buttons"], strict=True):
            assert button["text"]["text"] == sent["title"]
            before = len(s.assistant.messages)
            await s.press(button["value"], action_id=button["action_id"])
            await until(lambda n=before: len(s.assistant.messages) > n)
            assert s.assistant.texts[-1] == sent["payload"]


@pytest.mark.asyncio
async def test_a_comparison_is_a_section_per_aspect():
    async with slack(OUTCOMES["answered"]) as s:
        await s.event(text="tests?")
        await until(lambda: s.api.posts)
        sections = [b["text"]["text"] for b in s.api.posts[0]["blocks"] if b["type"] == "section"]
        assert "*Usual onset*\n*MS:* 20 to 40 years\n*ALS:* 55 to 75 years" in sections
        assert all(b["expand"] for b in s.api.posts[0]["blocks"] if b["type"] == "section")


LONG = "Every word counts here & <now>. "


@pytest.mark.parametrize(
    "message",
    [
        reply("answered", LONG * 400, buttons=[("More", "/tell_more")]),
        reply("answered", "x" * 9000),
        reply("answered", "&" * 2500),
        reply(
            "answered",
            "Rows",
            comparison=[{"aspect": f"A{n}", "MS": f"m{n}", "ALS": f"a{n}"} for n in range(120)],
        ),
        reply("answered", "Row", comparison=[{"aspect": "Long", "MS": LONG * 150, "ALS": LONG * 90}]),
        reply(
            "answered",
            "S",
            sources=[
                {"title": f"T{n} " * 30, "publisher": "P", "url": f"https://e.org/{n}", "year": n} for n in range(60)
            ],
        ),
        reply(
            "answered",
            "S",
            sources=[{"title": "T " * 2000, "publisher": "P", "url": "https://e.org/" + "a" * 3500, "year": 1}],
        ),
        reply("clarify", "Which?", buttons=[(f"Question {n}?", f"/ask{n}") for n in range(320)]),
        reply(
            "clarify",
            "Which?",
            buttons=[(f"{n} " + "long title " * 12, "/x" + "y" * 1990) for n in range(12)],
        ),
    ],
    ids=["text", "word", "entities", "rows", "row", "sources", "source", "buttons", "titles"],
)
def test_long_replies_keep_every_word_within_the_limits(message):
    parts = messages(Content.from_message(message))
    for part in parts:
        check({"channel": "D1", **part})
        assert DISCLAIMER in part["text"]
        assert DISCLAIMER in shown(part)
    text = "".join("".join(shown(p) for p in parts).split())
    assert [w for w in set(every_word(message)) if len(w) < 2000 and w not in text] == []
    for character in "x&":
        assert text.count(character) >= message["metadata"]["answer"].count(character)
    assert [b["value"] for p in parts for b in buttons(p)] == [b["payload"] for b in message["buttons"]]
    titles = " ".join(" ".join(shown(p) for p in parts).split())
    assert all(" ".join(b["title"].split()) in titles for b in message["buttons"])


def test_a_reply_is_split_only_when_it_must_be():
    assert len(messages(Content.from_message(reply("answered", "word " * 700)))) == 1
    assert len(messages(Content.from_message(reply("answered", "word " * 900)))) == 2


def test_a_disclaimer_too_long_for_every_message_still_arrives_whole():
    message = reply("answered", "word " * 700, disclaimer="careful " * 300)
    parts = messages(Content.from_message(message))
    for part in parts:
        check({"channel": "D1", **part})
    assert "".join(shown(p) for p in parts).count("careful") == 300


def test_a_reply_without_metadata_is_shown_from_its_text():
    (part,) = messages(Content.from_message({"text": "Plain <text> & more.\n\nSecond part.", "buttons": None}))
    check({"channel": "D1", **part})
    assert shown(part) == "Plain <text> & more.\n\nSecond part."
    assert messages(Content.from_message({"text": None, "buttons": []})) == []


@pytest.mark.parametrize(
    ("text", "shown_as"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("*bold* _it_ ~no~ `code`", "\u2217bold* \u02cdit_ \u223cno~ \u02cbcode`"),
        ("about ~5 in 100, 2*3, a_b", "about ~5 in 100, 2*3, a_b"),
        ("> 5 years", "\u203a 5 years"),
        ("https://x.org/_a_?b=*c*", "https://x.org/_a_?b=*c*"),
    ],
)
def test_markup_in_a_text_is_shown_not_obeyed(text, shown_as):
    assert escaped(text) == shown_as


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@UBOT> what is MS?", "what is MS?"),
        ("hey <@UBOT|bot>, <!here> what is <https://a.org|ALS>", "hey , what is ALS"),
        ("1 &lt; 2 &amp;amp; <https://a.org/x>", "1 < 2 &amp; https://a.org/x"),
        ("<@UBOT> /restart", "restart"),
        ("in <#C1|general>", "in general"),
    ],
)
def test_slacks_markup_is_taken_out_of_questions(text, read):
    assert question_in(text) == read


@pytest.mark.asyncio
async def test_a_forged_or_stale_call_is_refused():
    async with slack() as s:
        body = json.dumps(envelope(text="hi"))
        answers = [
            await s.call(body, secret="0" * 32),
            await s.call(body, age=301),
            await s.call(body, age=-301),
            await s.call(body, headers={"X-Slack-Signature": "v0=" + "0" * 64}),
            await s.call(body, headers={"X-Slack-Signature": "v0=\xe9".encode("latin-1")}),
            await s.call(body, headers={"X-Slack-Request-Timestamp": "soon"}),
            await s.call(b"\xff\xfe"),
            await s.client.post("/webhook", content=body, headers={"Content-Type": "application/json"}),
        ]
        assert [a.status_code for a in answers] == [401] * 8
        assert (await s.client.get("/webhook")).status_code == 405
        assert (await s.call(body)).status_code == 200
        await until(lambda: s.api.posts)
        assert s.assistant.texts == ["hi"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    ["", "[]", "3", "{", "[" * 100_000, '{"event": 3}', '{"event": {"type": "message"}}'],
    ids=["empty", "list", "number", "cut", "deep", "no-event", "no-user"],
)
async def test_a_signed_call_that_makes_no_sense_is_no_server_error(body):
    async with slack() as s:
        assert (await s.call(body)).status_code in (200, 400)
        assert (await s.call(body, "application/x-www-form-urlencoded")).status_code == 400
        form = urlencode({"payload": body})
        assert (await s.call(form, "application/x-www-form-urlencoded")).status_code in (200, 400)
        assert (await s.call(body, "text/plain")).status_code == 415
        assert not s.assistant.messages


@pytest.mark.asyncio
async def test_the_events_address_is_verified():
    async with slack() as s:
        answer = await s.call(json.dumps({"type": "url_verification", "challenge": "3eZb"}))
        assert answer.json() == {"challenge": "3eZb"}
        assert (await s.client.get("/")).json() == {"status": "ok"}


@pytest.mark.asyncio
async def test_a_repeated_event_is_answered_once():
    async with slack() as s:
        body = json.dumps(envelope(text="hi"))
        await s.call(body)
        retry = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        assert (await s.call(body, headers=retry)).status_code == 200
        await s.call(body)
        # A mention is also announced as a message of the channel, as an event of its own.
        await s.event(type="app_mention", channel="C1", ts="9.9", text="<@UBOT> one", channel_type=None)
        await s.event(type="app_mention", channel="C1", ts="9.9", text="<@UBOT> one", channel_type=None)
        await s.event(text="last")
        await until(lambda: "last" in s.assistant.texts)
        assert s.assistant.texts == ["hi", "one", "last"]


@pytest.mark.asyncio
async def test_a_retry_of_an_event_that_never_arrived_is_answered():
    async with slack() as s:
        await s.call(json.dumps(envelope(text="hi")), headers={"X-Slack-Retry-Num": "2"})
        await until(lambda: s.api.posts)


@pytest.mark.asyncio
async def test_a_replayed_press_is_answered_once():
    async with slack() as s:
        for _ in range(2):
            await s.press("/tell_more", action_ts="77.1")
        await s.event(text="last")
        await until(lambda: len(s.api.posts) == 2)
        assert s.assistant.texts == ["/tell_more", "last"]


@pytest.mark.asyncio
async def test_a_reply_to_a_press_says_what_was_pressed():
    async with slack() as s:
        await s.answered(s.press("/tell_more", text={"type": "plain_text", "text": "Types of MS & *forms*"}))
        post = s.api.posts[0]
        assert post["blocks"][0]["text"]["text"] == "*Types of MS &amp; \u2217forms\u2217*"
        assert post["text"].startswith("Types of MS &amp; \u2217forms*\nHello.")


@pytest.mark.asyncio
async def test_json_with_a_charset_is_taken():
    async with slack() as s:
        assert (await s.call(json.dumps(envelope(text="hi")), "application/json; charset=utf-8")).status_code == 200
        await until(lambda: s.api.posts)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "event",
    [
        {"bot_id": "B1"},
        {"subtype": "message_changed", "message": {"text": "x"}},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "bot_message"},
        {"user": "UBOT"},
        {"user": "USLACKBOT"},
        {"user": None},
        {"edited": {"ts": "1"}},
        {"channel_type": "channel", "channel": "C1"},
        {"type": "reaction_added"},
    ],
)
async def test_what_is_not_asked_of_us_is_ignored(event):
    async with slack() as s:
        assert (await s.event(**{"text": "hello", **event})).status_code == 200
        await s.event(text="last")
        await until(lambda: s.api.posts)
        assert s.assistant.texts == ["last"]


@pytest.mark.asyncio
async def test_answers_go_where_the_question_was_and_conversations_stay_apart():
    async with slack() as s:
        await s.answered(s.event(text="direct"))
        await s.answered(s.event(text="in a thread", thread_ts="3.3"))
        await s.answered(s.event(type="app_mention", channel="C1", ts="100.1", text="<@UBOT> in a channel"))
        await s.answered(
            s.event(type="app_mention", channel="C1", ts="100.2", thread_ts="100.1", text="and ALS? <@UBOT>")
        )
        await s.answered(s.press("/tell_more", channel="C1", message={"ts": "100.3", "thread_ts": "100.1"}))
        assert [(p["channel"], p.get("thread_ts")) for p in s.api.posts] == [
            ("D1", None),
            ("D1", "3.3"),
            ("C1", "100.1"),
            ("C1", "100.1"),
            ("C1", "100.1"),
        ]
        assert [m.sender_id for m in s.assistant.messages] == ["slack:U1"] * 2 + ["slack:U1:C1:100.1"] * 3
        assert s.assistant.texts == ["direct", "in a thread", "in a channel", "and ALS?", "/tell_more"]
        assert {m.input_channel for m in s.assistant.messages} == {"slack"}


@pytest.mark.asyncio
async def test_a_message_nobody_asked_for_goes_to_the_conversations_place():
    async with SlackApi() as api:
        output = channel_for(api).get_output_channel()
        await output.send_response("slack:U1", HELLO)
        await output.send_response("slack:U1:C1:5.5", HELLO)
        await output.send_text_message("slack:U1", "one\n\ntwo")
        assert [(p["channel"], p.get("thread_ts")) for p in api.posts] == [
            ("U1", None),
            ("C1", "5.5"),
            ("U1", None),
        ]


@pytest.mark.asyncio
async def test_a_mention_without_words_is_greeted_and_control_input_is_text():
    async with slack() as s:
        await s.answered(s.event(type="app_mention", channel="C1", text="<@UBOT>"))
        await s.answered(s.event(text=" /restart"))
        await s.answered(s.event(text='/intent{"x":1}'))
        assert s.assistant.texts == ["/greet", "restart", 'intent{"x":1}']


@pytest.mark.asyncio
async def test_pictures_and_endless_texts_get_a_kind_sentence_with_the_disclaimer():
    async with slack(disclaimer="Ours.") as s:
        await s.answered(s.event(text="", subtype="file_share", files=[{"id": "F1"}]))
        await s.answered(s.event(text="a" * 40_000))
        await s.answered(s.event(text="is this MS?", subtype="file_share", files=[{"id": "F1"}]))
        assert words.TEXT_ONLY in s.api.posts[0]["text"]
        assert words.TOO_LONG in s.api.posts[1]["text"]
        assert all(p["text"].endswith("Ours.") and shown(p).endswith("Ours.") for p in s.api.posts[:2])
        assert s.assistant.texts == ["is this MS?"]


@pytest.mark.asyncio
@pytest.mark.parametrize("failure", [ValueError("secret words"), None], ids=["raises", "silent"])
async def test_a_failing_turn_ends_in_an_apology(failure, caplog):
    caplog.set_level(logging.DEBUG)
    async with slack(failure) as s:
        await s.event(text="my secret words")
        await until(lambda: s.api.posts)
        assert words.APOLOGY in s.api.posts[0]["text"]
        assert words.DISCLAIMER in shown(s.api.posts[0])
    assert "secret words" not in caplog.text
    assert TOKEN not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.asyncio
async def test_a_turn_that_takes_too_long_ends_in_an_apology():
    async def sleeping(_):
        await asyncio.sleep(30)

    async with SlackApi() as api, serving(channel_for(api, seconds=0.05), sleeping) as client:
        await Slack(client, api, None).event(text="hi")
        await until(lambda: api.posts)
        assert words.APOLOGY in api.posts[0]["text"]


@pytest.mark.asyncio
async def test_slack_gets_its_200_before_the_answer_is_there():
    ready = asyncio.Event()

    async def waiting(message):
        await ready.wait()
        await message.output_channel.send_response(message.sender_id, HELLO)

    async with SlackApi() as api, serving(channel_for(api), waiting) as client:
        answer = await Slack(client, api, None).event(text="hi")
        assert (answer.status_code, answer.content, api.posts) == (200, b"", [])
        ready.set()
        await until(lambda: api.posts)


@pytest.mark.asyncio
async def test_a_busy_slack_is_asked_again():
    async with slack() as s:
        s.api.errors += [429, 503]
        await s.event(text="hi")
        await until(lambda: s.api.posts)
        assert [p["text"] for p in s.api.posts] == [HELLO["text"]]


@pytest.mark.asyncio
async def test_when_blocks_are_refused_the_words_still_arrive(caplog):
    async with slack(OUTCOMES["clarify"]) as s:
        s.api.errors += ["invalid_blocks"]
        await s.event(text="hi")
        await until(lambda: s.api.posts)
        assert "blocks" not in s.api.posts[0]
        assert DISCLAIMER in s.api.posts[0]["text"]
        assert "Does it affect the bladder?" in s.api.posts[0]["text"]
    assert "invalid_blocks" in caplog.text


@pytest.mark.asyncio
async def test_a_refused_token_is_explained_in_the_log(caplog):
    async with (
        SlackApi() as api,
        serving(SlackInput("xoxb-other", SECRET, api.url), Assistant(HELLO)) as client,
    ):
        await Slack(client, api, None).event(text="hi")
        await until(lambda: "SLACK_BOT_TOKEN" in caplog.text)
    assert "xoxb-other" not in caplog.text


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        (None, "SLACK_BOT_TOKEN"),
        ({"slack_signing_secret": SECRET}, "SLACK_BOT_TOKEN"),
        ({"slack_token": TOKEN}, "SLACK_SIGNING_SECRET"),
        ({"slack_token": "xapp-1", "slack_signing_secret": SECRET}, "SLACK_BOT_TOKEN is not a bot token"),
    ],
)
def test_a_missing_setting_is_named(credentials, message):
    with pytest.raises(Exception, match=message):
        SlackInput.from_credentials(credentials)


def test_rasa_makes_the_channel_from_credentials():
    from rasa.core.run import _create_single_channel

    made = _create_single_channel("channels.slack.SlackInput", {"slack_token": TOKEN, "slack_signing_secret": SECRET})
    assert isinstance(made, SlackInput)
    assert made.url_prefix() == "slack"


# --- what people reported of other chat software -----------------------------------------------------

QUESTION = [{"type": "text", "text": "How is "}, {"type": "text", "text": "ALS & <MS>", "style": {"bold": True}}]


def section(*said):
    return {"type": "rich_text_section", "elements": list(said)}


RICH = {"type": "rich_text", "elements": [section(*QUESTION, {"type": "text", "text": " told apart?"})]}
LIST = {"type": "rich_text", "elements": [{"type": "rich_text_list", "elements": [section(*QUESTION)] * 2}]}
EMOJI = {"type": "rich_text", "elements": [section({"type": "emoji", "name": "sos", "unicode": "1f198"})]}


@pytest.mark.parametrize(
    ("event", "read"),
    [
        ({"blocks": [RICH]}, "How is ALS & <MS> told apart?"),
        ({"blocks": [LIST]}, "How is ALS & <MS>\nHow is ALS & <MS>"),
        ({"attachments": [{"is_share": True, "text": "what is MS?", "fallback": "x"}]}, "what is MS?"),
        ({"attachments": [{"message_blocks": [{"message": {"blocks": [RICH]}}]}]}, "How is ALS & <MS> told apart?"),
        ({"text": "<@UBOT>", "attachments": [{"text": "what is MS?"}]}, "what is MS?"),
        ({"text": "is this true?", "attachments": [{"text": "what is MS?"}]}, "is this true?"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "what is MS?"}}]}, "what is MS?"),
        (
            {
                "blocks": [
                    {
                        "type": "rich_text",
                        "elements": [
                            {"type": "rich_text_section", "elements": [{"type": "emoji", "unicode": "1f198"}]}
                        ],
                    }
                ]
            },
            "\U0001f198",
        ),
        ({"blocks": 3, "attachments": [4]}, ""),
        ({"blocks": [{"type": "rich_text", "elements": [{"elements": [{"elements": 5}]}]}]}, ""),
    ],
)
def test_what_was_forwarded_or_is_rich_text_alone_is_read(event, read):
    assert question_in(words_of(event)) == read


@pytest.mark.asyncio
async def test_a_forwarded_message_is_a_question():
    async with slack() as s:
        await s.answered(s.event(text="", attachments=[{"text": "what is MS?", "is_share": True}]))
        assert s.assistant.texts == ["what is MS?"]


@pytest.mark.asyncio
async def test_in_a_shared_channel_a_press_goes_on_with_the_conversation_whichever_workspace_it_names():
    async with slack() as s:
        await s.answered(s.event(type="app_mention", channel="C1", ts="100.1", text="<@UBOT> hi"))
        payload = {
            "type": "block_actions",
            "team": {"id": "TOTHER"},
            "user": {"id": "U1", "team_id": "TOTHER"},
            "channel": {"id": "C1"},
            "message": {"ts": "100.2", "thread_ts": "100.1"},
            "actions": [{"action_id": "ask_0", "value": "/tell_more", "action_ts": "1"}],
        }
        await s.answered(s.call(urlencode({"payload": json.dumps(payload)}), "application/x-www-form-urlencoded"))
        assert len({m.sender_id for m in s.assistant.messages}) == 1


@pytest.mark.asyncio
async def test_two_presses_of_one_button_at_once_act_once_and_one_later_acts_again(monkeypatch):
    monkeypatch.setattr("channels.slack.PRESSED_SECONDS", 0.3)
    async with slack() as s:
        await s.answered(s.press("/tell_more"))
        await asyncio.sleep(0.15)
        await s.press("/tell_more")
        await s.answered(s.press("/tell_more", action_id="ask_1"))  # another button
        await asyncio.sleep(0.3)
        await s.answered(s.press("/tell_more"))
        assert s.assistant.texts == ["/tell_more"] * 3


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "answer",
    [lambda: web.json_response({"ok": False}, status=500), lambda: "close", lambda: web.Response(text="<html>")],
    ids=["500", "closed", "no JSON"],
)
async def test_a_post_whose_answer_is_lost_is_not_posted_twice_but_for_a_cry_for_help(answer, caplog):
    async with slack() as s:
        s.api.answers.append(answer())
        await s.answered(s.event(text="hi"))
        await s.answered(s.event(text="last"))
        await until(lambda: len(s.assistant.messages) == 2)
        assert [p["text"] for p in s.api.posts] == [HELLO["text"]] * 2
        assert "which may be there" in caplog.text
    async with slack(OUTCOMES["crisis"]) as s:
        s.api.answers.append(answer())
        await s.event(text="I want to die")
        await until(lambda: len(s.api.posts) == 2)


@pytest.mark.asyncio
async def test_in_a_closed_channel_nothing_is_tried_again(caplog):
    async with slack() as s:
        s.api.errors.append("is_archived")
        await s.event(type="app_mention", channel="C1", text="<@UBOT> hi")
        await s.answered(s.event(text="last"))
        assert [p["channel"] for p in s.api.posts] == ["D1"]
    assert words.APOLOGY not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize("value", ["/restart", '/session_start{"x":1}', "/EXTERNAL: x", "restart", "/old_topic"])
async def test_a_button_that_is_not_known_is_neither_control_input_nor_a_sentence(value):
    async with slack() as s:
        await s.answered(s.press(value))
        assert s.assistant.texts == [words.UNKNOWN_BUTTON]


@pytest.mark.asyncio
async def test_a_cry_for_help_in_a_message_that_is_too_long_is_answered_as_one():
    async with slack() as s:
        await s.answered(s.event(text="I want to die. " + "I am so tired of all this. " * 200))
        await s.answered(s.event(text="My day was long. " * 300 + " I want to die"))
        assert all("988" in p["text"] for p in s.api.posts)
        assert s.assistant.texts == []


@pytest.mark.asyncio
async def test_an_answer_is_followed_by_its_drawing_with_text_alternative_caption_and_disclaimer():
    async with slack(DRAWN) as s:
        s.client.headers["Host"] = "bot.example.org"  # what Slack was told to call
        await s.event(type="app_mention", channel="C1", ts="9.9", text="<@UBOT> How is MS diagnosed?")
        await until(lambda: len(s.api.posts) == 2)
        answer, post = s.api.posts
        block, drawing = picture_in(post), drawings.read("mri")
        assert not picture_in(answer)
        assert block["image_url"] == "https://bot.example.org/chat/drawings/mri.png"
        assert block["alt_text"] == f"{drawing.title}. {drawing.description}"
        assert drawing.caption in shown(post)
        assert shown(post).endswith(DISCLAIMER)
        assert drawing.sources[0][1] in post["blocks"][1]["elements"][0]["text"]
        assert (post["channel"], post["thread_ts"]) == ("C1", "9.9")


@pytest.mark.asyncio
async def test_a_drawing_comes_once_in_a_while_and_only_where_slack_can_fetch_it():
    async with slack(DRAWN) as s:
        for host in ("127.0.0.1:5005", "assistant", "bot.example.org", "bot.example.org"):
            s.client.headers["Host"] = host
            await s.answered(s.event(text="How is MS diagnosed?"))
        await s.answered(s.event(text="How is MS diagnosed?", channel="D2", user="U2"))
        await until(lambda: len(s.api.posts) == 7)
        assert [post["channel"] for post in s.api.posts if picture_in(post)] == ["D1", "D2"]


@pytest.mark.asyncio
async def test_a_drawing_that_slack_cannot_fetch_costs_nothing_but_a_line_in_the_log(caplog):
    async with slack(DRAWN) as s:
        s.client.headers["Host"] = "bot.example.org"
        s.api.reaches_pictures = False
        await s.event(text="How is MS diagnosed?")
        await until(lambda: "can anyone open https://bot.example.org/chat/drawings?" in caplog.text)
        await s.answered(s.event(text="again"))
        assert [post["text"].partition("\n")[0] for post in s.api.posts] == ["MRI shows spots."] * 2


@pytest.mark.parametrize("drawing", [drawings.read(file.stem) for file in drawings.FOLDER.glob("*.svg")])
@pytest.mark.parametrize("disclaimer", [DISCLAIMER, "&" * 900, ""], ids=["short", "long", "none"])
def test_slack_takes_each_drawing(drawing, disclaimer):
    check({"channel": "C1", **picture(drawing, "https://bot.example.org/chat/drawings", disclaimer)})
