"""Strings that programs trip over, hand-chosen for this assistant: `awkward.json`, by kind.

There a text stands as it is, or as [text, n] when it is meant n times. Made-up names in them begin with "zqx", which
stands nowhere else, so that it is found wherever it should not be.
"""

from __future__ import annotations

import json
from pathlib import Path

#: These keep one core busy when something is wrong, so no server gets them.
SLOW = "made to be slow to read"
MARKER = "zqx"


def _load() -> dict[str, list[str]]:
    kinds = json.loads((Path(__file__).parent / "awkward.json").read_text("ascii"))
    return {kind: [one if isinstance(one, str) else one[0] * one[1] for one in ones] for kind, ones in kinds.items()}


STRINGS = _load()


def pieces(text: str, least: int) -> list[str]:
    """What stands between white space in a text and is at least so long; its beginning, for it may come back cut."""
    return [piece[:24] for piece in dict.fromkeys(text.split()) if len(piece) >= least]
