"""`bin/train`: a model is trained once for what it is made of, whatever happens to the times of files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

#: Stands where Python stands: writes down that it was called, and makes the model that it was asked for.
PYTHON = """\
#!/bin/sh
for name; do :; done
echo trained >>calls
echo "words of a library"
[ ! -e fails ] || exit 3
mkdir -p models && echo model >"models/$name.tar.gz"
"""


class House:
    """A copy of what a model is made of, small."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("data/rules.yml", "data/nlu/cure.yml", "nlu/a.py", "nlu/a.yml", "nlu/encoder/a.json"):
            self.write(name, name)
        for name in ("domain.yml", "config.yml", "facts/terms.yml", "requirements.txt", ".build/x"):
            self.write(name, name)
        (folder / "bin").mkdir()
        for name in ("train", "step"):
            shutil.copy(ROOT / "bin" / name, folder / "bin" / name)
        self.write(".venv/bin/python", PYTHON)
        (folder / ".venv/bin/python").chmod(0o755)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, "utf8")

    def train(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.folder / "bin" / "train"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @property
    def trained(self) -> int:
        calls = self.folder / "calls"
        return len(calls.read_text("utf8").splitlines()) if calls.exists() else 0


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_same_is_trained_once(house: House) -> None:
    said = house.train().stderr
    assert "Training the model" in said
    assert "words of a library" not in said
    for file in house.folder.rglob("*.yml"):
        os.utime(file)
    assert (house.train().stderr, house.trained) == ("", 1)


def test_what_changed_is_trained_and_what_comes_back_is_not(house: House) -> None:
    house.train()
    house.write("data/nlu/cure.yml", "another example")
    house.train()
    assert house.trained == 2
    house.write("data/nlu/cure.yml", "data/nlu/cure.yml")
    house.train()
    assert house.trained == 2
    models = sorted((house.folder / "models").iterdir(), key=lambda file: file.stat().st_ctime)
    house.write("data/nlu/cure.yml", "another example")
    house.train()
    assert sorted((house.folder / "models").iterdir(), key=lambda file: file.stat().st_ctime) == models[::-1]


def test_it_is_trained_again_when_that_is_asked_for(house: House) -> None:
    house.train()
    house.train("--again")
    assert house.trained == 2


def test_a_training_that_fails_says_why_and_is_tried_again(house: House) -> None:
    house.write("fails", "")
    failed = house.train()
    assert failed.returncode == 3
    assert "words of a library" in failed.stderr
    (house.folder / "fails").unlink()
    assert house.train().returncode == 0
    assert house.trained == 2
