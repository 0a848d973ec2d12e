"""What is kept: one conversation for all tabs, one erasure, questions in order, no answer asked for twice."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List

import pytest
from playwright.sync_api import BrowserContext, Page, expect

Open = Callable[..., Page]
Say = Callable[[Page, str], None]


def kept(page: Page) -> Dict[str, Any]:
    return dict(json.loads(page.evaluate("localStorage.getItem('ms-als-chat ')") or "{}"))


def asked(assistant: Any) -> List[str]:
    return [message["message"] for message in assistant.messages]


def answer(page: Page, text: str) -> None:
    expect(page.locator("article.bot, article.urgent").last).to_contain_text(text)


@pytest.fixture
def two_tabs(assistant: Any, new_context: Callable[..., BrowserContext]) -> List[Page]:
    """Both opened fresh, before anything was said in either."""
    context = new_context()
    pages = [context.new_page() for _ in range(2)]
    for page in pages:
        page.goto(f"{assistant.url}/embed.html")
        page.get_by_role("button", name="Ask about").click()
    return pages


def test_two_fresh_tabs_are_one_person(two_tabs: List[Page], say: Say, assistant: Any) -> None:
    one, other = two_tabs
    say(one, "plain")
    answer(one, "An answer of any Rasa assistant.")
    answer(other, "An answer of any Rasa assistant.")  # seen there too
    say(other, "numbers")
    answer(other, "116 123")
    answer(one, "116 123")
    assert len({message["sender"] for message in assistant.messages}) == 1
    assert [page.locator("article").count() for page in two_tabs] == [4, 4]


def test_what_one_tab_erased_no_other_brings_back(two_tabs: List[Page], say: Say, assistant: Any) -> None:
    one, other = two_tabs
    say(one, "my secret")
    answer(other, "You wrote: my secret")
    say(other, "forget me")
    answer(other, "Done.")
    expect(one.get_by_text("my secret")).to_have_count(0)
    one.bring_to_front()
    one.get_by_label("Your question").fill("a letter")
    one.wait_for_timeout(900)  # longer than a draft takes to be kept
    assert "my secret" not in json.dumps(kept(one))
    assert kept(one)["log"] == []
    say(one, "plain")
    answer(one, "An answer of any Rasa assistant.")
    senders = [message["sender"] for message in assistant.messages]
    assert senders[0] == senders[1] != senders[2]
    assert kept(one)["sender"] == senders[2]


def test_an_answer_that_comes_after_the_erasure_is_dropped(two_tabs: List[Page], say: Say, assistant: Any) -> None:
    one, other = two_tabs
    say(one, "plain")
    answer(other, "An answer of any Rasa assistant.")
    assistant.hold.clear()
    say(one, "my secret")
    expect(one.get_by_text("Looking for an answer…")).to_be_visible()
    other.evaluate("localStorage.clear()")  # the site's own button "delete all my data"
    assistant.hold.set()
    one.wait_for_timeout(600)
    assert kept(one) == {}
    expect(one.locator("article")).to_have_count(0)


def test_two_tabs_send_one_after_the_other(two_tabs: List[Page], say: Say, assistant: Any) -> None:
    one, other = two_tabs
    say(one, "plain")
    answer(other, "An answer of any Rasa assistant.")
    assistant.hold.clear()
    say(one, "first")
    say(other, "second")
    other.wait_for_timeout(300)
    assert asked(assistant) == ["plain", "first"]
    assistant.hold.set()
    answer(other, "You wrote: second")
    for page in two_tabs:
        expect(page.locator("article")).to_have_count(6)
        texts = page.locator("article:not(.bot) p").all_inner_texts()
        assert texts == ["plain", "first", "second"]
    assert asked(assistant) == ["plain", "first", "second"]


def test_a_lost_answer_is_not_asked_for_twice(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.lost = 1
    say(page, "tell me more")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assistant.replies["tell me more"] = assistant.replies["plain"]  # a second turn would say something else
    page.get_by_role("button", name="Try again").click()
    answer(page, "You wrote: tell me more")
    first, second = (message["metadata"]["message_id"] for message in assistant.messages)
    assert first == second
    expect(page.locator("article")).to_have_count(2)


def test_questions_asked_offline_survive_a_reload_in_order(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.refusal = "503 1"
    for text in ("one", "two", "three"):
        say(page, text)
    expect(page.locator("article.me.todo")).to_have_count(3)
    page.reload()
    expect(page.get_by_role("button", name="Ask about")).to_be_visible()
    assistant.refusal, before = "", len(assistant.messages)
    page.wait_for_timeout(300)
    assert len(assistant.messages) == before  # nothing is sent by a chat that nobody looks at
    page.get_by_role("button", name="Ask about").click()
    answer(page, "You wrote: three")
    assert asked(assistant)[before:] == ["one", "two", "three"]
    names = "nodes => nodes.map(node => node.ariaLabel)"
    assert page.locator("article").evaluate_all(names) == ["You", "Assistant"] * 3


def test_what_was_asked_after_forget_me_is_not_lost(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.hold.clear()
    say(page, "forget me")
    say(page, "plain")
    assistant.hold.set()
    answer(page, "An answer of any Rasa assistant.")
    assert asked(assistant) == ["forget me", "plain"]
    assert len({message["sender"] for message in assistant.messages}) == 2


def test_what_is_kept_is_bounded(open_chat: Open, say: Say, assistant: Any) -> None:
    """A conversation of thousands of messages opens at once, and says that it was cut."""
    many = "Array.from({ length: 2400 }, (_, i) => (i % 2 ? { text: 'Answer ' + i } : { me: 'Question ' + i }))"
    stored = f"JSON.stringify({{ sender: 'old', draft: '', at: 1, log: {many} }})"
    # A page's init script runs at every load: only the first one finds nothing.
    page = open_chat(
        script=f"try {{ localStorage.length || localStorage.setItem('ms-als-chat ', {stored}); }} catch {{}}"
    )
    expect(page.locator("article")).to_have_count(100)
    answer(page, "Answer 2399")
    say(page, "plain")
    answer(page, "An answer of any Rasa assistant.")
    expect(page.get_by_text("Older messages are no longer kept here.")).to_be_attached()
    assert len(kept(page)["log"]) == 100
    assert page.locator("article").count() == 100
    assistant.replies["long"] = [{"text": "x" * 200_000}]
    for count in (1, 2):
        say(page, "long")
        expect(page.locator("article.bot", has_text="x" * 50)).to_have_count(min(count, 1))
        page.wait_for_timeout(300)
    assert len(json.dumps(kept(page))) < 310_000


def test_a_full_storage_stops_nobody(open_chat: Open, say: Say) -> None:
    page = open_chat(script="Storage.prototype.setItem = () => { throw new DOMException('QuotaExceededError'); };")
    say(page, "plain")
    answer(page, "An answer of any Rasa assistant.")
    say(page, "numbers")
    answer(page, "116 123")
    expect(page.locator("article")).to_have_count(4)


def test_days_are_told_apart(open_chat: Open, say: Say) -> None:
    at = "new Date(2026, 10, 3, 12).getTime()"
    log = f"[{{ id: 'a', me: 'old', at: {at} }}, {{ id: 'b', text: 'older answer', at: {at} }}]"
    stored = f"JSON.stringify({{ sender: 's', log: {log} }})"
    page = open_chat(
        script=f"try {{ localStorage.length || localStorage.setItem('ms-als-chat ', {stored}); }} catch {{}}"
    )
    expect(page.locator(".day")).to_have_text(["Tuesday, November 3"])
    say(page, "plain")
    answer(page, "An answer of any Rasa assistant.")
    expect(page.locator(".day")).to_have_text(["Tuesday, November 3", "Today"])


# While the panel is shut


def test_an_answer_to_a_shut_panel_is_marked_and_announced(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.hold.clear()
    say(page, "What is MS?")
    page.get_by_role("button", name="Close").click()
    assistant.hold.set()
    launcher = page.get_by_role("button", name="Ask about MS or ALS")
    expect(launcher).to_have_accessible_name("Ask about MS or ALS 1 new answer")
    heard = page.locator("[role=status].sr")
    expect(heard).to_contain_text("MS is a disease of the brain")
    assert heard.evaluate("node => Boolean(node.checkVisibility())")
    launcher.click()
    expect(page.locator("article.bot")).to_contain_text("MS is a disease of the brain")
    page.get_by_role("button", name="Close").click()
    expect(launcher).to_have_accessible_name("Ask about MS or ALS")


# Language and direction


def test_direction_follows_the_text_and_not_the_site(open_chat: Open, say: Say, assistant: Any) -> None:
    assistant.replies["عربي"] = [
        {"text": "MS مرض", "metadata": {"outcome": "other_language", "language": "ar", "answer": "MS مرض"}}
    ]
    assistant.replies["francais"] = [{"text": "La SEP", "metadata": {"answer": "La SEP", "language": "fr"}}]
    page = open_chat(opened=False)
    page.evaluate("document.documentElement.dir = 'rtl'; document.documentElement.lang = 'ar'")
    page.get_by_role("button", name="Ask about").click()
    direction = "node => getComputedStyle(node).direction"
    say(page, "plain")
    answer(page, "An answer of any Rasa assistant.")
    assert page.locator("article.bot p").first.evaluate(direction) == "ltr"
    assert page.locator("section").evaluate("node => node.lang") == "en"
    say(page, "عربي")
    answer(page, "MS مرض")
    assert page.locator("article.me p").last.evaluate(direction) == "rtl"
    text = page.locator("article.bot .text").last
    assert text.evaluate("node => [node.lang, getComputedStyle(node).direction]") == ["ar", "rtl"]
    say(page, "francais")
    answer(page, "La SEP")
    text = page.locator("article.bot .text").last
    assert text.evaluate("node => [node.lang, getComputedStyle(node).direction]") == ["fr", "ltr"]
