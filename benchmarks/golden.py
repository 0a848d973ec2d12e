"""What is decided about every turn of the hold-out: shows what a change of the code or of the data changes.

    python -m benchmarks.golden           prints each turn that is decided otherwise than tests/holdout/golden.tsv says
    python -m benchmarks.golden --write   writes that file anew

It shows and does not judge: any training moves some turns, so no test fails on it. What must not get worse is in
floor.yml.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from benchmarks import scoring
from benchmarks.running import prepare
from benchmarks.scoring import Judged, Verdict

GOLDEN = scoring.HOLDOUT / "golden.tsv"
#: So much of a message is shown.
SHOWN = 160


@dataclass(frozen=True)
class Decided:
    """What became of a turn: outcome, questions (topics where no question was answered), diseases, and its verdict."""

    outcome: str
    asked: str
    conditions: str
    verdict: str

    @classmethod
    def of(cls, judged: Judged) -> Decided:
        metadata = judged.metadata
        several = metadata.get("questions") or metadata.get("topics")
        asked = several or [metadata.get("question") or metadata.get("topic")]
        named = (str(name) for name in asked if name)
        return cls(judged.outcome, ",".join(named), ",".join(metadata.get("conditions") or ()), judged.verdict.value)

    def __str__(self) -> str:
        about = " ".join(part for part in (self.outcome, self.asked, self.conditions) if part)
        return f"{about} ({self.verdict})"


def key(judged: Judged) -> str:
    """Names a turn by what was said in it and before it, so that rows may be added and moved."""
    return sha256(f"{judged.context}\n{judged.row['text']}".encode()).hexdigest()[:10]


def read(file: Path) -> Dict[str, Decided]:
    with file.open(encoding="utf8", newline="") as lines:
        return {name: Decided(*rest) for name, *rest in csv.reader(lines, "excel-tab")}


def write(file: Path, turns: Iterable[Judged]) -> None:
    """A line per turn, in the order of the hold-out."""
    with file.open("w", encoding="utf8", newline="") as lines:
        csv.writer(lines, "excel-tab", lineterminator="\n").writerows(
            (name, *astuple(decided)) for name, decided in {key(t): Decided.of(t) for t in turns}.items()
        )


def changes(before: Mapping[str, Decided], turns: Sequence[Judged]) -> List[Tuple[Judged, Optional[Decided]]]:
    """The turns that are decided otherwise than before; without anything before for new ones."""
    return [(turn, before.get(key(turn))) for turn in turns if before.get(key(turn)) != Decided.of(turn)]


def report(before: Mapping[str, Decided], turns: Sequence[Judged]) -> List[str]:
    """What changed, a paragraph per turn, and last how many changed which way."""
    lines: List[str] = []
    ways: Counter[str] = Counter()
    for turn, was in changes(before, turns):
        behind = f"   (behind: {turn.context[-SHOWN:]})" if turn.context else ""
        lines += [f"{turn.row['text'][:SHOWN]}{behind}", f"  - {was or 'new'}", f"  + {Decided.of(turn)}"]
        right_before = was is not None and was.verdict == Verdict.DIRECT.value
        same = was is None or right_before == turn.right
        ways["neither" if same else "now right" if turn.right else "no longer right"] += 1
    told = ", ".join(f"{count} {way}" for way, count in sorted(ways.items()))
    gone = len(set(before) - {key(turn) for turn in turns})
    lines.append(f"{sum(ways.values())} of {len(turns)} turns changed" + (f": {told}" if told else ""))
    return [*lines, f"{gone} turns of the file are no longer in the hold-out"] if gone else lines


def main(arguments: Optional[Sequence[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.golden", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--write", action="store_true", help="write tests/holdout/golden.tsv anew")
    options = parser.parse_args(arguments)
    prepare()
    from benchmarks.in_process import InProcess

    turns = [turn for turns in scoring.run(InProcess().ask).values() for turn in turns]
    print("\n".join(report(read(GOLDEN) if GOLDEN.exists() else {}, turns)[-1 if options.write else 0 :]))
    if options.write:
        write(GOLDEN, turns)
    return 0


if __name__ == "__main__":
    sys.exit(main())
