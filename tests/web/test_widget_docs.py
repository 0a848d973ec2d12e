"""What docs/widget.md gives to paste works when it is pasted, on a site of another origin."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import ROOT

Say = Callable[[Page, str], None]
Context = Callable[..., BrowserContext]

GUIDE = (ROOT / "docs/widget.md").read_text("utf8")
ADDRESS = "https://answers.example.org"
#: The first block to paste behind each heading.
PASTE: Dict[str, str] = {
    heading: block
    for heading, section in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE)
    for block in re.findall(r"```\w*\n(.*?)```", section, re.DOTALL)[:1]
}
OPEN = "default-src * 'unsafe-inline'"


@pytest.fixture
def paste(assistant: Any, other_site: Any, new_context: Context) -> Callable[..., Page]:
    """A page of the other site with some HTML of the guide, and the assistant's address in it."""

    def paste_(html: str, policy: str = OPEN) -> Page:
        assistant.allowed = [other_site.url]
        other_site.policy = policy.replace(ADDRESS, assistant.url)
        html = html.replace(ADDRESS, assistant.url)
        other_site.page = f'<!doctype html><html lang="en"><title>Site</title><body><h1>Site</h1>{html}</body></html>'
        page = new_context().new_page()
        page.goto(f"{other_site.url}/page")
        return page

    return paste_


def talk(page: Page, say: Say) -> None:
    launcher = page.get_by_role("button", name="Ask about")
    launcher.or_(page.get_by_label("Your question")).first.wait_for()
    if launcher.is_visible():
        launcher.click()
    say(page, "compare")
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("figure svg")).to_be_visible()


def test_plain_html_under_the_policy_of_the_guide(paste: Callable[..., Page], say: Say) -> None:
    page = paste(PASTE["Plain HTML"], f"default-src 'none'; {PASTE['Content Security Policy']}")
    talk(page, say)
    page.get_by_role("button", name="Options").click()
    expect(page.get_by_role("button", name="Save as text")).to_be_visible()


@pytest.mark.parametrize("tag", ["script", 'script type="module"'])
def test_plain_html_under_a_policy_with_a_nonce(tag: str, paste: Callable[..., Page], say: Say) -> None:
    html = PASTE["Plain HTML"].replace("<script", f'<{tag} nonce="abc"')
    talk(paste(html, f"default-src 'none'; script-src 'nonce-abc'; connect-src {ADDRESS}"), say)


def test_as_a_part_of_the_page(paste: Callable[..., Page], say: Say) -> None:
    script = PASTE["Plain HTML"].splitlines()[0]
    inline = next(block for block in re.findall(r"```html\n(.*?)```", GUIDE, re.DOTALL) if " inline " in block)
    page = paste(script + inline)
    talk(page, say)
    assert page.locator("ms-als-chat").bounding_box()["height"] == 640


def test_nothing_is_kept_or_sent_before_somebody_writes(
    paste: Callable[..., Page], assistant: Any, other_site: Any
) -> None:
    page = paste(PASTE["Plain HTML"])
    page.get_by_role("button", name="Ask about").click()
    page.get_by_role("button", name="What is MS?").wait_for()
    page.wait_for_timeout(900)  # longer than a draft takes to be kept
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert assistant.messages == other_site.messages == []


def test_loaded_after_consent(paste: Callable[..., Page], assistant: Any, say: Say) -> None:
    element = PASTE["Plain HTML"].splitlines()[1]
    page = paste(element)
    expect(page.get_by_role("button", name="Ask about")).to_have_count(0)
    consent = re.search(r"`(import\('.*?'\))`", GUIDE)
    assert consent
    page.evaluate(consent.group(1).replace(ADDRESS, assistant.url))
    talk(page, say)


def test_theming_in_light_and_dark(paste: Callable[..., Page]) -> None:
    page = paste(f"<style>{PASTE['Theming']}</style>{PASTE['Plain HTML']}")
    page.get_by_role("button", name="Ask about").click()
    colours = "node => { const { color, backgroundColor } = getComputedStyle(node); return [color, backgroundColor]; }"
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found.append(page.get_by_role("button", name="Send").evaluate(colours))
    assert found == [["rgb(255, 255, 255)", "rgb(91, 42, 134)"], ["rgb(42, 16, 64)", "rgb(217, 184, 255)"]]


def test_frame(paste: Callable[..., Page], assistant: Any) -> None:
    page = paste(PASTE["Frames"], "default-src 'none'; frame-src *; style-src 'unsafe-inline'")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="What is MS?").click()
    expect(frame.locator("article.bot")).to_contain_text("MS is a disease of the brain and spinal cord.")
    assert page.locator("iframe").bounding_box()["height"] == 640
