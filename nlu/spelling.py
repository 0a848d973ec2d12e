"""Spelling repair against the words of the domain and the commonest English ones.

A word that is neither English (the 82,765-word list of symspellpy) nor of the domain is taken for a
slip. Of the words near it the likeliest is taken: likely slips are cheap (two letters swapped, one
doubled, a neighbouring key, one vowel for another), and words that the domain uses often are preferred.
English words are never touched, so "hurt" cannot become a drug.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import OSA

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
#: Letters from which on a word is repaired at all; by two edits into a word of the domain; by two edits
#: into any word; by three edits into a word of the domain.
SHORTEST, MEDIUM, LONG, LONGEST = 3, 5, 7, 8
#: Letters that a word shares with another of its family.
BEGINNING = 5
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
#: Everyday words that a slip may also stand for.
COMMON_WORDS = 25_000
#: A word of three letters is only taken for one that the domain uses at least so often.
FREQUENT = 20
#: Cost of slips; any other edit costs 1.
SWAPPED, DOUBLED, NEIGHBOUR, SOUNDS_ALIKE, LEFT_OUT = 0.5, 0.4, 0.6, 0.5, 0.5
FIRST_LETTER = 0.4
#: What a word's being of the domain, and each tenfold use there, makes up for.
DOMAIN, TENFOLD = 0.3, 0.2
#: What stands before "'t".
_BEFORE_T = set(
    "ain aren couldn didn doesn don hadn hasn haven isn mustn needn shan shouldn wasn weren won wouldn".split()
)
_ALIKE = [set("aeiouy"), set("sz"), set("sc"), set("ck"), set("fp"), set("dt")]


@lru_cache(maxsize=1)
def english() -> dict[str, int]:
    """The English words symspellpy ships, commonest first, with how often they were counted."""
    text = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return {word: int(count) for word, count in (line.split() for line in text.splitlines())}


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class SpellingRepair:
    """Repairs single words.

    Args:
        vocabulary: the domain's words and how often it uses them.
        misspelt: words of names' known misspellings; a slip in one is repaired into it.
    """

    def __init__(self, vocabulary: dict[str, int], misspelt: Iterable[str] = ()) -> None:
        self._known = english()
        self._vocabulary = vocabulary
        # Compared one by one: an index of all their slips takes hundreds of megabytes and saves a millisecond.
        common = {*itertools.islice(self._known, COMMON_WORDS), *vocabulary, *misspelt}
        self._words = _by_length(word for word in common if len(word) > SHORTEST)
        self._beginnings = {word[:BEGINNING] for word in itertools.chain(self._known, vocabulary)}
        self._long_words = _by_length(word for word in common if len(word) >= LONGEST and word in vocabulary)

    def is_slip(self, word: str) -> bool:
        """Whether a lower-case `word` is one that `repair` looks for the meaning of, which takes some milliseconds."""
        is_word = len(word) >= SHORTEST and word.isascii() and word.isalpha()
        return is_word and word not in self._vocabulary and word not in self._known and word not in _BEFORE_T

    def is_like_none(self, word: str) -> bool:
        """Whether a lower-case `word` is a slip that does not even begin like a word ("zqxmarker", "blorpwuggle")."""
        return self.is_slip(word) and word[:BEGINNING] not in self._beginnings

    def repair(self, word: str) -> str | None:
        """The word meant by a misspelt lower-case `word`, or None where it is right or nothing is near."""
        if not self.is_slip(word):
            return None
        near = self._near(word) - {word}
        return min(near, key=lambda meant: (self._cost(word, meant), meant)) if near else None

    def _near(self, word: str) -> set[str]:
        if len(word) == SHORTEST:
            found = _within(word, self._words, 1)
            return {meant for meant in found if len(meant) == 4 and self._vocabulary.get(meant, 0) >= FREQUENT}
        found = _within(word, self._words, 2 if len(word) >= MEDIUM else 1)
        near = {meant for meant, edits in found.items() if edits < 2 or len(word) >= LONG or meant in self._vocabulary}
        if not near and len(word) >= LONGEST:
            near = set(_within(word, self._long_words, 3))
        return near

    def _cost(self, word: str, meant: str) -> float:
        uses = self._vocabulary.get(meant, 0)
        return slip_cost(word, meant) - (DOMAIN + TENFOLD * math.log10(uses) if uses else 0.0)


def _by_length(words: Iterable[str]) -> dict[int, list[str]]:
    """Words by how many letters they have: what differs by more letters than edits need not be compared."""
    found: dict[int, list[str]] = {}
    for word in words:
        found.setdefault(len(word), []).append(word)
    return found


def _within(word: str, words: dict[int, list[str]], edits: int) -> dict[str, int]:
    """Words at most so many edits away, swaps of two letters counting as one, and how many."""
    like = itertools.chain.from_iterable(words.get(len(word) + more, ()) for more in range(-edits, edits + 1))
    found = process.extract(word, list(like), scorer=OSA.distance, score_cutoff=edits, limit=None)
    return {meant: int(distance) for meant, distance, _ in found}


def slip_cost(written: str, meant: str) -> float:
    """How far a slip is from the word meant: the edit distance with swaps, likely slips being cheaper."""
    rows = [[0.0] * (len(meant) + 1) for _ in range(len(written) + 1)]
    for i in range(len(written) + 1):
        for j in range(len(meant) + 1):
            if i == j == 0:
                continue
            w, m = written[i - 1 : i], meant[j - 1 : j]
            ways = []
            if i:
                ways.append(rows[i - 1][j] + (DOUBLED if w in (written[i - 2 : i - 1], written[i : i + 1]) else 1.0))
            if j:
                ways.append(rows[i][j - 1] + (DOUBLED if m == meant[j - 2 : j - 1] else LEFT_OUT))
            if i and j:
                ways.append(rows[i - 1][j - 1] + _letter_cost(w, m))
                if i > 1 and j > 1 and written[i - 2 : i] == meant[j - 1] + meant[j - 2]:
                    ways.append(rows[i - 2][j - 2] + SWAPPED)
            rows[i][j] = min(ways)
    return rows[-1][-1] + (FIRST_LETTER if written[0] != meant[0] else 0.0)


def _letter_cost(written: str, meant: str) -> float:
    if written == meant:
        return 0.0
    if any({written, meant} <= alike for alike in _ALIKE):
        return SOUNDS_ALIKE
    return NEIGHBOUR if _neighbours(written, meant) else 1.0


def _neighbours(one: str, other: str) -> bool:
    return any(abs(row.index(one) - row.index(other)) == 1 for row in KEYBOARD if one in row and other in row)


def domain_words(texts: Iterable[str], least: int = 2) -> dict[str, int]:
    """English words that the texts use at least so often; slips in the texts are left out."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in counts.items() if count >= least and word in english()}
