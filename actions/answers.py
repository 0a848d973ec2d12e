"""From a question to its answer, read and composed from the fact store."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

from actions import named_things
from actions.question import Question
from actions.reply import Button, Evidence, Outcome, Reply, evidence_of, first_buttons
from actions.wording import NO_RECORD_OF, NOTHING_ON, RELATED, it, title
from facts import schema
from facts.schema import CONDITIONS, Answer, Comparison
from facts.store import Snapshot

#: Most rows of a comparison shown at once; the overview of differences has the most.
MOST_ROWS = 8
#: A button with a longer title names things by their letters.
MOST_IN_TITLE = 70
#: A statement of which so many words stand in an answer is said already.
MOSTLY_SAID = 0.6
#: Most names in one sentence.
MOST_NAMED = 3
#: Most facts read out by "tell me more".
MORE_AT_ONCE = 3
#: Facts told to a turn that asks the last question again in other words.
NEAREST_AT_ONCE = 3

Part = Tuple[str, Evidence]
#: Topics that are about both diseases whichever is named.
COMPARING = ("difference", "similarity", "both_together")


def answerable(question: Question, facts: Snapshot) -> Tuple[str, ...]:
    """The diseases asked about on which the store answers this question."""
    record = facts.questions.get(question.name)
    if record is None:
        return ()
    if _named(record, question, facts) is not None:
        return question.conditions
    return _written(record, question)


def _written(record: schema.Question, question: Question) -> Tuple[str, ...]:
    """The diseases asked about on which the question has answers of its own."""
    if "both" in record.answers and question.conditions == CONDITIONS:
        return CONDITIONS
    return tuple(c for c in question.conditions if c in record.answers)


def answer(question: Question, facts: Snapshot) -> Optional[Reply]:
    """The answer to a question, or None where the store has nothing on it."""
    record = facts.questions.get(question.name)
    if record is None:
        return None
    part = _named(record, question, facts)
    specific = part is not None
    unknown = (
        question.topic == "drug" and question.ids("drug") and not any(d in facts.drugs for d in question.ids("drug"))
    )
    if part is None and (unknown or (record.of and question.ids(record.of))):
        return None  # what is true of others is no answer about the one that was named
    if part is None:
        conditions = _written(record, question)
        if not conditions:
            return None
        question = question.about(conditions)
        part = _read_out(record, conditions)
    text, evidence = part
    corrections = _corrections(question, facts)
    if corrections is not None:
        text, evidence = f"{corrections[0]} {text}", corrections[1] + evidence
    rows: Tuple[Comparison, ...] = ()
    if question.conditions == CONDITIONS and not specific and question.name.endswith("/overview"):
        rows = tuple(facts.comparison(question.topic)[:MOST_ROWS])
        evidence += evidence_of(*rows)
    return Reply(
        outcome=Outcome.ANSWERED,
        answer=text,
        topic=question.topic,
        question=record.id,
        conditions=question.conditions,
        terms=tuple(t.id for t in question.terms),
        evidence=evidence,
        comparison=rows,
        buttons=next_buttons(question, facts),
        told=evidence.facts,
    )


def _named(record: schema.Question, question: Question, facts: Snapshot) -> Optional[Part]:
    """The answer about the drug, symptom, test, ... that was named, where the question is about it."""
    if record.of and question.ids(record.of):
        part = named_things.aspect(record.of, record.aspect or "text", question, facts)
        if part is not None or record.aspect == "text":
            return part
        whole = named_things.aspect(record.of, "text", question, facts)
        if whole is None:
            return None
        names = " and ".join(
            named_things.name_of(t, facts) for t in question.terms if t.kind == record.of
        )  # said first: the rest is near what was asked, not an answer to it
        return f"{NOTHING_ON.format(what=title_of(record, question, facts).rstrip('?'), name=names)} {whole[0]}", whole[
            1
        ]
    if record.id.endswith("/overview"):
        return named_things.overview(question, facts)
    return None


def _read_out(record: schema.Question, conditions: Sequence[str]) -> Part:
    if len(conditions) == 1:
        found = record.answers[conditions[0]]
        return found.text, evidence_of(found)
    if "both" in record.answers:
        return record.answers["both"].text, evidence_of(record.answers["both"])
    texts = [f"{c}: {record.answers[c].text}" for c in conditions]
    return "\n".join(texts), evidence_of(*(record.answers[c] for c in conditions))


def with_nearest(reply: Reply, near: Sequence[Tuple[str, float]], least: float, facts: Snapshot) -> Reply:
    """An answer with the one fact behind it that is nearest to the words of the message, where it leaves that out.

    Args:
        near: ids of facts and their cosine, nearest first.
        least: from which cosine on a fact counts as asked for.
    """
    of_what_was_named = (reply.question or "").endswith("/overview")
    if of_what_was_named and not reply.terms:
        return reply  # whole as it stands
    for name, cosine in near:
        fact = facts.facts.get(name)
        if cosine < least:
            break
        if fact is None or fact.condition not in (*reply.conditions, "both"):
            continue
        if fact.question != reply.question and (facts.only_asked(fact) or reply.topic not in fact.topics):
            continue
        # Where something was named, a fact about another such thing is none that was asked for.
        if not set(reply.terms) & set(fact.terms) and (of_what_was_named or (reply.terms and fact.terms)):
            continue
        # Of a fact that the answer was written from, only a figure can be missing.
        if _says_already(reply.answer, fact.statement, 0 if name in reply.evidence.facts else MOSTLY_SAID):
            return reply
        return replace(
            reply,
            answer=f"{reply.answer}\n{fact.statement}",
            evidence=reply.evidence + evidence_of(fact),
            told=tuple(dict.fromkeys([*reply.told, fact.id])),
        )
    return reply


def with_second(reply: Reply, question: Question, facts: Snapshot) -> Reply:
    """An answer with that to a second question in short behind it."""
    second = simpler(question, facts)
    if second is None or second.answer in reply.answer:
        return reply
    return replace(
        reply,
        answer=f"{reply.answer}\n{second.answer}",
        evidence=reply.evidence + second.evidence,
        told=tuple(dict.fromkeys([*reply.told, *second.told])),
    )


def nearer(question: Question, near: Sequence[Tuple[str, float]], least: float, facts: Snapshot) -> Optional[Reply]:
    """The facts on a question's topic that are nearest to some words; None where none is near enough."""
    of_topic = {f.id: f for f in [*facts.facts_under(question.name, question.conditions),
                                  *facts.facts_about(question.topic, question.conditions)]}  # fmt: skip
    found = [of_topic[name] for name, cosine in near if name in of_topic and cosine >= least][:NEAREST_AT_ONCE]
    return _of_facts(question, found, facts) if found else None


def naming(reply: Reply, remedies: Sequence[str], facts: Snapshot) -> Reply:
    """A reply that says first, by its name, what was asked about and has no record."""
    terms = [facts.terms[r] for r in remedies if r in facts.terms]
    missing = [
        t.name for t in terms if not any(_names(reply.answer, n) for n in (t.name, *t.synonyms, *t.abbreviations))
    ]
    if not missing:
        return reply
    return replace(reply, answer=f"{NO_RECORD_OF.format(name=' or '.join(missing[:MOST_NAMED]))} {reply.answer}")


def _names(text: str, name: str) -> bool:
    """Whether a name, or its plural, stands in a text as a word of its own: "FES" is not in "professional"."""
    return re.search(rf"(?<!\w){re.escape(name)}(?:s|es)?(?!\w)", text, re.IGNORECASE) is not None


def _says_already(answer: str, statement: str, mostly: float = MOSTLY_SAID) -> bool:
    """Whether every number of a statement stands in an answer, and so many of its words."""
    said, words = (re.findall(r"[a-z]{4,}|\d[\d.,]*\d|\d", text.lower()) for text in (answer, statement))
    numbers = [w for w in words if w[0].isdigit()]
    return set(numbers) <= set(said) and len(set(words) & set(said)) >= mostly * len(set(words))


def more(question: Question, told: Sequence[str], facts: Snapshot) -> Optional[Reply]:
    """The next few facts on a question, then on its topic; None when all are told."""
    candidates = [
        *facts.facts_under(question.name, question.conditions),
        *(f for t in question.terms for f in facts.facts_naming(t.id)
          if f.condition in (*question.conditions, "both")),
        *facts.facts_about(question.topic, question.conditions),
    ]  # fmt: skip
    fresh = list({f.id: f for f in candidates if f.id not in told}.values())[:MORE_AT_ONCE]
    return _of_facts(question, fresh, facts, told) if fresh else None


def _of_facts(question: Question, found: Sequence[schema.Fact], facts: Snapshot, told: Sequence[str] = ()) -> Reply:
    return Reply(
        outcome=Outcome.ANSWERED,
        answer=" ".join(f.statement for f in found),
        topic=question.topic,
        question=question.id,
        conditions=question.conditions,
        terms=tuple(t.id for t in question.terms),
        evidence=evidence_of(*found),
        buttons=next_buttons(question, facts),
        told=tuple(dict.fromkeys([*told, *(f.id for f in found)])),
    )


def simpler(question: Question, facts: Snapshot) -> Optional[Reply]:
    """The answer in fewer and easier words."""
    full = answer(question, facts)
    if full is None:
        return None
    drugs = [facts.drugs[d] for d in question.ids("drug") if d in facts.drugs]
    record = facts.questions.get(full.question or "")
    if drugs and record is not None and (record.of == "drug" or record.id.endswith("/overview")):
        names = {d.term: named_things.name_of(t, facts) for t in question.terms for d in drugs if d.term == t.id}
        return _retold(full, " ".join(f"{names[d.term]}: {d.purpose}" for d in drugs), evidence_of(*drugs))
    answers = _answers(record, full.conditions)
    if not answers or _named_in(full, question, facts):
        return full
    label = len(answers) > 1
    text = "\n".join(f"{c}: {a.simple or a.text}" if label else a.simple or a.text for c, a in answers)
    return _retold(full, text, evidence_of(*(a for _, a in answers)))


def why(question: Question, facts: Snapshot) -> Optional[Reply]:
    """What lies behind the answer; where the store has nothing on that, what causes the disease."""
    full = answer(question, facts)
    if full is None:
        return None
    reasons = [(c, a) for c, a in _answers(facts.questions.get(full.question or ""), full.conditions) if a.why]
    under = facts.facts_under(question.name, question.conditions)
    if not reasons and under and not question.name.endswith("/overview"):
        fresh = [f for f in under if not _says_already(full.answer, f.statement)]
        told = (fresh or under)[:NEAREST_AT_ONCE]
        return _retold(full, " ".join(f.statement for f in told), evidence_of(*told))
    if not reasons:
        reasons = [
            (c, a) for c, a in _answers(facts.questions.get(f"{question.topic}/overview"), full.conditions) if a.why
        ]
    if reasons:
        text = "\n".join(f"{c}: {a.why}" if len(reasons) > 1 else str(a.why) for c, a in reasons)
        return _retold(full, text, evidence_of(*(a for _, a in reasons)))
    cause = facts.overview("cause", full.conditions)
    return _retold(full, cause.text, evidence_of(cause)) if cause else full


def _answers(record: Optional[schema.Question], conditions: Sequence[str]) -> List[Tuple[str, Answer]]:
    """The answers of a question that are read out for these diseases."""
    if record is None:
        return []
    if len(conditions) > 1 and "both" in record.answers:
        return [("both", record.answers["both"])]
    return [(c, record.answers[c]) for c in conditions if c in record.answers]


def _named_in(reply: Reply, question: Question, facts: Snapshot) -> bool:
    """Whether the reply was about what was named, not read out of the question's own answers."""
    record = facts.questions.get(reply.question or "")
    return record is not None and _named(record, question, facts) is not None


def _retold(full: Reply, text: str, evidence: Evidence) -> Reply:
    return replace(full, answer=text, evidence=evidence, comparison=())


def title_of(record: schema.Question, question: Question, facts: Snapshot) -> str:
    """The question as a button names it."""
    if record.id.endswith("/overview"):
        return title(question.topic, question.conditions)
    first = record.title.startswith("{name}")
    named = [named_things.name_of(t, facts, first) for t in question.terms if t.kind == record.of]
    about, several = it(question.conditions), len(question.conditions) > 1
    whole = record.worded(about, several, " and ".join(named) or "it")
    if len(whole) <= MOST_IN_TITLE:
        return whole
    # "Progressive multifocal leukoencephalopathy (PML)" goes by its letters where it would be too long.
    letters = [found[1] if (found := re.search(r"\(([A-Z0-9-]+)\)$", name)) else name for name in named]
    return record.worded(about, several, " and ".join(letters) or "it")


def button(question: Question, facts: Snapshot) -> Optional[Button]:
    """A button that asks a question; None where the store does not answer it."""
    conditions = CONDITIONS if question.topic in COMPARING else question.conditions
    known = answerable(question.about(conditions), facts)
    record = facts.questions.get(question.name)
    if record is None or not known or not _says_it(record, question.about(known), facts):
        return None
    if record.of and not question.ids(record.of) and "{name}" in record.title:
        return None
    return Button(title_of(record, question.about(known), facts), question.about(known).payload())


def _says_it(record: schema.Question, question: Question, facts: Snapshot) -> bool:
    """Whether what is asked of a named thing stands in its record; if not there is an honest reply, but no button."""
    if not record.of or not question.ids(record.of):
        return True
    return named_things.aspect(record.of, record.aspect or "text", question, facts) is not None


def buttons(questions: Sequence[Question], facts: Snapshot) -> List[Button]:
    return [b for b in (button(q, facts) for q in questions) if b is not None]


def next_buttons(question: Question, facts: Snapshot) -> Tuple[Button, ...]:
    """What people would press next: the other disease first, then what belongs to this question, then its topic."""
    found: List[Button] = []
    record = facts.questions.get(question.name)
    if len(question.conditions) == 1 and question.topic not in COMPARING:
        for condition in (c for c in CONDITIONS if c not in question.conditions):
            keep = tuple(t for t in question.terms if t.kind in ("symptom", "test", "mimic"))
            other = replace(question, conditions=(condition,), terms=keep)
            if len(keep) < len(question.terms):  # what was named belongs to one disease only
                other = replace(other, id=None, topic="treatment" if question.topic == "drug" else question.topic)
            asked = facts.questions.get(other.name)
            if asked is not None and answerable(other, facts) and _says_it(asked, other, facts):
                found.append(Button(f"And in {condition}?", other.payload()))
    following = (
        [Question(n.partition("/")[0], question.conditions, question.terms, id=n) for n in record.next]
        if record
        else []
    )
    if record is not None and (not record.id.endswith("/overview") or question.terms):
        following.append(Question(question.topic, question.conditions))
    following += [Question(topic, question.conditions) for topic in RELATED.get(question.topic, ())]
    if question.conditions != CONDITIONS and question.topic != "difference":
        following.append(Question("difference", CONDITIONS))
    found += buttons([replace(q, terms=_kept(q, facts)) for q in following], facts)
    return first_buttons([b for b in found if b.payload != question.payload()])


def _kept(question: Question, facts: Snapshot) -> Tuple[named_things.Term, ...]:
    """The named things that a question that follows is about too."""
    record = facts.questions.get(question.name)
    return tuple(t for t in question.terms if record is not None and t.kind == record.of)


def _corrections(question: Question, facts: Snapshot) -> Optional[Part]:
    """What is put right when the words of a question assume an outdated claim."""
    assumed = facts.assumed_claims(question.text, question.conditions)
    if not assumed:
        return None
    claim, correcting = assumed[0]
    return claim.correction or "", evidence_of(*correcting)
