"""What chat channels share to show a reply (`replies.contract.Content`): splitting, packing, addresses.

Nothing in a reply may get lost on the way, whatever its length.
"""

from __future__ import annotations

import bisect
import re
from typing import Callable, List, Optional, Sequence, TypeVar
from urllib.parse import quote, urlsplit

from replies.contract import Content

T = TypeVar("T")

MORE = "More questions you can press:"


def split(text: str, limit: int, size: Callable[[str], int] = len) -> List[str]:
    """Cuts a text into pieces of at most `limit`, losing nothing but white space at the cuts.

    It cuts at the end of a line, else of a sentence, else between words, and inside a word only when the word
    alone is too long.

    Args:
        text: what to cut.
        limit: the largest `size` of a piece.
        size: how the service counts, e.g. characters after escaping; must grow with the text.
    """
    pieces: List[str] = []
    rest = text.strip()
    while rest and size(rest) > limit:
        # size(rest[:n]) <= limit holds up to some n and not beyond
        fits = max(1, bisect.bisect_right(range(len(rest) + 1), limit, key=lambda n: size(rest[:n])) - 1)
        cut = _last_break(rest, fits)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*pieces, rest] if rest else pieces


def _last_break(text: str, fits: int) -> int:
    """Where to cut `text` so that at most `fits` characters come before."""
    head = text[: fits + 1]
    for pattern in (r"\n", r"(?<=[.!?])\s"):
        ends = [m.start() for m in re.finditer(pattern, head)]
        if ends and ends[-1] > fits // 2:
            return ends[-1]
    spaces = [m.start() for m in re.finditer(r"\s", head) if m.start() > 0]
    return spaces[-1] if spaces else fits


def pack(pieces: Sequence[T], fits: Callable[[List[T]], bool]) -> List[List[T]]:
    """Puts pieces into as few messages as hold them, in order; a piece that fits nowhere gets its own."""
    packed: List[List[T]] = []
    for piece in pieces:
        if packed and fits([*packed[-1], piece]):
            packed[-1].append(piece)
        else:
            packed.append([piece])
    return packed


def utf16_length(text: str) -> int:
    """Length as Telegram counts it: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shortened(title: str, limit: int) -> str:
    """A button's title cut to `limit` characters, at a word if it can be."""
    if len(title) <= limit:
        return title
    space = title.rfind(" ", 1, limit)
    return title[: space if space > 0 else limit - 1].rstrip() + "…"


def in_full(content: Content, limit: int) -> str:
    """The buttons whose titles are cut to `limit`, written out; empty when there are none."""
    long = [f"• {button.title}" for button in content.buttons if len(button.title) > limit]
    return "\n".join(["The questions below in full:", *long]) if long else ""


def web_address(url: Optional[str]) -> str:
    """The address as it may stand in a link, or "" if it is none of the web (`javascript:`, broken)."""
    url = (url or "").strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc or re.search(r"[\x00-\x20\x7f]", parts.netloc):
        return ""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~-._")
