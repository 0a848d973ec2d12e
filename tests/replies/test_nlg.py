"""Every reply leaves with its disclaimer and loses nothing on the way."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from actions import dialogue
from actions.question import Context, Message
from facts.schema import TOPICS
from facts.store import Snapshot
from replies.contract import Content
from replies.nlg import DisclaimerNLG

ROOT = Path(__file__).parent.parent.parent
KEYS = set(Content().to_dict())


@pytest.fixture(scope="module")
def domain() -> Domain:
    return Domain.load(str(ROOT / "domain.yml"))


@pytest.fixture(scope="module")
def nlg(domain: Domain) -> DisclaimerNLG:
    """As Rasa makes it: empty first, the responses of the model later."""
    made = DisclaimerNLG(None, Domain.empty())
    made.responses = domain.responses
    return made


@pytest.fixture
def tracker() -> DialogueStateTracker:
    return DialogueStateTracker("someone", [])


@pytest.fixture
def disclaimer(domain: Domain) -> str:
    text = str(domain.responses["utter_disclaimer"][0]["text"])
    assert "not medical advice" in text
    return text


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "outcome": "answered",
        "topic": "diagnosis",
        "question": "diagnosis/overview",
        "conditions": ["MS", "ALS"],
        "terms": [],
        "answer": "The answer.",
        "comparison": [{"aspect": "Key tests", "MS": "MRI", "ALS": "EMG"}],
        "facts": ["some-fact"],
        "sources": [
            {"title": "On MS", "publisher": "NICE", "url": "https://example.org/a_b?c=d", "year": 2024},
            {"title": "On ALS", "publisher": "NHS", "url": "https://example.org/e", "year": None},
        ],
        "reviewed": "2026-11-22",
        "checked": True,
        **changes,
    }


async def test_a_reply_of_the_action_is_finished_with_all_it_holds(
    nlg: DisclaimerNLG, tracker: DialogueStateTracker, disclaimer: str
) -> None:
    given = metadata()
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=given)
    assert message is not None
    assert message["metadata"] == {**metadata(), "disclaimer": disclaimer}
    lines = message["text"].split("\n")
    assert lines[0] == "The answer."
    assert "Key tests. MS: MRI. ALS: EMG." in lines
    assert "- On MS, NICE, 2024, https://example.org/a_b?c=d" in lines
    assert "- On ALS, NHS, no date, https://example.org/e" in lines
    assert "Facts last looked at: 2026-11-22." in lines
    assert lines[-1] == disclaimer


async def test_what_the_caller_lays_over_the_message_keeps_the_disclaimer(
    nlg: DisclaimerNLG, tracker: DialogueStateTracker
) -> None:
    """Rasa updates the message with the arguments of the call, metadata included."""
    call = {"metadata": metadata(), "buttons": [{"title": "t", "payload": "/cure"}]}
    message = await nlg.generate("utter_reply", tracker, "rest", **call)
    assert message is not None
    message.update(call)
    assert set(message["metadata"]) == KEYS


async def test_any_response_of_the_domain_gets_the_disclaimer(
    nlg: DisclaimerNLG, domain: Domain, tracker: DialogueStateTracker, disclaimer: str
) -> None:
    for name in domain.responses:
        for channel in ("rest", "slack", "telegram", "cmdline", "callback"):
            message = await nlg.generate(name, tracker, channel)
            assert message is not None
            assert message["text"].endswith(disclaimer)
            assert set(message["metadata"]) == KEYS


async def test_a_response_without_an_action_has_metadata_of_its_own(
    nlg: DisclaimerNLG, tracker: DialogueStateTracker
) -> None:
    message = await nlg.generate("utter_default", tracker, "rest")
    assert message is not None
    assert message["metadata"]["outcome"] == "error"
    assert message["metadata"]["answer"].startswith("I am sorry")
    assert message["text"].startswith("I am sorry")


async def test_one_reply_leaves_no_trace_in_the_next(nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    await nlg.generate("utter_reply", tracker, "rest", metadata=metadata())
    message = await nlg.generate("utter_default", tracker, "rest")
    assert message is not None
    assert message["metadata"]["sources"] == []
    assert message["metadata"]["comparison"] == []
    assert "example.org" not in message["text"]


async def test_an_unknown_response_is_none(nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    assert await nlg.generate("utter_nothing", tracker, "rest") is None


@pytest.mark.parametrize(
    "answer", ["Use {braces} here", "{", "}", "{}", "{answer}", "{disclaimer} {0} {name}", "100 % {x!r}", "a\\{b"]
)
async def test_braces_in_an_answer_survive(answer: str, nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=metadata(answer=answer))
    assert message is not None
    assert message["metadata"]["answer"] == answer
    assert message["text"].startswith(f"{answer}\n")


@pytest.mark.parametrize(
    "answer", ["one\ntwo", "one\n\ntwo", "one\n\n\ntwo", "one\n\n\n\ntwo", "one\n \ntwo", "one\n\n"]
)
async def test_a_text_has_no_blank_line(answer: str, nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    """Rasa's channels would cut the message there, and the disclaimer would drift off."""
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=metadata(answer=answer))
    assert message is not None
    assert "\n\n" not in message["text"]
    for word in answer.split():
        assert word in message["text"]


@pytest.mark.parametrize(
    "changes",
    [{"comparison": []}, {"sources": []}, {"reviewed": None}, {"sources": [], "comparison": [], "reviewed": None}],
)
async def test_what_a_reply_does_not_hold_has_no_heading(
    changes: dict[str, Any], nlg: DisclaimerNLG, tracker: DialogueStateTracker, disclaimer: str
) -> None:
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=metadata(**changes))
    assert message is not None
    assert ("Sources:" in message["text"]) == ("sources" not in changes)
    assert ("last looked at" in message["text"]) == ("reviewed" not in changes)
    assert message["text"].endswith(f"\n{disclaimer}")


async def test_an_answer_with_unread_sources_says_so(nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=metadata(checked=False))
    assert message is not None
    assert "not every source has been read" in message["text"]


async def test_only_what_a_clinician_signed_is_said_to_be_reviewed(
    nlg: DisclaimerNLG, tracker: DialogueStateTracker
) -> None:
    said = {}
    for more in ({}, {"signed": True}):
        message = await nlg.generate("utter_reply", tracker, "rest", metadata=metadata(**more))
        assert message is not None
        said[bool(more)] = message["metadata"]["disclaimer"]
        assert message["text"].endswith(said[bool(more)])
    assert all("not medical advice" in text for text in said.values())
    assert "not reviewed by a clinician" in said[False]
    assert "reviewed by a clinician" in said[True]
    assert "not reviewed" not in said[True]


async def test_buttons_stay_with_the_reply(nlg: DisclaimerNLG, tracker: DialogueStateTracker) -> None:
    buttons = [{"title": "And in ALS?", "payload": '/diagnosis{"condition":["ALS"]}'}]
    call = {"metadata": metadata(), "buttons": buttons}
    message = await nlg.generate("utter_reply", tracker, "rest", **call)
    assert {**(message or {}), **call}["buttons"] == buttons


@pytest.mark.parametrize("about", ["MS", "ALS", "MS ALS"])
async def test_nothing_of_any_answer_is_lost(
    about: str, nlg: DisclaimerNLG, tracker: DialogueStateTracker, facts: Snapshot, disclaimer: str
) -> None:
    for topic in TOPICS:
        asked = Message(
            intents=((topic, 0.9),), questions=((f"{topic}/overview", 0.9),), conditions=tuple(about.split())
        )
        content = dialogue.respond(asked, Context(), facts)[0].content(facts)
        given = content.to_dict()
        assert given["outcome"] == "answered"
        message = await nlg.generate("utter_reply", tracker, "rest", metadata=dict(given))
        assert message is not None
        assert message["metadata"] == {**given, "disclaimer": disclaimer}
        rows = [part for row in content.comparison for part in (row.aspect, row.MS, row.ALS)]
        parts = [content.answer, *rows, *(s.url for s in content.sources), str(content.reviewed), disclaimer]
        assert [part for part in parts if part not in message["text"]] == []
        assert message["text"].startswith(content.answer)
        assert message["text"].endswith(disclaimer)
        assert "\n\n" not in message["text"]


@pytest.mark.parametrize(
    "asked",
    [
        Message(alarm="emergency"), Message(alarm="crisis"), Message(language="de"), Message(intents=(("greet", 0.9),)),
        Message(intents=(("out_of_scope", 0.9),)), Message(intents=(("not_covered", 0.9),), conditions=("MS",)),
        Message(intents=(("personal_advice", 0.9),), text="should i stop it", conditions=("ALS",)),
    ],
    ids=lambda asked: asked.alarm or asked.language or asked.intent,
)  # fmt: skip
async def test_every_other_reply_is_finished_in_one_piece_too(
    asked: Message, nlg: DisclaimerNLG, tracker: DialogueStateTracker, facts: Snapshot, disclaimer: str
) -> None:
    given = dialogue.respond(asked, Context(), facts)[0].metadata(facts)
    message = await nlg.generate("utter_reply", tracker, "rest", metadata=dict(given))
    assert message is not None
    assert message["text"].startswith(given["answer"].strip())
    assert message["text"].endswith(disclaimer)
    assert "\n\n" not in message["text"]
    assert set(message["metadata"]) >= KEYS


def test_addresses_are_bare() -> None:
    """No markup that a channel would show as it is."""
    text = Content.from_dict({**metadata(), "disclaimer": "D."}).text
    assert "https://example.org/e\n" in text
    assert "](" not in text
    assert "<" not in text


@pytest.mark.parametrize("path", sorted((ROOT / "actions").glob("*.py")), ids=lambda path: path.name)
def test_no_action_utters_a_text_that_would_pass_the_disclaimer_by(path: Path) -> None:
    """`utter_message(text=...)` is not handed to the generator; only `response=` is."""
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text("utf8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "utter_message"
    ]
    for call in calls:
        names = {keyword.arg for keyword in call.keywords}
        assert not call.args, f"line {call.lineno}"
        assert "response" in names, f"line {call.lineno}"
        assert names.isdisjoint({"text", "image", "json_message", "template", "attachment", None}), (
            f"line {call.lineno}"
        )


def test_there_is_a_place_where_actions_speak() -> None:
    """The test above looks at something."""
    assert "utter_message(" in (ROOT / "actions" / "actions.py").read_text("utf8")
