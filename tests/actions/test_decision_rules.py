"""Every rule of the list decides what it is for and lets the rest by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from actions.decision import RULES

LAST = "nothing else fits"
NAMES = [name for name, _ in RULES]


def turn(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


Turn = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A message that a rule decides, and one near it that it lets by.

    Attributes:
        decides: what is said, and the outcome of the reply.
        passes: what is said instead.
        then: the rule that decides that one.
        before: what was said before either.
    """

    decides: Turn
    outcome: str
    passes: Turn
    then: str
    before: list[Turn] = field(default_factory=list)


TREATMENT_OF_ALS = turn("treatment/overview", "how is als treated", "ALS")
DIAGNOSIS_OF_MS = turn("diagnosis/overview", "how is ms diagnosed", "MS")
ANSWERS = "a question is near enough"

CASES: dict[str, Case] = {
    "a button was pressed": Case(
        turn("cure", '/cure{"condition":["ALS"]}'), "answered",
        turn("cure/overview", "cure als", "ALS"), ANSWERS,
    ),
    "a cry for help was heard": Case(
        turn("cause/overview", "he cannot breathe, als", "ALS", more={"alarm": {"outcome": "emergency"}}), "emergency",
        turn("swallowing_speech_breathing/overview", "does als hurt breathing", "ALS"), ANSWERS,
    ),
    "it is not in English": Case(
        turn("definition/overview", "was ist ms", "MS", more={"language": "de"}), "other_language",
        turn("definition/overview", "what is ms", "MS"), ANSWERS,
    ),
    "no word of it is known": Case(
        turn("cure/overview", "asdf qwer", more={"says_something": False}), "clarify",
        turn("cure/overview", "asdf riluzole", more={"says_something": False}, drug="riluzole"),
        ANSWERS,
    ),
    "a button was chosen by its place": Case(
        turn("unclear", "the second one"), "answered",
        turn("unclear", "number seven"), "neither disease is named",
        [turn("unclear", "hm")],
    ),
    "only a disease is named": Case(
        turn("definition/overview", "als", "ALS", more={"names_only": True}), "answered",
        turn("definition/overview", "what is als", "ALS"), ANSWERS,
    ),
    "MS or ALS means something else here": Case(
        turn("definition/overview", "what is a ms degree", more={"other_meaning": True}), "out_of_scope",
        turn("definition/overview", "what is ms, not the ms degree", "MS", more={"other_meaning": True}), ANSWERS,
    ),
    "they say who has it": Case(
        turn({"support/newly_diagnosed": 0.2, "unclear": 0.5}, "i was told on friday i have als", "ALS"), "answered",
        turn({"personal_advice": 0.6}, "i think i have als", "ALS"), "their own case",
    ),
    "small talk": Case(
        turn("greet", "good morning"), "smalltalk",
        turn({"greet": 0.5, "cure/overview": 0.45}, "hello, is there a cure for als", "ALS"), ANSWERS,
    ),
    "a remedy is named that has no record": Case(
        turn({"unclear": 0.4}, "turmeric als", "ALS", remedy="turmeric"), "not_covered",
        turn({"unclear": 0.4}, "wibble als", "ALS"), LAST,
    ),
    "their own case, most likely": Case(
        turn({"personal_advice": 0.25, "unclear": 0.2}, "which is it now, ms", "MS"), "personal_advice",
        turn({"personal_advice": 0.1, "unclear": 0.2}, "which is it now, ms", "MS"), LAST,
    ),
    "it leans on the answer before": Case(
        turn("tell_more", "go on"), "answered",
        turn({"tell_more": 0.2, "cause/overview": 0.7}, "more on what causes als", "ALS"), ANSWERS,
        [TREATMENT_OF_ALS],
    ),
    "the last question, about the other disease": Case(
        turn("treatment/overview", "how is ms treated then", "MS", following="treatment/overview"), "answered",
        turn("cause/overview", "what causes ms", "MS", following="cause/overview"), ANSWERS,
        [TREATMENT_OF_ALS],
    ),
    "a short turn on what was talked about": Case(
        turn("diagnosis/one_test", "by one test alone?", following="diagnosis/one_test"), "answered",
        turn("diagnosis/one_test", "can one test alone show als", "ALS", following="diagnosis/one_test"), ANSWERS,
        [DIAGNOSIS_OF_MS],
    ),
    "another disease alone": Case(
        turn("symptoms/overview", "symptoms of lupus", mimic="lupus"), "other_condition",
        turn("mimics/overview", "lupus or ms", "MS", mimic="lupus"), "MS or ALS against a third disease",
    ),
    "it is about something else": Case(
        turn("out_of_scope", "will it rain tomorrow"), "out_of_scope",
        turn({"out_of_scope": 0.3, "lifestyle/overview": 0.6}, "does rain make ms worse", "MS"), ANSWERS,
    ),
    "it was never written down here": Case(
        turn("not_covered", "what does ocrevus cost", "MS"), "not_covered",
        turn({"not_covered": 0.1, "drug/access": 0.8}, "can i get ocrevus", "MS", drug="ocrelizumab"), ANSWERS,
    ),
    "their own case": Case(
        turn({"personal_advice": 0.6, "drug/stopping": 0.3}, "should i stop my riluzole", drug="riluzole"),
        "personal_advice",
        turn({"personal_advice": 0.1, "drug/stopping": 0.8}, "can people stop riluzole", drug="riluzole"),
        ANSWERS,
    ),
    "several questions": Case(
        turn(
            {"cause/overview": 0.5, "cure/overview": 0.4}, "What causes ALS? Is there a cure?", "ALS",
            sentences=(
                {"text": "What causes ALS?", "asked": "cause/overview"},
                {"text": "Is there a cure?", "asked": "cure/overview"},
            ),
        ), "answered",
        turn(
            {"cure/overview": 0.8}, "My aunt has ALS. Is there a cure?", "ALS",
            sentences=(
                {"text": "My aunt has ALS.", "asked": "cause/overview", "asks": 0.02},
                {"text": "Is there a cure?", "asked": "cure/overview"},
            ),
        ), ANSWERS,
    ),
    "MS or ALS against a third disease": Case(
        turn("difference/overview", "lupus compared with ms", "MS", mimic="lupus"), "answered",
        turn("treatment/overview", "treating ms when there is lupus too", "MS", mimic="lupus"), ANSWERS,
    ),
    "neither disease is named": Case(
        turn("pain_fatigue/overview", "what helps against cramps at night in bed"), "clarify",
        turn("pain_fatigue/overview", "what helps against cramps at night in als", "ALS"), ANSWERS,
    ),
    "the store has no such fact": Case(
        turn("prognosis/how_many_live_long", "how many with ms live ten years", "MS"), "not_covered",
        turn("prognosis/how_many_live_long", "how many with als live ten years", "ALS"), ANSWERS,
    ),
    ANSWERS: Case(
        turn("diagnosis/overview", "how is ms diagnosed", "MS"), "answered",
        turn({"diagnosis/overview": 0.05, "cure/overview": 0.04}, "so what about that whole thing with ms then", "MS"),
        LAST,
    ),
    "a thing is named": Case(
        turn({"unclear": 0.6, "cure/overview": 0.02}, "riluzole hm", drug="riluzole"), "answered",
        turn(
            {"unclear": 0.6, "cure/overview": 0.02},
            "i heard of riluzole once when we were on the road and the radio was on", drug="riluzole",
        ),
        LAST,
    ),
    "near what was talked about": Case(
        turn(
            {"unclear": 0.6, "cure/overview": 0.02}, "is it then for good",
            more={"following_facts": [{"name": "ms-diagnosis-mri-not-alone", "confidence": 0.6}]},
        ), "answered",
        turn(
            {"unclear": 0.6, "cure/overview": 0.02}, "is it then for good",
            more={"following_facts": [{"name": "ms-diagnosis-mri-not-alone", "confidence": 0.2}]},
        ),
        LAST, [DIAGNOSIS_OF_MS],
    ),
}  # fmt: skip


def last_of(talk: Any, turns: list[Turn]) -> Any:
    for args, kwargs in turns:
        reply = talk.say(*args, **kwargs)
    return reply


def test_every_rule_of_the_list_has_a_case() -> None:
    assert [name for name in NAMES if name not in CASES] == []
    assert [name for name in CASES if name not in NAMES] == [], "a case without its rule"
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", CASES)
def test_a_message_is_decided_by_the_rule(name: str, talk: Any) -> None:
    case = CASES[name]
    reply = last_of(talk, [*case.before, case.decides])
    assert (reply.rule, reply["outcome"]) == (name, case.outcome)


@pytest.mark.parametrize("name", CASES)
def test_a_message_near_it_is_let_by(name: str, talk: Any) -> None:
    case = CASES[name]
    reply = last_of(talk, [*case.before, case.passes])
    assert reply.rule == case.then
    after = len(NAMES) if case.then == LAST else NAMES.index(case.then)
    assert after > NAMES.index(name), "decided before this rule was asked"


def test_what_no_rule_fits_is_asked_back_with_the_likeliest_questions(talk: Any) -> None:
    reply = talk.say({"vaccines/overview": 0.1, "cure/overview": 0.05}, "vaccin cure als hm, a thing or other", "ALS")
    assert (reply.rule, reply["outcome"], reply["conditions"]) == (LAST, "clarify", ["ALS"])
    answers = [talk.press(payload) for payload in reply.offered]
    assert [(a["topic"], a["conditions"]) for a in answers[:2]] == [("vaccines", ["ALS"]), ("cure", ["ALS"])]


def test_a_cry_for_help_comes_before_everything_but_a_button(talk: Any) -> None:
    assert NAMES.index("a cry for help was heard") <= 1
    more = {"alarm": {"outcome": "crisis"}, "language": "de", "says_something": False, "other_meaning": True}
    assert talk.say("greet", "ms", "MS", more=more)["outcome"] == "crisis"


# --- which diseases it is about -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "said", "conditions"),
    [
        ("named", turn("cure/overview", "is there a cure for als", "ALS"), ["ALS"]),
        ("both named", turn("cure/overview", "a cure for als and ms", "ALS MS"), ["MS", "ALS"]),
        ("said to be both", turn("cure/overview", "can both be cured"), ["MS", "ALS"]),
        ("or the other one", turn("cure/overview", "can ms be cured, or the other one?", "MS"), ["MS", "ALS"]),
        ("the other senses", turn("vision_senses/overview", "does als hit the other senses", "ALS"), ["ALS"]),
        ("ruled out", turn("treatment/overview", "treatment when it is not ms", ruled_out="MS"), ["ALS"]),
        ("one named, one ruled out", turn("cure/overview", "cure for als, not ms", "ALS", ruled_out="MS"), ["ALS"]),
        ("implied by a drug", turn("drug/what_is", "what is riluzole", drug="riluzole"), ["ALS"]),
        ("implied by a form", turn("types/what_is", "what is ppms", subtype="ppms"), ["MS"]),
        ("named against what is implied", turn("drug/what_is", "riluzole for ms", "MS", drug="riluzole"), ["MS"]),
        ("a comparison of both names one", turn("difference/overview", "how does ms differ", "MS"), ["MS", "ALS"]),
        ("the one of the sentence that asks", turn(
            "cause/overview", "My aunt has ALS. What causes MS?", "ALS MS",
            sentences=({"text": "My aunt has ALS.", "asked": "unclear", "asks": 0.05},
                       {"text": "What causes MS?", "asked": "cause/overview"}),
        ), ["MS"]),
    ],
)  # fmt: skip
def test_the_diseases_meant_are_known(how: str, said: Turn, conditions: list[str], talk: Any) -> None:
    reply = last_of(talk, [said])
    assert (reply["outcome"], reply["conditions"]) == ("answered", conditions), how


def test_the_disease_talked_about_is_meant_until_another_is_named(talk: Any) -> None:
    talk.say("definition/overview", "what is als", "ALS")
    assert talk.say("cure/overview", "is there a cure", following="cure/overview")["conditions"] == ["ALS"]
    assert talk.say("cause/overview", "and what causes ms", "MS")["conditions"] == ["MS"]
    assert talk.say("treatment/overview", "how is it treated", following="treatment/overview")["conditions"] == ["MS"]


def test_what_speaks_of_the_disease_itself_is_about_both_when_none_is_named(talk: Any) -> None:
    assert talk.say("genetics/overview", "does it run in the family")["conditions"] == ["MS", "ALS"]


@pytest.mark.parametrize("text", ["what helps shaky hands when i write", "are cramps in the night dangerous to people"])
def test_a_health_question_that_could_be_about_anything_is_asked_back_with_both(text: str, talk: Any) -> None:
    reply = talk.say({"mobility/overview": 0.5, "pain_fatigue/overview": 0.4}, text)
    assert (reply["outcome"], reply["conditions"]) == ("clarify", [])
    answers = [talk.press(payload) for payload in reply.offered]
    assert {c for a in answers for c in a["conditions"]} == {"MS", "ALS"}
    assert all(a["outcome"] == "answered" for a in answers)


def test_a_flare_or_a_drug_beside_a_third_disease_does_not_make_it_ms(talk: Any) -> None:
    reply = talk.say("other_condition", "food in a crohns flare", mimic="crohns", topic_word="relapse")
    assert (reply["outcome"], reply["conditions"]) == ("other_condition", [])


# --- several questions in one message -----------------------------------------------------------------


def test_two_questions_get_two_answers_in_their_order(talk: Any, facts: Any) -> None:
    args, kwargs = CASES["several questions"].decides
    reply = talk.say(*args, **kwargs)
    assert reply["topic"] == "cause"
    assert reply["topics"] == ["cause", "cure"]
    assert reply["questions"] == ["cause/overview", "cure/overview"]
    assert reply["conditions"] == ["ALS"]
    texts = [facts.questions[q].answers["ALS"] for q in reply["questions"]]
    places = [reply["answer"].find(a.text) for a in texts]
    assert -1 not in places
    assert places == sorted(places)
    for one in texts:
        assert set(one.facts) <= set(reply["facts"])
    assert "\n\n" not in reply["answer"]
    assert 1 <= len(reply.buttons) <= 5


def test_two_questions_about_two_diseases_are_answered_each_for_its_own(talk: Any, facts: Any) -> None:
    reply = talk.say(
        {"cause/overview": 0.5, "treatment/overview": 0.4}, "What causes ALS? How is MS treated?", "ALS MS",
        sentences=(
            {"text": "What causes ALS?", "asked": "cause/overview"},
            {"text": "How is MS treated?", "asked": "treatment/overview"},
        ),
    )  # fmt: skip
    assert reply["topics"] == ["cause", "treatment"]
    assert reply["conditions"] == ["MS", "ALS"]
    assert facts.questions["cause/overview"].answers["ALS"].text in reply["answer"]
    assert facts.questions["treatment/overview"].answers["MS"].text in reply["answer"]
    assert facts.questions["cause/overview"].answers["MS"].text not in reply["answer"]


def test_a_second_question_without_a_name_is_read_behind_the_first(talk: Any) -> None:
    text = "Does ALS run in families? Can I be tested?"
    first = {"text": "Does ALS run in families?", "asked": "genetics/overview"}
    second = {"text": "Can I be tested?", "asked": {"diagnosis/overview": 0.5, "genetics/test_relatives": 0.2}}
    asked = {"genetics/overview": 0.5, "diagnosis/overview": 0.3}
    behind = {"genetics/overview": 0.5, "genetics/test_relatives": 0.4}
    reply = talk.say(asked, text, "ALS", sentences=(first, {**second, "following": behind}))
    assert reply["questions"] == ["genetics/overview", "genetics/test_relatives"]
    sure = {**second, "asked": {"diagnosis/overview": 0.9}, "following": behind}
    assert talk.say(asked, text, "ALS", sentences=(first, sure))["questions"] == [
        "genetics/overview", "diagnosis/overview",
    ]  # fmt: skip


def test_a_question_behind_an_answer_is_no_small_talk_by_half(talk: Any) -> None:
    talk.say("swallowing_speech_breathing/overview", "how is breathing helped in als", "ALS")
    asked = {"bot_identity": 0.5, "swallowing_speech_breathing/niv_what": 0.2}
    reply = talk.say(asked, "what is the machine called", following="swallowing_speech_breathing/niv_what")
    assert reply["question"] == "swallowing_speech_breathing/niv_what"
    assert talk.say({"bot_identity": 0.8}, "are you a machine")["outcome"] == "smalltalk"


def test_their_own_case_is_answered_with_what_is_known_of_the_drug_they_name(talk: Any, facts: Any) -> None:
    asked = {"personal_advice": 0.6, "cure/overview": 0.02}
    reply = talk.say(asked, "is riluzole worth trying for me", drug="riluzole")
    assert reply["outcome"] == "personal_advice"
    assert "riluzole" in reply["answer"].lower()
    assert not reply["answer"].startswith(("Yes", "No"))


def test_of_a_relative_who_has_it_is_told_kindly_and_remembered(talk: Any) -> None:
    reply = talk.say("unclear", "my husband has als. hes far on now", "ALS")
    assert reply["outcome"] == "smalltalk"
    assert reply["answer"].startswith("I am sorry.")
    assert talk.say("swallowing_speech_breathing/overview", "what helps with eating now")["conditions"] == ["ALS"]


def test_more_on_the_same_is_not_taken_for_the_other_disease(talk: Any) -> None:
    talk.say("early_signs/twitching_worry", "is twitching als", "ALS")
    assert talk.say("what_about", "and my thumb")["conditions"] == ["ALS"]
    assert talk.say("what_about", "what about the other one")["conditions"] == ["MS"]


def test_the_best_drug_is_not_the_worse_disease(talk: Any) -> None:
    talk.say("drug/overview", "what drugs are there for ms", "MS")
    asked = {"which_is_worse": 0.6, "drug/strongest": 0.3}
    assert talk.say(asked, "which one is the best", following="drug/strongest")["question"] == "drug/strongest"
    talk.say("difference/overview", "how do they differ", "MS ALS")
    assert talk.say({"which_is_worse": 0.9}, "which is worse")["question"] == "difference/which_worse"


def test_a_drug_named_behind_pregnancy_is_about_pregnancy(talk: Any) -> None:
    talk.say("pregnancy/overview", "can i have a baby with ms", "MS")
    asked = {"personal_advice": 0.6, "both_together/overview": 0.3}
    assert talk.say(asked, "my doctor says ocrevus is ok for me", drug="ocrelizumab")["question"] == "drug/pregnancy"


@pytest.mark.parametrize(
    "text",
    [
        "two fingers numb since may. ms?",
        "her voice has gone quiet. it's mnd isn't it",
        "numb foot. ms or a disc?",
        "grip is weak. trapped nerve or mnd tell me straight",
    ],
)  # fmt: skip
def test_who_asks_whether_signs_are_the_disease_gets_no_verdict(text: str, talk: Any) -> None:
    asked = {"mimics/twitching": 0.5, "personal_advice": 0.08}
    reply = talk.say(asked, text, "ALS" if "als" in text or "mnd" in text else "MS")
    assert reply["outcome"] == "personal_advice"
    assert not reply["answer"].startswith(("Yes", "No"))


@pytest.mark.parametrize(
    "text", ["carpal tunnel or als how do doctors tell", "is it als when muscles twitch in general"]
)
def test_a_general_question_about_signs_is_answered(text: str, talk: Any) -> None:
    assert talk.say({"mimics/twitching": 0.5, "personal_advice": 0.02}, text, "ALS")["outcome"] == "answered"


def test_the_same_question_twice_is_answered_once(talk: Any) -> None:
    reply = talk.say(
        "cure/overview", "Is there a cure for ALS? Can ALS be healed?", "ALS",
        sentences=(
            {"text": "Is there a cure for ALS?", "asked": "cure/overview"},
            {"text": "Can ALS be healed?", "asked": "cure/overview"},
        ),
    )  # fmt: skip
    assert reply["outcome"] == "answered"
    assert "topics" not in reply


def test_one_question_has_no_list_of_topics(talk: Any) -> None:
    reply = talk.say("cure/overview", "is there a cure for als", "ALS")
    assert "topics" not in reply
    assert "questions" not in reply


def test_what_is_compared_goes_before_that_they_differ(talk: Any) -> None:
    asked = {"difference/overview": 0.5, "diagnosis/overview": 0.4}
    assert talk.say(asked, "how is ms diagnosed vs als", "MS ALS")["question"] == "diagnosis/overview"
    assert talk.say({"difference/overview": 0.9}, "ms vs als", "MS ALS")["question"] == "difference/overview"


@pytest.mark.parametrize("text", ["how long does that take", "is it safe", "how many of them"])
def test_a_turn_without_words_of_its_own_stays_with_the_talk(text: str, talk: Any) -> None:
    talk.say("treatment/stem_cells", "what is hsct", "MS")
    alone = {"out_of_scope": 0.7, "diagnosis/how_long": 0.3}
    reply = talk.say(alone, text, following={"treatment/stem_cells": 0.9, "treatment/overview": 0.05})
    assert reply["topic"] == "treatment"


def test_what_has_words_of_its_own_and_is_sure_leaves_the_talk(talk: Any) -> None:
    talk.say("treatment/stem_cells", "what is hsct", "MS")
    text = "how long until i get a diagnosis"
    reply = talk.say({"diagnosis/how_long": 0.9}, text, following={"treatment/stem_cells": 0.9})
    assert reply["topic"] == "diagnosis"


def test_a_question_that_is_silent_on_the_disease_gives_way_to_one_that_is_not(talk: Any, facts: Any) -> None:
    silent = next(n for n, q in sorted(facts.questions.items()) if set(q.answers) == {"MS"} and not q.of)
    topic = silent.partition("/")[0]
    told = next(n for n, q in sorted(facts.questions.items()) if n.startswith(f"{topic}/") and "ALS" in q.answers)
    assert talk.say({silent: 0.5, told: 0.3}, "and in als", "ALS")["question"] == told


def test_what_was_never_written_down_is_not_answered_with_what_is_a_little_like_it(talk: Any) -> None:
    measured = {"not_covered": 0.47, "treatment/stem_cells_cost": 0.16, "drug/price": 0.15, "support/home_changes": 0.1}
    assert talk.say(measured, "what does a stairlift cost for ms", "MS")["outcome"] == "not_covered"
    stands_out = {"not_covered": 0.45, "treatment/stem_cells_cost": 0.4}
    assert talk.say(stands_out, "what does a transplant cost for ms", "MS")["outcome"] == "answered"


def test_a_drugs_own_question_needs_no_disease(talk: Any) -> None:
    reply = talk.say({"drug/side_effects": 0.9}, "baclofen side effects", drug="baclofen")
    assert (reply["outcome"], reply["terms"]) == ("answered", ["baclofen"])


def test_a_disease_beside_a_drug_is_asked_of_the_drug(talk: Any) -> None:
    measured = {"drug/side_effects": 0.5, "other_condition": 0.45}
    reply = talk.say(measured, "lemtrada thyroid", mimic="thyroid-disease", drug="alemtuzumab")
    assert reply["outcome"] == "answered"
    assert "alemtuzumab" in reply["terms"]


def test_the_drug_of_a_personal_question_is_remembered(talk: Any) -> None:
    talk.say("personal_advice", "what dose of baclofen should i take", drug="baclofen")
    reply = talk.say("unclear", "and stopping it?", following={"drug/stopping": 0.6, "drug/what_is": 0.2})
    assert (reply["outcome"], reply["terms"]) == ("answered", ["baclofen"])


def test_a_sentence_that_says_that_asks_what_the_message_is_about(talk: Any) -> None:
    laugh, cause = "cognition/laughing_crying", "cause/overview"
    text = "My nan laughs at funerals with MND. What is that called? Is it from the illness?"
    sentences = (
        {"text": "What is that called?", "asked": {"definition/overview": 0.4, laugh: 0.1}},
        {"text": "Is it from the illness?", "asked": {cause: 0.6, laugh: 0.1}},
    )
    reply = talk.say({laugh: 0.6, cause: 0.1, "definition/overview": 0.05}, text, "ALS", sentences=sentences)
    assert reply["question"] == laugh
    assert "questions" not in reply


def test_which_is_slower_is_asked_within_what_was_talked_about(talk: Any) -> None:
    talk.say("prognosis/bulbar_or_limb", "limb or bulbar onset", "ALS", subtype="bulbar-onset")
    reply = talk.say("which_is_worse", "which is slower", following={"prognosis/bulbar_or_limb": 0.9})
    assert reply["topic"] != "difference"


@pytest.mark.parametrize(
    ("asked", "text"),
    [("support/newly_diagnosed", "just diagnosed"), ("support/help_someone", "someone i love was just diagnosed")],
)
def test_what_comes_first_needs_no_disease(asked: str, text: str, talk: Any) -> None:
    reply = talk.say({asked: 0.53, "unclear": 0.12}, text)
    assert (reply["outcome"], reply["question"], reply["conditions"]) == ("answered", asked, ["MS", "ALS"])


def test_who_says_who_has_it_and_asks_something_gets_an_answer(talk: Any) -> None:
    reply = talk.say("genetics/child", "my mum has ms. whats the chance i get it", "MS")
    assert reply["question"] == "genetics/child"
    assert talk.say("support/overview", "my mum has ms", "MS")["outcome"] == "smalltalk"


def test_just_diagnosed_is_no_follow_up(talk: Any) -> None:
    talk.say("when_to_see_doctor/overview", "when should i see a doctor", "ALS")
    measured, behind = {"support/newly_diagnosed": 0.53}, {"when_to_see_doctor/emergency_now": 0.9}
    reply = talk.say(measured, "just diagnosed", following=behind)
    assert (reply["question"], reply["conditions"]) == ("support/newly_diagnosed", ["ALS"])


def test_what_is_hardly_likely_is_not_offered(talk: Any) -> None:
    measured = {"unclear": 0.3, "vision_senses/lhermitte": 0.04, "mobility/clonus": 0.02}
    reply = talk.say(measured, "blorp wuggle flarn")
    assert reply["outcome"] == "clarify"
    assert reply.buttons
    assert not any("Lhermitte" in title for title, _ in reply.buttons)
