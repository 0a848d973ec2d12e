"""Names of diseases, symptoms, drugs, tests and people, found with spaCy.

    "does riluzole help with lou gehrigs diease?" -> drug riluzole, condition ALS

Words are repaired first (`nlu.spelling`), then matched whole, so "ms" is never found in "symptoms".
"MS", "ALS" and other abbreviations have readings of their own (Ms. Smith, 20 ms, Jackson MS, an ALS
ambulance, Dutch "als"), which `_OTHER_MEANINGS` lists.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Dict, Iterable, List, Optional, Set, Tuple

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

from nlu.sentences import segments
from nlu.spelling import SpellingRepair, domain_words, words

#: Sentences of a message that are looked at one by one.
MOST_PARTS = 12
#: Different misspelt words of a text that are repaired: each takes up to 10 ms.
MOST_SLIPS = 40

TERMS_FILE = Path(__file__).parent.parent / "facts" / "terms.yml"

#: What a name is replaced by before encoding, so that all diseases (drugs, ...) share examples.
MASKS = {
    "condition": "this disease",
    "subtype": "this type of disease",
    "drug": "this drug",
    "mimic": "another illness",
    "person": "this person",
    "organisation": "this organisation",
    "gene": "this gene",
}

_LOWER = "LOWER"
_BASEBALL = ["baseball", "batting", "average", "games", "streak", "yankees", "yankee", "homers", "stats",
             "statistics", "career", "rookie", "jersey", "position", "base", "speech", "hitter", "mlb",
             "player", "record", "retire", "retired", "wife", "born", "height", "card", "team", "runs"]  # fmt: skip
_DUTCH_GERMAN = ["ik", "het", "je", "een", "de", "der", "die", "das", "ob", "wir", "sie", "nicht", "ist",
                 "ich", "wie", "kind", "mehr", "dann", "niet", "zij", "voor", "jij", "dat", "dit", "und",
                 "besser", "er", "es", "wat", "betekent"]  # fmt: skip
_FIELDS = ["computer", "data", "engineering", "cs", "physics", "nursing", "finance", "business",
           "statistics", "biology", "chemistry", "economics", "mechanical", "electrical", "education",
           "psychology", "accounting", "marketing", "cybersecurity", "artificial"]  # fmt: skip
_TOWNS = ["jackson", "biloxi", "gulfport", "hattiesburg", "tupelo", "meridian", "oxford", "southaven",
          "natchez", "vicksburg", "greenville", "starkville", "olive", "clinton", "pascagoula"]  # fmt: skip
_MICROSOFT = ["word", "office", "excel", "teams", "windows", "access", "paint", "outlook", "powerpoint",
              "project", "sql", "dos", "edge", "azure", "store", "365", "publisher", "onenote"]  # fmt: skip
_LIFE_SUPPORT = ["course", "courses", "certification", "certificate", "ambulance", "provider", "providers",
                 "protocol", "protocols", "paramedic", "paramedics", "unit", "instructor", "class", "exam",
                 "recertification", "algorithm", "crew", "skills", "manual", "ems", "emt"]  # fmt: skip

_MS = {_LOWER: {"IN": ["ms", "ms."]}}
_ALS = {_LOWER: "als"}

_TIMED = {"latency", "delay", "response", "ping", "is", "are", "in", "of", "or", "and", "to", "per", "faster", "slower"}

#: People with ALS, and those who care for them, in capitals only: "my pals".
_IN_CAPITALS = {"pals", "cals"}

#: Token patterns in which an abbreviation means something else, whatever stands around it.
_SURELY_OTHER: List[List[Dict[str, Any]]] = [
    [{"TEXT": "Ms."}],
    [{"TEXT": "Ms"}, {"IS_TITLE": True}],
    [{_LOWER: {"IN": _TOWNS}}, {"IS_PUNCT": True, "OP": "?"}, _MS],
    [_MS, {"IS_PUNCT": True, "OP": "?"}, {"TEXT": {"REGEX": r"^\d{5}$"}}],
    [{_LOWER: {"IN": ["lc", "gc", "icp", "maldi", "uplc", "hplc"]}}, {"IS_PUNCT": True, "OP": "?"}, _MS],
    [{_LOWER: {"IN": ["acls", "bls", "pals"]}}, {"OP": "?"}, _ALS],
    [_ALS, {"OP": "?"}, {_LOWER: {"IN": ["acls", "bls", "pals"]}}],
    [{_LOWER: {"IN": ["acls", "bls"]}}, {"OP": "?"}, {_LOWER: "pals"}],
    [{_LOWER: "pals"}, {"OP": "?"}, {_LOWER: {"IN": ["acls", "bls", *_LIFE_SUPPORT]}}],
]

#: The same, unless something clinical is spoken of.
_OTHER_MEANINGS: List[List[Dict[str, Any]]] = [
    [_MS, {_LOWER: {"IN": _MICROSOFT}}],
    [_MS, {_LOWER: "in"}, {_LOWER: {"IN": _FIELDS}}],
    [_MS, {_LOWER: {"IN": ["degree", "degrees", "thesis", "marvel", "pacman", "pac", "dhoni"]}}],
    [_ALS, {_LOWER: {"IN": [*_LIFE_SUPPORT, *_DUTCH_GERMAN]}}],
    [{_LOWER: {"IN": ["wat", "was", "het", "woord", "wort", "denn", "sowohl", "mehr", "meer",
                         "besser"]}}, _ALS],
]  # fmt: skip


#: Words that, anywhere in a message, tell that the abbreviation is not the disease.
_OTHER_WORDS = {
    "MS": {"milliseconds", "millisecond", "latency", "ping", "fps", "gpa", "bachelor", "bachelors", "master's",
           "masters", "mississippi", "microsoft", "manuscript", "manuscripts", "cruise", "phd", "bs", "seconds",
           "marvel", "mitral", "cabin", "cabins", "ferry", "spectrometry", "spectrometer"},
    "ALS": {"ambulance", "ambulances", "paramedic", "paramedics", "ems", "emt", "acls", "dutch", "german", "danish",
            "auf", "heißt", "bedeutet", "betekent", "lidar", "laser", "ableton"},
}  # fmt: skip


#: Words, and kinds of term, that tell that the abbreviation is the disease after all: "als course and prognosis".
_CLINICAL_WORDS = {"disease", "diseases", "diagnosis", "diagnose", "diagnosed", "prognosis", "symptom", "symptoms",
                   "drug", "drugs", "medicine", "medicines", "medication", "treatment", "treatments", "therapy",
                   "therapies", "patient", "patients", "neurologist", "neurology", "disability", "disabled", "relapse",
                   "relapses", "progression", "cure", "clinical", "husband", "wife", "dad", "mum", "mom", "brain",
                   "nerve", "nerves", "tired", "research", "expectancy", "survival", "stages"}  # fmt: skip
_HAVING_IT = re.compile(
    rf"\b(?:has|have|had|having|with|got|gets?) (?:ms|als)\b(?!\W+(?:{'|'.join([*_MICROSOFT, *_LIFE_SUPPORT])})\b)"
)
_CLINICAL_KINDS = {"symptom", "drug", "test", "subtype", "gene"}


@dataclass(frozen=True)
class Found:
    """A term in a text: `start` and `end` are character offsets in the text as written."""

    kind: str
    id: str
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """A text with its terms, and the two forms the classifier sees."""

    found: Tuple[Found, ...]
    repaired: str
    masked: str
    other_meaning: bool
    #: Words that are no part of a term.
    rest: int = 0
    #: Whether any word as written is one that is known: "blorp wuggle" says nothing.
    says_something: bool = True


@dataclass(frozen=True)
class Part:
    """A sentence of a message: where it stands and what it says."""

    start: int
    end: int
    reading: Reading


#: Entity of the training data: the words of a message that ask.
QUESTION = "question"


def load_terms(path: Path = TERMS_FILE) -> List[Dict[str, Any]]:
    return list(YAML(typ="safe").load(path.read_text(encoding="utf8")))


def normalise(text: str) -> str:
    """Same length, with typographic quotes and dashes as a keyboard has them."""
    table = {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"}
    return "".join(table.get(c, " " if unicodedata.category(c) in ("Cc", "Zs") else c) for c in text)


class TermFinder:
    """Finds terms in text. Plain Python and spaCy; the Rasa component below wraps it."""

    def __init__(self, terms: Iterable[Dict[str, Any]], vocabulary: Dict[str, int]):
        self._nlp = spacy.blank("en")
        self._kinds: Dict[str, str] = {}
        names: Dict[str, List[Doc]] = {}
        misspelt: Set[str] = set()
        vocabulary = dict(vocabulary)
        self._phrases = PhraseMatcher(self._nlp.vocab, attr=_LOWER)
        for term in terms:
            key = term["id"].upper() if term["kind"] == "condition" else term["id"]
            self._kinds[key] = term["kind"]
            correct = [term["name"], *term.get("synonyms", ()), *term.get("abbreviations", ())]
            for name in (*correct, *term.get("misspellings", ())):
                names.setdefault(key, []).append(self._nlp.make_doc(normalise(name)))
            for name in correct:
                for word in words(name):
                    vocabulary[word] = vocabulary.get(word, 0) + 5
            misspelt.update(itertools.chain.from_iterable(map(words, term.get("misspellings", ()))))
        for key, docs in names.items():
            self._phrases.add(key, docs)
        self._other = Matcher(self._nlp.vocab)
        self._other.add("surely", _SURELY_OTHER)
        self._other.add("likely", _OTHER_MEANINGS)
        self._spelling = SpellingRepair(vocabulary, misspelt)

    def read(self, text: str) -> Reading:
        """Find the terms of a text."""
        doc = self._nlp.make_doc(normalise(text))
        repaired = self._repaired(doc)
        # Names as written count too: some are no English words and would be repaired into others.
        spans = [
            Span(repaired, a, b, label=m)
            for text in (doc, repaired)
            for m, a, b in self._phrases(text)
            if text[a].lower_ not in _IN_CAPITALS or text[a].is_upper
        ]
        clinical = (
            any(t.lower_ in _CLINICAL_WORDS for t in repaired)
            or any(self._kinds[span.label_] in _CLINICAL_KINDS for span in spans)
            or bool(_HAVING_IT.search(repaired.text.lower()))
        )
        other = [
            repaired[a:b]
            for text in (doc, repaired)
            for rule, a, b in self._other(text)
            if not clinical or self._nlp.vocab.strings[rule] == "surely"
        ]
        kept, dropped = [], bool(other)
        for span in filter_spans(spans):
            if self._means_other(span, other, repaired, clinical):
                dropped = True
            else:
                kept.append(span)
        # "MS fatigue" is one term and names the disease too.
        inside = {
            (a.start, a.end): a
            for a in spans
            for b in kept
            if self._kinds[a.label_] == "condition" and self._kinds[b.label_] != "condition"
            and b.start <= a.start and a.end <= b.end
        }  # fmt: skip
        found, masked, at = [], [], 0
        for span in kept:
            first, last = doc[span.start], doc[span.end - 1]
            key = span.label_
            kind = self._kinds[key]
            found.append(Found(kind, key, first.idx, last.idx + len(last)))
            masked.append(repaired[at : span.start].text)
            masked.append(MASKS.get(kind, span.text))
            at = span.end
        masked.append(repaired[at:].text)
        for span in inside.values():
            first, last = doc[span.start], doc[span.end - 1]
            found.append(Found("condition", span.label_, first.idx, last.idx + len(last)))
        found.sort(key=lambda f: (f.start, f.end))
        rest = sum(t.is_alpha for t in repaired) - sum(t.is_alpha for span in kept for t in span)
        plain = re.sub(r"\s+", " ", " ".join(masked)).strip()
        known = any(t.is_alpha and not self._spelling.is_slip(t.lower_) for t in doc)
        return Reading(tuple(found), repaired.text, plain, dropped, rest, known or bool(found))

    def _repaired(self, doc: Doc) -> Doc:
        """The same tokens, misspelt ones replaced."""
        # Where the norm differs, the token is half of a word such as "gonna".
        whole = dict.fromkeys(t.lower_ for t in doc if t.norm_ == t.lower_)
        slips = itertools.islice((word for word in whole if self._spelling.is_slip(word)), MOST_SLIPS)
        meant = {word: self._spelling.repair(word) for word in slips}
        return Doc(
            self._nlp.vocab,
            words=[(meant.get(t.lower_) if t.norm_ == t.lower_ else None) or t.text for t in doc],
            spaces=[bool(t.whitespace_) for t in doc],
        )

    def _means_other(self, span: Span, other: List[Span], doc: Doc, clinical: bool) -> bool:
        """Whether an abbreviation of a disease, or Gehrig's name, stands for something else here."""
        if self._kinds[span.label_] != "condition" or len(span) > 2:
            return False
        if "gehrig" in span.text.lower():
            return not clinical and any(t.lower_ in _BASEBALL for t in doc)
        if len(span) > 1:
            return False
        if self._is_a_unit(span, doc):
            return True
        if any(o.start <= span.start and span.end <= o.end for o in other):
            return True
        return not clinical and any(t.lower_ in _OTHER_WORDS[span.label_] for t in doc)

    @staticmethod
    def _is_a_unit(span: Span, doc: Doc) -> bool:
        """ "20 ms", "5 ms delay", but not "top 5 MS symptoms"."""
        if span.text.lower() != "ms" or span.start == 0 or not doc[span.start - 1].like_num:
            return False
        behind = doc[span.end].lower_ if span.end < len(doc) else ""
        return not behind.isalpha() or behind in _TIMED


# Registered as a featurizer because Rasa hands only those the training examples to process.
@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class TermMatcher(GraphComponent, EntityExtractorMixin):
    """Adds an entity per term and, for the components behind it, the masked text.

    Message properties set: `entities`, `reading` (a `Reading` of the whole text) and `parts` (a `Part`
    per sentence where there are several).
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
        return sha256(TERMS_FILE.read_bytes()).hexdigest()

    def train(self, training_data: TrainingData) -> Resource:
        vocabulary = domain_words(m.get(TEXT) or "" for m in training_data.training_examples)
        terms = load_terms()
        self.finder = TermFinder(terms, vocabulary)
        with self._storage.write_to(self._resource) as folder:
            content = {"terms": terms, "vocabulary": vocabulary}
            (folder / "terms.json").write_text(json.dumps(content), encoding="utf8")
        return self._resource

    @classmethod
    def load(
        cls, config: Dict[str, Any], model_storage: ModelStorage, resource: Resource,
        execution_context: ExecutionContext, **kwargs: Any,
    ) -> TermMatcher:  # fmt: skip
        with model_storage.read_from(resource) as folder:
            content = json.loads((folder / "terms.json").read_text(encoding="utf8"))
        return cls(model_storage, resource, TermFinder(content["terms"], content["vocabulary"]))

    def _parts(self, text: str) -> List[Part]:
        """The sentences of a message that has several."""
        spans = segments(text)
        if len(spans) < 2 or self.finder is None:
            return []
        return [Part(a, b, self.finder.read(text[a:b])) for a, b in spans[:MOST_PARTS]]

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        for message in training_data.training_examples:
            marked = [(e["start"], e["end"]) for e in message.get(ENTITIES, []) if e["entity"] == QUESTION]
            if marked and self.finder is not None:
                text = message.get(TEXT)
                message.set("asking", [Part(a, b, self.finder.read(text[a:b])) for a, b in marked])
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT)
            if not text or self.finder is None:
                continue
            reading = self.finder.read(text)
            message.set("reading", reading)
            message.set("parts", self._parts(text))
            entities = [{"entity": f.kind, "value": f.id, "start": f.start, "end": f.end} for f in reading.found]
            message.set(ENTITIES, message.get(ENTITIES, []) + self.add_extractor_name(entities), add_to_output=True)
        return messages
