"""The hold-out put to the running assistant over REST: prints figures and verdicts, and fails under the floor.

    python -m benchmarks.evaluate           the product
    python -m benchmarks.evaluate --peer    the peer beside it, trained first when its inputs changed

The floor is `benchmarks/floor.yml`. What was not right is written to .build/evaluation.txt.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence

from ruamel.yaml import YAML

from benchmarks import peer, scoring
from benchmarks.golden import Decided
from benchmarks.running import ROOT, Assistant, Failed, Product, prepare
from benchmarks.scoring import Judged, Verdict

FLOOR = Path(__file__).parent / "floor.yml"
MISSES = ROOT / ".build" / "evaluation.txt"

Judgements = Dict[str, List[Judged]]


def put_to(assistant: Assistant) -> tuple[Judgements, Dict[str, float]]:
    """Every turn of the hold-out, judged, and the figures."""
    with assistant:
        ask = assistant.client().reply
        judged = scoring.run(ask)
        return judged, {**scoring.figures(judged), "typo_cost": scoring.typo_cost(ask, judged)}


def columns(head: str, rows: Sequence[str], values: Mapping[str, Mapping[str, float]], form: str) -> List[str]:
    """A line per row, a column per key of `values`."""
    lines = [f"{head:26}" + "".join(f"{name:>11}" for name in values)]
    return lines + [f"{row:26}" + "".join(f"{of.get(row, 0):11{form}}" for of in values.values()) for row in rows]


def verdicts(judged: Judgements) -> List[str]:
    """How many turns of each set got which verdict."""
    counts = {name: Counter(turn.verdict.value for turn in turns) for name, turns in judged.items()}
    return columns("verdicts", [verdict.value for verdict in Verdict], counts, "d")


def misses(judged: Judgements) -> List[str]:
    """The turns that were not right, by set and verdict: what was wanted and what came."""
    lines: List[str] = []
    for name, turns in judged.items():
        for turn in sorted((t for t in turns if not t.right), key=lambda t: list(Verdict).index(t.verdict)):
            row = turn.row
            topics = row.get("topics") or [row.get("topic") or ""]
            wanted = " ".join([row["outcome"], ",".join(topics), ",".join(row.get("conditions") or ())]).strip()
            behind = f"   (behind: {turn.context})" if turn.context else ""
            lines.append(f"{name}: {row['text']}{behind}\n  wanted {wanted}\n  got    {Decided.of(turn)}")
    return lines


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peer", action="store_true", help="the peer beside it")
    options = parser.parse_args(arguments)
    prepare()
    try:
        with tempfile.TemporaryDirectory() as folder:
            judged, product = put_to(Product(Path(folder), ROOT / "models"))
            figures = {"product": product}
            if options.peer:
                _, figures["peer"] = put_to(peer.Peer(Path(folder), peer.model(), "metadata"))
    except (Failed, OSError, HTTPException) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    MISSES.write_text("\n".join(misses(judged)) + "\n", encoding="utf8")
    print("\n".join([*columns("percent", list(product), figures, ".1f"), "", *verdicts(judged)]))
    print(f"What was not right: {MISSES.relative_to(ROOT)}")
    short = scoring.below_floor(product, YAML(typ="safe").load(FLOOR.read_text(encoding="utf8")))
    for line in short:
        print(f"Under the floor: {line}", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
