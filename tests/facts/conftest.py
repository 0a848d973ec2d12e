"""The records as they stand in the YAML files, read once; and a small folder of records that a test may spoil."""

from __future__ import annotations

from pathlib import Path

import pytest

from facts.build import Located, load
from facts.schema import Record
from tests.facts.small_folder import write_small_folder


@pytest.fixture(scope="session")
def loaded() -> dict[str, list[Located]]:
    """The records with the places where they stand."""
    found, errors = load()
    assert errors == []
    return found


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of records that builds."""
    return write_small_folder(tmp_path / "facts")


@pytest.fixture
def small_records(small: Path) -> dict[str, list[Record]]:
    found, errors = load(small)
    assert errors == []
    return {table: [entry.record for entry in entries] for table, entries in found.items()}
