"""A folder of records as small as the build allows, so that tests of the build do not depend on what is true."""

from __future__ import annotations

from pathlib import Path

from facts.build import CLAIM_COUNT
from facts.schema import TOPICS

FILES = {
    "sources": (
        "- {id: a-source, title: A page, publisher: A clinic, year: 2025, tier: A, url: 'https://example.org/a/page'}\n"
    ),
    "claims": "".join(
        f"- {{id: A{n:03}, condition: MS, topic: cure, status: current, claim: It is so.}}\n"
        for n in range(1, CLAIM_COUNT + 1)
    ),
    "comparisons": "- {id: a-row, aspect: Aspect, topics: [cure], MS: one, ALS: two, facts: [ms-cure-fact]}\n",
    "symptoms": (
        "- term: itching\n  topic: mobility\n  MS: {status: typical, text: It can., facts: [ms-cure-fact]}\n"
        "  ALS: null\n"
    ),
    "drugs": (
        "- term: some-drug\n  conditions: [MS]\n  kind: symptom\n  purpose: It helps.\n  status: approved\n"
        "  approvals:\n    - {by: FDA, date: '2020-01'}\n  text: It is a drug.\n  facts: [ms-cure-fact]\n"
    ),
    "tests": "- term: some-test\n  MS: {text: It shows it., facts: [ms-cure-fact]}\n",
    "mimics": (
        "- term: some-disease\n  name: Some disease\n  about: It is a disease.\n  MS: Not alike.\n"
        "  medlineplus: https://medlineplus.gov/\n  sources: [a-source]\n  reviewed: 2026-11-22\n  checked: true\n"
    ),
    "subtypes": (
        "- term: some-form\n  condition: MS\n  name: Some form\n  status: current\n  text: It is a form.\n"
        "  facts: [ms-cure-fact]\n"
    ),
    "organisations": (
        "- {id: some-group, name: Some Group, country: US, conditions: [MS, ALS], url: 'https://example.org',"
        " offers: Help, sources: [a-source]}\n"
    ),
    "helplines": (
        "- {country: US, emergency: '911', crisis: Call 988, sources: [a-source], crisis_sources: [a-source]}\n"
        "- {country: UK, emergency: '999', crisis: Call 116 123, sources: [a-source], crisis_sources: [a-source]}\n"
    ),
    "reviews": "- {topic: cure, by: A Reader, role: nurse, on: 2026-11-30, digest: 'of another text'}\n",
    "terms": "".join(
        f"- {{id: {i}, kind: {kind}, name: {name}}}\n"
        for i, kind, name in (
            ("ms", "condition", "MS"), ("als", "condition", "ALS"), ("itching", "symptom", "itching"),
            ("some-drug", "drug", "somedrug"), ("some-test", "test", "sometest"),
            ("some-disease", "mimic", "somedisease"), ("some-form", "subtype", "someform"),
        )
    ),
}  # fmt: skip

TOPIC = """\
topic: {topic}
review_due: 2027-11-30
questions:
  - id: overview
    title: What is known of {{it}}
    MS:
      text: It is so.
      simple: So.
      why: It just is.
      facts: [ms-{topic}-fact]
    ALS:
      text: It is so.
      facts: [ms-{topic}-fact]
    both:
      text: It is so.
      facts: [ms-{topic}-fact]
    facts:
      - id: ms-{topic}-fact
        condition: both
        statement: This is a plain sentence.
        sources: [a-source]
        reviewed: 2026-11-22
        checked: true
"""


def write_small_folder(folder: Path) -> Path:
    """All tables with a record or two, and for each topic its overview with one fact."""
    (folder / "topics").mkdir(parents=True)
    for table, content in FILES.items():
        (folder / f"{table}.yml").write_text(content, "utf8")
    for topic in TOPICS:
        (folder / "topics" / f"{topic}.yml").write_text(TOPIC.format(topic=topic), "utf8")
    claims = ", ".join(f"A{n:03}" for n in range(1, CLAIM_COUNT + 1))
    cure = folder / "topics" / "cure.yml"
    cure.write_text(f"{cure.read_text('utf8')}        claims: [{claims}]\n", "utf8")
    return folder
