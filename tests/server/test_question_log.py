"""The log of questions: a row per turn, nothing about who asked, and never at the cost of a turn."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from facts.store import Snapshot
from replies.contract import Content, Outcome
from server import metrics
from server.question_log import WITH_TEXT, QuestionLog
from server.redaction import Redactor
from server.turns import Turn
from stores import question_log
from stores.question_log import MOST_WAITING, table
from tests.services import Outage, postgres_server

COLUMNS = {
    "id",
    "day",
    "channel",
    "outcome",
    "topic",
    "conditions",
    "confidence",
    "fallback",
    "reason",
    "model",
    "text",
}


def turn(text: str = "what can i eat with als", outcome: str = "clarify", **reply: Any) -> Turn:
    parsed = {"intent": {"name": "nlu_fallback", "confidence": 0.3}, "intent_ranking": [
        {"name": "nlu_fallback", "confidence": 0.3}, {"name": "lifestyle", "confidence": 0.2371}]}  # fmt: skip
    replied = Content.from_dict({"outcome": outcome, "conditions": ["ALS"], **reply})
    return Turn("rest", text, parsed, replied, model="model.tar.gz")


class Upper:
    """Stands for the redactor."""

    def redact(self, text: str) -> str | None:
        return text.upper() if text else None


def rows(url: str) -> list[dict[str, Any]]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


def dropped() -> float:
    return metrics._errors.labels("question_log")._value.get()


def until(condition: Callable[[], Any]) -> None:
    for _ in range(1_500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/questions.sqlite"


def test_a_row_is_what_it_is_said_to_be_and_nothing_else(url: str) -> None:
    log = QuestionLog(url)
    log.record(turn(topic="lifestyle"))
    log.close()
    (row,) = rows(url)
    assert set(row) == COLUMNS
    assert row["day"] == time.strftime("%Y-%m-%d", time.gmtime())
    assert len(row.pop("id")) == 16
    del row["day"]
    assert row == {
        "channel": "rest", "outcome": "clarify", "topic": "lifestyle", "conditions": "ALS", "confidence": 0.3,
        "fallback": True, "reason": None, "model": "model.tar.gz", "text": None,
    }  # fmt: skip


def test_values_come_from_closed_sets(url: str) -> None:
    log = QuestionLog(url)
    log.record(
        Turn(
            *("zqxmarker", "zqxmarker", {}),
            Content.from_dict({"outcome": "zqxmarker", "topic": "zqxmarker", "conditions": ["zqx"]}),
        )
    )
    log.close()
    (row,) = rows(url)
    assert (row["channel"], row["outcome"], row["topic"], row["conditions"]) == ("other", "error", None, "")
    assert row["confidence"] is None


def test_the_order_of_rows_tells_nothing(url: str) -> None:
    """Neither the order in which they are read nor an id that counts up says which was written when."""
    log = QuestionLog(url)
    written = [str(n) for n in range(20)]
    for name in written:
        log._write([replace(turn(), model=name)])
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        stored = [row.model for row in connection.execute(sa.text("SELECT model FROM question_log"))]
        by_id = [row.model for row in connection.execute(sa.text("SELECT model FROM question_log ORDER BY id"))]
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(sa.text("SELECT rowid FROM question_log"))
    assert sorted(stored) == sorted(written)
    assert written not in (stored, by_id)


@pytest.mark.parametrize("outcome", [o.value for o in Outcome])
def test_words_are_kept_of_questions_without_an_answer_alone(outcome: str, url: str) -> None:
    log = QuestionLog(url, redactor=Upper)
    log.record(turn("so what now", outcome))
    log.close()
    kept = {"clarify": "SO WHAT NOW", "not_covered": "SO WHAT NOW"}
    assert [row["text"] for row in rows(url)] == [kept.get(outcome)]
    assert set(kept) == set(WITH_TEXT)


def test_what_a_button_sends_is_no_question(url: str) -> None:
    log = QuestionLog(url, redactor=Upper)
    log.record(turn('/drug{"drug":["x"]}', "not_covered"))
    log.close()
    assert [row["text"] for row in rows(url)] == [None]


def test_without_the_switch_no_word_is_kept(url: str) -> None:
    log = QuestionLog(url)
    log.record(turn("zqxmarker"))
    log.close()
    assert b"zqxmarker" not in Path(url.removeprefix("sqlite:///")).read_bytes()


def test_a_redactor_that_fails_costs_the_words_and_not_the_row(url: str) -> None:
    def fails() -> Upper:
        raise OSError("no facts")

    log = QuestionLog(url, redactor=fails)
    log.record(turn("zqxmarker"))
    log.close()
    assert [row["text"] for row in rows(url)] == [None]


def test_with_the_switch_the_words_are_redacted(url: str, facts: Snapshot) -> None:
    log = QuestionLog(url, redactor=lambda: Redactor(facts.terms.values()))
    log.record(turn("can my uncle Bob Zqxmarker, 0171 496 0000, eat cheese with ALS"))
    log.close(60)
    (row,) = rows(url)
    assert row["text"] == "can my uncle _ eat cheese with als"


def test_old_rows_go_when_a_row_is_written_and_when_it_is_swept(url: str) -> None:
    log = QuestionLog(url, days=90, redactor=Upper)
    log.record(turn("ancient"))
    log.close()
    engine = sa.create_engine(url)

    def age(days: int) -> None:
        with engine.begin() as connection:
            day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))
            connection.execute(table.update().values(day=day))

    age(89)
    asyncio.run(log.sweep())
    assert [row["text"] for row in rows(url)] == ["ANCIENT"]
    age(91)
    again = QuestionLog(url, days=90, redactor=Upper)
    again.record(turn("new"))
    again.close()
    assert [row["text"] for row in rows(url)] == ["NEW"]
    age(91)
    path = Path(url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as reader:  # while somebody has it open, SQLite keeps a file of what was written
        reader.execute("SELECT count(*) FROM question_log").fetchall()
        asyncio.run(log.sweep())
        assert reader.execute("SELECT count(*) FROM question_log").fetchall() == [(0,)]
        files = [file for file in path.parent.iterdir() if file.name.startswith(path.name)]
        assert len(files) > 1
        assert [file.name for file in files for word in (b"ANCIENT", b"NEW") if word in file.read_bytes()] == []
    reader.close()


def test_rows_are_swept_at_most_once_an_hour(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = QuestionLog(url)
    swept: list[float] = []
    delete_old = log._delete_old
    monkeypatch.setattr(log, "_delete_old", lambda: (swept.append(1), delete_old()))
    for _ in range(5):
        log._write([turn()])
    assert len(swept) == 1
    log._swept -= 3_601
    log._write([turn()])
    assert len(swept) == 2


def test_a_database_that_is_away_costs_no_turn_and_every_row_is_counted(tmp_path: Path, caplog: Any) -> None:
    gone = tmp_path / "later"
    log = QuestionLog(f"sqlite:///{gone}/questions.sqlite")
    before = dropped()
    begun = time.monotonic()
    for _ in range(5):
        log.record(turn("zqxmarker"))
    assert time.monotonic() - begun < 0.5
    until(lambda: dropped() - before == 5)
    said = [record.getMessage() for record in caplog.records if record.name == "stores.question_log"]
    assert said == ["The question log cannot be written (FileNotFoundError): rows are dropped."]
    gone.mkdir()  # and there it is
    log.record(turn())
    log.close()
    assert len(rows(f"sqlite:///{gone}/questions.sqlite")) == 1
    assert dropped() - before == 5


def test_a_frozen_database_costs_no_turn(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = QuestionLog(url)
    monkeypatch.setattr(log, "_write", lambda turns: time.sleep(60))
    before = dropped()
    begun = time.monotonic()
    for _ in range(MOST_WAITING + 200):
        log.record(turn())
    assert dropped() - before >= 90
    log.close(seconds=0.2)
    assert time.monotonic() - begun < 2


def test_a_day_has_so_many_rows_and_no_more(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_log, "MOST_A_DAY", 5)
    log, before = QuestionLog(url), dropped()
    for _ in range(3):
        log._write([turn()] * 3)
    assert len(rows(url)) == 5
    assert dropped() - before == 4


def test_several_assistants_may_start_at_once(url: str) -> None:
    logs = [QuestionLog(url) for _ in range(4)]
    for log in logs:
        log.record(turn())
    for log in logs:
        log.close()
    assert len(rows(url)) == 4


@pytest.mark.parametrize("way", ["killed", "frozen"])
def test_a_server_that_is_away_for_a_while_costs_no_turn_and_its_rows_alone(way: str, tmp_path: Path) -> None:
    with postgres_server(tmp_path) as server:
        log = QuestionLog(server.url, redactor=Upper)
        log.record(turn("before"))
        until(lambda: log._swept)
        outage = Outage(server, way)
        outage.begin()
        before, begun = dropped(), time.monotonic()
        log.record(turn("meanwhile"))
        assert time.monotonic() - begun < 0.2
        until(lambda: dropped() - before == 1)
        outage.end()
        log.record(turn("after"))
        log.close(10)
        assert sorted(server.query("select text from question_log")) == [("AFTER",), ("BEFORE",)]
        assert dropped() - before == 1
        server.query("update question_log set day = '2020-01-01'")
        asyncio.run(log.sweep())
        assert server.query("select count(*) from question_log") == [(0,)]
