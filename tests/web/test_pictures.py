"""The pictures in README and docs show what the assistant answers today, and can be made at any time."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from PIL import Image

from tests.web.conftest import ROOT, WEB

SCREENSHOTS = ROOT / "docs/screenshots"


def size(picture: Path) -> tuple[int, int]:
    """Of a PNG."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def test_each_picture_shows_what_the_assistant_says_today(start_assistant: Callable[..., Any]) -> None:
    """Texts are compared, not pixels: run `make screenshots` when this fails."""
    replies = json.loads((SCREENSHOTS / "replies.json").read_text("utf8"))
    product = start_assistant()
    old = []
    for name, turns in replies.items():
        assert (SCREENSHOTS / f"{name}.png").is_file(), f"{name}.png is missing: run `make screenshots`"
        for turn in turns:
            answer = product.post({"sender": f"picture-{name}", "message": turn["ask"]}).json()
            if [reply["metadata"]["answer"] for reply in answer] != turn["answers"]:
                old.append(f"{name}.png: {turn['ask']}")
    assert old == [], "these show an answer that is no longer given: run `make screenshots`"


def test_no_picture_is_there_that_nobody_can_make_again() -> None:
    replies = json.loads((SCREENSHOTS / "replies.json").read_text("utf8"))
    assert {picture.stem for picture in SCREENSHOTS.glob("*.png")} == set(replies)


def test_pictures_are_made_of_a_running_assistant(assistant: Any, tmp_path: Path) -> None:
    """With the stand-in for the product; the pictures are thrown away."""
    (tmp_path / "widget-old.png").write_bytes(b"of before")
    make = [sys.executable, str(ROOT / "bin/screenshots"), "--url", assistant.url, "--out", str(tmp_path)]
    for question in ("How do MS and ALS differ?",):
        assistant.replies[question] = assistant.replies["compare"]
    done = subprocess.run(make, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    replies = json.loads((tmp_path / "replies.json").read_text("utf8"))
    assert {picture.stem for picture in tmp_path.glob("*.png")} == set(replies)
    assert replies["widget-zoom-400"] == [
        {
            "ask": "What is MS?",
            "answers": [
                "MS is a disease of the brain and spinal cord.\nThe immune system harms the coating of nerves."
            ],
        }
    ]
    assert size(tmp_path / "widget-phone.png") == (720, 1280)
    assert all(picture.stat().st_size > 8_000 for picture in tmp_path.glob("*.png"))


@pytest.mark.parametrize("file", sorted((WEB / "drawings").glob("*.svg")), ids=lambda file: file.stem)
def test_each_drawing_is_there_as_a_picture_for_those_who_take_no_svg(file: Path) -> None:
    """Slack and Telegram; `bin/screenshots --drawings` makes them again."""
    picture = file.with_suffix(".png")
    with Image.open(picture) as image:
        assert image.text["svg-sha256"] == hashlib.sha256(file.read_bytes()).hexdigest(), "it shows an older drawing"
        assert image.width == 1200
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert picture.stat().st_size < 80_000
