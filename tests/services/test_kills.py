"""A small run of the campaign, and whether its judge sees what it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from shipkit import Client
from shipkit.ports.events import EventStore
from shipkit.store import MemoryStore
from tests.easypost.samples import EASYPOST
from tests.services.kills.campaign import ran
from tests.services.kills.feed import Delivery, deliveries
from tests.services.kills.oracle import judged

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.mark.process
def test_nothing_is_lost_when_parts_are_killed(tmp_path: Path) -> None:
    table = f'kind = "sqlite"\npath = "{tmp_path / "events.db"}"'
    run = ran(table, tmp_path, count=400, kills=9, seed=7, kinds=("redis",))
    assert run.judgement.violations == []
    assert sum(run.kills.values()) == 9
    assert run.judgement.deliveries == 400


@pytest.fixture
def stage() -> tuple[EventStore, list[Delivery], list[bytes]]:
    """A store with some parcels' deliveries in its events, and what a consumer was handed."""
    import attrs

    from shipkit_easypost.simulator.tracking import SIGNATURE

    pushed = deliveries(60, 3)
    account = attrs.evolve(EASYPOST, webhook_secret="other")
    with Client({"easypost": account}, store=MemoryStore(), destinations=("erp",)) as client:
        for number in {one.number for one in pushed}:
            client.events.follow(number, account="easypost", key=f"order-{number}")
        for one in pushed:
            client.events.receive("easypost", {SIGNATURE.header: SIGNATURE.signature(one.body, "other")}, one.body)
        while client.events.process().taken:
            pass
        store = client.entrance().store
        told: list[bytes] = []
        while batch := store.pending("erp", 100):
            told += [one.announcement.body for one in batch]
            store.settle("erp", [one.announcement.number for one in batch])
        return store, pushed, told


def test_the_judge_has_nothing_against_what_is_right(stage: tuple[EventStore, list[Delivery], list[bytes]]) -> None:
    store, pushed, told = stage
    assert judged(store, pushed, {"erp": [*told, *told]}).violations == []


def test_the_judge_sees_what_is_missing(stage: tuple[EventStore, list[Delivery], list[bytes]]) -> None:
    store, pushed, told = stage
    lost = Delivery(pushed[0].number, {}, pushed[0].body + b" ")
    assert judged(store, [*pushed, lost], {}).violations
    assert judged(store, pushed, {"erp": told[:-1]}).violations
    assert judged(store, pushed, {"erp": told[1:]}).violations
    assert judged(store, pushed, {"erp": told[::-1]}).violations
    # A push holds the whole journey so far: without the longest of a parcel, its evidence holds what nobody told.
    number = next(one.number for one in pushed if len({o.body for o in pushed if o.number == one.number}) > 1)
    longest = max((one.body for one in pushed if one.number == number), key=len)
    assert judged(store, [one for one in pushed if one.body != longest], {"erp": told}).violations
