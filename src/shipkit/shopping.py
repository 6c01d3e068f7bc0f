"""Choosing among quotes by a rule, with a reason for every quote that was not taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime

import attrs

from .errors import InputError
from .model import Money, Problem, ProblemCode, RateQuote

__all__ = [
    "CHEAPEST",
    "CHEAPEST_BY",
    "FASTEST",
    "FRESH",
    "Choice",
    "Rejected",
    "Route",
    "Rule",
    "choose",
    "routes",
]


@attrs.frozen(kw_only=True)
class Rule:
    """An order of preference, smallest first; ``fit`` gives the reason why a quote is out of the question, or None."""

    name: str
    rank: Callable[[RateQuote], tuple[object, ...]]
    fit: Callable[[RateQuote], str | None] = lambda _: None


@attrs.frozen
class Route:
    """One way to send something: an account, and the service where the request leaves that open."""

    account: str
    service: str | None = None


@attrs.frozen(kw_only=True)
class Rejected:
    """A quote that was not taken, and why."""

    quote: RateQuote
    reason: str


@attrs.frozen(kw_only=True)
class Choice:
    """The quote that the rule prefers, and the others with their reasons."""

    quote: RateQuote
    rejected: tuple[Rejected, ...]

    @property
    def as_of(self) -> datetime | None:
        """None for a price of now; else since when it has not been confirmed: an earlier answer stands in for one."""
        return self.quote.as_of

    @property
    def account(self) -> str:
        """Where to buy it."""
        return self.quote.account or ""

    @property
    def service(self) -> str:
        """What to buy."""
        return self.quote.service

    @property
    def total(self) -> Money:
        """What will be billed."""
        return self.quote.total


def _arrives_on(quote: RateQuote) -> date | None:
    """The latest day that the carrier names; business days alone name none, for they depend on a calendar."""
    window = quote.transit.window if quote.transit is not None else None
    time = (window.latest or window.earliest) if window is not None else None
    if time is None:
        return None
    return time.local.date() if isinstance(time.local, datetime) else time.local


def _days(quote: RateQuote) -> int | None:
    span = quote.transit.business_days if quote.transit is not None else None
    return span.most if span is not None else None


def _price(quote: RateQuote) -> tuple[object, ...]:
    return (quote.total.amount, _arrives_on(quote) or date.max, quote.account or "", quote.service)


def _speed(quote: RateQuote) -> tuple[object, ...]:
    days = _days(quote)
    return (_arrives_on(quote) or date.max, days if days is not None else 999, *_price(quote))


CHEAPEST = Rule(name="cheapest", rank=_price)
"""The lowest total; of equal ones the earlier."""

FASTEST = Rule(
    name="fastest",
    rank=_speed,
    fit=lambda quote: None if _arrives_on(quote) or _days(quote) is not None else "the carrier names no arrival",
)
"""The earliest arrival; of equal ones the cheaper."""


def CHEAPEST_BY(day: date) -> Rule:  # noqa: N802 - reads like the constants beside it
    """The lowest total among those that the carrier says arrive on *day* at the latest."""

    def fit(quote: RateQuote) -> str | None:
        arrives = _arrives_on(quote)
        if arrives is None:
            return "the carrier names no day of arrival"
        return f"arrives on {arrives}, after {day}" if arrives > day else None

    return Rule(name=f"cheapest by {day}", rank=_price, fit=fit)


def FRESH(rule: Rule = CHEAPEST) -> Rule:  # noqa: N802 - reads like the constants beside it
    """*rule* among prices of now: what an earlier answer said is left out."""

    def fit(quote: RateQuote) -> str | None:
        if quote.as_of is not None:
            return f"is a price of {quote.as_of:%Y-%m-%d %H:%M} UTC: its account does not answer now"
        return rule.fit(quote)

    return Rule(name=f"{rule.name}, fresh", rank=rule.rank, fit=fit)


def routes(
    quotes: Iterable[RateQuote],
    rule: Rule = CHEAPEST,
    *,
    allowed: Collection[str] = (),
    excluded: Collection[str] = (),
) -> tuple[Route, ...]:
    """The ways that *quotes* offer, in the order of *rule*, for a purchase that may move on to the next one.

    Raises:
        InputError: none fits, or they are in several currencies.
    """
    fitting, _ = _compared(tuple(quotes), rule, allowed, excluded)
    ways = (Route(quote.account or "", quote.service) for quote in sorted(fitting, key=rule.rank))
    return tuple(dict.fromkeys(ways))


def choose(
    quotes: Iterable[RateQuote],
    rule: Rule = CHEAPEST,
    *,
    allowed: Collection[str] = (),
    excluded: Collection[str] = (),
) -> Choice:
    """The best of *quotes* by *rule*, among the *allowed* services (empty: all) without the *excluded* ones.

    Raises:
        InputError: none fits, with a problem for each quote, or they are in several currencies, which no rule compares.
    """
    fitting, rejected = _compared(tuple(quotes), rule, allowed, excluded)
    best, *others = sorted(fitting, key=rule.rank)
    rejected += [Rejected(quote=q, reason=f"{rule.name}: {best.service} is better ({best.total})") for q in others]
    return Choice(quote=best, rejected=tuple(rejected))


def _compared(
    given: tuple[RateQuote, ...], rule: Rule, allowed: Collection[str], excluded: Collection[str]
) -> tuple[list[RateQuote], list[Rejected]]:
    """Those that fit, all in one currency, and the others with their reasons."""
    fitting: list[RateQuote] = []
    rejected: list[Rejected] = []
    for quote in given:
        reason = _unwanted(quote, allowed, excluded) or rule.fit(quote)
        if reason is None:
            fitting.append(quote)
        else:
            rejected.append(Rejected(quote=quote, reason=reason))
    if not fitting:
        raise InputError(
            f"no quote fits '{rule.name}': "
            + ("; ".join(f"{r.quote.service}: {r.reason}" for r in rejected) or "none"),
            problems=tuple(
                Problem(path=f"/quotes/{given.index(r.quote)}", code=ProblemCode.NOT_OFFERED, text=r.reason)
                for r in rejected
            ),
        )
    currencies = sorted({quote.total.currency for quote in fitting})
    if len(currencies) > 1:
        text = f"quotes in {', '.join(currencies)} cannot be compared: ask for one currency"
        raise InputError(problems=(Problem(path="/quotes", code=ProblemCode.INCONSISTENT, text=text),))
    return fitting, rejected


def _unwanted(quote: RateQuote, allowed: Collection[str], excluded: Collection[str]) -> str | None:
    if quote.service in excluded:
        return "the service is excluded"
    return "the service is not among the allowed ones" if allowed and quote.service not in allowed else None
