"""Turns that lean on the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actions import answers, wording
from actions.question import Context, Message, Question, Term
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot

SCOPES = {"MS": ["MS"], "ALS": ["ALS"], "both": ["MS", "ALS"]}
ABOUT_BOTH = ("difference", "similarity", "both_together")
RETOLD = ("tell_more", "simpler", "why", "source", "are_you_sure", "repeat")


# --- "and for ALS?" -----------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["diagnosis/overview", "diagnosis/one_test", "cure/overview"])
def test_what_about_the_other_disease_asks_the_same_of_it(asked: str, talk: Any, facts: Snapshot) -> None:
    talk.say(asked, "a question on ms", "MS")
    reply = talk.say("what_about", "what about als", "ALS")
    assert (reply["outcome"], reply["question"], reply["conditions"]) == ("answered", asked, ["ALS"])
    assert reply["answer"] == facts.questions[asked].answers["ALS"].text


def test_what_about_the_other_one_unnamed_takes_the_other_disease(talk: Any) -> None:
    talk.say("cure/overview", "is there a cure for als", "ALS")
    reply = talk.say("what_about", "and for the other one?")
    assert (reply["topic"], reply["conditions"]) == ("cure", ["MS"])


def test_what_about_both_takes_both(talk: Any) -> None:
    talk.say("cure/overview", "is there a cure for als", "ALS")
    assert talk.say("what_about", "and for both ?")["conditions"] == ["MS", "ALS"]


def test_the_name_of_the_other_disease_alone_asks_the_same_of_it(talk: Any) -> None:
    talk.say("prognosis/overview", "how long do people live with ms", "MS")
    reply = talk.say("definition/overview", "and als?", "ALS", more={"names_only": True})
    assert (reply["topic"], reply["conditions"]) == ("prognosis", ["ALS"])


def test_the_question_once_more_with_the_other_name_asks_it_of_that(talk: Any) -> None:
    talk.say("diagnosis/one_test", "is there one test for ms", "MS")
    reply = talk.say({"diagnosis/overview": 0.4}, "is there one for als", "ALS", following="diagnosis/one_test")
    assert (reply["question"], reply["conditions"]) == ("diagnosis/one_test", ["ALS"])


def test_what_is_only_known_of_one_disease_is_said_of_the_other_not_to_be_known(talk: Any, facts: Snapshot) -> None:
    one = next(q for q in facts.questions.values() if set(q.answers) == {"ALS"} and not q.of and q.topic == "prognosis")
    talk.say(one.id, "a question on als", "ALS")
    reply = talk.say("what_about", "and for ms?", "MS")
    assert reply["outcome"] == "not_covered"
    assert "MS" in reply["answer"]
    assert talk.press(reply.offered[0])["outcome"] == "answered"


def test_what_about_the_other_disease_keeps_the_symptom(talk: Any, facts: Snapshot) -> None:
    talk.say("symptom_check/does_it_cause", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say("what_about", "and ms?", "MS")
    assert (reply["topic"], reply["terms"]) == ("symptom_check", ["tingling"])
    assert reply["answer"] == facts.symptoms["tingling"].cells["MS"].text


def test_what_about_another_symptom_keeps_the_disease_and_the_question(talk: Any, facts: Snapshot) -> None:
    talk.say("symptom_check/does_it_cause", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say("what_about", "and tremor?", symptom="tremor")
    assert (reply["question"], reply["conditions"]) == ("symptom_check/does_it_cause", ["ALS"])
    assert reply["answer"] == facts.symptoms["tremor"].cells["ALS"].text


def test_what_about_another_drug_asks_the_same_of_that(talk: Any, facts: Snapshot) -> None:
    talk.say("drug/side_effects", "side effects of riluzole", drug="riluzole")
    reply = talk.say("what_about", "and edaravone?", drug="edaravone")
    assert (reply["question"], reply["terms"]) == ("drug/side_effects", ["edaravone"])
    assert facts.drugs["edaravone"].side_effects in reply["answer"]


def test_what_about_the_other_disease_after_a_drug_asks_for_its_treatment(talk: Any) -> None:
    talk.say("drug/what_is", "what is riluzole", drug="riluzole")
    reply = talk.say("what_about", "and for ms?", "MS")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "treatment", ["MS"])
    assert reply["terms"] == []


def test_what_about_a_third_disease_tells_it_apart(talk: Any, facts: Snapshot) -> None:
    talk.say("diagnosis/overview", "how is ms diagnosed", "MS")
    reply = talk.say("what_about", "and lupus?", mimic="lupus")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "mimics", ["MS"])
    assert facts.mimics["lupus"].cells["MS"].text in reply["answer"]


def test_a_short_question_about_the_drug_talked_about_is_about_that_drug(talk: Any, facts: Snapshot) -> None:
    talk.say("drug/what_is", "what is riluzole", drug="riluzole")
    reply = talk.say({"drug/side_effects": 0.6}, "and side effects", following={"drug/side_effects": 0.7})
    assert (reply["question"], reply["terms"]) == ("drug/side_effects", ["riluzole"])
    assert facts.drugs["riluzole"].side_effects in reply["answer"]


# --- more, simpler, why -------------------------------------------------------------------------------


def told_by_more(question: Question, facts: Snapshot) -> list[str]:
    """The facts that "tell me more", said again and again, tells after an answer."""
    first = answers.answer(question, facts)
    assert first is not None
    told, found = first.told, []
    for _ in range(100):
        reply = answers.more(question.about(first.conditions), told, facts)
        if reply is None:
            return found
        assert reply.evidence.facts
        assert set(reply.evidence.facts).isdisjoint(told), "told twice"
        assert reply.outcome.value == "answered"
        found += reply.evidence.facts
        told = reply.told
    pytest.fail(f"{question.name} never ends")


def test_what_is_only_told_to_those_who_ask_is_not_told_by_tell_me_more(facts: Snapshot) -> None:
    """Rates of suicide, how people die, how long they live: never to somebody who asked something else."""
    sensitive = {f.id for f in facts.facts.values() if facts.questions[f.question].only_asked}
    assert len(sensitive) > 10
    volunteered = {}
    for record in facts.questions.values():
        for conditions in (("MS",), ("ALS",), CONDITIONS):
            if answers.answerable(Question(record.topic, conditions, id=record.id), facts):
                own = {f.id for f in facts.facts_under(record.id, conditions)}
                if (
                    strays := (set(told_by_more(Question(record.topic, conditions, id=record.id), facts)) & sensitive)
                    - own
                ):
                    volunteered[f"{record.id} {conditions}"] = strays
    assert volunteered == {}


def test_what_is_only_told_to_those_who_ask_is_not_told_beside_what_was_named(facts: Snapshot) -> None:
    sensitive = {f.id for f in facts.facts.values() if facts.questions[f.question].only_asked}
    volunteered = {}
    for kind, table in (("symptom", facts.symptoms), ("drug", facts.drugs), ("subtype", facts.subtypes)):
        (name,) = [q.id for q in facts.questions.values() if (q.of, q.aspect) == (kind, "text")]
        for term in table:
            question = Question(name.partition("/")[0], CONDITIONS, (Term(kind, term),), id=name)
            if strays := set(told_by_more(question, facts)) & sensitive:
                volunteered[term] = strays
    assert volunteered == {}


def tell_more(talk: Any, topic: str, about: str, most: int = 100) -> tuple[Any, list[str]]:
    """The first answer on a topic, and the facts "tell me more" tells after it until there is no more."""
    first, told = talk.say(f"{topic}/overview", about=about), []
    for _ in range(most):
        reply = talk.say("tell_more", "tell me more")
        assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", topic, first["conditions"])
        assert reply["sources"]
        if reply["answer"] == wording.NO_MORE:
            return first, told
        for fact in reply["facts"]:
            assert talk.facts.facts[fact].statement in reply["answer"]
        told += reply["facts"]
    if most < 100:
        return first, told
    pytest.fail(f"it never ends: {len(told)} facts told, {len(set(told))} different ones")


@pytest.mark.parametrize("topic", TOPICS)
def test_tell_me_more_goes_on_until_all_is_told_and_then_says_so(topic: str, talk: Any, facts: Snapshot) -> None:
    first, told = tell_more(talk, topic, "ALS")
    assert len(told) == len(set(told)), "told twice"
    assert set(told).isdisjoint(first["facts"]), "told again"
    assert talk.say("tell_more", "more")["answer"] == wording.NO_MORE


def test_tell_me_more_leaves_nothing_out_that_may_be_told(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    left = {}
    for topic in TOPICS:
        talk = new_talk()
        first, told = tell_more(talk, topic, "ALS", most=20)
        untold = {f.id for f in facts.facts_about(topic, first["conditions"])} - set(told) - set(first["facts"])
        if untold and len(told) < 60:
            left[topic] = sorted(untold)
    assert left == {}


def test_tell_me_more_about_a_drug_is_about_that_drug_first(talk: Any, facts: Snapshot) -> None:
    talk.say("drug/what_is", "what is riluzole", drug="riluzole")
    reply = talk.say("tell_more", "more")
    assert reply["terms"] == ["riluzole"]
    about = [f.id for f in facts.facts_naming("riluzole")]
    own = [f.id for f in facts.facts_under("drug/what_is", ("ALS",))]
    assert set(reply["facts"]) & {*about, *own}


def test_what_was_told_of_another_topic_is_not_missing_later(talk: Any) -> None:
    talk.say("cure/overview", "cure for ms", "MS")
    first = talk.say("tell_more", "more")["facts"]
    talk.say("cause/overview", "cause of ms", "MS")
    talk.say("cure/overview", "cure for ms", "MS")
    assert talk.say("tell_more", "more")["facts"] == first


def test_more_simply_says_the_same_in_fewer_words(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for record in facts.questions.values():
        for condition in [c for c in CONDITIONS if c in record.answers and record.topic not in ABOUT_BOTH]:
            talk = new_talk()
            first = talk.say(record.id, "a question", condition)
            reply = talk.say("simpler", "say it more simply")
            simple = record.answers[condition].simple
            assert reply["answer"] == (simple or first["answer"]), (record.id, condition)
            assert len(reply["answer"].split()) < len(first["answer"].split()) or not simple, (record.id, condition)
            assert (reply["outcome"], reply["question"]) == ("answered", record.id), (record.id, condition)
            assert reply["sources"], (record.id, condition)


def test_every_topic_in_general_can_be_said_more_simply(facts: Snapshot) -> None:
    overviews = [facts.questions[f"{topic}/overview"] for topic in TOPICS]
    assert [q.id for q in overviews if not all(a.simple for a in q.answers.values())] == []


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("topic", TOPICS)
def test_why_gives_a_reason_with_its_source(topic: str, scope: str, talk: Any, facts: Snapshot) -> None:
    first = talk.say(f"{topic}/overview", about=" ".join(SCOPES[scope]))
    reply = talk.say("why", "why?")
    told = facts.overview(topic, first["conditions"])
    assert told is not None
    if told.why:
        assert reply["answer"] == told.why
    elif topic != "cause":
        assert reply["answer"] != first["answer"]
    assert (reply["outcome"], reply["topic"]) == ("answered", topic)
    assert reply["sources"]


@pytest.mark.parametrize("intent", ["source", "are_you_sure", "repeat"])
@pytest.mark.parametrize(
    ("asked", "scope"),
    [
        ("cure/overview", "ALS"),
        ("difference/overview", "both"),
        ("cause/overview", "both"),
        ("diagnosis/one_test", "MS"),
    ],
)
def test_the_answer_is_given_again_with_its_sources(intent: str, asked: str, scope: str, talk: Any) -> None:
    first = talk.say(asked, about=" ".join(SCOPES[scope]))
    again = talk.say(intent, "where is that from")
    assert first["answer"] in again["answer"]
    for key in ("outcome", "topic", "question", "conditions", "facts", "sources", "reviewed", "comparison"):
        assert again[key] == first[key]
    if intent == "repeat":
        assert again["answer"] == first["answer"]


@pytest.mark.parametrize("intent", ["source", "are_you_sure", "repeat", "simpler"])
def test_an_answer_about_a_drug_is_still_about_it_when_one_asks_back(intent: str, talk: Any) -> None:
    talk.say("drug/what_is", "what is tofersen", drug="tofersen")
    reply = talk.say(intent, "really?")
    assert reply["terms"] == ["tofersen"]
    assert "tofersen" in reply["answer"].lower()


def test_a_follow_up_may_name_the_disease_it_is_about(talk: Any) -> None:
    talk.say("cure/overview", "is there a cure", "MS ALS")
    assert talk.say("tell_more", "more about als", "ALS")["conditions"] == ["ALS"]


@pytest.mark.parametrize("before", ["", "definition/overview"])
def test_which_is_worse_compares_both(before: str, talk: Any) -> None:
    if before:
        talk.say(before, "what is als", "ALS")
    reply = talk.say("which_is_worse", "which is worse")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "difference", ["MS", "ALS"])


# --- yes, no, and nothing before ----------------------------------------------------------------------


def test_yes_after_an_answer_tells_more(talk: Any) -> None:
    first = talk.say("cause/overview", "what causes ms", "MS")
    reply = talk.say("affirm", "yes please")
    assert (reply["outcome"], reply["topic"]) == ("answered", "cause")
    assert set(reply["facts"]).isdisjoint(first["facts"])


def test_yes_takes_the_only_question_that_was_offered(talk: Any) -> None:
    asked = talk.say({"vaccines/overview": 0.1}, "vaccinatoin als and so on, or whatever it is?", "ALS")
    assert (asked["outcome"], len(asked.offered)) == ("clarify", 1)
    reply = talk.say("affirm", "yes")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "vaccines", ["ALS"])


def test_yes_to_a_choice_of_several_does_not_guess(talk: Any) -> None:
    talk.say({"prevalence/overview": 0.1, "prognosis/overview": 0.1}, "als numbers of some kind or other?", "ALS")
    assert talk.say("affirm", "yes")["outcome"] in ("clarify", "smalltalk")


@pytest.mark.parametrize("intent", ["affirm", "deny", "thank", "greet"])
def test_small_words_with_nothing_before_are_met_with_questions_to_press(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "yes")
    assert reply["outcome"] == "smalltalk"
    assert reply.buttons


@pytest.mark.parametrize("intent", [*RETOLD, "what_about"])
def test_with_nothing_before_it_is_asked_what_is_meant(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "why?")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("clarify", None, [])
    assert talk.press(reply.offered[0])["outcome"] == "answered"


def test_a_disease_named_with_nothing_before_is_kept_for_the_next_question(talk: Any) -> None:
    asked = talk.say("what_about", "what about als", "ALS")
    assert (asked["outcome"], asked["conditions"]) == ("clarify", ["ALS"])
    assert talk.say("treatment/overview", "treatment")["conditions"] == ["ALS"]


@pytest.mark.parametrize("between", ["thank", "praise", "frightened", "out_of_scope", "alarm"])
def test_the_talk_goes_on_after_other_words_in_between(between: str, talk: Any) -> None:
    talk.say("cause/overview", "what causes als", "ALS")
    if between == "alarm":
        talk.say("unclear", "he is choking", more={"alarm": {"outcome": "emergency"}})
    else:
        talk.say(between, "some other words in between")
    assert talk.say("tell_more", "more")["topic"] == "cause"
    assert talk.say("cure/overview", "is there a cure", following="cure/overview")["conditions"] == ["ALS"]


@pytest.mark.parametrize("intent", ["start_over", "forget_me"])
def test_all_is_forgotten_when_a_person_asks_for_it(intent: str, talk: Any) -> None:
    talk.say("symptom_check/does_it_cause", "does als cause tingling", "ALS", symptom="tingling")
    reply = talk.say(intent, "start over" if intent == "start_over" else "please forget me")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("smalltalk", None, [])
    assert bool(reply.get("forget")) is (intent == "forget_me")
    assert not talk.slot
    assert reply.buttons
    assert not any("ALS" in title and "MS" not in title for title, _ in reply.buttons)
    assert talk.say("tell_more", "more")["outcome"] == "clarify"


@pytest.mark.parametrize("text", ["do you keep what i write", "who reads this"])
def test_nothing_is_erased_for_somebody_who_only_asks_what_is_kept(text: str, talk: Any) -> None:
    talk.say("cure/overview", "is there a cure for als", "ALS")
    reply = talk.say({"forget_me": 0.6}, text)
    assert "forget" not in reply
    assert talk.slot["topic"] == "cure"


def test_after_a_fresh_start_a_question_is_as_if_nothing_had_been_said(new_talk: Callable[[], Any]) -> None:
    talk = new_talk()
    talk.say("cure/overview", "cure for als", "ALS")
    talk.say("start_over", "start over")
    assert talk.say("cure/overview", "can it be cured") == new_talk().say("cure/overview", "can it be cured")


@pytest.mark.parametrize("asked", ["treatment/overview", "difference/overview", "symptom_check/one_symptom"])
def test_a_conversation_of_many_turns_never_runs_out_of_replies(asked: str, talk: Any) -> None:
    talk.say(asked, about="MS")
    for intent in ("tell_more", "why", "simpler", "source", "what_about", "repeat", "are_you_sure") * 5:
        reply = talk.say(intent, "and?")
        assert reply["outcome"] in ("answered", "not_covered"), intent
        assert reply["answer"]
        assert 1 <= len(reply.buttons) <= 5


# --- what is remembered -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "context",
    [
        Context(),
        Context(topic="cure", conditions=("ALS",)),
        Context("drug", "drug/side_effects", "Side effects of Riluzole", ("ALS",), (Term("drug", "riluzole"),),
                ("als-drug-riluzole-slows",), 2, ("/cure", '/drug{"drug":["riluzole"]}')),
        Context(clarified=1, offers=("/cure",)),
    ],
)  # fmt: skip
def test_what_is_remembered_comes_back_from_the_slot_as_it_was(context: Context) -> None:
    assert Context.from_slot(context.to_slot()) == context


@pytest.mark.parametrize(
    "slot", [None, {}, {"topic": "cure"}, {"topic": None, "terms": None, "told": None, "offers": None}]
)
def test_a_slot_of_an_older_release_is_read_as_far_as_it_goes(slot: Any) -> None:
    assert isinstance(Context.from_slot(slot), Context)


def test_the_question_answered_is_remembered_in_words_for_what_comes_next(talk: Any) -> None:
    """A short message is read behind it: "How is MS diagnosed? for how long though"."""
    talk.say("diagnosis/overview", "how is ms diagnosed", "MS")
    assert "MS" in talk.slot["asked"]
    talk.say("drug/side_effects", "side effects of riluzole", drug="riluzole")
    assert "riluzole" in talk.slot["asked"].lower()
    assert "{" not in talk.slot["asked"]


def test_what_is_remembered_stays_small(talk: Any) -> None:
    talk.say("support/overview", about="MS ALS")
    for _ in range(60):
        talk.say("tell_more", "more")
    assert len(repr(talk.slot)) < 10_000


def test_nothing_a_person_wrote_is_remembered(talk: Any) -> None:
    talk.say("diagnosis/overview", "zqxmarker how is ms diagnosed", "MS")
    talk.say({"personal_advice": 0.8, "cure/overview": 0.2}, "zqxmarker should i stop my riluzole", drug="riluzole")
    assert "zqxmarker" not in repr(talk.slot)
    assert Message().text == ""


def test_a_question_that_asks_by_itself_is_no_follow_up(talk: Any) -> None:
    talk.say("definition/overview", "what is ms", "MS")
    asked = {"diagnosis/overview": 0.5, "diagnosis/test": 0.3, "definition/overview": 0.1}
    reply = talk.say(
        asked, "how is ms diagnosed", "MS", following={"definition/overview": 0.9, "diagnosis/overview": 0.1}
    )
    assert reply["question"] == "diagnosis/overview"
