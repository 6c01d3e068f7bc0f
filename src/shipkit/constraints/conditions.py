"""Whether a condition of the facts holds for a request: a closed set of comparisons, read as text."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from shipkit.model.measures import Weight, WeightUnit

from .countries import lane_kind
from .sizes import grams, plus

if TYPE_CHECKING:
    from shipkit.model import Predicate

__all__ = ["Conditions"]

_NOTHING: Final[frozenset[str]] = frozenset()


class Conditions:
    """What conditions look at in one request, found out when one looks.

    A lane is a `LaneKind`; origin and destination are country codes; a weight is compared with text such as ``30 kg``
    and a value with text such as ``800 USD`` (another currency fulfils nothing); services and options are their codes;
    ``dangerous_goods`` and ``document_only`` are ``true`` or ``false``. A condition whose subject is not known yet does
    not hold.
    """

    def __init__(self, request: Any) -> None:
        self._request = request

    def all_hold(self, conditions: Sequence[Predicate]) -> bool:
        """Whether every one of *conditions* holds."""
        return all(self._holds(condition) for condition in conditions)

    def because(self, conditions: Sequence[Predicate]) -> str:
        """The conditions in words, for a problem's text."""
        words = [_words(condition) for condition in conditions if not _says_nothing(condition)]
        return f" when {' and '.join(words)}" if words else ""

    def _holds(self, condition: Predicate) -> bool:
        found = getattr(self, condition.subject.value)
        if condition.operator == "present":
            return not found.isdisjoint(condition.values or found - {"false"})
        if condition.operator in ("is", "one_of"):
            return not found.isdisjoint(condition.values)
        limit = condition.values[0] if condition.values else ""
        amount, bound = self._amount(condition.subject, limit), _number(limit, condition.subject)
        if amount is None or bound is None:
            return False
        return amount > bound if condition.operator == "above" else amount < bound

    @property
    def origin(self) -> frozenset[str]:
        return _one(_country(self._start))

    @property
    def destination(self) -> frozenset[str]:
        return _one(_country(getattr(self._request, "ship_to", None)))

    @property
    def lane(self) -> frozenset[str]:
        origin, destination = _country(self._start), _country(getattr(self._request, "ship_to", None))
        return frozenset((lane_kind(origin, destination).value, "any")) if origin and destination else _NOTHING

    @property
    def service(self) -> frozenset[str]:
        request = self._request
        named = getattr(request, "services", None) or (getattr(request, "service", None),)
        return frozenset(service for service in named if service)

    @property
    def option(self) -> frozenset[str]:
        options = [option for option in getattr(self._request, "options", None) or () if option is not None]
        return frozenset(str(option.code) for option in options if option.code)

    @property
    def dangerous_goods(self) -> frozenset[str]:
        return _truth(any(package.dangerous_goods for package in self._packages))

    @property
    def document_only(self) -> frozenset[str]:
        """Papers alone: every package is a letter, or customs is told so."""
        customs = getattr(self._request, "customs", None)
        letters = bool(self._packages) and all(package.packaging == "letter" for package in self._packages)
        return _truth(letters or (customs is not None and customs.purpose == "documents"))

    @property
    def weight(self) -> frozenset[str]:
        return _one("given" if self._packages else None)

    @property
    def value(self) -> frozenset[str]:
        return _one("given" if self._values else None)

    @property
    def _start(self) -> Any:
        return getattr(self._request, "ship_from", None) or getattr(self._request, "pickup_from", None)

    @property
    def _packages(self) -> tuple[Any, ...]:
        return tuple(package for package in getattr(self._request, "packages", None) or () if package is not None)

    @property
    def _values(self) -> dict[str, Decimal]:
        """What the goods are worth, by currency: as declared to customs, else as the packages say."""
        customs, sums = getattr(self._request, "customs", None), dict[str, Decimal]()
        lines = [line for line in customs.lines or () if line is not None] if customs is not None else []
        rows = [(line.unit_value, line.quantity) for line in lines]
        rows = rows or [(package.declared_value, Decimal(1)) for package in self._packages]
        for money, count in rows:
            if money is not None and money.amount is not None and money.currency and count is not None:
                sums[money.currency] = plus(sums.get(money.currency, Decimal(0)), money.amount * count)
        return sums

    def _amount(self, subject: str, limit: str) -> Decimal | None:
        if subject == "value":
            return self._values.get(limit.rpartition(" ")[2])
        if subject != "weight":
            return None
        total = Decimal(0)
        for package in self._packages:
            weight = package.weight
            if weight is None or weight.value is None or weight.unit is None:
                return None
            total = plus(total, grams(weight))
        return total


def _country(party: Any) -> Any:
    address = party.address if party is not None else None
    return address.country if address is not None else None


def _one(code: str | None) -> frozenset[str]:
    return frozenset((code,)) if code else _NOTHING


def _truth(true: bool) -> frozenset[str]:
    return _one("true" if true else "false")


def _number(limit: str, subject: str) -> Decimal | None:
    amount, _, unit = limit.rpartition(" ")
    try:
        return grams(Weight(Decimal(amount), WeightUnit(unit))) if subject == "weight" else Decimal(amount)
    except (InvalidOperation, ValueError):
        return None


def _says_nothing(condition: Predicate) -> bool:
    """Whether it is only that there is a sender or a receiver: every request has one, so it is no reason."""
    return condition.operator == "present" and condition.subject in ("origin", "destination") and not condition.values


def _words(condition: Predicate) -> str:
    subject, values = condition.subject.value.replace("_", " "), " or ".join(condition.values)
    if condition.operator == "present":
        return f"{values or subject} is given"
    return f"{subject} is {'' if condition.operator in ('is', 'one_of') else f'{condition.operator} '}{values}"
