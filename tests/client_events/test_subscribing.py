"""Carriers that push by number are told of every open one, in their batches, in time, and once."""

from __future__ import annotations

from typing import Any

import pytest

from shipkit.client.events import amending
from shipkit.client.events.subscribing import REFUSED_AT
from shipkit.errors import NotSupportedError
from shipkit.settings import Settings
from tests.client_events.courier import Batcher, CarriersTime, booked, seconds, simulated
from tests.client_events.stage import Host, hosted

URL = "http://127.0.0.1:9/webhooks/acme-de/token"
QUICK = Settings(attempts=1, list_concurrency=2)


class Kill(BaseException):
    """The process is gone."""


def subscribed(sim: Any) -> list[str]:
    return sorted(number for one in sim.world.subscriptions() for number in one.numbers)


def follow(host: Host, numbers: list[str]) -> None:
    for number in numbers:
        host.follow(number, account="acme-de")


def test_every_open_number_is_subscribed_once_in_batches(store: Any, kind: str) -> None:
    with simulated(Batcher) as (sim, carrier), hosted(store, kind, carrier=carrier) as host:
        numbers = booked(sim, 8)
        follow(host, numbers)
        first = host.subscribe_open("acme-de", callback_url=URL)

        assert (first.accepted, first.failed, dict(first.refused)) == (8, 0, {})
        assert sorted(len(one.numbers) for one in sim.world.subscriptions()) == [2, 3, 3]
        assert host.subscribe_open("acme-de", callback_url=URL).accepted == 0
        follow(host, ["AC999"])
        assert host.subscribe_open("acme-de", callback_url=URL).accepted == 1
        assert subscribed(sim) == sorted([*numbers, "AC999"])


def test_subscriptions_are_renewed_before_they_run_out(clock: Any, kind: str) -> None:
    from shipkit.store import MemoryStore

    with simulated(Batcher) as (sim, carrier):
        time = CarriersTime(sim)
        with hosted(MemoryStore(clock=time), kind, clock=time, carrier=carrier) as host:
            follow(host, booked(sim, 2))
            host.subscribe_open("acme-de", callback_url=URL)
            until = host.state("AC000000").subscribed_until
            sim.advance(seconds(days=11))
            assert host.subscribe_open("acme-de", callback_url=URL).accepted == 0
            sim.advance(seconds(days=2))
            assert host.subscribe_open("acme-de", callback_url=URL).accepted == 2
            renewed = host.state("AC000000").subscribed_until
            assert until is not None and renewed is not None
            assert (renewed - until).days == 13


def test_a_refused_number_is_noted_and_not_asked_again(store: Any) -> None:
    with simulated(Batcher, unknown=frozenset({"AC000001"})) as (sim, carrier), hosted(store, carrier=carrier) as host:
        follow(host, booked(sim, 4))
        found = host.subscribe_open("acme-de", callback_url=URL)

        assert (found.accepted, list(found.refused)) == (3, ["AC000001"])
        assert host.state("AC000001").subscribed_until == REFUSED_AT
        asked = len(sim.requests())
        assert host.subscribe_open("acme-de", callback_url=URL).accepted == 0
        assert len(sim.requests()) == asked


def test_a_batch_that_is_refused_as_a_whole_is_halved(store: Any) -> None:
    with simulated(Batcher, unknown=frozenset({"AC000000", "AC000001"})) as (sim, carrier):
        with hosted(store, carrier=carrier) as host:
            follow(host, booked(sim, 2))
            found = host.subscribe_open("acme-de", callback_url=URL)

        assert (found.accepted, sorted(found.refused)) == (0, ["AC000000", "AC000001"])


def test_what_was_bought_by_a_call_that_was_killed_is_noted_and_not_bought_again(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with simulated(Batcher) as (sim, carrier), hosted(store, carrier=carrier) as host:
        numbers = booked(sim, 3)
        follow(host, numbers)
        assert amending.amended is not None

        def killed(*_: Any) -> bool:
            raise Kill

        with monkeypatch.context() as patched:
            patched.setattr(type(store.events), "commit", killed)
            with pytest.raises(Kill):
                host.subscribe_open("acme-de", callback_url=URL)
        assert subscribed(sim) == numbers
        follow(host, ["AC0"])  # now the batch would be another one
        assert host.subscribe_open("acme-de", callback_url=URL).accepted == 4
        assert subscribed(sim) == sorted([*numbers, "AC0"])


def test_a_carrier_that_is_down_is_asked_by_the_next_call(store: Any) -> None:
    with simulated(Batcher) as (sim, carrier), hosted(store, carrier=carrier, settings=QUICK) as host:
        follow(host, booked(sim, 5))
        sim.add_fault("drop_before", operation="subscribe", times=None)
        found = host.subscribe_open("acme-de", callback_url=URL)
        assert (found.accepted, found.failed) == (0, 5)
        assert found.error is not None


def test_a_carrier_without_subscriptions_says_so(store: Any) -> None:
    with simulated() as (_, carrier), hosted(store, carrier=carrier) as host, pytest.raises(NotSupportedError):
        host.subscribe_open("acme-de", callback_url=URL)


def test_a_real_plugin_subscribes_and_its_pushes_and_answers_end_in_one_state() -> None:
    from datetime import datetime, timedelta, timezone

    from shipkit.model import Milestone
    from shipkit.simulator import Clock, Simulator, World
    from shipkit.store import MemoryStore
    from shipkit_easypost import EasyPost
    from shipkit_easypost.simulator import EasyPostDialect
    from tests.easypost.samples import KEY, ORDER

    began = datetime.now(timezone.utc) - timedelta(days=6)
    with Simulator(EasyPostDialect(World(clock=Clock(began)))) as sim:
        time = CarriersTime(sim)
        account = EasyPost(api_key=KEY, webhook_secret="a secret", base_url=sim.url)
        with hosted(MemoryStore(clock=time), clock=time, accounts={"ep": account}) as host:
            host.client.create_shipment(ORDER, account="ep", key="order-1")
            assert host.follow_booked() == 1
            assert host.subscribe_open("ep", callback_url=URL).accepted == 1
            for _ in range(30):
                sim.advance(seconds(hours=3))
                for push in sim.pushes()[-1:]:
                    host.receive("ep", dict(push.push.headers), push.push.body)
                host.drain()
                while host.poll().taken:
                    pass
            assert host.shipment("order-1").milestone is Milestone.DELIVERED
