"""No rule of safety may take long over a message made to be slow: one message must not hold up everybody."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

FOLDER = Path(__file__).parents[2] / "nlu" / "safety"
RULES = [YAML(typ="safe").load(path.read_text(encoding="utf8")) for path in sorted(FOLDER.glob("*.yml"))]
#: Words that open the rule which once took hours over a run of apostrophes.
OPENINGS = ("", "vent", "mask ", "oxygen")
LENGTH = 2000
#: A hundred times what the slowest takes; before it was mended the run was never over.
MOST_SECONDS = 60

READ_ALL = """
import json, sys
from nlu.alarm import alarm_in
for text in json.load(sys.stdin):
    alarm_in(text)
"""


def runs() -> list[str]:
    """Each character that a rule names, and each that people type, over and over behind every opening."""
    named = set(re.sub(r"\\.", "", json.dumps(RULES, ensure_ascii=False))) | set("'’`´.,!?;:-_ \n\t\"()*")
    return [opening + character * LENGTH for character in sorted(named) for opening in OPENINGS]


def test_no_run_of_a_character_holds_up_the_reading() -> None:
    # In a process of its own: a regular expression that is at it cannot be interrupted.
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ_ALL], input=json.dumps(runs()), text=True, timeout=MOST_SECONDS, check=False,
            cwd=Path(__file__).parents[2], capture_output=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.fail("a rule takes more and more time over a run of one character")
    assert done.returncode == 0, done.stderr[-500:]
