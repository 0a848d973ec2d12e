"""What chat channels share to show a reply: its parts, the comparison as text, splitting, addresses.

    content = content_of(message)          # a message as Rasa hands it to an output channel
    content.answer, content.rows, content.sources, content.reviewed, content.disclaimer, content.buttons

Renderers only read the reply. Nothing in it may get lost on the way, whatever its length.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar
from urllib.parse import quote, urlsplit

T = TypeVar("T")

CONDITIONS = ("MS", "ALS")
UNCHECKED = "; not every source has been read again yet"


@dataclass(frozen=True)
class Row:
    """One row of a comparison: what is compared, and a (disease, text) pair per disease."""

    aspect: str
    cells: Tuple[Tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The row for reading on a phone: the aspect, then a line per disease."""
        return "\n".join([self.aspect, *(f"{name}: {text}" for name, text in self.cells)])


@dataclass(frozen=True)
class Source:
    """Where something was read. `url` is empty unless it is a web address that is safe to link."""

    title: str
    detail: str
    url: str
    address: str

    @property
    def text(self) -> str:
        """Title, publisher, year and bare address in one line."""
        return f"{self.title}{self.detail}" + (f": {self.address}" if self.address else "")


@dataclass(frozen=True)
class Button:
    """What may be pressed next; `payload` is what the press says."""

    title: str
    payload: str


@dataclass(frozen=True)
class Content:
    """A reply taken apart. `text` is the whole of it as plain text."""

    text: str
    answer: str
    rows: Tuple[Row, ...]
    sources: Tuple[Source, ...]
    reviewed: str
    disclaimer: str
    buttons: Tuple[Button, ...]


def content_of(message: Dict[str, Any]) -> Content:
    """Takes a message apart that Rasa hands to `OutputChannel.send_response`.

    With the contract's metadata every part comes from there; without it the text is the answer, less the
    disclaimer at its end if that is known.
    """
    metadata = message.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    text = str(message.get("text") or "").strip()
    disclaimer = str(metadata.get("disclaimer") or message.get("disclaimer") or "").strip()
    buttons = tuple(
        Button(str(b["title"]).strip(), str(b.get("payload") or b["title"]))
        for b in [*(message.get("buttons") or []), *(message.get("quick_replies") or [])]
        if str(b.get("title") or "").strip()
    )
    # Each paragraph, such as the answers to two questions, stands apart from the next.
    answer = re.sub(r"\s*\n\s*", "\n\n", str(metadata.get("answer") or "").strip())
    if not answer:
        answer = text[: -len(disclaimer)].strip() if disclaimer and text.endswith(disclaimer) else text
        return Content(text, answer, (), (), "", disclaimer, buttons)
    reviewed = metadata.get("reviewed")
    unchecked = UNCHECKED if metadata.get("checked") is False else ""
    review = f"Facts last looked at: {reviewed}{unchecked}." if reviewed else ""
    rows = tuple(_row(r) for r in metadata.get("comparison") or [])
    sources = tuple(_source(s) for s in metadata.get("sources") or [])
    parts = [answer, *(r.text for r in rows), *(s.text for s in sources), review, disclaimer]
    return Content(text or "\n".join(p for p in parts if p), answer, rows, sources, review, disclaimer, buttons)


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


def _row(row: Dict[str, Any]) -> Row:
    names = [*CONDITIONS, *(k for k in row if k not in (*CONDITIONS, "aspect"))]
    cells = tuple((name, str(row[name]).strip()) for name in names if row.get(name))
    return Row(str(row.get("aspect") or "").strip(), cells)


def _source(source: Dict[str, Any]) -> Source:
    address = str(source.get("url") or "").strip()
    title = str(source.get("title") or source.get("publisher") or address).strip()
    publisher = str(source.get("publisher") or "").strip()
    # "MS Trust, home page" need not be followed by "MS Trust" once more.
    named = "" if f"{title},".startswith(f"{publisher},") else publisher
    detail = "".join(f", {x}" for x in (named, source.get("year") or "no date") if x)
    return Source(title, detail, web_address(address), address)
