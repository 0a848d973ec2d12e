"""What both chat channels share: nothing lost, nothing too long, nothing taken for control input."""

from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.rendering import pack, shortened, split, utf16_length, web_address
from channels.seen import Seen
from channels.words import typed
from replies.contract import Content
from tests.channels.outcomes import DISCLAIMER, OUTCOMES, reply


@settings(max_examples=150, deadline=None)
@given(st.text("ab.!\n &<\U0001f600é", max_size=400), st.integers(8, 60), st.sampled_from([0, 1, 2]))
def test_splitting_keeps_every_character_but_white_space_at_the_cuts(text, limit, way):
    size = [len, utf16_length, lambda t: len(html.escape(t))][way]
    pieces = split(text, limit, size)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < size(p) <= limit for p in pieces)


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("One two. Three four.", 12, ["One two.", "Three four."]),
        ("first line\nsecond line", 15, ["first line", "second line"]),
        ("word " * 3, 9, ["word word", "word"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("", 5, []),
    ],
)
def test_splitting_prefers_lines_then_sentences_then_words(text, limit, pieces):
    assert split(text, limit) == pieces


def test_packing_keeps_the_order_and_gives_a_large_piece_its_own_message():
    assert pack([1, 2, 9, 1], lambda group: sum(group) <= 3) == [[1, 2], [9], [1]]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "", None, "https://", "http://[", "//x.org"]
)
def test_only_addresses_of_the_web_are_linked(url):
    assert web_address(url) == ""


def test_an_address_is_made_safe_for_a_link():
    assert web_address('https://x.org/a b?q="<ü>&r=1%20') == "https://x.org/a%20b?q=%22%3C%C3%BC%3E&r=1%20"


def test_a_title_is_cut_at_a_word():
    assert shortened("Does it affect the bladder?", 20) == "Does it affect the…"
    assert shortened("x" * 30, 10) == "x" * 9 + "…"


def test_a_reply_without_metadata_is_its_text_with_the_disclaimer_apart():
    content = Content.from_message({"text": f"An answer.\n{DISCLAIMER}", "metadata": {"disclaimer": DISCLAIMER}})
    assert (content.answer, content.disclaimer) == ("An answer.", DISCLAIMER)
    assert Content.from_message({"text": "An answer."}).answer == "An answer."


def test_the_parts_of_a_reply_come_from_its_metadata():
    content = Content.from_message(OUTCOMES["answered"])
    assert [row.aspect for row in content.comparison] == ["Key tests", "Usual onset"]
    assert content.comparison[1].text == "Usual onset\nMS: 20 to 40 years\nALS: 55 to 75 years"
    assert "2026-11-22" in content.review
    assert "not every source" in content.review
    assert "javascript" in content.sources[2].text
    assert len(content.buttons) == 7


def test_two_answers_stand_apart():
    assert Content.from_message(reply("answered", "It is not known.\nThere is no cure.")).paragraphs == (
        "It is not known.\n\nThere is no cure."
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            {"title": "MS Trust, home page", "publisher": "MS Trust", "url": "https://x.org", "year": None},
            "MS Trust, home page, no date, https://x.org",
        ),
        (
            {"title": "Children with MS", "publisher": "Children", "url": "https://x.org", "year": 2019},
            "Children with MS, Children, 2019, https://x.org",
        ),
        ({"title": "", "publisher": "NHS", "url": "https://x.org", "year": 2024}, "NHS, 2024, https://x.org"),
    ],
)
def test_a_source_is_named_once_with_its_year(source, text):
    assert Content.from_message(reply("answered", "A.", sources=[source])).sources[0].text == text


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("/restart", "restart"),
        (" \t/\u200b/ /intent{}", "intent{}"),
        ("\u200b/restart", "restart"),
        ("\uff0frestart", "restart"),
        ("MS and/or ALS /x", "MS and/or ALS /x"),
        ("a\x00b \ud800", "ab ?"),
        ("///", ""),
    ],
)
def test_typed_text_is_never_control_input(text, taken):
    assert typed(text) == taken


async def test_seen_knows_a_repeated_delivery_by_any_of_its_names_and_forgets_the_oldest():
    seen = Seen(most=3)
    assert await seen.first("event 1", "message 1")
    assert not await seen.first("event 2", "message 1")
    assert await seen.first("event 2")
    assert await seen.first("event 3")
    assert await seen.first("event 1")


async def test_seen_forgets_after_a_while():
    seen = Seen()
    assert await seen.first("x", seconds=-1)
    assert await seen.first("x", seconds=-1)
