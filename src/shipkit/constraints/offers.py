"""What a carrier's facts say it takes: services, options, labels, packaging, lanes, weights and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from shipkit.model.messages import ProblemCode

from .countries import lane_kind
from .pieces import check_parting, of_whole_bookings, per_booking
from .sizes import grams, millilitres, millimetres, plus, round_size, sides, volume

if TYPE_CHECKING:
    from shipkit.model import (
        CarrierFacts,
        GirthFormula,
        Lane,
        Limits,
        Money,
        OptionFacts,
    )

    from .found import Found
    from .rules import Draft

__all__ = ["Offer"]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Bounds:
    """One set of limits, ready to be compared."""

    limits: Limits
    lightest: Decimal | None
    heaviest: Decimal | None
    heaviest_shipment: Decimal | None
    longest: tuple[Decimal, ...] | None
    girth: tuple[GirthFormula, Decimal] | None
    volume: Decimal | None

    @property
    def sized(self) -> bool:
        return self.longest is not None or self.girth is not None or self.volume is not None

    @classmethod
    def of(cls, limits: Limits) -> _Bounds:
        return cls(
            limits=limits,
            lightest=grams(limits.weight_min) if limits.weight_min else None,
            heaviest=grams(limits.weight_max) if limits.weight_max else None,
            heaviest_shipment=grams(limits.shipment_weight_max) if limits.shipment_weight_max else None,
            longest=sides(limits.dimensions_max) if limits.dimensions_max else None,
            girth=(limits.girth.formula, millimetres(limits.girth.most)) if limits.girth else None,
            volume=millilitres(limits.volume_max) if limits.volume_max else None,
        )


class Offer:
    """The facts of one carrier, prepared for many requests."""

    def __init__(self, facts: CarrierFacts) -> None:
        self.facts = facts
        self._services = {service.code: service for service in facts.services}
        self._options = {option.code: option for option in facts.options}
        self._packaging_codes = {packaging.code for packaging in facts.packagings}
        self._packaging_kinds = {packaging.kind for packaging in facts.packagings}
        self._labels = [label for label in facts.label_formats if label.kind == "label"]
        self._common = _Bounds.of(facts.limits) if facts.limits is not None else None
        self._of_service = {s.code: _Bounds.of(s.limits) for s in facts.services if s.limits is not None}

    def check_shipment(self, found: Found, request: Draft, at: str) -> None:
        """Add what of a booking the carrier does not take."""
        services = (request.service,) if request.service else ()
        self._services_offered(found, services, f"{at}/service", single=True)
        most = self.facts.reference_max
        if request.reference is not None and len(request.reference) > most:
            text = f"has {len(request.reference)} characters, {self.facts.name} keeps at most {most}"
            found.add(f"{at}/reference", ProblemCode.TOO_LONG, text, str(most))
        if request.label is not None:
            self._label(found, request.label, f"{at}/label")
        self._journey(found, request, services, at)

    def check_rates(self, found: Found, request: Draft, at: str) -> None:
        """Add what of a request for prices the carrier does not take."""
        self._services_offered(found, request.services, f"{at}/services", single=False)
        self._journey(found, request, request.services, at)

    def _services_offered(self, found: Found, codes: Sequence[str], at: str, *, single: bool) -> None:
        if not self._services:
            return  # only the account knows them
        for index, code in enumerate(codes):
            if code not in self._services:
                known = ", ".join(self._services)
                path = at if single else f"{at}/{index}"
                found.add(path, ProblemCode.UNKNOWN_VALUE, f"{self.facts.name} has no such service", known)

    def _journey(self, found: Found, request: Draft, services: Sequence[str], at: str) -> None:
        packages = request.packages or ()
        size = (per_booking(services, self.facts) if len(packages) > 1 else None) or len(packages)
        if request.options:
            self._options_offered(found, request, size, at)
        bounds = [self._common] if self._common is not None else []
        if len(services) == 1 and services[0] in self._of_service:
            bounds.append(self._of_service[services[0]])
        self._lanes(found, request, bounds, at)
        levels = {level for bound in bounds for level in bound.limits.dangerous_goods}
        for index, package in enumerate(packages):
            if package is None:
                continue
            self._package(found, package, levels, f"{at}/packages/{index}")
        if len(packages) > size:
            check_parting(found, request, size, self.facts, at)
        for bound in bounds:
            self._fits(found, request, packages, size, bound, at)

    def _package(self, found: Found, package: Draft, levels: Iterable[str], at: str) -> None:
        name = self.facts.name
        if package.packaging_code is not None:
            if self._packaging_codes and package.packaging_code not in self._packaging_codes:
                known = ", ".join(sorted(self._packaging_codes))
                found.add(f"{at}/packaging_code", ProblemCode.UNKNOWN_VALUE, f"{name} has no such packaging", known)
        elif self._packaging_kinds and package.packaging not in self._packaging_kinds and package.packaging != "custom":
            text = f"{name} has no packaging of the kind {package.packaging}"
            found.add(f"{at}/packaging", ProblemCode.NOT_OFFERED, text, ", ".join(sorted(self._packaging_kinds)))
        for index, good in enumerate(package.dangerous_goods):
            if good is not None and good.level is not None and good.level not in levels:
                text = f"{name} takes no dangerous goods of the level {good.level}"
                found.add(f"{at}/dangerous_goods/{index}/level", ProblemCode.NOT_OFFERED, text)

    # Weights and sizes

    def _fits(
        self,
        found: Found,
        request: Draft,
        packages: Sequence[Draft],
        size: int,
        bound: _Bounds,
        at: str,
    ) -> None:
        limits, name = bound.limits, self.facts.name
        if limits.packages_max is not None and len(packages) > limits.packages_max:
            text = f"has {len(packages)} packages, {name} takes at most {limits.packages_max}"
            found.add(f"{at}/packages", ProblemCode.TOO_MANY, text, str(limits.packages_max))
        totals: dict[int, Decimal] = {}
        for index, package in enumerate(packages):
            if package is not None:
                mass = self._fits_package(found, package, bound, f"{at}/packages/{index}")
                totals[index // size] = plus(totals.get(index // size, Decimal(0)), mass)
        if bound.heaviest_shipment is not None and any(total > bound.heaviest_shipment for total in totals.values()):
            text = f"the packages are heavier together than {limits.shipment_weight_max}, which {name} takes at most"
            found.add(f"{at}/packages", ProblemCode.TOO_HEAVY, text, str(limits.shipment_weight_max))
        for index, option in enumerate(request.options if limits.cod_max is not None else ()):
            if option is not None and option.code == "cod" and option.value is not None:
                amount = getattr(option.value, "amount", None)
                _at_most(found, amount, limits.cod_max, f"{at}/options/{index}/value/amount")

    def _fits_package(self, found: Found, package: Draft, bound: _Bounds, at: str) -> Decimal:
        """Check one package; its mass in grams, as far as it is known."""
        limits, weight, mass = bound.limits, package.weight, Decimal(0)
        if weight is not None and weight.value is not None and weight.unit is not None:
            mass = grams(weight)
            if (bound.heaviest is not None and mass > bound.heaviest) or (
                bound.lightest is not None and mass < bound.lightest
            ):
                self._mass(found, package, mass, bound, f"{at}/weight")
        if bound.sized and package.dimensions is not None and (edges := sides(package.dimensions)) is not None:
            self._edges(found, package, edges, bound, f"{at}/dimensions")
        if limits.declared_value_max is not None:
            _at_most(found, package.declared_value, limits.declared_value_max, f"{at}/declared_value")
        for kind in sorted(package.handling & limits.handling_refused) if package.handling else ():
            found.add(f"{at}/handling", ProblemCode.NOT_OFFERED, f"{self.facts.name} takes no {kind} goods", kind)
        return mass

    def _mass(self, found: Found, package: Draft, mass: Decimal, bound: _Bounds, at: str) -> None:
        if bound.heaviest is not None and mass > bound.heaviest:
            limit = bound.limits.weight_max
            text = f"package {package.ref} weighs {package.weight}, {self.facts.name} takes at most {limit}"
            found.add(at, ProblemCode.TOO_HEAVY, text, str(limit))
        else:
            limit = bound.limits.weight_min
            text = f"package {package.ref} weighs {package.weight}, {self.facts.name} takes {limit} or more"
            found.add(at, ProblemCode.OUT_OF_RANGE, text, str(limit))

    def _edges(self, found: Found, package: Draft, edges: tuple[Decimal, ...], bound: _Bounds, at: str) -> None:
        limits = bound.limits
        longest = bound.longest
        if longest is not None and (edges[0] > longest[0] or edges[1] > longest[1] or edges[2] > longest[2]):
            self._too_big(found, package, str(limits.dimensions_max), "", at)
        if bound.girth is not None and limits.girth is not None and round_size(bound.girth[0], edges) > bound.girth[1]:
            self._too_big(found, package, str(limits.girth.most), f" as {limits.girth.formula}", at)
        if bound.volume is not None and volume(edges) > bound.volume:
            self._too_big(found, package, str(limits.volume_max), "", at)

    def _too_big(self, found: Found, package: Draft, limit: str, formula: str, at: str) -> None:
        text = f"package {package.ref} measures {package.dimensions}, {self.facts.name} takes at most {limit}{formula}"
        found.add(at, ProblemCode.TOO_BIG, text, limit)

    # Lanes

    def _lanes(self, found: Found, request: Draft, bounds: Sequence[_Bounds], at: str) -> None:
        origin, destination = _country(request.ship_from), _country(request.ship_to)
        if not origin or not destination:
            return
        for lanes in (self.facts.lanes, *[bound.limits.lanes for bound in bounds]):
            if not lanes or any(_serves(lane, origin, destination) for lane in lanes):
                continue
            leaves = any(not lane.origins or origin in lane.origins for lane in lanes)
            path = f"{at}/{'ship_to' if leaves else 'ship_from'}/address/country"
            text = f"{self.facts.name} does not go from {origin} to {destination} with this service"
            found.add(path, ProblemCode.NOT_OFFERED, text)

    # Options and labels

    def _options_offered(self, found: Found, request: Draft, size: int, at: str) -> None:
        name = self.facts.name
        for index, option in enumerate(request.options):
            if option is None or option.code is None:
                continue
            offered = self._options.get(option.code)
            if offered is None:
                known = ", ".join(self._options) or "none"
                text = f"{name} does not offer {option.code}"
                found.add(f"{at}/options/{index}/code", ProblemCode.NOT_OFFERED, text, known)
                continue
            refused = sorted(_words(option.value) - offered.values) if offered.values else []
            if refused:
                text = f"{name} does not offer {option.code} {', '.join(refused)}"
                known = ", ".join(sorted(offered.values))
                found.add(f"{at}/options/{index}/value", ProblemCode.NOT_OFFERED, text, known)
            self._per_package(
                found, option, offered, request.packages or (), size, f"{at}/options/{index}/package_refs"
            )

    def _per_package(
        self, found: Found, option: Draft, offered: OptionFacts, packages: Sequence[Draft], size: int, at: str
    ) -> None:
        if option.package_refs and not offered.per_package and not of_whole_bookings(option, packages, size):
            text = f"{self.facts.name} offers {option.code} for the whole shipment only"
            found.add(at, ProblemCode.NOT_OFFERED, text)

    def _label(self, found: Found, label: Draft, at: str) -> None:
        name, fitting = self.facts.name, self._labels
        if label.format is not None:
            fitting = [offered for offered in fitting if offered.format == label.format]
            if not fitting:
                known = ", ".join(dict.fromkeys(str(offered.format) for offered in self._labels)) or "none"
                text = f"{name} prints no {label.format} labels"
                found.add(f"{at}/format", ProblemCode.NOT_OFFERED, text, known)
                return
        if label.dpi is not None:
            known = ", ".join(str(dpi) for dpi in sorted({offered.dpi for offered in fitting if offered.dpi}))
            fitting = [offered for offered in fitting if offered.dpi == label.dpi]
            if not fitting:
                text = f"{name} offers no choice of {label.dpi} dpi here"
                found.add(f"{at}/dpi", ProblemCode.NOT_OFFERED, text, known or None)
        if label.size is not None and fitting:
            stated = {str(offered.size.format) for offered in fitting if offered.size is not None}
            if stated and label.size.format is not None and label.size.format not in stated:
                text = f"{name} prints no such label of the size {label.size.format}"
                found.add(f"{at}/size", ProblemCode.NOT_OFFERED, text, ", ".join(sorted(stated)))


def _at_most(found: Found, amount: Draft, most: Money | None, at: str) -> None:
    """Amounts in another currency than the limit's are left to the carrier: nothing here knows a rate of exchange."""
    if amount is None or most is None or amount.amount is None or amount.currency != most.currency:
        return
    if amount.amount > most.amount:
        found.add(at, ProblemCode.OUT_OF_RANGE, f"is above {most}", str(most))


def _country(party: Draft) -> Any:
    address = party.address if party is not None else None
    return address.country if address is not None else None


def _serves(lane: Lane, origin: str, destination: str) -> bool:
    return (
        (not lane.origins or origin in lane.origins)
        and (not lane.destinations or destination in lane.destinations)
        and (lane.kind == "any" or lane.kind == lane_kind(origin, destination))
    )


def _words(value: object) -> frozenset[str]:
    """What of an option's value a carrier may offer or not: a level, channels, a method."""
    channels = getattr(value, "channels", None)
    if channels is not None:
        return frozenset(map(str, channels))
    method = getattr(value, "method", None)
    if method is not None:
        return frozenset({str(method)}) - {"any"}
    return frozenset({str(value)}) if isinstance(value, str) else frozenset()
