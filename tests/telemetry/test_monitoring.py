"""The dashboard and the alert rules ask for figures that exist, by labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shipkit.cli import GROUPS
from shipkit.telemetry import ATTRIBUTES, INSTRUMENTS
from shipkit.telemetry.prometheus import family

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "monitoring"
METRIC = re.compile(r"\bshipkit(?:_[a-z]+)+\b(?=[{\[,)\s]|$)")
SELECTOR = re.compile(r"(shipkit(?:_[a-z]+)+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)(=~|!=|=)"([^"]*)"')


def names() -> dict[str, Any]:
    """Every name under which Prometheus finds a figure, with its instrument."""
    found = {}
    for row in INSTRUMENTS.values():
        if row.kind == "histogram":
            found |= dict.fromkeys((f"{family(row)}_{end}" for end in ("bucket", "sum", "count")), row)
        elif row.kind != "span":
            found[family(row)] = row
    return found


def labels(row: Any) -> set[str]:
    return {name.replace(".", "_") for name in row.attributes}


def expressions() -> list[str]:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = [one["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"]
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [*shown, *asked, *(rule["expr"] for group in rules["groups"] for rule in group["rules"])]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_asks_for_what_is_measured(expression: str) -> None:
    known = names()
    bare = re.sub(r'"[^"]*"', '""', expression)
    of_labels = {name for row in known.values() for name in labels(row)}
    found = set(METRIC.findall(bare)) - of_labels
    assert found
    assert found <= set(known)
    for metric, text in SELECTOR.findall(expression):
        for label, operator, value in MATCHER.findall(text):
            assert label in labels(known[metric])
            closed = ATTRIBUTES[label.replace("shipkit_", "shipkit.", 1)].values
            if closed and operator in ("=", "!="):
                assert value in closed
    for grouped in re.findall(r"by \(([^)]*)\)", expression):
        asked = {name.strip() for name in grouped.split(",")} - {"le"}
        assert all(asked <= labels(known[metric]) for metric in found)


def test_every_figure_of_the_table_that_a_person_watches_is_shown() -> None:
    shown = " ".join(expressions())
    measures = {row.measure for row in INSTRUMENTS.values() if row.kind != "span"}
    told = {row.measure for name, row in names().items() if name in shown}
    assert measures - told <= {"auth errors", "retry rate"}


def test_the_dashboard_is_one_that_can_be_imported() -> None:
    dashboard = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    assert {"title", "uid", "panels", "schemaVersion", "templating"} <= set(dashboard)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in dashboard["panels"])


def test_the_runbook_says_where_to_begin_for_every_alert() -> None:
    page = (FOLDER.parents[1] / "docs" / "runbook.md").read_text(encoding="utf-8")
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert alerts == set(re.findall(r"`(Shipkit\w+)`", page))


def test_commands_that_alerts_and_the_runbook_name_exist() -> None:
    texts = [(FOLDER / "alerts.yml").read_text(), (FOLDER.parents[1] / "docs" / "runbook.md").read_text("utf-8")]
    named = {name for text in texts for name in re.findall(r"shipkit events ([a-z-]+)", text)}
    assert named and named <= set(GROUPS["events"][1])
