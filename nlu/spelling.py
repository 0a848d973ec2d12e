"""Spelling repair against the words of the domain and the commonest English ones.

A word that is neither English (the 82,765-word list of symspellpy) nor of the domain is taken for a
slip and replaced by the nearest word within one edit (two in longer words). Of two equally near, the
one that fingers slip from more easily is taken, then the domain's. English words are never touched, so
"hurt" cannot become a drug.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from symspellpy import SymSpell, Verbosity

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
#: Letters from which on a word is repaired; by two edits into a word of the domain; into any word.
SHORTEST, MEDIUM, LONG = 4, 5, 7
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
#: Everyday words that a slip may also stand for.
COMMON_WORDS = 10_000
#: Puts every word of the domain before every everyday word.
DOMAIN_WEIGHT = 10**13


@lru_cache(maxsize=1)
def english() -> dict[str, int]:
    """The English words symspellpy ships, commonest first, with how often they were counted."""
    text = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return {word: int(count) for word, count in (line.split() for line in text.splitlines())}


def words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


class SpellingRepair:
    """Repairs single words. `vocabulary`: the domain's words and how often it uses them."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self._known = english()
        self._vocabulary = vocabulary
        self._speller = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        for word, count in list(self._known.items())[:COMMON_WORDS]:
            if len(word) >= SHORTEST:
                self._speller.create_dictionary_entry(word, count)
        for word, count in vocabulary.items():
            if len(word) >= SHORTEST:
                self._speller.create_dictionary_entry(word, DOMAIN_WEIGHT + count)

    def repair(self, word: str) -> str | None:
        """The word meant by a misspelt lower-case `word`, or None where it is right or nothing is near."""
        if len(word) < SHORTEST or not word.isascii() or not word.isalpha():
            return None
        if word in self._vocabulary or word in self._known:
            return None
        for most in (1, 2):
            found = self._speller.lookup(word, Verbosity.CLOSEST, max_edit_distance=most)
            if most == 2 and len(word) < LONG:
                found = [f for f in found if f.term in self._vocabulary] if len(word) >= MEDIUM else []
            if found:
                return min(found, key=lambda f: (_unlikely_slip(word, f.term), -f.count)).term
        return None


def _unlikely_slip(written: str, meant: str) -> bool:
    """False for the slips of everyday: a letter left out, doubled, swapped, or its neighbour's key."""
    if len(written) == len(meant):
        wrong = [i for i, (a, b) in enumerate(zip(written, meant, strict=True)) if a != b]
        if len(wrong) == 2 and written[wrong[0]] == meant[wrong[1]] and written[wrong[1]] == meant[wrong[0]]:
            return False
        return any(not _neighbours(written[i], meant[i]) for i in wrong)
    if len(written) < len(meant):
        return False
    return not any(a == b for a, b in itertools.pairwise(written))


def _neighbours(one: str, other: str) -> bool:
    return any(abs(row.index(one) - row.index(other)) == 1 for row in KEYBOARD if one in row and other in row)


def domain_words(texts: Iterable[str], least: int = 2) -> dict[str, int]:
    """English words that the texts use at least so often; slips in the texts are left out."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in counts.items() if count >= least and word in english()}
