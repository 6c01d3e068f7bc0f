"""Recorded tracking, followed: the state that the events prove."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from shipkit import model as m
from shipkit.events import fold, scoped
from shipkit.events.advancing import advanced
from shipkit.ports.events import Parcel
from shipkit_easypost.codes import STATUSES
from shipkit_easypost.wire.common import reader
from shipkit_easypost.wire.trackers import TrackerRow, result_from_wire
from tests.recordings.accounts import ACCOUNTS
from tests.recordings.conversations import Case, cases
from tests.recordings.test_recordings import FOLDER

TRACKED = [case for case in (cases(FOLDER) if FOLDER.is_dir() else ()) if case.conversation.operation == "track"]


def followed(case: Case) -> tuple[m.TrackResult, m.Timeline]:
    result = case.conversation.play(ACCOUNTS[case.carrier]).value
    parcel = Parcel(
        scope=f"{case.carrier}:{result.number.value}:2024-01-01",
        carrier=case.carrier,
        account="recorded",
        number=result.number.value,
        since=min(event.time.earliest for event in result.events) - timedelta(hours=1),
    )
    work = advanced(parcel, (), scoped(result.events, parcel.scope), result=result)
    again = advanced(work.after, work.events, scoped(result.events, parcel.scope), result=result)

    assert again.events == again.announcements == ()
    assert work.after.timeline is not None
    return result, work.after.timeline


@pytest.mark.parametrize("case", TRACKED, ids=lambda case: case.name)
def test_what_was_recorded_proves_a_state_with_nothing_unexplained(case: Case) -> None:
    result, timeline = followed(case)

    # EasyPost's test number EZ1000000001 stands for a parcel that is announced and has not moved.
    assert timeline.milestone is m.Milestone.ANNOUNCED
    assert timeline.evidence_count == len({event.event_id for event in result.events}) > 0
    assert [entry.milestone for entry in timeline.entries] == [m.Milestone.ANNOUNCED]
    assert not any(event.reason is m.Reason.UNMAPPED for event in result.events)
    assert timeline.anomalies == ()
    assert timeline.exceptions == ()


def test_there_is_recorded_tracking(shared: Path) -> None:
    assert len(TRACKED) == 3


def trackers(value: object) -> Iterator[dict[str, Any]]:
    """Every tracker with events in recorded bodies, which are JSON or texts that hold it."""
    if isinstance(value, str) and value[:1] in "{[":
        with contextlib.suppress(ValueError):
            yield from trackers(json.loads(value))
    elif isinstance(value, list):
        for each in value:
            yield from trackers(each)
    elif isinstance(value, dict):
        if value.get("object") == "Tracker" and value.get("tracking_details"):
            yield value
        for each in value.values():
            yield from trackers(each)


def test_every_recorded_tracker_is_where_it_says_it_is(shared: Path) -> None:
    """The state that the events prove, against the status of the whole, which the plugin does not read."""
    received_at = datetime(2026, 11, 24, tzinfo=timezone.utc)
    seen: Counter[str] = Counter()
    for file in (shared / "recordings/easypost").glob("*.json"):
        for row in trackers(json.loads(file.read_bytes())):
            result = result_from_wire(reader.convert(row, TrackerRow), received_at)
            seen[row["status"]] += 1
            assert fold(result.events).milestone is STATUSES[row["status"]][0], (file.name, row["status"])
            assert result.messages == ()

    assert set(seen) == {"pre_transit", "delivered"}
