"""The drawings of web/drawings: which questions each explains, and what it says in words.

Each is an SVG with its text alternative, caption and sources, and the same as PNG for who takes no SVG. Which question
has which is in explains.js, from which the widget reads it.
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple
from xml.etree import ElementTree

FOLDER = Path(__file__).parents[1] / "web/drawings"
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Drawing:
    """One drawing.

    Attributes:
        description: what it shows, for who does not see it.
        caption: what it means.
        sources: after what it is drawn: (publisher, address) of each.
    """

    name: str
    title: str
    description: str
    caption: str
    sources: Tuple[Tuple[str, str], ...]

    def credit(self, link: Callable[[str, str], str]) -> str:
        """Says after what it is drawn; `link` makes one of an address and a publisher."""
        return f"Drawn after: {', '.join(link(url, publisher) for publisher, url in self.sources)}"

    @property
    def svg(self) -> str:
        return (FOLDER / f"{self.name}.svg").read_text("utf8")

    @property
    def png(self) -> bytes:
        return (FOLDER / f"{self.name}.png").read_bytes()


def drawing_for(question: Optional[str], conditions: Sequence[str], terms: Sequence[str] = ()) -> Optional[Drawing]:
    """The drawing that explains a question (`diagnosis/test`) about these diseases; None where there is none."""
    scope = "both" if len(conditions) > 1 else "".join(conditions)
    asked = {question, *(f"{question}:{term}" for term in terms)}
    found = (name for name, questions in explained().get(scope, {}).items() if asked & set(questions))
    return next(map(read, found), None)


def drawings_of(question: str) -> List[Drawing]:
    """All that explain a question, about whichever disease it is asked."""
    return [
        read(name)
        for drawings in explained().values()
        for name, questions in drawings.items()
        if question in (one.partition(":")[0] for one in questions)
    ]


@cache
def explained() -> Dict[str, Dict[str, List[str]]]:
    """By disease ("MS", "ALS", "both") and drawing: the questions that it explains, some with a term behind a colon."""
    data = (FOLDER / "explains.js").read_text("utf8").partition("export default")[2].rstrip("; \n")
    return {scope: {name: some.split() for name, some in one.items()} for scope, one in json.loads(data).items()}


@cache
def read(name: str) -> Drawing:
    """A drawing by its name.

    Raises:
        OSError: there is none.
    """
    svg = ElementTree.parse(FOLDER / f"{name}.svg").getroot()
    title, description, caption = (
        re.sub(r"\s+", " ", svg.findtext(f"{_SVG}{path}", "")).strip()
        for path in ("title", "desc", f"metadata/{_SVG}caption")
    )
    sources = ((one.get("publisher", ""), one.get("url", "")) for one in svg.iter(f"{_SVG}source"))
    return Drawing(name, title, description, caption, tuple(sources))
