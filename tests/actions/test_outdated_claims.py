"""A question that takes an outdated claim for granted is put right, and no other."""

from __future__ import annotations

from typing import Any

import pytest

from facts.store import Snapshot
from tests.actions.stored_records import RECORDS

CLAIMS = [claim for claim in RECORDS["claims"] if claim.asked_with]


@pytest.mark.parametrize(
    ("intent", "text", "about", "named", "put_right"),
    [
        ("drug", "is riluzole the only drug for ALS?", "ALS", {"drug": "riluzole"}, "tofersen"),
        ("treatment", "Is there just the one medicine, is riluzole the only one?", "ALS", {"drug": "riluzole"}, "2017"),
        ("drug", "why is riluzole the sole treatment", "", {"drug": "riluzole"}, "tofersen"),
        ("treatment", "do MS drugs only work for relapsing forms?", "MS", {"subtype": "rrms"}, "primary progressive"),
        ("drug", "are the approved medicines only for relapsing MS", "MS", {}, "Ocrelizumab"),
        ("types", "what is progressive relapsing ms, prms", "MS", {"subtype": "prms"}, "2013"),
        ("types", "is PRMS the rarest type", "", {"subtype": "prms"}, "dropped"),
    ],
)
def test_an_outdated_claim_is_put_right_first(
    intent: str, text: str, about: str, named: dict[str, str], put_right: str, talk: Any
) -> None:
    reply = talk.say(intent, text, about, **named)
    assert reply["outcome"] == "answered"
    assert reply["answer"].startswith("Older pages")
    assert put_right in reply["answer"]
    assert reply["sources"]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_claim_with_a_correction_is_put_right_with_the_fact_behind_it(claim: Any, talk: Any, facts: Snapshot) -> None:
    """A question made of one word of each of its groups."""
    text = " ".join(group[0] for group in claim.asked_with)
    about = "MS ALS" if claim.condition == "both" else claim.condition
    found = {c.id: correcting for c, correcting in facts.assumed_claims(text, about.split())}
    assert claim.id in found
    assert found[claim.id]
    reply = talk.say(claim.topic, text, about)
    assert any(facts.claims[c].correction in reply["answer"] for c in found)
    cited = {f.id for correcting in found.values() for f in correcting}
    assert cited & set(reply["facts"])


@pytest.mark.parametrize(
    ("intent", "text", "about", "named"),
    [
        ("drug", "what is riluzole", "ALS", {"drug": "riluzole"}),
        ("drug", "how does riluzole work", "", {"drug": "riluzole"}),
        ("treatment", "which drugs are there for ALS", "ALS", {}),
        ("treatment", "what is used for relapsing MS", "MS", {"subtype": "rrms"}),
        ("types", "what types of MS are there", "MS", {}),
        ("prognosis", "how long do people live with MS", "MS", {}),
        ("fatality", "is ALS fatal", "ALS", {}),
        ("symptoms", "symptoms of als", "ALS", {}),
        ("cognition", "does ALS affect the mind", "ALS", {}),
        ("bladder_bowel", "does als affect the bladder", "ALS", {}),
        ("lifestyle", "does stress matter", "MS", {}),
        ("diagnosis", "what does an MRI show", "MS", {"test": "mri"}),
        ("myelin", "what is myelin", "MS", {}),
        ("early_signs", "what are the first signs of MS and ALS", "MS ALS", {}),
        ("difference", "what is the difference between MS and ALS", "MS ALS", {}),
        (
            "cognition",
            "My wife has MS. She cries at adverts and laughs when the dog dies. She was never like that.",
            "MS",
            {},
        ),
    ],
)
def test_a_neutral_question_is_not_lectured(
    intent: str, text: str, about: str, named: dict[str, str], talk: Any
) -> None:
    answer = talk.say(intent, text, about, **named)["answer"]
    assert [claim.id for claim in CLAIMS if claim.correction in answer] == []


def test_a_claim_about_one_disease_is_not_put_right_when_the_other_is_asked_about(talk: Any, facts: Snapshot) -> None:
    answer = talk.say("drug", "what is the only drug for MS", "MS")["answer"]
    assert facts.claims["A088"].correction not in answer  # type: ignore[operator]


def test_a_question_that_is_put_right_is_answered_as_well(talk: Any, facts: Snapshot) -> None:
    reply = talk.say("drug", "is riluzole the only drug for ALS?", "ALS", drug="riluzole")
    assert facts.drugs["riluzole"].text in reply["answer"]
    assert "A088" in {c for f in reply["facts"] for c in facts.facts[f].corrects}
