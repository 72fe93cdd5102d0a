"""The dashboard and the alerts query existing metrics, labels and values."""

import re
from collections.abc import Iterator

import promql_parser
import pytest
import yaml

from stt.errors import SttError
from stt.observability.metrics import METHODS, Metrics
from stt.server.failures import CANCELLED
from stt.server.problems import CODES, STATUSES
from tests.deployment import DASHBOARD, DEPLOY, OPERATIONS, series

ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "5m")
            yield panel["title"], expression.replace("$instance", ".*")
    for rule in RULES:
        yield rule["alert"], rule["expr"]


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_queries_use_existing_series_and_labels(where: str, expression: str) -> None:
    known = series()
    found = selectors(expression)
    assert found, where
    reasons = {error.code for error in STATUSES} | {*CODES.values(), SttError.code, CANCELLED}
    values = {"reason": reasons, "method": METHODS}
    for selector in found:
        assert selector.name in known, where
        for matcher in selector.matchers.matchers:
            assert matcher.name in known[selector.name], (where, matcher.name)
            if matcher.name in values:
                assert set(matcher.value.split("|")) <= values[matcher.name], where
    grouped = re.findall(r"(?:by|on|without) \(([^)]*)\)", expression)
    labels = {label.strip() for group in grouped for label in group.split(",")}
    assert labels <= set.union(*(known[selector.name] for selector in found)), where
    for route in re.findall(r'route!?=~?"([^"]+)"', expression):
        assert set(route.split("|")) <= {"/livez", "/readyz", "/health", "/metrics", "/transcribe"}


def test_every_metric_is_on_the_dashboard() -> None:
    asked = {selector.name for _, expression in expressions() for selector in selectors(expression)}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "describe"):
            name = metric.describe()[0].name
            parts = {name, *(f"{name}_{part}" for part in ("total", "bucket", "sum", "count"))}
            assert parts & asked, name


def test_panels_have_unique_ids_and_do_not_overlap() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_every_alert_is_documented() -> None:
    explained = re.findall(r"^\| `(Stt\w+)` \|", OPERATIONS, re.MULTILINE)
    assert explained == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
