"""Prices of a moment ago stand in for an account that does not answer, flagged, and never for one that said no."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import CHEAPEST, AsyncClient, Client, InputError, Money, Settings, choose
from shipkit.client.last_good import LastGood, mark_of_rates
from shipkit.errors import DeadlineError, RejectedError, ReplyError, ShipkitError, UnavailableError
from shipkit.model import RateAnswer, RateQuote, RateRequest
from shipkit.shopping import FRESH, Route, routes
from shipkit.simulator import Simulator
from tests.core.acme import Acme, request

AT = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)
KEEPING = Settings(last_good_rates_s=60, attempts=1)
QUOTE = RateQuote(service="HOME", total=Money("5", "EUR"), account="a")


def answers(kind: str, accounts: Any, settings: Settings, between: Any) -> list[RateAnswer]:
    """Two answers of one client, with *between* done between them."""
    if kind == "threads":
        with Client(accounts, settings=settings) as client:
            first = client.rates(request())
            between(client)
            return [first, client.rates(request())]

    async def main() -> list[RateAnswer]:
        async with AsyncClient(accounts, settings=settings) as client:
            first = await client.rates(request())
            between(client)
            return [first, await client.rates(request())]

    return asyncio.run(main())


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_an_account_that_does_not_answer_has_its_last_prices_flagged_and_its_error_told(
    sim: Simulator, acme: Acme, kind: str
) -> None:
    first, second = answers(
        kind, {"acme-de": acme}, KEEPING, lambda _: sim.add_fault("503", operation="rates", times=10)
    )
    assert first.quotes and all(quote.as_of is None for quote in first.quotes)
    assert [attrs.evolve(quote, as_of=None) for quote in second.quotes] == list(first.quotes)
    assert all(quote.as_of is not None and quote.as_of.tzinfo is not None for quote in second.quotes)
    assert second.errors["acme-de"].code == "unavailable"


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_nothing_stands_in_unless_the_host_asks_for_it_or_for_another_day(
    sim: Simulator, acme: Acme, kind: str
) -> None:
    fault = sim.add_fault("503", operation="rates", times=10, skip=1)
    off = answers(kind, {"acme-de": acme}, Settings(attempts=1), lambda _: None)[1]
    assert (off.quotes, list(off.errors)) == ((), ["acme-de"])
    sim.faults.remove(fault)
    sim.add_fault("503", operation="rates", times=10, skip=1)

    def tomorrow(client: Any) -> None:
        today = client._desk.today()
        client._desk.today = lambda: today + timedelta(days=1)

    assert answers(kind, {"acme-de": acme}, KEEPING, tomorrow)[1].quotes == ()


PASSING = st.sampled_from([UnavailableError(), DeadlineError()])
FINAL = st.sampled_from([RejectedError(), InputError(), ReplyError()])


@given(st.floats(0, 200), st.integers(1, 100), PASSING | FINAL)
def test_what_stands_in_is_never_older_than_allowed_and_never_answers_a_refusal(
    passed_s: float, keep_s: int, error: ShipkitError
) -> None:
    last = LastGood(keep_s)
    last.put("a", "m", (QUOTE,), 1_000.0, AT)
    found = last.instead_of("a", "m", error, 1_000.0 + passed_s, AT + timedelta(seconds=passed_s))
    if isinstance(error, (UnavailableError, DeadlineError)) and passed_s < keep_s:
        assert found == (attrs.evolve(QUOTE, as_of=AT),)
    elif passed_s > keep_s + 1e-6 or not isinstance(error, (UnavailableError, DeadlineError)):
        assert found == ()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=200), st.integers(1, 10))
def test_what_is_kept_is_bounded_and_the_newest(puts: list[tuple[str, int]], most: int) -> None:
    last = LastGood(1_000, most)
    for number, (account, mark) in enumerate(puts):
        last.put(account, str(mark), (attrs.evolve(QUOTE, quote_id=str(number)),), float(number), AT)
    newest = {pair: number for number, pair in enumerate(puts)}
    kept = sorted(newest.values())[-most:]
    for (account, mark), number in newest.items():
        found = last.instead_of(account, str(mark), UnavailableError(), float(len(puts)), AT)
        assert [quote.quote_id for quote in found] == ([str(number)] if number in kept else [])
    assert len(last._answers) <= most


def test_a_price_that_has_run_out_does_not_stand_in() -> None:
    last = LastGood(1_000)
    ending = attrs.evolve(QUOTE, valid_until=AT + timedelta(seconds=10))
    last.put("a", "m", (ending, QUOTE), 0.0, AT)
    assert len(last.instead_of("a", "m", UnavailableError(), 5.0, AT + timedelta(seconds=5))) == 2
    assert len(last.instead_of("a", "m", UnavailableError(), 15.0, AT + timedelta(seconds=15))) == 1


def test_the_same_request_has_one_mark_a_day() -> None:
    asked = RateRequest(ship_from=request().ship_from, ship_to=request().ship_to, packages=request().packages)
    day = AT.date()
    assert mark_of_rates(asked, day) == mark_of_rates(attrs.evolve(asked), day)
    assert mark_of_rates(asked, day) != mark_of_rates(asked, day + timedelta(days=1))
    dated = attrs.evolve(asked, ship_on=day)
    assert mark_of_rates(dated, day) == mark_of_rates(dated, day + timedelta(days=1))


def test_a_choice_says_of_when_its_price_is_and_a_rule_may_leave_old_ones_out() -> None:
    old = attrs.evolve(QUOTE, as_of=AT)
    dear = attrs.evolve(QUOTE, total=Money("9", "EUR"), account="b")
    assert choose([old, dear]).as_of == AT
    fresh = choose([old, dear], FRESH(CHEAPEST))
    assert (fresh.account, fresh.as_of) == ("b", None)
    assert "2026-03-02 09:00" in fresh.rejected[0].reason
    with pytest.raises(InputError):
        choose([old], FRESH())
    assert routes([dear, old]) == (Route("a", "HOME"), Route("b", "HOME"))
    assert routes([dear, old], FRESH()) == (Route("b", "HOME"),)
