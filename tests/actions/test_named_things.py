"""Questions that name a symptom, a drug, a test, a form or another disease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from facts.schema import CONDITIONS
from facts.store import Snapshot
from tests.actions.stored_records import RECORDS

SYMPTOMS = [record.key for record in RECORDS["symptoms"]]
DRUGS = [record.key for record in RECORDS["drugs"]]
MIMICS = [record.key for record in RECORDS["mimics"]]


def answered(reply: dict[str, Any]) -> dict[str, Any]:
    assert reply["outcome"] == "answered"
    assert reply["answer"]
    assert reply["sources"]
    return reply


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_it_is_said_whether_a_disease_causes_a_symptom(
    symptom: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    row = facts.symptoms[symptom]
    name = facts.terms[symptom].name
    for condition in CONDITIONS:
        if condition not in row.cells:
            continue
        reply = answered(new_talk().say("symptom_check", f"does {condition} cause {name}", condition, symptom=symptom))
        assert reply["answer"] == row.cells[condition].text
        assert (reply["topic"], reply["conditions"], reply["terms"]) == ("symptom_check", [condition], [symptom])
    both = answered(new_talk().say("symptom_check", f"is {name} a symptom of either", "MS ALS", symptom=symptom))
    assert both["conditions"] == ["MS", "ALS"]
    for condition, cell in row.cells.items():
        assert f"{condition}: {cell.text}" in both["answer"]


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_a_disease_without_a_row_for_a_symptom_is_not_passed_over(symptom: str, talk: Any, facts: Snapshot) -> None:
    """Asked about both, the answer says for which of them nothing is known."""
    missing = [c for c in CONDITIONS if c not in facts.symptoms[symptom].cells]
    reply = talk.say("symptom_check", "is it a symptom", "MS ALS", symptom=symptom)
    for condition in missing:
        assert f"no fact about this symptom in {condition}" in reply["answer"]
    if not missing:
        assert "no fact" not in reply["answer"]


@pytest.mark.parametrize("drug", DRUGS)
def test_a_named_drug_is_answered_for_its_disease(drug: str, new_talk: Callable[[], Any], facts: Snapshot) -> None:
    row, name = facts.drugs[drug], facts.terms[drug].name
    about = " ".join(row.conditions)
    reply = answered(new_talk().say("drug", f"what is {name}", about, drug=drug))
    assert reply["answer"] == row.text
    assert (reply["topic"], reply["terms"]) == ("drug", [drug])
    unnamed = answered(new_talk().say("drug", f"what is {name}", drug=drug))
    assert set(unnamed["conditions"]) & set(row.conditions)
    assert row.text in unnamed["answer"]
    simple = new_talk()
    simple.say("drug", f"what is {name}", about, drug=drug)
    assert row.purpose in simple.say("simpler", "in simple words")["answer"]


def test_a_drug_without_a_fact_is_said_not_to_be_covered(new_talk: Callable[[], Any], facts: Snapshot) -> None:
    """It is not answered with what is true of other drugs."""
    unknown = [t for t in facts.terms.values() if t.kind == "drug" and t.id not in facts.drugs]
    outcomes = {t.id: new_talk().say("drug", f"what is {t.name}", drug=t.id)["outcome"] for t in unknown}
    assert {drug: outcome for drug, outcome in outcomes.items() if outcome != "not_covered"} == {}


@pytest.mark.parametrize("drug", [d.key for d in RECORDS["drugs"] if len(d.conditions) == 1])
def test_a_drug_of_one_disease_is_not_passed_off_as_one_of_the_other(drug: str, talk: Any, facts: Snapshot) -> None:
    other = "ALS" if facts.drugs[drug].conditions == ["MS"] else "MS"
    reply = answered(talk.say("drug", f"is it used for {other}", other, drug=drug))
    assert f"not a drug for {other}" in reply["answer"]


@pytest.mark.parametrize("drug", ["riluzole", "edaravone", "tofersen", "ocrelizumab"])
def test_a_question_when_a_drug_was_approved_finds_the_year(drug: str, talk: Any, facts: Snapshot) -> None:
    reply = talk.say("drug", f"when was {drug} approved", drug=drug)
    assert facts.drugs[drug].approvals[0].date[:4] in reply["answer"]


@pytest.mark.parametrize("form", [record.key for record in RECORDS["subtypes"]])
def test_a_named_form_is_explained(form: str, talk: Any, facts: Snapshot) -> None:
    reply = answered(talk.say("types", f"what is {facts.terms[form].name}", subtype=form))
    assert facts.subtypes[form].text in reply["answer"]
    assert facts.subtypes[form].condition in reply["conditions"]


def test_the_drugs_for_a_form_are_listed(talk: Any, facts: Snapshot) -> None:
    reply = answered(talk.say("treatment", "which drugs are for primary progressive MS", "MS", subtype="ppms"))
    approved = [d for d in facts.drugs.values() if "ppms" in d.subtypes and d.status == "approved"]
    assert approved
    for drug in approved:
        assert facts.terms[drug.term].name in reply["answer"]


@pytest.mark.parametrize("test", [record.key for record in RECORDS["tests"]])
def test_a_named_test_is_explained(test: str, new_talk: Callable[[], Any], facts: Snapshot) -> None:
    for condition, cell in facts.tests[test].cells.items():
        reply = answered(new_talk().say("diagnosis", f"what does it show in {condition}", condition, test=test))
        assert reply["answer"] == cell.text


@pytest.mark.parametrize("mimic", MIMICS)
def test_another_disease_is_told_apart_from_each(mimic: str, new_talk: Callable[[], Any], facts: Snapshot) -> None:
    row = facts.mimics[mimic]
    for condition, cell in row.cells.items():
        text = f"{row.name} or {condition}"
        for intent in ("mimics", "difference"):
            reply = answered(new_talk().say(intent, text, condition, mimic=mimic))
            assert reply["answer"] == f"{row.about} {cell.text}"
            assert (reply["topic"], reply["conditions"], reply["terms"]) == ("mimics", [condition], [mimic])


@pytest.mark.parametrize("mimic", MIMICS)
def test_another_disease_alone_is_not_covered_but_not_left_without_a_way_on(
    mimic: str, new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    row = facts.mimics[mimic]
    talk = new_talk()
    reply = talk.say("other_condition", f"what are the symptoms of {row.name}", mimic=mimic)
    if reply["outcome"] == "answered":  # a form of motor neuron disease, which the store knows
        assert mimic in facts.subtypes or facts.terms[mimic].implies
        return
    assert reply["outcome"] == "other_condition"
    assert (reply["topic"], reply["conditions"], reply["terms"]) == (None, [], [mimic])
    assert facts.terms[mimic].name in reply["answer"]
    assert row.medlineplus in reply["answer"]
    assert reply["sources"]
    for cell in row.cells.values():
        assert cell.text in reply["answer"]
    answer = talk.press(reply.offered[0])
    assert (answer["topic"], answer["terms"]) == ("mimics", [mimic])


@pytest.mark.parametrize("intent", ["symptoms", "treatment", "cause", "prognosis"])
def test_a_topic_of_another_disease_is_not_answered_as_if_it_were_ms_or_als(intent: str, talk: Any) -> None:
    reply = talk.say(intent, "symptoms of lupus", mimic="lupus")
    assert reply["outcome"] == "other_condition"


def test_an_unknown_disease_gets_the_address_of_medlineplus(talk: Any) -> None:
    reply = talk.say("other_condition", "what is gout")
    assert reply["outcome"] == "other_condition"
    assert "https://medlineplus.gov/" in reply["answer"]
    assert reply.buttons


def test_two_symptoms_are_each_named(talk: Any, facts: Snapshot) -> None:
    reply = talk.say("symptom_check", "tingling and numbness in ms", "MS", symptom="tingling numbness")
    assert "Tingling: " in reply["answer"]
    assert "Numbness: " in reply["answer"]


@pytest.mark.parametrize("person", [t.key for t in RECORDS["terms"] if t.kind == "person"])
def test_a_named_person_is_in_the_answer(person: str, talk: Any, facts: Snapshot) -> None:
    intent = "name_history" if person == "jean-martin-charcot" else "famous_people"
    reply = answered(talk.say(intent, person.replace("-", " "), person=person))
    assert facts.terms[person].name.split()[-1] in reply["answer"]


@pytest.mark.parametrize("gene", [t.key for t in RECORDS["terms"] if t.kind == "gene"])
def test_a_named_gene_is_in_the_answer(gene: str, talk: Any, facts: Snapshot) -> None:
    name = facts.terms[gene].name
    assert name in answered(talk.say("genetics", f"what is {name}", gene=gene))["answer"]


@pytest.mark.parametrize(
    ("intent", "kind", "names"),
    [
        ("symptom_check", "symptom", SYMPTOMS),
        ("drug", "drug", DRUGS),
        ("mimics", "mimic", MIMICS),
        ("types", "subtype", [r.key for r in RECORDS["subtypes"]]),
        ("diagnosis", "test", [r.key for r in RECORDS["tests"]]),
    ],
)
def test_every_answer_about_a_named_thing_has_a_review_date(
    intent: str, kind: str, names: list[str], new_talk: Callable[[], Any]
) -> None:
    replies = {
        f"{name} {about}": new_talk().say(intent, "what about it", about, **{kind: name})
        for name in names
        for about in ("MS", "ALS")
    }
    assert [name for name, reply in replies.items() if reply["sources"] and not reply["reviewed"]] == []


def test_a_flare_of_another_disease_is_not_ms(talk: Any) -> None:
    reply = talk.say("other_condition", "food in a crohns flare", mimic="crohns", topic_word="relapse")
    assert (reply["outcome"], reply["conditions"]) == ("other_condition", [])
    reply = talk.say("other_condition", "crohns and ocrevus", mimic="crohns", drug="ocrelizumab")
    assert (reply["outcome"], reply["topic"], reply["conditions"]) == ("answered", "mimics", ["MS"])


@pytest.mark.parametrize(
    ("topic", "word", "condition"),
    [("myelin", "myelin", "MS"), ("therapy", "feeding-tube", "ALS"), ("therapy", "voice-banking", "ALS")],
)
def test_what_is_only_asked_of_one_disease_brings_it_in(topic: str, word: str, condition: str, talk: Any) -> None:
    assert talk.say(topic, f"what about {word}", topic_word=word)["conditions"] == [condition]
    other = "ALS" if condition == "MS" else "MS"
    assert talk.say(topic, f"what about {word} in {other}", other, topic_word=word)["conditions"] == [other]
