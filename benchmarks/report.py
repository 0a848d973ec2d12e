"""The evaluation as one page of HTML, pictures included."""

from __future__ import annotations

import base64
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from actions import dialogue
from actions.actions import fact_store
from actions.question import Context, Message
from benchmarks import peer
from benchmarks.scoring import Judged, judge
from facts.schema import TOPICS
from server.explain import steps

FALLBACK = "nlu_fallback"
WORST = 30
THRESHOLDS = np.round(np.arange(0.0, 1.0, 0.05), 2)
NOT_A_TOPIC = "(no answer)"
COLOURS = {"product": "#0b6e8f", "peer": "#b5541c"}
RIGHT, WRONG = "#3c7d4e", "#b3261e"

#: What each figure of `scoring.figures` says, and whether more is better.
MEANING: Dict[str, Tuple[str, bool]] = {
    "right": ("Questions with an answer: right topic and disease", True),
    "wrong": ("Questions with an answer: another answer given", False),
    "right_or_offered": ("Questions with an answer: right, or the right one offered as a button", True),
    "other_disease_answered": ("Other diseases answered as if MS or ALS", False),
    "unrelated_answered": ("Unrelated messages answered", False),
    "not_covered_answered": ("Questions that the store cannot answer, answered", False),
    "personal_advice_found": ("Personal advice found", True),
    "emergency_found": ("Emergencies found", True),
    "crisis_found": ("Crises found", True),
    "false_alarms": ("False alarms on all other messages", False),
    "false_alarms_calm": ("False alarms on calm questions about danger or suicide", False),
    "smalltalk_right": ("Small talk taken as such", True),
    "dialogue_turns_right": ("Turns of dialogues right", True),
    "typo_cost": ("Right answers lost when a word has a typo, points", False),
}

matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "evaluation", "font.size": 9})


@dataclass(frozen=True)
class Run:
    """What came of putting the hold-out to one assistant.

    Attributes:
        judged: `questions` and `turns`, as replied over REST.
        figures: percent by name.
        parsed: what its model understood of each question, in the same order.
    """

    judged: Mapping[str, List[Judged]]
    figures: Mapping[str, float]
    parsed: Sequence[Mapping[str, Any]]


def confidence(parsed: Mapping[str, Any]) -> float:
    """Of the likeliest intent, fallback aside."""
    return max((r["confidence"] for r in parsed["intent_ranking"] if r["name"] != FALLBACK), default=0.0)


def at_threshold(parsed: Mapping[str, Any], threshold: float) -> Dict[str, Any]:
    """The same message as understood with another fallback threshold."""
    ranking = [r for r in parsed["intent_ranking"] if r["name"] != FALLBACK]
    sure = ranking and ranking[0]["confidence"] >= threshold
    return {**parsed, "intent": ranking[0] if sure else {"name": FALLBACK}, "intent_ranking": ranking}


def refused_and_wrong(judged: Sequence[Judged]) -> Tuple[float, float]:
    """In percent.

    Refused: has an answer and got none, of those that have one. Wrong: got another answer, or one it
    should not get, of all.
    """
    answerable = [j for j in judged if j.row["outcome"] == "answered"]
    refused = [j for j in answerable if not (j.right or j.wrong)]
    return 100.0 * len(refused) / len(answerable), 100.0 * sum(j.wrong for j in judged) / len(judged)


def judged_at(run: Run, threshold: float) -> List[Judged]:
    """The questions as they would be answered with this fallback threshold."""
    facts = fact_store().snapshot()

    def reply(parsed: Mapping[str, Any]) -> Dict[str, Any]:
        reply, _ = dialogue.respond(Message.from_rasa(at_threshold(parsed, threshold)), Context(), facts)
        buttons = [{"payload": b.payload} for b in reply.buttons]
        return {"text": reply.answer, "metadata": reply.metadata(facts), "buttons": buttons}

    return [judge(j.row, reply(p)) for j, p in zip(run.judged["questions"], run.parsed, strict=True)]


# --- pictures -------------------------------------------------------------------------------------


def _image(figure: Figure, description: str) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="svg", bbox_inches="tight", metadata={"Date": None})
    # In quotes it would be the name of a font instead of any font without serifs.
    data = base64.b64encode(content.getvalue().replace(b"'sans-serif'", b"sans-serif")).decode()
    return f'<img alt="{escape(description)}" src="data:image/svg+xml;base64,{data}">'


def confusion(run: Run) -> str:
    """Which topic was answered where which was asked."""
    columns = [*TOPICS, NOT_A_TOPIC]
    counts = np.zeros((len(TOPICS), len(columns)))
    for judged in run.judged["questions"]:
        asked = judged.row.get("topic")
        if judged.row["outcome"] != "answered" or asked not in TOPICS:
            continue
        given = judged.metadata.get("topic") if judged.outcome == "answered" else NOT_A_TOPIC
        # What the hold-out also accepts counts as what was asked.
        given = asked if judged.right or given not in columns else given
        counts[TOPICS.index(asked), columns.index(given)] += 1
    figure = Figure(figsize=(9, 8.4))
    axes = figure.subplots()
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="none")
    for row, column in zip(*np.nonzero(counts), strict=True):
        if row != column:
            dark = shares[row, column] > 0.5
            axes.text(
                column, row, int(counts[row, column]), ha="center", va="center", fontsize=7,
                color="white" if dark else WRONG,
            )  # fmt: skip
    axes.set_xticks(range(len(columns)), columns, rotation=90, fontsize=7)
    axes.set_yticks(range(len(TOPICS)), TOPICS, fontsize=7)
    axes.set_xlabel("answered")
    axes.set_ylabel("asked")
    return _image(figure, "Topics asked against topics answered; the table of misses below says the same.")


def confidences(runs: Mapping[str, Run]) -> str:
    """How sure the classifier was where the reply was right and where it was not."""
    figure = Figure(figsize=(4.5 * len(runs), 2.8))
    for axes, (name, run) in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True):
        both: Dict[bool, List[float]] = {True: [], False: []}
        for judged, parsed in zip(run.judged["questions"], run.parsed, strict=True):
            both[judged.right].append(confidence(parsed))
        bins = np.linspace(0, 1, 11)
        axes.hist([both[True], both[False]], bins, color=[RIGHT, WRONG], label=["right", "not right"], log=True)
        axes.set_ylim(top=1e4)  # room for the legend
        axes.set_title(name)
        axes.set_xlabel("confidence of the likeliest intent")
        axes.set_ylabel("questions")
        axes.legend(frameon=False, loc="upper left")
    figure.tight_layout()
    return _image(figure, "Histograms of confidence, right replies against others.")


def thresholds(runs: Mapping[str, Run]) -> str:
    """Answered wrong against refused as the fallback threshold moves."""
    figure = Figure(figsize=(6.5, 4))
    axes = figure.subplots()
    curves = {name: [refused_and_wrong(judged_at(run, t)) for t in THRESHOLDS] for name, run in runs.items()}
    apart = max(refused for points in curves.values() for refused, _ in points) / 12
    for name, points in curves.items():
        axes.plot(*zip(*points, strict=True), ".-", color=COLOURS[name], label=name)
        labelled = -np.inf
        for point, threshold in zip(points, THRESHOLDS, strict=True):
            if point[0] - labelled > apart:
                axes.annotate(f"{threshold:.2f}", point, (3, 3), textcoords="offset points", fontsize=7)
                labelled = point[0]
        served = refused_and_wrong(runs[name].judged["questions"])
        axes.plot(*served, "*", markersize=12, color=COLOURS[name], label=f"{name} as it runs")
    axes.set_xlabel("refused: has an answer and got none, %")
    axes.set_ylabel("answered wrong, % of all questions")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return _image(figure, "Share answered wrong against share refused, a point per threshold.")


# --- words ----------------------------------------------------------------------------------------


def _figures(runs: Mapping[str, Run]) -> str:
    rows = []
    for figure in runs["product"].figures:
        meaning, more = MEANING.get(figure, (figure, True))
        cells = "".join(
            f'<td><span class="bar" style="width:{max(0.0, run.figures[figure]) * 0.8:.0f}px;'
            f'background:{COLOURS[name]}"></span>{run.figures[figure]:.1f}%</td>'
            for name, run in runs.items()
        )
        better = "higher" if more else "lower"
        rows.append(f'<tr><th scope="row">{meaning}</th><td>{better}</td>{cells}</tr>')
    heads = "".join(f'<th scope="col">{name}</th>' for name in runs)
    head = f'<tr><th scope="col">Figure</th><th scope="col">better</th>{heads}</tr>'
    return f"<table>{head}{''.join(rows)}</table>"


def _expected(row: Mapping[str, Any]) -> str:
    if row["outcome"] != "answered":
        return str(row["outcome"])
    topics = ", ".join(row.get("topics") or [row["topic"]])
    return f"{topics}, about {' and '.join(row.get('conditions') or ['both'])}"


def _given(judged: Judged) -> str:
    if judged.outcome != "answered":
        return judged.outcome + (" with the right button" if judged.offered else "")
    topics = ", ".join(judged.metadata.get("topics") or [str(judged.metadata.get("topic"))])
    return f"{topics}, about {' and '.join(judged.metadata.get('conditions') or ['both'])}"


def _worst(run: Run) -> str:
    """Wrong answers first, then refusals without the right button, the surest first."""
    missed = [(j, p) for j, p in zip(run.judged["questions"], run.parsed, strict=True) if not j.right]
    missed.sort(key=lambda pair: (not pair[0].wrong, pair[0].offered, -confidence(pair[1])))
    items = [
        f"<details><summary><b>{escape(_given(j))}</b> instead of <b>{escape(_expected(j.row))}</b>: "
        f"{escape(j.row['text'][:160])}</summary><pre>{escape(chr(10).join(steps(dict(p))))}</pre></details>"
        for j, p in missed[:WORST]
    ]
    return "".join(items) or "<p>None.</p>"


def _confused_pairs(run: Run) -> str:
    """The pairs of the first picture in words, the most frequent first."""
    pairs = Counter(
        (str(j.row["topic"]), str(j.metadata.get("topic")))
        for j in run.judged["questions"]
        if j.wrong and j.row["outcome"] == "answered" and j.row.get("topic") != j.metadata.get("topic")
    )
    shown = ", ".join(f"{asked} as {given} ({count})" for (asked, given), count in pairs.most_common(12))
    return f"<p>Most often: {escape(shown)}.</p>" if shown else "<p>No topic was taken for another.</p>"


def _dialogues(run: Run) -> str:
    rows = "".join(
        f"<tr><td>{escape(j.context) or '-'}</td><td>{escape(j.row['text'])}</td>"
        f"<td>{escape(_expected(j.row))}</td><td>{escape(_given(j))}</td></tr>"
        for j in run.judged["turns"]
        if not j.right
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("before", "turn", "expected", "got"))
    return f"<table><tr>{heads}</tr>{rows}</table>" if rows else "<p>None.</p>"


STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2226; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d7dde0; vertical-align: top; }
th[scope=row] { font-weight: normal; }
.bar { display: inline-block; height: .7em; margin-right: .5em; border-radius: 2px; }
img { max-width: 100%; height: auto; background: #fff; }
details { border-bottom: 1px solid #d7dde0; padding: .3rem 0; } summary { cursor: pointer; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f6f7; padding: .8rem; font-size: .85rem; }
"""


def page(runs: Mapping[str, Run]) -> str:
    """The whole report; `runs` has the product and, perhaps, the peer."""
    product = runs["product"]
    questions, turns = len(product.judged["questions"]), len(product.judged["turns"])
    against = f", and to a peer: {peer.DESCRIPTION}" if "peer" in runs else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation on the hold-out</title><style>{STYLE}</style></head><body><main>
<h1>Evaluation on the hold-out</h1>
<p>{date.today()}. {questions} questions and {turns} turns of dialogues, written apart from the training data, put to
the running assistant through REST{against}.</p>
{_figures(runs)}
<h2>Topics taken for one another</h2>
<p>Questions with an answer, product. The blue diagonal is right; numbers beside it count questions.</p>
{confusion(product)}
{_confused_pairs(product)}
<h2>How sure, right and wrong</h2>
{confidences(runs)}
<h2>Answered wrong against refused</h2>
<p>Each point is a fallback threshold. Nearer to the corner is better. Computed from what the model understood,
with the confidence threshold alone (no ambiguity threshold).</p>
{thresholds(runs)}
<h2>The {WORST} worst misses</h2>
<p>Product. Wrong answers first, then refusals without the right button; the surest first. Open one to see its way.</p>
{_worst(product)}
<h2>Turns of dialogues that were missed</h2>
{_dialogues(product)}
</main></body></html>
"""
