"""Compile the YAML records into the fact store: `python -m facts.build`.

Prints every error at once as `file:line: record: what is wrong`, and builds only when there is none.
"""

import argparse
import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple
from urllib.parse import urlsplit

import textstat
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from facts import store
from facts.schema import SCOPES, TABLES, TOPICS, Record, Topic

FOLDER = Path(__file__).parent
DEFAULT_FILE = FOLDER.parent / ".build" / "facts.json"
MAX_WORDS = {"text": 80, "simple": 35, "why": 60}
MAX_GRADE = 8.0
CLAIM_COUNT = 103


class Located(NamedTuple):
    """A record and where it stands."""

    record: Any  # of the type that `TABLES` has for its table
    file: str
    line: int

    def error(self, table: str, message: str) -> str:
        return f"{self.file}:{self.line}: {table} {self.record.key}: {message}"


def _plain(value: Any) -> Any:
    """YAML values as plain Python ones; dates of approvals stay text."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.strip() if isinstance(value, str) else value


def load(folder: Path = FOLDER) -> Tuple[Dict[str, List[Located]], List[str]]:
    """Read every record of the folder.

    Returns:
        The valid records by table, and an error line for each that is not.
    """
    reader = _Reader(folder)
    for path in sorted(folder.glob("*.yml")):
        content = reader.content(path)
        if content is not _UNREADABLE:
            reader.records(path, path.stem, content)
    for path in sorted((folder / "topics").glob("*.yml")):
        content = reader.content(path)
        if content is not _UNREADABLE:
            reader.topic(path, content)
    for name in TABLES:
        expected = folder / f"{name}.yml"
        if name not in ("facts", "questions", "topics") and not expected.exists():
            reader.errors.append(f"{folder.name}/{expected.name}:1: the file is missing")
    return reader.found, reader.errors


_UNREADABLE: Any = object()


class _Reader:
    """Collects records by table, and an error line for each that is none."""

    def __init__(self, folder: Path) -> None:
        self.found: Dict[str, List[Located]] = {table: [] for table in TABLES}
        self.errors: List[str] = []
        self._root = folder.parent

    def content(self, path: Path) -> Any:
        file = path.relative_to(self._root).as_posix()
        try:
            return YAML(typ="rt").load(path.read_text(encoding="utf8"))
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            self.errors.append(f"{file}:{line}: not valid YAML: {error.problem}")
        except UnicodeDecodeError:
            self.errors.append(f"{file}:1: not valid YAML: it is not UTF-8")
        return _UNREADABLE

    def topic(self, path: Path, content: Any) -> None:
        """The questions of a topic's file, and the facts under each."""
        file = path.relative_to(self._root).as_posix()
        topic, questions = (
            (content.get("topic"), content.get("questions")) if isinstance(content, dict) else (None, None)
        )
        if topic != path.stem or not isinstance(questions, list):
            self.errors.append(f"{file}:1: needs `topic: {path.stem}` and a list of questions")
            return
        unknown = [str(key) for key in content if key not in ("topic", "review_due", "questions")]
        if unknown:
            self.errors.append(f"{file}:1: unknown: {', '.join(unknown)}")
        try:
            due = Topic(topic=topic, review_due=_plain(content.get("review_due")))
            self.found["topics"].append(Located(due, file, 1))
        except ValidationError:
            self.errors.append(f"{file}:1: needs `review_due`, a date")
        plain = [{k: v for k, v in q.items() if k != "facts"} if isinstance(q, dict) else q for q in questions]
        self.records(
            path,
            "questions",
            questions,
            [{**q, "id": f"{topic}/{q.get('id')}", "topic": topic} if isinstance(q, dict) else q for q in plain],
        )
        for question in questions:
            facts = question.get("facts") if isinstance(question, dict) else None
            if facts:
                under = {"question": f"{topic}/{question.get('id')}"}
                self.records(path, "facts", facts, [{**f, **under} if isinstance(f, dict) else f for f in facts])

    def records(self, path: Path, table: str, located: Any, contents: Any = None) -> None:
        """A list of records; `located` is the list as it stands in the file, which knows its lines."""
        file = path.relative_to(self._root).as_posix()
        if table not in TABLES or not isinstance(located, list):
            self.errors.append(f"{file}:1: {table!r} is not a list of a known kind of record")
            return
        for index, raw in enumerate(located if contents is None else contents):
            line = located.lc.item(index)[0] + 1  # type: ignore[attr-defined]
            try:
                self.found[table].append(Located(TABLES[table](**_plain(raw)), file, line))
            except (ValidationError, TypeError) as error:
                name = (raw.get("id") or raw.get("term")) if isinstance(raw, dict) else raw
                details: List[Any] = list(error.errors()) if isinstance(error, ValidationError) else []
                for detail in details or [{"loc": (), "msg": "is not a record"}]:
                    where = ".".join(map(str, detail["loc"]))
                    self.errors.append(f"{file}:{line}: {table} {name}: {where}: {detail['msg']}")


def _references(record: Record, table: str) -> Iterator[Tuple[str, str]]:
    """(table, key) of every record this one points to."""
    targets = {
        "sources": "sources", "crisis_sources": "sources", "facts": "facts", "claims": "claims", "corrects": "claims",
        "terms": "terms", "subtypes": "terms", "term": "terms", "next": "questions",
    }  # fmt: skip
    for field, target in targets.items():
        value = getattr(record, field, None)
        for key in [value] if isinstance(value, str) else value or ():
            yield target, key
    for part in (*getattr(record, "cells", {}).values(), *getattr(record, "answers", {}).values()):
        yield from _references(part, table)


def _has_evidence(record: Record) -> bool:
    if not hasattr(record, "facts") and not hasattr(record, "sources"):
        return True
    if getattr(record, "facts", None) or getattr(record, "sources", None):
        return True
    cells = getattr(record, "cells", {})
    return bool(cells) and all(cell.facts or cell.sources for cell in cells.values())


def _texts(record: Record, table: str) -> Iterator[Tuple[str, str, int]]:
    """(field, text, most words) of what is read out to people."""
    for field in ("text", "simple", "why", "statement", "correction"):
        text = getattr(record, field, None)
        if isinstance(text, str):
            yield field, text, MAX_WORDS.get(field, 80)
    for condition, cell in getattr(record, "cells", {}).items():
        yield condition, cell.text, 80
    for scope, answer in getattr(record, "answers", {}).items():
        for field in ("text", "simple", "why"):
            if text := getattr(answer, field):
                yield f"{scope}.{field}", text, MAX_WORDS[field]
    drug = ("how_given", "benefit", "side_effects", "tips", "checks", "missed", "stopping", "pregnancy", "access")
    for aspect in (*drug, "outlook"):
        if text := getattr(record, aspect, None):
            yield aspect, text, 60


class Reading:
    """Flesch-Kincaid grade with the names of diseases, drugs and tests counted as short words."""

    def __init__(self, names: Iterable[str]):
        ordered = sorted(names, key=len, reverse=True)
        self._names = re.compile(r"\b(?:" + "|".join(map(re.escape, ordered)) + r")\b", re.IGNORECASE)

    def grade(self, text: str) -> float:
        return float(textstat.flesch_kincaid_grade(self._names.sub("it", text)))


def names_aside(terms: Iterable[Any]) -> List[str]:
    """The names that do not count towards the reading grade."""
    kinds = ("condition", "drug", "remedy", "mimic", "subtype", "test", "person", "organisation", "gene")
    return [n for t in terms if t.kind in kinds for n in (t.name, *t.synonyms, *t.abbreviations)]


def check(found: Dict[str, List[Located]]) -> List[str]:
    """Everything that is wrong between records that are valid alone, one line each."""
    errors: List[str] = []
    keys: Dict[str, Dict[str, Located]] = {table: {} for table in TABLES}
    for table, entries in found.items():
        for entry in entries:
            first = keys[table].setdefault(entry.record.key, entry)
            if first is not entry:
                errors.append(entry.error(table, f"stands already at {first.file}:{first.line}"))
    reading = Reading(names_aside(e.record for e in found["terms"]) or ["MS", "ALS"])
    for table, entries in found.items():
        for entry in entries:
            for target, key in _references(entry.record, table):
                if key not in keys[target] and not (table == "terms" and target == "terms"):
                    errors.append(
                        entry.error(
                            table,
                            f'{target[:-1]} "{key}" is not in {target}.yml'
                            if target not in ("facts",)
                            else f'fact "{key}" does not exist',
                        )
                    )
            if not _has_evidence(entry.record):
                errors.append(entry.error(table, "has no source, neither its own nor a fact's"))
            for field, text, most in _texts(entry.record, table):
                words = len(text.split())
                if words > most:
                    errors.append(entry.error(table, f"{field} has {words} words, {most} at most"))
                grade = reading.grade(text)
                if (
                    table in ("questions", "facts", "drugs", "symptoms", "subtypes", "tests", "mimics")
                    and grade > MAX_GRADE
                ):
                    errors.append(entry.error(table, f"{field} reads at grade {grade:.1f}, {MAX_GRADE:.0f} at most"))
    for topic in TOPICS:
        overview = keys["questions"].get(f"{topic}/overview")
        for scope in SCOPES:
            if overview is None or scope not in overview.record.answers:
                errors.append(f"facts/topics/{topic}.yml:1: the overview has no answer for {scope}")
    carried = {c for e in found["facts"] for c in (*e.record.claims, *e.record.corrects)}
    for entry in found["claims"]:
        if entry.record.key not in carried:
            errors.append(entry.error("claims", "no fact carries or corrects it"))
    for number in range(1, CLAIM_COUNT + 1):
        if f"A{number:03}" not in keys["claims"]:
            errors.append(f"facts/claims.yml:1: claim A{number:03} is missing")
    errors += _ambiguous_names(found["terms"])
    return errors


def _ambiguous_names(terms: List[Located]) -> List[str]:
    errors: List[str] = []
    owners: Dict[str, str] = {}
    for entry in terms:
        term = entry.record
        for name in {n.lower() for n in (term.name, *term.synonyms, *term.misspellings)}:
            other = owners.setdefault(name, term.id)
            if other != term.id:
                errors.append(entry.error("terms", f'the name "{name}" also belongs to {other}'))
    return errors


def build(file: Path = DEFAULT_FILE, folder: Path = FOLDER) -> List[str]:
    """Check the records and, when nothing is wrong, replace the store in `file`.

    Returns:
        The errors; empty when the store was built.

    Raises:
        OSError: when the store cannot be written. What was there still is.
    """
    found, errors = load(folder)
    errors = errors + check(found)
    if not errors:
        store.write(file, {table: [e.record for e in entries] for table, entries in found.items()})
    return errors


def review_state(found: Dict[str, List[Located]], today: date) -> List[str]:
    """What is signed, what has changed since it was signed, and what is due to be looked at again."""
    tables = {table: [e.record for e in entries] for table, entries in found.items()}
    signed = {r.topic: r.digest == store.digest(r.topic, tables) for r in sorted(tables["reviews"], key=lambda r: r.on)}
    due = [t.topic for t in tables["topics"] if t.review_due <= today]
    lines = [f"signed by a clinician: {sum(signed.values())} of {len(tables['topics'])} topics"]
    if stale := [topic for topic, valid in signed.items() if not valid]:
        lines.append(f"changed since they were signed: {', '.join(stale)}")
    if due:
        lines.append(f"due to be looked at again: {', '.join(due)}")
    return lines


def claims_table(found: Dict[str, List[Located]], note: str) -> str:
    """`docs/claims.md`: for each claim of older articles, the facts that carry or correct it."""
    lines = [
        "# Claims of older articles, and the facts that answer them",
        "",
        f"Generated by `make facts` from `facts/`; do not edit. {note} *unchecked* "
        "marks facts whose citation nobody has read yet, so start there.",
        "",
        "| claim | about | judged | fact | what the assistant says today |",
        "|---|---|---|---|---|",
    ]
    for claim in (e.record for e in found["claims"]):
        for fact in (e.record for e in found["facts"]):
            if claim.id in (*fact.claims, *fact.corrects):
                relation = "corrects" if claim.id in fact.corrects else "carries"
                mark = "" if fact.checked else " *(unchecked)*"
                lines.append(
                    f"| {claim.id} | {claim.condition} | {claim.status} | `{fact.id}` {relation}{mark} "
                    f"| {fact.statement} |"
                )
    return "\n".join(lines) + "\n"


#: Years of publication, as columns of the table of sources.
BANDS = {"2024 on": (2024, 9999), "2017-23": (2017, 2023), "to 2016": (1, 2016), "no year": (0, 0)}


def cited(tables: Mapping[str, Sequence[Any]]) -> Iterator[Tuple[str, str, List[str], bool]]:
    """(topic, name, sources of its own and of its facts, whether they were read) of all that says something."""
    behind = {fact.id: fact.sources for fact in tables["facts"]}
    for topic in TOPICS:
        for table, records in store.records_of(topic, tables).items():
            if table not in ("facts", "drugs", "subtypes", "mimics", "symptoms", "tests"):
                continue
            for record in records:
                cells = record.cells if table in ("symptoms", "tests") else {"": record}
                for condition, cell in cells.items():
                    named = [*cell.sources, *(s for f in getattr(cell, "facts", ()) for s in behind[f])]
                    yield topic, f"{record.key} {condition}".strip(), list(dict.fromkeys(named)), cell.checked


def is_home_page(url: str) -> bool:
    """Whether it leads to the front of a site, where nobody finds the statement."""
    address = urlsplit(url)
    return not address.path.strip("/") and not address.query


def weak_sources(tables: Mapping[str, Sequence[Any]]) -> Dict[str, List[str]]:
    """What a reviewer would not accept, by reason: names of records all of whose sources are of that kind."""
    sources = {source.id: source for source in tables["sources"]}
    reasons: Dict[str, Callable[[Any], bool]] = {
        "a front page alone": lambda s: is_home_page(s.url),
        "news or copies alone (tier C)": lambda s: s.tier == "C",
        "nothing newer than 2016": lambda s: s.year is not None and s.year <= 2016,
        "no year of publication": lambda s: s.year is None,
    }
    records = list(cited(tables))
    found = {
        reason: [name for _, name, named, _ in records if all(map(fails, (sources[n] for n in named)))]
        for reason, fails in reasons.items()
    }
    return {**found, "not read yet": [name for _, name, _, read in records if not read]}


def sources_table(tables: Mapping[str, Sequence[Any]], note: str) -> str:
    """`docs/sources.md`: number, tier and age of the sources by topic, and what rests on weak ones."""
    sources = {source.id: source for source in tables["sources"]}
    lines = [
        "# Where the facts come from",
        "",
        f"Generated by `make facts` from `facts/`; do not edit. {note}",
        "",
        "Tier A: regulator, government, guideline, charity, primary study. B: review, or the copy of an abstract. "
        "C: news. Records: facts, and records of drugs, symptoms, tests, other diseases and forms; *unread*: those "
        "with a citation that nobody has read yet.",
        "",
        f"| topic | records | unread | sources | A | B | C | {' | '.join(BANDS)} |",
        f"|---|{'---|' * (6 + len(BANDS))}",
    ]
    records = list(cited(tables))
    for topic in (*TOPICS, "all"):
        rows = [row for row in records if topic in (row[0], "all")]
        used = [sources[name] for name in {name for row in rows for name in row[2]}]
        counts = [len(rows), sum(not row[3] for row in rows), len(used)]
        counts += [sum(s.tier == tier for s in used) for tier in "ABC"]
        counts += [sum(first <= (s.year or 0) <= last for s in used) for first, last in BANDS.values()]
        lines.append(f"| {topic} | {' | '.join(map(str, counts))} |")
    lines += ["", "## What rests on weak sources", ""]
    for reason, names in weak_sources(tables).items():
        lines += [f"**{reason}: {len(names)}** {', '.join(f'`{name}`' for name in names)}".strip(), ""]
    return "\n".join(lines).rstrip() + "\n"


#: What the chat page says about sign-offs stands between these.
_PAGE_NOTE = re.compile(r"(<span data-reviewed>).*?(</span>)", re.DOTALL)


def documents(found: Dict[str, List[Located]], root: Path = FOLDER.parent) -> Dict[Path, str]:
    """The files outside the store that are written from the records, with what they should hold."""
    tables = {table: [e.record for e in entries] for table, entries in found.items()}
    note = store.Snapshot("", tables).review_note
    written = {
        root / "docs" / "claims.md": claims_table(found, note),
        root / "docs" / "sources.md": sources_table(tables, note),
    }
    page = root / "web" / "index.html"
    if page.exists():
        written[page] = _PAGE_NOTE.sub(rf"\g<1>{note}\g<2>", page.read_text(encoding="utf8"))
    return written


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check, build nothing")
    arguments = parser.parse_args()
    found, errors = load()
    errors += check(found)
    if not errors and not arguments.check:
        file = Path(os.environ.get("FACTS_FILE", "").strip() or DEFAULT_FILE)
        try:
            store.write(file, {table: [e.record for e in entries] for table, entries in found.items()})
        except OSError as error:
            print(f"FACTS_FILE: the store cannot be written, nothing built: {error.strerror}", file=sys.stderr)
            return 1
    for line in errors:
        print(line, file=sys.stderr)
    if errors:
        print(f"{len(errors)} errors, nothing built", file=sys.stderr)
        return 1
    if not arguments.check:
        for path, text in documents(found).items():
            if not path.exists() or path.read_text(encoding="utf8") != text:
                path.write_text(text, encoding="utf8")
    unchecked = sum(not e.record.checked for e in found["facts"])
    print(
        f"facts built: {len(found['facts'])} facts ({unchecked} with a citation still to be read), "
        f"{len(found['questions'])} questions, {len(found['terms'])} terms"
    )
    weak = weak_sources({table: [e.record for e in entries] for table, entries in found.items()})
    print("resting on " + ", ".join(f"{reason}: {len(names)}" for reason, names in weak.items()))
    for line in review_state(found, date.today()):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
