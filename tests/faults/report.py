"""The campaign's table: per group and carrier what was run, what the books hold, and what was wrong."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version

import attrs

from . import carriers
from .oracle import Verdict

__all__ = ["Part", "page", "rows", "table"]

_COLUMNS = (
    ("runs", "runs"),
    ("killed_runs", "runs with a kill"),
    ("kills", "kills"),
    ("pauses", "pauses"),
    ("intents", "intents"),
    ("undone", "of these cancelled"),
    ("requests", "requests"),
    ("bookings", "bookings"),
    ("voided", "voided"),
    ("live", "live bookings"),
    ("in_hand", "labels in hand"),
    ("shown", "shown"),
    ("person", "for a person"),
    ("resolved", "ended by one"),
    ("violations", "violations"),
)


_HOW = (
    "Every figure is read in the simulated carriers' books and compared with the ledger key by key, when all is quiet. "
    "*Within* and *beyond* say whether the carrier's delays stay within the settling time that its facts state; beyond "
    "it a second booking cannot be kept away, it must be found and undone. Where the carrier can be asked, the live "
    "bookings are the intents that were not cancelled, and each has its label in hand; where nobody can be asked, each "
    "intent without an answer is one row for a person, who ends it."
)


@attrs.define
class Part:
    """One part of the campaign: its verdicts, and what it says of itself beside the table."""

    name: str
    title: str
    verdicts: list[Verdict] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    wrong: list[str] = attrs.field(factory=list)


def rows(part: Part) -> list[list[str]]:
    """A row per group and carrier, and their sum."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for verdict in part.verdicts:
        group = "asked what became of it" if carriers.recovers(verdict.carrier) else "nobody to ask"
        within = "within" if verdict.bounded else "beyond"
        counts = found.setdefault((group, f"{verdict.carrier}, {within}"), Counter())
        counts.update(verdict.counts)
        counts.update(runs=1, violations=len(verdict.violations))
        counts["live"] = counts["bookings"] - counts["voided"]
    total: Counter[str] = Counter()
    for counts in found.values():
        total.update(counts)
    shown = [(key, found[key]) for key in sorted(found)]
    return [[*key, *(str(int(counts[name])) for name, _ in _COLUMNS)] for key, counts in [*shown, (("all", ""), total)]]


def table(part: Part) -> str:
    """The part as Markdown; a column that is empty throughout is left out."""
    head = ["group", "carrier, its delays against settle_s", *(title for _, title in _COLUMNS)]
    body = rows(part)
    kept = [place for place in range(len(head)) if place < 2 or any(row[place] != "0" for row in body)]
    kept += [place for place in range(len(head)) if head[place] == "violations" and place not in kept]
    lines = [[head[place] for place in kept], ["---" if place < 2 else "---:" for place in kept]]
    lines += [[row[place] for place in kept] for row in body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(profile: str, seed: int, parts: Sequence[Part]) -> str:
    """The whole campaign as a page of the docs."""
    names = ("shipkit-sdk", "shipkit-ups", "shipkit-easypost", "shipkit-dpd-fr", "shipkit-mondialrelay")
    made = ", ".join(f"{name} {version(name)}" for name in names)
    lines = [
        "# A campaign against the ledger",
        "",
        (
            f"Written by `python -m tests.faults --profile {profile} --seed {seed} --write`; {made}; "
            f"CPython {'.'.join(platform.python_version_tuple()[:2])}."
        ),
        "",
        _HOW,
    ]
    for part in parts:
        lines += ["", f"## {part.title}", ""]
        if part.verdicts:
            lines += [table(part), ""]
        lines += [f"- {note}" for note in part.notes]
    wrong = sum(len(verdict.violations) for part in parts for verdict in part.verdicts)
    wrong += sum(len(part.wrong) for part in parts)
    lines += ["", f"Violations: {wrong}."]
    told = [f"- `{part.name}`: {text}" for part in parts for text in part.wrong]
    told += [f"- `{each.name}`: {text}" for part in parts for each in part.verdicts for text in each.violations]
    lines += ["", *told] if told else []
    return "\n".join(lines) + "\n"
