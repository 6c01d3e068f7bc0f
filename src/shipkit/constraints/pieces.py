"""A shipment of more packages than the carrier books in one call: what cannot be parted, and its parts.

Each part is a booking of its own, under one key of the host's. What is said of the whole is said of each part; an
amount of money, a quote and a customs declaration are of one booking, so they must say which packages they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from shipkit.model.messages import ProblemCode

if TYPE_CHECKING:
    from shipkit.model import CarrierFacts, CustomsDeclaration, Option, Package, ShipmentRequest

    from .found import Found
    from .rules import Draft

__all__ = ["check_parting", "of_whole_bookings", "parted", "per_booking"]

_AMOUNTS = ("insurance", "cod")


def per_booking(services: Sequence[str | None], facts: CarrierFacts) -> int | None:
    """How many packages the carrier of *facts* books in one call for *services*; None: as many as it takes at all."""
    limits = [facts.limits] if facts.limits is not None else []
    if len(services) == 1:
        limits += [level.limits for level in facts.services if level.code == services[0] and level.limits is not None]
    most = [limit.packages_per_booking for limit in limits if limit.packages_per_booking is not None]
    return min(most) if most else None


def parted(request: ShipmentRequest, facts: CarrierFacts) -> tuple[ShipmentRequest, ...]:
    """*request* as the bookings that it becomes, in the order of its packages; itself alone where one is enough."""
    most = per_booking((request.service,), facts)
    if most is None or len(request.packages) <= most:
        return (request,)
    groups = [request.packages[at : at + most] for at in range(0, len(request.packages), most)]
    return tuple(_part(request, group) for group in groups)


def _part(request: ShipmentRequest, packages: tuple[Package, ...]) -> ShipmentRequest:
    refs = {package.ref for package in packages}
    customs = _declared(request.customs, packages) if request.customs is not None else None
    options = tuple(_options(request.options, refs))
    return attrs.evolve(request, packages=packages, options=options, customs=customs)


def _options(options: Sequence[Option], refs: set[str]) -> Iterator[Option]:
    for option in options:
        named = tuple(ref for ref in option.package_refs if ref in refs)
        if not option.package_refs:
            yield option
        elif named:  # of all packages of the part means of the part
            yield attrs.evolve(option, package_refs=() if len(named) == len(refs) else named)


def _declared(customs: CustomsDeclaration, packages: tuple[Package, ...]) -> CustomsDeclaration:
    goods = [good for package in packages for good in package.contents]
    lines = tuple([attrs.evolve(good, line=number) for number, good in enumerate(goods, 1)])
    return attrs.evolve(customs, lines=lines)


def check_parting(found: Found, request: Draft, most: int, facts: CarrierFacts, at: str) -> None:
    """Add what keeps *request*, which has more packages than *most*, from becoming several bookings."""
    if at or not hasattr(request, "reference"):
        does = "books at most {} in one call for a return" if at else "prices at most {} at once"
        text = f"has {len(request.packages)} packages, {facts.name} {does.format(most)}: ask for each"
        found.add(f"{at}/packages", ProblemCode.TOO_MANY, text, str(most))
        return
    each = f"{facts.name} books {most} in one call, so the packages become bookings of their own"
    if request.quote_id is not None:
        found.add("/quote_id", ProblemCode.INCONSISTENT, f"{each}, and a quote is for one of them")
    for index, option in enumerate(request.options or ()):
        if option is not None and option.code in _AMOUNTS and not _of_one(option, request.packages, most):
            text = f"{each}: say which one the amount is for"
            found.add(f"/options/{index}/package_refs", ProblemCode.MISSING, text)
    if request.customs is not None:
        for index, package in enumerate(request.packages):
            if package is not None and not package.contents:
                text = f"{each}: customs ask for the goods in each"
                found.add(f"/packages/{index}/contents", ProblemCode.LANE_REQUIRES, text)
        if request.customs.additional_charges:
            text = f"{each}: an amount for all of them cannot be declared"
            found.add("/customs/additional_charges", ProblemCode.NOT_OFFERED, text)


def of_whole_bookings(option: Draft, packages: Sequence[Draft], most: int) -> bool:
    """Whether *option* names every package of the bookings that it is for: to these it says "the whole shipment"."""
    if len(packages) <= most:
        return False
    named = [bool(package and package.ref in option.package_refs) for package in packages]
    return all(len(set(named[at : at + most])) == 1 for at in range(0, len(named), most))


def _of_one(option: Any, packages: Sequence[Any], most: int) -> bool:
    groups = {index // most for index, package in enumerate(packages) if package and package.ref in option.package_refs}
    return len(groups) == 1
