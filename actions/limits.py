"""Replies where there is no plain answer: asking back, not covered, other diseases, own cases, alarms, small talk."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from actions import answers, wording
from actions.decision import OWN_SIGNS, asks_for_verdict
from actions.question import Context, Message, Question, Term, implied_conditions
from actions.reply import MOST_BUTTONS, Button, Evidence, Outcome, Reply, evidence_of, first_buttons
from facts.schema import CONDITIONS, Organisation
from facts.store import Snapshot

MEDLINEPLUS = "https://medlineplus.gov/"
#: After this many times of asking what is meant, the way to a person is shown.
MOST_CLARIFICATIONS = 2
#: A plain answer, which about one person would be a verdict.
_YES_NO = re.compile(r"^(?:Yes|No)[,:.] ")


def answered(question: Question, facts: Snapshot) -> Reply:
    """The answer, or honestly none."""
    reply = answers.answer(question, facts)
    return reply if reply is not None else no_fact(question, facts)


def starters(
    facts: Snapshot, conditions: Tuple[str, ...] = CONDITIONS, topics: Sequence[str] = wording.STARTERS
) -> Tuple[Button, ...]:
    """Buttons for topics in general."""
    return first_buttons(answers.buttons([Question(topic, conditions) for topic in topics], facts))


def smalltalk(text: str, context: Context, facts: Snapshot) -> Reply:
    topics = wording.RELATED.get(context.topic or "", wording.STARTERS)
    return Reply(Outcome.SMALLTALK, text, buttons=starters(facts, context.conditions or CONDITIONS, topics))


def _says(text: str, fresh: bool = False) -> Callable[[Message, Context, Snapshot], Reply]:
    def say(message: Message, context: Context, facts: Snapshot) -> Reply:
        return smalltalk(text, Context() if fresh else context, facts)

    return say


def _identity(message: Message, context: Context, facts: Snapshot) -> Reply:
    return smalltalk(wording.IDENTITY.format(review=facts.review_note), context, facts)


def _frightened(message: Message, context: Context, facts: Snapshot) -> Reply:
    about = message.conditions or context.conditions or CONDITIONS
    return Reply(Outcome.SMALLTALK, wording.FRIGHTENED, buttons=starters(facts, about, wording.FOR_THE_FRIGHTENED))


def _forget_me(message: Message, context: Context, facts: Snapshot) -> Reply:
    return replace(smalltalk(wording.FORGET_ME, Context(), facts), forget=True)


# --- asking back --------------------------------------------------------------------------------------


def clarify(
    message: Message, context: Context, facts: Snapshot, questions: Sequence[Question] = (),
    text: str = wording.UNCLEAR,
) -> Reply:  # fmt: skip
    """Asks what is meant, with the likeliest questions as buttons; after some times shows the way to a person."""
    conditions = message.conditions or implied_conditions(message.terms, facts) or context.conditions
    about = tuple(conditions) or CONDITIONS
    if context.clarified >= MOST_CLARIFICATIONS:
        names, evidence = organisations(about, facts)
        return Reply(
            Outcome.CLARIFY, f"{wording.TO_A_PERSON}\n{names}", conditions=tuple(conditions), evidence=evidence,
            buttons=starters(facts, about)[:4],
        )  # fmt: skip
    offered = answers.buttons(questions, facts) or list(starters(facts, about))
    return Reply(Outcome.CLARIFY, text, conditions=tuple(conditions), buttons=first_buttons(offered, 4))


def which_disease(message: Message, context: Context, facts: Snapshot, questions: Sequence[Question] = ()) -> Reply:
    """Asks whether MS or ALS is meant, when a question could be about anything."""
    buttons: List[Button] = []
    for question in questions[:2]:
        for condition in CONDITIONS:
            one = answers.button(question.about([condition]), facts)
            if one is not None:
                buttons.append(
                    Button(one.title if condition in one.title else f"{condition}: {one.title}", one.payload)
                )
    return Reply(Outcome.CLARIFY, wording.WHICH_DISEASE, buttons=first_buttons(buttons or list(starters(facts)), 4))


def ask_which_topic(conditions: Sequence[str], facts: Snapshot) -> Reply:
    about = tuple(conditions)
    text = f"What would you like to know about {wording.it(about)}?"
    return Reply(Outcome.CLARIFY, text, conditions=about, buttons=starters(facts, about)[:4])


def _unknown_button(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(Outcome.CLARIFY, wording.UNKNOWN_BUTTON, buttons=starters(facts)[:4])


# --- no fact ------------------------------------------------------------------------------------------


def organisations(conditions: Sequence[str], facts: Snapshot) -> Tuple[str, Evidence]:
    """Whom to ask instead: their names and addresses."""
    # As many for each disease, in the order of the file, which has the largest countries first.
    listed: Dict[str, Organisation] = {}
    for condition in conditions:
        about = [o for o in facts.organisations if condition in o.conditions]
        listed.update({o.id: o for o in about[: 4 // len(conditions)]})
    return "\n".join(f"{o.name} ({o.country}): {o.url}" for o in listed.values()), evidence_of(*listed.values())


def no_fact(question: Question, facts: Snapshot) -> Reply:
    """Honestly nothing on this, by its name, and what is near."""
    record = facts.questions.get(question.name)
    named = [t for t in question.terms if t.kind in ("drug", "symptom", "test", "mimic", "subtype")]
    if named:
        what = " or ".join(facts.terms[t.id].name for t in named if t.id in facts.terms)
        text = wording.NOTHING_ON_NAMED.format(name=what, it=wording.it(question.conditions))
    elif record is not None:
        text = wording.NO_ANSWER_FOR.format(
            title=answers.title_of(record, question, facts).rstrip("?"), it=wording.it(question.conditions)
        )
    else:
        text = wording.NOT_COVERED.format(it=wording.it(question.conditions))
    near = [replace(question, id=None, terms=()), *(replace(question, conditions=(c,)) for c in CONDITIONS)]
    return _not_covered_about(text, question.conditions, question.topic, near, facts)


def _not_covered(message: Message, context: Context, facts: Snapshot) -> Reply:
    conditions = message.conditions or implied_conditions(message.terms, facts) or context.conditions or CONDITIONS
    near = [Question(topic, tuple(conditions)) for topic in message.likely_topics[:3]]
    text = wording.NOT_COVERED.format(it=wording.it(conditions))
    return _not_covered_about(text, tuple(conditions), None, near, facts)


def _not_covered_about(
    text: str, conditions: Tuple[str, ...], topic: Optional[str], near: Sequence[Question], facts: Snapshot
) -> Reply:
    names, evidence = organisations(conditions, facts)
    buttons = [*answers.buttons(near, facts), *starters(facts, conditions)]
    return Reply(
        Outcome.NOT_COVERED, f"{text} {wording.ASK_THEM}\n{names}", topic=topic, conditions=conditions,
        evidence=evidence, buttons=first_buttons(buttons, 4),
    )  # fmt: skip


def _out_of_scope(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(Outcome.OUT_OF_SCOPE, wording.OUT_OF_SCOPE, buttons=starters(facts)[:4])


def _other_condition(message: Message, context: Context, facts: Snapshot) -> Reply:
    named = [facts.terms[i] for i in message.ids("mimic") if i in facts.terms]
    if not named:
        text = f"{wording.OTHER_CONDITION_UNNAMED} {wording.MEDLINEPLUS.format(url=MEDLINEPLUS)}"
        return Reply(Outcome.OTHER_CONDITION, text, buttons=starters(facts)[:4])
    term = named[0]
    row = facts.mimics.get(term.id)
    text = wording.OTHER_CONDITION.format(name=" or ".join(t.name for t in named[:2]))
    buttons: List[Button] = []
    if row is not None:
        for condition in row.cells:
            question = Question("mimics", (condition,), (Term("mimic", term.id),), id="mimics/differs")
            buttons.append(Button(f"{condition} or {term.name}?", question.payload()))
    text += f" {wording.MEDLINEPLUS.format(url=row.medlineplus if row else MEDLINEPLUS)}"
    return Reply(
        Outcome.OTHER_CONDITION, text, terms=(term.id,),
        buttons=first_buttons([*buttons, *starters(facts)], MOST_BUTTONS - 1),
    )  # fmt: skip


# --- their own case -----------------------------------------------------------------------------------


def personal_advice(message: Message, context: Context, facts: Snapshot, questions: Sequence[Question] = ()) -> Reply:
    """What is generally known first and whole; that nobody here can judge their case is the last sentence."""
    question = questions[0] if questions else None
    named = message.conditions or implied_conditions(message.terms, facts) or context.conditions
    conditions = tuple(named)
    kind = next((t.kind for t in message.terms if t.kind in ("drug", "test", "symptom")), None)
    own_signs = kind == "symptom" or (question is not None and question.topic in OWN_SIGNS)
    own_signs |= asks_for_verdict(message.text.lower())
    if own_signs and kind not in ("drug", "test"):
        # What a sign can mean is not told to someone who has it: that most have neither disease, and where to go.
        general = facts.overview("when_to_see_doctor", conditions or CONDITIONS) if conditions else None
        text, evidence = wording.OWN_SIGNS, Evidence()
        if general is not None:
            text, evidence = f"{text} {general.simple or general.text}", evidence_of(general)
        topic, name, kind = "when_to_see_doctor", None, "symptom"
    else:
        reply = answers.answer(replace(question, text=""), facts) if question is not None and conditions else None
        # A yes or no to what somebody asked for themselves would be a verdict.
        text, evidence = (_YES_NO.sub("In general, ", reply.answer), reply.evidence) if reply else ("", Evidence())
        topic = question.topic if question is not None else "when_to_see_doctor"
        name = reply.question if reply else None
    if question is not None and question.topic in ("drug", "treatment"):
        kind = "drug"
    about = conditions or CONDITIONS
    followed = [Question("when_to_see_doctor", about), *([question] if question is not None else [])]
    return Reply(
        Outcome.PERSONAL_ADVICE,
        " ".join(part for part in (text, wording.PERSONAL_NAMED[kind]) if part),
        topic=topic,
        question=name,
        conditions=conditions,
        terms=tuple(t.id for t in message.terms),
        evidence=evidence,
        told=evidence.facts,
        buttons=first_buttons([*answers.buttons(followed, facts), *starters(facts, about)], 4),
    )


# --- alarms -------------------------------------------------------------------------------------------


def _lines(by_number: Mapping[str, Sequence[str]]) -> str:
    """A line for each number, so that one's own country is found at a glance."""
    return "\n".join(f"{', '.join(countries)}: {number}" for number, countries in by_number.items())


def _by(facts: Snapshot, field: str) -> str:
    found: Dict[str, List[str]] = {}
    for line in facts.helplines:
        if number := getattr(line, field):
            found.setdefault(number, []).append(line.country)
    return _lines(found)


def _emergency(message: Message, context: Context, facts: Snapshot) -> Reply:
    return Reply(
        Outcome.EMERGENCY,
        wording.EMERGENCY.format(numbers=_by(facts, "emergency"), texts=_by(facts, "emergency_text")),
        conditions=message.conditions,
        evidence=evidence_of(*facts.helplines),
    )


#: The rule of `nlu/safety/crisis.yml` for somebody who fears to hurt the person they care for.
CARER_MAY_HARM = "carer_may_harm"


def _crisis(message: Message, context: Context, facts: Snapshot) -> Reply:
    by_line: Dict[str, List[str]] = {}
    for h in facts.helplines:
        by_line.setdefault(f"{h.crisis}{f'. {h.crisis_text}' if h.crisis_text else ''}", []).append(h.country)
    numbers = list(dict.fromkeys(n for h in facts.helplines for n in re.findall(r"\b\d{3}\b", h.emergency)))
    text = wording.CRISIS_CARER if message.alarm_rule == CARER_MAY_HARM else wording.CRISIS
    return Reply(
        Outcome.CRISIS,
        text.format(lines=_lines(by_line), numbers=f"{', '.join(numbers[:-1])} or {numbers[-1]}"),
        conditions=message.conditions,
        evidence=Evidence(sources=tuple(dict.fromkeys(s for h in facts.helplines for s in h.crisis_sources))),
    )


def alarm_reply(outcome: str, facts: Optional[Snapshot], rule: str = "") -> Reply:
    """The reply to a cry for help by itself, whatever else the message was: `crisis` or `emergency`, and its rule."""
    if facts is None:
        return Reply(Outcome(outcome), wording.ALARM_WITHOUT_FACTS[outcome])
    return (_crisis if outcome == "crisis" else _emergency)(Message(alarm_rule=rule), Context(), facts)


SAY: Dict[str, Callable[[Message, Context, Snapshot], Reply]] = {
    "greet": _says(wording.GREETING, fresh=True),
    "start_over": _says(wording.START_OVER, fresh=True),
    "forget_me": _forget_me,
    "deny": _says(wording.OKAY),
    "goodbye": _says(wording.GOODBYE),
    "thank": _says(wording.THANKS),
    "how_are_you": _says(wording.HOW_ARE_YOU),
    "bot_identity": _identity,
    "help": _says(wording.HELP),
    "praise": _says(wording.PRAISE),
    "complaint": _says(wording.COMPLAINT),
    "frightened": _frightened,
    "unknown_button": _unknown_button,
    "not_covered": _not_covered,
    "out_of_scope": _out_of_scope,
    "other_condition": _other_condition,
    "emergency": _emergency,
    "crisis": _crisis,
}
