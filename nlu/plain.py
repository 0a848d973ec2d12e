"""The one door: what people type, made plain once, before anything reads it.

    >>> plain("I&nbsp;can`t b\u200breathe").text
    "I can't breathe"
    >>> plain("whatisriluzole").text
    'what is riluzole'

Whatever a keyboard, a web page, a PDF, an eye tracker or a dictation program did to the letters is undone here:
the same words, as an ordinary keyboard writes them. Spelling is left alone (`nlu.spelling`), and so is what is said.
Every character knows where it came from, so that what is found in the plain text can be shown in the text as written.

Each step goes through the text once: the time taken grows with the length alone, and the length is bounded.
"""

from __future__ import annotations

import html
import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA
from ruamel.yaml import YAML

from nlu.spelling import english

FACTS = Path(__file__).parent.parent / "facts"

#: Characters of plain text that are read; of a longer text the head and the tail, since the question often comes last.
MOST = 2_000
#: Characters of the text as written that are looked at, per character that is read: tags and what cannot be seen.
RAW = 4
HEAD = 0.5
CUT = " … "


@dataclass(frozen=True)
class Plain:
    """A text made plain. `starts[i]` and `ends[i]` say where character i of it stands in the text as written."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets of the plain text as offsets of the text as written."""
        if start >= end or start >= len(self.text):
            at = self.starts[start] if start < len(self.text) else (self.ends[-1] if self.ends else 0)
            return at, at
        return self.starts[start], self.ends[min(end, len(self.text)) - 1]


def plain(text: str, most: int = MOST) -> Plain:
    """The text made plain, at most `most` characters of it."""
    written = _Text.of(text, most * RAW)
    if not _EASY.fullmatch(written.text):
        _undo_markup(written)
        _undo_characters(written)
        _undo_look_alikes(written)
    _undo_layout(written)
    written.head_and_tail(most)
    _undo_dictation(written)
    _undo_spacing(written)
    _undo_stretching(written)
    _undo_running_together(written)
    written.trim()
    written.head_and_tail(most)
    return Plain(written.text, tuple(written.starts), tuple(written.ends))


def head_and_tail(text: str, most: int = MOST) -> str:
    """At most so many characters of a text: the first half and the last, cut between words."""
    return "".join(text[a:b] if b > a else CUT for a, b in _kept(text, most))


def _kept(text: str, most: int) -> list[tuple[int, int]]:
    """Spans of the text that are kept; an empty span stands where something was left out."""
    if len(text) <= most:
        return [(0, len(text))]
    room = max(most - len(CUT), 2)
    head = int(room * HEAD)
    tail = len(text) - (room - head)
    between = re.compile(r"\s")
    if any(between.match(text, i) for i in range(max(head - 40, 1), head + 1)):
        head = next(i for i in range(head, 0, -1) if between.match(text, i))
    if any(between.match(text, i) for i in range(tail, min(tail + 40, len(text)))):
        tail = next(i for i in range(tail, len(text)) if between.match(text, i)) + 1
    return [(0, head), (head, head), (tail, len(text))]


class _Text:
    """A text being changed, each character with where it came from."""

    def __init__(self, text: str, starts: list[int], ends: list[int]) -> None:
        self.text, self.starts, self.ends = text, starts, ends

    @classmethod
    def of(cls, text: str, most: int) -> _Text:
        made = cls(text, list(range(len(text))), list(range(1, len(text) + 1))) if len(text) <= most else None
        if made is None:
            made = cls("", [], [])
            for a, b in _kept(text, most):
                made.text += text[a:b] if b > a else CUT
                made.starts += range(a, b) if b > a else [a] * len(CUT)
                made.ends += range(a + 1, b + 1) if b > a else [a] * len(CUT)
        return made

    def head_and_tail(self, most: int) -> None:
        if len(self.text) <= most:
            return
        starts: list[int] = []
        ends: list[int] = []
        parts = []
        for a, b in _kept(self.text, most):
            parts.append(self.text[a:b] if b > a else CUT)
            starts += self.starts[a:b] if b > a else [self.starts[a]] * len(CUT)
            ends += self.ends[a:b] if b > a else [self.starts[a]] * len(CUT)
        self.text, self.starts, self.ends = "".join(parts), starts, ends

    def trim(self) -> None:
        left = len(self.text) - len(self.text.lstrip())
        right = len(self.text.rstrip())
        if left or right < len(self.text):
            self.text, self.starts, self.ends = self.text[left:right], self.starts[left:right], self.ends[left:right]

    def replace(self, changes: Iterable[tuple[int, int, str]]) -> None:
        """Replace spans, given in order, by other text. Characters that stay keep their place."""
        parts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        for start, end, new in changes:
            if self.text[start:end] == new:
                continue
            parts += (self.text[at:start], new)
            starts += self.starts[at:start]
            ends += self.ends[at:start]
            self._place(start, end, new, starts, ends)
            at = end
        if not parts:
            return
        parts.append(self.text[at:])
        self.text, self.starts, self.ends = "".join(parts), starts + self.starts[at:], ends + self.ends[at:]

    def _place(self, start: int, end: int, new: str, starts: list[int], ends: list[int]) -> None:
        """Where the characters of a replacement stand."""
        old = self.text[start:end]
        if len(new) == len(old):
            starts += self.starts[start:end]
            ends += self.ends[start:end]
            return
        places, at = [], 0
        for char in new:
            found = old.find(char, at)
            places.append(found)
            at = found + 1 if found >= 0 else at
        inserted = all(place >= 0 or char == " " for place, char in zip(places, new, strict=True))
        if old and inserted and any(place >= 0 for place in places):
            # Letters taken out or blanks put in: each letter stays where it was, a blank stands before the next.
            following = self.ends[end - 1]
            for index in range(len(places) - 1, -1, -1):
                following = self.starts[start + places[index]] if places[index] >= 0 else following
                places[index] = places[index] if places[index] >= 0 else -1 - following
            for place in places:
                starts.append(self.starts[start + place] if place >= 0 else -1 - place)
                ends.append(self.ends[start + place] if place >= 0 else -1 - place)
        else:
            first = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            starts += [first] * len(new)
            ends += [self.ends[end - 1] if end > start else first] * len(new)

    def sub(self, pattern: re.Pattern[str], by: str | Callable[[re.Match[str]], str]) -> None:
        found = list(pattern.finditer(self.text))
        if found:
            self.replace([(m.start(), m.end(), m.expand(by) if isinstance(by, str) else by(m)) for m in found])


# --- characters ---------------------------------------------------------------------------------------------------

#: Nothing to undo in such a text but its layout.
_EASY = re.compile(r"[\n !\"'()*+,\-./0-9:;=?A-Za-z_%]*")

_QUOTES = dict.fromkeys("\u2018\u2019\u201a\u201b\u02bb\u02bc\u02bd\u02b9\u02c8\u00b4`\u2032\u2035\uff07\ua78c\u055a"
                        "\u05f3\u0060\u07f4\u07f5\u1fbd\u1fbf\u1fef\u1ffd\u1ffe\u0384", "'")  # fmt: skip
_QUOTES.update(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2036\uff02\u301d\u301e\u301f\u275d\u275e", '"')
)
_HYPHENS = dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\u02d7\ufe63\uff0d\u2043\ufe58\u1806\u2e3a\u2e3b\u30fc", "-")
#: The long dash parts what is said: a blank on both sides.
_DASHES = dict.fromkeys("\u2014\u2015\ufe31", " - ")
_ENDS = {"\u3002": ". ", "\uff61": ". ", "\u0964": ". ", "\u2026": "...", "\u061f": "?", "\u037e": ";", "\u2049": "!?",
         "\u2753": "?", "\u2754": "?", "\u2755": "!", "\u2757": "!", "\u203d": "?!",
         "\u2022": "-", "\u00b7": " ", "\uff0c": ", ", "\u3001": ", ", "\u060c": ","}  # fmt: skip
_BREAKS = dict.fromkeys("\n\x0b\x0c\x85\u2028\u2029", "\n")
#: Letters that look like others and are nothing else; Unicode's own table of equivalents does not have them.
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢɑɡⱼ", "abcdefghijklmnopqrstuvwyzagj", strict=True))
_BLANKS = {"\u2800", "\u3164", "\uffa0", "\u115f", "\u1160", "\u17b4", "\u17b5"}
#: Pictures that say a word: the word is put behind.
_NAMED = {"\U0001f198": "SOS", "\U0001f691": "ambulance", "\U0001f44d": "thumbs up", "\U0001f44e": "thumbs down",
          "\U0001f52b": "gun", "\U0001f48a": "pills", "\U0001f52a": "knife", "\U0001f9e0": "brain"}  # fmt: skip

_MARK = {"Mn", "Me"}
_PRIVATE = {"Co", "Cs", "Cn"}


def _undo_characters(written: _Text) -> None:
    """Unicode's many ways of writing one letter."""
    changes = []
    text, at = written.text, 0
    while at < len(text):
        char, end = text[at], at + 1
        usual = char.isascii() and char != "`" and not ("\x00" <= char < " ") and char != "\x7f"
        if usual and (end == len(text) or text[end].isascii()):  # only a mark behind it makes another letter of it
            at = end
            continue
        while end < len(text) and unicodedata.category(text[end]) in _MARK:
            end += 1
        changes.append((at, end, _letter(char, text[at + 1 : end])))
        at = end
    written.replace(changes)
    written.sub(_NAMED_PICTURE, _named)
    written.sub(_DOUBLE_MARK, r"\1\1\1")
    if _REGIONAL.search(written.text):
        written.sub(_REGIONAL, lambda m: m[0] if len(m[0]) == 2 else "".join(_regional(c) for c in m[0]))


_NAMED_PICTURE = re.compile(f"[{''.join(_NAMED)}]+")
_DOUBLE_MARK = re.compile(r"([\U0001f300-\U0001faff\u2600-\u27bf])\1{3,}")
_REGIONAL = re.compile(r"[\U0001f1e6-\U0001f1ff]+(?: [\U0001f1e6-\U0001f1ff]+)*")


def _named(found: re.Match[str]) -> str:
    name = " ".join(_NAMED[c] for c in dict.fromkeys(found[0]))
    said = found.string[found.end() : found.end() + len(name) + 1].strip() == name
    return found[0][:3] if said else f" {found[0][:3]} {name} "


def _regional(char: str) -> str:
    return chr(ord(char) - 0x1F1E6 + ord("a")) if char != " " else char


@lru_cache(maxsize=4096)
def _letter(char: str, marks: str) -> str:
    """One character with the marks on it, as a keyboard writes it."""
    marks = "".join(m for m in marks if not "\ufe00" <= m <= "\ufe0f" and m != "\u034f" and m != "\u20e3")
    for table in (_QUOTES, _HYPHENS, _DASHES, _ENDS, _BREAKS, _SMALL_CAPITALS):
        if char in table:
            return table[char]
    if char in _BLANKS:
        return " "
    category = unicodedata.category(char)
    if category == "Zs" or char == "\t":
        return " "
    code = ord(char)
    if category in ("Cf", "Cc") or (category in _PRIVATE and not 0x1F000 <= code <= 0x1FAFF):
        return ""
    if 0x249C <= code <= 0x24B5:  # ⒜
        return chr(code - 0x249C + ord("a"))
    for start in (0x1F130, 0x1F150, 0x1F170):  # 🄰 🅐 🅰
        if start <= code < start + 26:
            return chr(code - start + ord("a"))
    if not char.isalnum() and category[0] in "SP" and not char.isascii():
        # Not "™" and "½" only: dingbats such as ✊ keep their shape.
        return unicodedata.normalize("NFKC", char)
    same = unicodedata.normalize("NFKC", char)
    if not marks:
        return same
    made = unicodedata.normalize("NFC", same + marks)
    if len(made) == len(same) or not _western(same[-1:]):
        return made
    # More marks than any letter has: letters made to drip, or struck through.
    once = unicodedata.normalize("NFC", same + marks[0])
    return once if len(once) == len(same) and len(marks) == 1 else same


def _western(char: str) -> bool:
    return char.isascii() or "\u00c0" <= char <= "\u052f" or "\u1e00" <= char <= "\u1fff"


# --- look-alikes --------------------------------------------------------------------------------------------------

_LOOK_ALIKES = {
    # Cyrillic
    **dict(zip("аеорсухіјѕԁһԛԝьвкмнтпгяшзӏбєґ", "aeopcyxijsdhqwbbkmhtnrrw3lbeг", strict=True)),
    **dict(zip("АВЕКМНОРСТУХІЈЅЗЬПГЯШ", "ABEKMHOPCTYXIJS3BNRRW", strict=True)),
    # Greek
    **dict(zip("αβεηικνορτυχωγσϲϳӀ", "abenikvoptuxwyocjI", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "ABEZHIKMNOPTYXC", strict=True)),
    # Armenian, Cherokee and others seen in disguised text
    **dict(zip("օսոհցԁզյ", "ounhgdqj", strict=True)),
}  # fmt: skip
_LOOK_ALIKES["ґ"] = "r"
#: Nobody can tell these from Latin letters by looking.
_SAME_SHAPE = set("аеорсухіјѕԁһԛԝӏАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοονϲ")
#: Only as part of a word of the Latin alphabet, where most of the letters are Latin: "TNFα" and "β-interferon" stay.
_OTHER_LETTERS = re.compile(r"[\u0370-\u058f]")
_WORD_OF_ANY = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


def _undo_look_alikes(written: _Text) -> None:
    """Letters of other alphabets that stand in for Latin ones."""
    if not _OTHER_LETTERS.search(written.text):
        return
    letters = [c for c in written.text if c.isalpha()]
    latin = sum(c.isascii() for c in letters)
    disguised = latin * 2 > len(letters) or (
        latin * 4 > len(letters) and all(c.isascii() or c in _SAME_SHAPE for c in letters)
    )
    changes = []
    for word in _WORD_OF_ANY.finditer(written.text):
        others = [c for c in word[0] if _OTHER_LETTERS.match(c)]
        if not others or not all(c in _LOOK_ALIKES for c in others):
            continue
        mixed = len(others) < sum(c.isalpha() for c in word[0])
        if len(word[0]) == 1 and "\u03b1" <= word[0] <= "\u03c9":
            continue
        if mixed or disguised:
            changes.append((word.start(), word.end(), "".join(_LOOK_ALIKES.get(c, c) for c in word[0])))
    written.replace(changes)


# --- markup and layout --------------------------------------------------------------------------------------------

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_TAG = re.compile(
    r"<(/?)(a|abbr|article|b|big|blockquote|body|br|center|code|dd|del|div|dl|dt|em|font|footer|form|h[1-6]|head|header|"
    r"hr|html|i|img|input|ins|kbd|label|li|link|main|mark|meta|nav|ol|p|pre|q|s|script|section|small|span|strike|"
    r"strong|style|sub|sup|table|tbody|td|th|thead|title|tr|tt|u|ul)(?:\s[^<>]{0,400})?/?>|<!--[^<>]{0,400}-->",
    re.IGNORECASE,
)
_BLOCKS = {"article", "blockquote", "br", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
           "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "title", "tr", "ul"}  # fmt: skip


def _undo_markup(written: _Text) -> None:
    """Entities (also twice over, `&amp;#39;`) and tags."""
    for _ in range(2):
        if "&" in written.text:
            written.sub(_ENTITY, lambda m: html.unescape(m[0]))
    if "<" in written.text:
        written.sub(_TAG, lambda m: "\n" if (m[2] or "").lower() in _BLOCKS else " " if m[2] in ("td", "th") else "")


_CUT_WORD = re.compile(r"([A-Za-z]{2,})-[ ]{0,3}\n\s{0,3}([a-z]{2,})")
_MARKS = re.compile(r"[^\w\s'\u0100-\U0010ffff]{4,}|'{4,}")
_SPACES = re.compile(r"[ ]{4,}|[ ]*\n[ \n]*")
_BROKEN_APOSTROPHE = re.compile(r"(?<=[a-z])[;\"*^](?=(?:t|m|s|re|ve|ll|d)\b)", re.IGNORECASE)
#: "I ca n't breathe", as texts are written that were taken apart.
_DETACHED = re.compile(r"(?<=[a-z]) (?=n't\b)", re.IGNORECASE)
_UNDERSCORES = re.compile(r"(?<=[^\W_])_+(?=[^\W_])")


def _undo_layout(written: _Text) -> None:
    """Words cut at a line's end, broken apostrophes, runs of punctuation and of blanks."""
    if "\n" in written.text:
        written.sub(_CUT_WORD, _joined)
    if ";" in written.text or '"' in written.text or "*" in written.text or "^" in written.text:
        written.sub(_BROKEN_APOSTROPHE, "'")
    if "'" in written.text:
        written.sub(_DETACHED, "")
    if "_" in written.text:
        written.sub(_UNDERSCORES, " ")
    written.sub(_MARKS, lambda m: m[0][:2] + ("?" if "?" in m[0] else m[0][2]))
    written.sub(_SPACES, lambda m: "\n\n" if m[0].count("\n") > 1 else "\n" if "\n" in m[0] else "   ")


def _joined(cut: re.Match[str]) -> str:
    known = words_known()
    whole = cut[1] + cut[2]
    both = cut[1].lower() in known and cut[2].lower() in known
    return whole if whole.lower() in known or not both else f"{cut[1]}-{cut[2]}"


# --- dictation ----------------------------------------------------------------------------------------------------

_SPOKEN = re.compile(
    r"(?<=\w)[ ,.]{1,3}(?<!\bthe )(?<!\ba )(?<!\bbig )(?<!\bof )(?<!\bthis )(question mark|exclamation (?:mark|point))\b\.?",
    re.IGNORECASE,
)
_SPOKEN_STOP = re.compile(
    r"(?<=\w) (?<!\bthe )(?<!\ba )(?<!\bcomplete )(?<!\bto )(?:full stop|new line|new paragraph)(?=\W*$|\s+[A-Z])"
)
_SPOKEN_COMMA = re.compile(r"(?<=\w) comma(?= \w)", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w.])(?:[A-Za-z]\.[ ]?){2,6}(?![\w])|(?<![\w.])(?:[A-Za-z]\.[ ]?){1,6}[A-Za-z](?![\w'.])")


def _undo_dictation(written: _Text) -> None:
    """Punctuation spoken out loud, and abbreviations letter by letter: "what is m. s. question mark"."""
    before = written.text
    written.sub(_SPOKEN, lambda m: "?" if m[1].lower().startswith("q") else "!")
    written.sub(_SPOKEN_STOP, ".")
    if written.text is not before:
        written.sub(_SPOKEN_COMMA, ",")
    if "." in written.text:
        written.sub(_DOTTED, _abbreviation)


def _abbreviation(dotted: re.Match[str]) -> str:
    letters = re.sub(r"[. ]", "", dotted[0])
    if letters.lower() not in abbreviations():
        return dotted[0]
    rest = dotted.string[dotted.end() : dotted.end() + 2]
    trailing = " " if dotted[0].endswith(" ") else ""
    # The last point may be that of the sentence.
    ends = dotted[0].rstrip().endswith(".") and (not rest.strip() or (trailing and rest[:1].isupper()))
    return letters + ("." if ends else "") + trailing


# --- words --------------------------------------------------------------------------------------------------------

#: Letters one by one, with the same kind of blank between them; more than one blank parts words.
_SPACED = re.compile(r"(?<![\w'])\w(?:[ .\-*|/]{1,3}(?:\w|'\w?))+(?![\w'])")
_SPACED_SPLIT = re.compile(r" {2,3}| ?[|/] ?")
SHORTEST_SPACED = 4
_STRETCHED = re.compile(r"([A-Za-z])\1\1+")
_STRETCHED_WORD = re.compile(r"(?<!\w)[A-Za-z']*([A-Za-z])\1\1[A-Za-z']*(?!\w)")
_LONG_WORD = re.compile(r"(?<![\w@/.#&=\-'])[A-Za-z']{5,}(?![\w@/=]|\.[a-z])")
#: Letters from which on a word that nobody knows is taken apart.
SHORTEST_SPLIT = 6
LONGEST_SPLIT = 300
#: Unknown words of a message that are looked at: each takes up to 5 ms.
MOST_SPLIT = 30
LONGEST_WORD = 24
#: Two or three words, four, and more: how unlikely they may be for each letter (negative logarithm). Of short messages
#: run together 96 in 100 are below, of names and misspellings that happen to fall apart into words few.
UNLIKELY = {3: 2.5, 4: 2.6, 5: 2.8}
_SHORT = frozenset(
    "a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we ms dr id im".split()
)
#: What a message begins with. A name that falls apart into words ("go then burg") seldom begins so.
_OPENERS = frozenset(
    (
        "took i im ive my me he hes she shes his her we they their it its this that there the what whats how why when "
        "where who which is are am does do can cant could couldnt will wont would should has have had dont not no "
        "please pls help kill call someone mum mom dad wife husband son daughter tell symptoms treatment ms als mnd "
        "life want need just feel feeling let stop end was if"
    ).split()
)
_NEVER_LAST = frozenset("a i an in at or the of as is by to and".split())
#: Words of fear and of questions that two at a time make a message.
_CORE = frozenset(
    (
        "help me kill myself himself herself die dying dead cant cannot dont wont want breathe breathing choking "
        "choke see speak talk move walk suicide suicidal ms als mnd symptoms treatment cure what whats is im need "
        "ambulance call 911 stop stopped life end swallow stroke seizure having"
    ).split()
)
#: Without their apostrophe, as people type and as they run together, and how likely they are.
_CONTRACTED = {
    "cant": 2e-4, "dont": 4e-4, "im": 5e-4, "ive": 1e-4, "isnt": 5e-5, "wont": 5e-5, "doesnt": 6e-5, "didnt": 6e-5,
    "hes": 6e-5, "shes": 5e-5, "whats": 5e-5, "thats": 8e-5, "couldnt": 3e-5, "wouldnt": 3e-5, "its": 3e-4,
    "theyre": 2e-5, "youre": 4e-5, "hasnt": 1e-5, "havent": 2e-5, "wasnt": 2e-5, "gonna": 3e-5, "wanna": 2e-5,
    "theres": 2e-5, "arent": 1e-5, "lets": 1e-5, "plz": 1e-6, "pls": 1e-6,
}  # fmt: skip
#: How likely words of the domain are in a message to this assistant, beside English ones.
_LIKELY = {"ms": 2e-2, "als": 1.5e-2, "mnd": 6e-3, "breathe": 3e-4, "choking": 2e-4, "die": 4e-4, "kill": 3e-4,
           "myself": 3e-4, "swallow": 1e-4, "mum": 2e-4, "dad": 2e-4}  # fmt: skip
DOMAIN, DISEASE = 2e-6, 2e-5


@lru_cache(maxsize=1)
def _terms() -> list[dict[str, object]]:
    return list(YAML(typ="safe").load((FACTS / "terms.yml").read_text(encoding="utf8")))


def _names(*keys: str) -> Iterable[tuple[str, str]]:
    for term in _terms():
        for key in keys:
            value = term.get(key) or ()
            for name in [value] if isinstance(value, str) else value:  # type: ignore[attr-defined]
                yield str(term["kind"]), str(name)


@lru_cache(maxsize=1)
def abbreviations() -> frozenset[str]:
    """Abbreviations of the domain, in small letters: what letters said one by one may stand for."""
    short = {name.lower() for _, name in _names("abbreviations", "name") if re.fullmatch(r"[A-Za-z]{2,5}", name)}
    return frozenset(short | {"mri", "emg", "peg", "ct", "nhs", "gp"})


@lru_cache(maxsize=1)
def words_known() -> dict[str, float]:
    """How likely each known word is: English ones as counted, those of the domain beside them."""
    counts = english()
    total = float(sum(counts.values()))
    known = {word: count / total for word, count in counts.items()}
    for word in [w for w in known if len(w) <= 2 and w not in _SHORT]:
        known[word] = 1e-9
    for kind, name in _names("name", "synonyms", "abbreviations"):
        for word in re.findall(r"[a-z]+", name.lower()):
            likely = DISEASE if kind in ("condition", "drug", "mimic") else DOMAIN
            if len(word) > 3:
                known[word] = max(known.get(word, 0.0), likely)
            elif word not in known:
                known[word] = 1e-7
    for word, likely in (*_CONTRACTED.items(), *_LIKELY.items()):
        known[word] = max(known.get(word, 0.0), likely)
    return known


@lru_cache(maxsize=1)
def _names_together() -> frozenset[str]:
    """Names of several words, run together: "multiplesclerosis"."""
    together = {re.sub(r"[^a-z]", "", name.lower()) for _, name in _names("name", "synonyms") if " " in name}
    return frozenset(name for name in together if len(name) >= SHORTEST_SPLIT)


@lru_cache(maxsize=1)
def _misspelt() -> frozenset[str]:
    """Known misspellings in one word, which nobody must take apart."""
    return frozenset(
        word for _, name in _names("misspellings", "name", "synonyms") for word in re.findall(r"[a-z']+", name.lower())
    )


@lru_cache(maxsize=1)
def _long_words() -> dict[int, list[str]]:
    """Words that a long unknown one may be a misspelling of, by their length."""
    by_length: dict[int, list[str]] = {}
    for word, likely in sorted(words_known().items()):
        if len(word) >= 6 and likely >= 3e-7:
            by_length.setdefault(len(word), []).append(word)
    return by_length


def split(word: str, certain: bool = True, likelier: Mapping[str, float] | None = None) -> list[str] | None:
    """The words that were run together into one, or None where they do not make sense.

    The likeliest way to cut it, each word as likely as English and the domain use it (a unigram model).

    Args:
        certain: whether the words must make a message; without, any cut into known words will do.
        likelier: words that are likelier than usual.

    >>> split("hecantbreathehislipsareblue")
    ['he', 'cant', 'breathe', 'his', 'lips', 'are', 'blue']
    """
    known = words_known()
    letters = word.lower()
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(letters) + 1):
        ways = []
        for start in range(max(0, end - LONGEST_WORD), end):
            piece = letters[start:end]
            likely = known.get(piece)
            if likelier and piece in likelier:
                likely = max(likely or 0.0, likelier[piece])
            if likely and best[start][0] < math.inf:
                ways.append((best[start][0] - math.log(likely), start))
        best.append(min(ways) if ways else (math.inf, 0))
    if best[-1][0] == math.inf:
        return None
    cuts, at = [len(letters)], len(letters)
    while at:
        at = best[at][1]
        cuts.append(at)
    cuts.reverse()
    found = [letters[a:b] for a, b in itertools.pairwise(cuts)]
    if not certain:
        return found if len(found) > 1 else None
    return found if _makes_sense(found, best[-1][0]) else None


_SINGLE = re.compile(r"(?<![\w'])\w(?: \w){4,}(?![\w'])")
_UNKNOWN_WORD = re.compile(r"[a-z0-9']{7,300}")
_LETTERS_DIGITS = re.compile(r"[a-z']+|\d+")


def loosened(text: str, likelier: Mapping[str, float]) -> str:
    """A plain text with every long word that nobody knows taken apart, sense or no sense.

    For what must not be missed: read beside the plain text, never instead of it.
    """

    def apart(found: re.Match[str]) -> str:
        word = found[0].replace("'", "").replace(" ", "")
        if word in words_known():
            return word
        pieces: list[str] = []
        for run in _LETTERS_DIGITS.findall(word):
            pieces += [run] if run.isdigit() else split(run, certain=False, likelier=likelier) or [run]
        return " ".join(pieces)

    text = text.lower()
    return _UNKNOWN_WORD.sub(apart, _SINGLE.sub(apart, text))


def _makes_sense(found: list[str], cost: float) -> bool:
    """Whether words found in one are a message, and not a name or a misspelling that falls apart by chance."""
    known, joined, words = words_known(), "".join(found), len(found)
    if words < 2 or any(len(word) <= 2 and word not in _SHORT and word not in abbreviations() for word in found):
        return False
    if joined in _names_together():
        return True
    if words == 2:
        return all(word in _CORE for word in found)
    if found[-1] in _NEVER_LAST or cost / len(joined) > UNLIKELY.get(words, UNLIKELY[5]):
        return False
    if len(joined) < 9 and any(known[word] < 3e-5 for word in found):
        return False
    about = any(word in ("ms", "als", "mnd") for word in found)
    return found[0] in _OPENERS or about or (words > 4 and cost / len(joined) < 2.2)


@lru_cache(maxsize=2048)
def _near_a_word(word: str) -> bool:
    """Whether a word may be a misspelling of a single one."""
    edits = 1 if len(word) < 9 else 2 if len(word) < 13 else 3
    return any(
        process.extractOne(word, _long_words().get(length, ()), scorer=OSA.distance, score_cutoff=edits)
        for length in range(len(word) - edits, len(word) + edits + 1)
    )


def _undo_running_together(written: _Text) -> None:
    changes: list[tuple[int, int, str]] = []
    known, looked = words_known(), 0
    for long in _LONG_WORD.finditer(written.text):
        word = long[0].rstrip("'")
        letters = word.lower().replace("'", "")
        if letters in known or word.lower() in _misspelt() or not SHORTEST_SPLIT <= len(word) <= LONGEST_SPLIT:
            continue
        if word.lower().endswith("'s") and word.lower()[:-2] in known:
            continue
        looked += 1
        if looked > MOST_SPLIT:
            break
        cut = _by_capitals(word) or _split_word(letters)
        if cut:
            changes.append((long.start(), long.start() + len(word), _respaced(word, cut)))
    written.replace(changes)


def _by_capitals(word: str) -> list[str] | None:
    """WhatIsALS, MultipleSclerosis."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", word)
    known = words_known()
    if len(parts) < 2 or word.isupper() or "".join(parts) != word or any(p.lower() not in known for p in parts):
        return None
    return parts if all(len(p) > 1 or p in "IAa" for p in parts) else None


def _split_word(letters: str) -> list[str] | None:
    found = split(letters)
    if found is None or (letters not in _names_together() and len(found) < 4 and _near_a_word(letters)):
        return None
    return found


def _respaced(word: str, cut: list[str]) -> str:
    """The word as written, with blanks where it is cut; an apostrophe stays where it is."""
    parts, at = [], 0
    for piece in cut:
        start, left = at, len(piece)
        while left:
            left -= word[at] != "'"
            at += 1
        parts.append(word[start:at])
    return " ".join(parts) + word[at:]


def _undo_spacing(written: _Text) -> None:
    """Letters typed one by one with blanks, points or hyphens between them."""
    if _SPACED.search(written.text):
        written.sub(_SPACED, _unspaced)


def _unspaced(spaced: re.Match[str]) -> str:
    written = spaced[0]
    words = [re.sub(r"[ .\-*]", "", part) for part in _SPACED_SPLIT.split(written)]
    letters = "".join(words)
    if ("/" in written or "|" in written) and len(letters) < SHORTEST_SPACED:
        return written
    if letters.isdigit() or len(re.findall(r"\d", letters)) > len(letters) / 3 or len(letters) > LONGEST_SPLIT:
        return written
    if all(len(word) == 1 for word in words):
        words = [letters]
    known = words_known()
    made = []
    for word in words:
        plain_word = word.lower().replace("'", "")
        if (
            (word.lower() in known and (len(words) > 1 or len(word) >= SHORTEST_SPACED))
            or plain_word in abbreviations()
            or (len(word) == 3 and plain_word in known and known[plain_word] >= 1e-5)
        ):
            made.append(word)
        else:
            found = split(plain_word) if len(plain_word) >= SHORTEST_SPACED else None
            if found is None and len(words) == 1:
                return written
            made.append(_respaced(word, found) if found else word)
    return " ".join(made)


def _undo_stretching(written: _Text) -> None:
    """Letters held down: heeeelp."""
    if _STRETCHED.search(written.text):
        written.sub(_STRETCHED_WORD, lambda m: _unstretched(m[0]))


def _unstretched(word: str) -> str:
    known = words_known()
    if word.lower() in known or re.fullmatch(r"(?i)i{3}|w{3}|x{3}", word):
        return word
    runs = list(_STRETCHED.finditer(word))[:4]
    tries: list[tuple[float, str]] = []
    for choice in range(2 ** len(runs)):
        made, at, twice = [], 0, 0
        for index, run in enumerate(runs):
            once = choice >> index & 1
            twice += not once
            made += [word[at : run.start()], run[1] * (1 if once else 2)]
            at = run.end()
        tried = "".join([*made, _STRETCHED.sub(r"\1\1", word[at:])])
        letters = tried.lower().strip("'")
        likely = known.get(letters.replace("'", ""), known.get(letters, 1e-8 if tried.lower() in _misspelt() else 0.0))
        # "tooo" is "too" rather than "to", but "theee" is "the".
        tries.append((likely * 100**twice, tried))
    best = max(tries, key=lambda t: t[0])
    return best[1] if best[0] else _STRETCHED.sub(r"\1", word)
