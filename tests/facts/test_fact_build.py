"""The build refuses what is wrong and names all of it at once, with file and line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from facts import build as fact_build
from facts.build import FOLDER, Located, build, check, load
from facts.store import FactStore
from tests.facts.small_folder import write_small_folder

HARD = (
    "Immunomodulatory pharmacotherapies substantially ameliorate inflammatory demyelination, "
    "notwithstanding considerable interindividual heterogeneity."
)


@dataclass(frozen=True)
class Break:
    """One thing that is wrong: where, how, and what the build says of it.

    Attributes:
        file: the file that is changed.
        change: the text of the file to what it becomes.
        at: how the line begins that the error names, behind its indent; the first line of the file when empty.
        says: what the error says behind `file:line: `, as a regular expression.
    """

    file: str
    change: Callable[[str], str]
    at: str
    says: str


def added(file: str, record: str, says: str) -> Break:
    """A record with a fault, put behind the others."""
    return Break(file, lambda text: f"{text}{record}\n", record.splitlines()[0].strip(), says)


def with_fact(name: str, says: str, **changes: str) -> Break:
    """A fact with a fault, put behind those of a topic; `changes` are its fields, left out when empty."""
    fields = {
        "id": name, "condition": "ALS", "statement": "This is a plain sentence.", "sources": "[a-source]",
        "reviewed": "2026-11-22", "checked": "true", **changes,
    }  # fmt: skip
    lines = [f"{field}: {value}" for field, value in fields.items() if value]
    return Break(
        "topics/cause.yml",
        lambda text: f"{text}      - " + "\n        ".join(lines) + "\n",
        f"- id: {name}",
        f"facts {fields['id']}: {says}",
    )


def with_question(name: str, says: str, fields: str, file: str = "topics/diagnosis.yml") -> Break:
    """A question with a fault, put behind the others of a topic."""
    topic = Path(file).stem
    return Break(
        file,
        lambda text: f"{text}  - id: {name}\n" + "".join(f"    {line}\n" for line in fields.splitlines()),
        f"- id: {name}",
        f"questions (?:{topic}/)?{name}: {says}",
    )


def answer(**texts: str) -> str:
    """The fields of a question with one answer."""
    lines = "".join(f"\n  {field}: {text}" for field, text in {"text": "It is so.", **texts}.items())
    return f"title: A question\nMS:{lines}\n  facts: [ms-cure-fact]"


def without(pattern: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        changed = re.sub(pattern, "", text)
        assert changed != text, pattern
        return changed

    return change


BREAKS = {
    # facts
    "a fact without a source": with_fact("no-source", r"sources: .*at least 1", sources="[]"),
    "a fact without its sources field": with_fact("no-sources", r"sources: field required", sources=""),
    "a source that does not exist": with_fact(
        "dead-source", r'source "nobody" is not in sources\.yml', sources="[nobody]"
    ),
    "a term that does not exist": with_fact("dead-term", r'term "no-such" is not in terms\.yml', terms="[no-such]"),
    "a claim that does not exist": with_fact("dead-claim", r'claim "A999" is not in claims\.yml', corrects="[A999]"),
    "a fact id that is used twice": with_fact(
        "ms-autoimmune-fact", r"stands already at facts/topics/autoimmune\.yml:\d+"
    ),
    "a condition that does not exist": with_fact("bad-condition", r"condition.*is not one of MS, ALS", condition="PLS"),
    "another topic that does not exist": with_fact("bad-also", r"also.*'weather' is not one of", also="[weather]"),
    "a field that does not exist": with_fact("bad-field", r"statment: extra fields", statment="A slip."),
    "a date that is none": with_fact("bad-date", r"reviewed: invalid date", reviewed="last week"),
    "a fact above grade 8": with_fact("hard-fact", r"statement reads at grade [\d.]+, 8 at most", statement=HARD),
    # questions
    "an answer of 81 words": with_question(
        "long", r"MS\.text has 81 words, 80 at most", answer(text="It is so. " * 27)
    ),
    "a simple answer of 36 words": with_question(
        "long_simple", r"MS\.simple has 36 words, 35 at most", answer(simple="It is so. " * 12)
    ),
    "a reason of 61 words": with_question(
        "long_why", r"MS\.why has 61 words, 60 at most", answer(why="It is so. " * 19 + "It is so now.")
    ),
    "an answer above grade 8": with_question("hard", r"MS\.text reads at grade [\d.]+, 8 at most", answer(text=HARD)),
    "a question without an answer": with_question("empty", r".*has no answer", "title: A question"),
    "a question without a title": with_question(
        "untitled", r"title: field required", "MS: {text: So., facts: [ms-cure-fact]}"
    ),
    "a title of 61 characters": with_question(
        "wide", r"title: .*60 characters", answer().replace("A question", "A" * 61)
    ),
    "an answer without facts": with_question("bare", r".*facts: .*at least 1", "title: A\nMS: {text: So., facts: []}"),
    "an answer about a fact that does not exist": with_question(
        "dead_fact", r'fact "no-such-fact" does not exist', "title: A\nMS: {text: So., facts: [no-such-fact]}"
    ),
    "a next question that does not exist": with_question(
        "dead_next", r'question "cure/nothing" is not in', answer() + "\nnext: [cure/nothing]"
    ),
    "a field of a kind that does not exist": with_question(
        "bad_aspect", r".*aspect 'taste' is none of a drug", "title: A {name}\nof: drug\naspect: taste"
    ),
    "a kind that does not exist": with_question(
        "bad_kind", r"of: 'weather' is not one of", "title: A\nof: weather\naspect: text"
    ),
    "a question id that is used twice": with_question(
        "overview", r"stands already at facts/topics/research\.yml:\d+", answer(), "topics/research.yml"
    ),
    "a question that is only text": added("topics/mobility.yml", "  - only text", r"questions only text: "),
    "an overview without an answer for ALS": Break(
        "topics/vaccines.yml",
        without(r"    ALS:\n      text: .*\n      facts: .*\n"),
        "",
        r"the overview has no answer for ALS",
    ),
    "a topic's file that names another topic": Break(
        "topics/pregnancy.yml",
        lambda text: text.replace("topic: pregnancy", "topic: cure"),
        "",
        r"needs `topic: pregnancy`",
    ),
    "a topic's file that is a list": Break(
        "topics/support.yml", lambda text: "- nothing\n", "", r"needs `topic: support`"
    ),
    "a topic's file that is no YAML": added("topics/therapy.yml", "  - {id: never closed", r"not valid YAML"),
    "a topic's file of a topic that does not exist": Break(
        "topics/weather.yml",
        lambda text: (
            "topic: weather\nquestions:\n  - id: rain\n    title: Rain\n    MS: {text: So., facts: [ms-cure-fact]}\n"
        ),
        "- id: rain",
        r"questions weather/rain: topic: 'weather' is not one of",
    ),
    # tables
    "a source without a web address": added(
        "sources.yml",
        "- {id: bad-address, title: T, publisher: P, url: www.example.org, year: null, tier: A}",
        r"sources bad-address: url: .*web address",
    ),
    "a record without sources and facts": added(
        "mimics.yml",
        "- term: itching\n  name: Bunion\n  about: A sore toe.\n  MS: Not alike.\n  ALS: Not alike.\n"
        "  medlineplus: https://medlineplus.gov/\n  reviewed: 2026-11-22\n  checked: true",
        r"mimics itching: has no source",
    ),
    "a row about a fact that does not exist": added(
        "comparisons.yml",
        "- {id: bad-row, aspect: A, topics: [cure], MS: one, ALS: two, facts: [gone]}",
        r'comparisons bad-row: fact "gone" does not exist',
    ),
    "a record that is none": added("organisations.yml", "- only text", r"organisations only text: "),
    "a symptom without a status": added(
        "symptoms.yml",
        "- term: some-test\n  topic: mobility\n  MS: {text: Yes., facts: [ms-cure-fact]}",
        r"symptoms some-test: .*needs a status",
    ),
    "a name that two terms have": added(
        "terms.yml", "- {id: second, kind: drug, name: SOMEDRUG}", r'terms second: the name "somedrug" also belongs'
    ),
    "a claim no fact answers": added(
        "claims.yml",
        "- {id: A104, condition: MS, topic: cure, status: outdated, claim: It goes away.}",
        r"claims A104: no fact carries or corrects it",
    ),
    "a claim that is missing": Break("claims.yml", without(r"(?m)^- \{id: A050,.*\n"), "", r"claim A050 is missing"),
    "a file of no known kind": Break(
        "weather.yml", lambda text: "- {id: rain}\n", "", r"'weather' is not a list of a known kind"
    ),
    "a table that is empty": Break("subtypes.yml", lambda text: "", "", r"."),
    "a topic's file that is empty": Break("topics/mimics.yml", lambda text: "", "", r"."),
    "a file that is no YAML": added("tests.yml", "- {term: never closed", r"not valid YAML"),
}


def spoil(folder: Path, one: Break) -> None:
    path = folder / one.file
    path.write_text(one.change(path.read_text("utf8") if path.exists() else ""), "utf8")


def line_of(text: str, start: str) -> str:
    """The number of the last line that begins so behind its indent."""
    return str([n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start)][-1])


def errors_of(folder: Path) -> list[str]:
    found, errors = load(folder)
    return errors + check(found)


def test_the_small_folder_builds(small: Path, tmp_path: Path) -> None:
    assert build(tmp_path / "facts.json", small) == []
    assert FactStore(tmp_path / "facts.json").snapshot().facts


def test_the_records_of_the_repository_build(loaded: dict[str, list[Located]]) -> None:
    assert check(loaded) == []


@pytest.mark.parametrize("what", BREAKS)
def test_the_build_names_file_and_line_of(what: str, small: Path, tmp_path: Path) -> None:
    one = BREAKS[what]
    spoil(small, one)
    text = (small / one.file).read_text("utf8")
    # YAML that is none: the parser gives up at the line behind the last.
    line = r"\d+" if "no YAML" in what else line_of(text, one.at) if one.at else "1"
    expected = re.compile(rf"facts/{re.escape(one.file)}:{line}: .*{one.says}")
    errors = build(tmp_path / "facts.json", small)
    assert [e for e in errors if expected.match(e)], (expected.pattern, errors)
    assert all(re.match(r"facts/[\w/]+\.yml:\d+: ", e) for e in errors), errors
    assert not (tmp_path / "facts.json").exists()


@pytest.mark.parametrize("table", ["subtypes", "terms", "helplines"])
def test_the_build_names_a_missing_file(table: str, small: Path) -> None:
    (small / f"{table}.yml").unlink()
    assert f"facts/{table}.yml:1: the file is missing" in errors_of(small)


def test_the_build_names_a_topic_whose_file_is_missing(small: Path) -> None:
    (small / "topics" / "vaccines.yml").unlink()
    assert [e for e in errors_of(small) if e.startswith("facts/topics/vaccines.yml:1: ")]


def test_a_file_that_is_not_utf_8_is_named(small: Path) -> None:
    """As an older editor writes an umlaut."""
    (small / "topics" / "cure.yml").write_bytes("topic: cure # für alle\n".encode("latin-1"))
    assert [e for e in errors_of(small) if e.startswith("facts/topics/cure.yml:1: ")]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Much that is wrong at once, and what the command says to it."""
    place = tmp_path_factory.mktemp("broken")
    folder = write_small_folder(place / "facts")
    for code in FOLDER.glob("*.py"):
        shutil.copy(code, folder)
    for what, one in BREAKS.items():
        if "no YAML" not in what and "is a list" not in what and "names another topic" not in what:
            spoil(folder, one)
    store = place / "facts.json"
    store.write_text("the store of yesterday")
    return folder, command(place, store)


def command(place: Path, store: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "facts.build"],
        cwd=place,
        env={"FACTS_FILE": str(store), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_all_that_is_wrong_is_named_at_once(broken: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    *errors, last = broken[1].stderr.splitlines()
    assert broken[1].returncode == 1
    assert broken[1].stdout == ""
    assert last == f"{len(errors)} errors, nothing built"
    unnamed = [
        what for what, one in BREAKS.items()
        if "no YAML" not in what and "is a list" not in what and "names another topic" not in what
        and not [e for e in errors if re.match(rf"facts/{re.escape(one.file)}:\d+: .*{one.says}", e)]
    ]  # fmt: skip
    assert unnamed == []


def test_a_store_that_stands_is_left_alone_when_something_is_wrong(
    broken: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    assert (broken[0].parent / "facts.json").read_text() == "the store of yesterday"


def test_the_command_says_what_it_built(tmp_path: Path) -> None:
    folder = write_small_folder(tmp_path / "facts")
    for code in FOLDER.glob("*.py"):
        shutil.copy(code, folder)
    (tmp_path / "docs").mkdir()
    done = command(tmp_path, tmp_path / "new" / "facts.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("facts built: ")
    assert FactStore(tmp_path / "new" / "facts.json").snapshot().questions
    assert "| A001 |" in (tmp_path / "docs" / "claims.md").read_text("utf8")


def test_a_store_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    folder = write_small_folder(tmp_path / "facts")
    for code in FOLDER.glob("*.py"):
        shutil.copy(code, folder)
    (tmp_path / "file").write_text("")
    done = command(tmp_path, tmp_path / "file" / "facts.json")
    assert done.returncode == 1
    assert "FACTS_FILE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["docs/claims.md", "docs/sources.md", "web/index.html"])
def test_what_is_written_from_the_records_stands_as_the_build_would_write_it(
    name: str, loaded: dict[str, list[Located]]
) -> None:
    path = FOLDER.parent / name
    assert path.read_text("utf8") == fact_build.documents(loaded)[path], "run `make facts`"


def test_the_table_of_sources_counts_what_the_records_cite(small: Path) -> None:
    found, _ = load(small)
    tables = {table: [e.record for e in entries] for table, entries in found.items()}
    lines = fact_build.sources_table(tables, "").splitlines()
    rows = dict(line[2:].split(" | ", 1) for line in lines if line.startswith("| "))
    assert rows["contagious"].split(" | ")[:3] == ["1", "0", "1"]
    assert rows["drug"].split(" | ")[0] == "2"  # a fact and the record of a drug
