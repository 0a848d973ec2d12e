"""Each rule of `nlu/homographs.yml` holds in its own sentences for it, and not in those against it."""

from __future__ import annotations

import pytest

from nlu.terms import TermFinder, load_homographs

RULES = load_homographs()["rules"]


@pytest.mark.parametrize(("name", "sentence"), [(rule["name"], sentence) for rule in RULES for sentence in rule["for"]])
def test_an_abbreviation_means_something_else(name: str, sentence: str, finder: TermFinder) -> None:
    reading = finder.read(sentence)
    assert reading.other_meaning
    assert [m for m in reading.mentions if m.kind == "condition"] == []


@pytest.mark.parametrize(
    ("name", "sentence"), [(rule["name"], sentence) for rule in RULES for sentence in rule["against"]]
)
def test_an_abbreviation_is_the_disease(name: str, sentence: str, finder: TermFinder) -> None:
    assert [m for m in finder.read(sentence).mentions if m.kind == "condition"]
