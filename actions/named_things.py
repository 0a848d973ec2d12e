"""What is said about a named drug, symptom, test, form, other disease, person or gene: from the rows of its table."""

from __future__ import annotations

from datetime import date
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from actions.question import Question, Term
from actions.reply import Evidence, evidence_of
from actions.wording import DRUG_STATUS, NO_SYMPTOM_FACT, NOT_THIS_DISEASE, it
from facts.schema import Drug
from facts.store import Snapshot

#: Most of the same kind that one reply is about.
MOST_NAMED = 2
#: Most facts read out about a person or a gene.
MOST_FACTS = 3

Part = Tuple[str, Evidence]


def aspect(kind: str, field: str, question: Question, facts: Snapshot) -> Optional[Part]:
    """What a field of the records of the named things says; None where they say nothing on it."""
    named = [t for t in question.terms if t.kind == kind][:MOST_NAMED]
    compose = _ASPECTS.get((kind, field))
    if compose is not None:
        return compose(question, named, facts)
    if kind == "drug":
        return _drug_field(field, question, named, facts)
    return _cells(kind, field, question, named, facts)


def overview(question: Question, facts: Snapshot) -> Optional[Part]:
    """The answer about what was named, where the topic asked in general is about it."""
    for kind, topics, compose in _OVERVIEWS:
        named = [t for t in question.terms if t.kind == kind][:MOST_NAMED]
        if named and question.topic in topics and (part := compose(question, named, facts)) is not None:
            return part
    return None


def name_of(term: Term, facts: Snapshot, first: bool = True) -> str:
    """How a reply names it, as the first word of a sentence or in it."""
    record = facts.terms.get(term.id)
    name = record.name if record else term.id
    return name[:1].upper() + name[1:] if first else name


def _joined(parts: Sequence[Part]) -> Optional[Part]:
    if not parts:
        return None
    evidence = Evidence()
    for _, one in parts:
        evidence += one
    return " ".join(dict.fromkeys(text for text, _ in parts)), evidence


def _cells(kind: str, field: str, question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    """A field of the cells of symptoms or tests, for the diseases asked about."""
    table: Mapping[str, Any] = facts.symptoms if kind == "symptom" else facts.tests
    rows = [(t, table[t.id].cells) for t in named if t.id in table]
    parts: List[Part] = []
    for term, cells in rows:
        told = [(c, cells[c]) for c in question.conditions if c in cells and getattr(cells[c], field)]
        if not told and kind == "test":
            told = [(c, cell) for c, cell in cells.items() if getattr(cell, field)]
        for condition, cell in told:
            label = f"{name_of(term, facts)}: " if len(rows) > 1 and condition == told[0][0] else ""
            label += f"{condition}: " if len(question.conditions) > 1 else ""
            parts.append((label + getattr(cell, field), evidence_of(cell)))
        missing = [c for c in question.conditions if c not in cells]
        if told and missing and kind == "symptom":
            parts += [(NO_SYMPTOM_FACT.format(it=c), Evidence()) for c in missing]
    return _joined(parts)


def _drug_rows(named: Sequence[Term], facts: Snapshot) -> List[Drug]:
    return [facts.drugs[t.id] for t in named if t.id in facts.drugs]


def _drug_field(field: str, question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    drugs = [d for d in _drug_rows(named, facts) if getattr(d, field)]
    return _joined([(_of_drug(d, getattr(d, field), question, facts, field), evidence_of(d)) for d in drugs])


def _of_drug(drug: Drug, text: str, question: Question, facts: Snapshot, field: str) -> str:
    name = name_of(Term("drug", drug.term), facts)
    label = "" if name.lower() in text.lower().partition(". ")[0] else f"{name}: "
    other = not set(question.conditions) & set(drug.conditions)
    return (f"{NOT_THIS_DISEASE.format(it=it(question.conditions))} " if other else "") + label + text


def _approved(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts = []
    for drug in _drug_rows(named, facts):
        name = name_of(Term("drug", drug.term), facts)
        told = "; ".join(f"{a.by}: {_spoken(a.date)}{f' ({a.what})' if a.what else ''}" for a in drug.approvals)
        status = DRUG_STATUS.get(drug.status or "", "")
        text = f"{name} was approved by these bodies: {told}." if told else f"I have no date of approval for {name}."
        parts.append((" ".join(t for t in (text, status.format(name=name), drug.access) if t), evidence_of(drug)))
    return _joined(parts)


def _spoken(day: str) -> str:
    """ "2017-05-05" as "5 May 2017", "2017-05" as "May 2017"."""
    parts = [int(p) for p in day.split("-")]
    if len(parts) == 1:
        return day
    known = date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1)
    return f"{known.day} {known:%B %Y}" if len(parts) > 2 else f"{known:%B %Y}"


def _subtypes(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    rows = [facts.subtypes[t.id] for t in named if t.id in facts.subtypes]
    return _joined([(row.text, evidence_of(row)) for row in rows])


def _outlook(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    rows = [facts.subtypes[t.id] for t in named if t.id in facts.subtypes]
    return _joined([(row.outlook, evidence_of(row)) for row in rows if row.outlook])


def _drugs_for_subtype(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts: List[Part] = []
    for term in named[:1]:
        subtype = facts.subtypes.get(term.id)
        drugs = [d for d in facts.drugs.values() if term.id in d.subtypes and d.status == "approved"]
        if subtype is None or not drugs:
            continue
        # For secondary progressive MS, all but mitoxantrone are approved for its active form only.
        plainly = [d for d in drugs if term.id == "spms" and d.term == "mitoxantrone"]
        listed = ", ".join(facts.terms[d.term].name for d in drugs if d not in plainly)
        active = "active " if term.id == "spms" else ""
        text = f"Drugs approved in the US for {active}{subtype.name}: {listed}. " if listed else ""
        if plainly:
            text += "Mitoxantrone is approved for it too, active or not, but is seldom used today. "
        text += "Which one fits is for the person and the care team to decide."
        parts.append((text, evidence_of(subtype, *drugs)))
    return _joined(parts)


def _mimics(question: Question, named: Sequence[Term], facts: Snapshot, about: bool = True) -> Optional[Part]:
    parts: List[Part] = []
    for term in named:
        row = facts.mimics.get(term.id)
        if row is None:
            continue
        cells = [(c, row.cells[c].text) for c in question.conditions if c in row.cells]
        label = len(question.conditions) > 1
        told = " ".join(f"{c}: {text}" if label else text for c, text in cells)
        text = f"{row.about} {told}".strip() if about or not told else told
        if len(named) > 1 and row.name.lower() not in text.lower():
            text = f"{row.name}: {text}"
        parts.append((text, evidence_of(row)))
    return _joined(parts)


def _differs(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    return _mimics(question, named, facts, about=len(named) > 1)


def _facts_naming(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    found = [f for t in named for f in facts.facts_naming(t.id)][:MOST_FACTS]
    return (" ".join(f.statement for f in found), evidence_of(*found)) if found else None


def _drug_texts(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    return _drug_field("text", question, named, facts)


def _symptom_texts(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    return _cells("symptom", "text", question, named, facts)


def _test_texts(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    return _cells("test", "text", question, named, facts)


_Compose = Callable[[Question, Sequence[Term], Snapshot], Optional[Part]]

#: Fields that are put together, not read out.
_ASPECTS: Dict[Tuple[str, str], _Compose] = {
    ("drug", "approved"): _approved,
    ("subtype", "text"): _subtypes,
    ("subtype", "outlook"): _outlook,
    ("subtype", "drugs"): _drugs_for_subtype,
    ("mimic", "text"): _mimics,
    ("mimic", "differs"): _differs,
}

#: (kind of term, topics whose general question is about such a term, how it is told), first match first.
_OVERVIEWS: Tuple[Tuple[str, Tuple[str, ...], _Compose], ...] = (
    ("mimic", ("mimics", "difference", "similarity", "definition", "both_together", "diagnosis", "symptom_check"),
     _mimics),
    ("subtype", ("treatment", "drug"), _drugs_for_subtype),
    ("drug", ("drug", "treatment", "definition", "research", "cure", "lifestyle", "therapy"), _drug_texts),
    ("symptom", ("symptom_check", "symptoms", "early_signs"), _symptom_texts),
    ("test", ("diagnosis", "definition"), _test_texts),
    ("subtype", ("definition", "types", "symptoms", "progression", "prognosis"), _subtypes),
    ("person", ("famous_people", "definition", "name_history", "prognosis"), _facts_naming),
    ("gene", ("genetics", "cause", "definition"), _facts_naming),
)  # fmt: skip
