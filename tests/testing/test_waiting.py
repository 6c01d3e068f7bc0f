"""`no_waiting`: clients put their clock forward instead of sleeping."""

from __future__ import annotations

import asyncio
import time

import pytest

from shipkit.client import AsyncClient, Client
from shipkit.errors import DeadlineError, UnavailableError
from shipkit.model import TrackQuery
from shipkit.settings import Settings
from shipkit.testing import no_waiting, reply
from tests.properties.wire import Wire, client_on, run_async
from tests.recordings.accounts import EASYPOST, number

QUERY = TrackQuery(number=number("EZ1000000001", "usps"))


def wire() -> Wire:
    return Wire([], spare=reply(503, b"down", {"Retry-After": "7"}))


def test_a_client_for_threads_does_not_sleep() -> None:
    started = time.monotonic()
    with no_waiting() as waits, client_on(wire(), EASYPOST) as client:
        [outcome] = client.track(QUERY, account="it")

    assert isinstance(outcome.error, UnavailableError)
    assert [wait_s for wait_s in waits.waited if wait_s >= 2] == [7, 7]
    assert waits.total == sum(waits.waited)
    assert time.monotonic() - started < 5


def test_a_client_for_asyncio_does_not_sleep() -> None:
    started = time.monotonic()
    with no_waiting() as waits:
        [outcome] = run_async(wire(), EASYPOST, lambda client: client.track(QUERY, account="it"))

    assert isinstance(outcome.error, UnavailableError)
    assert [wait_s for wait_s in waits.waited if wait_s >= 2] == [7, 7]
    assert time.monotonic() - started < 5


def test_the_time_that_was_not_waited_counts() -> None:
    with no_waiting() as waits, client_on(wire(), EASYPOST) as client:
        [outcome] = client.track(QUERY, account="it", deadline_s=10)

    assert isinstance(outcome.error, (UnavailableError, DeadlineError))
    assert waits.total <= 10


def test_everything_is_as_before_afterwards_and_nothing_else_changes() -> None:
    from shipkit.client import clock, sync, tasks

    with pytest.raises(RuntimeError), no_waiting():
        assert time.sleep.__module__ == "time"
        assert asyncio.sleep.__module__ == "asyncio.tasks"
        raise RuntimeError

    assert sync.time is time  # type: ignore[attr-defined]
    assert tasks.asyncio is asyncio  # type: ignore[attr-defined]
    assert sync.seconds is clock.seconds  # type: ignore[attr-defined]


def test_the_other_parts_of_a_replaced_module_stay_in_reach() -> None:
    with no_waiting():
        client = AsyncClient({"it": EASYPOST}, settings=Settings(attempts=1))
        asyncio.run(client.close())
        Client({"it": EASYPOST}).close()
