"""A picture of each state of the widget. `SCREENSHOTS=docs/screenshots` keeps them for the README."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

import pytest
from playwright.sync_api import Page, expect

SIZE = {"width": 900, "height": 700}
PHONE = {"width": 320, "height": 640}
#: Name of the picture: page, message, and how the browser looks.
PICTURES = {
    "closed": ("embed.html", "", {}),
    "open": ("embed.html", "", {}),
    "options": ("embed.html", "", {}),
    "answer": ("embed.html", "What is MS?", {}),
    "answer-dark": ("embed.html", "What is MS?", {"color_scheme": "dark"}),
    "answer-forced-colors": (
        "embed.html",
        "What is MS?",
        {"forced_colors": "active", "color_scheme": "dark"},
    ),
    "answer-320px": ("embed.html", "What is MS?", {"viewport": PHONE}),
    "comparison": ("index.html", "compare", {}),
    "comparison-320px": ("embed.html", "compare", {"viewport": PHONE}),
    "emergency": ("embed.html", "he is choking", {}),
    "crisis-dark": ("embed.html", "I want to die", {"color_scheme": "dark"}),
    "unreachable": ("embed.html", "crash", {}),
    "busy": ("embed.html", "What is MS?", {}),
    "zoom-200": (
        "index.html",
        "compare",
        {"viewport": {"width": 450, "height": 350}, "device_scale_factor": 2},
    ),
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
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    picture = folder / f"widget-{name}.png"
    page.screenshot(path=picture, animations="disabled", caret="hide")
    assert 5_000 < picture.stat().st_size < 150_000
