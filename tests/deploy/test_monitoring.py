"""Dashboard, alerts and scraping: only metrics and labels that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from tests.deploy.real_nginx import ROOT

DEPLOY = ROOT / "deploy"
#: What assistant and action server export, each with its labels.
METRICS = {
    "msals_turns_total": {"outcome", "topic", "channel"},
    "msals_stage_seconds_bucket": {"stage", "le"},
    "msals_stage_seconds_sum": {"stage"},
    "msals_stage_seconds_count": {"stage"},
    "msals_fallbacks_total": {"channel"},
    "msals_errors_total": {"where"},
    "msals_rate_limited_total": {"channel"},
    "msals_info": {"version", "model", "facts"},
    "msals_feedback_total": {"helpful"},
    "process_resident_memory_bytes": set(),
    "process_cpu_seconds_total": set(),
    "process_open_fds": set(),
    "up": set(),
}
STAGES = {"understanding", "dialogue", "action", "rendering", "turn"}
TARGET = {"job", "instance"}


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf8"))


DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf8"))
RULES = [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


def queries() -> Iterator[tuple[str, str, str]]:
    """(where, expression, legend) of every query."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"], target.get("legendFormat", "")
    for rule in RULES:
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())


def selectors(node: Any) -> Iterator[Any]:
    """Every selector of a metric below a node of the parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node
    for name in ("expr", "lhs", "rhs", "vs", "param", "vector_selector"):
        below = getattr(node, name, None)
        if below is not None and not isinstance(below, (str, int, float)):
            yield from selectors(below)
    for below in getattr(node, "args", None) or ():
        yield from selectors(below)


def parsed(expression: str) -> Any:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


@pytest.mark.parametrize(("where", "expression", "legend"), queries(), ids=[q[0] for q in queries()])
def test_queries_are_promql_over_metrics_and_labels_that_exist(where: str, expression: str, legend: str) -> None:
    found = list(selectors(parsed(expression)))
    assert len(found) == len(re.findall(r"\b(?:msals|process)_\w+|\bup\b", expression))
    labels: set[str] = set()
    for one in found:
        assert one.name in METRICS, one.name
        labels |= METRICS[one.name]
        for matcher in one.matchers.matchers:
            assert matcher.name in METRICS[one.name] | TARGET, matcher.name
            if matcher.name == "stage":
                assert matcher.value in STAGES
            if matcher.name == "job":
                assert set(matcher.value.split("|")) <= {"assistant", "actions"}
    grouped = {name.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for name in group.split(",")}
    assert grouped <= labels | TARGET
    shown = set(re.findall(r"\{\{ ?\$labels\.(\w+)|\{\{(\w+)\}\}", legend))
    assert {name for pair in shown for name in pair if name} <= labels | TARGET


@pytest.mark.parametrize(("where", "expression", "legend"), queries(), ids=[q[0] for q in queries()])
def test_counters_are_only_read_as_rates(where: str, expression: str, legend: str) -> None:
    for match in re.finditer(r"\b\w+_(?:total|bucket|sum|count)\b", expression):
        assert re.search(r"(?:rate|increase)\($", expression[: match.start()]), match[0]


def test_every_metric_of_the_assistant_is_on_the_dashboard() -> None:
    text = json.dumps(DASHBOARD)
    assert {name for name in METRICS if name not in text} == set()


def test_the_dashboard_can_be_imported() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert DASHBOARD["uid"]
    assert "id" not in DASHBOARD  # that of somebody else's Grafana
    (source,) = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    places = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}"
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}  # fmt: skip
        assert not cells & places, panel["title"]
        places |= cells


def test_alerts_say_what_and_how_bad() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 8
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "warn")
        assert rule["annotations"]["summary"]


def test_prometheus_asks_those_who_have_metrics() -> None:
    prometheus = read("prometheus/prometheus.yml")
    for file in prometheus["rule_files"]:
        assert (DEPLOY / "prometheus" / file).is_file()
    services = read("compose.yml")["services"]
    targets = {job["job_name"]: job["dns_sd_configs"] for job in prometheus["scrape_configs"]}
    assert {name: [(c["names"], c["port"]) for c in configs] for name, configs in targets.items()} == {
        "assistant": [(["assistant"], 5005)],
        "actions": [(["actions"], 5055)],
    }
    for name in targets:
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"])


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    (source,) = read("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read("grafana/provisioning/dashboards/ms-als.yml")["providers"]
    mounted = [volume.split(":")[1] for volume in read("compose.yml")["services"]["grafana"]["volumes"]]
    assert any(place.startswith(provider["options"]["path"] + "/") for place in mounted)
