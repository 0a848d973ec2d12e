"""Conversations through the widget: by keyboard alone, heard by a screen reader, kept, retried, forgotten."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Callable, Dict, List

import pytest
from playwright.sync_api import Page, expect

from tests.web.conftest import reply

Open = Callable[..., Page]
Say = Callable[[Page, str], None]

#: Where the focus is: the text or label of the element, inside the widget or on the page.
FOCUS = """() => {
  let node = document.activeElement;
  while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  return node.ariaLabel || node.labels?.[0]?.textContent || node.textContent;
}"""
#: Collects what a live region says, and how: polite (status) or at once (alert).
LISTEN = """() => {
  window.heard = [];
  const root = document.querySelector('ms-als-chat').shadowRoot;
  for (const region of root.querySelectorAll('[role=status], [role=alert]')) {
    new MutationObserver(() => {
      if (region.textContent) window.heard.push([region.getAttribute('role'), region.textContent]);
    }).observe(region, { childList: true, characterData: true, subtree: true });
  }
}"""


def stored(page: Page) -> str:
    return str(page.evaluate("JSON.stringify(localStorage)"))


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    """Presses Tab until the focus is there, as someone without a mouse does."""
    for _ in range(30):
        if page.evaluate(FOCUS).startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name!r} cannot be reached by {key}; focus is on {page.evaluate(FOCUS)!r}")


def until(page: Page, expression: str) -> None:
    """Waits for it. Playwright's own wait_for_function needs the eval that the policy forbids."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def heard(page: Page) -> List[List[str]]:
    return list(page.evaluate("window.heard"))


# Keyboard


@pytest.mark.parametrize("viewport", [(1280, 800), (320, 640)])
def test_whole_conversation_by_keyboard(viewport: tuple, open_chat: Open, assistant: Any, new_context: Any) -> None:
    page = open_chat(opened=False, viewport={"width": viewport[0], "height": viewport[1]})
    tab_to(page, "Ask about MS or ALS")
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "Your question"

    page.keyboard.type("What is MS?")
    page.keyboard.press("Enter")
    expect(page.locator("article.bot").last).to_contain_text("MS is a disease of the brain")
    assert page.evaluate(FOCUS) == "Your question"

    tab_to(page, "And in ALS?", "Shift+Tab")
    page.keyboard.press("Space")
    expect(page.locator("article.bot").last).to_contain_text("ALS is a disease of the nerve cells")
    assert page.evaluate(FOCUS) == "You"  # the pressed button is gone; what it asked stands above the answer
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Yes"

    tab_to(page, "Your question")
    page.keyboard.type("crash")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Send"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    tab_to(page, "Try again", "Shift+Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "You"

    tab_to(page, "Options", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Copy conversation")).to_be_visible()
    tab_to(page, "Copy conversation")
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUS) == "Options"
    expect(page.get_by_role("button", name="Copy conversation")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate(FOCUS) == "Ask about MS or ALS"

    page.keyboard.press("Enter")
    tab_to(page, "Close", "Shift+Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(FOCUS) == "Ask about MS or ALS"
    assert [m["message"] for m in assistant.messages] == ["What is MS?", "/definition_als", "crash", "crash"]


def test_focus_is_always_in_sight(open_chat: Open, say: Say) -> None:
    """Nothing that has the focus is hidden below the foot, even at 400%."""
    page = open_chat(viewport={"width": 320, "height": 256})
    say(page, "compare")
    expect(page.get_by_role("button", name="First signs of MS and ALS")).to_be_attached()
    page.get_by_role("button", name="Options").press("Enter")
    page.get_by_role("button", name="Forget me").wait_for(state="attached")
    seen = set()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        name, top, bottom, foot = page.evaluate(
            """() => {
              const root = document.querySelector('ms-als-chat').shadowRoot;
              if (!root.activeElement) return ['', 1, 100, 100]; // the browser's own buttons
              const { top, bottom } = root.activeElement.getBoundingClientRect();
              const form = root.querySelector('form').getBoundingClientRect().top;
              const inForm = root.querySelector('form').contains(root.activeElement);
              return [root.activeElement.textContent, top, bottom, inForm ? 999 : form];
            }"""
        )
        seen.add(name)
        assert bottom > 20, name
        assert top < foot - 20, name
    assert len(seen) > 12


def test_page_behind_is_out_of_reach_only_when_covered(open_chat: Open) -> None:
    page = open_chat()
    modal = "document.querySelector('ms-als-chat').shadowRoot.querySelector('dialog').matches(':modal')"
    assert page.evaluate(modal) is False
    page.set_viewport_size({"width": 320, "height": 256})
    until(page, modal)
    assert page.evaluate(FOCUS) == "Your question"
    page.set_viewport_size({"width": 1280, "height": 800})
    until(page, f"!{modal}")
    assert page.evaluate(FOCUS) == "Your question"


def test_open_attribute(open_chat: Open) -> None:
    page = open_chat(opened=False)
    page.evaluate("document.querySelector('ms-als-chat').setAttribute('open', '')")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")  # a script opened it, not the person
    page.evaluate("document.querySelector('ms-als-chat').removeAttribute('open')")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Ask about MS or ALS")).to_be_visible()


# What a screen reader hears


def test_reply_is_announced_once_and_politely(open_chat: Open, say: Say) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    page.wait_for_timeout(600)
    [[role, text]] = heard(page)
    assert role == "status"
    assert text.startswith("MS is a disease of the brain and spinal cord.")
    assert "Sources: 1." in text
    assert "Suggested questions: 2." in text
    assert text.endswith("This is general information and does not replace a doctor.")
    assert "You wrote" not in text


def test_comparison_and_two_messages_are_one_announcement(open_chat: Open, say: Say) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    say(page, "twice")
    expect(page.get_by_text("Second half.").first).to_be_visible()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    first, second = heard(page)
    assert "First half." in first[1]
    assert "Second half." in first[1]
    assert "Table rows: 3." in second[1]


@pytest.mark.parametrize("message", ["he is choking", "I want to die"])
def test_urgent_reply_is_announced_at_once(message: str, open_chat: Open, say: Say) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    say(page, message)
    expect(page.get_by_role("heading", name="Get help now")).to_be_visible()
    [[role, text]] = heard(page)
    assert role == "alert"
    assert "988" in text or "911" in text
    # No questionnaire in a crisis.
    assert page.get_by_text("Was this helpful?").count() == 0


def test_announcement_is_gone_later(open_chat: Open, say: Say) -> None:
    page = open_chat(opened=False)
    page.clock.install()
    page.get_by_role("button", name="Ask about").click()
    say(page, "plain")
    expect(page.get_by_text("An answer of any Rasa assistant.")).to_have_count(2)
    page.clock.fast_forward(10_000)
    expect(page.get_by_text("An answer of any Rasa assistant.")).to_have_count(1)


def test_waiting_and_slow_answer_are_said(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat(opened=False)
    page.clock.install()
    page.get_by_role("button", name="Ask about").click()
    page.evaluate(LISTEN)
    assistant.hold.clear()
    say(page, "What is MS?")
    page.clock.fast_forward(500)
    expect(page.get_by_text("Looking for an answer…")).to_be_visible()
    page.clock.fast_forward(8000)
    expect(page.get_by_text("This takes longer than usual.")).to_be_visible()
    say(page, "typed meanwhile")
    expect(page.locator("article")).to_have_text(["YouWhat is MS?", "Youtyped meanwhile"])
    assistant.hold.set()
    expect(page.get_by_text("You wrote: typed meanwhile").first).to_be_visible()
    expect(page.get_by_text("This takes longer than usual.")).to_be_hidden()
    # Each answer stands below its question, whenever it came.
    names = "nodes => nodes.map(node => node.ariaLabel)"
    assert page.locator("article").evaluate_all(names) == ["You", "Assistant", "You", "Assistant"]
    assert [role for role, _ in heard(page)] == ["status"] * len(heard(page))
    assert [m["message"] for m in assistant.messages] == ["What is MS?", "typed meanwhile"]


# What is shown


def test_comparison_is_a_table(open_chat: Open, say: Say) -> None:
    page = open_chat(path="index.html", opened=False)
    say(page, "compare")
    table = page.get_by_role("table", name="MS and ALS side by side")
    expect(table.get_by_role("columnheader")).to_have_text(["Aspect", "MS", "ALS"])
    expect(table.get_by_role("rowheader")).to_have_text(["What it is", "Usual age at start", "Key tests"])
    expect(table.get_by_role("row", name="Usual age").get_by_role("cell")).to_have_text(["20 to 40", "55 to 75"])
    scopes = "nodes => nodes.map(node => node.scope)"
    assert table.locator("th").evaluate_all(scopes) == ["col"] * 3 + ["row"] * 3
    assert table.locator("tr").first.evaluate("node => getComputedStyle(node).display") == "table-row"


def test_comparison_becomes_cards_when_narrow(open_chat: Open, say: Say) -> None:
    page = open_chat(viewport={"width": 320, "height": 640})
    say(page, "compare")
    table = page.get_by_role("table", name="MS and ALS side by side")
    cell = table.get_by_role("row", name="Usual age").get_by_role("cell").first
    assert cell.evaluate("node => getComputedStyle(node).display") == "block"
    assert cell.evaluate("node => getComputedStyle(node, '::before').content").startswith('"MS ')
    expect(table.get_by_role("columnheader")).to_have_text(["Aspect", "MS", "ALS"])


def test_sources_and_notes(open_chat: Open, say: Say) -> None:
    page = open_chat()
    say(page, "What is MS?")
    answer = page.locator("article").last
    answer.get_by_text("1 source, not all read again yet · facts as of Nov 2026").click()
    link = answer.get_by_role("link", name="What is MS? National MS Society, 2023 (opens in a new tab)")
    expect(link).to_have_attribute("href", "https://www.nationalmssociety.org/What-is-MS")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(answer).to_contain_text("Facts as of November 22, 2026.")
    for bubble in page.locator("article.bot").all():
        expect(bubble).to_contain_text(re.compile("general information", re.IGNORECASE))


def test_button_shows_its_title_and_sends_its_payload(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    say(page, "What is MS?")
    page.get_by_role("button", name="And in ALS?").click()
    expect(page.locator("article.me").last).to_contain_text("And in ALS?")
    expect(page.get_by_role("button", name="First signs of MS")).to_be_hidden()
    expect(page.get_by_text("ALS is a disease of the nerve cells").first).to_be_visible()
    assert assistant.messages[-1]["message"] == "/definition_als"
    assert re.fullmatch(r"[0-9a-f-]{36}", assistant.messages[-1]["sender"])


def sent_by_pressing(page: Page, assistant: Any) -> str:
    page.get_by_role("button", name="And in ALS?").click()
    expect(page.locator("article.bot").last).to_contain_text("nerve cells that move muscles")
    return str(assistant.messages[-1]["message"])


def test_a_button_of_days_ago_asks_its_title(open_chat: Open, say: Say, assistant: Any) -> None:
    """The server has forgotten by then what it stood for, and would read the payload as text."""
    assistant.replies["And in ALS?"] = assistant.replies["/definition_als"]
    page = open_chat()
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Ask about").click()
    assert sent_by_pressing(page, assistant) == "/definition_als"
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    page.evaluate("{ const now = Date.now(); Date.now = () => now + 864e5; }")
    assert sent_by_pressing(page, assistant) == "And in ALS?"


def test_a_question_of_days_ago_is_asked_again_by_its_title(open_chat: Open, say: Say, assistant: Any) -> None:
    assistant.replies["And in ALS?"] = assistant.replies["/definition_als"]
    page = open_chat()
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    assistant.down = True
    page.get_by_role("button", name="And in ALS?").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.evaluate("{ const now = Date.now(); Date.now = () => now + 864e5; }")
    assistant.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.bot").last).to_contain_text("nerve cells that move muscles")
    assert [m["message"] for m in assistant.messages] == ["What is MS?", "/definition_als", "And in ALS?"]


def test_after_forget_me_a_button_asks_what_it_stands_for(open_chat: Open, assistant: Any) -> None:
    done = assistant.replies["please erase me"][0]
    assistant.replies["please erase me"] = [{**done, "buttons": [{"title": "What is MS?", "payload": "/definition"}]}]
    page = open_chat()
    forget_in_other_words(page)
    page.locator("article").last.get_by_role("button", name="What is MS?").click()
    expect(page.locator("article.bot").last).to_contain_text("You wrote: /definition")
    assert [m["message"] for m in assistant.messages] == ["please erase me", "/definition"]


def test_two_answers_are_two_paragraphs(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    say(page, "What is MS?")
    expect(page.locator("article").last.locator(".text p")).to_have_text(
        ["MS is a disease of the brain and spinal cord.", "The immune system harms the coating of nerves."]
    )


#: How large and bold each paragraph of the last answer is, and where it stands.
PARAGRAPHS = """nodes => nodes.map((node) => {
  const { fontSize, fontWeight, borderLeftStyle } = getComputedStyle(node);
  return [node.textContent.trim(), fontSize, fontWeight, borderLeftStyle === 'solid'];
})"""


def test_the_answer_leads_and_the_rest_comes_in_short_paragraphs(open_chat: Open, say: Say, assistant: Any) -> None:
    text = (
        "No, ALS is not contagious. Nobody has caught it from a kiss, a cup or a hug. Dr. Smith's study of 1.5 million "
        "people found none. You can care for someone without fear. Gloves are not needed for that either.\n"
        "MS is not contagious either."
    )
    assistant.replies["ask"] = [reply(text, topic="contagious")]
    page = open_chat()
    say(page, "ask")
    page.get_by_text("Was this helpful?").wait_for()
    assert page.locator("article.bot .text p").evaluate_all(PARAGRAPHS) == [
        ["No, ALS is not contagious.", "18px", "600", False],
        [
            "Nobody has caught it from a kiss, a cup or a hug. Dr. Smith's study of 1.5 million people found none.",
            "16px",
            "400",
            False,
        ],
        ["You can care for someone without fear. Gloves are not needed for that either.", "16px", "400", False],
        ["MS is not contagious either.", "16px", "400", True],  # near what was asked
    ]
    # Who takes the text without its shape reads the same words.
    assert " ".join(str(page.locator("article.bot .text").inner_text()).split()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "more", "leads"),
    [
        (
            "MS: Most people walk well for years.\nALS: Walking gets hard. It depends.",
            {},
            ["MS: Most people walk well for years.", "ALS: Walking gets hard. It depends."],
        ),
        (
            "MS often starts at 30. Not always.\nALS often starts at 60. Not always.",
            {"questions": ["prevalence/age", "prevalence/age"]},
            ["MS often starts at 30.", "ALS often starts at 60."],
        ),
        ("I am sorry. This is a lot to carry. A nurse can talk with you.", {}, ["I am sorry. This is a lot to carry."]),
    ],
    ids=["each disease", "each question", "a short sentence alone says too little"],
)
def test_what_leads(text: str, more: dict, leads: list, open_chat: Open, say: Say, assistant: Any) -> None:
    assistant.replies["ask"] = [reply(text, **more)]
    page = open_chat()
    say(page, "ask")
    page.get_by_text("Was this helpful?").wait_for()
    found = page.locator("article.bot .text p").evaluate_all(PARAGRAPHS)
    assert [words for words, _, weight, _ in found if weight == "600"] == leads


def test_plain_rasa_and_error_outcome_look_like_any_reply(open_chat: Open, say: Say) -> None:
    page = open_chat()
    texts = {"plain": "An answer of any Rasa assistant.", "broken store": "I am sorry, I cannot look up"}
    for message, text in texts.items():
        say(page, message)
        bubble = page.locator("article.bot").last
        expect(bubble).to_contain_text(text)
        expect(bubble).to_contain_text(re.compile("general information", re.IGNORECASE))
        expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_numbers_to_call(open_chat: Open, say: Say) -> None:
    page = open_chat()
    links = "nodes => nodes.map(node => [node.textContent, node.getAttribute('href')])"
    expected = {
        "he is choking": [["911", "tel:911"], ["999", "tel:999"], ["112", "tel:112"]],
        "I want to die": [
            ["988", "tel:988"],
            ["116 123", "tel:116123"],
            ["13 11 14", "tel:131114"],
            ["1737", "tel:1737"],
        ],
        "numbers": [
            ["116 123", "tel:116123"],
            ["112", "tel:112"],
            ["911", "tel:911"],
            ["+1 (800) 273-8255", "tel:+18002738255"],
            ["988", "tel:988"],
            ["85258", "sms:85258"],
        ],
    }
    for count, (message, numbers) in enumerate(expected.items(), 1):
        say(page, message)
        expect(page.get_by_role("heading", name="Get help now")).to_have_count(count)
        assert page.locator("article").last.locator("p a").evaluate_all(links) == numbers
    text = page.locator("article").last.locator("p").first.text_content()
    assert str(text).endswith("Text SHOUT to 85258. 10,000 people call in 24-48 hours.")


@pytest.mark.parametrize("width", [320, 360, 1200])
def test_each_way_to_reach_help_is_a_line_to_press(width: int, open_chat: Open, say: Say, assistant: Any) -> None:
    lines = (
        "US, Canada: Call or text 988. Chat at 988lifeline.org\n"
        "UK: Call Samaritans on 116 123. Text SHOUT to 85258\n"
        "Australia: Call Lifeline on 13 11 14. Text 0477 13 11 14"
    )
    assistant.replies["help"] = [reply(f"Please talk to someone now.\n{lines}\nThis chat stays open.", "crisis")]
    page = open_chat(opened=False, path="index.html", viewport={"width": width, "height": 700})
    say(page, "help")
    rows = page.locator("article.urgent p:has(b)")
    expect(rows).to_have_count(3)
    assert [" ".join(row.split()) for row in rows.all_text_contents()] == [
        "US, Canada: Call or text 988 Chat at 988lifeline.org",
        "UK: Call Samaritans on 116 123 Text SHOUT to 85258",
        "Australia: Call Lifeline on 13 11 14 Text 0477 13 11 14",
    ]
    links = rows.get_by_role("link")
    assert links.evaluate_all("nodes => nodes.map(node => node.getAttribute('href'))") == [
        *("tel:988", "https://988lifeline.org", "tel:116123", "sms:85258", "tel:131114", "sms:0477131114"),
    ]
    # One under the other; none is broken.
    boxes = links.evaluate_all("nodes => nodes.map(node => node.getBoundingClientRect().toJSON())")
    assert all(box["height"] < 60 and box["width"] >= 44 for box in boxes)
    assert all(above["bottom"] <= below["top"] + 1 for above, below in pairwise(boxes))


def test_numbers_in_other_replies_are_left_alone(open_chat: Open, say: Say) -> None:
    page = open_chat()
    say(page, "call 911")
    expect(page.get_by_text("You wrote: call 911").first).to_be_visible()
    assert page.locator("a[href^=tel]").count() == 0


def test_long_message_is_counted_down(open_chat: Open, say: Say) -> None:
    page = open_chat()
    box = page.get_by_label("Your question")
    box.fill("x" * 1799)
    expect(page.locator("#hint")).to_have_text("Enter sends. Shift+Enter starts a new line.")
    page.evaluate(LISTEN)
    box.press_sequentially("xxxxx")
    expect(page.locator("#hint")).to_have_text("196 characters left")
    until(page, "window.heard.length")
    page.wait_for_timeout(300)
    assert heard(page) == [["status", "196 characters left"]]  # after a pause, not for each key


def test_a_long_paste_is_never_cut_in_silence(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    box = page.get_by_label("Your question")
    letter = "x" * 2500 + " Is MS inherited? And more after it, to be sure of the whole of it all."
    box.fill(letter)
    told = f"{len(letter)} characters are {len(letter) - 2000} too many."
    expect(page.locator("#hint")).to_contain_text(told)
    expect(box).to_have_attribute("aria-invalid", "true")
    page.evaluate(LISTEN)
    page.keyboard.press("Enter")
    expect(box).to_have_value(letter)
    assert [["status", text] for _, text in heard(page) if told in text][:1] == heard(page)[:1]
    assert assistant.messages == []
    box.fill("Is MS inherited?")
    expect(box).to_have_attribute("aria-invalid", "false")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You wrote: Is MS inherited?").first).to_be_visible()


def test_enter_of_an_input_method_does_not_send(open_chat: Open, assistant: Any) -> None:
    page = open_chat()
    page.keyboard.type("nani")
    enter = "new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true })"
    box = "document.querySelector('ms-als-chat').shadowRoot.querySelector('textarea')"
    assert page.evaluate(f"{box}.dispatchEvent({enter})")  # left to the input method
    page.wait_for_timeout(200)
    assert assistant.messages == []


def test_shift_enter_makes_a_new_line(open_chat: Open, assistant: Any) -> None:
    page = open_chat()
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    expect(page.locator("article.me")).to_contain_text("one\ntwo", use_inner_text=True)
    expect(page.locator("article.bot")).to_have_count(1)
    page.keyboard.press("Enter")  # nothing to send
    assert [m["message"] for m in assistant.messages] == ["one\ntwo"]


# Kept, retried, forgotten


def test_reload_keeps_conversation_draft_and_sender(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat(opened=False)
    assert stored(page) == "{}"  # nothing before there is something to keep
    page.get_by_role("button", name="Ask about").click()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_label("Your question").fill("half a thou")
    until(page, "JSON.stringify(localStorage).includes('half a thou')")
    page.reload()
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Ask about").click()
    expect(page.locator("article.me")).to_contain_text("compare")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("button", name="First signs of MS and ALS")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("half a thou")
    assert heard(page) == []
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    assert len({m["sender"] for m in assistant.messages}) == 1


def test_reload_shows_the_last_answer(open_chat: Open, say: Say) -> None:
    page = open_chat(path="index.html", opened=False)
    for count, message in enumerate(("compare", "compare", "plain"), 1):
        say(page, message)
        expect(page.locator("article.bot")).to_have_count(count)
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    expect(page.locator("article.bot").last).to_be_in_viewport()

    def late(route: Any) -> None:  # until then tables and sources are missing
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/chat-parts.js", late, times=1)
    page.reload()
    expect(page.get_by_role("table").first).to_be_attached()
    expect(page.locator("article.bot").last).to_be_in_viewport()


def test_blocked_storage(open_chat: Open, say: Say) -> None:
    page = open_chat(script="Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });")
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    say(page, "forget me")
    expect(page.locator("article.bot").last).to_contain_text("Done.")


def test_damaged_storage(open_chat: Open, say: Say) -> None:
    damaged = "try { localStorage.setItem('ms-als-chat ', '{\"log\": 7}'); } catch {}"
    page = open_chat(script=damaged)
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")


def test_offline_and_back(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    page.context.set_offline(True)
    say(page, "What is MS?")
    told = "You are offline. Your question is kept and sent when you are back."
    expect(page.get_by_text(told)).to_be_visible()
    expect(page.locator("article.me")).to_contain_text("What is MS?")
    assert heard(page) == [["status", f"{told}Try again"]]
    say(page, "second")
    say(page, "third")
    expect(page.get_by_text("3 questions are kept and sent in order")).to_be_visible()
    page.get_by_label("Your question").fill("next question")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.context.set_offline(False)  # asks again by itself
    expect(page.get_by_text("You wrote: third").first).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_have_value("next question")
    assert [m["message"] for m in assistant.messages] == ["What is MS?", "second", "third"]
    expect(page.locator("article.todo")).to_have_count(0)


@pytest.mark.parametrize("message", ["crash", "nothing"])
def test_server_that_fails_can_be_asked_again(message: str, open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    say(page, message)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert [m["message"] for m in assistant.messages] == [message] * 2
    expect(page.locator("article.me")).to_have_count(1)
    say(page, "plain")  # is not held up by it
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")


def test_unanswered_question_survives_a_reload(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.down = True
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Ask about").click()  # asks it again by itself
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assistant.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("MS is a disease of the brain").first).to_be_visible()


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        ("429 7", "in 7 seconds"),
        ("429 1", "in 2 seconds"),
        ("429 600", "in 10 minutes"),
        ("429", "in a little while"),
        ("429 Wed, 21 Oct 2026 07:28:00 GMT", "in a little while"),
        ("503 30", "in 30 seconds"),
    ],
)
def test_too_many_questions(refusal: str, text: str, open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    assistant.refusal = refusal
    say(page, "plain")
    notice = f"The assistant is busy. Nothing you wrote is lost. Please try again {text}."
    expect(page.get_by_text(notice)).to_be_visible()
    assert ["status", f"{notice}Try again"] in heard(page)
    page.get_by_label("Your question").fill("next question")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text(notice)).to_be_visible()  # too early
    assistant.refusal = ""
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    expect(page.locator("article.me")).to_have_count(1)
    expect(page.get_by_label("Your question")).to_have_value("next question")


def test_a_server_that_is_down_names_no_time(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    assistant.refusal = "503"
    say(page, "plain")
    expect(page.get_by_text("The assistant did not answer. Nothing you wrote is lost.")).to_be_visible()


def test_start_over(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Start over").click()
    expect(page.locator("article.bot").last).to_contain_text("We start afresh.")
    assert page.evaluate(FOCUS) == "Your question"
    assert [m["message"] for m in assistant.messages] == ["plain", "start over"]
    expect(page.locator("article.me").first).to_contain_text("plain")


def forget_by_button(page: Page) -> None:
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Forget me").click()
    page.get_by_role("button", name="Erase it").click()


def forget_by_typing(page: Page) -> None:
    page.get_by_label("Your question").fill("Forget me!")
    page.get_by_role("button", name="Send").click()


def forget_in_other_words(page: Page) -> None:
    page.get_by_label("Your question").fill("please erase me")
    page.get_by_role("button", name="Send").click()


@pytest.mark.parametrize("forget", [forget_by_button, forget_by_typing, forget_in_other_words])
def test_forget_me(forget: Callable[[Page], None], open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    say(page, "my secret")
    expect(page.get_by_text("You wrote: my secret").first).to_be_visible()
    assert "my secret" in stored(page)
    forget(page)
    expect(page.locator("article")).to_have_count(1)
    page.wait_for_timeout(900)  # longer than a draft takes to be kept
    assert stored(page) == "{}"
    assert page.get_by_text("my secret").count() == 0
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    before, told, after = [m["sender"] for m in assistant.messages]
    assert before == told != after


def test_forget_me_can_be_called_off(open_chat: Open, assistant: Any) -> None:
    page = open_chat()
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Forget me").click()
    expect(page.get_by_text("Erase this conversation here and on the server?")).to_be_visible()
    assert page.evaluate(FOCUS) == "Erase it"
    page.get_by_role("button", name="Keep it").click()
    assert page.evaluate(FOCUS) == "Your question"
    assert assistant.messages == []


def test_forget_me_keeps_the_old_sender_until_the_server_has_answered(
    open_chat: Open, say: Say, assistant: Any
) -> None:
    page = open_chat()
    say(page, "my secret")
    expect(page.get_by_text("You wrote: my secret").first).to_be_visible()
    done, assistant.replies["forget me"] = assistant.replies["forget me"], assistant.replies["broken store"]
    forget_by_button(page)
    expect(page.locator("article.bot").last).to_contain_text("I am sorry")
    assistant.replies["forget me"] = done
    assistant.down = True
    forget_by_button(page)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assistant.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("article")).to_have_count(1)
    assert len({m["sender"] for m in assistant.messages}) == 1
    assert stored(page) == "{}"


# Feedback


def test_feedback_with_a_reason(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    page.evaluate(LISTEN)
    say(page, "What is MS?")
    page.get_by_role("group", name="Was this helpful?").get_by_role("button", name="No").press("Enter")
    page.get_by_label("Why? (optional)").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == "Why? (optional)"
    page.keyboard.type("too short")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why? (optional)")).to_have_count(0)
    [message] = assistant.messages
    vote = assistant.feedback[0]["vote"]
    assert re.fullmatch(r"[0-9a-f-]{36}", vote)
    assert vote != message["sender"]
    given = {"vote": vote, "outcome": "answered", "topic": "definition", "helpful": False}
    assert assistant.feedback == [given, {**given, "reason": "too short"}]
    assert ["status", "Thank you."] in heard(page)
    page.reload()
    page.get_by_role("button", name="Ask about").click()
    expect(page.get_by_role("group", name="Was this helpful?")).to_have_count(0)


@pytest.mark.parametrize("message", ["forget me", "start over", "broken store"])
def test_who_was_told_no_facts_is_not_asked_whether_they_helped(message: str, open_chat: Open, say: Say) -> None:
    page = open_chat()
    say(page, message)
    expect(page.locator("article.bot")).to_have_count(1)
    page.wait_for_timeout(200)
    expect(page.get_by_text("Was this helpful?")).to_have_count(0)


def test_feedback_that_is_not_taken_goes_quietly(open_chat: Open, say: Say, assistant: Any) -> None:
    assistant.takes_feedback = False
    page = open_chat()
    say(page, "plain")
    page.get_by_role("button", name="Yes").focus()
    page.evaluate(LISTEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Was this helpful?")).to_have_count(0)
    assert page.evaluate(FOCUS) == "Assistant"
    say(page, "twice")
    expect(page.get_by_text("Second half.").first).to_be_visible()
    expect(page.get_by_role("group", name="Was this helpful?")).to_have_count(0)
    assert not any("Thank" in text or "not" in text for role, text in heard(page) if "half" not in text)


# Options


def open_options(page: Page) -> None:
    page.get_by_role("button", name="Options").click()


def test_copy(open_chat: Open, say: Say) -> None:
    page = open_chat(permissions=["clipboard-read", "clipboard-write"])
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    open_options(page)
    page.evaluate(LISTEN)
    page.get_by_role("button", name="Copy conversation").click()
    until(page, "window.heard.length")
    assert heard(page) == [["status", "Copied."]]
    text = page.evaluate("navigator.clipboard.readText()")
    assert "You: What is MS?" in text
    assert "Assistant: MS is a disease of the brain" in text
    assert "Source: What is MS?, https://www.nationalmssociety.org/What-is-MS" in text


def test_copy_that_is_not_allowed_is_said(open_chat: Open) -> None:
    page = open_chat(script="Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    open_options(page)
    page.get_by_role("button", name="Copy conversation").click()
    expect(page.get_by_text("Copying was not allowed.")).to_be_attached()


def test_save(open_chat: Open, say: Say) -> None:
    page = open_chat()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    open_options(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as text").click()
    assert download.value.suggested_filename == "ms-als-answers.txt"
    text = download.value.path().read_text(encoding="utf-8")
    assert "You: compare" in text
    assert "Both affect nerves." in text
    assert "not medical advice" in text


def test_print_holds_the_conversation_alone(open_chat: Open, say: Say) -> None:
    page = open_chat(script="window.print = () => { top.printed = document.body.textContent; };")
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="And in ALS?")).to_be_visible()
    open_options(page)
    page.get_by_role("button", name="Print").click()
    until(page, "window.printed")
    printed = page.evaluate("window.printed")
    assert printed.startswith("MS & ALS Answers")
    assert "You: What is MS?" in printed
    assert "(https://www.nationalmssociety.org/What-is-MS)" in printed
    assert "Was this helpful?" not in printed
    assert "A page with the chat" not in printed


SPEECH = """
  window.spoken = [];
  speechSynthesis.speak = (utterance) => spoken.push(utterance.text);
  speechSynthesis.cancel = () => spoken.push(null);
  window.SpeechRecognition = class {
    start() { window.ear = this; }
    stop() { this.onend(); }
  };
"""


def test_voice_is_opt_in(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat(script=SPEECH)
    say(page, "plain")
    expect(page.locator("article.bot").last).to_contain_text("An answer of any Rasa assistant.")
    assert [text for text in page.evaluate("spoken") if text] == []
    expect(page.get_by_role("button", name="Speak")).to_be_hidden()
    open_options(page)
    expect(page.get_by_text("Its maker may receive the sound or the text.")).to_be_visible()
    aloud = page.get_by_role("button", name="Read answers aloud")
    expect(aloud).to_have_attribute("aria-pressed", "false")
    aloud.click()
    expect(aloud).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Ask by voice").click()

    page.get_by_role("button", name="Speak").click()
    expect(page.get_by_role("button", name="Stop listening")).to_be_visible()
    page.evaluate("ear.onresult({ results: [[{ transcript: 'What is MS?' }]] }); ear.onend()")
    expect(page.get_by_label("Your question")).to_have_value("What is MS?")
    assert len(assistant.messages) == 1  # to be looked at before it is sent
    page.get_by_role("button", name="Send").click()
    until(page, "spoken.some((text) => text?.startsWith('MS is a disease'))")

    page.reload()
    page.get_by_role("button", name="Ask about").click()
    expect(page.get_by_role("button", name="Speak")).to_be_visible()  # the choice is kept
    assert [text for text in page.evaluate("spoken") if text] == []


def test_browser_without_voice(open_chat: Open) -> None:
    names = ("SpeechRecognition", "webkitSpeechRecognition", "speechSynthesis")
    page = open_chat(script="".join(f"delete window.{name};" for name in names))
    open_options(page)
    expect(page.get_by_role("button", name="Ask by voice")).to_have_count(0)
    expect(page.get_by_role("button", name="Speak")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy conversation")).to_be_visible()


# Another origin


def embed(page: Page, site: Any, assistant: Any) -> None:
    """Opens a page of the other site with the two lines of embed.html, whose policy names the assistant."""
    directives = [f"{name}-src {assistant.url}" for name in ("script", "connect")]
    site.policy = "; ".join(["default-src 'none'", *directives])
    site.page = (
        '<!doctype html><html lang="en"><title>Site</title>'
        f'<script src="{assistant.url}/ms-als-chat.js" defer></script>'
        f'<ms-als-chat server="{assistant.url}"></ms-als-chat></html>'
    )
    page.goto(f"{site.url}/page")
    page.get_by_role("button", name="Ask about").click()


def test_another_origin(assistant: Any, other_site: Any, new_context: Any, say: Say) -> None:
    assistant.allowed = [other_site.url]
    page = new_context().new_page()
    embed(page, other_site, assistant)
    assert page.get_by_role("dialog").evaluate("node => getComputedStyle(node).position") == "fixed"
    say(page, "What is MS?")
    expect(page.get_by_text("MS is a disease of the brain").first).to_be_visible()
    assistant.refusal = "429 9"
    say(page, "plain")
    expect(page.get_by_text("in 9 seconds")).to_be_visible()


def test_another_origin_that_is_not_allowed(assistant: Any, other_site: Any, new_context: Any, say: Say) -> None:
    page = new_context().new_page()
    embed(page, other_site, assistant)
    say(page, "What is MS?")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert assistant.messages == []


def test_request_is_what_the_rest_channel_takes(open_chat: Open, say: Say, assistant: Any) -> None:
    page = open_chat()
    with page.expect_request("**/webhooks/rest/webhook") as request:
        say(page, "plain")
    sent: Dict[str, Any] = json.loads(request.value.post_data or "")
    assert sorted(sent) == ["message", "metadata", "sender"]
    assert re.fullmatch(r"[0-9a-f-]{36}", sent["metadata"]["message_id"])
    assert request.value.headers["content-type"] == "application/json"
