"""Places where parcels are dropped off or collected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import bounds
from shipkit.model.scalars import EMPTY, CarrierCode, ClosedEnum, CountryCode, OpenEnum, Url, ZoneName

if TYPE_CHECKING:
    from shipkit.model.facts import Limits
    from shipkit.model.measures import DateRange, Dimensions, GeoPoint, Length, Weight
    from shipkit.model.places import Address
    from shipkit.model.time import OpeningInterval

__all__ = [
    "ServicePoint",
    "ServicePointCapability",
    "ServicePointKind",
    "ServicePointQuery",
]


class ServicePointKind(ClosedEnum):
    """A kind of place."""

    SHOP = "shop"
    LOCKER = "locker"
    POST_OFFICE = "post_office"
    DEPOT = "depot"
    PARTNER = "partner"


class ServicePointCapability(OpenEnum):
    """What can be done at a place. Open: a value this version does not know is kept raw."""

    DROP_OFF = "drop_off"
    COLLECT = "collect"
    RETURNS = "returns"
    LABEL_PRINT = "label_print"
    COD = "cod"
    ID_CHECK = "id_check"
    AGE_CHECK = "age_check"
    QR = "qr"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServicePointQuery(Value):
    """Asks for places near somewhere, or for one place by its id."""

    near: Address | GeoPoint | None = None
    id: str | None = None
    """Exactly that place."""
    country: CountryCode
    purpose: ServicePointCapability = ServicePointCapability.COLLECT
    kinds: frozenset[ServicePointKind] = frozenset()
    """Empty means all."""
    max_distance: Length | None = None
    max_results: int = attrs.field(default=10, metadata=bounds(least=1, most=100))
    weight: Weight | None = None
    """Of the parcel that must fit."""
    dimensions: Dimensions | None = None
    ready_on: date | None = None
    """The day of the hand-over."""
    services: tuple[str, ...] = ()
    """The carrier's codes."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ServicePoint(Value):
    """A place where parcels are dropped off or collected."""

    id: str
    """The carrier's; unique together with carrier and country."""
    carrier: CarrierCode
    kind: ServicePointKind
    name: str
    address: Address
    geo: GeoPoint | None = None
    distance: Length | None = None
    capabilities: frozenset[ServicePointCapability] = frozenset()
    limits: Limits | None = None
    zone: ZoneName | None = None
    hours: tuple[OpeningInterval, ...] = ()
    """Several stretches a day are possible; a day without one is closed."""
    closures: tuple[DateRange, ...] = ()
    directions: str | None = None
    """The carrier's words."""
    photo_url: Url | None = None
    routing: Mapping[str, str] = EMPTY
    """Codes that the carrier wants echoed, such as a sort code."""
