"""A picture of each state of the widget; to look at them: `SCREENSHOTS=/tmp/states pytest <this file>`.

Those of README and docs show the product's own replies: `make screenshots`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest
from playwright.sync_api import Page, expect

SIZE = {"width": 900, "height": 760}
PHONE = {"width": 360, "height": 640}
#: Name of the picture: page, message, and how the browser looks.
PICTURES = {
    "closed": ("embed.html", "", {}),
    "first": ("embed.html", "", {}),
    "first-page": ("index.html", "", {"viewport": {"width": 1280, "height": 800}}),
    "first-phone": ("embed.html", "", {"viewport": PHONE}),
    "first-400": ("embed.html", "", {"viewport": {"width": 320, "height": 256}}),
    "options": ("embed.html", "", {}),
    "answer": ("embed.html", "What is MS?", {}),
    "answer-dark": ("embed.html", "What is MS?", {"color_scheme": "dark"}),
    "answer-high-contrast": ("embed.html", "What is MS?", {"contrast": "more"}),
    "answer-forced-colors": ("embed.html", "What is MS?", {"forced_colors": "active", "color_scheme": "dark"}),
    "answer-phone": ("embed.html", "What is MS?", {"viewport": PHONE}),
    "answer-400": ("embed.html", "What is MS?", {"viewport": {"width": 320, "height": 256}}),
    "answer-frame": ("frame.html", "What is MS?", {"viewport": {"width": 500, "height": 600}}),
    "comparison": ("index.html", "compare", {"viewport": {"width": 1280, "height": 800}}),
    "comparison-phone": ("embed.html", "compare", {"viewport": PHONE}),
    "emergency": ("embed.html", "he is choking", {}),
    "crisis-dark": ("embed.html", "I want to die", {"color_scheme": "dark"}),
    "unreachable": ("embed.html", "crash", {}),
    "busy": ("embed.html", "What is MS?", {}),
    "too-long": ("embed.html", "", {}),
    "offline": ("embed.html", "", {}),
    "waiting": ("embed.html", "", {}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_screenshot(
    name: str,
    open_chat: Callable[..., Page],
    say: Callable[[Page, str], None],
    tmp_path: Path,
    assistant: Any,
) -> None:
    path, message, look = PICTURES[name]
    assistant.refusal = "429 20" if name == "busy" else ""
    page = open_chat(opened=path == "embed.html" and name != "closed", path=path, **{"viewport": SIZE, **look})
    if message:
        say(page, message)
        failed = name in ("unreachable", "busy")
        sign = page.get_by_role("button", name="Try again") if failed else page.locator("article.me + *")
        expect(sign).to_be_visible()
    if name == "options":
        page.get_by_role("button", name="Options").click()
        expect(page.get_by_role("button", name="Forget me")).to_be_visible()
    if name == "too-long":
        page.get_by_label("Your question").fill("word " * 500)
    if name in ("offline", "waiting"):
        page.context.set_offline(name == "offline")
        assistant.hold.clear()
        for text in ("What helps against tiredness?", "And against pain?"):
            say(page, text)
        sign = "2 questions are kept" if name == "offline" else "Looking for an answer"
        expect(page.get_by_text(sign)).to_be_visible()
    if name != "waiting":
        page.wait_for_load_state("networkidle")
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(exist_ok=True)
    picture = folder / f"{name}.png"
    page.screenshot(path=picture, animations="disabled", caret="hide")
    assert 5_000 < picture.stat().st_size < 200_000
