"""The poller's loops against a simulated carrier: followed, asked, subscribed at, and silence told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shipkit import Client
from shipkit.config import Config, ServiceChoice
from shipkit.errors import NotSupportedError, StoreError
from shipkit.model import Milestone
from shipkit.service.asking import Poller
from shipkit.settings import Settings
from shipkit.store import MemoryStore
from tests.client_events.courier import Batcher, CarriersTime, booked, simulated

SETTINGS = Settings(attempts=1)


class Asked:
    """A poller with two accounts at one simulated carrier, whose time is the store's."""

    def __init__(self, sim: Any, carrier: Any, public_url: str) -> None:
        self.sim = sim
        accounts = {"acme-de": carrier, "acme-fr": carrier}
        self.store = MemoryStore(clock=CarriersTime(sim))
        self.client = Client(accounts, store=self.store, settings=SETTINGS)
        choice = ServiceChoice(public_url=public_url)
        self.poller = Poller(self.client, Config(accounts=accounts, settings=SETTINGS, service=choice))
        self.loops = {loop.name: loop for loop in self.poller.loops()}

    def step(self, name: str) -> bool:
        return self.loops[name].step()


@pytest.fixture(params=["https://{account}.hooks.example/"])
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    with simulated(Batcher) as (sim, carrier):
        made = Asked(sim, carrier, request.param)
        yield made
        made.client.close()


def test_what_is_followed_is_asked_for_when_it_is_due(asked: Asked) -> None:
    (number,) = booked(asked.sim, 1, "delivered")
    asked.client.events.follow(number, account="acme-de")
    asked.sim.advance(timedelta(days=30).total_seconds())
    while asked.step("poller"):
        pass
    assert asked.client.events.timeline(number=number, account="acme-de").milestone is Milestone.DELIVERED
    assert asked.step("poller") is False


def test_each_account_is_subscribed_with_its_own_address_and_one_that_cannot_be_stops_no_other(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = booked(asked.sim, 2)
    asked.client.events.follow(first, account="acme-de")
    asked.client.events.follow(second, account="acme-fr")
    subscribe = asked.client.events.subscribe_open

    def one_cannot(alias: str, **words: Any) -> Any:
        if alias == "acme-de":
            raise NotSupportedError("not with this contract")
        return subscribe(alias, **words)

    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING, "shipkit"):
        patched.setattr(
            type(asked.client.events), "subscribe_open", lambda _, alias, **words: one_cannot(alias, **words)
        )
        asked.step("subscriber")
        assert [one.url for one in asked.sim.world.subscriptions()] == [address(asked, "acme-fr")]
        assert "acme-de cannot be subscribed at (not_supported)" in caplog.text
    asked.step("subscriber")
    assert sorted(one.url for one in asked.sim.world.subscriptions()) == [
        address(asked, "acme-de"),
        address(asked, "acme-fr"),
    ]


def address(asked: Asked, alias: str) -> str:
    return f"https://{alias}.hooks.example{asked.client.events.webhook_paths()[alias]}"


def test_a_store_that_fails_is_told_to_the_loop(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise StoreError("gone")

    monkeypatch.setattr(type(asked.client.events), "subscribe_open", fails)
    with pytest.raises(StoreError):
        asked.step("subscriber")


def test_silence_and_missing_pushes_are_warnings(asked: Asked, caplog: pytest.LogCaptureFixture) -> None:
    for number in booked(asked.sim, 2):
        asked.client.events.follow(number, account="acme-de")
    with caplog.at_level(logging.WARNING, "shipkit"):
        asked.step("watchdog")
        assert not caplog.records
        asked.sim.advance(timedelta(hours=25).total_seconds())
        asked.step("watchdog")
    assert "no push for acme-de, heard never; 2 parcels are open" in caplog.text


@pytest.mark.parametrize("asked", [""], indirect=True)
def test_without_an_address_of_our_own_nobody_is_subscribed_at(asked: Asked) -> None:
    assert sorted(asked.loops) == ["follower", "poller", "watchdog"]
