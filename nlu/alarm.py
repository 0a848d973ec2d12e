"""Whether a message is a cry for help: despair (`crisis`) or danger now (`emergency`).

    >>> alarm_in("icantbreathe")
    Alarm(outcome='emergency', rule='breathing')
    >>> alarm_in("do people with ALS choke to death") is None
    True

Rules that a clinician can read (`nlu/safety/*.yml`), which need no model, no store and no Rasa. What the classifier of
intents takes for an alarm is heard too (`nlu.safety`): either is enough.

A rule's patterns are word patterns, not regular expressions. The positions of every word are kept as the bits of a
number, and a pattern is a few operations on such numbers. So reading never goes back and tries again: the time taken
is the number of patterns times the length of the message, whatever the message holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional, Tuple

from rapidfuzz import process
from rapidfuzz.distance import OSA
from ruamel.yaml import YAML

from nlu.plain import loosened, plain, words_known

Outcome = Literal["crisis", "emergency"]
LABELS: Tuple[Outcome, Outcome] = ("crisis", "emergency")

FOLDER = Path(__file__).parent / "safety"
#: Characters of a message that the rules read: more than any channel lets through. Of more, the head and the tail.
MOST_READ = 8_000


@dataclass(frozen=True)
class Alarm:
    """What was heard, and which rule heard it."""

    outcome: Outcome
    rule: str


def alarm_in(text: str) -> Optional[Alarm]:
    """The alarm in a message as it was typed, or None. Needs nothing but the text."""
    made, found = plain(text, MOST_READ).text, rules()
    heard = found.alarm_in(made)
    if heard is None:
        # What was run together or spaced out in a way that is not certain to be that.
        apart = loosened(made, found.likelier)
        if apart != made.lower():
            heard = found.alarm_in(apart)
    return heard


def is_general(text: str) -> bool:
    """Whether a message asks in general ("is choking common in ALS") or is on something of every day ("a dead end")."""
    found = rules()
    message = Message(found.words(plain(text, MOST_READ).text))
    return bool(message.words) and any(found.calm[name].ends(message) for name in ("general", "everyday"))


# --- a message as the rules see it --------------------------------------------------------------------------------

BREAK = "."
_PAUSE = {".", "\u2026"}
_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)?|[^\W\d_]+(?:'[^\W\d_]+)*'?|\d+|[.!?;:\u2026\U0001f000-\U0001faff\u2600-\u27bf]+|\n+|[*@$#]"
)
#: Laughing pictures: "I could strangle him \U0001f602" is said in jest.
_LAUGHTER = re.compile("[\U0001f600-\U0001f606\U0001f61b-\U0001f61d\U0001f638\U0001f639\U0001f923\U0001f92a]")
_NUMBER = re.compile(r"[0-9]+(?:[.,:][0-9]+)?")
_MIXED = re.compile(
    r"(?<![\w@/.])(?=[\w@$*!]*[a-z])(?=[\w@$*!]*[0-9@$*!])[a-z0-9@$*!]{3,16}(?![\w@/]|\.\w)", re.IGNORECASE
)
_AS_LETTERS = str.maketrans({"1": "i", "3": "e", "4": "a", "0": "o", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})


class Message:
    """Words of a message and where they stand, as bits: bit i of `at(word)` is set where word i is it."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._at: Dict[str, int] = {}
        self._by_start: Dict[str, List[str]] = {}
        self.breaks = 0
        numbers = []
        for index, word in enumerate(words):
            if word == BREAK:
                self.breaks |= 1 << index
            elif word in self._at:
                self._at[word] |= 1 << index
            else:
                self._at[word] = 1 << index
                self._by_start.setdefault(word[:3], []).append(word)
            if _NUMBER.fullmatch(word):
                numbers.append((float(word.replace(",", ".").replace(":", ".")), 1 << index))
        self.numbers = numbers
        self.all = (1 << len(words)) - 1
        self.inside = self.all & ~self.breaks
        self.starts = (((self.breaks << 1) | 1) & self.all) if words else 0
        self.lists: Dict[str, int] = {}
        #: Its words, and their beginnings with a star.
        self.signs = {w for word in self._at for w in (word, *(f"{word[:n]}*" for n in range(1, len(word) + 1)))}

    def at(self, word: str) -> int:
        return self._at.get(word, 0)

    def beginning(self, start: str) -> int:
        found = 0
        for word in self._by_start.get(start[:3], ()):
            if word.startswith(start):
                found |= self._at[word]
        return found

    def has_any(self, needed: frozenset[str]) -> bool:
        """Whether it has one of these words, or one that begins so (`chok*`)."""
        return not needed.isdisjoint(self.signs)

    def sentences(self, bits: int) -> int:
        """The bits of all sentences that have one of these bits."""
        found = spread = bits & self.inside
        while spread:
            spread = ((spread << 1) | (spread >> 1)) & self.inside & ~found
            found |= spread
        return found


# --- patterns -----------------------------------------------------------------------------------------------------

#: Bits where the next word may stand, to bits where the one after may.
Step = Callable[[int, Message], int]
#: A step, and the words one of which it needs (see `Pattern.needs`).
Parsed = Tuple[Step, Optional["frozenset[str]"]]
#: How many words may lie between; the last goes on into the next sentence or the one after.
GAPS = {"..": 3, "...": 8, "....": 20}
_PARTS = re.compile(r"\.{2,4}|<[\d.]+-[\d.]+>|\{\w+\}|[()\[\]|!~^$]|[^\s()\[\]|!~^${}<>]+")


class PatternError(ValueError):
    """A pattern that cannot be read."""


class Pattern:
    """A word pattern; `words` are those it names.

    cannot breathe         these words
    {now}                  one of the list `now`
    (his|her own) [big]    one of several, and what may be left out
    chok*                  a word that begins so
    <39.5-43>              a number
    _ .. ... ....          one word; up to 3, up to 8; up to 20 and over the end of a sentence
    !(test|pressure)       not followed by; ~not: not after
    ^ $                    the sentence begins, ends
    """

    def __init__(self, written: str, lists: Dict[str, _List]) -> None:
        self.written, self._lists = written, lists
        self.words: set[str] = set()
        self._parts = _PARTS.findall(written)
        if "".join(self._parts) != re.sub(r"\s+", "", written):
            raise PatternError(f"cannot read {written!r}")
        self._index = 0
        #: Words, or beginnings with a star, one of which a message must have; None: the pattern may be in any.
        self.needs: Optional[frozenset[str]]
        self._step, self.needs = self._alternatives()
        if self._index < len(self._parts):
            raise PatternError(f"{written!r}: '{self._parts[self._index]}' closes nothing")

    def ends(self, message: Message) -> int:
        """Bits of the last words of what is found. A pattern that may be empty finds nothing."""
        if self.needs is not None and not message.has_any(self.needs):
            return 0
        return (self._step(message.all, message) >> 1) & message.all

    def _alternatives(self) -> Parsed:
        options = [self._sequence()]
        while self._index < len(self._parts) and self._parts[self._index] == "|":
            self._index += 1
            options.append(self._sequence())
        steps = [step for step, _ in options]
        every = [needs for _, needs in options if needs is not None]
        needs = frozenset().union(*every) if len(every) == len(options) else None
        return (steps[0] if len(steps) == 1 else _any(steps)), needs

    def _sequence(self) -> Parsed:
        items = []
        while self._index < len(self._parts) and self._parts[self._index] not in ("|", ")", "]"):
            items.append(self._item())
        steps = [step for step, _ in items]
        # All of a sequence must be there: the rarest of its items tells soonest that it is not.
        needs = min((needs for _, needs in items if needs is not None), key=len, default=None)
        return (steps[0] if len(steps) == 1 else _sequence(steps)), needs

    def _item(self) -> Parsed:
        part = self._parts[self._index]
        self._index += 1
        if part in "([":
            inner, needs = self._alternatives()
            if self._index >= len(self._parts) or self._parts[self._index] != {"(": ")", "[": "]"}[part]:
                raise PatternError(f"{self.written!r}: '{part}' is never closed")
            self._index += 1
            return (inner, needs) if part == "(" else (lambda at, message: at | inner(at, message), None)
        if part in "!~":
            # What stands in the way of one pattern is no word that a misspelling is taken for.
            known = set(self.words)
            inner, _ = self._item()
            self.words = known
            return (_not_before(inner) if part == "!" else _not_after(inner)), None
        if part == "^":
            return (lambda at, message: at & message.starts), None
        if part == "$":
            return (lambda at, message: at & (message.breaks | (message.all + 1))), None
        if part == "_":
            return (lambda at, message: (at & message.inside) << 1), None
        if part in GAPS:
            return _gap(GAPS[part], over_breaks=part == "...."), None
        if part[0] == "<":
            least, most = map(float, part[1:-1].split("-"))
            return (lambda at, message: (at & sum(b for n, b in message.numbers if least <= n <= most)) << 1), None
        if part[0] == "{":
            try:
                found = self._lists[part[1:-1]]
            except KeyError:
                raise PatternError(f"{self.written!r}: there is no list {part}") from None
            self.words |= found.words
            return found.step, found.needs
        if part.endswith("*"):
            return (lambda at, message: (at & message.beginning(part[:-1])) << 1 if at else 0), frozenset([part])
        self.words.add(part)
        return (lambda at, message: (at & message.at(part)) << 1), frozenset([part])


class _List:
    """A list of words and of phrases."""

    def __init__(self, name: str, entries: Iterable[str], lists: Dict[str, _List]) -> None:
        self.name = name
        self.words: set[str] = set()
        self._single: List[str] = []
        self._beginning: List[str] = []
        self._longer: List[Step] = []
        needs: List[Optional[frozenset[str]]] = []
        for entry in map(str, entries):
            if re.fullmatch(r"[\w']+", entry) and entry != "_":
                self._single.append(entry)
                self.words.add(entry)
                needs.append(frozenset([entry]))
            elif re.fullmatch(r"[\w']+\*", entry):
                self._beginning.append(entry[:-1])
                needs.append(frozenset([entry]))
            else:
                pattern = Pattern(entry, lists)
                self.words |= pattern.words
                self._longer.append(pattern._step)
                needs.append(pattern.needs)
        every = [n for n in needs if n is not None]
        self.needs = frozenset().union(*every) if len(every) == len(needs) else None

    def step(self, at: int, message: Message) -> int:
        if not at:
            return 0
        bits = message.lists.get(self.name)
        if bits is None:
            bits = 0
            for word in self._single:
                bits |= message.at(word)
            for start in self._beginning:
                bits |= message.beginning(start)
            message.lists[self.name] = bits
        found = (at & bits) << 1
        for step in self._longer:
            found |= step(at, message)
        return found


def _any(options: Sequence[Step]) -> Step:
    def step(at: int, message: Message) -> int:
        found = 0
        for option in options:
            found |= option(at, message)
        return found

    return step


def _sequence(steps: Sequence[Step]) -> Step:
    def step(at: int, message: Message) -> int:
        for each in steps:
            if not at:
                return 0
            at = each(at, message)
        return at

    return step


def _gap(most: int, over_breaks: bool) -> Step:
    def step(at: int, message: Message) -> int:
        through = message.all if over_breaks else message.inside
        for _ in range(most):
            further = at | (at & through) << 1
            if further == at:
                break
            at = further
        return at

    return step


def _not_before(inner: Step) -> Step:
    # Where `inner` begins is found from each place alone: there are few.
    def step(at: int, message: Message) -> int:
        kept, left = 0, at
        while left:
            bit = left & -left
            left ^= bit
            if not inner(bit, message):
                kept |= bit
        return kept

    return step


def _not_after(inner: Step) -> Step:
    return lambda at, message: at & ~inner(message.all, message) if at else 0


# --- rules --------------------------------------------------------------------------------------------------------


@dataclass
class Rule:
    """What is listened for: any of `says`, in a sentence that has none of `unless` and that no calm rule silences."""

    name: str
    outcome: str
    about: str
    says: List[Pattern]
    unless: List[Pattern] = field(default_factory=list)
    #: Names of the calm rules that silence this one.
    silenced_by: Tuple[str, ...] = ()
    #: Calm rules only: whether the whole message is calm, or only the sentences that say so.
    whole: bool = False
    examples: List[str] = field(default_factory=list)
    counterexamples: List[str] = field(default_factory=list)

    def ends(self, message: Message) -> int:
        """Bits of the words at which something listened for ends."""
        found = 0
        for pattern in self.says:
            found |= pattern.ends(message)
        if found and self.unless:
            for pattern in self.unless:
                found &= ~message.sentences(pattern.ends(message))
                if not found:
                    break
        return found


class Rules:
    """All rules, read from the files of a folder."""

    def __init__(self, folder: Path = FOLDER) -> None:
        yaml = YAML(typ="safe")
        read = {path.stem: yaml.load(path.read_text(encoding="utf8")) for path in sorted(folder.glob("*.yml"))}
        words = read.pop("words")
        self.lists: Dict[str, _List] = {}
        for name, entries in words["lists"].items():
            self.lists[name] = _List(name, _entries(entries), self.lists)
        self._phrases = {tuple(str(k).split()): str(v).split() for k, v in words["phrases"].items()}
        self._longest = max(map(len, self._phrases))
        self._slips = {slip: meant for meant, slips in words["slips"].items() for slip in _entries(slips)}
        self.calm = {name: self._rule(name, "calm", content) for name, content in read.pop("calm").items()}
        # The order of the files and in them is that of urgency.
        self.rules = []
        for outcome, file in (("emergency", "overdose"), ("crisis", "crisis"), ("emergency", "emergency")):
            for_all = read[file].pop("all_rules")
            self.rules += [self._rule(name, outcome, {**for_all, **own}) for name, own in read[file].items()]
        self.vocabulary = sorted(
            word for rule in self.rules for p in rule.says for word in p.words if len(word) > 3 and word.isalpha()
        )
        self.vocabulary = list(dict.fromkeys(self.vocabulary))
        self._known = set(self.vocabulary) | set(self._slips) | set(_entries(words["not_slips"]))
        #: How likely the rules' words are where words were run together.
        self.likelier = dict.fromkeys([*self._known, "im", "ive", "hes", "shes", "dont", "cant"], 1e-4)
        self._by_length: Dict[int, List[str]] = {}
        for word in self.vocabulary:
            self._by_length.setdefault(len(word), []).append(word)

    def _rule(self, name: str, outcome: str, content: Dict[str, Any]) -> Rule:
        def patterns(key: str) -> List[Pattern]:
            return [Pattern(line, self.lists) for line in _lines(content.get(key) or "")]

        try:
            return Rule(
                name,
                outcome,
                content["about"],
                patterns("says"),
                patterns("unless"),
                tuple((content.get("silenced_by") or "").split()),
                content.get("whole", False),
                _lines(content.get("for") or ""),
                _lines(content.get("against") or ""),
            )
        except PatternError as error:
            raise PatternError(f"nlu/safety, rule {name}: {error}") from error

    def alarm_in(self, text: str) -> Optional[Alarm]:
        """The most urgent alarm of a plain text."""
        found = self.heard(text)
        return Alarm(found[0].outcome, found[0].name) if found else None  # type: ignore[arg-type]

    def heard(self, text: str) -> List[Rule]:
        """All rules that hear something, the most urgent first."""
        message = Message(self.words(text))
        if not message.words:
            return []
        silent: Dict[str, int] = {}
        found = []
        for rule in self.rules:
            ends = rule.ends(message)
            for name in rule.silenced_by:
                if not ends:
                    break
                if name not in silent:
                    silent[name] = self._silent(self.calm[name], message)
                ends &= ~silent[name]
            if ends:
                found.append(rule)
        return found

    @staticmethod
    def _silent(calm: Rule, message: Message) -> int:
        ends = calm.ends(message)
        if ends and calm.whole:
            return message.all
        return message.sentences(ends)

    def words(self, text: str) -> List[str]:
        """The words of a plain text as the rules name them: small letters, nothing shortened, slips mended."""
        text = text.lower()
        if _MIXED.search(text):
            text = _MIXED.sub(self._as_letters, text)
        found: List[str] = []
        tokens = _TOKEN.findall(text)
        for index, token in enumerate(tokens):
            if token[0] in ".!?;:\u2026" or (token[0] >= "\u2600" and not token[0].isalnum()):
                if found and _LAUGHTER.search(token):
                    # It belongs to what stands before it: "gonna strangle him! \U0001f602".
                    found.insert(len(found) - (found[-1] == BREAK), "lol")
                # Three points are a pause: "I can't... breathe".
                if (
                    found
                    and found[-1] != BREAK
                    and not (set(token) <= _PAUSE and len(token.replace("\u2026", "...")) > 1)
                ):
                    found.append(BREAK)
            elif token[0] == "\n":
                # A line may go on in the next one: only an empty line surely ends what was said.
                after = tokens[index + 1] if index + 1 < len(tokens) else ""
                if found and found[-1] != BREAK and (len(token) > 1 or after == "-"):
                    found.append(BREAK)
            elif token[0] not in "*@$#":
                for word in self._canonical(token.rstrip("'")):
                    # "help help help" says no more than "help".
                    if found[-1:] != [word]:
                        found.append(word)
        return self._mended(found)

    def _as_letters(self, mixed: re.Match[str]) -> str:
        """k1ll, su1c1de, s*icide."""
        written = mixed[0]
        if "*" in written:
            pattern = re.compile("[a-z]".join(map(re.escape, written.split("*"))))
            hits = [w for w in self._by_length.get(len(written), ()) if pattern.fullmatch(w)]
            return hits[0] if len(hits) == 1 and len(written) > 3 else written
        made = written.rstrip("!").translate(_AS_LETTERS)
        if made in self._known or made in ("kill", "die", "dead", "help"):
            return made
        return written

    def _canonical(self, token: str) -> List[str]:
        """A word without apostrophes, in full: "can't" is "cannot", "he's" is "he is"."""
        if "'" in token:
            stem, _, tail = token.partition("'")
            if tail == "t" and stem.endswith("n"):
                return {"ca": ["cannot"], "wo": ["will", "not"], "sha": ["shall", "not"], "ai": ["is", "not"]}.get(
                    stem[:-1], [*([stem[:-1]] if len(stem) > 1 else []), "not"]
                )
            if stem == "can" and tail in ("t", "nt"):
                return ["cannot"]
            full = {"m": "am", "re": "are", "ve": "have", "ll": "will", "d": "would", "s": "is"}.get(tail)
            if full and stem:
                return [*self._canonical(stem), "us" if token == "let's" else full]
            token = token.replace("'", "")
        return [self._slip(token)]

    @lru_cache(maxsize=4096)  # noqa: B019 - there is one object
    def _slip(self, word: str) -> str:
        """The word of a rule that a misspelt one stands for."""
        if word in self._slips:
            return self._slips[word]
        if len(word) < 4 or not word.isalpha() or word in self._known or word in words_known():
            return word
        if word.endswith("in") and word + "g" in self._known:
            return word + "g"
        most = 1 if len(word) < 8 else 2
        near = [w for n in range(len(word) - most, len(word) + most + 1) for w in self._by_length.get(n, ())]
        # Of several the first is taken: few slip in the first letter.
        near.sort(key=lambda other: other[0] != word[0])
        best = process.extractOne(word, near, scorer=OSA.distance, score_cutoff=most)
        if best and (len(word) > 4 or best[0][0] == word[0]):
            return str(best[0])
        return word

    def _mended(self, words: List[str]) -> List[str]:
        """Phrases of slips and short forms replaced by what they stand for: "my self", "can not", "wont to"."""
        made: List[str] = []
        index = 0
        while index < len(words):
            for length in range(min(self._longest, len(words) - index), 0, -1):
                meant = self._phrases.get(tuple(words[index : index + length]))
                if meant is not None:
                    made += meant
                    index += length
                    break
            else:
                made.append(words[index])
                index += 1
        return made


def _entries(listed: str) -> List[str]:
    return [entry.strip() for entry in listed.split(",") if entry.strip()]


def _lines(block: Any) -> List[str]:
    """The lines of a block, without empty ones and comments; a list is taken as it is."""
    lines = block.splitlines() if isinstance(block, str) else list(block)
    return [line for line in (re.sub(r"(^|\s)#.*", "", str(line)).strip() for line in lines) if line]


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The rules of this process; reading them takes about a tenth of a second."""
    return Rules()
