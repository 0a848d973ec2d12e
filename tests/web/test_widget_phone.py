"""Small screens: the whole height, Back, the keyboard, 400 %."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import reply

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
#: A stand-in for what a phone tells of its keyboard, which a desktop's browser has not.
KEYBOARD = """
  const seen = new EventTarget();
  Object.assign(seen, { height: innerHeight, offsetTop: 0, scale: 1 });
  Object.defineProperty(window, 'visualViewport', { value: seen });
  window.keyboard = (height, scale = 1) => {
    Object.assign(seen, { height, scale });
    seen.dispatchEvent(new Event('resize'));
  };
"""


def box(page: Page, selector: str) -> dict:
    return dict(page.locator(selector).last.evaluate("node => node.getBoundingClientRect().toJSON()"))


def settled(page: Page) -> None:
    """Until chat-phone.js has made its entry in the history."""
    for _ in range(100):
        if page.evaluate("history.state?.['ms-als-chat'] || false"):
            return
        page.wait_for_timeout(20)
    raise AssertionError("no entry in the history")


def test_the_panel_takes_the_whole_screen(open_chat: Open) -> None:
    page = open_chat(**PHONE)
    panel = box(page, "dialog")
    assert (panel["x"], panel["y"], panel["width"], panel["height"]) == (0, 0, 360, 640)


@pytest.mark.parametrize("path", ["embed.html", "index.html", "frame.html"])
def test_the_first_screen_is_one_screen(path: str, open_chat: Open) -> None:
    """Greeting, tiles and emergency numbers, without scrolling."""
    page = open_chat(opened=path == "embed.html", path=path, **PHONE)
    page.get_by_role("button", name="Just diagnosed").wait_for()
    log, numbers = box(page, "[role=log]"), box(page, ".sos")
    assert 0 <= log["top"] <= box(page, ".first h3")["top"]
    assert numbers["bottom"] <= log["bottom"] - 8
    assert numbers["height"] < 60  # one line
    assert page.locator("[role=log]").evaluate("node => node.scrollHeight <= node.clientHeight")
    assert box(page, ".foot")["bottom"] <= 640


@pytest.mark.parametrize(
    ("tile", "question"),
    [
        ("Just diagnosed", "I have just been diagnosed with MS or ALS. What now?"),
        ("For someone I love", "How can I help somebody I love who has MS or ALS?"),
        ("What is ALS?", "What is ALS?"),
    ],
)
def test_a_tile_asks_its_question(tile: str, question: str, open_chat: Open, assistant: Any) -> None:
    page = open_chat(**PHONE)
    page.get_by_role("button", name=tile).click()
    expect(page.locator("article.me")).to_contain_text(question)
    expect(page.locator("article.bot")).to_contain_text(f"You wrote: {question}")


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("just diagnosed", "I have just been diagnosed with MS or ALS. What now?"),
        ("For someone I love.", "How can I help somebody I love who has MS or ALS?"),
        ("Living with it", "What helps people live with MS or ALS?"),
        ("just diagnosed last week", "just diagnosed last week"),
    ],
)
def test_who_types_what_stands_on_a_tile_asks_its_question(
    typed: str, question: str, open_chat: Open, say: Any, assistant: Any
) -> None:
    page = open_chat(**PHONE)
    page.get_by_role("button", name="Just diagnosed").wait_for()
    say(page, typed)
    expect(page.locator("article.bot")).to_contain_text(f"You wrote: {question}")
    say(page, "Compare them")  # no tile is on the screen any more: what was talked about decides
    expect(page.locator("article.bot").last).to_contain_text("You wrote: Compare them")


def test_nothing_touches_the_ring_of_the_field(open_chat: Open) -> None:
    for look in (PHONE, {}, {"viewport": {"width": 320, "height": 256}}):
        page = open_chat(**look)
        page.get_by_role("button", name="Just diagnosed").wait_for()
        page.get_by_label("Your question").focus()
        below = page.locator(".field ~ p").evaluate_all(
            "nodes => nodes.map(node => node.getBoundingClientRect()).filter(box => box.height).map(box => box.top)"
        )
        assert min(below) >= box(page, ".field")["bottom"] + 2 + 4  # the ring is two pixels wide


def test_the_conversation_takes_most_of_the_screen(open_chat: Open) -> None:
    page = open_chat(**PHONE)
    assert box(page, "[role=log]")["height"] > 0.68 * 640


def test_back_closes_the_panel_and_stays_on_the_site(open_chat: Open) -> None:
    page = open_chat(**PHONE)
    settled(page)
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.url.endswith("/embed.html")
    expect(page.get_by_role("button", name="Ask about")).to_be_visible()
    page.get_by_role("button", name="Ask about").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_closing_leaves_no_entry_behind(open_chat: Open) -> None:
    page = open_chat(**PHONE)
    settled(page)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Ask about")).to_be_visible()
    page.wait_for_timeout(200)
    assert page.evaluate("history.state?.['ms-als-chat'] || null") is None
    assert page.url.endswith("/embed.html")


def test_on_a_large_screen_back_goes_back(open_chat: Open) -> None:
    page = open_chat()
    page.wait_for_timeout(200)
    assert page.evaluate("history.state") is None


def test_a_keyboard_leaves_field_and_last_answer_in_sight(open_chat: Open, say: Say) -> None:
    page = open_chat(script=KEYBOARD, **PHONE)
    settled(page)
    for count in range(1, 4):
        say(page, "What is MS?")
        expect(page.locator("article.bot")).to_have_count(count)
    page.evaluate("keyboard(300)")
    page.wait_for_timeout(100)
    assert box(page, "dialog")["height"] == 300
    field, answer = box(page, ".field"), box(page, "article.bot .text")
    assert field["bottom"] <= 300
    assert 0 <= answer["top"] < field["top"] - 40
    page.evaluate("keyboard(200, 2)")  # zoomed in with two fingers: nothing moves
    assert box(page, "dialog")["height"] == 640
    page.evaluate("keyboard(640)")
    assert box(page, "dialog")["height"] == 640


@pytest.mark.parametrize("path", ["embed.html", "index.html", "frame.html"])
@pytest.mark.parametrize("size", [(320, 256), (320, 200), (640, 360)])
def test_nothing_covers_the_field_at_400_percent(
    path: str, size: tuple, open_chat: Open, say: Say, assistant: Any
) -> None:
    page = open_chat(opened=path == "embed.html", path=path, viewport={"width": size[0], "height": size[1]})
    for message in ("compare", "What is MS?"):
        say(page, message)
        expect(page.locator("article.me")).to_contain_text([message])
        page.locator("article.bot").last.get_by_text("Was this helpful?").wait_for()
        field = box(page, ".field")
        assert 0 <= field["top"] < field["bottom"] <= size[1]
        at_field = """() => {
          const { shadowRoot } = document.querySelector('ms-als-chat');
          const { x, y, width, height } = shadowRoot.querySelector('textarea').getBoundingClientRect();
          return shadowRoot.elementFromPoint(x + width / 2, y + height / 2).tagName;
        }"""
        assert page.evaluate(at_field) == "TEXTAREA"
        # And the answer can be read above it.
        answer = box(page, "article.bot .text")
        assert -2 <= answer["top"] < field["top"] - 20


def test_in_a_crisis_all_numbers_stand_in_one_column(open_chat: Open, say: Any, assistant: Any) -> None:
    lines = (
        "Please talk to someone now.\nUS: Call or text 988. Chat at 988lifeline.org.\nNew Zealand: Call or text 1737."
    )
    assistant.replies["help"] = [
        reply(f"{lines}\nUK: Call Samaritans on 116 123. Text SHOUT to 85258.", outcome="crisis")
    ]
    for width in (320, 390, 1280):
        page = open_chat(viewport={"width": width, "height": 700})
        say(page, "help")
        ways = page.locator(".row > span > span")
        expect(ways).to_have_count(5)
        assert len(set(ways.evaluate_all("nodes => nodes.map((node) => node.getBoundingClientRect().left)"))) == 1
        assert page.locator(".row").evaluate_all("nodes => nodes.every((node) => node.scrollWidth <= node.clientWidth)")
