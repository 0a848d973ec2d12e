"""Where knowledge ends: what is not known, not ours to judge, or cannot wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from actions import dialogue, limits, wording
from actions.decision import SMALLTALK
from facts.schema import TOPICS
from facts.store import Snapshot
from nlu.alarm import rules

#: Telling a person what they have, or that they are fine.
VERDICT = re.compile(
    r"\byou (?:probably |likely |certainly |clearly |may |might |could )?(?:don't |do not )?have "
    r"(?:MS|ALS|it|this|multiple|amyotrophic)\b|\byou are (?:fine|healthy|ill|sick)\b|\bnothing to worry\b",
    re.IGNORECASE,
)
DOSE = re.compile(r"\b(?:take|increase|lower|raise|double|skip) (?:your|the|a) (?:dose|tablet|pill)\b", re.IGNORECASE)
PERSON_TO_ASK = re.compile(r"\b(?:doctor|nurse|neurologist|pharmacist|care team|MS or ALS team)\b")
SIGNS = ("symptom_check", "early_signs", "symptoms", "mimics", "vision_senses", "mobility", "pain_fatigue",
         "bladder_bowel", "when_to_see_doctor")  # fmt: skip
ABOUT_BOTH = ("difference", "similarity", "both_together")


def ends_by_not_judging(reply: Any) -> bool:
    """Whether it closes with the sentences that nobody here can judge, and does not open with them."""
    closing = [c for c in wording.PERSONAL_NAMED.values() if reply["answer"].endswith(c)]
    return len(closing) == 1 and "I can't judge" in closing[0]


# --- their own case -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("topic", "about"), product(TOPICS, ("MS", "ALS", "MS ALS", "")))
def test_a_question_about_ones_own_case_gets_no_verdict_and_someone_to_ask(topic: str, about: str, talk: Any) -> None:
    asked = {"personal_advice": 0.7, f"{topic}/overview": 0.3}
    reply = talk.say(asked, "what should i do about my own case", about)
    assert reply["outcome"] == "personal_advice"
    assert not VERDICT.search(reply["answer"])
    assert not DOSE.search(reply["answer"])
    assert ends_by_not_judging(reply)
    assert PERSON_TO_ASK.search(reply["answer"])
    assert set(reply["conditions"]) <= {"MS", "ALS"}
    assert 1 <= len(reply.buttons) <= 5
    assert talk.press(reply.offered[0])["outcome"] == "answered"


@pytest.mark.parametrize("condition", ["MS", "ALS"])
@pytest.mark.parametrize("topic", [t for t in TOPICS if t not in (*SIGNS, *ABOUT_BOTH)])
def test_what_is_generally_known_comes_first_and_whole(topic: str, condition: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say({"personal_advice": 0.6, f"{topic}/overview": 0.4}, "do i have to do it, in my case", condition)
    known = facts.overview(topic, reply["conditions"])
    assert known is not None
    assert reply["outcome"] == "personal_advice"
    # A yes or no to what somebody asked for themselves would be a verdict.
    assert reply["answer"].startswith(re.sub("^(Yes|No)[,:.] ", "In general, ", known.text))
    assert not reply["answer"].startswith("I can't judge")
    assert set(known.facts) <= set(reply["facts"])
    assert reply["sources"]
    assert reply["reviewed"]


def test_a_question_within_is_answered_and_not_its_topic_in_general(talk: Any, facts: Snapshot) -> None:
    asked = {"personal_advice": 0.6, "drug/stopping": 0.4}
    reply = talk.say(asked, "should i stop taking my riluzole", drug="riluzole")
    assert facts.drugs["riluzole"].stopping in reply["answer"]
    assert (reply["topic"], reply["conditions"], reply["terms"]) == ("drug", ["ALS"], ["riluzole"])
    assert "don't start, stop or change" in reply["answer"].rpartition("I can't judge")[2]


@pytest.mark.parametrize("about", ["MS", "ALS", ""])
def test_ones_own_sign_is_not_explained_as_the_disease(
    about: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    """Somebody who has a sign is told where to go, and not that MS or ALS causes it."""
    for row in facts.symptoms.values():
        name = facts.terms[row.term].name
        asked = {"personal_advice": 0.6, "symptom_check/does_it_cause": 0.4}
        reply = new_talk().say(asked, f"my {name}, do i have it", about, symptom=row.term)
        assert reply["outcome"] == "personal_advice", row.term
        assert ends_by_not_judging(reply), row.term
        assert "emergency number" in reply["answer"], row.term
        assert "neither MS nor ALS" in reply["answer"], row.term
        for cell in row.cells.values():
            assert cell.text not in reply["answer"], row.term


@pytest.mark.parametrize("kind", ["drug", "test", "subtype", "gene"])
def test_a_question_about_ones_own(kind: str, new_talk: Callable[[], Any], facts: Snapshot) -> None:
    """Drug, test, form, gene: whichever is named."""
    for term in [t for t in facts.terms.values() if t.kind == kind]:
        for about in ("MS", "ALS", ""):
            asked = {"personal_advice": 0.9, "drug/stopping": 0.05}
            reply = new_talk().say(asked, f"my {term.name}, should i stop it?", about, **{kind: term.id})
            assert reply["outcome"] == "personal_advice", term.id
            assert not VERDICT.search(reply["answer"]), (term.id, reply["answer"])
            assert not DOSE.search(reply["answer"]), (term.id, reply["answer"])
            assert ends_by_not_judging(reply), term.id


def test_a_general_question_worded_with_i_is_answered(talk: Any) -> None:
    asked = {"lifestyle/overview": 0.8, "personal_advice": 0.1}
    assert talk.say(asked, "can i still eat cheese with ms", "MS")["outcome"] == "answered"


def test_a_general_question_after_a_personal_one_is_answered(talk: Any) -> None:
    asked = {"personal_advice": 0.7, "symptom_check/does_it_cause": 0.3}
    talk.say(asked, "i have tingling, do i have ms", "MS", symptom="tingling")
    reply = talk.say("early_signs/overview", "what are the first signs", following="early_signs/overview")
    assert (reply["outcome"], reply["conditions"]) == ("answered", ["MS"])


# --- what cannot wait ---------------------------------------------------------------------------------


def alarm(talk: Any, outcome: str, about: str = "") -> Any:
    return talk.say("unclear", "help", about, more={"alarm": {"outcome": outcome}})


@pytest.mark.parametrize("about", ["", "MS", "ALS"])
def test_an_emergency_names_every_number_and_every_way_to_write(about: str, talk: Any, facts: Snapshot) -> None:
    reply = alarm(talk, "emergency", about)
    assert (reply["outcome"], reply["conditions"]) == ("emergency", about.split())
    for line in facts.helplines:
        assert line.emergency in reply["answer"], line.country
        assert not line.emergency_text or line.emergency_text in reply["answer"], line.country
        assert line.country in reply["answer"], line.country
    shown = {source["url"] for source in reply["sources"]}
    assert shown <= {facts.sources[s].url for line in facts.helplines for s in line.sources}
    assert shown


def test_an_emergency_with_als_says_to_tell_the_crew_about_oxygen(talk: Any) -> None:
    answer = alarm(talk, "emergency", "ALS")["answer"]
    assert "oxygen" in answer
    assert "ALS" in answer


@pytest.mark.parametrize("about", ["", "MS", "ALS"])
def test_a_crisis_names_every_line_and_every_emergency_number(about: str, talk: Any, facts: Snapshot) -> None:
    reply = alarm(talk, "crisis", about)
    assert (reply["outcome"], reply["conditions"]) == ("crisis", about.split())
    last = reply["answer"].rpartition("emergency number")[2]
    for line in facts.helplines:
        assert line.crisis in reply["answer"], line.country
        assert not line.crisis_text or line.crisis_text in reply["answer"], line.country
        for number in re.findall(r"\b\d{3}\b", line.emergency):
            assert number in last, f"{number} of {line.country} is missing where it says to call"
    shown = {source["url"] for source in reply["sources"]}
    assert shown <= {facts.sources[s].url for line in facts.helplines for s in line.crisis_sources}
    assert shown


@pytest.mark.parametrize("outcome", ["crisis", "emergency"])
def test_an_alarm_is_one_text_without_gaps(outcome: str, talk: Any) -> None:
    """A channel would cut it at a blank line; an empty list of numbers would leave one."""
    answer = alarm(talk, outcome)["answer"]
    assert "\n\n" not in answer
    assert [line for line in answer.split("\n") if not line.strip() or line.strip() in (":", ".")] == []
    assert "None" not in answer


@pytest.mark.parametrize("outcome", ["crisis", "emergency"])
def test_an_alarm_is_answered_even_without_the_store(outcome: str) -> None:
    reply = dialogue.alarm_reply(outcome, None)
    assert reply.outcome.value == outcome
    for number in ("112", "999", "911"):
        assert number in reply.answer


@pytest.mark.parametrize("outcome", ["crisis", "emergency"])
def test_a_channel_says_the_same_when_it_turns_a_message_away(outcome: str, talk: Any, facts: Snapshot) -> None:
    assert dialogue.alarm_reply(outcome, facts).answer == alarm(talk, outcome)["answer"]


def test_a_crisis_is_met_with_warmth_and_the_chat_stays_open(talk: Any) -> None:
    talk.say("fatality/overview", "do people die of als", "ALS")
    assert "not have to go through this alone" in alarm(talk, "crisis")["answer"].replace("don't", "not")
    assert talk.say("support/overview", "who can help", following="support/overview")["outcome"] == "answered"


def test_a_carer_who_fears_to_hurt_somebody_is_told_to_step_out_and_call(talk: Any, facts: Snapshot) -> None:
    assert limits.CARER_MAY_HARM in {rule.name for rule in rules().rules}
    reply = talk.say("greet", "x", more={"alarm": {"outcome": "crisis", "rule": limits.CARER_MAY_HARM}})
    assert reply["outcome"] == "crisis"
    assert "step out of the room" in reply["answer"]
    assert all(line.crisis in reply["answer"] for line in facts.helplines)
    assert dialogue.alarm_reply("crisis", facts, limits.CARER_MAY_HARM).answer == reply["answer"]
    assert "step out" not in alarm(talk, "crisis")["answer"]


@pytest.mark.parametrize("outcome", ["crisis", "emergency"])
def test_an_alarm_gives_no_figures_and_no_facts(outcome: str, talk: Any) -> None:
    assert alarm(talk, outcome, "ALS")["facts"] == []


# --- not known, not ours ------------------------------------------------------------------------------


@pytest.mark.parametrize("about", ["MS", "ALS", ""])
def test_what_the_store_does_not_hold_is_said_with_whom_to_ask(about: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say("not_covered", "what does it cost", about)
    assert reply["outcome"] == "not_covered"
    assert reply["conditions"] == (about.split() or ["MS", "ALS"])
    conditions = set(reply["conditions"])
    known = [o for o in facts.organisations if o.name in reply["answer"]]
    assert known
    shown = [reply["answer"], *(source["url"] for source in reply["sources"])]
    assert [o.url for o in known if not any(o.url.rstrip("/") in text for text in shown)] == [], "no address to go to"
    assert all(conditions & set(o.conditions) for o in known)
    if len(conditions) == 2:
        assert {c for o in known for c in o.conditions} == conditions
    assert 1 <= len(reply.buttons) <= 5
    assert talk.press(reply.offered[0])["outcome"] == "answered"


def test_a_question_without_an_answer_for_this_disease_is_named(talk: Any, facts: Snapshot) -> None:
    one = next(q for q in facts.questions.values() if set(q.answers) == {"ALS"} and not q.of and "{" not in q.title)
    reply = talk.say(one.id, "the same of ms", "MS")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("not_covered", one.topic, ["MS"])
    assert one.title.rstrip("?") in reply["answer"]


def test_what_is_about_something_else_is_turned_away_with_a_way_on(talk: Any) -> None:
    reply = talk.say("out_of_scope", "will it rain tomorrow")
    assert (reply["outcome"], reply["topic"], reply["conditions"], reply["facts"]) == ("out_of_scope", None, [], [])
    assert talk.press(reply.offered[0])["outcome"] == "answered"


@pytest.mark.parametrize("intent", SMALLTALK)
def test_small_talk_has_words_of_its_own_and_a_way_on(intent: str, new_talk: Callable[[], Any]) -> None:
    reply = new_talk().say(intent, "please forget me" if intent == "forget_me" else "hello")
    assert (reply["outcome"], reply["topic"], reply["conditions"], reply["facts"]) == ("smalltalk", None, [], [])
    assert reply["answer"]
    assert 1 <= len(reply.buttons) <= 5
    assert new_talk().press(reply.offered[0])["outcome"] == "answered"
    others = {new_talk().say(o, "hello")["answer"] for o in SMALLTALK if o not in (intent, "forget_me")}
    assert reply["answer"] not in others


def test_it_says_what_it_is(talk: Any) -> None:
    answer = talk.say("bot_identity", "are you a doctor")["answer"]
    assert "not a doctor" in answer
    assert "program" in answer


def test_another_language_is_answered_apart(talk: Any) -> None:
    reply = talk.say("definition/overview", "was ist als", "ALS", more={"language": "de"})
    assert reply["outcome"] == "other_language"
    assert reply["answer"]
    assert reply["facts"] == []


# --- asking back --------------------------------------------------------------------------------------


def test_after_asking_twice_the_way_to_a_person_is_shown(talk: Any, facts: Snapshot) -> None:
    asked = {"unclear": 0.5, "cure/overview": 0.1, "treatment/overview": 0.1}
    replies = [talk.say(asked, "hm, als and something or other, you know?", "ALS") for _ in range(4)]
    assert [r["outcome"] for r in replies] == ["clarify"] * 4
    names = [o.name for o in facts.organisations]
    assert [any(name in r["answer"] for name in names) for r in replies] == [False, False, True, True]
    assert "doctor or nurse" in replies[2]["answer"]
    assert replies[2].buttons


def test_an_answer_in_between_starts_the_count_afresh(talk: Any) -> None:
    for _ in range(2):
        talk.say("unclear", "hm, als and something or other, you know?", "ALS")
        talk.say("unclear", "hm, als and something or other, you know?", "ALS")
        talk.say("cure/overview", "is there a cure for als", "ALS")
    assert "organisations" not in talk.say("unclear", "hm, als and something or other?", "ALS")["answer"]


@pytest.mark.parametrize("intent", ["brand_new_intent", "nlu_fallback"])
def test_an_intent_nobody_wrote_a_reply_for_is_asked_back_or_turned_away(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "hello")
    assert reply["outcome"] in ("clarify", "out_of_scope")
    assert reply.buttons


def test_what_a_named_test_is_needs_no_asking_back(talk: Any) -> None:
    asked = {"diagnosis/overview": 0.06, "drug/overview": 0.05}
    reply = talk.say(asked, "an mri in ms", "MS", test="mri")
    assert (reply["outcome"], reply["topic"], reply["terms"]) == ("answered", "diagnosis", ["mri"])
    assert "mri" in reply["answer"].lower()


def test_who_asks_whether_they_have_it_is_not_spoken_to_as_if_they_had(talk: Any) -> None:
    asked = {"personal_advice": 0.6, "support/newly_diagnosed": 0.4}
    reply = talk.say(asked, "my scan is odd, have i got ms?", "MS")
    assert reply["answer"].startswith("Most things that feel like this are neither MS nor ALS")
    assert "told you have" not in reply["answer"]
    assert ends_by_not_judging(reply)
