"""What tests of status tables have in common: the shared table of public vocabularies, and what differs from it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shipkit.model import Milestone, Reason

__all__ = ["Meaning", "differences", "fingerprint", "pairs_of", "shared_rows"]

Meaning = tuple[Milestone | None, Reason | None]


def shared_rows(shared: Path, vocabulary: str) -> dict[str, tuple[str, str]]:
    """Milestone and reason of each code of *vocabulary*; empty is none."""
    with (shared / "domain/status_map.csv").open(encoding="utf-8", newline="") as file:
        rows = {
            row["code"]: (row["milestone"], row["reason"])
            for row in csv.DictReader(file)
            if row["vocabulary"] == vocabulary
        }
    assert rows, f"the shared table has no vocabulary {vocabulary}"
    return rows


def differences(shared: Path, vocabulary: str, table: Mapping[Any, Meaning]) -> list[str]:
    """The codes that one of the two tables lacks, or that do not mean the same in both."""
    theirs = shared_rows(shared, vocabulary)
    ours = {
        "+".join(code) if isinstance(code, tuple) else code: tuple(word.value if word else "" for word in meaning)
        for code, meaning in table.items()
    }
    return sorted(code for code in {*theirs, *ours} if theirs.get(code) != ours.get(code))


def fingerprint(*tables: Mapping[Any, Meaning]) -> str:
    """Of what the tables say: another one is another mapping version."""
    said = [
        sorted((repr(code), [word and word.value for word in meaning]) for code, meaning in t.items()) for t in tables
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]


def pairs_of(value: Any, first: str, second: str) -> Iterator[tuple[str, str]]:
    """The values of two members wherever both stand in one object of *value*."""
    if isinstance(value, dict):
        if isinstance(value.get(first), str) and isinstance(value.get(second), str):
            yield value[first], value[second]
        for each in value.values():
            yield from pairs_of(each, first, second)
    elif isinstance(value, list):
        for each in value:
            yield from pairs_of(each, first, second)
