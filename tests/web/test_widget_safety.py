"""Text is text: nothing that the assistant, a person or the storage holds can run or lead astray."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from playwright.sync_api import Page, expect

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

WEB = Path(__file__).resolve().parents[2] / "web"
MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>'


def assert_inert(page: Page) -> None:
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
    inside = "document.querySelector('ms-als-chat').shadowRoot.querySelectorAll('img, script, b').length"
    assert page.evaluate(inside) == 0


def test_markup_of_the_assistant_is_text(open_chat: Open, say: Say) -> None:
    page = open_chat(bypass_csp=True)  # the widget alone has to hold
    say(page, "markup")
    answer = page.locator("article").last
    expect(answer.locator("p").first).to_have_text(MARKUP)
    expect(answer.locator("td").first).to_have_text(MARKUP)
    expect(answer.get_by_role("button", name=MARKUP)).to_be_visible()
    assert_inert(page)
    answer.get_by_role("button", name=MARKUP).click()
    expect(page.locator("article.me").last).to_contain_text(MARKUP)
    assert_inert(page)
    page.reload()
    page.get_by_role("button", name="Ask about").click()
    expect(page.locator("article.me").last).to_contain_text(MARKUP)
    assert_inert(page)


def test_only_web_addresses_become_links(open_chat: Open, say: Say) -> None:
    page = open_chat(bypass_csp=True)
    say(page, "markup")
    page.locator("article summary").last.click()
    sources = page.locator("article").last.get_by_role("listitem")
    expect(sources).to_have_count(4)
    links = page.locator("article").last.get_by_role("link")
    assert links.evaluate_all("nodes => nodes.map(node => node.protocol)") == ["https:"]
    for name in ("script", "data", "broken"):
        expect(sources.filter(has_text=re.compile(f"^{name} National"))).to_have_count(1)


def test_markup_of_the_person_is_text(open_chat: Open, say: Say) -> None:
    page = open_chat(bypass_csp=True)
    say(page, MARKUP)
    expect(page.locator("article.me")).to_contain_text(MARKUP)
    expect(page.locator("article.bot").last).to_contain_text(MARKUP)
    assert_inert(page)


@pytest.mark.parametrize(
    "answer",
    [
        "null",
        "{}",
        '"text"',
        "[null]",
        "not json",
        '[{"text": 7, "buttons": {}, "metadata": null}]',
        '[{"metadata": {"answer": {"a": 1}, "comparison": "x", "sources": [7, null], "reviewed": 5}}]',
        '[{"text": "x", "metadata": {"comparison": [{"aspect": null}], "sources": [{}], "reviewed": "?"}}]',
    ],
)
def test_odd_answers_break_nothing(answer: str, open_chat: Open, say: Say) -> None:
    page = open_chat()
    page.route("**/webhooks/rest/webhook", lambda route: route.fulfill(body=answer))
    say(page, "anything")
    retry = page.get_by_role("button", name="Try again")
    expect(retry.or_(page.locator("article.bot")).first).to_be_visible()
    page.unroute("**/webhooks/rest/webhook")
    say(page, "plain")
    expect(page.get_by_text("An answer of any Rasa assistant.").first).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Ask about").click()
    expect(page.get_by_text("An answer of any Rasa assistant.").first).to_be_visible()


def test_sources_of_the_widget_hold_no_way_to_run_text() -> None:
    script = "".join(file.read_text(encoding="utf-8") for file in WEB.glob("*.js"))
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc"):
        assert word not in script
    for page in WEB.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text), page


def test_small_enough() -> None:
    """What a page loads with the chat closed: under 10 KB gzipped, style included. The rest comes when it is used."""
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in WEB.glob("*.js")}
    assert sizes.pop("ms-als-chat.js") < 10_000
    assert set(sizes) == {f"chat-{name}.js" for name in ("drawings", "export", "options", "parts", "phone", "voice")}
    assert sum(sizes.values()) < 12_000, sizes


def test_embedding_takes_two_lines(assistant: Any) -> None:
    """The two lines shown on the sample page are the ones it uses, but for the address."""
    text = (WEB / "embed.html").read_text(encoding="utf-8")
    shown = re.search(r"<code>(.*?)</code></pre>", text, re.DOTALL)
    assert shown
    lines = shown.group(1).replace("&lt;", "<").replace("&gt;", ">").splitlines()
    assert len(lines) == 2
    for line in lines:
        here = line.replace(' server="https://answers.example.org"', "").replace(
            "https://answers.example.org/chat/", ""
        )
        assert here in text
