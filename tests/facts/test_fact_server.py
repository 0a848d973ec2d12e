"""The fact store in PostgreSQL: built in one piece, only read at run time, and asked seldom."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from facts import database, engine
from facts import store as facts_store
from facts.build import build
from facts.schema import TABLES, Record
from facts.store import FactStore, Snapshot, StoreUnavailable
from tests.services import Outage, Postgres, postgres_server

Records = dict[str, list[Record]]
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_store, "RECENT_SECONDS", 0.0)


@pytest.fixture
def url(postgres: Postgres, records: Records) -> str:
    """A store in a PostgreSQL, as the records of the repository make it."""
    write(postgres.url, records)
    return postgres.url


def write(url: str, records: Records) -> str:
    target = sa.create_engine(url)
    version = database.version_of(records)
    database.write(target, records, version)
    target.dispose()
    return version


def another(records: Records) -> Records:
    return {**records, "helplines": records["helplines"][:1], "facts": records["facts"][:50]}


def test_every_record_comes_back_as_it_was_written(url: str, records: Records) -> None:
    with sa.create_engine(url).connect() as connection:
        assert database.read(connection) == {name: records[name] for name in TABLES}


def test_the_build_makes_a_store_that_answers(postgres: Postgres, facts: Snapshot) -> None:
    assert build(postgres.url) == []
    found = FactStore(postgres.url).snapshot()
    assert found.version == facts.version
    assert found.facts == facts.facts


def test_nothing_can_be_written_through_the_engine_of_the_store(url: str) -> None:
    store = FactStore(url)
    before = store.snapshot().facts
    with store._engine.connect() as connection, pytest.raises(sa.exc.InternalError, match="read-only"):
        connection.execute(sa.text("delete from facts"))
    assert FactStore(url).snapshot().facts == before


def test_a_rebuilt_store_is_served_without_opening_it_again(url: str, records: Records) -> None:
    store = FactStore(url)
    assert len(store.snapshot().helplines) > 1
    write(url, another(records))
    assert len(store.snapshot().helplines) == 1


@pytest.mark.parametrize("form_changes", [False, True])
def test_readers_see_the_old_store_or_the_new_one_and_never_half(
    form_changes: bool, url: str, records: Records, postgres: Postgres
) -> None:
    kinds = {database.version_of(kind): kind for kind in (records, another(records))}
    seen: list[tuple[str, int, int]] = []
    problems: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                found = FactStore(url).snapshot()
            except StoreUnavailable as error:
                problems.append(str(error))
                continue
            seen.append((found.version, len(found.facts), len(found.helplines)))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for kind in list(kinds.values()) * 3:
            if form_changes:
                postgres.query("update store_version set form = 'of before'")
            write(url, kind)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert {version for version, *_ in seen} == set(kinds)
    wrong = [s for s in seen if s[1:] != (len(kinds[s[0]]["facts"]), len(kinds[s[0]]["helplines"]))]
    assert wrong == []
    if not form_changes:
        assert problems == []  # a build is noticed by nobody


def test_a_build_that_fails_half_way_leaves_the_store_as_it_was(url: str, records: Records) -> None:
    before = FactStore(url).snapshot()
    twice = {**records, "terms": [*records["terms"], records["terms"][0]]}
    with pytest.raises(sa.exc.IntegrityError):
        write(url, twice)
    after = FactStore(url).snapshot()
    assert after.version == before.version
    assert after.terms == before.terms


def test_tables_of_another_form_are_made_anew(url: str, records: Records, postgres: Postgres) -> None:
    postgres.query("alter table drugs drop column status")
    postgres.query("alter table store_version drop column form")
    write(url, records)
    with sa.create_engine(url).connect() as connection:
        assert database.read(connection)["drugs"] == records["drugs"]


def test_builds_at_the_same_time_come_one_after_the_other(postgres: Postgres, records: Records) -> None:
    postgres.query("drop table if exists store_version")  # as if it were the first time
    errors: list[BaseException] = []

    def run(kind: Records) -> None:
        try:
            write(postgres.url, kind)
        except BaseException as error:  # noqa: BLE001 - seen by the test
            errors.append(error)

    builds = [threading.Thread(target=run, args=(kind,)) for kind in (records, another(records), records)]
    for one in builds:
        one.start()
    for one in builds:
        one.join()
    assert errors == []
    FactStore(postgres.url).snapshot()


def test_a_server_is_asked_at_most_once_a_second(url: str, records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts_store, "RECENT_SECONDS", 1.0)
    store = FactStore(url)
    asked: list[str] = []
    sa.event.listen(store._engine, "before_cursor_execute", lambda c, cu, statement, *rest: asked.append(statement))
    store.snapshot()
    del asked[:]
    for _ in range(500):
        store.snapshot()
    assert asked == []
    write(url, another(records))
    time.sleep(1.1)
    assert not store.at_hand
    assert len(store.snapshot().helplines) == 1
    assert store.at_hand


@pytest.fixture(params=Outage.WAYS)
def outage(request: pytest.FixtureRequest, tmp_path: Path, records: Records) -> Iterator[Outage]:
    with postgres_server(tmp_path) as server:
        write(server.url, records)
        yield Outage(server, request.param)


def test_a_store_that_goes_is_reported_soon_and_served_when_it_comes_back(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FactStore(outage.server.url)
    version = store.snapshot().version
    outage.begin()
    monkeypatch.setattr(facts_store, "RECENT_SECONDS", 1.0)
    time.sleep(1.1)
    begun = time.monotonic()
    for _ in range(20):  # those who come meanwhile do not each wait anew
        with pytest.raises(StoreUnavailable):
            store.snapshot()
    assert time.monotonic() - begun < 2 * engine.SECONDS + 1
    outage.end()
    time.sleep(1.1)
    assert store.snapshot().version == version


def test_a_build_into_a_server_that_is_not_there_says_so_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "facts.build"],
        cwd=ROOT,
        env={"PATH": "", "FACT_STORE_URL": "postgresql://me:zqxsecret@127.0.0.1:9/nowhere"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "FACT_STORE_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert "zqxsecret" not in done.stderr


@pytest.mark.parametrize("url", ["postgres://a:b@h/c", "postgresql://a:b@h/c"])
def test_a_url_as_some_hosts_write_it_is_taken(url: str) -> None:
    assert engine.address_of(url).get_dialect().name == "postgresql"
