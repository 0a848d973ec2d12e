"""Judging replies against the hold-out: what is right, wrong, or offered as a button."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

from ruamel.yaml import YAML
from spacy.lang.en.stop_words import STOP_WORDS

HOLDOUT = Path(__file__).parent.parent / "tests" / "holdout"
#: Sets by writers who knew nothing of the assistant: an ordinary inbox, and harder messages.
APART = ("inbox", "strangers")
BOTH = ["MS", "ALS"]
KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")

#: Asks one message of a conversation and returns the REST reply (a message with `metadata`, `buttons`).
Ask = Callable[[str, str], Mapping[str, Any]]


@dataclass
class Judged:
    """One hold-out turn and the reply it got."""

    row: Dict[str, Any]
    reply: Mapping[str, Any]
    context: str = ""
    right: bool = False
    wrong: bool = False
    offered: bool = False
    tags: List[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        return str(self.metadata.get("outcome"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.reply.get("metadata") or {}


def load_questions() -> List[Dict[str, Any]]:
    files = sorted(HOLDOUT.glob("questions*.yml"))
    return [row for file in files for row in YAML(typ="safe").load(file.read_text(encoding="utf8"))]


def load_apart(name: str) -> List[Dict[str, Any]]:
    """Messages of a set with figures of its own, one of `APART`."""
    return list(YAML(typ="safe").load((HOLDOUT / f"{name}.yml").read_text(encoding="utf8")))


def load_dialogues() -> List[Dict[str, Any]]:
    return list(YAML(typ="safe").load((HOLDOUT / "dialogues.yml").read_text(encoding="utf8")))


def _conditions(named: Optional[Sequence[str]]) -> List[str]:
    """None named means both are answered."""
    return list(named) if named else BOTH


def judge(row: Dict[str, Any], reply: Mapping[str, Any], context: str = "") -> Judged:
    """Compare a reply with what the row expects."""
    metadata = reply.get("metadata") or {}
    outcome, expected = metadata.get("outcome"), row["outcome"]
    topics = {row.get("topic"), *(row.get("also") or ())} - {None}
    judged = Judged(row, reply, context, tags=list(row.get("tags") or ()))
    if expected == "answered":
        same_topic = metadata.get("topic") in topics
        if row.get("topics"):
            same_topic = set(row["topics"]) <= set(metadata.get("topics") or [metadata.get("topic")])
        same_conditions = _conditions(metadata.get("conditions")) == _conditions(row.get("conditions"))
        judged.right = outcome == "answered" and same_topic and same_conditions
        # Calm questions about suicide or assisted dying may be answered or honestly not covered.
        if "calm_suicide" in judged.tags and outcome == "not_covered":
            judged.right = True
        judged.offered = (
            not judged.right and outcome != "answered" and _offers(reply, topics | set(row.get("topics") or ()))
        )
        judged.wrong = outcome == "answered" and not judged.right
    else:
        accepted = {expected}
        if "calm_suicide" in judged.tags:
            accepted |= {"answered", "not_covered"}
        judged.right = outcome in accepted
        if outcome == "answered" and metadata.get("topic") in set(row.get("also") or ()):
            judged.right = True
        judged.offered = not judged.right and outcome in ("clarify", "not_covered")
        judged.wrong = outcome == "answered" and not judged.right
    said = str(reply.get("text", "")).lower()
    if any(text.lower() in said for text in row.get("must_not") or ()):
        judged.right, judged.offered, judged.wrong = False, False, True
    return judged


def _offers(reply: Mapping[str, Any], topics: set) -> bool:
    payloads = [str(b.get("payload", "")) for b in reply.get("buttons") or ()]
    return any(p.lstrip("/").split("{")[0] in topics for p in payloads)


def run(ask: Ask) -> Dict[str, List[Judged]]:
    """Put every hold-out question and dialogue to an assistant."""
    questions = [judge(row, ask(f"q{i}", row["text"])) for i, row in enumerate(load_questions())]
    turns: List[Judged] = []
    for number, dialogue in enumerate(load_dialogues()):
        before: List[str] = []
        for row in dialogue["turns"]:
            turns.append(judge(row, ask(f"d{number}", row["text"]), " | ".join(before)))
            before.append(row["text"])
    apart = {
        name: [judge(row, ask(f"{name}{i}", row["text"])) for i, row in enumerate(load_apart(name))] for name in APART
    }
    return {"questions": questions, "turns": turns, **apart}


def with_typo(text: str, seed: int) -> str:
    """The text with one slip of the keyboard in one of its content words.

    A letter is dropped, doubled, swapped with the next or replaced by a neighbour on the keyboard.
    """
    chance = random.Random(f"{seed} {text}")
    words = [m for m in re.finditer(r"[A-Za-z]{4,}", text) if m[0].lower() not in STOP_WORDS]
    if not words:
        return text
    word = chance.choice(words)
    at = chance.randrange(word.start() + 1, word.end() - 1)
    letter = text[at]
    row = next((r for r in KEYBOARD if letter.lower() in r), letter.lower())
    place = row.index(letter.lower())
    neighbour = row[place + 1] if place + 1 < len(row) else row[place - 1]
    slip = chance.choice(["", letter * 2, text[at + 1] + letter, neighbour])
    return text[:at] + slip + text[at + (2 if len(slip) == 2 and slip[0] != slip[1] else 1) :]


def typo_cost(ask: Ask, result: Mapping[str, List[Judged]], seeds: Sequence[int] = (1, 2)) -> float:
    """Points of right answers lost when every answered question has a typo, over two keyboards' worth."""
    rows = [r for r in result["questions"] if r.row["outcome"] == "answered"]
    before = _share(rows, lambda r: r.right)
    after = [
        judge(r.row, ask(f"t{seed}-{i}", with_typo(r.row["text"], seed))) for seed in seeds for i, r in enumerate(rows)
    ]
    return before - _share(after, lambda r: r.right)


def _share(rows: Sequence[Judged], test: Callable[[Judged], bool]) -> float:
    return 100.0 * sum(map(test, rows)) / len(rows) if rows else 0.0


def _by_outcome(rows: Iterable[Judged]) -> Dict[str, List[Judged]]:
    found: Dict[str, List[Judged]] = defaultdict(list)
    for judged in rows:
        found[judged.row["outcome"]].append(judged)
    return found


def _figures_apart(name: str, rows: Sequence[Judged]) -> Dict[str, float]:
    by, alarmed = _by_outcome(rows), ("emergency", "crisis")
    return {
        f"{name}_right": _share(by["answered"], lambda r: r.right),
        f"{name}_wrong": _share(by["answered"], lambda r: r.wrong),
        f"{name}_right_or_offered": _share(by["answered"], lambda r: r.right or r.offered),
        f"{name}_alarms_found": _share([*by["emergency"], *by["crisis"]], lambda r: r.outcome in alarmed),
        f"{name}_false_alarms": _share(
            [r for r in rows if r.row["outcome"] not in alarmed], lambda r: r.outcome in alarmed
        ),
    }


def figures(result: Mapping[str, List[Judged]]) -> Dict[str, float]:
    """The figures of the evaluation, each in percent."""
    rows = result["questions"]
    by = _by_outcome(rows)
    informational = [r for r in rows if r.row["outcome"] not in ("emergency", "crisis")]
    calm = [r for r in rows if {"calm_suicide", "calm_danger"} & set(r.tags)]
    alarmed = ("emergency", "crisis")
    return {
        "right": _share(by["answered"], lambda r: r.right),
        "wrong": _share(by["answered"], lambda r: r.wrong),
        "right_or_offered": _share(by["answered"], lambda r: r.right or r.offered),
        "other_disease_answered": _share(by["other_condition"], lambda r: r.outcome == "answered"),
        "unrelated_answered": _share(by["out_of_scope"], lambda r: r.outcome == "answered"),
        "not_covered_answered": _share(by["not_covered"], lambda r: r.wrong),
        "personal_advice_found": _share(by["personal_advice"], lambda r: r.right),
        "emergency_found": _share(by["emergency"], lambda r: r.outcome in alarmed),
        "crisis_found": _share(by["crisis"], lambda r: r.outcome in alarmed),
        "false_alarms": _share(informational, lambda r: r.outcome in alarmed),
        "false_alarms_calm": _share(calm, lambda r: r.outcome in alarmed),
        "smalltalk_right": _share(by["smalltalk"], lambda r: r.right),
        "dialogue_turns_right": _share(result["turns"], lambda r: r.right),
        **{key: value for name in APART for key, value in _figures_apart(name, result.get(name, ())).items()},
    }
