"""What the records must hold: every topic answered, plainly, with a source; every claim carried."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from itertools import product

import pytest
import textstat

from facts.build import FOLDER, Located, claims_table
from facts.schema import CONDITIONS, TOPICS
from facts.store import Snapshot

SCOPES = {"MS": ("MS",), "ALS": ("ALS",), "both": CONDITIONS}
#: The words that plain language can't do without.
NAMES = ("condition", "subtype", "mimic", "drug", "person")


@pytest.fixture(scope="module")
def grade(facts: Snapshot) -> Callable[[str], float]:
    """US school grade of a text, names of diseases, drugs and people aside."""
    terms = [t for t in facts.terms.values() if t.kind in NAMES]
    names = sorted({n for t in terms for n in (t.name, *t.synonyms, *t.abbreviations)}, key=len, reverse=True)
    pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b", re.IGNORECASE)
    return lambda text: float(textstat.flesch_kincaid_grade(pattern.sub("it", text)))


@pytest.mark.parametrize(("topic", "scope"), product(TOPICS, SCOPES))
def test_a_topic_has_a_short_plain_answer_with_a_source(
    topic: str, scope: str, facts: Snapshot, grade: Callable[[str], float]
) -> None:
    answer = facts.answer(topic, SCOPES[scope])
    assert answer is not None
    for text, most in ((answer.text, 80), (answer.simple, 35), (answer.why, 60)):
        assert text is None or 3 <= len(text.split()) <= most, text
        assert text is None or grade(text) <= 8, text
    cited = [facts.facts[f] for f in answer.facts]
    assert [facts.sources[s].url for f in cited for s in f.sources]
    assert all(datetime.date(2020, 1, 1) < f.reviewed for f in cited)


def test_an_answer_names_only_facts_that_are_about_its_condition(facts: Snapshot) -> None:
    strange = [
        f"{topic}/{scope}: {fact}"
        for topic, scope in product(TOPICS, CONDITIONS)
        for fact in facts.answer(topic, (scope,)).facts  # type: ignore[union-attr]
        if facts.facts[fact].condition not in (scope, "both")
    ]
    assert strange == []


@pytest.mark.parametrize("number", range(1, 104))
def test_a_claim_is_carried_by_a_fact_and_listed(number: int, facts: Snapshot) -> None:
    claim = facts.claims[f"A{number:03}"]
    carrying = [f.id for f in facts.facts.values() if claim.id in (*f.claims, *f.corrects)]
    assert carrying
    rows = (FOLDER.parent / "docs" / "claims.md").read_text("utf8").splitlines()
    for fact in carrying:
        assert [row for row in rows if row.startswith(f"| {claim.id} |") and f"`{fact}`" in row]


def test_an_outdated_claim_is_corrected_and_a_current_one_is_not(facts: Snapshot) -> None:
    corrected = {c for f in facts.facts.values() for c in f.corrects}
    assert [c.id for c in facts.claims.values() if c.status == "outdated" and c.id not in corrected] == []
    assert [c.id for c in facts.claims.values() if c.status == "current" and c.id in corrected] == []


def test_the_table_of_claims_is_the_one_the_build_would_write(
    loaded: dict[str, list[Located]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facts.build.load", lambda folder: (loaded, []))  # not read a second time
    assert (FOLDER.parent / "docs" / "claims.md").read_text("utf8") == claims_table()


def test_both_diseases_are_compared_in_25_rows(facts: Snapshot) -> None:
    assert len(facts.comparisons) == 25
    assert len({row.aspect for row in facts.comparisons}) == 25


def test_at_least_15_other_diseases_are_told_apart_from_ms_or_als(facts: Snapshot) -> None:
    assert len(facts.mimics) >= 15
    assert [m.term for m in facts.mimics.values() if not m.cells or not m.about] == []
    assert [m.term for m in facts.mimics.values() if not m.medlineplus.startswith("https://medlineplus.gov/")] == []


@pytest.mark.parametrize("name", ["guillain-barre", "lupus", "fibromyalgia", "lyme", "pls", "cmt", "fnd"])
def test_a_disease_people_often_ask_about_has_a_row(name: str, facts: Snapshot) -> None:
    assert [m for m in facts.mimics if m == name or m.startswith(f"{name}-")]


def test_every_drug_says_what_it_is_for_and_where_it_stands(facts: Snapshot) -> None:
    """Only a record that stands for several drugs (kind other) may go without a status."""
    assert [d.term for d in facts.drugs.values() if not d.purpose or not d.text] == []
    assert [d.term for d in facts.drugs.values() if not d.status and d.kind != "other"] == []


@pytest.mark.parametrize(
    ("drug", "when"), [("riluzole", "1995-12"), ("edaravone", "2017"), ("tofersen", "2023"), ("ocrelizumab", "2017")]
)
def test_an_approval_has_its_date(drug: str, when: str, facts: Snapshot) -> None:
    assert facts.drugs[drug].status == "approved"
    assert facts.drugs[drug].approvals[0].date.startswith(when)


def test_no_name_belongs_to_two_terms(facts: Snapshot) -> None:
    owners: dict[str, set[str]] = {}
    for term in facts.terms.values():
        for name in (term.name, *term.synonyms, *term.abbreviations, *term.misspellings):
            owners.setdefault(name.lower(), set()).add(term.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("MND", "als"),
        ("motor neurone disease", "als"),
        ("Lou Gehrig's disease", "als"),
        ("multiple sclerosis", "ms"),
        ("RRMS", "rrms"),
        ("Rilutek", "riluzole"),
        ("Ocrevus", "ocrelizumab"),
    ],
)
def test_a_name_people_use_is_known(name: str, term: str, facts: Snapshot) -> None:
    found = facts.terms[term]
    assert name.lower() in {n.lower() for n in (found.name, *found.synonyms, *found.abbreviations)}


@pytest.mark.parametrize("table", ["symptoms", "drugs", "tests", "mimics", "subtypes"])
def test_a_row_is_about_a_term_of_its_kind(table: str, facts: Snapshot) -> None:
    kinds = {"symptoms": "symptom", "drugs": "drug", "tests": "test", "mimics": "mimic", "subtypes": "subtype"}
    rows = getattr(facts, table)
    strange = {term: facts.terms[term].kind for term in rows if facts.terms[term].kind != kinds[table]}
    assert {
        t: k for t, k in strange.items() if (table, k) not in (("mimics", "subtype"), ("drugs", "topic_word"))
    } == {}


def test_every_symptom_test_and_form_that_is_recognised_has_a_row(facts: Snapshot) -> None:
    """Drugs need none: of one without a row the assistant says that it has no fact."""
    rows = {"symptom": facts.symptoms, "test": facts.tests, "subtype": facts.subtypes}
    assert [t.id for t in facts.terms.values() if t.kind in rows and t.id not in rows[t.kind]] == []


def test_a_drug_of_one_disease_implies_it(facts: Snapshot) -> None:
    """So that "what is riluzole" is a question about ALS."""
    drugs = [d for d in facts.drugs.values() if len(d.conditions) == 1 and d.kind == "disease_modifying"]
    wrong = [d.term for d in drugs if facts.terms[d.term].implies != d.conditions[0]]
    assert wrong == []


def test_emergency_numbers_are_there_for_every_country_with_a_helpline(facts: Snapshot) -> None:
    assert {"US", "UK"} <= {line.country for line in facts.helplines}
    assert [line.country for line in facts.helplines if not re.search(r"\d{3}", line.emergency)] == []
    assert [line.country for line in facts.helplines if not line.crisis] == []
