"""Which language a message is in, and the cries for help of those that are not English.

    >>> foreign("qué es la ELA")
    'es'
    >>> foreign("my abuela has ALS") is None
    True
    >>> foreign_alarm("no puedo respirar")
    ForeignAlarm(outcome='emergency', language='es')

Messages are short, full of drug names and slips, and "MS" and "ALS" are words of German and Dutch. A statistical model
takes "lou gehrigs disease" for German; so the script decides first, then function words and everyday words of each
language (`languages.yml`) against English ones. In doubt it is English.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple

from ruamel.yaml import YAML

from nlu.alarm import BREAK, Message, Outcome, Pattern
from nlu.plain import plain
from nlu.spelling import english

LANGUAGES_FILE = Path(__file__).parent / "languages.yml"
OTHER = "other"

#: So much a word counts that is of a language and not English; one that is English too; one that is plainly English.
OWN, SHARED, FUNCTION, ENGLISH = 1.0, 0.3, 1.0, 0.6
#: A word with its own accents tells a little more.
EXACT = 0.2
#: What of an English word's weight a language takes back that has the same word.
TELLING = 0.7
#: So much a language must have, by so much lead English, and by so much one without sentences of ours lead the next.
MOST_WORDS = 120
LEAST, LEAD, APART = 1.0, 0.35, 0.6
#: English words known to everybody; the long list holds many that are words elsewhere.
EVERYDAY = 12_000
#: Letters that no English word is written with, and whose they are.
LETTERS = {
    "es": "ñ¿¡", "pt": "ãõ", "de": "ß", "tr": "şğı", "pl": "łąęśżźćń", "fr": "œ",
}  # fmt: skip
#: Share of the letters that must be of another script.
SCRIPT_SHARE = 0.4

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_ENGLISH_FUNCTION = frozenset(
    (
        "the is are was were be been what how why when where who which of and or to for with without from my your his "
        "her their our i you he she they we it do does did can could will would should have has had not don't doesn't "
        "can't isn't i'm it's what's there this that these those about any some if but so because get got anyone "
        "please help long tell me know take give need want am its im ive dont cant whats"
    ).split()
)
#: English slips and slang that are words elsewhere.
_SLANG = frozenset("wat dat dis det der den thats hows ive wen hav har plz".split())
_NEUTRAL = frozenset("ms als mnd em ela sm sla sep mri rrms ppms spms cis ok no hi".split())
#: Counted often enough to stand among the everyday English words, and none.
_NOT_ENGLISH = frozenset(
    (
        "que est les des una los del por para con las der und das von mit ist nicht het een di il della che sur dans "
        "pour avec qui sont jest czy jak nie sie bir ve var como esta sin mas cura vida sono non nel alla gli sind "
        "auf ein eine zijn naar wel mij hoe niet voor"
    ).split()
)


@dataclass(frozen=True)
class ForeignAlarm:
    """A cry for help in another language than English."""

    outcome: Outcome
    language: str


@dataclass(frozen=True)
class Language:
    """What is said to somebody who writes in a language: fixed sentences, each number on a line of its own."""

    code: str
    name: str
    only_english: str
    read_on: Tuple[Tuple[str, str], ...]
    emergency_number: str
    crisis: str = ""
    emergency: str = ""
    crisis_lines: Tuple[str, ...] = ()
    emergency_lines: Tuple[str, ...] = ()

    @property
    def answer(self) -> str:
        """The reply to a question asked in this language."""
        where = [f"{title}: {url}" for title, url in self.read_on]
        return "\n".join([self.only_english, *where, self.emergency_number])

    def alarm(self, outcome: Outcome) -> str:
        """The reply to a cry for help in this language."""
        said, lines = (
            (self.crisis, self.crisis_lines) if outcome == "crisis" else (self.emergency, self.emergency_lines)
        )
        return "\n".join([said, *lines])


@lru_cache(maxsize=1)
def _read() -> Dict[str, Dict[str, Any]]:
    return dict(YAML(typ="safe").load(LANGUAGES_FILE.read_text(encoding="utf8")))


@lru_cache(maxsize=1)
def languages() -> Dict[str, Language]:
    """All languages by their code; `other` stands for those that are only told from English."""
    return {
        code: Language(
            code=code,
            name=said["name"],
            only_english=said["only_english"].strip(),
            read_on=tuple((r["title"], r["url"]) for r in said["read_on"]),
            emergency_number=said["emergency_number"],
            crisis=said.get("crisis", "").strip(),
            emergency=said.get("emergency", "").strip(),
            crisis_lines=tuple(said.get("crisis_lines", ())),
            emergency_lines=tuple(said.get("emergency_lines", ())),
        )
        for code, said in _read().items()
    }


def foreign(text: str) -> Optional[str]:
    """The ISO 639-1 code of the language a message is in, `other` for one without sentences of ours, None for English."""
    made = plain(text).text
    return _by_script(made) or _by_words(made)


# --- by script ----------------------------------------------------------------------------------------------------

_SCRIPTS = (
    ("arabic", re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")),
    ("devanagari", re.compile(r"[\u0900-\u097f]")),
    ("kana", re.compile(r"[\u3040-\u30ff]")),
    ("han", re.compile(r"[\u3400-\u9fff]")),
    ("cyrillic", re.compile(r"[\u0400-\u04ff]")),
    ("hangul", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
)
_NOT_ARABIC = re.compile(r"[گچپژٹڈےہںکی]")
_UKRAINIAN, _RUSSIAN, _OTHER_CYRILLIC = re.compile("[іїєґ]"), re.compile("[ыэёъ]"), re.compile("[ђјљњћџѓќўөүәқңһ]")


def _by_script(text: str) -> Optional[str]:
    # A Han character is a word, not a letter.
    letters = sum(2 if "\u3400" <= c <= "\u9fff" else 1 for c in text if c.isalpha())
    strange = [c for c in text if c.isalpha() and ord(c) > 0x36F and not "\u1e00" <= c <= "\u1fff"]
    count = sum(2 if "\u3400" <= c <= "\u9fff" else 1 for c in strange)
    # "β-interferon", "TNFα": a letter is no language. "MS это что": the disease's letters are nobody's.
    latin = sum(len(w) for w in _WORD.findall(text) if w.isascii() and w.lower() not in _NEUTRAL)
    if count < 2 or count < SCRIPT_SHARE * (latin + count) or letters == 0:
        return None
    shares = {name: sum(bool(p.match(c)) for c in strange) for name, p in _SCRIPTS}
    name = max(shares, key=lambda n: shares[n])
    if shares["kana"]:
        return OTHER
    if shares[name] * 2 < len(strange):
        return OTHER
    return {"arabic": _arabic, "devanagari": lambda _: "hi", "han": lambda _: "zh", "cyrillic": _cyrillic}.get(
        name, lambda _: OTHER
    )(text.lower())


def _arabic(text: str) -> str:
    return OTHER if len(_NOT_ARABIC.findall(text)) >= 2 else "ar"


def _cyrillic(text: str) -> str:
    if _OTHER_CYRILLIC.search(text):
        return OTHER
    if _UKRAINIAN.search(text) and not _RUSSIAN.search(text):
        return "uk"
    if _RUSSIAN.search(text):
        return "ru"
    found = set(_WORD.findall(text))
    return "uk" if len(found & _words()["uk"]) > len(found & _words()["ru"]) else "ru"


# --- by words -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _words() -> Dict[str, Set[str]]:
    made = {}
    for code, said in _read().items():
        listed = set((said.get("words") or "").lower().split())
        made[code] = listed | {_bare(word) for word in listed if code not in ("ru", "uk")}
    return made


@lru_cache(maxsize=1)
def _everyday() -> Set[str]:
    words = english()
    return {word for index, word in enumerate(words) if index < EVERYDAY} - _NOT_ENGLISH


def _by_words(text: str) -> Optional[str]:
    """The language whose words lead, where they lead English ones."""
    words = [w.lower().replace("\u2019", "'") for w in _WORD.findall(text)]
    words = [part for w in words for part in _parted(w) if part not in _NEUTRAL][:MOST_WORDS]
    if not words:
        return None
    score: Dict[str, float] = {}
    own: Set[str] = set()
    everyday, lists = _everyday(), _words()
    of_english, shared = 0.0, dict.fromkeys(lists, 0.0)
    for word in words:
        bare = _bare(word)
        owners = [code for code, listed in lists.items() if word in listed or bare in listed]
        weight = FUNCTION if word in _ENGLISH_FUNCTION else ENGLISH if word.isascii() and word in everyday else 0.0
        of_english += weight
        for code in owners:
            # "ya", "um", "ta": two letters are a word of many languages, and of chats.
            telling = not weight and len(word) > 2 and word not in _SLANG
            exact = EXACT if word in lists[code] and word != bare else 0.0
            score[code] = score.get(code, 0.0) + (OWN if telling else SHARED) + exact
            # "was" and "die" are English and German: they tell little.
            shared[code] += weight * TELLING
            if telling:
                own.add(code)
        for code, letters in LETTERS.items():
            if any(letter in letters for letter in word):
                score[code] = score.get(code, 0.0) + (0.6 if owners else 0.8)
                own.add(code)
    if "¿" in text or "¡" in text:
        score["es"] = score.get("es", 0.0) + 1.0
        own.add("es")
    score = {
        code: points
        for code, points in score.items()
        if code in own and points >= LEAST and points >= of_english - shared[code] + LEAD
    }
    if not score:
        return None
    ranked = sorted(score, key=lambda code: -score[code])
    if ranked[0] == OTHER and len(ranked) > 1 and score[OTHER] - score[ranked[1]] < APART:
        return ranked[1]
    return ranked[0]


def _parted(word: str) -> List[str]:
    """l'esclerosi, d'une, qu'est-ce: the article stands alone. English contractions stay whole."""
    if "'" in word and word not in _ENGLISH_FUNCTION:
        before, _, after = word.partition("'")
        if len(before) <= 2 and after:
            return [before, after]
    return [word]


def _bare(word: str) -> str:
    """Without accents, as many type."""
    word = word.replace("ı", "i").replace("ł", "l").replace("ø", "o").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


# --- cries for help -----------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"[\u3400-\u9fff]|[^\W\d_](?:[^\W_\u3400-\u9fff]|[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0962\u0963])*|\d+|[.!?;\u3002\uff01\uff1f\n]+"
)
_LONGEST = 2_000
#: Letters that are written in several ways.
_SAME = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ة": "ه", "ى": "ي", "ـ": None, "ё": "е", "ı": "i", "ł": "l",
                       "ß": "ss", "ø": "o", "ँ": "ं", "़": None, "’": " ", "'": " ", "ʼ": " "})  # fmt: skip


def _normal(text: str) -> str:
    text = text.lower().replace("i\u0307", "i").translate(_SAME)
    kept: List[str] = []
    for char in unicodedata.normalize("NFD", text):
        # Accents of Latin letters and vowel signs of Arabic go; those of Devanagari and й, ї are letters.
        if unicodedata.combining(char) and ("\u0300" <= char <= "\u036f" or "\u064b" <= char <= "\u0655"):
            if kept and "\u0400" <= kept[-1] <= "\u04ff":
                kept.append(char)
            continue
        kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def _tokens(text: str) -> List[str]:
    return [BREAK if t[0] in ".!?;\u3002\uff01\uff1f\n" else t for t in _TOKEN.findall(_normal(text))]


def _pattern(line: str) -> Pattern:
    line = _normal(line)
    # Chinese is matched character by character.
    line = re.sub(r"(?<=[\u3400-\u9fff])(?=[\u3400-\u9fff])", " ", line)
    return Pattern(line, {})


@lru_cache(maxsize=1)
def _phrases() -> Sequence[Tuple[Outcome, str, List[Pattern]]]:
    made: List[Tuple[Outcome, str, List[Pattern]]] = []
    outcomes: Tuple[Outcome, ...] = ("crisis", "emergency")
    for outcome in outcomes:
        for code, said in _read().items():
            lines = (said.get(f"{outcome}_phrases") or "").splitlines()
            made.append((outcome, code, [_pattern(line.strip()) for line in lines if line.strip()]))
    return made


def foreign_alarm(text: str) -> Optional[ForeignAlarm]:
    """The cry for help in a message in one of the languages, or None; despair goes before danger."""
    message = Message(_tokens(plain(text, _LONGEST).text))
    if not message.words:
        return None
    for outcome, code, patterns in _phrases():
        if any(pattern.ends(message) for pattern in patterns):
            return ForeignAlarm(outcome, code)
    return None
