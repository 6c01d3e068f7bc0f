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
    """Kind of place."""

    SHOP = "shop"
    LOCKER = "locker"
    POST_OFFICE = "post_office"
    DEPOT = "depot"
    PARTNER = "partner"


class ServicePointCapability(OpenEnum):
    """What can be done there; values this version does not know stay raw."""

    DROP_OFF = "drop_off"
    COLLECT = "collect"
    RETURNS = "returns"
    LABEL_PRINT = "label_print"
    COD = "cod"
    ID_CHECK = "id_check"
    AGE_CHECK = "age_check"
    QR = "qr"


@attrs.frozen(kw_only=True, repr=False)
class ServicePointQuery(Value):
    """Look for places near somewhere."""

    near: Address | GeoPoint | None = None
    """Near or id."""
    id: str | None = None
    """Exactly that point."""
    country: CountryCode
    purpose: ServicePointCapability = ServicePointCapability.COLLECT
    kinds: frozenset[ServicePointKind] = frozenset()
    """Empty = all."""
    max_distance: Length | None = None
    max_results: int = attrs.field(default=10, metadata=bounds(least=1, most=100))
    """1..100."""
    weight: Weight | None = None
    """Of the parcel that must fit."""
    dimensions: Dimensions | None = None
    ready_on: date | None = None
    """Day of hand-over."""
    services: tuple[str, ...] = ()
    """The carrier's codes."""


@attrs.frozen(kw_only=True, repr=False)
class ServicePoint(Value):
    """A drop-off or collection place."""

    id: str
    """The carrier's; unique with carrier and country."""
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
    """Several per day possible; a day without one is closed."""
    closures: tuple[DateRange, ...] = ()
    directions: str | None = None
    """The carrier's words."""
    photo_url: Url | None = None
    routing: Mapping[str, str] = EMPTY
    """Codes the carrier wants echoed (sort code, zone, cluster)."""
