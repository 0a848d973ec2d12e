"""The store as the actions see it: what the files say, always the newest, and never half of it."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from facts import store as fact_store
from facts.build import build
from facts.schema import TABLES, Record
from facts.store import FactStore, Snapshot, StoreUnavailable, write

Records = dict[str, list[Record]]


@pytest.fixture
def file(tmp_path: Path, small_records: Records) -> Path:
    """A store of its own that a test may spoil."""
    path = tmp_path / "facts.json"
    write(path, small_records)
    return path


def another(records: Records) -> Records:
    """The same with one helpline less."""
    return {**records, "helplines": records["helplines"][:1]}


def test_every_record_comes_back_as_it_was_written(file: Path, small_records: Records) -> None:
    stored = json.loads(file.read_text("utf8"))["tables"]
    for table, kind in TABLES.items():
        assert small_records[table], table
        assert [kind(**row) for row in stored[table]] == small_records[table], table


def test_the_records_of_the_repository_come_back_too(facts: Snapshot, loaded: dict[str, Any]) -> None:
    for table in ("questions", "facts", "drugs", "symptoms", "terms", "sources"):
        records = {entry.record.key: entry.record for entry in loaded[table]}
        assert getattr(facts, table) == records, table


def test_the_same_records_make_the_same_version_and_others_another(tmp_path: Path, small_records: Records) -> None:
    first = write(tmp_path / "one.json", small_records)
    assert write(tmp_path / "two.json", small_records) == first
    assert write(tmp_path / "three.json", another(small_records)) != first
    assert FactStore(tmp_path / "one.json").snapshot().version == first


def test_a_rebuilt_store_is_served_without_opening_it_again(file: Path, small_records: Records) -> None:
    store = FactStore(file)
    before = store.snapshot()
    write(file, another(small_records))
    assert len(before.helplines) == 2, "who reads the old one goes on with it"
    assert len(store.snapshot().helplines) == 1


def test_an_unchanged_store_is_not_read_again(file: Path) -> None:
    store = FactStore(file)
    assert store.snapshot() is store.snapshot()


def test_what_was_read_is_served_on_when_the_file_goes(
    file: Path, small_records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    store = FactStore(file)
    before = store.snapshot()
    file.unlink()
    for _ in range(3):
        assert store.snapshot() is before
    assert store.problem
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1, "once, not in every turn"
    write(file, another(small_records))
    assert len(store.snapshot().helplines) == 1
    assert not store.problem


@pytest.mark.parametrize(
    "content", [b"", b"{", b"no store", b"[]", b"\xff\xfe", b'{"version": "1"}', b'{"version": "1", "tables": {}}']
)
def test_what_was_read_is_served_on_when_the_file_breaks(content: bytes, file: Path, small_records: Records) -> None:
    store = FactStore(file)
    before = store.snapshot()
    file.write_bytes(content)
    assert store.snapshot() is before
    write(file, small_records)
    assert store.snapshot().version == before.version
    assert not store.problem


def test_a_missing_file_is_reported_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FactStore(tmp_path / "missing" / "facts.json").snapshot()
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"this is no store",
        b"[]",
        b"null",
        b"{}",
        b"\xff" * 64,
        b'{"tables": {}}',
        b'{"version": "1", "tables": []}',
    ],
)
def test_a_file_that_is_no_store_is_reported(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable):
        FactStore(path).snapshot()


def spoiled(file: Path, change: Any) -> Path:
    content = json.loads(file.read_text("utf8"))
    change(content)
    file.write_text(json.dumps(content), "utf8")
    return file


@pytest.mark.parametrize("table", TABLES)
def test_a_store_without_one_of_its_tables_is_reported(table: str, file: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FactStore(spoiled(file, lambda content: content["tables"].pop(table))).snapshot()


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [("drugs", "status", "miracle"), ("facts", "weather", "fine"), ("questions", "topic", None)],
)
def test_a_store_of_another_form_is_reported(table: str, field: str, value: Any, file: Path) -> None:
    with pytest.raises(StoreUnavailable):
        FactStore(spoiled(file, lambda content: content["tables"][table][0].update({field: value}))).snapshot()


def test_a_build_puts_the_whole_store_in_place_in_one_step(
    file: Path, small_records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the moment of the change the old one stands whole, and at that moment the new one is complete."""
    old, steps = file.read_bytes(), []

    def replace(fresh: Any, target: Any) -> None:
        assert Path(target).read_bytes() == old
        assert Path(fresh).parent == Path(target).parent, "another disk could not do it in one step"
        json.loads(Path(fresh).read_text("utf8"))
        steps.append(fresh)
        shutil.move(fresh, target)

    monkeypatch.setattr(fact_store.os, "replace", replace)
    write(file, another(small_records))
    assert len(steps) == 1
    assert file.read_bytes() != old
    assert sorted(p.name for p in file.parent.iterdir() if p.is_file()) == ["facts.json"], "nothing is left beside it"


def test_a_write_that_fails_leaves_the_store_as_it_was(
    file: Path, small_records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = FactStore(file).snapshot().version

    def full(self: Path, *args: Any, **kwargs: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        write(file, another(small_records))
    assert FactStore(file).snapshot().version == before


def test_readers_see_the_old_store_or_the_new_one_and_never_half(file: Path, small_records: Records) -> None:
    versions = {write(file, another(small_records)): 1, write(file, small_records): 2}
    seen: list[tuple[str, int]] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                found = FactStore(file).snapshot()
                seen.append((found.version, len(found.helplines)))
            except Exception as error:  # noqa: BLE001 - seen by the test
                problems.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(10):
        write(file, another(small_records))
        write(file, small_records)
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert set(seen) <= set(versions.items())
    assert seen


def test_threads_share_one_store(file: Path, small_records: Records) -> None:
    store, found = FactStore(file), []
    threads = [threading.Thread(target=lambda: found.append(store.snapshot())) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({id(one) for one in found}) == 1


@pytest.mark.parametrize("name", ["my facts", "50% new", "new #1", "größer"])
def test_the_folder_of_the_store_may_be_called(name: str, small: Path, tmp_path: Path) -> None:
    path = tmp_path / name / "facts.json"
    assert build(path, small) == []
    assert FactStore(path).snapshot().facts


def test_a_store_may_be_read_only(file: Path) -> None:
    os.chmod(file, 0o444)
    assert FactStore(file).snapshot().facts


def test_what_is_only_told_to_those_who_ask_is_not_among_what_may_be_told(facts: Snapshot) -> None:
    sensitive = {f.id for f in facts.facts.values() if facts.questions[f.question].only_asked}
    assert sensitive
    for topic in {t for f in facts.facts.values() for t in f.topics}:
        assert sensitive.isdisjoint(f.id for f in facts.facts_about(topic, ("MS", "ALS"))), topic
    for term in facts.terms:
        assert sensitive.isdisjoint(f.id for f in facts.facts_naming(term)), term
