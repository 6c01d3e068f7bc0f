"""The conversation with Mondial Relay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, TypeVar

import attrs

from shipkit.carrier import Carrier
from shipkit.errors import (
    AuthenticationError,
    CarrierError,
    NotFoundError,
    RejectedError,
    ReplyError,
    UnavailableError,
)
from shipkit.flow import Flow, Request, Response, secret
from shipkit.model import (
    AddressCheck,
    AddressCheckResult,
    CarrierFacts,
    Document,
    DocumentKind,
    DocumentQuery,
    Problem,
    RateRequest,
    ReturnRequest,
    ReturnShipment,
    ServicePoint,
    ServicePointQuery,
    Shipment,
    ShipmentRequest,
    TrackQuery,
    TrackResult,
)
from shipkit.soap import SoapService

from . import codes, points, tracing, wire

__all__ = ["MondialRelay"]

T = TypeVar("T")

_CREATE: Final = "WSI2_CreationEtiquette"
_LABELS: Final = "WSI3_GetEtiquettes"
_POINTS: Final = "WSI4_PointRelais_Recherche"
_TOWNS: Final = "WSI2_RechercheCP"
_TRACE: Final = "WSI2_TracingColisDetaille"
_SERVICE: Final = SoapService("shipkit_mondialrelay", "mondialrelay.wsdl", (_CREATE, _LABELS, _POINTS, _TOWNS, _TRACE))

_API: Final = "https://api.mondialrelay.com"
# Links to labels come without a host: ``Mondialrelay::URL_DOMAIN`` of the carrier's own PrestaShop module.
_LABEL_SITE: Final = "https://www.mondialrelay.com"

# The first STAT of a reply is that of the reply; a point in it has a STAT of its own, further down.
_STAT: Final = re.compile(rb"<(?:[\w.-]+:)?STAT>\s*(\d+)\s*<")
_BOOKED: Final = frozenset({codes.STAT_OK, codes.TEXT_IGNORED})
_ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "create_shipment": _BOOKED,
    "create_return": _BOOKED,
    "documents": frozenset({codes.STAT_OK}),
    "track": frozenset(codes.TRACED),
    "service_points": frozenset({codes.STAT_OK}),
    # 9: no such town, or several of that name; that is an answer here.
    "check_address": frozenset({codes.STAT_OK, "9"}),
}


@attrs.frozen(kw_only=True)
class MondialRelay(Carrier):
    """A merchant's contract with Mondial Relay, over its SOAP service (manual V5.7, 2020-10).

    ``enseigne`` is the merchant code of two to eight characters, ``private_key`` what it is signed with. There is one
    address for tests and for business: a test contract makes it a test. ``label_language`` (FR, ES, NL or EN) is that
    of labels fetched again.
    """

    code: ClassVar[str] = wire.CODE

    enseigne: str
    private_key: str = secret()
    label_language: str = "FR"

    @classmethod
    def facts(cls) -> CarrierFacts:
        from .facts import FACTS

        return FACTS

    @classmethod
    def options_schema(cls) -> Mapping[str, Any] | None:
        return wire.OPTIONS_SCHEMA

    def problems(self, request: ShipmentRequest | RateRequest) -> Iterator[Problem]:
        """What the facts cannot say: how names and lines share four lines, which service goes to a point."""
        if isinstance(request, ShipmentRequest):
            yield from wire.request_problems(request)

    def create_shipment(self, request: ShipmentRequest) -> Flow[Shipment]:
        """Book *request*; the label lies behind a link, in A4, A5 or 10 x 15 cm.

        Raises:
            RejectedError: Mondial Relay refused it and nothing was booked.
        """
        response = yield self._ask(_CREATE, wire.shipment_to_wire(request), name="create_shipment", replayable=False)
        reply = self._read(_CREATE, response, wire.LabelReply)
        return wire.shipment_from_wire(request, reply, response, self._label_base)

    def create_return(self, request: ReturnRequest) -> Flow[ReturnShipment]:
        """Book a way back: the customer prints the label and hands the parcel over at a point.

        Raises:
            RejectedError: Mondial Relay refused it and nothing was booked.
        """
        response = yield self._ask(_CREATE, wire.return_to_wire(request), name="create_return", replayable=False)
        reply = self._read(_CREATE, response, wire.LabelReply)
        shipment = wire.shipment_from_wire(request.shipment, reply, response, self._label_base)
        return wire.return_from_wire(request, shipment)

    def documents(self, query: DocumentQuery) -> Flow[tuple[Document, ...]]:
        """The label once more, in the size asked for; there are no other papers."""
        if query.kinds and not query.kinds & {DocumentKind.LABEL, DocumentKind.RETURN_LABEL}:
            return ()
        response = yield self._ask(_LABELS, wire.documents_to_wire(query, self.label_language), name="documents")
        reply = self._read(_LABELS, response, wire.LabelsReply)
        return (wire.document_from_wire(query, reply, response, self._label_base),)

    def track(self, query: TrackQuery) -> Flow[TrackResult]:
        """What Mondial Relay says of a shipment, in French: its words are its only codes."""
        response = yield self._ask(_TRACE, tracing.trace_to_wire(query), name="track")
        return tracing.trace_from_wire(query, self._read(_TRACE, response, tracing.TraceReply), response)

    def service_points(self, query: ServicePointQuery) -> Flow[tuple[ServicePoint, ...]]:
        """Points Relais and lockers, nearest first, at most 30.

        Raises:
            RejectedError: Mondial Relay does not know the town.
        """
        response = yield self._ask(_POINTS, points.points_to_wire(query), name="service_points")
        return points.points_from_wire(query, self._read(_POINTS, response, points.PointsReply))

    def check_address(self, request: AddressCheck) -> Flow[AddressCheckResult]:
        """Whether postal code and town belong together."""
        response = yield self._ask(_TOWNS, points.town_to_wire(request), name="check_address")
        return points.towns_from_wire(request, self._read(_TOWNS, response, points.TownsReply))

    def check(self, response: Response) -> None:
        """Every refusal comes with HTTP 200 and a ``STAT`` other than 0; `codes` says what each proves."""
        accepted = _ACCEPTED.get(response.request.name)
        found = _STAT.search(response.content) if accepted else None
        if not accepted or not found or (stat := found[1].decode()) in accepted:
            return
        verdict, meaning = codes.STATS.get(stat, (codes.Verdict.UNCLEAR, "a code that is not documented"))
        raise _ERRORS[verdict].of(response, message=f"STAT {stat}: {meaning}", carrier_code=stat)

    @property
    def _label_base(self) -> str:
        return self.base_url or _LABEL_SITE

    def _ask(self, operation: str, members: Mapping[str, object], *, name: str, replayable: bool = True) -> Request:
        """The envelope of *operation*; the merchant code comes first, filled up to its eight characters."""
        sent = {"Enseigne": self.enseigne.ljust(8), **{key: value for key, value in members.items() if value != ""}}
        return _SERVICE.request(
            operation,
            {**sent, "Security": wire.security_key(sent, self.private_key)},
            url=f"{self.base_url or _API}/Web_Services.asmx",
            name=name,
            replayable=replayable,
        )

    def _read(self, operation: str, response: Response, shape: type[T]) -> T:
        reply = _SERVICE.read(operation, response)
        if reply.get("STAT") not in _ACCEPTED[response.request.name]:
            # `check` has raised what a readable STAT proves.
            raise ReplyError.of(response, message="no STAT that says it was done @ $.STAT", paths=("$.STAT",))
        return wire.reader.convert(reply, shape, response)


_ERRORS: Final[Mapping[codes.Verdict, type[CarrierError]]] = {
    codes.Verdict.REFUSED: RejectedError,
    codes.Verdict.CREDENTIALS: AuthenticationError,
    codes.Verdict.UNKNOWN_NUMBER: NotFoundError,
    codes.Verdict.UNAVAILABLE: UnavailableError,
    codes.Verdict.UNCLEAR: UnavailableError,
}
