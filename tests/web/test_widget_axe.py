"""Every state of the widget, in every look, without a violation that axe knows of."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import pytest
from playwright.sync_api import Page

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

LOOKS: Dict[str, Dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced-colors": {"forced_colors": "active"},
    "320px": {"viewport": {"width": 320, "height": 640}},
    "200%": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
    "400%": {"viewport": {"width": 320, "height": 200}, "device_scale_factor": 4},
    "high-contrast": {"contrast": "more", "color_scheme": "dark"},
}
STATES = [
    "closed",
    "open",
    "options",
    "answer",
    "comparison",
    "emergency",
    "crisis",
    "error",
    "unreachable",
    "busy",
    "too-long",
    "inline",
    "frame",
]


def bring_to(state: str, page: Page, say: Say) -> None:
    messages = {
        "answer": "What is MS?",
        "comparison": "compare",
        "emergency": "he is choking",
        "crisis": "I want to die",
        "error": "broken store",
        "unreachable": "crash",
        "busy": "What is MS?",
        "inline": "compare",
        "frame": "compare",
    }
    if state == "options":
        page.get_by_role("button", name="Options").click()
        page.get_by_role("button", name="Forget me").click()
    if state == "too-long":
        page.get_by_label("Your question").fill("x " * 1200)
        page.get_by_text("2400 characters are 400 too many.").first.wait_for()
    if state in messages:
        say(page, messages[state])
        if state in ("unreachable", "busy"):
            page.get_by_role("button", name="Try again").wait_for()
        else:
            answer = page.locator("article").last
            answer.get_by_text("This is general information").wait_for()
            if state == "answer":
                answer.locator("summary").click()
            if state in ("answer", "comparison", "inline", "frame"):
                answer.locator("figure svg").wait_for()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES)
def test_no_violation(
    state: str,
    look: str,
    open_chat: Open,
    say: Say,
    violations: Callable[[Page], List[str]],
    assistant: Any,
) -> None:
    inline = state in ("inline", "frame")
    assistant.refusal = "429 20" if state == "busy" else ""
    path = {"inline": "index.html", "frame": "frame.html"}.get(state, "embed.html")
    # axe itself breaks the policy with a style of its own.
    page = open_chat(opened=not inline and state != "closed", path=path, bypass_csp=True, **LOOKS[look])
    bring_to(state, page, say)
    assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["embed.html", "index.html"])
def test_nothing_sticks_out_sideways(path: str, look: str, open_chat: Open, say: Say) -> None:
    page = open_chat(opened=path == "embed.html", path=path, **LOOKS[look])
    bring_to("comparison", page, say)
    page.get_by_role("button", name="Options").click()
    wide = page.evaluate(
        """() => {
          const { shadowRoot } = document.querySelector('ms-als-chat');
          return [document.documentElement, ...shadowRoot.querySelectorAll('*:not(.sr, thead *, thead, svg *)')]
            .filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1)
            .filter((node) => !getComputedStyle(node).display.startsWith('inline'))
            .map((node) => `${node.tagName}.${node.className} ${node.scrollWidth} > ${node.clientWidth}`);
        }"""
    )
    assert wide == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["embed.html", "index.html"])
def test_targets_are_large(path: str, look: str, open_chat: Open, say: Say) -> None:
    page = open_chat(opened=path == "embed.html", path=path, **LOOKS[look])
    for state in ("answer", "emergency", "comparison"):
        bring_to(state, page, say)
    page.get_by_role("button", name="Options").click()
    sizes = page.evaluate(
        """() => [...document.querySelector('ms-als-chat').shadowRoot
          .querySelectorAll('a, button, input, textarea')]
          .map((node) => [node.textContent, node.getBoundingClientRect()])
          .filter(([, box]) => box.width).map(([text, { width, height }]) => [text, width, height])"""
    )
    assert len(sizes) > 12
    assert [size for size in sizes if size[1] < 44 or size[2] < 44] == []


@pytest.mark.parametrize("percent", [100, 200, 400])
def test_text_grows_with_the_page(percent: int, open_chat: Open, say: Say) -> None:
    page = open_chat(opened=False)
    page.evaluate("percent => { document.documentElement.style.fontSize = `${percent}%`; }", percent)
    page.get_by_role("button", name="Ask about MS or ALS").click()
    bring_to("comparison", page, say)
    size = page.locator("article p").last.evaluate("node => parseFloat(getComputedStyle(node).fontSize)")
    assert size >= 14 * percent / 100
    box = page.get_by_role("dialog").bounding_box()
    assert min(box["x"], box["y"]) >= 0
    assert max(box["width"] / 1280, box["height"] / 800) <= 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_small_root_font_of_a_site_does_not_shrink_the_text(open_chat: Open) -> None:
    page = open_chat(opened=False)
    page.evaluate("document.documentElement.style.fontSize = '62.5%'")
    launcher = page.get_by_role("button", name="Ask about")
    assert launcher.evaluate("node => getComputedStyle(node).fontSize") == "16px"


@pytest.mark.parametrize("look", ["light", "dark", "forced-colors"])
def test_focus_ring_has_two_colours(look: str, open_chat: Open) -> None:
    """A light and a dark ring: one of them contrasts with whatever is behind."""
    page = open_chat(**LOOKS[look])
    page.keyboard.press("Tab")
    style = page.evaluate(
        """() => {
          const { outlineStyle, outlineWidth, outlineColor, boxShadow } =
            getComputedStyle(document.activeElement.shadowRoot.activeElement);
          return { outlineStyle, outlineWidth, outlineColor, boxShadow };
        }"""
    )
    assert (style["outlineStyle"], style["outlineWidth"]) == ("solid", "3px")
    if look == "forced-colors":  # the system's colours, shadows are off
        return
    assert style["outlineColor"] == "rgb(255, 255, 255)"
    assert style["boxShadow"] == "rgb(0, 0, 0) 0px 0px 0px 6px"


def test_the_field_shows_that_it_has_the_focus_without_shadows(open_chat: Open) -> None:
    """Forced colours take the shadow that is its ring elsewhere."""
    page = open_chat(**LOOKS["forced-colors"])
    page.get_by_label("Your question").focus()
    page.get_by_role("button", name="Just diagnosed").wait_for()
    ring = page.locator(".field").evaluate("node => getComputedStyle(node).outline")
    assert "solid 2px" in ring
    page.get_by_role("button", name="Options").focus()
    assert "none" in page.locator(".field").evaluate("node => getComputedStyle(node).outline")


def test_nothing_moves_by_itself(open_chat: Open, say: Say) -> None:
    page = open_chat(reduced_motion="reduce")
    bring_to("answer", page, say)
    moving = page.evaluate(
        """() => [...document.querySelector('ms-als-chat').shadowRoot.querySelectorAll('*')].filter(node => {
          const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(node);
          return animationName !== 'none' || transitionDuration !== '0s' || scrollBehavior !== 'auto';
        }).length"""
    )
    assert moving == 0


def test_disclaimer_stays_in_sight(open_chat: Open, say: Say) -> None:
    for look in LOOKS.values():
        page = open_chat(**look)
        bring_to("comparison", page, say)
        foot = page.get_by_text("Not medical advice. Emergency: 112, 911, 999.")
        box = foot.bounding_box()
        height = page.viewport_size["height"]
        assert 0 <= box["y"] <= height - box["height"]
