"""Spelling repair against the words of the domain and the commonest English ones.

A word that is neither English (the 82,765-word list of symspellpy) nor of the domain is taken for a
slip and replaced by the nearest word within one edit, two in words of seven letters or more; of two
equally near, the domain's. English words are never touched, so "hurt" cannot become a drug.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from symspellpy import SymSpell, Verbosity

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SHORTEST, LONG = 4, 7
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
        most = 2 if len(word) >= LONG else 1
        found = self._speller.lookup(word, Verbosity.CLOSEST, max_edit_distance=most)
        return found[0].term if found else None


def domain_words(texts: Iterable[str], least: int = 2) -> dict[str, int]:
    """English words that the texts use at least so often; slips in the texts are left out."""
    counts: dict[str, int] = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    return {word: count for word, count in counts.items() if count >= least and word in english()}
