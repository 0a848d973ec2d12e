"""Compile the YAML records into the fact store: `python -m facts.build`.

Prints every error at once as `file:line: record: what is wrong`, and builds only when there is none.
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Tuple

import sqlalchemy as sa
import textstat
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from facts import database, engine
from facts.schema import SCOPES, TABLES, TOPICS, Record

FOLDER = Path(__file__).parent
DEFAULT_URL = "sqlite:///" + str(FOLDER.parent / ".build" / "facts.sqlite")
#: Files with several kinds of record; every other file is named after its table.
MIXED_FILES = ("ms.yml", "als.yml", "both.yml")

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
    found: Dict[str, List[Located]] = {table: [] for table in TABLES}
    errors: List[str] = []
    for path in sorted(folder.glob("*.yml")):
        file = f"{folder.name}/{path.name}"
        try:
            content: Any = YAML(typ="rt").load(path.read_text(encoding="utf8"))
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            errors.append(f"{file}:{line}: not valid YAML: {error.problem}")
            continue
        sections = content if path.name in MIXED_FILES else {path.stem: content}
        records: Any
        for table, records in (sections or {}).items():
            if table not in TABLES or not isinstance(records, list):
                errors.append(f"{file}:1: {table!r} is not a list of a known kind of record")
                continue
            for index, raw in enumerate(records):
                line = records.lc.item(index)[0] + 1  # type: ignore[attr-defined]
                try:
                    fields = _plain(raw)
                    if table == "answers":  # an answer is about the condition its file is about
                        fields["condition"] = path.stem.upper() if path.stem != "both" else "both"
                    record = TABLES[table](**fields)
                except (ValidationError, TypeError) as error:
                    name = (raw.get("id") or raw.get("term") or raw.get("topic")) if isinstance(raw, dict) else raw
                    details: List[Any] = list(error.errors()) if isinstance(error, ValidationError) else []
                    for detail in details or [{"loc": (), "msg": "is not a record"}]:
                        where = ".".join(map(str, detail["loc"]))
                        errors.append(f"{file}:{line}: {table} {name}: {where}: {detail['msg']}")
                    continue
                found[table].append(Located(record, file, line))
    for name in TABLES:
        expected = folder / f"{name}.yml"
        if name not in ("facts", "answers") and not expected.exists():
            errors.append(f"{folder.name}/{expected.name}:1: the file is missing")
    return found, errors


def _references(record: Record, table: str) -> Iterator[Tuple[str, str]]:
    """(table, key) of every record this one points to."""
    targets = {
        "sources": "sources", "crisis_sources": "sources", "facts": "facts", "claims": "claims", "corrects": "claims",
        "terms": "terms", "subtypes": "terms", "term": "terms",
    }  # fmt: skip
    for field, target in targets.items():
        value = getattr(record, field, None)
        for key in [value] if isinstance(value, str) else value or ():
            yield target, key
    for cell in getattr(record, "cells", {}).values():
        yield from _references(cell, table)


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


class Reading:
    """Flesch-Kincaid grade with the names of diseases, drugs and tests counted as short words."""

    def __init__(self, names: Iterable[str]):
        ordered = sorted(names, key=len, reverse=True)
        self._names = re.compile(r"\b(?:" + "|".join(map(re.escape, ordered)) + r")\b", re.IGNORECASE)

    def grade(self, text: str) -> float:
        return float(textstat.flesch_kincaid_grade(self._names.sub("it", text)))


def names_aside(terms: Iterable[Any]) -> List[str]:
    """The names that do not count towards the reading grade."""
    kinds = ("condition", "drug", "mimic", "subtype", "test", "person", "organisation", "gene")
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
                if table in ("answers", "drugs", "symptoms", "subtypes", "tests", "mimics") and grade > MAX_GRADE:
                    errors.append(entry.error(table, f"{field} reads at grade {grade:.1f}, {MAX_GRADE:.0f} at most"))
    for topic in TOPICS:
        for scope in SCOPES:
            if f"{topic}/{scope}" not in keys["answers"]:
                errors.append(f"facts/{scope.lower()}.yml:1: answers: topic {topic} has no answer")
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


def build(url: str, folder: Path = FOLDER) -> List[str]:
    """Check the records and, when nothing is wrong, replace the store at `url`.

    Returns:
        The errors; empty when the store was built.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: when the store cannot be written. What was there still is.
    """
    found, errors = load(folder)
    errors = errors + check(found)
    if errors:
        return errors
    records = {table: [e.record for e in entries] for table, entries in found.items()}
    version = database.version_of(records)
    address = engine.address_of(url)
    if engine.is_server(address) or not address.database:
        # All in one transaction. The build may take its time; no reader waits for it.
        limit = {"connect_timeout": 10} if address.get_backend_name() == "postgresql" else {}
        _write(sa.create_engine(address, connect_args=limit), records, version)
    else:
        # A new file put in place of the old one: readers never see half a store.
        final = Path(address.database)
        final.parent.mkdir(parents=True, exist_ok=True)
        fresh = final.with_name(final.name + ".new")
        fresh.unlink(missing_ok=True)
        _write(sa.create_engine(address.set(database=str(fresh))), records, version)
        os.replace(fresh, final)
    return []


def _write(target: sa.engine.Engine, records: Dict[str, List[Any]], version: str) -> None:
    try:
        database.write(target, records, version)
    finally:
        target.dispose()


def claims_table(folder: Path = FOLDER) -> str:
    """`docs/claims.md`: for each claim of older articles, the facts that carry or correct it."""
    found, _ = load(folder)
    lines = [
        "# Claims of older articles, and the facts that answer them",
        "",
        "Generated by `make facts` from `facts/`; do not edit. Not reviewed by a clinician: *unchecked* "
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only check, build nothing")
    arguments = parser.parse_args()
    url = os.environ.get("FACT_STORE_URL", "").strip() or DEFAULT_URL
    if arguments.check:
        found, errors = load()
        errors += check(found)
    else:
        try:
            errors = build(url)
        except (sa.exc.SQLAlchemyError, ImportError, OSError) as error:
            reason = str(getattr(error, "orig", error)).partition("\n")[0]
            print(f"FACT_STORE_URL: the store cannot be written, nothing built: {reason}", file=sys.stderr)
            return 1
    for line in errors:
        print(line, file=sys.stderr)
    if errors:
        print(f"{len(errors)} errors, nothing built", file=sys.stderr)
        return 1
    if not arguments.check:
        table = FOLDER.parent / "docs" / "claims.md"
        text = claims_table()
        if not table.exists() or table.read_text(encoding="utf8") != text:
            table.write_text(text, encoding="utf8")
    found, _ = load()
    unchecked = sum(not e.record.checked for e in found["facts"])
    print(
        f"facts built: {len(found['facts'])} facts ({unchecked} with a citation still to be read), "
        f"{len(found['answers'])} answers, {len(found['terms'])} terms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
