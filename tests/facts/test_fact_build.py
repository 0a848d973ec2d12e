"""The build refuses what is wrong and names all of it at once, with file and line."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from facts.build import FOLDER

HARD_SENTENCE = (
    "Immunomodulatory pharmacotherapies substantially ameliorate inflammatory demyelination, "
    "notwithstanding considerable interindividual heterogeneity."
)


def fact(identifier: str, **changes: str) -> str:
    """A fact without a fault, but for the fields that are given."""
    fields = {
        "id": identifier,
        "condition": "ALS",
        "topics": "[cause]",
        "statement": "This is a plain sentence.",
        "sources": "[ninds-home]",
        "reviewed": "2026-11-22",
        "checked": "true",
        **changes,
    }
    lines = [f"{name}: {value}" for name, value in fields.items() if value]
    return "  - " + "\n    ".join(lines) + "\n"


def line_of(text: str, start: str) -> int:
    """The number of the one line that begins so."""
    found = [
        number for number, line in enumerate(text.splitlines(), 1) if line == start or line.startswith(f"{start} ")
    ]
    assert len(found) == 1, (start, found)
    return found[0]


@dataclass(frozen=True)
class Break:
    """One thing that is wrong: where it is put, how, and what the build says of it.

    Attributes:
        file: the file that is changed.
        change: the old text of the file to the new one.
        at: how the line begins that the error names; the first line of the file when empty.
        says: what the error says behind `file:line: `, as a regular expression.
    """

    file: str
    change: Callable[[str], str]
    at: str
    says: str


def with_fact(identifier: str, says: str, file: str = "als.yml", **changes: str) -> Break:
    """A fact with a fault, put before the others."""
    return Break(
        file,
        lambda text: text.replace("facts:\n", "facts:\n" + fact(identifier, **changes), 1),
        f"  - id: {identifier}",
        f"facts {identifier}: {says}",
    )


def with_record(file: str, record: str, says: str) -> Break:
    """A record with a fault, put behind the others."""
    return Break(file, lambda text: f"{text.rstrip()}\n{record}\n", record.splitlines()[0], says)


def with_answer(topic: str, field: str, text: str, says: str) -> Break:
    """The answer to a topic about ALS, one of its texts replaced."""

    def change(content: str) -> str:
        head, answers = content.split("\nanswers:\n")
        before, rest = answers.split(f"  - topic: {topic}\n")
        this, _, after = rest.partition("\n  - topic: ")
        this = re.sub(rf"(?m)^    {field}:.*\n(?:      .*\n)*", "", this + "\n")
        assert f"    {field}:" not in this
        return f"{head}\nanswers:\n{before}  - topic: {topic}\n    {field}: {text}\n{this}  - topic: {after}"

    return Break("als.yml", change, f"  - topic: {topic}", f"answers {topic}/ALS: {says}")


def without_claim(text: str) -> str:
    return re.sub(r"(?m)^- id: A050\n(?:  .*\n)+", "", text)


def without_answer(text: str) -> str:
    head, answers = text.split("\nanswers:\n")
    return f"{head}\nanswers:\n" + re.sub(r"(?m)^  - topic: vaccines\n(?:    .*\n)+", "", answers)


def existing_fact() -> str:
    """The id of a fact about MS."""
    return str(re.search(r"  - id: (\S+)", (FOLDER / "ms.yml").read_text("utf8"))[1])  # type: ignore[index]


BREAKS = {
    "a fact without a source": with_fact("test-no-source", r"sources: .*at least 1", sources="[]"),
    "a fact without its sources field": with_fact("test-no-sources", r"sources: field required", sources=""),
    "a record with neither sources nor facts": with_record(
        "mimics.yml",
        "- term: mri\n  name: Bunion\n  about: A sore toe.\n  MS: Not alike.\n  ALS: Not alike.\n"
        "  medlineplus: https://medlineplus.gov/\n  sources: []\n  facts: []\n  reviewed: 2026-11-22\n  checked: true",
        r"mimics mri: has no source",
    ),
    "a source that does not exist": with_fact(
        "test-dead-source", r'source "nobody-2001" is not in sources\.yml', sources="[nobody-2001]"
    ),
    "a term that does not exist": with_fact(
        "test-dead-term", r'term "no-such-term" is not in terms\.yml', terms="[no-such-term]"
    ),
    "a claim that does not exist": with_fact(
        "test-dead-claim", r'claim "A999" is not in claims\.yml', corrects="[A999]"
    ),
    "a fact that does not exist": with_record(
        "comparisons.yml",
        "- id: test-dead-fact\n  aspect: Aspect\n  topics: [cause]\n  MS: one\n  ALS: two\n  facts: [no-such-fact]",
        r'comparisons test-dead-fact: fact "no-such-fact" does not exist',
    ),
    "an id that is used twice": with_fact(existing_fact(), r"stands already at facts/als\.yml:\d+"),
    "a topic that does not exist": with_fact("test-topic", r"topics.*'weather' is not one of", topics="[weather]"),
    "a condition that does not exist": with_fact(
        "test-condition", r"condition.*is not one of MS, ALS", condition="PLS"
    ),
    "an answer of 81 words": with_answer("prognosis", "text", "It is so. " * 27, r"text has 81 words, 80 at most"),
    "a simple answer of 36 words": with_answer("cure", "simple", "It is so. " * 12, r"simple has 36 words, 35 at most"),
    "a reason of 61 words": with_answer(
        "treatment", "why", "It is so. " * 19 + "It is so now.", r"why has 61 words, 60 at most"
    ),
    "an answer above grade 8": with_answer(
        "autoimmune", "text", HARD_SENTENCE, r"text reads at grade [\d.]+, 8 at most"
    ),
    "a field that does not exist": with_fact("test-field", r"statment: extra fields", statment="A slip."),
    "a date that is none": with_fact("test-date", r"reviewed: invalid date", reviewed="last week"),
    "a record that is none": with_record("organisations.yml", "- only text", r"organisations only text: "),
    "a source without a web address": with_record(
        "sources.yml",
        "- {id: test-address, title: T, publisher: P, url: www.example.org, year: null, tier: A}",
        r"sources test-address: url: .*web address",
    ),
    "a symptom without a status": with_record(
        "symptoms.yml",
        f"- term: mri\n  topic: mobility\n  MS: {{text: Yes., facts: [{existing_fact()}]}}\n  ALS: null",
        r"symptoms mri: .*needs a status",
    ),
    "a name that two terms have": with_record(
        "terms.yml",
        "- {id: test-name, kind: drug, name: RILUZOLE}",
        r'terms test-name: the name "riluzole" also belongs',
    ),
    "a claim that is missing": Break("claims.yml", without_claim, "", r"claim A050 is missing"),
    "a claim no fact answers": with_record(
        "claims.yml",
        "- {id: A104, condition: MS, topic: cure, status: outdated, claim: It goes away.}",
        r"claims A104: no fact carries or corrects it",
    ),
    "a topic without an answer": Break("both.yml", without_answer, "", r"answers: topic vaccines has no answer"),
    "a file that is no YAML": with_record("tests.yml", "- {term: never closed", r"not valid YAML"),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A copy of the folder with everything broken at once, and what the build says to it."""
    place = tmp_path_factory.mktemp("broken")
    folder = Path(shutil.copytree(FOLDER, place / "facts", ignore=shutil.ignore_patterns("__pycache__")))
    for one in BREAKS.values():
        path = folder / one.file
        path.write_text(one.change(path.read_text("utf8")), "utf8")
    (folder / "subtypes.yml").unlink()
    store = place / "facts.sqlite"
    store.write_text("the store of yesterday")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "facts.build"],
        cwd=place,
        env={"FACT_STORE_URL": f"sqlite:///{store}", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return folder, done


@pytest.mark.parametrize("what", BREAKS)
def test_the_build_names_file_and_line_of(what: str, broken: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = broken
    one = BREAKS[what]
    if what == "a file that is no YAML":  # where the parser gave up: the line behind the last
        line = r"\d+"
    elif one.at:
        text = (folder / one.file).read_text("utf8")
        if one.says.startswith("answers"):
            head, answers = text.split("\nanswers:\n")
            line = str(head.count("\n") + 2 + line_of(answers, one.at))
        elif what == "an id that is used twice":
            line = str(line_of((folder / "ms.yml").read_text("utf8"), one.at))
        else:
            line = str(line_of(text, one.at))
    else:
        line = "1"
    file = "ms.yml" if what == "an id that is used twice" else one.file
    expected = re.compile(rf"facts/{re.escape(file)}:{line}: .*{one.says.removeprefix('answers ')}")
    assert [error for error in done.stderr.splitlines() if expected.match(error)], (expected.pattern, done.stderr)


def test_the_build_names_a_missing_file(broken: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert "facts/subtypes.yml:1: the file is missing" in broken[1].stderr.splitlines()


def test_the_build_says_how_many_errors_there_are_and_nothing_else(
    broken: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    *errors, last = broken[1].stderr.splitlines()
    assert broken[1].returncode == 1
    assert broken[1].stdout == ""
    assert last == f"{len(errors)} errors, nothing built"
    assert all(re.match(r"facts/\w+\.yml:\d+: ", error) for error in errors), errors


def test_a_store_that_stands_is_left_alone_when_something_is_wrong(
    broken: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    assert (broken[0].parent / "facts.sqlite").read_text() == "the store of yesterday"


def test_nothing_but_what_is_broken_is_named(broken: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    """Every error belongs to a break, or to a record that needs what a break took away."""
    known = [one.says.removeprefix("answers ") for one in BREAKS.values()]
    known += [r"the file is missing", r'claim "A050" is not in claims\.yml', r"\d+ errors, nothing built"]
    others = [line for line in broken[1].stderr.splitlines() if not any(re.search(k, line) for k in known)]
    assert others == []


def test_the_store_can_be_read_with_stock_sqlite(store_url: str) -> None:
    with sqlite3.connect(store_url.removeprefix("sqlite:///")) as connection:
        rows = connection.execute(
            "select d.term, s.value from drugs d join drugs_subtypes s on s.owner = d.row where s.value = 'ppms'"
        ).fetchall()
    assert ("ocrelizumab", "ppms") in rows
