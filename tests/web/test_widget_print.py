"""Paper: the whole conversation, wherever it stood on the screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, List

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

PHONE = {"viewport": {"width": 360, "height": 640}}
#: What is true while the printer looks: that nothing is cut, and that nothing lies over anything else.
ON_PAPER = """() => {
  const { shadowRoot: root } = document.querySelector('ms-als-chat');
  const panel = root.querySelector('.panel');
  const rects = [...document.querySelectorAll('h1, main p, main pre'), ...root.querySelectorAll('article')]
    .map((node) => node.getBoundingClientRect()).filter((box) => box.height);
  return {
    topLayer: panel.matches(':modal, :popover-open'),
    position: getComputedStyle(panel).position,
    cut: [panel, root.querySelector('.body'), root.querySelector('.log')]
      .some((node) => node.scrollHeight > node.clientHeight + 2),
    over: rects.some((a, i) => rects.slice(i + 1).some((b) => b.top < a.bottom - 1 && a.top < b.bottom - 1
      && b.left < a.right - 1 && a.left < b.right - 1)),
    field: root.querySelector('textarea').checkVisibility(),
    sources: [...root.querySelectorAll('details')].every((one) => one.open),
    articles: root.querySelectorAll('article').length,
  };
}"""


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["embed.html", "index.html", "frame.html"])
def test_the_browsers_own_print_takes_all_of_it(
    path: str, look: dict, open_chat: Open, say: Say, tmp_path: Path
) -> None:
    page = open_chat(opened=path == "embed.html", path=path, **look)
    for count in range(1, 6):
        say(page, "compare")
        expect(page.locator("article.bot")).to_have_count(count)
        page.locator("article.bot").last.get_by_text("Was this helpful?").wait_for()
    page.get_by_label("Your question").focus()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    found = page.evaluate(ON_PAPER)
    assert found == {
        "topLayer": False,
        "position": "static",
        "cut": False,
        "over": False,
        "field": False,
        "sources": True,
        "articles": 10,
    }
    page.emulate_media(media="null")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_label("Your question")).to_be_visible()
    assert page.evaluate("document.querySelector('ms-als-chat').shadowRoot.activeElement.tagName") == "TEXTAREA"
    expect(page.get_by_text("National MS Society, 2023").last).to_be_hidden()
    # And as a file: several sheets, not one screenful.
    pdf = page.pdf(path=tmp_path / "chat.pdf")
    assert len(re.findall(rb"/Type /Page\b", pdf)) >= 4
    expect(page.get_by_label("Your question")).to_be_visible()


def test_the_width_of_paper_does_not_lift_it_again(open_chat: Open, say: Say) -> None:
    """A phone's screen is narrow, its paper is not."""
    page = open_chat(**PHONE)
    say(page, "compare")
    page.get_by_text("Was this helpful?").wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 800, "height": 1100})
    page.wait_for_timeout(200)
    assert not page.evaluate(ON_PAPER)["topLayer"]
    page.set_viewport_size(PHONE["viewport"])
    page.emulate_media(media="null")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.locator("dialog").evaluate("node => node.matches(':modal')")


def test_a_shut_chat_leaves_nothing_on_paper(open_chat: Open) -> None:
    page = open_chat(opened=False)
    page.emulate_media(media="print")
    assert page.get_by_role("button", name="Ask about").is_hidden()


def test_print_of_the_menu_holds_tables_drawings_and_sources(open_chat: Open, say: Say) -> None:
    keep = """
      window.print = () => { top.paper = document.body.cloneNode(true);
        top.styles = document.adoptedStyleSheets.length; };
    """
    page = open_chat(script=keep)
    say(page, "compare")
    expect(page.locator("figure svg")).to_be_visible()
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Print").click()
    expect(page.locator("[role=status].sr")).to_have_text("Printing was not allowed.")  # it never began
    found: List[Any] = page.evaluate(
        """() => [paper.querySelectorAll('td').length, paper.querySelectorAll('figure svg').length,
          paper.querySelectorAll('details[open] li').length, paper.querySelectorAll('button').length, styles]"""
    )
    assert found == [6, 1, 2, 0, 1]
