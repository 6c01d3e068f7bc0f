"""How much of what carriers tell in a year has no meaning in the plugins' tables: `python -m tests.coverage_of_status`.

A year is so many parcels that go the simulators' ways in the proportions of ``WEIGHTS``; a way tells the same events
each time, so each is simulated once and counted as often as it is gone. With ``--write`` the page is written anew.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from shipkit.model import NoticeCode, Reason, TrackingEvent, TrackResult
from shipkit.registry import Registry
from tests.conftest import ROOT, shared_folder
from tests.statuses import pairs_of
from tests.told import everything_told

__all__ = ["CARRIERS", "PAGE", "WEIGHTS", "Coverage", "coverage", "page"]

PAGE: Final = ROOT / "docs/campaigns/status-coverage.md"
CARRIERS: Final = ("easypost", "mondialrelay", "ups")
PARCELS: Final = 100_000

#: Of a thousand parcels how many go which way. Ours: nine of ten arrive at the first attempt, and every way is gone.
WEIGHTS: Final[Mapping[str, int]] = {
    "delivered": 780,
    "second_attempt": 60,
    "pickup_point": 50,
    "exception": 30,
    "trailing": 25,
    "partner": 15,
    "customs_hold": 15,
    "redirected": 8,
    "refused": 5,
    "uncollected": 4,
    "returned_after_attempts": 3,
    "unexplained": 3,
    "lost": 2,
}

_ABOUT: Final = f"""\
A simulated year is {PARCELS:,} parcels of each carrier, on the ways below; the carrier's simulator tells of them in its
own words, and the plugin reads what it tells. Of a code that no source explains nothing is invented: the event has no
milestone, is counted, and `shipkit events unmapped` lists it. *Only its type* is a code without a row whose type says
at least that something is out of the ordinary, or that a day was moved."""
_SIMULATED: Final = """\
UPS publishes the list of its status codes on a page of its portal only. The codes of type `X` and `U`, `I+HP` and
`I+Q9` are its simulator's own: they stand for codes that the plugin does not know. `resting` and "prise en charge point
relais" are there for the same reason."""


@attrs.frozen(kw_only=True)
class Coverage:
    """What one plugin made of a year's events, by type and code: its own row, only that of its type, or none."""

    carrier: str
    version: str
    by_code: Counter[str]
    by_type: Counter[str]
    unmapped: Counter[str]

    @property
    def events(self) -> int:
        return sum(each.total() for each in (self.by_code, self.by_type, self.unmapped))


def coverage(carrier: str) -> Coverage:
    """A simulated year of *carrier*."""
    counted = {"by_code": Counter[str](), "by_type": Counter[str](), "unmapped": Counter[str]()}
    version = ""
    for told in everything_told(carrier):
        times = WEIGHTS[told.journey] * PARCELS // 1000
        result = told.polled[-1]
        version = result.events[0].mapping_version
        for name, kind in _judged(carrier, result):
            counted[kind][name] += times
    return Coverage(carrier=carrier, version=version, **counted)


def _judged(carrier: str, result: TrackResult) -> Iterator[tuple[str, str]]:
    said = {message.carrier_code for message in result.messages if message.code is NoticeCode.UNMAPPED_CODE}
    for event in result.events:
        name = _name(carrier, event)
        if event.reason is Reason.UNMAPPED:
            yield name, "unmapped"
        else:
            yield name, "by_type" if said & {name, event.code} else "by_code"


def _name(carrier: str, event: TrackingEvent) -> str:
    if carrier == "ups":
        return f"{event.code_type}+{event.code}"
    return f"{event.code}/{event.subcode}" if carrier == "easypost" else event.code or ""


def shown_codes(shared: Path) -> Iterator[tuple[str, str, str, bool]]:
    """Carrier, where, code and whether it is mapped, of what published files and recordings show."""
    import yaml

    from shipkit_easypost import codes
    from shipkit_ups import statuses

    for name in ("UPSTrackAlert", "UPSTrackAlertEnhanced"):
        content = yaml.load((shared / f"specs/ups/openapi/{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
        parts = [content.get(part) for part in ("paths", "webhooks")]
        for kind, code in sorted({pair for part in parts for pair in pairs_of(part, "type", "code")}):
            yield "ups", f"examples of {name}.yaml", f"{kind}+{code}", statuses.is_mapped(kind, code)
        push = content["components"]["schemas"]["TrackingEventRequest"]["properties"]["activityStatus"]
        for each in push["properties"]["type"]["oneOf"]:
            yield "ups", f"types of {name}.yaml", each["const"], statuses.is_mapped(each["const"], "")
    found = {
        pair
        for path in (shared / "recordings/easypost").glob("*.json")
        for body in _bodies(json.loads(path.read_bytes()))
        for pair in pairs_of(body, "status", "status_detail")
    }
    for status, detail in sorted(found):
        yield "easypost", "recordings", f"{status}/{detail}", not codes.unmapped(status, detail)


def _bodies(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, str) and value[:1] in "{[":
        try:
            yield json.loads(value)
        except ValueError:
            return
    elif isinstance(value, dict):
        for each in value.values():
            yield from _bodies(each)
    elif isinstance(value, list):
        for each in value:
            yield from _bodies(each)


def page(shared: Path) -> str:
    """The page."""
    found = [coverage(carrier) for carrier in CARRIERS]
    seen = list(shown_codes(shared))
    dumb = sorted(set(_tracked_by_nobody()))
    return "\n".join(
        [
            "# Statuses without a meaning",
            "",
            "Written by `python -m tests.coverage_of_status --write`.",
            "",
            _ABOUT,
            "",
            *_table(
                ("plugin", "tables", "events", "own row", "only its type", "unmapped"),
                ([each.carrier, f"`{each.version}`", f"{each.events:,}", *_shares(each)] for each in found),
            ),
            "",
            *(f"`{code}`: {note}." for code, note in dumb),
            "",
            "## What is not explained",
            "",
            _SIMULATED,
            "",
            *_table(
                ("plugin", "code", "events a year", "share", "what is known"),
                (
                    [each.carrier, f"`{code}`", f"{times:,}", _percent(times, each.events), known]
                    for each in found
                    for known, counted in (("its type", each.by_type), ("nothing", each.unmapped))
                    for code, times in sorted(counted.items(), key=lambda row: (-row[1], row[0]))
                ),
            ),
            "",
            "## Codes that files and recordings show",
            "",
            *_table(
                ("plugin", "where", "codes", "unmapped"),
                (
                    [
                        carrier,
                        where,
                        str(len(rows)),
                        ", ".join(f"`{c}`" for _, _, c, known in rows if not known) or "none",
                    ]
                    for (carrier, where), rows in _grouped(seen)
                ),
            ),
            "",
            "## The ways, and how many of a thousand parcels go them",
            "",
            *_table(("way", "parcels"), ([f"`{name}`", str(weight)] for name, weight in WEIGHTS.items())),
            "",
        ]
    )


def _tracked_by_nobody() -> Iterator[tuple[str, str]]:
    from shipkit.model import Operation, Support

    registry = Registry()
    for code in registry.names():
        facts = registry.carrier(code).facts()
        fact = facts.operations[Operation.TRACK]
        if fact.support is Support.NO:
            yield code, fact.note or ""


def _shares(of: Coverage) -> list[str]:
    return [_percent(each.total(), of.events) for each in (of.by_code, of.by_type, of.unmapped)]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %"


def _table(header: tuple[str, ...], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _grouped(
    seen: list[tuple[str, str, str, bool]],
) -> Iterator[tuple[tuple[str, str], list[tuple[str, str, str, bool]]]]:
    places = dict.fromkeys((carrier, where) for carrier, where, _, _ in seen)
    for place in places:
        yield place, [row for row in seen if row[:2] == place]


def main(arguments: list[str]) -> int:
    """Print the page, or write it."""
    text = page(shared_folder())
    if arguments == ["--write"]:
        PAGE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
