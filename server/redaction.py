"""Takes out of a question whatever could tell who wrote it.

    >>> Redactor(terms).redact("I'm Anna Kowalska, 47, from Leeds. Is ocrevus safe with wine?")
    "i'm _ from _ is ocrevus safe with wine"

First go the e-mail addresses, telephone numbers, web addresses, dates and identity numbers that Presidio's
recognizers find. Then only words on a list stay: the commonest English ones less all that may be names, and the
terms of the fact store. Everything else is lost, misspelt words and new drugs too: better lose a word than a name.

Presidio's recognizers are asked one by one, without its engine: that wants a language model, and none is needed for
patterns. Imported only when the text of questions is kept.
"""

from __future__ import annotations

import itertools
import logging
import re
import unicodedata
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Tuple

from presidio_analyzer import predefined_recognizers as presidio

from facts.schema import Term
from nlu.spelling import english

# Presidio sets up an output of its own for what it decided about a text.
logging.getLogger("decision_process").handlers.clear()

MASK = "_"
#: How many of the commonest English words may stay.
COMMON_WORDS = 15_000
#: Longer messages tell so much that taking names out of them is not enough.
MOST_CHARACTERS = 300
#: Of the words at least this share must be left, or what is left says more about the person than about the question.
LEAST_LEFT = 0.5

#: Numbers that ask ("the first symptoms of the two") and stay when they stand alone.
_SMALL_NUMBERS = frozenset(("one", "two", "first", "second"))
#: Behind these comes the name of somebody or of some place.
_CUES = re.compile(
    r"\b(?:name(?:s|d)?(?: is| was|'s)?|called|signed|regards|sincerely|mr|mrs|miss|mister|sir|dr|prof|professor"
    r"|nurse|uncle|aunt|auntie|cousin|nickname|surname|maiden|born (?:in|at|on)"
    r"|(?:live|lives|lived|living|stay|staying|moved|based|resid\w+) (?:in|at|near|on|to)"
    r"|(?:work|works|worked|working|job|employed|teach|teaches|study|studying|student|treated|seen|patient|admitted)"
    r" (?:at|for|in|with|by|to)"
    r"|(?:gp|neurologist|consultant|hospital|clinic|surgery) (?:is|was)"
    r"|(?:employer|boss|company|firm|school|church|address|username|user|handle|facebook|twitter|instagram|insta)"
    r"(?: is| was)?"
    r")(?=\W|$)"
)
#: How many words behind a cue go, unless a function word stops it.
_BEHIND_CUE = 3
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
#: A piece of text between blanks that is no plain word with punctuation around it: an address, a handle, a number.
_ODD = re.compile(r"[@#$\d_/\\:<>=&%+~^|\x00]|[^\x00-\x7f]|\w\.\w")
_EITHER = re.compile(r"[A-Za-z]+(?:/[A-Za-z]+)+")
_SENTENCE_END = re.compile(r"[.!?]$")


def _read_words() -> Dict[str, FrozenSet[str]]:
    """The lists of `redaction_words.txt` by their headings."""
    text = re.sub(r"^#.*$", "", Path(__file__).with_name("redaction_words.txt").read_text("utf8"), flags=re.MULTILINE)
    parts = re.split(r"^\[(.+)\]$", text, flags=re.MULTILINE)
    return {heading: frozenset(words.split()) for heading, words in zip(parts[1::2], parts[2::2], strict=True)}


_LISTS = _read_words()
_FUNCTION_WORDS = _LISTS["function words"]
_NUMBERS = _LISTS["numbers"]


class _Email(presidio.EmailRecognizer):
    """Without the check whether the top-level domain exists: it fetches a list from the internet."""

    def validate_result(self, pattern_text: str) -> Optional[bool]:
        return None


def _recognizers() -> List[Any]:
    regions = ("US", "GB", "IE", "CA", "AU", "NZ", "IN", "ZA", "DE", "FR", "ES", "IT", "NL", "PL", "BR")
    return [
        _Email(),
        presidio.UrlRecognizer(),
        presidio.IpRecognizer(),
        presidio.PhoneRecognizer(supported_regions=regions, leniency=0),
        presidio.DateRecognizer(),
        presidio.IbanRecognizer(),
        presidio.CreditCardRecognizer(),
        presidio.CryptoRecognizer(),
        presidio.NhsRecognizer(),
        presidio.UkNinoRecognizer(),
        presidio.UsSsnRecognizer(),
        presidio.UsItinRecognizer(),
        presidio.UsPassportRecognizer(),
        presidio.MedicalLicenseRecognizer(),
        presidio.AuMedicareRecognizer(),
        presidio.InAadhaarRecognizer(),
        presidio.PlPeselRecognizer(),
    ]


def plain(text: str) -> str:
    """The text with one kind of apostrophe and hyphen, without accents and invisible characters."""
    text = text.translate({0x2018: "'", 0x2019: "'", 0x02BC: "'", 0x60: "'", 0x2010: "-", 0x2011: "-", 0xAD: None})
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c for c in letters if unicodedata.category(c) not in ("Mn", "Cf", "Cc") or c in "\n\t")


class Redactor:
    """Knows which words may stay.

    Args:
        terms: what the fact store names; drugs and diseases are no English words.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._names, self._everyday = _LISTS["names"], _LISTS["everyday"]
        words = set(itertools.islice(english(), COMMON_WORDS)) - self._names
        self._phrases: Dict[str, List[Tuple[str, ...]]] = {}
        small, large = set(), set()
        for term in terms:
            for written in (term.name, *term.synonyms, *term.abbreviations, *term.misspellings):
                parts = tuple(_WORD.findall(plain(written).lower()))
                if not parts or any(c.isdigit() for c in written):
                    continue
                if len(parts) > 1 or self._names_no_person(parts[0], written, term):
                    self._phrases.setdefault(parts[0], []).append(parts)
                if term.kind != "drug":
                    # What is ever written large may be a family name, as in "Charcot disease".
                    large |= {part.lower() for part in re.findall(r"\b[A-Z][a-z]+", plain(written))}
                if term.kind not in ("person", "organisation"):
                    small |= set(parts) & set(plain(written).split())
        words |= small - large - self._names
        self._words = frozenset(w for w in words - _NUMBERS if len(w) > 1) | {"a", "i"} | _SMALL_NUMBERS
        for found in self._phrases.values():
            found.sort(key=len, reverse=True)
        self._recognizers = _recognizers()

    def _names_no_person(self, word: str, written: str, term: Term) -> bool:
        """Whether a name of one word is no family name: of "Hashimoto" and "Hashimoto's" the second is a disease."""
        if term.kind in ("person", "organisation") or word.removesuffix("'s") in self._names:
            return False
        return term.kind in ("drug", "condition") or not written.istitle() or word.endswith("s")

    def redact(self, text: str) -> Optional[str]:
        """The words that may be kept, in lower case, with `_` for what went; None when too little is left."""
        if len(text) > MOST_CHARACTERS:
            return None
        pieces = self._pieces(self._without_patterns(plain(text)))
        kept = self._beside_masks(self._behind_cues(self._known(pieces), [word for word, _ in pieces]))
        left = sum(1 for word in kept if word)
        if left < LEAST_LEFT * len(kept) or not any(w and w not in _FUNCTION_WORDS for w in kept):
            return None
        shown = (word or MASK for word in kept)
        return " ".join(word for word, _ in itertools.groupby(shown) if word)

    def _without_patterns(self, text: str) -> str:
        """The text with blanked-out addresses, numbers and dates."""
        for recognizer in self._recognizers:
            for found in recognizer.analyze(text, recognizer.supported_entities, None) or ():
                text = text[: found.start] + "\x00" * (found.end - found.start) + text[found.end :]
        return re.sub("\x00+", " \x00 ", text)

    @staticmethod
    def _pieces(text: str) -> List[Tuple[str, bool]]:
        """Lower-case words, each with whether it is written as a name in the middle of a sentence; "" for odd ones."""
        chunks = text.split()
        shouted = sum(c[0].isupper() for c in chunks) * 2 > len(chunks)
        pieces: List[Tuple[str, bool]] = []
        begins = True
        for chunk in chunks:
            bare = chunk.strip(".,;!?\"'()[]{}*-")
            if _ODD.search(bare) and not _EITHER.fullmatch(bare):
                pieces.append(("", False))
            else:
                for part in re.split(r"[^A-Za-z'-]+", bare):
                    if part:
                        acronym = part.isupper() and len(part) <= 3
                        named = part[0].isupper() and not (begins or shouted or acronym)
                        pieces.append((part.lower() if _WORD.fullmatch(part.lower()) else "", named))
                        begins = False
            begins = bool(_SENTENCE_END.search(chunk)) if bare or begins is False else begins
        return pieces

    def _known(self, pieces: List[Tuple[str, bool]]) -> List[Tuple[str, bool]]:
        """Each word, or "" for one that goes, and whether it is a term of the store."""
        known: List[Tuple[str, bool]] = []
        at = 0
        while at < len(pieces):
            written = [word for word, _ in pieces[at : at + 8]]
            phrase = next((p for p in self._phrases.get(written[0], ()) if tuple(written[: len(p)]) == p), None)
            if phrase:
                known += [(word, True) for word in phrase]
                at += len(phrase)
                continue
            word, named = pieces[at]
            named = named and word.split("'")[0] != "i"
            known.append((word if self.may_stay(word) and not named else "", False))
            at += 1
        return self._without_long_numbers(known, [word for word, _ in pieces])

    def is_part_of_a_term(self, word: str) -> bool:
        """Whether a word may stand in what is kept because it belongs to a name of the fact store."""
        return any(word in phrase for found in self._phrases.values() for phrase in found)

    def may_stay(self, word: str) -> bool:
        """Whether a lower-case word may stay by itself."""
        if word in self._words or word in _LISTS["negations"]:
            return True
        before, apostrophe, after = word.partition("'")
        if apostrophe:
            return before in self._words and after in ("s", "m", "re", "ve", "d", "ll", "")
        return "-" in word and all(part in self._words for part in word.split("-"))

    @staticmethod
    def _without_long_numbers(known: List[Tuple[str, bool]], written: List[str]) -> List[Tuple[str, bool]]:
        """Numbers in words go when there are two in a row, as in a date, an age or a telephone number."""
        numeric = [at for at, word in enumerate(written) if word and all(part in _NUMBERS for part in word.split("-"))]
        for first, second in itertools.pairwise(numeric):
            if second - first == 1 or (second - first == 2 and written[first + 1] == "and"):
                known[first] = known[second] = ("", False)
        return known

    @staticmethod
    def _behind_cues(known: List[Tuple[str, bool]], written: List[str]) -> List[Tuple[str, bool]]:
        """Words go that stand where a name, a place or an employer does, or before "street"."""
        starts = [0, *itertools.accumulate(len(word or "?") + 1 for word in written)]
        line = " ".join(word or "?" for word in written)
        ends = {match.end() + 1 for match in _CUES.finditer(line)}
        for at, word in enumerate(written):
            if starts[at] in ends:
                gone = 0
                for behind in range(at, len(known)):
                    if known[behind][0] in _LISTS["before names"] and not gone:
                        continue
                    if known[behind][1] or known[behind][0] in _FUNCTION_WORDS or gone == _BEHIND_CUE:
                        break
                    known[behind] = ("", False)
                    gone += 1
            if word in _LISTS["streets"] or (word in _LISTS["perhaps streets"] and "" in written[max(0, at - 3) : at]):
                for before in range(max(0, at - 2), at + 1):
                    if known[before][0] not in _FUNCTION_WORDS and not known[before][1]:
                        known[before] = ("", False)
        return known

    def _beside_masks(self, known: List[Tuple[str, bool]]) -> List[str]:
        """Everyday words that are names as well go when something beside them went: "joy long"."""
        kept = [word for word, _ in known]
        changed = True
        while changed:
            changed = False
            for at, (word, term) in enumerate(known):
                beside = kept[max(0, at - 1) : at] + kept[at + 1 : at + 2]
                if kept[at] and not term and word in self._everyday and "" in beside:
                    kept[at], changed = "", True
        return kept
