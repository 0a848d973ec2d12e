"""Sign-offs by a clinician: they count while what was signed stands, and replies claim no more than that."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from actions import answers, limits
from actions.question import Context, Message, Question, Term
from facts import drawings, review, store
from facts.build import FOLDER, check, documents, load, review_state
from facts.schema import TOPICS
from facts.store import Snapshot

TODAY = date(2026, 12, 1)


def signed(folder: Path, *topics: str) -> Path:
    """The folder with these topics signed as they stand."""
    found, _ = load(folder)
    tables = {table: [e.record for e in entries] for table, entries in found.items()}
    lines = [
        f"- {{topic: {topic}, by: Dr A, role: neurologist, on: 2026-11-30, digest: '{store.digest(topic, tables)}'}}"
        for topic in topics
    ]
    (folder / "reviews.yml").write_text("\n".join(lines) + "\n", "utf8")
    return folder


def snapshot(folder: Path) -> Snapshot:
    found, errors = load(folder)
    assert errors + check(found) == []
    return Snapshot("small", {table: [e.record for e in entries] for table, entries in found.items()})


def identity(facts: Snapshot) -> str:
    return limits.SAY["bot_identity"](Message(), Context(), facts).answer


def test_nobody_has_signed_the_facts_and_nothing_says_so(facts: Snapshot) -> None:
    assert facts.signed == {}
    assert store.REVIEWED[0] in identity(facts)


def test_a_signed_topic_is_counted_until_it_changes(small: Path) -> None:
    signed(small, "cure", "types")
    facts = snapshot(small)
    assert sorted(facts.signed) == ["cure", "types"]
    assert f"2 of {len(TOPICS)} topics" in identity(facts)
    path = small / "topics" / "cure.yml"
    path.write_text(path.read_text("utf8").replace("This is a plain sentence.", "This is another."), "utf8")
    assert sorted(snapshot(small).signed) == ["types"]
    assert "changed since they were signed: cure" in review_state(load(small)[0], TODAY)


def test_all_topics_signed_is_said_so(small: Path) -> None:
    assert store.REVIEWED[2] in identity(snapshot(signed(small, *TOPICS)))


def test_a_changed_drug_makes_the_sign_off_of_drugs_stale(small: Path) -> None:
    """All that is said is signed somewhere: records of drugs with the questions on drugs."""
    signed(small, "drug", "cure")
    (small / "drugs.yml").write_text((small / "drugs.yml").read_text("utf8").replace("It is a drug.", "It is."), "utf8")
    assert sorted(snapshot(small).signed) == ["cure"]


def test_every_record_that_says_something_is_signed_with_one_topic(facts: Snapshot) -> None:
    tables = {table: [e.record for e in entries] for table, entries in load()[0].items()}
    signable = [t for t in tables if t not in ("sources", "topics", "reviews", "terms")]
    parts = [store.records_of(topic, tables) for topic in TOPICS]
    assert {t: sum(len(p.get(t, ())) for p in parts) for t in signable} == {t: len(tables[t]) for t in signable}


def reply(facts: Snapshot, topic: str, condition: str = "MS") -> dict[str, Any]:
    found = answers.answer(Question(topic, (condition,)), facts)
    assert found is not None
    return found.metadata(facts)


def test_only_an_answer_from_a_signed_topic_is_said_to_be_signed(small: Path) -> None:
    assert "signed" not in reply(snapshot(small), "types")
    facts = snapshot(signed(small, "types"))
    assert reply(facts, "types")["signed"] is True
    assert "signed" not in reply(facts, "cause")


def test_a_sign_off_counts_as_the_day_the_facts_were_looked_at(small: Path) -> None:
    before = reply(snapshot(small), "types")["reviewed"]
    after = reply(snapshot(signed(small, "types")), "types")["reviewed"]
    assert before < after == "2026-11-30"


def test_what_is_said_of_a_drug_or_of_oneself_is_signed_once_every_topic_is(small: Path) -> None:
    drug = Question("drug", ("MS",), (Term("drug", "some-drug"),))
    for topics, is_signed in ((TOPICS[1:], False), (TOPICS, True)):
        facts = snapshot(signed(small, *topics))
        about = answers.answer(drug, facts)
        assert about is not None
        assert ("signed" in about.metadata(facts)) is is_signed
        greeting = limits.SAY["greet"](Message(), Context(), facts)
        assert ("signed" in greeting.metadata(facts)) is is_signed


def test_the_chat_page_and_the_documents_say_what_is_signed(small: Path) -> None:
    page = small.parent / "web" / "index.html"
    page.parent.mkdir()
    page.write_text((FOLDER.parent / "web" / "index.html").read_text("utf8"), "utf8")
    assert store.REVIEWED[0] in documents(load(small)[0], small.parent)[page]
    written = documents(load(signed(small, "cure"))[0], small.parent)
    assert len(written) == 3
    assert all(f"signed 1 of {len(TOPICS)} topics" in text for text in written.values())
    assert not any(store.REVIEWED[0] in text for text in written.values())


def test_topics_that_are_due_are_listed(small: Path) -> None:
    assert not any("due" in line for line in review_state(load(small)[0], TODAY))
    path = small / "topics" / "drug.yml"
    path.write_text(path.read_text("utf8").replace("review_due: 2027-11-30", "review_due: 2026-12-01"), "utf8")
    assert "due to be looked at again: drug" in review_state(load(small)[0], TODAY)


def test_every_topic_is_due_within_a_year_and_drugs_and_research_in_half_a_year(facts: Snapshot) -> None:
    assert set(facts.topics) == set(TOPICS)
    for topic in facts.topics.values():
        days = (topic.review_due - date(2026, 11, 30)).days
        assert days <= (183 if topic.topic in ("drug", "research") else 366), topic.topic


def test_a_sheet_shows_each_question_answer_fact_and_source(facts: Snapshot, tmp_path: Path) -> None:
    page = review.sheet("prognosis", load()[0])
    for question in (q for q in facts.questions.values() if q.topic == "prognosis"):
        assert review.escape(question.worded("the disease")) in page
        assert all(review.escape(a.text) in page for a in question.answers.values())
    for fact in (f for f in facts.facts.values() if f.topics[0] == "prognosis"):
        assert review.escape(fact.statement) in page
        assert all(review.escape(facts.sources[s].url) in page for s in fact.sources)


def test_a_sheet_shows_each_drawing_of_its_questions_once_with_all_that_it_says() -> None:
    found = load()[0]
    page = review.sheet("diagnosis", found)
    for name in ("mri", "emg", "mri-emg"):
        drawing = drawings.read(name)
        assert page.count(f"<figcaption><b>{review.escape(drawing.title)}</b>") == 1
        assert page.count(drawing.svg) == 1
        for text in (drawing.caption, drawing.description, *(url for _, url in drawing.sources)):
            assert review.escape(text) in page
    assert "from above" in page.partition("diagnosis/test_happens")[2]  # and where else it is shown
    assert "<figure>" not in review.sheet("prognosis", found)


@pytest.mark.parametrize(("topic", "table"), [("drug", "drugs"), ("types", "subtypes"), ("support", "organisations")])
def test_a_sheet_shows_the_records_of_tables_too(topic: str, table: str, facts: Snapshot) -> None:
    page = review.sheet(topic, load()[0])
    rows: Any = getattr(facts, table)
    for row in rows.values() if isinstance(rows, dict) else rows:
        assert review.escape(getattr(row, "text", None) or row.offers) in page
        assert all(review.escape(facts.sources[s].url) in page for s in row.sources)


def test_a_sign_off_is_written_and_read(tmp_path: Path, facts: Snapshot) -> None:
    file = tmp_path / "reviews.yml"
    file.write_text((FOLDER / "reviews.yml").read_text("utf8"), "utf8")
    review.sign("cure", "Dr O'Neill", "neurologist", date(2026, 12, 1), file)
    line = review.sign("types", "Dr B", "MS nurse", date(2026, 12, 2), file)
    (first, second) = (dict(row) for row in review_rows(file))
    assert first["by"] == "Dr O'Neill"
    assert second["digest"] in line
    assert "Nobody has signed" not in file.read_text("utf8")


def review_rows(file: Path) -> list[Any]:
    from ruamel.yaml import YAML

    return list(YAML(typ="safe").load(file.read_text("utf8")))


def test_nobody_signs_without_a_name(tmp_path: Path) -> None:
    file = tmp_path / "reviews.yml"
    file.write_text("[]\n", "utf8")
    with pytest.raises(SystemExit, match="needs a name"):
        review.sign("cure", " ", "nurse", file=file)
    assert file.read_text("utf8") == "[]\n"
