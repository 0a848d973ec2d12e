"""Where the sentences and joined questions of a message are."""

import re
from typing import List, Tuple

_SENTENCE = re.compile(r"[^.!?\n;]+[.!?\n;]*")
_NEXT_QUESTION = re.compile(
    r"\s(?:and|also|plus)\s+(?=(?:what|how|is|are|can|does|do|why|who|when|which|where|will|should)\b)", re.IGNORECASE
)


def segments(text: str) -> List[Tuple[int, int]]:
    """Start and end of each sentence or joined question; a single one gives one span.

    >>> segments("What causes it and is there a cure? Thanks")
    [(0, 14), (19, 35), (35, 42)]
    """
    spans = []
    for sentence in _SENTENCE.finditer(text):
        start = sentence.start()
        for joint in _NEXT_QUESTION.finditer(text, sentence.start(), sentence.end()):
            spans.append((start, joint.start()))
            start = joint.end()
        spans.append((start, sentence.end()))
    return [(a, b) for a, b in spans if re.search(r"\w", text[a:b])] or [(0, len(text))]
