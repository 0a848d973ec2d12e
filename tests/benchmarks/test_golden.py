"""The golden file shows what a change of the code changed, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import golden
from benchmarks.scoring import Judged, judge


def turn(text: str, outcome: str, question: str | None = None, context: str = "", **more: Any) -> Judged:
    row = {"text": text, "outcome": "answered", "topic": "diagnosis", "conditions": ["MS"]}
    topic = question.partition("/")[0] if question else None
    metadata = {"outcome": outcome, "topic": topic, "question": question, "conditions": ["MS"] if topic else [], **more}
    return judge(row, {"text": "...", "metadata": metadata}, context)


BEFORE = [
    turn("how is it found", "answered", "diagnosis/overview"),
    turn("and now", "clarify"),
    turn("mri?", "clarify"),
]


def written(turns: list[Judged], folder: Path) -> dict[str, golden.Decided]:
    golden.write(folder / "golden.tsv", turns)
    return golden.read(folder / "golden.tsv")


def test_nothing_changed_is_said_in_a_line(tmp_path: Path) -> None:
    assert golden.report(written(BEFORE, tmp_path), BEFORE) == ["0 of 3 turns changed"]


def test_each_change_is_shown_with_what_was_before(tmp_path: Path) -> None:
    after = [
        turn("how is it found", "answered", "diagnosis/mri"),
        turn("and now", "clarify"),
        turn("mri?", "answered", "diagnosis/mri"),
    ]
    assert golden.report(written(BEFORE, tmp_path), after) == [
        "how is it found",
        "  - answered diagnosis/overview MS (direct)",
        "  + answered diagnosis/mri MS (direct)",
        "mri?",
        "  - clarify (asked back)",
        "  + answered diagnosis/mri MS (direct)",
        "2 of 3 turns changed: 1 neither, 1 now right",
    ]


def test_what_is_no_longer_right_is_counted(tmp_path: Path) -> None:
    after = [turn("how is it found", "out_of_scope"), *BEFORE[1:]]
    assert golden.report(written(BEFORE, tmp_path), after)[-1] == "1 of 3 turns changed: 1 no longer right"


def test_moved_rows_are_no_change_and_new_and_lost_ones_are_told(tmp_path: Path) -> None:
    before = written(BEFORE, tmp_path)
    assert golden.report(before, BEFORE[::-1]) == ["0 of 3 turns changed"]
    told = golden.report(before, [*BEFORE[1:], turn("new", "clarify")])
    assert told[:2] == ["new", "  - new"]
    assert told[-1] == "1 turns of the file are no longer in the hold-out"


def test_the_same_words_behind_others_are_another_turn(tmp_path: Path) -> None:
    after = [*BEFORE, turn("mri?", "answered", "diagnosis/mri", context="how is it found")]
    assert golden.report(written(BEFORE, tmp_path), after)[:2] == ["mri?   (behind: how is it found)", "  - new"]


def test_both_answers_of_two_questions_are_kept(tmp_path: Path) -> None:
    both = turn("a, and b", "answered", "diagnosis/mri", questions=["diagnosis/mri", "cure/overview"])
    assert [d.asked for d in written([both], tmp_path).values()] == ["diagnosis/mri,cure/overview"]
