"""From a question to its answer, composed from the relations of the fact store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from actions.question import Question, Term
from actions.reply import Button, Evidence, Outcome, Reply, evidence_of, first_buttons
from actions.wording import NO_SYMPTOM_FACT, NOT_THIS_DISEASE, RELATED, it, title
from facts.schema import CONDITIONS, Approval, Comparison
from facts.store import Snapshot

#: Most rows of a comparison shown at once; the overview of differences has the most.
MOST_ROWS = 8
#: Most facts read out by "tell me more".
MORE_AT_ONCE = 3

Part = Tuple[str, Evidence]


def answer(question: Question, facts: Snapshot) -> Optional[Reply]:
    """The answer to a question, or None where the store has nothing on it."""
    found = _specific(question, facts)
    specific = found is not None
    if found is None:
        record = facts.answer(question.topic, question.conditions)
        if record is None:
            return None
        found = record.text, evidence_of(record)
    text, evidence = found
    corrections = _corrections(question, facts)
    if corrections is not None:
        text, evidence = f"{corrections[0]} {text}", corrections[1] + evidence
    rows: Tuple[Comparison, ...] = ()
    if question.conditions == CONDITIONS and not specific:
        rows = tuple(facts.comparison(question.topic)[:MOST_ROWS])
        evidence += evidence_of(*rows)
    return Reply(
        outcome=Outcome.ANSWERED,
        answer=text,
        topic=question.topic,
        conditions=question.conditions,
        terms=tuple(t.id for t in question.terms),
        evidence=evidence,
        comparison=rows,
        buttons=next_buttons(question, facts, specific),
        told=evidence.facts,
    )


def more(question: Question, told: Sequence[str], facts: Snapshot) -> Optional[Reply]:
    """The next few facts on a question, or None when all are told."""
    named = [f for t in question.terms for f in facts.facts_naming(t.id)]
    about = facts.facts_about(question.topic, question.conditions)
    untold = {f.id: f for f in [*named, *about] if f.id not in told}
    fresh = list(untold.values())[:MORE_AT_ONCE]
    if not fresh:
        return None
    text = " ".join(f.statement for f in fresh)
    return Reply(
        outcome=Outcome.ANSWERED,
        answer=text,
        topic=question.topic,
        conditions=question.conditions,
        terms=tuple(t.id for t in question.terms),
        evidence=evidence_of(*fresh),
        buttons=next_buttons(question, facts, bool(question.terms)),
        told=tuple(dict.fromkeys([*told, *(f.id for f in fresh)])),
    )


def simpler(question: Question, facts: Snapshot) -> Optional[Reply]:
    """The answer in fewer and easier words."""
    full = answer(question, facts)
    record = facts.answer(question.topic, question.conditions)
    if full is None or record is None:
        return full
    drugs = [facts.drugs[d] for d in question.ids("drug") if d in facts.drugs]
    if drugs:
        text = " ".join(f"{_capital(facts.terms[d.term].name)}: {d.purpose}" for d in drugs)
        return _retold(full, text, evidence_of(*drugs))
    if _specific(question, facts) is not None:
        return full
    return _retold(full, record.simple, evidence_of(record))


def why(question: Question, facts: Snapshot) -> Optional[Reply]:
    """What lies behind the answer; where the store has nothing on that, what causes the disease."""
    full = answer(question, facts)
    record = facts.answer(question.topic, question.conditions)
    if full is None:
        return None
    if record is not None and record.why:
        return _retold(full, record.why, evidence_of(record))
    cause = facts.answer("cause", question.conditions)
    return _retold(full, cause.text, evidence_of(cause)) if cause else full


def _retold(full: Reply, text: str, evidence: Evidence) -> Reply:
    return replace(full, answer=text, evidence=evidence, comparison=())


def next_buttons(question: Question, facts: Snapshot, specific: bool = False) -> Tuple[Button, ...]:
    """What people would press next: the other disease first, then related questions."""
    buttons: List[Button] = []
    if len(question.conditions) == 1:
        other = [c for c in CONDITIONS if c not in question.conditions]
        if question.topic in ("difference", "similarity", "both_together"):
            other = []
        for condition in other:
            keep = tuple(t for t in question.terms if t.kind in ("symptom", "test", "mimic"))
            topic = question.topic
            if specific and not keep:  # what was named belongs to one disease only
                topic = "treatment" if topic == "drug" else topic
            buttons.append(Button(f"And in {condition}?", Question(topic, (condition,), keep).payload()))
    if specific:
        buttons.append(_button(question.topic, question.conditions))
    for topic in RELATED.get(question.topic, ()):
        buttons.append(_button(topic, question.conditions))
    if question.conditions != CONDITIONS and question.topic != "difference":
        buttons.append(_button("difference", CONDITIONS))
    return first_buttons([b for b in buttons if b.payload != question.payload()])


def _button(topic: str, conditions: Tuple[str, ...]) -> Button:
    if topic in ("difference", "similarity", "both_together"):
        conditions = CONDITIONS
    return Button(title(topic, conditions), Question(topic, conditions).payload())


def _corrections(question: Question, facts: Snapshot) -> Optional[Part]:
    """What is put right when the words of a question assume an outdated claim."""
    assumed = facts.assumed_claims(question.text, question.conditions)
    if not assumed:
        return None
    claim, correcting = assumed[0]
    return claim.correction or "", evidence_of(*correcting)


# --- answers about named things -------------------------------------------------------------------


def _specific(question: Question, facts: Snapshot) -> Optional[Part]:
    """The answer about the drug, symptom, test, ... that was named, where the topic is about it."""
    for kinds, topics, compose in _COMPOSERS:
        named = [t for t in question.terms if t.kind in kinds]
        if named and question.topic in topics:
            part = compose(question, named, facts)
            if part is not None:
                return part
    return None


def _joined(parts: Sequence[Part]) -> Optional[Part]:
    if not parts:
        return None
    evidence = Evidence()
    for _, one in parts:
        evidence += one
    return " ".join(dict.fromkeys(text for text, _ in parts)), evidence


def _symptoms(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    rows = [facts.symptoms[t.id] for t in named[:2] if t.id in facts.symptoms]
    parts = []
    for row in rows:
        label = f"{_capital(facts.terms[row.term].name)}: " if len(rows) > 1 else ""
        found = [_cell(row.cells, c, question.conditions) for c in question.conditions]
        known = [part for part in found if part]
        if known:
            parts.append((label + " ".join(text for text, _ in known), _joined(known)[1]))  # type: ignore[index]
            for condition, part in zip(question.conditions, found, strict=False):
                if part is None:
                    parts.append((NO_SYMPTOM_FACT.format(it=condition), Evidence()))
    return _joined(parts)


def _cell(cells: Dict[str, Any], condition: str, conditions: Sequence[str]) -> Optional[Part]:
    cell = cells.get(condition)
    if cell is None:
        return None
    label = f"{condition}: " if len(conditions) > 1 else ""
    return label + cell.text, evidence_of(cell)


def _tests(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts = []
    for term in named[:2]:
        if term.id in facts.tests:
            cells = facts.tests[term.id].cells
            shown = [c for c in question.conditions if c in cells] or list(cells)
            parts += [part for part in (_cell(cells, c, shown) for c in shown) if part]
    return _joined(parts)


def _drugs(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts = []
    for term in named[:2]:
        drug = facts.drugs.get(term.id)
        if drug is None:
            continue
        text = drug.text
        if not set(question.conditions) & set(drug.conditions):
            text = f"{NOT_THIS_DISEASE.format(it=it(question.conditions))} {text}"
        parts.append((text, evidence_of(drug)))
    return _joined(parts)


def _subtypes(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    return _joined(
        [(facts.subtypes[t.id].text, evidence_of(facts.subtypes[t.id])) for t in named[:2] if t.id in facts.subtypes]
    )


def _drugs_for_subtype(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts = []
    for term in named[:1]:
        subtype = facts.subtypes.get(term.id)
        drugs = [d for d in facts.drugs.values() if term.id in d.subtypes and d.status == "approved"]
        if subtype is None or not drugs:
            continue
        listed = ", ".join(f"{facts.terms[d.term].name}{_first_year(d.approvals)}" for d in drugs)
        active = "active " if term.id == "spms" else ""
        text = (
            f"Drugs approved in the US for {active}{subtype.name}: {listed}. "
            "Which one fits is for the person and the care team to decide."
        )
        parts.append((text, evidence_of(subtype, *drugs)))
    return _joined(parts)


def _first_year(approvals: Sequence[Approval]) -> str:
    return f" ({approvals[0].date[:4]})" if approvals else ""


def _mimics(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    parts = []
    for term in named[:2]:
        row = facts.mimics.get(term.id)
        if row is None:
            continue
        cells = [_cell(row.cells, c, question.conditions) for c in question.conditions]
        told = " ".join(part[0] for part in cells if part)
        parts.append((f"{row.about} {told}".strip(), evidence_of(row)))
    return _joined(parts)


def _facts_naming(question: Question, named: Sequence[Term], facts: Snapshot) -> Optional[Part]:
    found = [f for t in named for f in facts.facts_naming(t.id)][:MORE_AT_ONCE]
    return (" ".join(f.statement for f in found), evidence_of(*found)) if found else None


_ASKS_WHAT = ("definition", "types")

#: (kinds of term, topics in which such a term decides the answer, how it is composed), first match first.
_COMPOSERS: Tuple[Tuple[Tuple[str, ...], Tuple[str, ...], Callable[..., Optional[Part]]], ...] = (
    (("mimic",), ("mimics", "difference", "similarity", "definition", "both_together"), _mimics),
    (("subtype",), ("treatment", "drug"), _drugs_for_subtype),
    (("drug",), ("drug", "treatment", "definition", "research", "cure", "lifestyle", "therapy"), _drugs),
    (("symptom",), ("symptom_check", "symptoms", "early_signs"), _symptoms),
    (("test",), ("diagnosis", "definition"), _tests),
    (("subtype",), (*_ASKS_WHAT, "symptoms", "progression", "prognosis"), _subtypes),
    (("person",), ("famous_people", "definition", "name_history"), _facts_naming),
    (("gene",), ("genetics", "cause", "definition"), _facts_naming),
)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
