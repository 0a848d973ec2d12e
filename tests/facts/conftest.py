"""The records as they stand in the YAML files, read once."""

from __future__ import annotations

import pytest

from facts.build import Located, load
from facts.schema import Record


@pytest.fixture(scope="session")
def loaded() -> dict[str, list[Located]]:
    """The records with the places where they stand."""
    found, errors = load()
    assert errors == []
    return found


@pytest.fixture(scope="session")
def records(loaded: dict[str, list[Located]]) -> dict[str, list[Record]]:
    return {table: [entry.record for entry in entries] for table, entries in loaded.items()}
