"""The store as the actions see it: what the files say, for reading only, and always the newest."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from facts import database
from facts.schema import TABLES, Record
from facts.store import FactStore, Snapshot, StoreUnavailable


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
def copied(store_url: str, tmp_path: Path) -> Path:
    """A store of its own that a test may spoil."""
    return Path(shutil.copy(path_of(store_url), tmp_path / "facts.sqlite"))


@pytest.mark.parametrize("table", TABLES)
def test_every_record_comes_back_as_it_was_written(
    table: str, records: dict[str, list[Record]], store_url: str
) -> None:
    with sa.create_engine(store_url).connect() as connection:
        stored = database.read(connection)
    assert records[table]
    assert stored[table] == records[table]


def test_the_store_knows_the_version_of_its_content(records: dict[str, list[Record]], facts: Snapshot) -> None:
    assert facts.version == database.version_of(records)


def test_a_changed_record_makes_another_version(records: dict[str, list[Record]]) -> None:
    changed = records["facts"][0].copy(update={"statement": "Another sentence."})
    assert database.version_of({**records, "facts": [changed, *records["facts"][1:]]}) != database.version_of(records)


def test_nothing_can_be_written_through_the_engine_of_the_store(copied: Path) -> None:
    store = FactStore(f"sqlite:///{copied}")
    before = store.snapshot().facts
    with store._engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text("delete from facts"))
    assert FactStore(f"sqlite:///{copied}").snapshot().facts == before


def test_a_missing_file_is_reported_and_not_created(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FactStore(f"sqlite:///{tmp_path}/missing.sqlite").snapshot()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"this is no database", b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_no_store_is_reported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "facts.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        FactStore(f"sqlite:///{path}").snapshot()


def test_a_store_without_one_of_its_tables_is_reported(copied: Path) -> None:
    with sqlite3.connect(copied) as connection:
        connection.execute("drop table drugs")
    with pytest.raises(StoreUnavailable):
        FactStore(f"sqlite:///{copied}").snapshot()


def test_a_record_of_another_version_of_the_schema_is_reported(copied: Path) -> None:
    with sqlite3.connect(copied) as connection:
        connection.execute("update drugs set status = 'miracle'")
    with pytest.raises(StoreUnavailable):
        FactStore(f"sqlite:///{copied}").snapshot()


def test_a_rebuilt_store_is_served_without_opening_it_again(
    copied: Path, tmp_path: Path, records: dict[str, list[Record]]
) -> None:
    store = FactStore(f"sqlite:///{copied}")
    first = records["facts"][0]
    assert store.snapshot().facts[first.key].statement == first.statement
    changed = {**records, "facts": [first.copy(update={"statement": "Corrected."}), *records["facts"][1:]]}
    fresh = tmp_path / "facts.sqlite.new"
    database.write(sa.create_engine(f"sqlite:///{fresh}"), changed, database.version_of(changed))
    fresh.replace(copied)  # as the build puts it in place
    assert store.snapshot().facts[first.key].statement == "Corrected."


def test_a_store_written_over_in_one_transaction_is_served_too(copied: Path, records: dict[str, list[Record]]) -> None:
    """The way of databases that are no file, such as PostgreSQL."""
    store = FactStore(f"sqlite:///{copied}")
    before = store.snapshot()
    changed = {**records, "helplines": records["helplines"][:1]}
    database.write(sa.create_engine(f"sqlite:///{copied}"), changed, database.version_of(changed))
    assert len(before.helplines) > 1
    assert len(store.snapshot().helplines) == 1


def test_an_unchanged_store_is_not_read_again(store_url: str) -> None:
    store = FactStore(store_url)
    assert store.snapshot() is store.snapshot()


@pytest.mark.parametrize("name", ["my facts", "50% new", "new #1"])
def test_the_folder_of_the_store_may_be_called(name: str, store_url: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(path_of(store_url), folder / "facts.sqlite")
    url = sa.engine.URL.create("sqlite", database=str(folder / "facts.sqlite"))
    assert FactStore(str(url)).snapshot().facts
