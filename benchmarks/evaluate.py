"""The hold-out put to the running assistant, and to the peer.

    python -m benchmarks.evaluate             both; writes docs/evaluation/report.html
    python -m benchmarks.evaluate --no-peer   the product alone; the report goes to .build/evaluation/
    python -m benchmarks.evaluate --floor     fails when a figure of the product is under the floor

The floor is `benchmarks/floor.yml`.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ruamel.yaml import YAML

from benchmarks import peer, scoring
from benchmarks.running import ROOT, Assistant, Failed, Product, prepare

FLOOR = Path(__file__).parent / "floor.yml"
REPORT = ROOT / "docs" / "evaluation" / "report.html"
SCRATCH = ROOT / ".build" / "evaluation" / "report.html"
#: A larger report stays out of the repository.
LARGEST_COMMITTED = 400_000


def put_to(assistant: Assistant) -> Tuple[Dict[str, List[scoring.Judged]], Dict[str, float]]:
    """Every question and dialogue of the hold-out, judged, and the figures."""
    with assistant:
        ask = assistant.client().reply
        judged = scoring.run(ask)
        return judged, {**scoring.figures(judged), "typo_cost": scoring.typo_cost(ask, judged)}


async def parse(models: Path) -> List[Dict[str, Any]]:
    """What the model in a folder understands of each question of the hold-out."""
    from rasa.core.agent import load_agent
    from rasa.model import get_latest_model

    agent = await load_agent(get_latest_model(str(models)))
    return [await agent.parse_message(row["text"]) for row in scoring.load_questions()]


def figures_table(figures: Mapping[str, Mapping[str, float]]) -> List[str]:
    """A line per figure, a column per assistant."""
    names = list(figures)
    lines = [f"{'percent':24}" + "".join(f"{name:>10}" for name in names)]
    for figure in figures[names[0]]:
        lines.append(f"{figure:24}" + "".join(f"{figures[name][figure]:10.1f}" for name in names))
    return lines


def below_floor(figures: Mapping[str, float]) -> List[str]:
    """A line for each figure that is not what `floor.yml` asks."""
    floor = YAML(typ="safe").load(FLOOR.read_text(encoding="utf8"))
    short = [
        f"{name} is {figures[name]:.1f}, at least {least} wanted"
        for name, least in floor["least"].items()
        if figures[name] < least
    ]
    return short + [
        f"{name} is {figures[name]:.1f}, at most {most} wanted"
        for name, most in floor["most"].items()
        if figures[name] > most
    ]


def write_report(page: str, with_peer: bool) -> Path:
    """Put the report where it belongs: only a whole one of moderate size is committed."""
    path = REPORT if with_peer and len(page.encode()) <= LARGEST_COMMITTED else SCRATCH
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf8")
    return path


def evaluate(with_peer: bool, stale: bool, folder: Path) -> Mapping[str, float]:
    """Run everything, print the figures, write the report.

    Returns:
        The figures of the product.
    """
    from benchmarks import report
    from server.app import model_file
    from server.settings import Settings

    # A copy: a model trained meanwhile would be served instead of the one looked at below.
    models = {"product": folder / "models"}
    models["product"].mkdir()
    shutil.copy2(model_file(Settings()), models["product"])
    runs: Dict[str, report.Run] = {}
    if with_peer:
        models["peer"] = peer.model(stale)
    for name, model in models.items():
        print(f"Putting the hold-out to the {name} ...", file=sys.stderr, flush=True)
        assistant = Product(folder, model) if name == "product" else peer.Peer(folder, model, "metadata")
        runs[name] = report.Run(*put_to(assistant), asyncio.run(parse(model)))
    figures = {name: run.figures for name, run in runs.items()}
    print("\n".join(figures_table(figures)))
    path = write_report(report.page(runs), with_peer)
    print(f"Report: {path.relative_to(ROOT)}")
    return figures["product"]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluate", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--no-peer", action="store_true", help="the product alone")
    parser.add_argument("--floor", action="store_true", help="fail when a figure is under benchmarks/floor.yml")
    parser.add_argument("--stale-peer", action="store_true", help=peer.STALE_HELP)
    options = parser.parse_args(arguments)
    prepare()
    try:
        with tempfile.TemporaryDirectory() as folder:
            figures = evaluate(not options.no_peer, options.stale_peer, Path(folder))
    except (Failed, OSError, HTTPException) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    short = below_floor(figures) if options.floor else []
    for line in short:
        print(f"Under the floor: {line}", file=sys.stderr)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
