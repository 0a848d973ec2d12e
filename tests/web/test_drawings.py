"""The drawings: what they say in words, where that is from, and when they are shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Dict
from xml.etree import ElementTree

import pytest
import yaml
from playwright.sync_api import Page, expect

from facts import drawings
from tests.web.conftest import ROOT, WEB, reply

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

DRAWINGS = sorted((WEB / "drawings").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
#: Question, diseases, what was named, and the drawing that goes with them.
SHOWN = [
    ("definition/overview", ["MS"], [], "nerve-ms"),
    ("definition/overview", ["ALS"], [], "neurons-als"),
    ("definition/overview", ["MS", "ALS"], [], "side-by-side"),
    ("definition/lifelong", ["MS"], [], None),
    ("myelin/demyelination", ["MS"], [], "nerve-ms"),
    ("difference/overview", ["MS", "ALS"], [], "side-by-side"),
    ("difference/which_worse", ["MS", "ALS"], [], None),
    ("difference/tests", ["MS", "ALS"], [], "mri-emg"),
    ("types/overview", ["MS"], [], "ms-courses"),
    ("types/overview", ["ALS"], [], "als-onset"),
    ("progression/overview", ["MS"], [], "ms-courses"),
    ("progression/relapse_steroids", ["MS"], [], None),
    ("diagnosis/overview", ["MS"], [], "mri"),
    ("diagnosis/overview", ["ALS"], [], "emg"),
    ("diagnosis/overview", ["MS", "ALS"], [], "mri-emg"),
    ("diagnosis/test", ["MS"], ["mri"], "mri"),
    ("diagnosis/test", ["MS"], ["emg"], None),
    ("diagnosis/how_long", ["ALS"], [], None),
    ("early_signs/overview", ["ALS"], [], "als-onset"),
    ("early_signs/overview", ["MS"], [], None),
    ("prognosis/overview", ["MS"], [], None),
    (None, ["ALS"], [], None),  # nothing was answered
]


def parsed(file: Path) -> Any:
    return ElementTree.parse(file).getroot()


def test_each_is_shown_with_some_question() -> None:
    assert {file.stem for file in DRAWINGS} == {name for *_, name in SHOWN if name}


def test_each_goes_with_questions_that_there_are() -> None:
    named = {question for one in drawings.explained().values() for some in one.values() for question in some}
    for question in named:
        topic, name = question.partition(":")[0].split("/")
        questions = yaml.safe_load((ROOT / f"facts/topics/{topic}.yml").read_text("utf8"))["questions"]
        assert name in {one["id"] for one in questions}, question


@pytest.mark.parametrize(("question", "conditions", "terms", "name"), SHOWN)
def test_all_channels_show_the_same(question: str, conditions: list, terms: list, name: str) -> None:
    drawing = drawings.drawing_for(question, conditions, terms)
    assert (drawing and drawing.name) == name


def test_the_widget_looks_for_a_drawing_in_each_topic_that_has_one() -> None:
    pictured = re.search(r"const PICTURED = /\^\((.*)\)\$/", (WEB / "chat-parts.js").read_text("utf8"))
    named = {question for one in drawings.explained().values() for some in one.values() for question in some}
    assert pictured
    assert set(pictured[1].split("|")) == {question.partition("/")[0] for question in named}


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: file.stem)
def test_each_says_in_words_what_it_shows_and_where_that_is_from(file: Path) -> None:
    svg = parsed(file)
    assert svg.find(f"{SVG}title").text
    assert 100 < len(" ".join(svg.find(f"{SVG}desc").text.split())) < 600
    metadata = svg.find(f"{SVG}metadata")
    assert 40 < len(metadata.find(f"{SVG}caption").text) < 350
    known = {source["url"] for source in yaml.safe_load((ROOT / "facts/sources.yml").read_text("utf8"))}
    urls = [source.get("url") for source in metadata.iter(f"{SVG}source")]
    assert urls
    assert set(urls) <= known


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: file.stem)
def test_each_is_a_still_picture_that_takes_the_colours_of_its_page(file: Path) -> None:
    text = file.read_text("utf8")
    assert len(text) < 6_000
    for node in parsed(file).iter():
        assert node.tag.removeprefix(SVG) in {
            *("svg", "title", "desc", "metadata", "caption", "source"),
            *("g", "path", "circle", "ellipse", "rect", "text"),
        }
        for name, value in node.attrib.items():
            assert not name.startswith("on")
            assert name not in ("style", "id", "class", "href")
            if name in ("fill", "stroke"):
                assert re.fullmatch(r"none|var\(--[a-z]+, #[0-9a-f]{3,6}\)", value), value
            if name == "font-size":
                assert float(value) >= 13  # at 360 wide: readable on a phone


@pytest.mark.parametrize(("question", "conditions", "terms", "name"), SHOWN)
def test_each_is_shown_with_what_it_explains(
    question: str, conditions: list, terms: list, name: str, open_chat: Open, say: Say, assistant: Any
) -> None:
    topic = (question or "diagnosis/").split("/")[0]
    asked = {"topic": topic, "question": question, "conditions": conditions, "terms": terms}
    assistant.replies["ask"] = [reply("The answer.", **asked)]
    page = open_chat()
    say(page, "ask")
    expect(page.get_by_text("Was this helpful?")).to_be_visible()
    if name:
        expect(page.locator("figure")).to_have_attribute("data-name", name)
        picture = page.get_by_role("img")
        expect(picture).to_have_accessible_name(re.compile(re.escape(parsed(WEB / f"drawings/{name}.svg")[0].text)))
        expect(page.locator("figcaption").get_by_role("link").first).to_be_visible()
    else:
        page.wait_for_timeout(200)
        expect(page.locator("figure")).to_have_count(0)


def test_a_reply_may_name_its_drawing(open_chat: Open, say: Say, assistant: Any) -> None:
    assistant.replies["ask"] = [reply("The answer.", topic="prognosis", conditions=["MS"], drawing="ms-courses")]
    assistant.replies["odd"] = [
        reply("Another.", topic="prognosis", drawing="../../secret"),
        reply("x", drawing="none-such"),
    ]
    page = open_chat()
    say(page, "ask")
    expect(page.locator("figure svg")).to_be_visible()
    say(page, "odd")
    expect(page.get_by_text("Another.").first).to_be_visible()
    page.wait_for_timeout(300)
    expect(page.locator("figure")).to_have_count(1)


@pytest.mark.parametrize("outcome", ["personal_advice", "not_covered", "clarify"])
def test_beside_what_is_asked_of_oneself_no_channel_shows_a_drawing(
    outcome: str, open_chat: Open, say: Say, assistant: Any
) -> None:
    """It would look like a picture of that person's own case. Slack and Telegram: tests/channels."""
    asked = {"topic": "diagnosis", "question": "diagnosis/white_spots", "conditions": ["MS"]}
    assistant.replies["ask"] = [reply("The answer.", outcome=outcome, **asked)]
    page = open_chat()
    say(page, "ask")
    page.get_by_text("Was this helpful?").wait_for()
    page.wait_for_timeout(300)
    expect(page.locator("figure")).to_have_count(0)


def test_what_was_shown_a_moment_ago_is_not_shown_again(open_chat: Open, say: Say) -> None:
    page = open_chat()
    for count, message in enumerate(("compare", "compare", "plain", "plain", "plain", "compare"), 1):
        say(page, message)
        expect(page.locator("article.bot")).to_have_count(count)
        page.locator("article.bot").last.get_by_text("Was this helpful?").wait_for()
        if count == 1:
            expect(page.locator("figure svg")).to_be_visible()
    expect(page.locator("figure svg")).to_have_count(2)
    expect(page.locator("article.bot").last.locator("figure svg")).to_be_visible()


def test_a_drawing_follows_light_and_dark(open_chat: Open, say: Say) -> None:
    ink = "node => getComputedStyle(node).fill"
    found: Dict[str, str] = {}
    for scheme in ("light", "dark"):
        page = open_chat(color_scheme=scheme)
        say(page, "compare")
        found[scheme] = page.locator("figure svg text").last.evaluate(ink)
    assert found == {"light": "rgb(23, 35, 43)", "dark": "rgb(233, 239, 242)"}


def test_a_drawing_that_does_not_come_leaves_no_gap(open_chat: Open, say: Say) -> None:
    page = open_chat(opened=False)
    page.route("**/drawings/*", lambda route: route.abort())
    page.get_by_role("button", name="Ask about").click()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    page.wait_for_timeout(200)
    expect(page.locator("figure")).to_have_count(0)
