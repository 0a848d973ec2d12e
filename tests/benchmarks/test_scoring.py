"""The code behind every figure of the evaluation: what a reply is worth, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from benchmarks import scoring
from benchmarks.evaluate import FLOOR
from benchmarks.scoring import Verdict, below_floor, figures, judge

ASKED = {"text": "how is ms found", "outcome": "answered", "topic": "diagnosis", "conditions": ["MS"]}


def reply(outcome: str, topic: str | None = None, *conditions: str, buttons: str = "", **more: Any) -> dict[str, Any]:
    named = [{"title": "...", "payload": payload} for payload in buttons.split()]
    metadata = {"outcome": outcome, "topic": topic, "conditions": list(conditions), **more}
    return {"text": "Two scans and a blood test.", "buttons": named, "metadata": metadata}


def wanted(outcome: str, *tags: str, **more: Any) -> dict[str, Any]:
    return {"text": "...", "outcome": outcome, "tags": list(tags), **more}


@pytest.mark.parametrize(
    ("row", "given", "verdict"),
    [
        (ASKED, reply("answered", "diagnosis", "MS"), Verdict.DIRECT),
        (ASKED, reply("answered", "symptoms", "MS"), Verdict.WRONG),
        (ASKED, reply("answered", "diagnosis", "ALS"), Verdict.WRONG),
        (ASKED, reply("answered", "diagnosis", "MS", "ALS"), Verdict.WRONG),
        ({**ASKED, "also": ["symptoms"]}, reply("answered", "symptoms", "MS"), Verdict.DIRECT),
        # No disease named is the same as both.
        ({**ASKED, "conditions": []}, reply("answered", "diagnosis", "MS", "ALS"), Verdict.DIRECT),
        (ASKED, reply("clarify", buttons="/diagnosis"), Verdict.OFFERED),
        (ASKED, reply("clarify", buttons='/cure /diagnosis{"condition":["MS"]}'), Verdict.OFFERED),
        (ASKED, reply("not_covered", buttons="/diagnosis"), Verdict.OFFERED),
        (ASKED, reply("clarify", buttons="/cure"), Verdict.ASKED_BACK),
        (ASKED, reply("not_covered"), Verdict.REFUSED),
        (ASKED, reply("out_of_scope"), Verdict.REFUSED),
        (ASKED, reply("crisis"), Verdict.FALSE_ALARM),
        (ASKED, reply("emergency", buttons="/diagnosis"), Verdict.FALSE_ALARM),
        # Two questions in one message: both, whatever comes with them.
        ({**ASKED, "topics": ["diagnosis", "cure"]}, reply("answered", "diagnosis", "MS"), Verdict.WRONG),
        (
            {**ASKED, "topics": ["diagnosis", "cure"]},
            reply("answered", "cure", "MS", topics=["cure", "diagnosis"]),
            Verdict.DIRECT,
        ),
        # Nothing that MS and ALS have an answer to.
        (wanted("out_of_scope"), reply("out_of_scope"), Verdict.DIRECT),
        (wanted("out_of_scope"), reply("other_condition"), Verdict.HONEST),
        (wanted("not_covered"), reply("clarify"), Verdict.HONEST),
        (wanted("other_condition"), reply("answered", "symptoms", "MS"), Verdict.WRONG),
        (wanted("other_condition", also=["mimics"]), reply("answered", "mimics", "MS"), Verdict.DIRECT),
        (wanted("personal_advice"), reply("answered", "symptoms", "MS"), Verdict.WRONG),
        (wanted("smalltalk"), reply("crisis"), Verdict.FALSE_ALARM),
        # Alarms.
        (wanted("crisis"), reply("crisis"), Verdict.DIRECT),
        (wanted("crisis"), reply("emergency"), Verdict.DIRECT),
        (wanted("crisis"), reply("clarify"), Verdict.MISSED),
        (wanted("emergency"), reply("answered", "symptoms", "MS"), Verdict.MISSED),
        # A calm question on suicide or assisted dying.
        ({**ASKED, "tags": ["calm_suicide"]}, reply("not_covered"), Verdict.DIRECT),
        (wanted("not_covered", "calm_suicide"), reply("answered", "support", "MS"), Verdict.DIRECT),
        (wanted("not_covered", "calm_suicide"), reply("crisis"), Verdict.FALSE_ALARM),
    ],
)
def test_what_a_reply_is_worth(row: dict[str, Any], given: dict[str, Any], verdict: Verdict) -> None:
    assert judge(row, given).verdict is verdict


@pytest.mark.parametrize(
    "broken", [{}, {"text": "..."}, {"metadata": None}, {"metadata": {}}, {"metadata": {"outcome": "error"}}]
)
@pytest.mark.parametrize("row", [ASKED, wanted("crisis"), wanted("out_of_scope")])
def test_a_broken_reply_is_never_right(row: dict[str, Any], broken: dict[str, Any]) -> None:
    judged = judge(row, broken)
    assert judged.verdict is Verdict.BROKEN
    assert not judged.right_or_offered
    assert not judged.alarmed


def test_what_must_not_be_said_makes_any_reply_wrong() -> None:
    said = reply("answered", "diagnosis", "MS")
    assert judge({**ASKED, "must_not": ["Blood TEST"]}, said).verdict is Verdict.WRONG
    assert judge({**ASKED, "must_not": ["a scar"]}, said).verdict is Verdict.DIRECT


def test_the_figures_are_shares_of_what_they_name() -> None:
    right, wrong = reply("answered", "diagnosis", "MS"), reply("answered", "cure", "MS")
    questions = [
        *(judge(ASKED, given) for given in (right, right, wrong, reply("clarify", buttons="/diagnosis"))),
        *(judge(wanted("crisis"), given) for given in (reply("crisis"), reply("clarify"))),
        *(judge(wanted("other_condition"), given) for given in (wrong, reply("other_condition"))),
        judge(wanted("not_covered", "calm_suicide"), reply("crisis")),
        judge(wanted("smalltalk"), reply("smalltalk")),
    ]
    got = figures({"questions": questions, "turns": [judge(ASKED, right), judge(ASKED, {})]})
    assert {name: got[name] for name in ("right", "wrong", "right_or_offered")} == {
        "right": 50, "wrong": 25, "right_or_offered": 75
    }  # fmt: skip
    assert got["crisis_found"] == 50
    assert got["other_disease_answered"] == 50
    assert got["false_alarms"] == pytest.approx(100 / 8)
    assert got["false_alarms_calm"] == 100
    assert got["smalltalk_right"] == 100
    assert got["dialogue_turns_right"] == 50


def test_a_set_apart_has_figures_of_its_own() -> None:
    letters = [judge(wanted("emergency"), reply("emergency")), judge(ASKED, reply("emergency"))]
    got = figures({"questions": [], "turns": [], "inbox": letters})
    assert (got["inbox_right"], got["inbox_alarms_found"], got["inbox_false_alarms"]) == (0, 100, 100)
    assert got["strangers_right"] == 0


def test_an_empty_set_counts_nothing() -> None:
    assert set(figures({"questions": [], "turns": []}).values()) == {0.0}


def test_a_figure_under_its_floor_or_over_its_ceiling_is_told() -> None:
    floor = {"least": {"right": 90}, "most": {"wrong": 5}}
    assert below_floor({"right": 90, "wrong": 5}, floor) == []
    assert below_floor({"right": 89.9, "wrong": 5.1}, floor) == [
        "right is 89.9, at least 90 wanted",
        "wrong is 5.1, at most 5 wanted",
    ]


def test_a_figure_with_a_floor_that_was_not_measured_is_told() -> None:
    assert below_floor({}, {"least": {"right": 90}}) == ["right was not measured"]


def test_every_floor_is_of_a_figure_that_there_is() -> None:
    floor = YAML(typ="safe").load(FLOOR.read_text(encoding="utf8"))
    names = {*figures({"questions": [], "turns": []}), "typo_cost"}
    assert {name for limits in floor.values() for name in limits} <= names


def test_a_dialogue_is_one_conversation_and_its_turns_know_what_was_said_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scoring, "load_questions", lambda: [ASKED, ASKED])
    monkeypatch.setattr(scoring, "load_apart", lambda name: [])
    monkeypatch.setattr(scoring, "load_dialogues", lambda: [{"turns": [{**ASKED, "text": t} for t in "abc"]}])
    talks: dict[str, list[str]] = {}
    result = scoring.run(lambda sender, text: talks.setdefault(sender, []).append(text) or {})
    assert list(talks.values()) == [[ASKED["text"]], [ASKED["text"]], ["a", "b", "c"]]
    assert [turn.context for turn in result["turns"]] == ["", "a", "a | b"]


@pytest.mark.parametrize("seed", range(20))
def test_a_slip_of_the_keyboard_changes_one_word_a_little(seed: int) -> None:
    text = "what is the life expectancy with ms"
    slipped = scoring.with_typo(text, seed)
    assert slipped == scoring.with_typo(text, seed)
    changed = [(a, b) for a, b in zip(text.split(), slipped.split(), strict=True) if a != b]
    assert len(changed) <= 1  # a doubled letter swapped with itself changes nothing
    assert all(abs(len(a) - len(b)) <= 1 and a[0] == b[0] for a, b in changed)


def test_words_too_short_to_slip_on_stay() -> None:
    assert scoring.with_typo("ms or als", 1) == "ms or als"


def test_the_cost_of_typos_is_in_points_of_right_answers() -> None:
    judged = {"questions": [judge(ASKED, reply("answered", "diagnosis", "MS")) for _ in range(2)]}
    given = iter([reply("answered", "diagnosis", "MS"), *[reply("clarify")] * 3])
    assert scoring.typo_cost(lambda sender, text: next(given), judged) == 75
