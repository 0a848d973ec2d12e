"""Turns that lean on the answer before: the other disease, more, simpler, why, its source, are you sure, again."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable, Dict, Optional

from actions import answers, limits, wording
from actions.question import KIND_TOPICS, Context, Message, Question, Term, from_payload, implied_conditions
from actions.reply import Reply
from facts.schema import CONDITIONS
from facts.store import Snapshot

#: Cosine from which on a fact is near to a turn read behind the question before it.
NEAR = 0.45

_OTHER = re.compile(r"\b(?:other|another|second) (?:one|disease|illness|condition)\b|\bthe other\W*$")

Say = Callable[[Message, Context, Snapshot], Reply]


def before(context: Context) -> Optional[Question]:
    """The question answered last."""
    if context.topic is None:
        return None
    return Question(context.topic, context.conditions or CONDITIONS, context.terms, id=context.question)


def what_about(message: Message, context: Context, facts: Snapshot) -> Reply:
    """ "And for ALS?", "what about baclofen": the last question, about something else."""
    conditions = message.conditions or implied_conditions(message.terms, facts)
    named = [t for t in message.terms if t.kind in KIND_TOPICS]
    last = before(context)
    if not conditions and "both" in message.text.lower().split():
        conditions = CONDITIONS
    if named:
        return limits.answered(_asked_of(named[0], message, context, conditions or context.conditions, facts), facts)
    if last is None:
        return limits.ask_which_topic(conditions, facts) if conditions else limits.clarify(message, context, facts)
    if not conditions and not _OTHER.search(message.text.lower()):
        return nearer(message, context, facts)  # "and my thumb" names no other disease
    if not conditions:
        conditions = tuple(c for c in CONDITIONS if c not in last.conditions) or CONDITIONS
    if last.ids("drug", "subtype", "person", "gene") and set(implied_conditions(last.terms, facts)).isdisjoint(
        conditions
    ):
        # A drug or form of the other disease: ask for the topic alone.
        kept = tuple(t for t in last.terms if t.kind in ("symptom", "test", "mimic"))
        last = replace(last, terms=kept, id=None, topic="treatment" if last.topic == "drug" else last.topic)
    asked = last.about(conditions)
    if not answers.answerable(asked, facts) and answers.answerable(replace(asked, id=None), facts):
        # The store answers this for the other disease only: say so, then what is near.
        return limits.no_fact(asked, facts)
    return limits.answered(asked, facts)


def _asked_of(term: Term, message: Message, context: Context, conditions: tuple, facts: Snapshot) -> Question:
    """The last question about the thing now named, where it was about one of its kind."""
    about = tuple(conditions) or CONDITIONS
    last = facts.questions.get(context.question or "")
    if last is not None and last.of == term.kind:
        return Question(last.topic, about, message.terms, message.text, last.id)
    return Question(KIND_TOPICS[term.kind], about, message.terms, message.text)


def _lean(retell: Callable[[Question, Context, Snapshot], Optional[Reply]]) -> Say:
    def say(message: Message, context: Context, facts: Snapshot) -> Reply:
        last = before(context)
        if last is None:
            return limits.clarify(message, context, facts, text=wording.NOTHING_BEFORE)
        if message.conditions:
            last = last.about(message.conditions)
        reply = retell(last, context, facts)
        return reply if reply is not None else limits.no_fact(last, facts)

    return say


def _more(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    reply = answers.more(question, context.told, facts)
    if reply is not None:
        return reply
    again = answers.answer(question, facts)
    return replace(again, answer=wording.NO_MORE, comparison=()) if again else None


def nearer(message: Message, context: Context, facts: Snapshot) -> Reply:
    """ "For how long?": the facts on what was talked about that are nearest to these words, else more on it."""
    last = before(context)
    reply = answers.nearer(last, message.following_facts, NEAR, facts) if last else None
    return reply if reply is not None else SAY["tell_more"](message, context, facts)


def _opened(text: str) -> Callable[[Question, Context, Snapshot], Optional[Reply]]:
    def retell(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
        reply = answers.answer(question, facts)
        return replace(reply, answer=f"{text} {reply.answer}".strip()) if reply else None

    return retell


def which_is_worse(message: Message, context: Context, facts: Snapshot) -> Reply:
    name = "difference/which_worse"
    question = Question("difference", CONDITIONS, (), message.text, name if name in facts.questions else None)
    return limits.answered(question, facts)


def affirm(message: Message, context: Context, facts: Snapshot) -> Reply:
    """A bare "yes": the one thing offered, or more on what was talked about."""
    if len(context.offers) == 1 and context.clarified and (offered := from_payload(context.offers[0])):
        return limits.answered(offered, facts)
    last = before(context)
    if last is not None and not context.clarified and (reply := _more(last, context, facts)) is not None:
        return reply
    return limits.smalltalk(wording.OKAY, context, facts)


SAY: Dict[str, Say] = {
    "what_about": what_about,
    "which_is_worse": which_is_worse,
    "affirm": affirm,
    "nearer": nearer,
    "tell_more": _lean(_more),
    "simpler": _lean(lambda question, context, facts: answers.simpler(question, facts)),
    "why": _lean(lambda question, context, facts: answers.why(question, facts)),
    "source": _lean(_opened(wording.WHERE_FROM)),
    "are_you_sure": _lean(_opened(wording.ARE_YOU_SURE)),
    "repeat": _lean(_opened("")),
}
