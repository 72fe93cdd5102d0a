"""Files under deploy/ and docs/operations.md, and the time series that they may name."""

import json
from pathlib import Path

from stt.observability.metrics import Metrics

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SCRAPED = {"instance", "job"}
"""Labels that Prometheus adds."""


def series() -> dict[str, set[str]]:
    """Labels of every time series, by name."""
    metrics = Metrics()
    names: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        if family.name.startswith("process_"):
            suffix = "_total" if family.type == "counter" else ""
            names[family.name + suffix] = set(SCRAPED)
    for metric in vars(metrics).values():
        if hasattr(metric, "describe"):
            family = metric.describe()[0]
            labels = SCRAPED | set(metric._labelnames)
            if family.type == "histogram":
                names |= {f"{family.name}_{part}": labels for part in ("sum", "count")}
                names[f"{family.name}_bucket"] = labels | {"le"}
            else:
                names[family.name + ("_total" if family.type == "counter" else "")] = labels
    return names
