"""The widget on other people's pages: their styles, their ways to load it, their policies and frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import WEB

Say = Callable[[Page, str], None]
Context = Callable[..., BrowserContext]

#: What sites do, and what nobody should. None of it may change anything inside.
HOSTILE = {
    "colour of everything": "* { color: #333 !important; background: #eee !important; }",
    "fonts of everything": "* { font: inherit; color: inherit; } body { font: 10.5px/3 cursive; }",
    "capitals and spacing": """body { text-transform: uppercase; letter-spacing: .25em; word-spacing: 2em;
        text-indent: 3em; text-shadow: 2px 2px red; font-variant: small-caps; -webkit-text-fill-color: lime; }""",
    "another direction": """html { direction: rtl; writing-mode: vertical-rl; }
        body { white-space: pre; text-align: end; }""",
    "small root": "html { font-size: 62.5%; -webkit-text-size-adjust: 300%; } * { font-size: 1.1rem; line-height: 1; }",
    "form controls": """button, input, textarea, label { all: unset !important; display: none !important; }
        a { color: red !important; text-decoration: none !important; }""",
    "boxes": """div, section, dialog, p, article, table { display: none !important; position: static !important; }
        * { box-sizing: content-box !important; border: 5px solid red !important; float: left !important; }""",
    "the element itself": """ms-als-chat, ms-als-chat * { opacity: .1; filter: blur(4px); transform: scale(.5);
        visibility: hidden; pointer-events: none; user-select: none; cursor: none; line-height: 0; }""",
    "same names": """:root { --bg: red; --card: 0 0% 100%; --ink: red; --line: x; --accent: 210 40% 96%; --on: red;
        --round: 99px; --small: 50px; --tint: red; --soft: red; --edge: -900px; }
        .panel, .log, .row, .me, .note, .send, .field { display: none !important; color: red !important; }""",
    "motion": """@keyframes spin { to { rotate: 1turn } }
        * { animation: spin 1s infinite; transition: all 9s !important; scroll-behavior: smooth; }
        :focus, :focus-visible { outline: 0 !important; }""",
    "another scheme": """html { color-scheme: only dark; accent-color: red; caret-color: red; }
        * { list-style: none; quotes: none; }""",
}
RESETS = ["normalize.css", "eric-meyer.css", "tailwind.css"]

#: All that can be seen of everything inside: the looks, and the place within the panel.
SEEN = """() => {
  const { shadowRoot: root } = document.querySelector('ms-als-chat');
  const names = [
    'color', 'backgroundColor', 'fontFamily', 'fontSize', 'fontWeight', 'fontVariant', 'lineHeight',
    'letterSpacing', 'wordSpacing', 'textTransform', 'textIndent', 'textShadow', 'textAlign', 'direction',
    'writingMode', 'whiteSpace', 'visibility', 'pointerEvents', 'userSelect', 'cursor', 'listStyleType',
    'opacity', 'display', 'position', 'borderTopWidth', 'borderTopColor', 'paddingTop', 'marginTop',
    'outlineStyle', 'animationName', 'transitionDuration', 'textDecorationLine', 'webkitTextFillColor',
    'caretColor', 'colorScheme', 'scrollBehavior',
  ];
  const base = root.querySelector('.panel').getBoundingClientRect();
  return [...root.querySelectorAll('.panel, .panel *')].map((node) => {
    const style = getComputedStyle(node);
    const box = node.getBoundingClientRect();
    const place = [box.x - base.x, box.y - base.y, box.width, box.height].map(Math.round);
    const kind = `${node.tagName}.${node.className.baseVal ?? node.className}`;
    return [kind, ...place, ...names.map((name) => style[name])].join('|');
  });
}"""


def chat_page(head: str = "", body: str = "<ms-als-chat></ms-als-chat>") -> str:
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Site</title>{head}<body>{body}</body></html>'


SCRIPT = '<script src="/ms-als-chat.js" defer></script>'
#: For pages that need more than the usual policy allows.
OPEN = "default-src * 'unsafe-inline' data: blob:"


def talk(page: Page, say: Say) -> None:
    """Opens the chat if need be, asks, and waits until the whole answer is there, with its parts."""
    launcher = page.get_by_role("button", name="Ask about")
    launcher.or_(page.get_by_role("dialog")).first.wait_for()
    if launcher.is_visible():
        launcher.click()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("article")).to_have_count(2)


def seen(page: Page, assistant: Any, css: str, say: Say, body: str = "<ms-als-chat></ms-als-chat>") -> List[str]:
    assistant.policy = OPEN
    assistant.page = chat_page(f"<style>{css}</style>{SCRIPT}", body)
    page.goto(f"{assistant.url}/page")
    page.evaluate("localStorage.clear()")
    talk(page, say)
    expect(page.locator("figure svg")).to_be_visible()
    page.mouse.move(1, 1)
    return list(page.evaluate(SEEN))


@pytest.fixture
def untouched(assistant: Any, new_context: Context, say: Say) -> Callable[..., List[str]]:
    """How it looks on a page without styles."""
    return lambda **look: seen(new_context(**look).new_page(), assistant, "", say)


def differences(one: List[str], other: List[str]) -> List[str]:
    assert len(one) == len(other)
    return [f"{a}\n{b}" for a, b in zip(one, other, strict=True) if a != b][:3]


# Styles


@pytest.mark.parametrize("name", HOSTILE)
def test_styles_of_a_site_stay_outside(
    name: str, untouched: Callable[..., List[str]], assistant: Any, new_context: Context, say: Say
) -> None:
    page = new_context().new_page()
    assert differences(untouched(), seen(page, assistant, HOSTILE[name], say)) == []


@pytest.mark.parametrize("name", RESETS)
def test_resets_that_sites_use_stay_outside(
    name: str, modules: Path, untouched: Callable[..., List[str]], assistant: Any, new_context: Context, say: Say
) -> None:
    css = (modules / "@unocss/reset" / name).read_text(encoding="utf-8")
    look = {"color_scheme": "dark"}
    page = new_context(**look).new_page()
    assert differences(untouched(**look), seen(page, assistant, css, say)) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_button_and_panel_are_where_they_should_be(name: str, assistant: Any, new_context: Context) -> None:
    assistant.policy = OPEN
    assistant.page = chat_page(f"<style>{HOSTILE[name]}</style>{SCRIPT}")
    page = new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{assistant.url}/page")
    launcher = page.get_by_role("button", name="Ask about")
    box = launcher.bounding_box()
    assert (round(box["x"] + box["width"]), round(box["y"] + box["height"])) == (1260, 780)
    launcher.click()
    box = page.get_by_role("dialog").bounding_box()
    assert (round(box["x"] + box["width"]), round(box["y"] + box["height"])) == (1260, 780)
    assert (round(box["width"]), round(box["height"])) == (424, 704)


def test_dark_contrast_holds_on_a_site_that_colours_everything(
    assistant: Any, new_context: Context, say: Say, violations: Callable[[Page], List[str]]
) -> None:
    page = new_context(color_scheme="dark", bypass_csp=True).new_page()
    seen(page, assistant, HOSTILE["colour of everything"], say)
    assert violations(page) == []


def test_a_site_themes_it_with_five_properties(assistant: Any, new_context: Context) -> None:
    assistant.policy = OPEN
    theme = """ms-als-chat { --ms-als-accent: rgb(91, 42, 134); --ms-als-on-accent: rgb(255, 250, 240);
      --ms-als-font: Georgia, serif; --ms-als-radius: 3px; --ms-als-corner: 50px; }"""
    assistant.page = chat_page(f"<style>{theme}</style>{SCRIPT}")
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    page.get_by_role("button", name="Ask about").click()
    style = page.get_by_role("button", name="Send").evaluate(
        "node => { const { color, backgroundColor } = getComputedStyle(node); return [color, backgroundColor]; }"
    )
    assert style == ["rgb(255, 250, 240)", "rgb(91, 42, 134)"]
    panel = page.get_by_role("dialog")
    assert panel.evaluate("node => getComputedStyle(node).fontFamily") == "Georgia, serif"
    assert panel.evaluate("node => getComputedStyle(node).borderTopLeftRadius") == "3px"
    assert round(panel.bounding_box()["x"] + panel.bounding_box()["width"]) == 1230


def test_a_parent_that_clips_and_moves_does_not_reach_it(assistant: Any, new_context: Context, say: Say) -> None:
    assistant.policy = OPEN
    parent = "transform: translateX(0); width: 400px; height: 150px; overflow: hidden; opacity: .2; z-index: 1"
    cover = '<div style="position: fixed; inset: 0; z-index: 2147483647; background: white">Cookies?</div>'
    assistant.page = chat_page(SCRIPT, f'<div style="{parent}"><ms-als-chat></ms-als-chat></div>{cover}')
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    page.get_by_role("button", name="Ask about").click()  # reachable, in spite of the cover
    box = page.get_by_role("dialog").bounding_box()
    assert box["x"] > 800
    assert box["height"] > 600
    talk(page, say)


# Ways to load it

LOADED: Dict[str, str] = {
    "classic": SCRIPT,
    "in the head, at once": '<script src="/ms-als-chat.js"></script>',
    "module": '<script type="module" src="/ms-als-chat.js"></script>',
    "import()": "<script>import('/ms-als-chat.js')</script>",
    "static import": "<script type=module>import '/ms-als-chat.js';</script>",
    "bundled": "<script src=/bundle.js></script>",
    "inlined": "<script>@@</script>",
    "twice": SCRIPT + '<script type="module" src="/ms-als-chat.js?again"></script>',
}


@pytest.mark.parametrize("way", LOADED)
def test_ways_to_load_it(way: str, assistant: Any, new_context: Context, say: Say) -> None:
    assistant.policy = OPEN
    own = (WEB / "ms-als-chat.js").read_text(encoding="utf-8")
    assistant.page = chat_page(LOADED[way].replace("@@", own))
    page = new_context().new_page()
    bundle = f"(() => {{ 'use strict'; window.before = 1; }})();\n{own}\n;window.after = 1;"
    page.route("**/bundle.js", lambda route: route.fulfill(body=bundle, content_type="text/javascript"))
    page.goto(f"{assistant.url}/page")
    talk(page, say)
    assert page.get_by_role("dialog").evaluate("node => getComputedStyle(node).position") == "fixed"


def test_a_policy_with_a_nonce_only(assistant: Any, new_context: Context, say: Say) -> None:
    assistant.policy = (
        "default-src 'none'; script-src 'nonce-abc'; style-src 'nonce-abc'; connect-src 'self'; base-uri 'none'"
    )
    assistant.page = chat_page('<script nonce="abc" src="/ms-als-chat.js" defer></script>')
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    talk(page, say)
    assert page.get_by_role("button", name="Send").evaluate("node => getComputedStyle(node).borderRadius") == "50%"


def test_a_policy_that_demands_trusted_types(assistant: Any, new_context: Context, say: Say) -> None:
    assistant.policy = "default-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
    assistant.page = chat_page(SCRIPT)
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    talk(page, say)


@pytest.mark.parametrize("when", ["before it is in the page", "after", "when it is open"])
def test_server_may_be_set_late(when: str, assistant: Any, other_site: Any, new_context: Context, say: Say) -> None:
    assistant.allowed = [other_site.url]
    other_site.policy = OPEN
    other_site.page = chat_page(f'<script src="{assistant.url}/ms-als-chat.js"></script>', "")
    page = new_context().new_page()
    page.goto(f"{other_site.url}/page")
    page.evaluate(
        """([when, server]) => {
          const chat = document.createElement('ms-als-chat');
          const set = () => chat.setAttribute('server', server);
          if (when.startsWith('before')) set();
          document.body.append(chat);
          if (when.startsWith('when')) chat.setAttribute('open', '');
          if (!when.startsWith('before')) setTimeout(set, 100);
        }""",
        [when, f"{assistant.url}/"],
    )
    page.wait_for_timeout(200)
    talk(page, say)
    assert other_site.messages == []
    assert len(assistant.messages) == 1


def test_it_can_be_hidden_as_any_element(assistant: Any, new_context: Context) -> None:
    assistant.policy = OPEN
    assistant.page = chat_page(SCRIPT, "<ms-als-chat hidden></ms-als-chat>")
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    page.wait_for_timeout(200)
    expect(page.get_by_role("button", name="Ask about")).to_be_hidden()
    page.evaluate("document.querySelector('ms-als-chat').hidden = false")
    expect(page.get_by_role("button", name="Ask about")).to_be_visible()


def test_a_page_that_moves_it_about(assistant: Any, new_context: Context, say: Say) -> None:
    """As sites do that build their pages in the browser."""
    assistant.policy = OPEN
    assistant.page = chat_page(SCRIPT)
    page = new_context().new_page()
    page.goto(f"{assistant.url}/page")
    talk(page, say)
    page.evaluate(
        """() => {
          const chat = document.querySelector('ms-als-chat');
          chat.remove();
          document.body.append(document.createElement('main'));
          document.querySelector('main').append(chat);
        }"""
    )
    expect(page.get_by_role("dialog")).to_be_visible()
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    expect(page.locator("article")).to_have_count(4)


def test_parts_that_cannot_be_loaded_leave_the_whole_text(assistant: Any, new_context: Context, say: Say) -> None:
    page = new_context().new_page()
    page.route("**/chat-*.js", lambda route: route.abort())
    page.goto(f"{assistant.url}/embed.html")
    page.get_by_role("button", name="Ask about").click()
    say(page, "What is MS?")
    answer = page.locator("article.bot")
    expect(answer).to_contain_text("Source: What is MS?, https://www.nationalmssociety.org/What-is-MS")
    expect(answer).to_contain_text("This is general information and does not replace a doctor.")
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_text("This part could not be loaded.").first).to_be_attached()
    say(page, "he is choking")
    expect(page.get_by_role("link", name="911")).to_have_attribute("href", "tel:911")


# Frames


def framed(page: Page, assistant: Any, other_site: Any, attributes: str) -> Any:
    other_site.policy = "default-src 'none'; frame-src *"
    other_site.page = chat_page(
        "", f'<iframe src="{assistant.url}/frame.html" title="Answers" width="500" height="600" {attributes}></iframe>'
    )
    page.goto(f"{other_site.url}/page")
    return page.frame_locator("iframe")


@pytest.mark.parametrize("sandbox", ["", 'sandbox="allow-scripts allow-same-origin"'])
def test_frame_for_sites_that_run_no_scripts(
    sandbox: str, assistant: Any, other_site: Any, new_context: Context
) -> None:
    page = new_context().new_page()
    frame = framed(page, assistant, other_site, sandbox)
    frame.get_by_label("Your question").fill("compare")
    frame.get_by_label("Your question").press("Enter")
    expect(frame.get_by_role("table")).to_be_visible()
    frame.get_by_role("button", name="Options").click()
    frame.get_by_role("button", name="Forget me").click()
    frame.get_by_role("button", name="Erase it").click()
    expect(frame.locator("article")).to_have_count(1)
    expect(frame.locator("article")).to_contain_text("Done.")
    box = page.locator("iframe").bounding_box()
    field = frame.get_by_label("Your question").bounding_box()
    assert field["y"] + field["height"] < box["y"] + box["height"]


def test_frame_with_an_origin_of_nobody_says_that_it_gets_no_answer(
    assistant: Any, other_site: Any, new_context: Context
) -> None:
    """`sandbox="allow-scripts"` alone: nothing is kept, and no server answers such a page. It is said."""
    page = new_context().new_page()
    # Nor are its scripts let in where the server does not share them with everybody.
    frame = framed(page, assistant, other_site, 'sandbox="allow-scripts"')
    frame.get_by_label("Your question").fill("compare")
    frame.get_by_label("Your question").press("Enter")
    expect(frame.get_by_role("button", name="Try again")).to_be_visible()


def test_frame_page_may_be_framed_by_its_own_policy(assistant: Any) -> None:
    policy = (WEB / "frame.html").read_text(encoding="utf-8")
    assert "frame-ancestors" not in policy  # only a header can say it: see docs/widget.md
    assert "default-src 'none'" in policy
