"""Sheets for a clinician to review, and the record of a sign-off: `make review`.

python -m facts.review sheet prognosis                          # .build/review-prognosis.html, and .pdf with a browser
python -m facts.review sign prognosis --by "Dr A. Name" --role "neurologist"
"""

import argparse
import json
import shutil
import subprocess
import sys
from datetime import date
from html import escape
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

from facts import store
from facts.build import FOLDER, load
from facts.drawings import Drawing, drawings_of
from facts.schema import TOPICS

REVIEWS = FOLDER / "reviews.yml"
SHEETS = FOLDER.parent / ".build"
_STYLE = """body{font:11pt/1.4 sans-serif;max-width:46em;margin:2em auto;padding:0 1em}
section{break-inside:avoid;border-top:1px solid;margin-top:1.5em}h2{font-size:1.1em}li{margin:.3em 0}
.tick{border:1px solid;display:inline-block;width:1em;height:1em;margin-right:.5em;vertical-align:-.15em}
.mend{border:1px solid;height:3em;margin:.4em 0}small{color:#444}
figure{break-inside:avoid;margin:1em 0}figure svg{display:block;width:20em}figcaption{font-size:.9em}"""


def sheet(topic: str, found: Dict[str, List[Any]]) -> str:
    """One printable page: all records of a topic with their sources, and a box to tick or mend under each.

    Facts and drawings stand with their question.
    """
    tables = {table: [e.record for e in entries] for table, entries in found.items()}
    sources = {s.id: s for s in tables["sources"]}
    records = store.records_of(topic, tables)
    parts = []
    drawn: Set[Drawing] = set()
    for question in records.pop("questions", ()):
        said = [(scope, answer.text) for scope, answer in question.answers.items()]
        said += [(f"{scope}, easier", a.simple) for scope, a in question.answers.items() if a.simple]
        answers = "".join(f"<p><b>{escape(scope)}:</b> {escape(text)}</p>" for scope, text in said)
        facts = "".join(_item(fact, sources) for fact in tables["facts"] if fact.question == question.id)
        drawings = drawings_of(question.id)
        figures = "".join(_figure(drawing, drawing not in drawn) for drawing in drawings)
        drawn.update(drawings)
        parts.append(_section(question.worded("the disease"), question.id, f"{answers}{figures}<ul>{facts}</ul>"))
    records.pop("facts", None)
    for table, rows in records.items():
        parts += [_section(table.capitalize(), row.key, _fields(json.loads(row.json()), sources)) for row in rows]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Review: {escape(topic)}</title>'
        f"<style>{_STYLE}</style><h1>Review: {escape(topic)}</h1><p>Printed {date.today()}, digest "
        f"{store.digest(topic, tables)} (drawings are no part of it). Name, role, date:</p>"
        f'<div class="mend"></div>{"".join(parts)}</html>\n'
    )


def _section(title: str, name: str, content: str) -> str:
    return (
        f"<section><h2>{escape(title)} <small>{escape(name)}</small></h2>{content}"
        '<p><span class="tick"></span>right as it stands</p><p>To mend:</p><div class="mend"></div></section>'
    )


def _fields(row: Any, sources: Dict[str, Any], name: str = "") -> str:
    """What a record says, a line for each field that holds something; its sources as links."""
    if isinstance(row, dict):
        return "".join(_fields(value, sources, f"{name} {key}".strip()) for key, value in row.items())
    if isinstance(row, list) and any(isinstance(value, dict) for value in row):
        return "".join(_fields(value, sources, name) for value in row)
    if row in (None, "", [], True):
        return ""
    values = row if isinstance(row, list) else [row]
    values = [_link(sources[v]) if isinstance(v, str) and v in sources else escape(str(v)) for v in values]
    return f"<p><b>{escape(name.replace('_', ' '))}:</b> {'; '.join(values)}</p>"


def _link(source: Any) -> str:
    return f'<a href="{escape(source.url)}">{escape(source.publisher)}, {source.year or "no date"}</a>'


def _figure(drawing: Drawing, is_first: bool) -> str:
    """A drawing with all that is said of it: caption, sources, and what it shows for who does not see it."""
    if not is_first:
        return f"<p>Shown with it: the drawing &quot;{escape(drawing.title)}&quot; from above.</p>"
    credit = drawing.credit(lambda url, name: f'<a href="{escape(url)}">{escape(name)}</a>')
    words = f"<p>{escape(drawing.caption)} {credit}</p><p>In words: {escape(drawing.description)}</p>"
    return f"<figure>{drawing.svg}<figcaption><b>{escape(drawing.title)}</b>{words}</figcaption></figure>"


def _item(fact: Any, sources: Dict[str, Any]) -> str:
    """A fact with its sources as links."""
    links = [_link(sources[name]) for name in fact.sources]
    notes = "; ".join([fact.condition, *links, *([] if fact.checked else ["<b>source not read yet</b>"])])
    return f"<li>{escape(fact.statement)} <small>({notes})</small></li>"


def print_sheet(topic: str, folder: Path = SHEETS) -> List[Path]:
    """Write the sheet, as PDF too where a browser is found. Returns the files."""
    found, errors = load()
    if errors:
        raise SystemExit("the facts do not build: run `make facts`")
    folder.mkdir(exist_ok=True)
    page = folder / f"review-{topic}.html"
    page.write_text(sheet(topic, found), encoding="utf8")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return [page]
    pdf = page.with_suffix(".pdf")
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    subprocess.run([browser, *switches, page.as_uri()], check=True, capture_output=True, timeout=120)
    return [page, pdf]


def sign(topic: str, by: str, role: str, on: Optional[date] = None, file: Path = REVIEWS) -> str:
    """Record that somebody signed a topic as it stands now. Returns the line that was added."""
    found, errors = load()
    if errors:
        raise SystemExit("the facts do not build: run `make facts`")
    digest = store.digest(topic, {table: [e.record for e in entries] for table, entries in found.items()})
    text = file.read_text(encoding="utf8").replace("# Nobody has signed anything yet.\n", "")
    names = f"by: {_quoted(by)}, role: {_quoted(role)}"
    line = f"- {{topic: {topic}, {names}, on: {on or date.today()}, digest: '{digest}'}}\n"
    file.write_text(text.replace("[]\n", "") + line, encoding="utf8")
    return line


def _quoted(text: str) -> str:
    """Text as a YAML scalar."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise SystemExit("a sign-off needs a name and a role: BY=... ROLE=...")
    return "'" + cleaned.replace("'", "''") + "'"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sheet", "sign"))
    parser.add_argument("topic", choices=TOPICS, metavar="TOPIC")
    parser.add_argument("--by", default="")
    parser.add_argument("--role", default="")
    arguments = parser.parse_args()
    if arguments.what == "sheet":
        print("\n".join(map(str, print_sheet(arguments.topic))))
    else:
        print(sign(arguments.topic, arguments.by, arguments.role), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
