"""Names of diseases, symptoms, drugs, tests and people, found with spaCy.

    "does riluzole help with lou gehrigs diease?" -> drug riluzole, condition ALS

Words are repaired first (`nlu.spelling`), then matched whole, so "ms" is never found in "symptoms". "MS", "ALS" and
other abbreviations have readings of their own (Ms. Smith, 20 ms, Jackson MS, an ALS ambulance), which
`nlu/homographs.yml` lists.

spaCy keeps every string it ever saw. So it is only shown the words that names and patterns are made of; any other word
stands as its shape, and what people write is not remembered.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

import spacy
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from ruamel.yaml import YAML
from spacy.matcher import Matcher, PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from nlu.plain import plain
from nlu.sentences import segments
from nlu.spelling import SpellingRepair, domain_words, words

#: Sentences of a message that are looked at one by one.
MOST_SEGMENTS = 12
#: A word of so many letters that nobody knows is not encoded, where so many others stand beside it.
UNKNOWN, KNOWN_BESIDE = 8, 3
#: Different misspelt words of a text that are repaired: each takes up to 10 ms.
MOST_SLIPS = 12

TERMS_FILE = Path(__file__).parent.parent / "facts" / "terms.yml"
HOMOGRAPHS_FILE = Path(__file__).parent / "homographs.yml"

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
_HAS = r"\b(?:has|have|had|having|with|got|gets?) (?:ms|als)\b"
#: Kinds of term that tell that an abbreviation beside them is the disease after all.
_CLINICAL_KINDS = {"symptom", "drug", "test", "subtype", "gene"}
#: "symptoms of ALS, not MS": what is named behind these words is ruled out.
_RULED_OUT = re.compile(
    r"(?:\b(?:and|but|just|only)?,? ?\bnot(?: (?:about|for|in|of|the|talking about|asking about))*|\bnothing to do with"
    r"|\brather than(?: (?:for|in|of))?|\bleave out|\bforget(?: about)?|\bapart from|\bruled out) ?$"
)
_RULED_OUT_BEHIND = re.compile(r"^(?:(?:has|have|had) been |was |is |were )?(?:now )?(?:ruled )?out\b")
#: ... unless the question is how the two are told apart, or it was expected: "are you sure it's ALS and not MS".
_TOLD_APART = re.compile(
    r"\b(?:how|know|knew|tell|told|sure|prove|rule|differ\w*|mistak\w*|versus|vs|why|diagnos\w*|could|might|maybe)\b"
)


_ENDS = {".", "!", "?", ";"}


@dataclass(frozen=True)
class Mention:
    """A term in a text: `start` and `end` are character offsets in the text as written."""

    kind: str
    id: str
    start: int
    end: int
    ruled_out: bool = False


@dataclass(frozen=True)
class Reading:
    """A text with its terms, and as the classifier sees it: plain, its misspelt words repaired."""

    mentions: Tuple[Mention, ...]
    repaired: str
    #: "MS" or "ALS" was there and meant something else.
    other_meaning: bool
    #: Words that are no part of a term.
    rest: int = 0
    #: Whether any word as written is one that is known: "blorp wuggle" says nothing.
    says_something: bool = True
    #: Its misspelt words, and what they stand for.
    repairs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """A sentence of a message: where it stands in the text as written, and what it says."""

    start: int
    end: int
    reading: Reading


#: Entity of the training data: the words of a message that ask.
QUESTION = "question"


def load_terms(path: Path = TERMS_FILE) -> List[Dict[str, Any]]:
    return list(YAML(typ="safe").load(path.read_text(encoding="utf8")))


def load_homographs(path: Path = HOMOGRAPHS_FILE) -> Dict[str, Any]:
    return dict(YAML(typ="safe").load(path.read_text(encoding="utf8")))


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return self.text.lower()


def _tokens(text: str) -> List[_Token]:
    return [_Token(m[0], m.start(), m.end()) for m in _TOKEN.finditer(text)]


class TermFinder:
    """Finds terms in text. Plain Python and spaCy; the Rasa component below wraps it."""

    def __init__(
        self, terms: Iterable[Dict[str, Any]], vocabulary: Dict[str, int], homographs: Optional[Dict[str, Any]] = None
    ):
        self._vocab = spacy.blank("en").vocab
        self._kinds: Dict[str, str] = {}
        self._near: Dict[str, str] = {}
        homographs = homographs or load_homographs()
        lists: Dict[str, List[str]] = homographs["lists"]
        self._elsewhere = {name: frozenset(words) for name, words in homographs["elsewhere"].items()}
        self._in_capitals = frozenset(homographs["in_capitals"])
        self._clinical, self._timed = frozenset(lists["clinical"]), frozenset(lists["timed"])
        not_after = "|".join([*lists["microsoft"], *lists["life_support"]])
        self._having_it = re.compile(rf"{_HAS}(?!\W+(?:{not_after})\b)")
        names: Dict[str, List[List[str]]] = {}
        misspelt: Set[str] = set()
        vocabulary = dict(vocabulary)
        for term in terms:
            key = term["id"].upper() if term["kind"] == "condition" else term["id"]
            self._kinds[key] = term["kind"]
            if term.get("near"):
                self._near[key] = term["near"]
            correct = [term["name"], *term.get("synonyms", ()), *term.get("abbreviations", ())]
            for name in (*correct, *term.get("misspellings", ())):
                names.setdefault(key, []).append([t.text for t in _tokens(plain(name).text.rstrip("."))])
            for name in correct:
                for word in words(name):
                    vocabulary[word] = vocabulary.get(word, 0) + 5
            # What stands beside a digit is no word of its own: "http" is no slip in "5-htpp".
            wrong = (name for name in term.get("misspellings", ()) if not re.search(r"\d", name))
            misspelt.update(itertools.chain.from_iterable(map(words, wrong)))
        matched = {word.lower() for name in itertools.chain.from_iterable(names.values()) for word in name}
        self._shown: FrozenSet[str] = frozenset({*matched, *itertools.chain.from_iterable(lists.values()), "in"})
        self._phrases = PhraseMatcher(self._vocab, attr="LOWER")
        for key, of_term in names.items():
            self._phrases.add(key, [Doc(self._vocab, words=name) for name in of_term if name])
        self._other = Matcher(self._vocab)
        for rule in homographs["rules"]:
            label = "surely" if rule.get("surely") else "likely"
            self._other.add(f"{label}: {rule['name']}", [_expanded(p, lists) for p in rule["patterns"]])
        self._spelling = SpellingRepair(vocabulary, misspelt)

    def read(self, text: str, repairs: Optional[Mapping[str, str]] = None) -> Reading:
        """Find the terms of a text; with the repairs of the whole where it is a part of one."""
        plainly = plain(text)
        written = _tokens(plainly.text)
        meant = self._repairs(written) if repairs is None else repairs
        repaired = [_Token(meant.get(t.lower) or t.text, t.start, t.end) for t in written]
        docs = [self._shape(written)]
        if [t.text for t in repaired] != [t.text for t in written]:
            docs.append(self._shape(repaired))
        # Names as written count too: some are no English words and would be repaired into others.
        spans = [
            Span(docs[-1], a, b, label=m)
            for doc in docs
            for m, a, b in self._phrases(doc)
            if written[a].lower not in self._in_capitals or written[a].text.isupper()
        ]
        lowered = [t.lower for t in repaired]
        joined = " ".join(lowered)
        clinical = (
            not self._clinical.isdisjoint(lowered)
            or any(self._kinds[span.label_] in _CLINICAL_KINDS for span in spans)
            or bool(self._having_it.search(joined))
        )
        other = [
            (a, b)
            for doc in docs
            for rule, a, b in self._other(doc)
            if not clinical or self._vocab.strings[rule].startswith("surely")
        ]
        kept, dropped = [], bool(other)
        for span in filter_spans(spans):
            if self._means_other(span, other, repaired, clinical):
                dropped = True
            else:
                kept.append(span)
        # "MS fatigue" is one term and names the disease too. A span is dearer than it looks: each is asked once.
        longer = [s for s in kept if len(s) > 1 and self._kinds[s.label_] != "condition"]
        inside = {
            (a.start, a.end): a
            for a in spans
            if longer and self._kinds[a.label_] == "condition"
            and any(b.start <= a.start and a.end <= b.end for b in longer)
        }  # fmt: skip
        mentions = [self._mention(self._kinds[span.label_], span, written, plainly, lowered) for span in kept]
        mentions += [self._mention("condition", span, written, plainly, lowered) for span in inside.values()]
        # A supplement without a record of its own is a supplement all the same.
        mentions += [
            Mention(self._kinds[near], near, m.start, m.end) for m in mentions if (near := self._near.get(m.id))
        ]
        mentions.sort(key=lambda m: (m.start, m.end))
        covered = {i for span in kept for i in range(span.start, span.end)}
        rest = sum(t.text.isalpha() for i, t in enumerate(repaired) if i not in covered)
        known = any(t.text.isalpha() and not self._spelling.is_slip(t.lower) for t in written)
        said = self._without_unknown(repaired, covered)
        return Reading(
            tuple(mentions), _put_together(plainly.text, said), dropped, rest, known or bool(mentions), meant
        )  # fmt: skip

    def _repairs(self, tokens: Sequence[_Token]) -> Dict[str, str]:
        """The misspelt words and what they stand for. Each costs milliseconds: so many are looked at."""
        slips = (word for word in dict.fromkeys(t.lower for t in tokens) if self._spelling.is_slip(word))
        looked_at = itertools.islice(slips, MOST_SLIPS)
        return {word: meant for word in looked_at if (meant := self._spelling.repair(word))}

    def _without_unknown(self, tokens: Sequence[_Token], covered: Set[int]) -> List[_Token]:
        """The tokens without long words that nobody knows, which would turn a sentence's vector to anything."""
        unknown = {
            i
            for i, t in enumerate(tokens)
            if i not in covered and len(t.text) >= UNKNOWN and t.text.islower() and self._spelling.is_like_none(t.lower)
        }
        if len(tokens) - len(unknown) < KNOWN_BESIDE:
            return list(tokens)
        return [_Token("", t.start, t.end) if i in unknown else t for i, t in enumerate(tokens)]

    def _mention(self, kind: str, span: Span, written: Sequence[_Token], plainly: Any, lowered: List[str]) -> Mention:
        start, end = plainly.span(written[span.start].start, written[span.end - 1].end)
        ruled_out = False
        if kind == "condition" and len(lowered) > 1:
            before = " ".join(lowered[max(0, span.start - 5) : span.start]).replace(" ,", ",")
            behind = " ".join(lowered[span.end : span.end + 5])
            ends = [i for i, word in enumerate(lowered) if word in _ENDS]
            first = max((i + 1 for i in ends if i < span.start), default=0)
            last = min((i for i in ends if i >= span.end), default=len(lowered))
            ruled_out = bool(
                _RULED_OUT.search(before) or ("ruled" in before and _RULED_OUT_BEHIND.search(behind))
            ) and not _TOLD_APART.search(" ".join(lowered[first:last]))
        return Mention(kind, span.label_, start, end, ruled_out)

    def _shape(self, tokens: Sequence[_Token]) -> Doc:
        """The tokens for spaCy: known words as they are, any other as its shape."""
        return Doc(self._vocab, words=[t.text if t.lower in self._shown else _shape_of(t.text) for t in tokens])

    def _means_other(
        self, span: Span, other: Sequence[Tuple[int, int]], tokens: Sequence[_Token], clinical: bool
    ) -> bool:
        """Whether an abbreviation of a disease, or Gehrig's name, stands for something else here."""
        if self._kinds[span.label_] != "condition":
            return False
        text = [t.lower for t in tokens[span.start : span.end]]
        lowered = {t.lower for t in tokens}
        if any("gehrig" in word for word in text):
            return (
                not clinical and len(text) <= 4 and "disease" not in text and bool(lowered & self._elsewhere["gehrig"])
            )
        if len(text) > 1:
            return False
        if self._is_a_unit(span, tokens):
            return True
        if any(a <= span.start and span.end <= b for a, b in other):
            return True
        return not clinical and bool(lowered & self._elsewhere[span.label_])

    def _is_a_unit(self, span: Span, tokens: Sequence[_Token]) -> bool:
        """ "20 ms", "5 ms delay", but not "top 5 MS symptoms"."""
        if tokens[span.start].lower != "ms" or span.start == 0 or not tokens[span.start - 1].text.isdigit():
            return False
        behind = tokens[span.end].lower if span.end < len(tokens) else ""
        return not behind.isalpha() or behind in self._timed


def _expanded(pattern: List[Dict[str, Any]], lists: Dict[str, List[str]]) -> List[Dict[str, Any]]:
    """A token pattern with the words of the lists that it names."""

    def words_of(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: words_of(v) for k, v in value.items()}
        return lists[value[1:]] if isinstance(value, str) and value.startswith("$") else value

    return [words_of(token) for token in pattern]


def _shape_of(word: str) -> str:
    if word.isdigit():
        return "0" * min(len(word), 6)
    if not word.isalpha():
        return word if len(word) == 1 and word.isascii() else "x0"
    return "Xx" if word.istitle() else "xx"


def _put_together(text: str, tokens: Sequence[_Token]) -> str:
    """A text with its words replaced by these, and everything between them as it was."""
    pieces, at = [], 0
    for token in tokens:
        pieces += [text[at : token.start], token.text]
        at = token.end
    return re.sub(r"\s+", " ", "".join([*pieces, text[at:]])).strip()


# Registered as a featurizer because Rasa hands only those the training examples to process.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class TermMatcher(GraphComponent, EntityExtractorMixin):
    """Adds an entity per term and, for the components behind it, the text as read.

    Message properties set: `entities`, `reading` (a `Reading` of the whole text) and `segments` (a `Segment` per
    sentence where there are several).
    """

    def __init__(self, storage: ModelStorage, resource: Resource, finder: Optional[TermFinder] = None):
        self._storage, self._resource, self.finder = storage, resource, finder

    @classmethod
    def create(
        cls,
        config: Dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> TermMatcher:
        return cls(model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: Dict[str, Any]) -> Optional[str]:
        """The terms are training data that Rasa does not see: their digest joins the fingerprint."""
        return sha256(TERMS_FILE.read_bytes() + HOMOGRAPHS_FILE.read_bytes()).hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        vocabulary = domain_words(m.get(TEXT) or "" for m in training_data.training_examples)
        content: Dict[str, Any] = {"terms": load_terms(), "vocabulary": vocabulary, "homographs": load_homographs()}
        self.finder = TermFinder(**content)
        with self._storage.write_to(self._resource) as folder:
            (folder / "terms.json").write_text(json.dumps(content), encoding="utf8")
        return self._resource

    @classmethod
    def load(
        cls, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> TermMatcher:  # fmt: skip
        with model_storage.read_from(resource) as folder:
            content = json.loads((folder / "terms.json").read_text(encoding="utf8"))
        return cls(model_storage, resource, TermFinder(**content))

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        for message in training_data.training_examples:
            text = message.get(TEXT)
            if not text or self.finder is None:
                continue
            marked = [(e["start"], e["end"]) for e in message.get(ENTITIES, []) if e["entity"] == QUESTION]
            self._read(message, text)
            if marked:  # the sentences of the others teach nothing
                message.set("segments", segments_of(text, self.finder, message.get("reading")))
                message.set("asking", [Segment(a, b, self.finder.read(text[a:b])) for a, b in marked])
        return training_data

    def _read(self, message: Message, text: str) -> None:
        assert self.finder is not None
        message.set("reading", self.finder.read(text))
        entities = [
            {"entity": m.kind, "value": m.id, "start": m.start, "end": m.end,
             **({"role": "ruled_out"} if m.ruled_out else {})}
            for m in message.get("reading").mentions
        ]  # fmt: skip
        message.set(ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(entities), add_to_output=True)

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or self.finder is None:
                continue
            self._read(message, text)
            message.set("segments", segments_of(text, self.finder, message.get("reading")))
        return messages


def segments_of(text: str, finder: TermFinder, reading: Reading) -> List[Segment]:
    """The sentences of a message that has several, from the reading of it all."""
    spans = segments(text)[:MOST_SEGMENTS]
    return [Segment(a, b, finder.read(text[a:b], reading.repairs)) for a, b in spans] if len(spans) > 1 else []
