"""A question that takes an outdated claim for granted is put right, and no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from facts.store import Snapshot


@pytest.mark.parametrize(
    ("asked", "text", "about", "terms", "put_right"),
    [
        ("drug/overview", "is riluzole the only drug for ALS?", "ALS", {"drug": "riluzole"}, "tofersen"),
        ("treatment/overview", "Is there just one medicine, only riluzole?", "ALS", {"drug": "riluzole"}, "2017"),
        ("drug/what_is", "why is riluzole the sole treatment", "", {"drug": "riluzole"}, "tofersen"),
        ("treatment/overview", "do MS drugs only work for relapsing forms?", "MS", {"subtype": "rrms"}, "progressive"),
        ("drug/overview", "are the approved medicines only for relapsing MS", "MS", {}, "Ocrelizumab"),
        ("types/what_is", "what is progressive relapsing ms, prms", "MS", {"subtype": "prms"}, "2013"),
        ("types/what_is", "is PRMS the rarest type", "", {"subtype": "prms"}, "dropped"),
    ],
)  # fmt: skip
def test_an_outdated_claim_is_put_right_first(
    asked: str, text: str, about: str, terms: dict[str, str], put_right: str, talk: Any, facts: Snapshot
) -> None:
    reply = talk.say(asked, text, about, **terms)
    assert reply["outcome"] == "answered"
    corrections = [
        c.correction for c in facts.claims.values() if c.correction and reply["answer"].startswith(c.correction)
    ]
    assert len(corrections) == 1
    assert put_right in reply["answer"]
    assert reply["sources"]


def test_a_claim_with_a_correction_is_put_right_with_the_fact_behind_it(
    new_talk: Callable[[], Any], facts: Snapshot
) -> None:
    """A question made of one word of each of its groups."""
    claims = [c for c in facts.claims.values() if c.asked_with]
    assert claims
    for claim in claims:
        text = " ".join(group[0] for group in claim.asked_with)
        about = "MS ALS" if claim.condition == "both" else claim.condition
        found = {c.id: correcting for c, correcting in facts.assumed_claims(text, about.split())}
        assert found.get(claim.id), claim.id
        reply = new_talk().say(f"{claim.topic}/overview", text, about)
        assert any(facts.claims[c].correction in reply["answer"] for c in found), claim.id
        cited = {f.id for correcting in found.values() for f in correcting}
        assert cited & set(reply["facts"]), claim.id


@pytest.mark.parametrize(
    ("asked", "text", "about", "terms"),
    [
        ("drug/what_is", "what is riluzole", "ALS", {"drug": "riluzole"}),
        ("drug/what_is", "how does riluzole work", "", {"drug": "riluzole"}),
        ("treatment/overview", "which drugs are there for ALS", "ALS", {}),
        ("treatment/overview", "what is used for relapsing MS", "MS", {"subtype": "rrms"}),
        ("types/overview", "what types of MS are there", "MS", {}),
        ("prognosis/overview", "how long do people live with MS", "MS", {}),
        ("fatality/overview", "is ALS fatal", "ALS", {}),
        ("symptoms/overview", "symptoms of als", "ALS", {}),
        ("cognition/overview", "does ALS affect the mind", "ALS", {}),
        ("bladder_bowel/overview", "does als affect the bladder", "ALS", {}),
        ("lifestyle/overview", "does stress matter", "MS", {}),
        ("diagnosis/what_test_shows", "what does an MRI show", "MS", {"test": "mri"}),
        ("myelin/overview", "what is myelin", "MS", {}),
        ("early_signs/overview", "what are the first signs of MS and ALS", "MS ALS", {}),
        ("difference/overview", "what is the difference between MS and ALS", "MS ALS", {}),
        (
            "cognition/overview",
            "My wife has MS. She cries at adverts and laughs when the dog dies. She was never like that.", "MS", {},
        ),
    ],
)  # fmt: skip
def test_a_neutral_question_is_not_lectured(
    asked: str, text: str, about: str, terms: dict[str, str], talk: Any, facts: Snapshot
) -> None:
    answer = talk.say(asked, text, about, **terms)["answer"]
    assert [c.id for c in facts.claims.values() if c.correction and c.correction in answer] == []


def test_a_claim_about_one_disease_is_not_put_right_when_the_other_is_asked_about(talk: Any, facts: Snapshot) -> None:
    answer = talk.say("drug/overview", "what is the only drug for MS", "MS")["answer"]
    assert facts.claims["A088"].correction not in answer  # type: ignore[operator]


def test_a_question_that_is_put_right_is_answered_as_well(talk: Any, facts: Snapshot) -> None:
    reply = talk.say("drug/what_is", "is riluzole the only drug for ALS?", "ALS", drug="riluzole")
    assert facts.drugs["riluzole"].text in reply["answer"]
    assert "A088" in {c for f in reply["facts"] for c in facts.facts[f].corrects}


def test_a_button_is_never_put_right(talk: Any, facts: Snapshot) -> None:
    """Its words are ours."""
    answer = talk.press('/drug{"condition":["ALS"],"drug":["riluzole"],"question":["what_is"]}')["answer"]
    assert answer == facts.drugs["riluzole"].text
