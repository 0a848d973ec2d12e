"""A turn: what is decided about a message is said, and what was talked about is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Optional, Sequence, Tuple

from actions import answers, follow_ups, languages, limits, wording
from actions.decision import DEFAULT, FOLLOWS, Decision, Thresholds, decide
from actions.question import Context, Message, Question
from actions.reply import Button, Evidence, Outcome, Reply, first_buttons
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot

#: What is said without a question of the store: small talk, limits, and what leans on the answer before.
SAY: Dict[str, Callable[[Message, Context, Snapshot], Reply]] = {
    **limits.SAY, **follow_ups.SAY, "other_language": languages.other_language,
}  # fmt: skip
_LEANING = tuple(follow_ups.SAY)
#: Facts remembered as told; the largest topic has fewer.
MOST_TOLD = 300
#: Intents that start afresh.
_FRESH = ("start_over", "forget_me")


def respond(
    message: Message, context: Context, facts: Snapshot, thresholds: Thresholds = DEFAULT
) -> Tuple[Reply, Context, Decision]:
    """The reply to a message, what to remember of it, and why it was that reply."""
    decision = decide(message, context, facts, thresholds)
    reply = _say(decision, message, context, facts, thresholds)
    if reply.outcome in (Outcome.ANSWERED, Outcome.PERSONAL_ADVICE, Outcome.NOT_COVERED):
        reply = answers.naming(reply, message.ids("remedy"), facts)
    return reply, _asked(_remember(decision, reply, message, context), context, facts), decision


def _asked(now: Context, before: Context, facts: Snapshot) -> Context:
    """The context with its question in words."""
    if now.topic is None or (now.question == before.question and now.conditions == before.conditions):
        return now
    question = Question(now.topic, now.conditions or CONDITIONS, now.terms, id=now.question)
    record = facts.questions.get(question.name)
    return replace(now, asked=answers.title_of(record, question, facts) if record else "")


def apology(buttons: Sequence[Button] = ()) -> Reply:
    """What is said when the store or the action server is down."""
    return Reply(Outcome.ERROR, wording.ERROR, buttons=tuple(buttons))


#: For channels: said before a limit turns such a message away.
alarm_reply = limits.alarm_reply


def _say(decision: Decision, message: Message, context: Context, facts: Snapshot, thresholds: Thresholds) -> Reply:
    questions = decision.questions
    if decision.say == "answer":
        if len(questions) > 1:
            return _several(questions, facts)
        reply = limits.answered(questions[0], facts)
        if reply.outcome is not Outcome.ANSWERED or message.pressed:
            return reply
        if decision.also is not None:
            reply = answers.with_second(reply, decision.also, facts)
        near = message.following_facts if decision.reason == FOLLOWS else message.facts
        return answers.with_nearest(reply, near, thresholds.nearest_fact, facts)
    if decision.say == "no_fact":
        return limits.no_fact(questions[0], facts)
    if decision.say == "personal_advice":
        return limits.personal_advice(message, context, facts, questions)
    if decision.say == "which_disease":
        return limits.which_disease(message, context, facts, questions)
    if decision.say == "clarify":
        return limits.clarify(message, context, facts, questions)
    return languages.alarm(message, SAY[decision.say](message, context, facts))


def _several(questions: Sequence[Question], facts: Snapshot) -> Reply:
    """Each of several questions of one message is answered, in its order."""
    replies = [r for r in (answers.answer(q, facts) for q in questions) if r is not None]
    distinct = list({r.answer: r for r in replies}.values())
    if len(distinct) < 2:
        return distinct[0] if distinct else limits.no_fact(questions[0], facts)
    evidence = Evidence()
    for reply in distinct:
        evidence += reply.evidence
    return replace(
        distinct[0],
        answer="\n".join(r.answer for r in distinct),
        conditions=tuple(c for c in CONDITIONS if any(c in r.conditions for r in distinct)),
        terms=tuple(dict.fromkeys(t for r in distinct for t in r.terms)),
        evidence=evidence,
        comparison=tuple({row.id: row for r in distinct for row in r.comparison}.values()),
        topics=tuple(r.topic for r in distinct if r.topic),
        questions=tuple(r.question for r in distinct if r.question),
        told=evidence.facts,
        buttons=first_buttons([b for pair in zip(*(r.buttons for r in distinct), strict=False) for b in pair]),
    )


def _remember(decision: Decision, reply: Reply, message: Message, context: Context) -> Context:
    if decision.say in _FRESH:
        return Context()
    offers = tuple(b.payload for b in reply.buttons)
    if reply.outcome is Outcome.CLARIFY:
        if decision.say == "which_disease" and decision.questions:
            # "What is spasticity" - "MS or ALS?" - "ms", or "what sets it off"
            first = decision.questions[0]
            return Context(
                first.topic, first.name, conditions=CONDITIONS, terms=first.terms, offers=offers,
                clarified=context.clarified + 1,
            )  # fmt: skip
        # A disease named while asking back is not lost: "als" - "which question?" - "treatment".
        return replace(
            context, clarified=context.clarified + 1, conditions=reply.conditions or context.conditions, offers=offers
        )
    if reply.outcome is Outcome.OTHER_CONDITION:
        # "what is lupus" - "how is it different from MS"
        topic = "mimics" if message.terms else None
        return replace(context, clarified=0, offers=offers, topic=topic, question=None, terms=message.terms)
    if reply.topic not in TOPICS or reply.outcome not in (Outcome.ANSWERED, Outcome.PERSONAL_ADVICE):
        # Small talk, nonsense, an alarm: what was talked about before is still there afterwards, and who has what.
        told = message.conditions if decision.say == "frightened" else ()
        return replace(context, clarified=0, offers=offers, conditions=told or context.conditions)
    same = reply.topic == context.topic and reply.conditions == context.conditions
    asked: Optional[Question] = decision.questions[0] if decision.questions else None
    terms = asked.terms if asked else message.terms or (context.terms if decision.say in _LEANING else ())
    # "What dose of baclofen do I need" names no disease; "and if I stop it?" is about the drug all the same.
    meant = reply.conditions or context.conditions or (CONDITIONS if terms else ())
    return Context(
        topic=reply.topic,
        question=reply.question or (context.question if decision.say in _LEANING else None),
        conditions=meant,
        terms=tuple(t for t in terms if t.id in reply.terms),
        told=tuple(dict.fromkeys([*(context.told if same else ()), *reply.told]))[-MOST_TOLD:],
        offers=offers,
    )


#: Every intent there is a reply for.
INTENTS = (*TOPICS, *(name for name in SAY if name not in ("unknown_button", "other_language", "nearer")), "unclear",
           "personal_advice")  # fmt: skip
