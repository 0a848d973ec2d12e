"""Medians, ratios and targets as docs/bench.md and the README show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.documents import put_between, table
from benchmarks.running import Failed

NAMES = [row.figure for row in bench.ROWS]


def figures(value: float, growth: float = 1.2) -> dict[str, float]:
    return {**dict.fromkeys(NAMES, value), "growth": growth}


def result(product: dict[str, float], peer: dict[str, float]) -> bench.Result:
    return bench.Result(3, product, peer, {"action": 3.0, "policies": 1.0}, [0.4, 2.26])


def cells(markdown: str, name: str) -> list[str]:
    line = next(line for line in markdown.splitlines() if line.startswith(f"| {name} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_the_median_round_counts_for_each_figure() -> None:
    rounds = [{"start": 5.0, "memory": 9.0}, {"start": 50.0, "memory": 8.0}, {"start": 6.0, "memory": 1.0}]
    assert bench.medians(rounds) == {"start": 6.0, "memory": 8.0}


def test_a_ratio_is_the_product_over_the_peer_and_is_held_against_its_target() -> None:
    text = bench.comparison(figures(10.0), {**figures(40.0), "one_p50": 20.0})
    assert cells(text, "cold start to first answer") == ["10.0 s", "40.0 s", "0.25", "<= 0.25", "yes"]
    assert cells(text, "turn, one client, p50") == ["10.0 ms", "20.0 ms", "0.50", "<= 0.15", "no"]
    assert cells(text, "turn, one client, p95") == ["10.0 ms", "40.0 ms", "0.25", "", ""]


def test_how_a_long_conversation_slows_down_is_held_against_its_own_beginning() -> None:
    text = bench.comparison(figures(1.0, growth=1.6), figures(2.0, growth=3.0))
    assert cells(text, "turn 200 against turn 5") == ["1.60 x", "3.00 x", "", "<= 1.50", "no"]


def test_what_was_not_measured_is_said() -> None:
    product = figures(10.0)
    del product["training"]
    assert (
        cells(bench.comparison(product, figures(40.0)), "training afresh (`rasa train --force`)")[-1] == "not measured"
    )


def test_the_rooms_of_a_turn_add_up() -> None:
    text = bench.rooms_table({"policies": 1.0, "action": 3.0})
    assert [line.split("|")[1].strip() for line in text.splitlines()[2:]] == ["action", "policies", "whole turn"]
    assert cells(text, "action") == ["3.00 ms", "75%"]
    assert cells(text, "whole turn") == ["4.00 ms", "100%"]


def test_document_and_readme_show_the_same_run() -> None:
    both = result(figures(10.0), figures(40.0))
    for text in (bench.document(both), bench.summary(both)):
        assert cells(text, "turn, one client, p50")[:3] == ["10.0 ms", "40.0 ms", "0.25"]
        assert "(load average): 0.4 to 2.3" in text
    assert "medians of 3 round(s)" in bench.document(both)


def test_a_table_reads_well_as_plain_text() -> None:
    assert table(["", "ms"], [["a turn", "1"], ["b", "20"]]).splitlines() == [
        "|        | ms |",
        "|--------|---:|",
        "| a turn |  1 |",
        "| b      | 20 |",
    ]


def test_figures_replace_those_of_the_last_run_and_nothing_else(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("above\n<!-- figures of m: begin -->\nold\n<!-- figures of m: end -->\nbelow\n")
    put_between(document, "m", r"new \1")
    put_between(document, "m", r"newer \1")
    assert document.read_text() == (
        "above\n<!-- figures of m: begin -->\n\nnewer \\1\n\n<!-- figures of m: end -->\nbelow\n"
    )


def test_a_document_without_a_place_for_figures_is_left_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("above\n")
    with pytest.raises(Failed, match=r"README\.md does not have the two comments"):
        put_between(document, "m", "new")
    assert document.read_text() == "above\n"


def test_the_readme_has_its_place_for_figures(tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(bench.README.read_text("utf8"))
    put_between(copy, "benchmarks.bench", "new")
    assert "new" in copy.read_text()


def test_turns_of_a_long_conversation_count_from_one() -> None:
    class Client:
        asked: list[str] = []

        def ask(self, sender: str, message: str) -> None:
            self.asked.append(message)

    bench.talk_long(Client(), "one")  # type: ignore[arg-type]
    assert len(Client.asked) == bench.LATE + 2


def test_where_the_time_goes_is_measured_in_rooms_that_there_are() -> None:
    from benchmarks.turn_times import rooms

    for _, owner, method in rooms():
        assert callable(getattr(owner, method))
