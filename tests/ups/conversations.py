"""Requests of every operation, among them those of the rarer fields, for the judge of requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from decimal import Decimal

import attrs
from hypothesis import strategies as st

from shipkit.flow import Request
from shipkit.model import (
    AddressCheck,
    AddressCheckLevel,
    AddressKind,
    BillingAccount,
    CancelRequest,
    CustomsPurpose,
    DocumentFormat,
    DocumentQuery,
    GeoPoint,
    Handling,
    LabelSpec,
    Length,
    LengthUnit,
    Money,
    Notify,
    NotifyChannel,
    Option,
    OptionCode,
    PackagingKind,
    PageFormat,
    PageSize,
    PartyInRole,
    PartyRole,
    Payer,
    Payment,
    PickupCancelRequest,
    PickupLocation,
    RateRequest,
    ReturnLabelKind,
    ReturnRequest,
    ServicePointQuery,
    ShipmentRequest,
    SignatureLevel,
    SubscriptionRequest,
    TrackQuery,
    Tristate,
)
from shipkit.testing import play, reply
from shipkit.testing.strategies import return_requests
from shipkit_ups.booking_checks import return_problems
from shipkit_ups.codes import SERVICES
from tests.ups.samples import (
    ABROAD,
    BACK,
    BERLIN,
    BOXES,
    EUROPEAN,
    HOME,
    LEAD,
    ORDER,
    OTTAWA,
    PARIS,
    PICKUP,
    POINT,
    QUOTED,
    RALEIGH,
    SECOND,
    UPS,
    at,
    first,
    number,
    signed,
)

__all__ = ["every_request", "orders", "returned"]

ACCOUNT = BillingAccount(number="D4E5F6", postal_code="27615", country="US")
RETURNABLE = sorted(set(SERVICES) - {"13", "59", "82", "83", "84", "85", "86"})


def option(code: OptionCode, value: object = None, *refs: str) -> Option:
    return Option(code=code, value=value, package_refs=refs)  # type: ignore[arg-type]


def orders() -> dict[str, ShipmentRequest]:
    """Bookings that each use something that the others do not."""
    adult = option(OptionCode.SIGNATURE, SignatureLevel.ADULT)
    labels = {
        form.value: attrs.evolve(ORDER, label=LabelSpec(format=form))
        for form in (DocumentFormat.GIF, DocumentFormat.ZPL, DocumentFormat.EPL, DocumentFormat.SPL)
    }
    insured = tuple(option(OptionCode.INSURANCE, Money(Decimal(100), "USD"), box.ref) for box in BOXES)
    third = Payment(payer=Payer.THIRD_PARTY, account=ACCOUNT)
    papers = attrs.evolve(EUROPEAN.customs, purpose=CustomsPurpose.DOCUMENTS)  # type: ignore[misc]
    letters = tuple(attrs.evolve(box, packaging=PackagingKind.LETTER) for box in BOXES)
    drinks = tuple(attrs.evolve(box, handling=frozenset({Handling.ALCOHOL})) for box in BOXES)
    return {
        "plain": ORDER,
        **labels,
        "tall": attrs.evolve(ORDER, label=LabelSpec(size=PageSize(format=PageFormat.IN_4X8))),
        "abroad": ABROAD,
        "european": EUROPEAN,
        "within Europe": attrs.evolve(ORDER, ship_from=PARIS, ship_to=BERLIN, service="11", description="Books"),
        "adult": attrs.evolve(ORDER, options=(adult,)),
        "adult abroad": attrs.evolve(ABROAD, options=(adult,)),
        "left at the door": attrs.evolve(ORDER, options=(option(OptionCode.SIGNATURE, SignatureLevel.NONE),)),
        "insured": attrs.evolve(ORDER, options=insured),
        "saturday": attrs.evolve(
            ORDER, options=(option(OptionCode.SATURDAY_DELIVERY), option(OptionCode.CARBON_NEUTRAL))
        ),
        "told": attrs.evolve(
            ORDER, options=(option(OptionCode.NOTIFY, Notify(channels=frozenset({NotifyChannel.EMAIL}))),)
        ),
        "to the door": attrs.evolve(ORDER, options=(option(OptionCode.DIRECT_DELIVERY_ONLY),)),
        "to a point": attrs.evolve(ORDER, service_point=POINT),
        "held": attrs.evolve(ORDER, options=(option(OptionCode.HOLD_AT_LOCATION, POINT),)),
        "billed to a third": attrs.evolve(ORDER, payment=third),
        "billed to the recipient": attrs.evolve(ORDER, payment=Payment(payer=Payer.RECIPIENT, account=ACCOUNT)),
        "duties of a third": attrs.evolve(
            ABROAD,
            customs=attrs.evolve(ABROAD.customs, duties_payer=Payer.THIRD_PARTY, duties_account=ACCOUNT),  # type: ignore[misc]
        ),
        "for another": attrs.evolve(ORDER, account_holder=at(RALEIGH, lines=("Head office",))),
        "bought by another": attrs.evolve(ABROAD, parties=(PartyInRole(role=PartyRole.BUYER, party=PARIS),)),
        "papers": attrs.evolve(EUROPEAN, customs=papers, description="Contracts"),
        "letters": attrs.evolve(ABROAD, customs=None, packages=letters),
        "alcohol": attrs.evolve(ORDER, packages=drinks),
        "to a box": attrs.evolve(ORDER, ship_to=at(HOME, po_box=Tristate.YES)),
        "taxed": attrs.evolve(EUROPEAN, carrier_options={"ups": {"taxes": True}}),
        "polish": attrs.evolve(ORDER, ship_to=at(HOME, city="Łódź")),
    }


def returned() -> st.SearchStrategy[ReturnRequest]:
    """Ways back that UPS takes: not with every service, and with the goods in plain words."""

    def described(request: ShipmentRequest) -> ShipmentRequest:
        packages = tuple(attrs.evolve(box, description=box.description or "Shirts") for box in request.packages)
        return attrs.evolve(request, packages=packages)

    kinds = (ReturnLabelKind.PRINTED, ReturnLabelKind.MAILED, ReturnLabelKind.CARRIER_COLLECTS)
    drawn = return_requests(UPS, services=RETURNABLE, kinds=kinds, change=described)
    return drawn.filter(lambda request: not any(return_problems(request)))


def every_request() -> Iterator[tuple[str, Request]]:
    """A name and a request, as the driver sends it, of every operation."""
    yield "token", first(UPS.authenticate())
    for name, order in orders().items():
        assert not list(UPS.problems(order)), (name, list(UPS.problems(order)))
        yield f"ship {name}", first(UPS.create_shipment(order))
        yield f"find {name}", first(UPS.find_shipments(order))
        yield f"rate {name}", first(UPS.rates(quoted(order)))
        yield f"transit {name}", first(UPS.transit_times(quoted(order)))
    yield "rate one", first(UPS.rates(attrs.evolve(QUOTED, services=("03",))))
    yield "rate some day", first(UPS.rates(attrs.evolve(QUOTED, ship_on=None)))
    for kind in (ReturnLabelKind.PRINTED, ReturnLabelKind.MAILED, ReturnLabelKind.CARRIER_COLLECTS):
        yield f"return {kind.value}", first(UPS.create_return(attrs.evolve(BACK, kind=kind)))
    back = attrs.evolve(ABROAD, ship_from=OTTAWA, ship_to=RALEIGH, packages=ABROAD.packages[:1])
    yield "return abroad", first(UPS.create_return(attrs.evolve(BACK, shipment=back)))
    yield from _follow_ups()
    yield from _pickups()
    yield from _points()
    for name, address in (("street", RALEIGH.address), ("Puerto Rico", at(RALEIGH, country="PR", region=None).address)):
        for level in AddressCheckLevel:
            assert address is not None
            yield (
                f"address {name} {level.value}",
                first(UPS.check_address(AddressCheck(address=address, level=level))),
            )
    yield (
        "subscribe",
        first(
            UPS.subscribe(
                SubscriptionRequest(
                    numbers=(number(), number(SECOND)), callback_url="https://host.example/h", secret="s" * 20
                )
            )
        ),
    )


def quoted(order: ShipmentRequest) -> RateRequest:
    """The question for the price of *order*."""
    return attrs.evolve(
        QUOTED,
        **{
            name: getattr(order, name)
            for name in (
                *("ship_from", "ship_to", "account_holder", "packages", "ship_on", "payment"),
                *("options", "customs", "service_point", "carrier_options"),
            )
        },
    )


def _follow_ups() -> Iterator[tuple[str, Request]]:
    """What a conversation asks after its first reply."""
    both = CancelRequest(shipment_id=LEAD, reference="order-1042", tracking_numbers=(number(), number(SECOND)))
    yield "void", first(UPS.cancel_shipment(both))
    yield "void some", first(UPS.cancel_shipment(attrs.evolve(both, package_refs=("first", "second"))))
    one = attrs.evolve(both, tracking_numbers=(number(SECOND),), package_refs=("second",))
    yield "void one", first(UPS.cancel_shipment(one))
    query = DocumentQuery(shipment_id=LEAD, tracking_numbers=(number(),))
    yield "documents", first(UPS.documents(query))
    for form in (DocumentFormat.PDF, DocumentFormat.ZPL):
        yield f"documents {form}", first(UPS.documents(attrs.evolve(query, label=LabelSpec(format=form))))
    refused = reply(400, {"response": {"errors": [{"code": "300030", "message": "no"}]}})
    nothing = reply(404, {"response": {"errors": [{"code": "TW0001", "message": "no"}]}})
    found = {"LabelRecoveryResponse": {"TrackingCandidate": [{"TrackingNumber": LEAD}]}}
    again = {"LabelRecoveryResponse": {"LabelResults": {"TrackingNumber": LEAD}}}
    find = play(UPS.find_shipments(ORDER), reply(200, found), reply(200, again), nothing)
    void = play(UPS.cancel_shipment(both), refused, nothing)
    package = {"trackingNumber": LEAD, "packageCount": 2}
    two = reply(200, {"trackResponse": {"shipment": [{"package": [package]}]}})
    other = {"trackResponse": {"shipment": [{"package": [package, {**package, "trackingNumber": SECOND}]}]}}
    track = play(UPS.track(TrackQuery(number=number(), language="fr")), two, reply(200, other))
    for name, requests in (("find", find.requests), ("already void", void.requests), ("track", track.requests)):
        yield from ((name, signed(request)) for request in requests)


def _pickups() -> Iterator[tuple[str, Request]]:
    yield "pickup", first(UPS.book_pickup(PICKUP))
    rich = attrs.evolve(
        PICKUP,
        pickup_from=at(PARIS, kind=AddressKind.RESIDENTIAL),
        services=("11", "65"),
        location=PickupLocation.RECEPTION,
        instructions="Ring twice",
        window=attrs.evolve(PICKUP.window, ready=time(8, 5)),
    )
    yield "pickup rich", first(UPS.book_pickup(rich))
    yield "cancel pickup", first(UPS.cancel_pickup(PickupCancelRequest(confirmation="2929602E9CP")))


def _points() -> Iterator[tuple[str, Request]]:
    near = ServicePointQuery(near=RALEIGH.address, country="US", max_distance=Length(Decimal(1_200_000), LengthUnit.CM))
    yield "points", first(UPS.service_points(near))
    bare = at(PARIS, lines=(), city=None).address
    yield "points by postal code", first(UPS.service_points(attrs.evolve(near, near=bare, country="FR")))
    here = GeoPoint(latitude=Decimal("48.8530"), longitude=Decimal("-2.3499"))
    yield "points around", first(UPS.service_points(attrs.evolve(near, near=here, country="FR")))
    yield "point", first(UPS.service_points(ServicePointQuery(id="U51130200", country="US")))
