"""What a plugin implements: the base class, one protocol per capability, and nothing else.

Having the method is having the capability. A carrier's interface that does not offer an operation is a plugin without
that method; the facts say so for people to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, TypeGuard, TypeVar, runtime_checkable

import attrs

from .errors import InputError
from .flow import Flow, Request, Response, Token
from .settings import usable_proxy

if TYPE_CHECKING:
    from .model import (
        AddressCheck,
        AddressCheckResult,
        CancellationResult,
        CancelRequest,
        CarrierFacts,
        Document,
        DocumentQuery,
        Environment,
        EventPlace,
        InsurancePolicy,
        InsuranceRequest,
        InvoiceLine,
        Manifest,
        ManifestRequest,
        Outcome,
        Pickup,
        PickupCancelRequest,
        PickupRequest,
        Problem,
        RateQuote,
        RateRequest,
        RefundRequest,
        ReturnRequest,
        ReturnShipment,
        ServicePoint,
        ServicePointQuery,
        ServiceTransit,
        Shipment,
        ShipmentRequest,
        Subscription,
        SubscriptionRequest,
        TrackQuery,
        TrackResult,
        WebhookDelivery,
    )
    from .webhooks import Scheme

__all__ = [
    "PLUGIN_API",
    "Authenticates",
    "BooksPickups",
    "CancelsPickups",
    "Cancels",
    "Carrier",
    "ChecksRequests",
    "Documents",
    "EstimatesTransit",
    "FindsShipments",
    "Insures",
    "KnowsZones",
    "Manifests",
    "PicksUp",
    "Rates",
    "ReadsInvoices",
    "ReadsWebhooks",
    "Refreshes",
    "Refunds",
    "Returns",
    "ServicePoints",
    "Ships",
    "Signs",
    "Subscribes",
    "Tracks",
    "TracksMany",
    "ValidatesAddresses",
    "able",
]

T = TypeVar("T")

PLUGIN_API = 1
"""The plugin interface of this core; a plugin that says another number is refused by name."""


def _test_environment() -> Environment:
    from .model import Environment

    return Environment.TEST


def _environment(value: Environment | str) -> Environment:
    from .model import Environment, Problem, ProblemCode

    try:
        return Environment(value)
    except ValueError:
        text = f"is one of {', '.join(Environment)}"
        problem = Problem(path="/environment", code=ProblemCode.UNKNOWN_VALUE, text=text)
        raise InputError(problems=(problem,)) from None


def _known_zone(_: object, __: object, name: str) -> None:
    if not name:
        return
    from zoneinfo import ZoneInfo

    from .model import Problem, ProblemCode

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, not a name, a folder of names
        text = "is no time zone that this machine knows, such as Europe/Paris"
        raise InputError(problems=(Problem(path="/zone", code=ProblemCode.UNKNOWN_VALUE, text=text),)) from None


@attrs.frozen(kw_only=True)
class Carrier:
    """A configured account at a carrier: immutable, shared by threads, never pickled.

    ``environment`` is the carrier's test world unless the host says otherwise, so that nothing is bought by mistake.
    ``base_url`` sends every request elsewhere, such as to a simulator on loopback. ``proxy`` is the HTTP proxy of this
    account, as `Settings.proxy` says it; ``direct`` is none, and empty leaves it to the settings. ``zone`` (such as
    ``Europe/Paris``) is where the events of this account happen, for times that come without an offset and from a place
    that does not tell it either.
    """

    code: ClassVar[str] = ""

    environment: Environment = attrs.field(factory=_test_environment, converter=_environment)
    base_url: str = ""
    proxy: str = attrs.field(default="", repr=False, validator=usable_proxy, metadata={"secret": True})
    zone: str = attrs.field(default="", validator=_known_zone)

    @classmethod
    def facts(cls) -> CarrierFacts:
        """What the carrier takes, offers and promises, each fact with its source."""
        raise NotImplementedError

    @classmethod
    def options_schema(cls) -> Mapping[str, Any] | None:
        """The JSON Schema of this carrier's own part of ``carrier_options``; None where it has none."""
        return None

    def check(self, response: Response) -> None:
        """Raise the typed error that *response* proves; the driver calls it on every reply.

        `RejectedError` means understood, refused, nothing happened. What proves nothing is left to the driver.
        """

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds credentials and is not pickled: configure it where it is used")


@runtime_checkable
class Authenticates(Protocol):
    """A carrier that gives out access tokens; the client keeps them, one request for all callers."""

    def authenticate(self) -> Flow[Token]: ...

    def authorize(self, request: Request, token: Token) -> Request: ...


@runtime_checkable
class Refreshes(Protocol):
    """A carrier that gives a new access token for the ``refresh_token`` of the one before.

    No refresh token is sent twice, whatever happens to the answer: many carriers take each of them once, and some end
    the whole session when they see one again. Where refreshing fails, `Authenticates.authenticate` begins anew.
    """

    def refresh(self, token: Token) -> Flow[Token]: ...


@runtime_checkable
class Signs(Protocol):
    """A carrier whose requests carry a static key, a password or a signature."""

    def sign(self, request: Request) -> Request: ...


@runtime_checkable
class ChecksRequests(Protocol):
    """A carrier with demands that its facts cannot express."""

    def problems(self, request: ShipmentRequest | RateRequest) -> Iterator[Problem]: ...


@runtime_checkable
class Rates(Protocol):
    """Prices."""

    def rates(self, request: RateRequest) -> Flow[tuple[RateQuote, ...]]: ...


@runtime_checkable
class EstimatesTransit(Protocol):
    """Expected arrival by service."""

    def transit_times(self, request: RateRequest) -> Flow[tuple[ServiceTransit, ...]]: ...


@runtime_checkable
class Ships(Protocol):
    """Bookings."""

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]: ...


@runtime_checkable
class FindsShipments(Protocol):
    """Every booking under the request's mark, voided ones included."""

    def find_shipments(self, request: ShipmentRequest) -> Flow[tuple[Shipment, ...]]: ...


@runtime_checkable
class Cancels(Protocol):
    """Undoing a booking, or asking for the money back."""

    def cancel_shipment(self, request: CancelRequest) -> Flow[CancellationResult]: ...


@runtime_checkable
class Refunds(Protocol):
    """Money back by tracking number, where that is another call than cancelling."""

    def refund(self, request: RefundRequest) -> Flow[CancellationResult]: ...


@runtime_checkable
class Documents(Protocol):
    """Papers once more, or in another format."""

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]: ...


@runtime_checkable
class Tracks(Protocol):
    """What the carrier knows of one number; the client fans out."""

    def track(self, query: TrackQuery) -> Flow[TrackResult]: ...


@runtime_checkable
class TracksMany(Protocol):
    """The same for many numbers in one call, at most the ``batch_max`` of the facts: one outcome for each, in order.

    One number that the carrier does not know is an outcome with an error, and costs the others nothing.
    """

    def track_many(self, queries: tuple[TrackQuery, ...]) -> Flow[tuple[Outcome[TrackResult], ...]]: ...


@runtime_checkable
class ServicePoints(Protocol):
    """Places near somewhere."""

    def service_points(self, query: ServicePointQuery) -> Flow[tuple[ServicePoint, ...]]: ...


@runtime_checkable
class ValidatesAddresses(Protocol):
    """What the carrier knows of an address."""

    def check_address(self, request: AddressCheck) -> Flow[AddressCheckResult]: ...


@runtime_checkable
class BooksPickups(Protocol):
    """Collections."""

    def book_pickup(self, request: PickupRequest) -> Flow[Pickup]: ...


@runtime_checkable
class CancelsPickups(Protocol):
    """Calling a collection off."""

    def cancel_pickup(self, request: PickupCancelRequest) -> Flow[CancellationResult]: ...


@runtime_checkable
class PicksUp(BooksPickups, CancelsPickups, Protocol):
    """Collections, and calling them off."""


@runtime_checkable
class Manifests(Protocol):
    """End of day."""

    def close_manifest(self, request: ManifestRequest) -> Flow[Manifest]: ...


@runtime_checkable
class Returns(Protocol):
    """A way back."""

    def create_return(self, request: ReturnRequest) -> Flow[ReturnShipment]: ...


@runtime_checkable
class Insures(Protocol):
    """Insurance of a booked parcel."""

    def insure(self, request: InsuranceRequest) -> Flow[InsurancePolicy]: ...


@runtime_checkable
class Subscribes(Protocol):
    """Asking for pushes."""

    def subscribe(self, request: SubscriptionRequest) -> Flow[Subscription]: ...


@runtime_checkable
class KnowsZones(Protocol):
    """A carrier that prints times without an offset, and of which more is known than the countries of its places."""

    @property
    def zone_texts(self) -> Mapping[str, int | str]:
        """What its abbreviations mean, such as EST: minutes east of UTC, or a zone."""
        ...

    def zone_of(self, place: EventPlace) -> str | None:
        """The zone of one of its places, by facility or postal code."""
        ...


@runtime_checkable
class ReadsWebhooks(Protocol):
    """Reading a carrier's pushes; sends nothing."""

    @property
    def webhook_scheme(self) -> Scheme: ...

    @property
    def webhook_secrets(self) -> tuple[str, ...]: ...

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]: ...


@runtime_checkable
class ReadsInvoices(Protocol):
    """Reading the file in which a carrier bills; sends nothing.

    Pure and bounded, for the file comes from outside: the same bytes give the same lines, each line once, with a
    ``line_id`` that does not change when the file is read again. What cannot be read is an `InputError` that names line
    and column; nothing is skipped in silence. A charge whose code is not known keeps it, as ``other``. Where the bill
    states a total, the lines add up to it: what its parts do not explain is a line of its own, as ``unexplained``.
    """

    def read_invoice(self, content: bytes) -> tuple[InvoiceLine, ...]: ...


_ABLE: dict[tuple[type, type], bool] = {}


def able(carrier: Carrier, capability: type[T]) -> TypeGuard[T]:
    """Whether *carrier* has *capability*; ``isinstance`` asks a protocol member by member, each time."""
    asked = (type(carrier), capability)
    known = _ABLE.get(asked)
    if known is None:
        known = _ABLE[asked] = isinstance(carrier, capability)
    return known
