"""Choosing among quotes: the best by the rule, and a reason for each of the others."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit import CHEAPEST, CHEAPEST_BY, FASTEST, InputError, Money, choose
from shipkit.model import Commitment, EventTime, IntRange, RateQuote, TimePrecision, TimeWindow, TransitEstimate

AT = datetime(2026, 3, 2, tzinfo=timezone.utc)


def quote(
    service: str, amount: str, day: date | None = None, days: int | None = None, currency: str = "EUR"
) -> RateQuote:
    transit = None
    if day is not None or days is not None:
        latest = EventTime(local=day, precision=TimePrecision.DAY) if day is not None else None
        transit = TransitEstimate(
            window=TimeWindow(latest=latest) if latest is not None else None,
            business_days=IntRange(least=days, most=days) if days is not None else None,
            commitment=Commitment.UNKNOWN,
            computed_at=AT,
        )
    return RateQuote(service=service, total=Money(amount, currency), transit=transit, account=f"at-{service}")


MONDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 6)
SLOW, FAST, DEAR = quote("slow", "5", FRIDAY), quote("fast", "9", MONDAY), quote("dear", "20", MONDAY)


def test_the_cheapest_is_taken_and_the_others_say_why_not() -> None:
    choice = choose([DEAR, SLOW, FAST], CHEAPEST)
    assert (choice.service, choice.account, choice.total) == ("slow", "at-slow", Money("5", "EUR"))
    assert {r.quote.service: bool(r.reason) for r in choice.rejected} == {"fast": True, "dear": True}


def test_the_fastest_is_taken_and_of_equal_ones_the_cheaper() -> None:
    assert choose([DEAR, SLOW, FAST], FASTEST).service == "fast"


def test_the_cheapest_by_a_day_leaves_out_what_comes_later_or_names_no_day() -> None:
    silent = quote("silent", "1")
    choice = choose([DEAR, SLOW, FAST, silent, quote("days", "1", days=2)], CHEAPEST_BY(date(2026, 3, 4)))
    reasons = {r.quote.service: r.reason for r in choice.rejected}
    assert choice.service == "fast"
    assert "after 2026-03-04" in reasons["slow"]
    assert "names no day" in reasons["silent"] and "names no day" in reasons["days"]


def test_services_can_be_allowed_and_excluded() -> None:
    assert choose([SLOW, FAST, DEAR], allowed={"fast", "dear"}).service == "fast"
    assert choose([SLOW, FAST, DEAR], excluded={"slow"}).service == "fast"


def test_when_nothing_fits_every_quote_says_why() -> None:
    with pytest.raises(InputError) as caught:
        choose([SLOW, FAST], allowed={"other"})
    assert [problem.path for problem in caught.value.problems] == ["/quotes/0", "/quotes/1"]
    with pytest.raises(InputError):
        choose([])


def test_prices_in_two_currencies_are_not_compared() -> None:
    with pytest.raises(InputError, match="EUR, USD"):
        choose([SLOW, quote("other", "1", currency="USD")])


@given(st.permutations([SLOW, FAST, DEAR]), st.sampled_from([CHEAPEST, FASTEST]))
def test_the_choice_does_not_depend_on_the_order_of_the_quotes(quotes: list[RateQuote], rule: object) -> None:
    assert choose(quotes, rule).quote == choose([SLOW, FAST, DEAR], rule).quote  # type: ignore[arg-type]


@given(st.lists(st.decimals("0.01", "999", places=2), min_size=1, max_size=8, unique=True))
def test_the_cheapest_is_never_dearer_than_another(amounts: list[Decimal]) -> None:
    quotes = [quote(f"s{n}", str(amount)) for n, amount in enumerate(amounts)]
    assert choose(quotes).total.amount == min(amounts)
