"""What to reply to a message, given what was said before: the one way through a turn."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from actions import answers, wording
from actions.question import KIND_TOPICS, Context, Message, Question, Term, implied_conditions, understood
from actions.reply import MOST_BUTTONS, Button, Evidence, Outcome, Reply, evidence_of, first_buttons
from facts.schema import CONDITIONS, TOPICS, Organisation
from facts.store import Snapshot

MEDLINEPLUS = "https://medlineplus.gov/"
#: After this many times of asking what is meant, the way to a person is shown.
MOST_CLARIFICATIONS = 2
#: A topic needs this confidence in a message that names nothing and follows nothing.
NAMELESS = 0.6
#: Topics that can compare MS or ALS with a third disease.
COMPARABLE = ("mimics", "difference", "similarity", "diagnosis", "symptom_check", "what_about", "both_together")


_WHAT_IT_IS = re.compile(r"(what('?s| is| are)?|tell me about|explain|define)\b", re.IGNORECASE)


def respond(message: Message, context: Context, facts: Snapshot) -> Tuple[Reply, Context]:
    """The reply to a message and what to remember of it.

    Raises:
        facts.store.StoreUnavailable: never; whoever takes the snapshot deals with that.
    """
    handler = _HANDLERS.get(message.intent)
    if handler is None:
        handler = _topic if message.intent in TOPICS else _clarify
    if _only_names_a_disease(message):
        # "als": what it is, or the last question about it.
        known = context.topic and message.conditions != context.conditions
        handler = _what_about if known else _definition
    if message.intent == "nlu_fallback" and (named := _asks_what_it_is(message)):
        message, handler = replace(message, intent=KIND_TOPICS[named.kind]), _topic
    if handler is _topic and _out_of_nowhere(message, context):
        handler = _clarify
    reply = handler(message, context, facts)
    return reply, _remember(reply, message, context)


def _asks_what_it_is(message: Message) -> Optional[Term]:
    """The drug, test or form of a disease in "what are oligoclonal bands?"."""
    named = [t for t in message.terms if t.kind in ("drug", "test", "subtype")]
    short = len(message.text.split()) <= 6 and _WHAT_IT_IS.match(message.text.strip())
    return named[0] if short and len(named) == len(message.terms) == 1 else None


def _out_of_nowhere(message: Message, context: Context) -> bool:
    """Nothing of MS or ALS in a message and nothing before it: better ask than answer something else."""
    named = message.terms or message.conditions or context.topic
    return not named and bool(message.likely) and message.likely[0][1] < NAMELESS


def apology(buttons: Sequence[Button] = ()) -> Reply:
    """What is said when the store or the action server is down."""
    return Reply(Outcome.ERROR, wording.ERROR, buttons=tuple(buttons))


def _remember(reply: Reply, message: Message, context: Context) -> Context:
    if message.intent in ("start_over", "forget_me"):
        return Context()
    if reply.outcome is Outcome.CLARIFY:
        # A disease named while asking back is not lost: "als" - "which question?" - "treatment".
        return replace(
            context,
            clarified=context.clarified + 1,
            conditions=reply.conditions or context.conditions,
            offer=reply.buttons[0].payload if len(reply.buttons) == 1 else None,
        )
    if reply.outcome is Outcome.OTHER_CONDITION:
        # "what is lupus" - "how is it different from MS"
        return replace(context, clarified=0, offer=None, topic="mimics" if message.terms else None, terms=message.terms)
    understood_topic = reply.topic in TOPICS and reply.outcome in (Outcome.ANSWERED, Outcome.PERSONAL_ADVICE)
    if not understood_topic:
        return replace(context, clarified=0, offer=None)
    same = reply.topic == context.topic and reply.conditions == context.conditions
    terms = message.terms or (context.terms if message.intent in _LEANING else ())
    return Context(
        topic=reply.topic,
        conditions=reply.conditions,
        terms=tuple(t for t in terms if t.id in reply.terms),
        told=tuple(dict.fromkeys([*(context.told if same else ()), *reply.told])),
    )


def _definition(message: Message, context: Context, facts: Snapshot) -> Reply:
    return _answered(Question("definition", message.conditions), facts)


# --- topics ---------------------------------------------------------------------------------------


def _topic(message: Message, context: Context, facts: Snapshot) -> Reply:
    if len(message.parts) > 1:
        several = _several(message, context, facts)
        if several is not None:
            return several
    third = message.ids("mimic")
    alone = third and not message.conditions and not implied_conditions(message.terms, facts)
    if alone and (message.intent not in COMPARABLE or not context.conditions):
        return _other_condition(message, context, facts)
    before = [t for t in context.terms if t.kind == "mimic"]
    if before and not third and message.intent in ("difference", "similarity") and len(message.conditions) == 1:
        # "what is lupus" - "how is it different from MS"
        return _answered(Question("mimics", message.conditions, tuple(before), message.text), facts)
    return _answered(_question(message, context, facts), facts)


def _question(message: Message, context: Context, facts: Snapshot) -> Question:
    """What is asked; comparing with a third disease is a topic of its own."""
    question = understood(message, context, facts)
    if message.ids("mimic") and question.topic in COMPARABLE:
        named = message.conditions or implied_conditions(message.terms, facts) or context.conditions
        question = replace(question, topic="mimics", conditions=tuple(named) or CONDITIONS)
    return question


def _answered(question: Question, facts: Snapshot) -> Reply:
    drugs = question.ids("drug")
    if question.topic == "drug" and drugs and not any(d in facts.drugs for d in drugs):
        return _no_fact(question, facts)
    reply = answers.answer(question, facts)
    return reply if reply is not None else _no_fact(question, facts)


def _several(message: Message, context: Context, facts: Snapshot) -> Optional[Reply]:
    """Two questions in one message get two answers in one reply."""
    replies: List[Reply] = []
    for part in message.parts:
        if not part.conditions and not part.terms:
            # "Lupus and MS look alike? What differs?": the second asks about what the first named.
            part = replace(part, conditions=message.conditions, terms=message.terms)
        around = replace(context, conditions=message.conditions or context.conditions)
        reply = answers.answer(_question(part, around, facts), facts)
        if reply is not None and reply.topic not in [r.topic for r in replies]:
            replies.append(reply)
    if len(replies) < 2:
        return None
    first = replies[0]
    evidence = Evidence()
    for reply in replies:
        evidence += reply.evidence
    return replace(
        first,
        answer="\n".join(reply.answer for reply in replies),
        conditions=tuple(dict.fromkeys(c for c in CONDITIONS if any(c in r.conditions for r in replies))),
        terms=tuple(dict.fromkeys(t for r in replies for t in r.terms)),
        evidence=evidence,
        comparison=tuple({row.id: row for r in replies for row in r.comparison}.values()),
        topics=tuple(r.topic for r in replies if r.topic),
        told=evidence.facts,
        buttons=first_buttons([b for pair in zip(*(r.buttons for r in replies), strict=False) for b in pair]),
    )


def _only_names_a_disease(message: Message) -> bool:
    return message.names_only and bool(message.conditions) and not message.terms


# --- turns that lean on the one before ------------------------------------------------------------


def _before(context: Context) -> Optional[Question]:
    if context.topic is None:
        return None
    return Question(context.topic, context.conditions or CONDITIONS, context.terms)


def _what_about(message: Message, context: Context, facts: Snapshot) -> Reply:
    conditions = message.conditions or implied_conditions(message.terms, facts)
    named = [t for t in message.terms if t.kind in KIND_TOPICS]
    before = _before(context)
    if not conditions and re.search(r"\bboth\b", message.text.lower()):
        conditions = CONDITIONS
    if named:
        topic = KIND_TOPICS[named[0].kind]
        if topic == "mimics":
            return _topic(replace(message, intent="mimics"), context, facts)
        return _answered(
            Question(topic, tuple(conditions) or context.conditions or CONDITIONS, message.terms, message.text), facts
        )
    if before is None:
        if conditions:
            return _ask_which_topic(tuple(conditions), facts)
        return _clarify(message, context, facts)
    if not conditions:
        conditions = tuple(c for c in CONDITIONS if c not in before.conditions) or CONDITIONS
    kept = before
    if before.ids("drug", "subtype", "person", "gene") and set(implied_conditions(before.terms, facts)).isdisjoint(
        conditions
    ):
        # A drug or form of the other disease: ask for the topic alone.
        kept = replace(before, terms=tuple(t for t in before.terms if t.kind in ("symptom", "test", "mimic")))
        if kept.topic == "drug":
            kept = replace(kept, topic="treatment")
    return _answered(kept.about(conditions), facts)


def _lean(
    retell: Callable[[Question, Context, Snapshot], Optional[Reply]],
) -> Callable[[Message, Context, Snapshot], Reply]:
    def handler(message: Message, context: Context, facts: Snapshot) -> Reply:
        before = _before(context)
        if before is None:
            return _clarify(message, context, facts, wording.NOTHING_BEFORE)
        if message.conditions:
            before = before.about(message.conditions)
        reply = retell(before, context, facts)
        return reply if reply is not None else _no_fact(before, facts)

    return handler


def _more(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    reply = answers.more(question, context.told, facts)
    if reply is not None:
        return reply
    again = answers.answer(question, facts)
    return replace(again, answer=wording.NO_MORE, comparison=()) if again else None


def _simpler(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    return answers.simpler(question, facts)


def _why(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    return answers.why(question, facts)


def _source(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    reply = answers.answer(question, facts)
    return replace(reply, answer=f"{wording.WHERE_FROM} {reply.answer}") if reply else None


def _are_you_sure(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    reply = answers.answer(question, facts)
    return replace(reply, answer=f"{wording.ARE_YOU_SURE} {reply.answer}") if reply else None


def _repeat(question: Question, context: Context, facts: Snapshot) -> Optional[Reply]:
    return answers.answer(question, facts)


def _which_is_worse(message: Message, context: Context, facts: Snapshot) -> Reply:
    return _answered(Question("difference", CONDITIONS, (), message.text), facts)


def _affirm(message: Message, context: Context, facts: Snapshot) -> Reply:
    if context.offer:
        offered = from_payload(context.offer)
        if offered is not None:
            return _answered(offered, facts)
    before = _before(context)
    if before is not None and not context.clarified:
        reply = _more(before, context, facts)
        if reply is not None:
            return reply
    return _smalltalk(wording.OKAY, facts, context)


def from_payload(payload: str) -> Optional[Question]:
    """The question a button of ours stands for."""
    match = re.fullmatch(r"/(\w+)(\{.*\})?", payload, re.DOTALL)
    if not match or match[1] not in TOPICS:
        return None
    values: Dict[str, Sequence[str]] = json.loads(match[2] or "{}")
    conditions = tuple(values.pop("condition", CONDITIONS))
    return Question(match[1], conditions, tuple(Term(k, i) for k, ids in values.items() for i in ids))


# --- where knowledge ends -------------------------------------------------------------------------


def _starters(conditions: Tuple[str, ...] = CONDITIONS, topics: Sequence[str] = wording.STARTERS) -> Tuple[Button, ...]:
    return first_buttons([answers._button(topic, conditions) for topic in topics])


def _smalltalk(text: str, facts: Snapshot, context: Context) -> Reply:
    conditions = context.conditions or CONDITIONS
    topics = wording.RELATED.get(context.topic or "", wording.STARTERS)
    return Reply(Outcome.SMALLTALK, text, buttons=_starters(conditions, topics))


def _says(text: str) -> Callable[[Message, Context, Snapshot], Reply]:
    def handler(message: Message, context: Context, facts: Snapshot) -> Reply:
        fresh = message.intent in ("greet", "start_over", "forget_me")
        return _smalltalk(text, facts, Context() if fresh else context)

    return handler


def _forget_me(message: Message, context: Context, facts: Snapshot) -> Reply:
    reply = _smalltalk(wording.FORGET_ME, facts, Context())
    return replace(reply, details={"forget": True})


def _clarify(message: Message, context: Context, facts: Snapshot, text: str = wording.UNCLEAR) -> Reply:
    conditions = message.conditions or implied_conditions(message.terms, facts) or context.conditions
    if context.clarified >= MOST_CLARIFICATIONS:
        organisations = _organisations(tuple(conditions) or CONDITIONS, facts)
        return Reply(
            Outcome.CLARIFY, f"{wording.TO_A_PERSON}\n{organisations[0]}", conditions=tuple(conditions),
            evidence=organisations[1], buttons=_starters(tuple(conditions) or CONDITIONS)[:4],
        )  # fmt: skip
    topics = message.likely_topics[:3]
    named = [KIND_TOPICS[t.kind] for t in message.terms if t.kind in KIND_TOPICS and t.kind != "mimic"]
    offered = list(dict.fromkeys([*named, *topics])) or list(wording.STARTERS)
    about = tuple(conditions) or CONDITIONS
    buttons = []
    for topic in offered[:4]:
        question = Question(topic, about, tuple(t for t in message.terms if KIND_TOPICS.get(t.kind) == topic))
        named_title = wording.title(topic, about)
        if question.terms:
            names = ", ".join(facts.terms[t.id].name for t in question.terms if t.id in facts.terms)
            named_title = f"{names[:1].upper()}{names[1:]} ({wording.it(about)})"
        buttons.append(Button(named_title, question.payload()))
    unsure = wording.UNCLEAR_TOPIC if message.intent == "nlu_fallback" else text
    return Reply(Outcome.CLARIFY, unsure, topic=None, conditions=tuple(conditions), buttons=first_buttons(buttons, 4))


def _ask_which_topic(conditions: Tuple[str, ...], facts: Snapshot) -> Reply:
    return Reply(
        Outcome.CLARIFY,
        f"What would you like to know about {wording.it(conditions)}?",
        conditions=conditions,
        buttons=_starters(conditions)[:4],
    )


def _organisations(conditions: Tuple[str, ...], facts: Snapshot) -> Tuple[str, Evidence]:
    """Their names; their addresses are among the sources."""
    # As many for each disease, in the order of the file, which has the largest countries first.
    listed: Dict[str, Organisation] = {}
    for condition in conditions:
        about = [o for o in facts.organisations if condition in o.conditions]
        listed.update({o.id: o for o in about[: 4 // len(conditions)]})
    return "\n".join(f"{o.name} ({o.country})" for o in listed.values()), evidence_of(*listed.values())


def _no_fact(question: Question, facts: Snapshot) -> Reply:
    return _not_covered_about(question.conditions, question.topic, facts, [question.topic])


def _not_covered(message: Message, context: Context, facts: Snapshot) -> Reply:
    conditions = message.conditions or implied_conditions(message.terms, facts) or context.conditions or CONDITIONS
    return _not_covered_about(tuple(conditions), None, facts, message.likely_topics)


def _not_covered_about(
    conditions: Tuple[str, ...], topic: Optional[str], facts: Snapshot, near: Sequence[str]
) -> Reply:
    organisations = _organisations(conditions, facts)
    text = f"{wording.NOT_COVERED.format(it=wording.it(conditions))}\n{organisations[0]}"
    offered = [t for t in dict.fromkeys([*near[:3], *wording.STARTERS]) if t != topic]
    return Reply(
        Outcome.NOT_COVERED, text, topic=topic, conditions=conditions, evidence=organisations[1],
        buttons=_starters(conditions, offered)[:4],
    )  # fmt: skip


def _out_of_scope(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(Outcome.OUT_OF_SCOPE, wording.OUT_OF_SCOPE, buttons=_starters()[:4])


def _other_condition(message: Message, context: Context, facts: Snapshot) -> Reply:
    # Every disease has "flares": a word of the topic does not bring MS in, a drug or a form of it does.
    telling = [term for term in message.terms if term.kind != "topic_word"]
    conditions = message.conditions or implied_conditions(telling, facts)
    named = [facts.terms[i] for i in message.ids("mimic") if i in facts.terms]
    if named and conditions:
        return _answered(Question("mimics", tuple(conditions), message.terms, message.text), facts)
    if not named:
        text = f"{wording.OTHER_CONDITION_UNNAMED} {wording.MEDLINEPLUS.format(url=MEDLINEPLUS)}"
        return Reply(Outcome.OTHER_CONDITION, text, buttons=_starters()[:4])
    term = named[0]
    row = facts.mimics.get(term.id)
    text = wording.OTHER_CONDITION.format(name=term.name)
    buttons: List[Button] = []
    evidence = Evidence()
    if row is not None:
        evidence = evidence_of(row)
        for condition, cell in row.cells.items():
            text += f" How it differs from {condition}: {cell.text}"
            question = Question("mimics", (condition,), (Term("mimic", term.id),))
            buttons.append(Button(f"{condition} or {term.name}?", question.payload()))
    text += f" {wording.MEDLINEPLUS.format(url=row.medlineplus if row else MEDLINEPLUS)}"
    return Reply(
        Outcome.OTHER_CONDITION, text, terms=(term.id,), evidence=evidence,
        buttons=first_buttons([*buttons, *_starters()], MOST_BUTTONS - 1),
    )  # fmt: skip


def _personal_advice(message: Message, context: Context, facts: Snapshot) -> Reply:
    named = message.conditions or implied_conditions(message.terms, facts) or context.conditions
    if message.ids("mimic") and not named and not message.ids("symptom", "drug", "test"):
        return _other_condition(message, context, facts)
    kind = next((t.kind for t in message.terms if t.kind in ("drug", "test", "symptom")), None)
    topics = [KIND_TOPICS[kind]] if kind else message.likely_topics[:1]
    topic = topics[0] if topics else "when_to_see_doctor"
    conditions = tuple(message.conditions or implied_conditions(message.terms, facts) or context.conditions)
    question = Question(topic, conditions or CONDITIONS, message.terms)
    if kind == "symptom" or (kind is None and topic in ("symptom_check", "early_signs", "symptoms", "diagnosis")):
        # Their own signs: what such signs mean in general, and that most causes are neither disease.
        general = facts.answer("when_to_see_doctor", question.conditions)
    else:
        general = None
    body = answers.answer(replace(question, text=""), facts) if general is None else None
    advice = wording.PERSONAL_NAMED[kind]
    if general is not None:
        text, evidence = general.text, evidence_of(general)
    elif body is not None:
        text, evidence = body.answer, body.evidence
    else:
        text, evidence = "", Evidence()
    return Reply(
        Outcome.PERSONAL_ADVICE,
        f"{wording.PERSONAL} {text} {advice}".replace("  ", " "),
        topic=topic,
        conditions=conditions,
        terms=tuple(t.id for t in message.terms),
        evidence=evidence,
        buttons=first_buttons(
            [
                answers._button("when_to_see_doctor", question.conditions),
                answers._button(topic, question.conditions),
                *answers.next_buttons(question, facts),
            ],
            4,
        ),
    )


def _numbers(facts: Snapshot) -> str:
    by_number: Dict[str, List[str]] = {}
    for line in facts.helplines:
        by_number.setdefault(line.emergency, []).append(line.country)
    return _lines(by_number)


def _lines(by_number: Mapping[str, Sequence[str]]) -> str:
    """A line for each number, so that one's own country is found at a glance."""
    return "\n".join(f"{', '.join(countries)}: {number}" for number, countries in by_number.items())


def _emergency(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(
        Outcome.EMERGENCY,
        wording.EMERGENCY.format(numbers=_numbers(facts)),
        conditions=message.conditions,
        evidence=evidence_of(*facts.helplines),
    )


def _crisis(message: Message, context: Context, facts: Snapshot) -> Reply:
    by_line: Dict[str, List[str]] = {}
    for line in facts.helplines:
        by_line.setdefault(line.crisis, []).append(line.country)
    return Reply(
        Outcome.CRISIS,
        wording.CRISIS.format(lines=_lines(by_line), numbers="112, 911 or 999"),
        conditions=message.conditions,
        evidence=Evidence(sources=tuple(dict.fromkeys(s for line in facts.helplines for s in line.crisis_sources))),
    )


_LEANING = ("tell_more", "simpler", "why", "source", "are_you_sure", "repeat", "what_about", "affirm")

_HANDLERS: Dict[str, Callable[[Message, Context, Snapshot], Reply]] = {
    "what_about": _what_about,
    "tell_more": _lean(_more),
    "simpler": _lean(_simpler),
    "why": _lean(_why),
    "source": _lean(_source),
    "are_you_sure": _lean(_are_you_sure),
    "repeat": _lean(_repeat),
    "which_is_worse": _which_is_worse,
    "affirm": _affirm,
    "deny": _says(wording.OKAY),
    "start_over": _says(wording.START_OVER),
    "forget_me": _forget_me,
    "greet": _says(wording.GREETING),
    "goodbye": _says(wording.GOODBYE),
    "thank": _says(wording.THANKS),
    "how_are_you": _says(wording.HOW_ARE_YOU),
    "bot_identity": _says(wording.IDENTITY),
    "help": _says(wording.HELP),
    "praise": _says(wording.PRAISE),
    "complaint": _says(wording.COMPLAINT),
    "frightened": _says(wording.FRIGHTENED),
    "unclear": _clarify,
    "nlu_fallback": _clarify,
    "not_covered": _not_covered,
    "out_of_scope": _out_of_scope,
    "other_condition": _other_condition,
    "personal_advice": _personal_advice,
    "emergency": _emergency,
    "crisis": _crisis,
}

#: Every intent the dialogue has a reply for.
INTENTS = (*TOPICS, *(name for name in _HANDLERS if name != "nlu_fallback"))
