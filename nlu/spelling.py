"""Spelling repair against the words of the domain.

A word that is neither English (the 82,765-word list of symspellpy) nor of the domain is taken for a
slip and replaced by the nearest domain word within one edit, two in words of eight letters or more.
English words are never touched, so "hurt" cannot become a drug.
"""

import re
from functools import lru_cache
from importlib.resources import files
from typing import FrozenSet, Iterable, Optional

from symspellpy import SymSpell, Verbosity

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SHORTEST = 5


@lru_cache(maxsize=1)
def english() -> FrozenSet[str]:
    """The English words symspellpy ships."""
    text = files("symspellpy").joinpath("frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return frozenset(line.split(" ", 1)[0] for line in text.splitlines())


def words(text: str) -> Iterable[str]:
    return _WORD.findall(text.lower())


class SpellingRepair:
    """Repairs single words. `vocabulary`: word -> how often the domain uses it."""

    def __init__(self, vocabulary: dict):
        self.vocabulary = vocabulary
        self._known = english()
        self._speller = SymSpell(max_dictionary_edit_distance=2, prefix_length=7)
        for word, count in vocabulary.items():
            if len(word) >= SHORTEST:
                self._speller.create_dictionary_entry(word, count)

    @lru_cache(maxsize=20_000)
    def repair(self, word: str) -> Optional[str]:
        """The domain word meant by a misspelt lower-case `word`, or None where nothing is near."""
        if len(word) < SHORTEST or not word.isalpha() or word in self.vocabulary or word in self._known:
            return None
        most = 2 if len(word) >= 8 else 1
        found = self._speller.lookup(word, Verbosity.CLOSEST, max_edit_distance=most)
        return found[0].term if found else None
