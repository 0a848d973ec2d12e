"""Questions that name a symptom, a drug, a test, a form, another disease, a person or a gene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from facts.schema import ASPECTS, CONDITIONS
from facts.store import Snapshot

#: Fields of a drug's record that are read out as they stand.
READ_OUT = [field for field in ASPECTS["drug"] if field not in ("approved",)]


def question_of(kind: str, aspect: str, facts: Snapshot) -> str:
    """The id of the store's question about a field of the records of a kind."""
    (found,) = [q.id for q in facts.questions.values() if (q.of, q.aspect) == (kind, aspect)]
    return found


def answered(reply: Any) -> Any:
    assert reply["outcome"] == "answered", reply
    assert reply["answer"]
    assert reply["sources"]
    assert reply["reviewed"]
    return reply


def test_every_field_that_people_ask_for_has_a_question(facts: Snapshot) -> None:
    asked = {(q.of, q.aspect) for q in facts.questions.values() if q.of}
    assert {(kind, a) for kind, aspects in ASPECTS.items() for a in aspects} - asked == set()


# --- symptoms -----------------------------------------------------------------------------------------


def test_it_is_said_whether_a_disease_causes_a_symptom(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    name = question_of("symptom", "text", facts)
    for row in facts.symptoms.values():
        for condition, cell in row.cells.items():
            reply = answered(new_talk().say(name, "can it cause that", condition, symptom=row.term))
            assert reply["answer"] == cell.text, (row.term, condition)
            assert (reply["conditions"], reply["terms"]) == ([condition], [row.term])
        both = answered(new_talk().say(name, "can either cause that", "MS ALS", symptom=row.term))
        for condition in CONDITIONS:
            if condition in row.cells:
                assert f"{condition}: {row.cells[condition].text}" in both["answer"], row.term
            else:  # not passed over
                assert f"no fact about this symptom in {condition}" in both["answer"], row.term


@pytest.mark.parametrize("aspect", ["how_common", "helps"])
def test_what_is_known_of_a_symptom_is_told_and_what_is_not_is_said(
    aspect: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    name, told, untold = question_of("symptom", aspect, facts), 0, 0
    for row in facts.symptoms.values():
        for condition, cell in row.cells.items():
            reply = answered(new_talk().say(name, "what of that", condition, symptom=row.term))
            known = getattr(cell, aspect)
            if known:
                assert reply["answer"] == known, (row.term, condition)
                told += 1
            else:
                assert reply["answer"].startswith("I have nothing on this"), (row.term, condition)
                assert reply["answer"].endswith(cell.text), (row.term, condition)
                untold += 1
    assert told
    assert untold


def test_two_symptoms_are_each_named(talk: Any) -> None:
    reply = talk.say("symptom_check/does_it_cause", "tingling and numbness in ms", "MS", symptom="tingling numbness")
    assert "Tingling: " in reply["answer"]
    assert "Numbness: " in reply["answer"]


# --- drugs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aspect", READ_OUT)
def test_what_is_known_of_a_drug_is_told_and_what_is_not_is_said(
    aspect: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    name = question_of("drug", aspect, facts)
    for drug in facts.drugs.values():
        reply = answered(new_talk().say(name, "a question on it", " ".join(drug.conditions), drug=drug.term))
        known = getattr(drug, aspect)
        if known:
            assert reply["answer"].endswith(known), drug.term
            assert not reply["answer"].startswith("I have nothing on this"), drug.term
            assert (reply["question"], reply["terms"]) == (name, [drug.term])
        else:
            assert reply["answer"].startswith("I have nothing on this"), drug.term
            assert reply["answer"].endswith(drug.text), drug.term
        said = facts.terms[drug.term].name.lower()
        assert said in reply["answer"].lower(), (drug.term, reply["answer"])


def test_when_a_drug_was_approved_is_told_with_each_body_and_year(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    name = question_of("drug", "approved", facts)
    for drug in facts.drugs.values():
        reply = answered(new_talk().say(name, "when was it approved", " ".join(drug.conditions), drug=drug.term))
        for approval in drug.approvals:
            assert approval.by in reply["answer"], drug.term
            assert approval.date[:4] in reply["answer"], drug.term
        if drug.status == "withdrawn":
            assert "no longer on the market" in reply["answer"], drug.term
        if drug.status == "not_approved":
            assert "not approved in the US" in reply["answer"], drug.term
        if drug.access:
            assert drug.access in reply["answer"], drug.term


def test_what_a_drug_is_can_be_said_more_simply(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for drug in facts.drugs.values():
        talk = new_talk()
        talk.say("drug/what_is", "what is it", " ".join(drug.conditions), drug=drug.term)
        assert drug.purpose in talk.say("simpler", "in simple words")["answer"], drug.term


def test_a_drug_of_one_disease_is_not_passed_off_as_one_of_the_other(
    new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    for drug in [d for d in facts.drugs.values() if len(d.conditions) == 1]:
        other = "ALS" if drug.conditions == ["MS"] else "MS"
        for aspect in ("text", "benefit"):
            if getattr(drug, aspect):
                reply = new_talk().say(question_of("drug", aspect, facts), f"in {other}", other, drug=drug.term)
                assert f"not a drug for {other}" in reply["answer"], (drug.term, aspect)


@pytest.mark.parametrize("asked", ["drug/what_is", "drug/side_effects", "drug/overview"])
def test_a_drug_the_store_has_nothing_on_is_not_answered_with_what_is_true_of_others(asked: str, talk: Any) -> None:
    reply = talk.say(asked, "what about wonderdrug", "ALS", drug="wonderdrug")
    assert reply["outcome"] == "not_covered"


# --- forms --------------------------------------------------------------------------------------------


def test_a_named_form_is_explained(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for form in facts.subtypes.values():
        reply = answered(new_talk().say("types/what_is", "what is it", subtype=form.term))
        assert reply["answer"].endswith(form.text), form.term
        assert form.condition in reply["conditions"], form.term


def test_the_drugs_for_a_form_are_those_approved_for_it(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    name = question_of("subtype", "drugs", facts)
    for form in facts.subtypes.values():
        approved = [d for d in facts.drugs.values() if form.term in d.subtypes and d.status == "approved"]
        others = [d for d in facts.drugs.values() if form.term not in d.subtypes and d.kind == "disease_modifying"]
        reply = answered(new_talk().say(name, "which drugs are for it", form.condition, subtype=form.term))
        if not approved:
            assert reply["answer"].startswith("I have nothing on this"), form.term
            continue
        said = reply["answer"].lower()
        assert [d.term for d in approved if facts.terms[d.term].name.lower() not in said] == [], form.term
        alike = {facts.terms[d.term].name.lower() for d in approved}
        strays = [d.term for d in others if not any(facts.terms[d.term].name.lower() in name for name in alike)
                  and facts.terms[d.term].name.lower() in said]  # fmt: skip
        assert strays == [], form.term
        assert not reply["answer"].endswith(("take", "need")), form.term


def test_only_secondary_progressive_ms_has_to_be_active_for_its_drugs_and_not_for_all_of_them(
    new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    """In the US all but mitoxantrone are approved for its active form only; no other form has such a limit."""
    for form in facts.subtypes.values():
        answer = new_talk().say("types/drugs", "which drugs are for it", form.condition, subtype=form.term)["answer"]
        assert ("for active " in answer) == (form.term == "spms"), (form.term, answer)
    answer = new_talk().say("types/drugs", "which drugs are for spms", "MS", subtype="spms")["answer"]
    for_active, _, after = answer.partition(". ")
    assert "mitoxantrone" not in for_active.lower()
    assert "mitoxantrone" in after.lower()


def test_the_outlook_of_a_form_is_told_where_it_is_known(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    known = [f for f in facts.subtypes.values() if f.outlook]
    assert known
    for form in known:
        reply = answered(new_talk().say("types/outlook", "what is the outlook", form.condition, subtype=form.term))
        assert reply["answer"].endswith(form.outlook), form.term


# --- tests --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aspect", ["text", "what_happens"])
def test_a_named_test_is_explained(aspect: str, new_talk: Callable[[], Any], facts: Snapshot) -> None:
    name = question_of("test", aspect, facts)
    for row in facts.tests.values():
        for condition, cell in row.cells.items():
            reply = answered(new_talk().say(name, "what about that test", condition, test=row.term))
            known = getattr(cell, aspect) or next(
                (getattr(c, aspect) for c in row.cells.values() if getattr(c, aspect)), None
            )
            assert (known or cell.text) in reply["answer"], (row.term, condition)


# --- other diseases -----------------------------------------------------------------------------------


def test_another_disease_is_told_apart_from_each(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for row in facts.mimics.values():
        for condition, cell in row.cells.items():
            for asked in ("mimics/overview", "mimics/differs", "difference/overview"):
                reply = answered(new_talk().say(asked, f"that or {condition}", condition, mimic=row.term))
                assert cell.text in reply["answer"], (row.term, condition, asked)
                assert (reply["topic"], reply["conditions"], reply["terms"]) == ("mimics", [condition], [row.term])


def test_another_disease_alone_is_not_ours_and_its_name_is_said(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for row in facts.mimics.values():
        talk, term = new_talk(), facts.terms[row.term]
        reply = talk.say("other_condition", f"what are the symptoms of {term.name}", **{term.kind: row.term})
        if term.kind != "mimic" or term.implies:  # a form of motor neuron disease, which the store knows
            assert reply["outcome"] in ("answered", "other_condition", "clarify"), row.term
            continue
        assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("other_condition", None, []), row.term
        assert reply["terms"] == [row.term]
        assert term.name in reply["answer"], row.term
        assert row.medlineplus in reply["answer"], row.term
        answer = talk.press(reply.offered[0])
        assert (answer["outcome"], answer["topic"], answer["terms"]) == ("answered", "mimics", [row.term]), row.term


def test_another_disease_without_a_record_is_known_by_its_name(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    unknown = [t for t in facts.terms.values() if t.kind == "mimic" and t.id not in facts.mimics and not t.implies]
    for term in unknown:
        reply = new_talk().say("other_condition", f"what is {term.name}", mimic=term.id)
        assert reply["outcome"] == "other_condition", term.id
        assert term.name in reply["answer"], term.id
        assert "https://medlineplus.gov/" in reply["answer"], term.id


def test_one_the_store_has_nothing_on_is_named_when_it_is_asked_against_ms_or_als(
    new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    unknown = [t for t in facts.terms.values() if t.kind == "mimic" and t.id not in facts.mimics and not t.implies]
    for term in unknown:
        for asked in ("mimics/differs", "mimics/overview", "difference/overview"):
            reply = new_talk().say(asked, f"{term.name} or als", "ALS", mimic=term.id)
            assert reply["outcome"] in ("not_covered", "other_condition"), (term.id, asked)
            assert term.name in reply["answer"], (term.id, asked)


@pytest.mark.parametrize("topic", ["symptoms", "treatment", "cause", "prognosis"])
def test_a_topic_of_another_disease_is_not_answered_as_if_it_were_ms_or_als(topic: str, talk: Any) -> None:
    assert talk.say(f"{topic}/overview", "symptoms of lupus", mimic="lupus")["outcome"] == "other_condition"


def test_an_unknown_disease_gets_the_address_of_medlineplus(talk: Any) -> None:
    reply = talk.say("other_condition", "what is gout")
    assert reply["outcome"] == "other_condition"
    assert "https://medlineplus.gov/" in reply["answer"]
    assert reply.buttons


def test_how_it_differs_from_ms_may_be_asked_after_another_disease(talk: Any, facts: Snapshot) -> None:
    talk.say("other_condition", "what is lupus", mimic="lupus")
    reply = talk.say("difference/overview", "how is it different from ms", "MS")
    assert (reply["topic"], reply["conditions"], reply["terms"]) == ("mimics", ["MS"], ["lupus"])
    assert facts.mimics["lupus"].cells["MS"].text in reply["answer"]


# --- people, genes, words -----------------------------------------------------------------------------


def test_a_named_person_is_in_the_answer(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for person in [t for t in facts.terms.values() if t.kind == "person"]:
        replies = [
            new_talk().say(f"{topic}/overview", person.name, person=person.id)
            for topic in ("famous_people", "name_history")
        ]
        said = [r["answer"] for r in replies if r["outcome"] == "answered"]
        assert any(person.name.split()[-1] in answer for answer in said), person.id


def test_a_named_gene_is_in_the_answer(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for gene in [t for t in facts.terms.values() if t.kind == "gene"]:
        reply = answered(new_talk().say("genetics/overview", f"what is {gene.name}", gene=gene.id))
        assert gene.name in reply["answer"], gene.id


@pytest.mark.parametrize(
    ("topic", "word", "condition"),
    [("myelin", "myelin", "MS"), ("therapy", "feeding-tube", "ALS"), ("therapy", "voice-banking", "ALS")],
)
def test_what_is_only_asked_of_one_disease_brings_it_in(topic: str, word: str, condition: str, new_talk: Any) -> None:
    asked = f"{topic}/overview"
    assert new_talk().say(asked, f"what about {word}", topic_word=word)["conditions"] == [condition]
    other = "ALS" if condition == "MS" else "MS"
    assert new_talk().say(asked, f"what about {word} in {other}", other, topic_word=word)["conditions"] == [other]


def test_a_term_the_store_no_longer_has_is_not_an_error(new_talk: Callable[[], Any]) -> None:
    """The model may be older than the store."""
    asked = ("drug/what_is", "symptom_check/overview", "diagnosis/overview", "mimics/differs", "types/drugs",
             "other_condition", "personal_advice", "unclear", "what_about", "simpler")  # fmt: skip
    for kind in ("drug", "symptom", "test", "subtype", "mimic", "person", "gene", "organisation"):
        for one in asked:
            for about in ("MS", ""):
                assert new_talk().say(one, "what is it", about, **{kind: "no-longer-there"})["answer"]
