"""What a reply is made of. Renderers read it; nothing they need is left out of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from facts.schema import CONDITIONS, Answer, Comparison, Fact, Source
from facts.store import Snapshot
from replies.contract import Button, Citation, Content, Outcome, Row

MOST_BUTTONS = 5
#: Enough for each country's emergency number to show its own.
MOST_SOURCES = 8


@dataclass(frozen=True)
class Evidence:
    """What stands behind a text: facts, and sources of records that are no facts.

    `topics` are those of the answers that were read out; `reviewed` the dates of records that are neither.
    """

    facts: Tuple[str, ...] = ()
    sources: Tuple[str, ...] = ()
    reviewed: Tuple[date, ...] = ()
    checked: bool = True
    topics: Tuple[str, ...] = ()

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            tuple(dict.fromkeys(self.facts + other.facts)),
            tuple(dict.fromkeys(self.sources + other.sources)),
            self.reviewed + other.reviewed,
            self.checked and other.checked,
            tuple(dict.fromkeys(self.topics + other.topics)),
        )


def evidence_of(*records: Any) -> Evidence:
    """The evidence named by records of the store (facts, answers, cells, drugs, ...)."""
    total = Evidence()
    for record in records:
        if isinstance(record, Fact):
            total += Evidence((record.id,), checked=record.checked)
            continue
        reviewed = getattr(record, "reviewed", None)
        total += Evidence(
            tuple(getattr(record, "facts", ())),
            tuple(getattr(record, "sources", ())),
            (reviewed,) if reviewed else (),
            getattr(record, "checked", True),
            (record.topic,) if isinstance(record, Answer) else (),
        )
    return total


@dataclass(frozen=True)
class Reply:
    """One reply, before the disclaimer is added and a channel renders it."""

    outcome: Outcome
    answer: str
    topic: Optional[str] = None
    #: `topic/name` of the question of the store that was answered.
    question: Optional[str] = None
    conditions: Tuple[str, ...] = ()
    terms: Tuple[str, ...] = ()
    evidence: Evidence = Evidence()
    comparison: Tuple[Comparison, ...] = ()
    buttons: Tuple[Button, ...] = ()
    #: Of several questions answered in one reply.
    topics: Tuple[str, ...] = ()
    questions: Tuple[str, ...] = ()
    #: Facts already told, so that "tell me more" goes on behind them.
    told: Tuple[str, ...] = ()
    #: The conversation is to be erased.
    forget: bool = False
    #: The language of the text, where that is not English.
    language: Optional[str] = None

    def metadata(self, facts: Snapshot) -> Dict[str, Any]:
        """The reply as the contract describes it, all but the disclaimer."""
        return self.content(facts).to_dict()

    def content(self, facts: Snapshot) -> Content:
        """The reply with what stands behind it, all but the disclaimer."""
        cited = [facts.facts[f] for f in self.evidence.facts if f in facts.facts]
        named = [f.sources for f in cited] + [(s,) for s in self.evidence.sources]
        sources = _fewest([[facts.sources[s] for s in n if s in facts.sources] for n in named])
        reviewed = [*self.evidence.reviewed, *(_looked_at(f, facts) for f in cited)]
        several = len(self.topics) > 1
        return Content(
            outcome=self.outcome,
            topic=self.topic,
            question=self.question,
            conditions=tuple(in_order(self.conditions)),
            terms=self.terms,
            answer=self.answer,
            comparison=tuple(Row(r.aspect, r.MS, r.ALS) for r in self.comparison),
            facts=tuple(f.id for f in cited),
            sources=tuple(Citation(s.title, s.publisher, s.url, s.year) for s in sources),
            reviewed=min(reviewed).isoformat() if reviewed else None,
            checked=self.evidence.checked and all(f.checked for f in cited),
            topics=self.topics if several else (),
            questions=self.questions if several else (),
            language=self.language,
            forget=self.forget,
            signed=self._is_signed(cited, facts),
            buttons=self.buttons,
        )

    def _is_signed(self, cited: Sequence[Fact], facts: Snapshot) -> bool:
        """Whether a clinician has signed all that was said.

        Records of drugs, symptoms, ... may be of any topic, so all topics have to be signed for them.
        """
        apart = self.evidence.reviewed or self.evidence.sources or self.comparison
        return facts.has_signed(() if apart else {*self.evidence.topics, *(f.topics[0] for f in cited)})


def _looked_at(fact: Fact, facts: Snapshot) -> date:
    """When it was last looked at: a sign-off that holds counts too."""
    review = facts.signed.get(fact.topics[0])
    return max(fact.reviewed, review.on) if review else fact.reviewed


def _fewest(named: Sequence[Sequence[Source]]) -> List[Source]:
    """The fewest sources with one of each fact's own among them, best first; `MOST_SOURCES` at most."""
    sources = {source.id: source for group in named for source in group}
    left = [{source.id for source in group} for group in named if group]
    chosen: List[Source] = []
    while left and len(chosen) < MOST_SOURCES:
        counts = Counter(name for group in left for name in group)
        best = min(counts, key=lambda name: (-counts[name], sources[name].tier, name))
        chosen.append(sources[best])
        left = [group for group in left if best not in group]
    return sorted(chosen, key=lambda source: source.tier)


def in_order(conditions: Iterable[str]) -> List[str]:
    """MS before ALS, each once."""
    named = set(conditions)
    return [c for c in CONDITIONS if c in named]


def first_buttons(buttons: Sequence[Button], most: int = MOST_BUTTONS) -> Tuple[Button, ...]:
    """The first few, none that reads or does the same as one before it."""
    chosen: Dict[str, Button] = {}
    for button in buttons:
        if button.payload not in (b.payload for b in chosen.values()):
            chosen.setdefault(button.title, button)
    return tuple(chosen.values())[:most]
