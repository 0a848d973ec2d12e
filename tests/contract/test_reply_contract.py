"""The contract of a reply, over HTTP from a running assistant."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from actions.wording import UNKNOWN_BUTTON
from facts.store import Snapshot
from tests.contract.reply_contract import keep_to_contract


@pytest.fixture
def sender() -> str:
    return uuid.uuid4().hex


@pytest.mark.parametrize(
    ("text", "outcome", "topic", "conditions"),
    [
        ("how is MS diagnosed", "answered", "diagnosis", ["MS"]),
        ("what is the difference between als and ms", "answered", "difference", ["MS", "ALS"]),
        ("als treatment", "answered", "treatment", ["ALS"]),
        ("life expectancy motor neurone disease", "answered", "prognosis", ["ALS"]),
        ("what is riluzole", "answered", "drug", ["ALS"]),
        ("my dad has ALS, how fast does it progress?", "answered", "progression", ["ALS"]),
        ("Can MS be mistaken for lupus?", "answered", "mimics", ["MS"]),
        ("help me understand this", "clarify", None, []),
        ("how much does biogen earn with ms drugs", "not_covered", None, ["MS"]),
        ("symptoms of lupus", "other_condition", None, []),
        ("what will the weather be tomorrow", "out_of_scope", None, []),
        ("I have tingling in my hands, is it MS?", "personal_advice", ..., ["MS"]),
        ("should I stop taking my riluzole", "personal_advice", "drug", ["ALS"]),
        ("i want to kill myself", "crisis", None, []),
        ("my dad is choking on his food right now", "emergency", None, []),
        ("hello", "smalltalk", None, []),
        ("thank you so much", "smalltalk", None, []),
        ("start over", "smalltalk", None, []),
        ("forget me", "smalltalk", None, []),
    ],
)
def test_a_message_gets_its_outcome_in_the_shape_of_the_contract(
    text: str, outcome: str, topic: Any, conditions: list[str], assistant: Any, sender: str
) -> None:
    reply = assistant.ask(text, sender)
    metadata = keep_to_contract(reply)
    assert metadata["outcome"] == outcome
    assert topic is ... or metadata["topic"] == topic
    assert metadata["conditions"] == conditions
    assert reply["recipient_id"] == sender
    if outcome in ("answered", "personal_advice", "not_covered", "crisis", "emergency"):
        assert metadata["sources"]
    if outcome in ("answered", "personal_advice"):
        assert metadata["reviewed"]
    if outcome not in ("crisis", "emergency"):
        assert reply["buttons"]


def test_both_diseases_side_by_side_are_compared_in_rows(assistant: Any) -> None:
    metadata = keep_to_contract(assistant.ask("how do ms and als differ"))
    assert metadata["conditions"] == ["MS", "ALS"]
    assert metadata["comparison"]


def test_two_questions_get_two_answers(assistant: Any) -> None:
    metadata = keep_to_contract(assistant.ask("What causes ALS? And is there a cure for it?"))
    assert metadata["outcome"] == "answered"
    assert metadata["topics"] == ["cause", "cure"]
    assert metadata["conditions"] == ["ALS"]


@pytest.mark.parametrize(
    ("text", "claim"),
    [("is riluzole the only drug for ALS?", "A088"), ("Are MS drugs only for relapsing forms?", "A074")],
)
def test_an_outdated_claim_is_put_right(text: str, claim: str, assistant: Any, facts: Snapshot) -> None:
    metadata = keep_to_contract(assistant.ask(text))
    assert metadata["outcome"] == "answered"
    assert metadata["answer"].startswith(facts.claims[claim].correction)


def test_a_conversation_goes_on_from_turn_to_turn(assistant: Any, sender: str) -> None:
    first = keep_to_contract(assistant.ask("how is MS diagnosed", sender))
    other = keep_to_contract(assistant.ask("and for ALS?", sender))
    more = keep_to_contract(assistant.ask("tell me more", sender))
    simple = keep_to_contract(assistant.ask("more simply", sender))
    sure = keep_to_contract(assistant.ask("are you sure?", sender))
    cure = keep_to_contract(assistant.ask("is there a cure", sender))
    assert [m["topic"] for m in (first, other, more, simple, sure)] == ["diagnosis"] * 5
    assert [m["conditions"] for m in (first, other, more, simple, sure, cure)] == [["MS"]] + [["ALS"]] * 5
    assert set(more["facts"]).isdisjoint(other["facts"])
    assert other["answer"] in sure["answer"]
    assert cure["topic"] == "cure"


@pytest.mark.parametrize(
    ("text", "outcome", "topic"),
    [
        ("tell me more", "answered", "cure"),
        ("more simply", "answered", "cure"),
        ("and for ALS?", "answered", "cure"),
        ("start over", "smalltalk", None),
        ("forget me", "smalltalk", None),
    ],
)
def test_what_the_help_says_one_can_say_works(
    text: str, outcome: str, topic: str | None, assistant: Any, sender: str
) -> None:
    assert f'"{text}"' in assistant.ask("what can you do")["metadata"]["answer"]
    assistant.ask("is there a cure for ms", sender)
    metadata = assistant.ask(text, sender)["metadata"]
    assert (metadata["outcome"], metadata["topic"]) == (outcome, topic)


@pytest.mark.parametrize(
    "text", ["how is MS diagnosed", "hello", "help me understand this", "symptoms of lupus", "what is the weather"]
)
def test_every_button_that_is_shown_is_answered_when_pressed(text: str, assistant: Any, sender: str) -> None:
    buttons = assistant.ask(text, sender)["buttons"]
    assert buttons
    for button in buttons:
        metadata = keep_to_contract(assistant.ask(button["payload"], sender))
        assert metadata["outcome"] == "answered"
        assert button["payload"].startswith(f"/{metadata['topic']}")
        for condition in ("MS", "ALS"):
            if f'"{condition}"' in button["payload"]:
                assert metadata["conditions"] == [condition]


def test_a_button_may_still_be_pressed_a_few_turns_later(assistant: Any, sender: str) -> None:
    first = assistant.ask("how is MS diagnosed", sender)["buttons"][0]
    assistant.ask("thank you", sender)
    assistant.ask("is there a cure", sender)
    metadata = assistant.ask(first["payload"], sender)["metadata"]
    assert (metadata["outcome"], metadata["topic"], metadata["conditions"]) == ("answered", "diagnosis", ["ALS"])


@pytest.mark.parametrize(
    "payload",
    [
        "/out_of_scope",
        "/crisis",
        "/nlu_fallback",
        '/other_condition{"mimic":["lupus"]}',
        '/old_topic{"condition":["MS"]}',
        '/drug{"condition":["MS"]',
        "/session_start",
        "/utter_disclaimer",
        " /restart",
    ],
)
def test_a_button_that_is_none_of_ours_is_politely_not_known(payload: str, assistant: Any) -> None:
    reply = assistant.ask(payload)
    assert keep_to_contract(reply)["outcome"] == "clarify"
    assert reply["metadata"]["answer"] == UNKNOWN_BUTTON
    assert reply["buttons"]


def test_a_button_of_another_conversation_is_answered_from_what_it_says(assistant: Any) -> None:
    metadata = keep_to_contract(assistant.ask('/drug{"condition":["MS"]}'))
    assert (metadata["outcome"], metadata["topic"], metadata["conditions"]) == ("answered", "drug", ["MS"])
    shown = assistant.ask("symptoms of lupus", "shown-to-one-" + uuid.uuid4().hex)["buttons"][0]["payload"]
    assert shown.startswith("/mimics{")
    assert assistant.ask(shown)["metadata"]["topic"] == "mimics"


def test_restart_does_not_clear_a_conversation_behind_its_back(assistant: Any, sender: str) -> None:
    """In Rasa "/restart" wipes the conversation and answers nothing."""
    assistant.ask("how is MS diagnosed", sender)
    assert keep_to_contract(assistant.ask("/restart", sender))["answer"] == UNKNOWN_BUTTON
    assert assistant.ask("tell me more", sender)["metadata"]["topic"] == "diagnosis"


def test_conversations_do_not_know_each_other(assistant: Any) -> None:
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    assistant.ask("what causes als", one)
    assert assistant.ask("tell me more", other)["metadata"]["outcome"] == "clarify"
    assert assistant.ask("is there a cure", other)["metadata"]["conditions"] == ["MS", "ALS"]
    assert assistant.ask("tell me more", one)["metadata"]["topic"] == "cause"


def test_a_sender_is_told_apart_by_every_letter_of_its_id(assistant: Any) -> None:
    base = uuid.uuid4().hex
    assistant.ask("what causes als", f"{base}a")
    for other in (f"{base}A", f"rest:{base}a", f"{base}", f"{base}a."):
        assert assistant.ask("tell me more", other)["metadata"]["outcome"] == "clarify"


def test_people_who_ask_at_the_same_time_each_get_their_own_answer(assistant: Any) -> None:
    def talk(number: int) -> list[tuple[str, str, str, list[str]]]:
        sender, disease = f"crowd-{number}-{uuid.uuid4().hex}", ("MS", "ALS")[number % 2]
        replies = [assistant.ask(text, sender) for text in (f"what causes {disease}", "tell me more", "is it curable")]
        assert {reply["recipient_id"] for reply in replies} == {sender}
        return [
            (disease, r["metadata"]["outcome"], r["metadata"]["topic"], r["metadata"]["conditions"]) for r in replies
        ]

    with ThreadPoolExecutor(8) as pool:
        for told in pool.map(talk, range(16)):
            assert [t[1:] for t in told] == [("answered", topic, [told[0][0]]) for topic in ("cause", "cause", "cure")]


def test_a_long_conversation_keeps_its_thread(assistant: Any, sender: str) -> None:
    for _ in range(12):
        assistant.ask("what are the symptoms of ms", sender)
        assistant.ask("thanks", sender)
    metadata = assistant.ask("and for als?", sender)["metadata"]
    assert (metadata["topic"], metadata["conditions"]) == ("symptoms", ["ALS"])
