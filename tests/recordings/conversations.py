"""Every recorded exchange of the four carriers: the call that it answers, or one word why it is none of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from shipkit import model as m
from shipkit.errors import AuthenticationError, RejectedError, ShipkitError
from shipkit.testing import Conversation, Exchange, Recording, Reply, playback, reply
from tests.recordings import accounts as a

#: Exchanges of operations that no plugin has, by URL, with one word why.
NOT_OURS: Mapping[str, str] = {
    "https://api.easypost.com/beta/rates": "beta",
    "https://api.easypost.com/v2/customs_infos": "inlined",
    "https://api.easypost.com/v2/claims": "claims",
    "https://api.easypost.com/v2/shipments/shp_322d89bfe10e4874a31e20e3a001be24/rerate": "re-rating",
}


@attrs.frozen(kw_only=True)
class Case:
    """One call, and the recorded exchanges that answer it, as (file, place in it)."""

    carrier: str
    conversation: Conversation
    exchanges: tuple[tuple[str, int], ...]
    numbers: tuple[str, ...] = ()
    """Numbers that the carrier gave and that must come out."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # what Hypothesis prints of it
        printer.text(self.name)

    @property
    def name(self) -> str:
        """For the reports of tests."""
        files = "+".join(dict.fromkeys(f"{file}[{place}]" for file, place in self.exchanges))
        return f"{self.carrier}-{self.conversation.operation}-{files}"


class Recorded:
    """The recordings in one folder."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, Recording] = {path.stem: playback(path) for path in sorted(folder.glob("*/*.json"))}
        self._places = {path.stem: path.parent.name for path in folder.glob("*/*.json")}

    def exchange(self, place: tuple[str, int]) -> Exchange:
        return self._files[place[0]].exchanges[place[1]]

    @property
    def everything(self) -> dict[tuple[str, int], Exchange]:
        """Every exchange by its place."""
        return {
            (name, index): exchange
            for name, recording in self._files.items()
            for index, exchange in enumerate(recording.exchanges)
        }

    def case(
        self,
        carrier: str,
        operation: str,
        argument: Any,
        *places: tuple[str, int],
        error: type[ShipkitError] | None = None,
        numbers: tuple[str, ...] = (),
        before: tuple[Reply, ...] = (),
        after: tuple[Reply, ...] = (),
    ) -> Case:
        exchanges = [self.exchange(place) for place in places]
        return Case(
            carrier=carrier,
            exchanges=places,
            numbers=numbers,
            conversation=Conversation(
                operation=operation,
                argument=argument,
                replies=(*before, *[exchange.reply for exchange in exchanges], *after),
                source=" ".join(exchange.request.url for exchange in exchanges),
                error=error,
            ),
        )


@lru_cache(maxsize=4)
def cases(folder: Path) -> tuple[Case, ...]:
    """The calls that the recordings in *folder* answer."""
    recorded = Recorded(folder)
    return (*_ups(recorded), *_easypost(recorded), *_dpd_fr(recorded), *_mondialrelay(recorded))


def _ups(recorded: Recorded) -> list[Case]:
    voided = m.CancelRequest(
        shipment_id="1Z2220060290602143",
        reference="order-1042",
        tracking_numbers=(a.number("1Z2220060290602143", "ups"),),
    )
    address = m.AddressCheck(address=_address(a.RALEIGH), level=m.AddressCheckLevel.CLASSIFY)
    # The numbers of the recorded booking are masked.
    masked = ("1ZXXXXXXXXXXXXXXXX",)
    return [
        recorded.case("ups", "authenticate", None, ("access_token_success", 0)),
        recorded.case("ups", "rates", a.UPS_QUOTED, ("rates_success", 0)),
        recorded.case("ups", "rates", a.UPS_QUOTED, ("rates_failure", 0), error=RejectedError),
        recorded.case("ups", "transit_times", a.UPS_QUOTED, ("timings_success", 0)),
        recorded.case("ups", "create_shipment", a.UPS_ORDER, ("labels_success", 0), numbers=masked),
        recorded.case("ups", "create_shipment", a.UPS_ORDER, ("labels_failure", 0), error=RejectedError),
        recorded.case("ups", "cancel_shipment", voided, ("void_success", 0)),
        recorded.case("ups", "check_address", address, ("address_classification_commercial_address", 0)),
    ]


def _address(party: m.Party) -> m.Address:
    assert party.address is not None
    return party.address


def _easypost(recorded: Recorded) -> list[Case]:
    def case(operation: str, argument: Any, *places: tuple[str, int], **more: Any) -> Case:
        return recorded.case("easypost", operation, argument, *places, **more)

    def bought(name: str, tracking: str) -> Case:
        """A purchase in one call, as others make it: its reply is a draft and a purchase at once."""
        return case("create_shipment", a.EASYPOST_ORDER, (name, 0), (name, 0), numbers=(tracking,))

    def pickup(shipment: str) -> m.PickupRequest:
        return m.PickupRequest(
            reference="pickup-1",
            pickup_from=a.RALEIGH,
            window=a.WINDOW,
            package_count=1,
            shipment_ids=(shipment,),
        )

    def code(name: str, place: int = 0) -> str:
        return str(json.loads(recorded.exchange((name, place)).reply.content)["tracking_code"])

    refunded = code("test_refund_create", 1)
    numbers = (a.number(refunded, "usps"),)
    return [
        case("rates", a.EASYPOST_QUOTED, ("test_shipment_create", 0)),
        case("rates", a.EASYPOST_QUOTED, ("test_shipment_create_tax_identifier", 0)),
        case("rates", a.EASYPOST_QUOTED, ("test_shipment_regenerate_rates", 0)),
        case("rates", a.EASYPOST_QUOTED, ("test_error", 0), error=RejectedError),
        case(
            "create_shipment",
            a.EASYPOST_ORDER,
            ("test_shipment_buy", 0),
            ("test_shipment_buy", 1),
            numbers=(code("test_shipment_buy", 1),),
        ),
        case(
            "create_shipment",
            a.EASYPOST_ORDER,
            ("test_shipment_convert_label", 0),
            ("test_shipment_convert_label", 1),
            numbers=(code("test_shipment_convert_label", 1),),
        ),
        *[
            bought(name, code(name))
            for name in (
                "test_pickup_create",
                "test_pickup_buy",
                "test_pickup_cancel",
                "test_refund_create",
                "test_scanform_create",
                "test_insurance_create",
                "test_shipment_insure",
                "test_shipment_refund",
            )
        ],
        case(
            "documents",
            m.DocumentQuery(
                shipment_id="shp_5f25253b03cd4bd18d27f49763f2433b",
                tracking_numbers=(),
                label=m.LabelSpec(format=m.DocumentFormat.ZPL),
            ),
            ("test_shipment_convert_label", 1),
            ("test_shipment_convert_label", 2),
        ),
        case(
            "documents",
            m.DocumentQuery(shipment_id="shp_82abbe8e8a1f4746bfbe7c943906c52c", tracking_numbers=numbers),
            ("test_refund_create", 1),
        ),
        case("refund", m.RefundRequest(tracking_numbers=numbers), ("test_refund_create", 2), numbers=(refunded,)),
        case(
            "cancel_shipment",
            m.CancelRequest(
                shipment_id="shp_700d2963c43b4847883c955eeb846b13",
                reference="order-1042",
                tracking_numbers=(a.number(code("test_shipment_refund"), "usps"),),
            ),
            ("test_shipment_refund", 1),
        ),
        *[
            case("track", m.TrackQuery(number=a.number("EZ1000000001", "easypost")), place, numbers=("EZ1000000001",))
            for place in (("test_tracker_create", 0), ("test_tracker_retrieve", 0), ("test_tracker_retrieve", 1))
        ],
        *[
            case("check_address", m.AddressCheck(address=_address(a.RALEIGH)), place)
            for place in (
                ("test_address_create_verify", 0),
                ("test_address_create_verify", 1),
                ("test_address_verify_invalid_address", 0),
                ("test_address_verify_invalid_address", 1),
            )
        ],
        case("book_pickup", pickup("shp_1"), ("test_pickup_create", 1), ("test_pickup_buy", 2)),
        case("book_pickup", pickup("shp_1"), ("test_pickup_buy", 1), ("test_pickup_buy", 2)),
        case("book_pickup", pickup("shp_1"), ("test_pickup_cancel", 1), ("test_pickup_cancel", 2)),
        case(
            "cancel_pickup",
            m.PickupCancelRequest(confirmation="pickup_7a497566ff634331bdaffdfe4ab10103/WTC1"),
            ("test_pickup_cancel", 3),
        ),
        case(
            "close_manifest",
            m.ManifestRequest(ship_from=a.RALEIGH, day=date(2025, 3, 7), shipment_ids=("shp_1",)),
            ("test_scanform_create", 1),
        ),
        case(
            "insure",
            m.InsuranceRequest(
                reference="order-1042",
                number=a.number(code("test_insurance_create"), "usps"),
                ship_from=a.RALEIGH,
                ship_to=a.ORLANDO,
                amount=m.Money(Decimal(100), "USD"),
            ),
            ("test_insurance_create", 1),
        ),
        case(
            "insure",
            m.InsuranceRequest(
                reference="order-1042",
                shipment_id="shp_2b8295fe50f048baaaf8378ba1a4b629",
                number=a.number(code("test_shipment_insure"), "usps"),
                amount=m.Money(Decimal(100), "USD"),
            ),
            ("test_shipment_insure", 1),
        ),
        # A shipment under the mark is not there (the first reply), and the list has no third page.
        case(
            "find_shipments",
            a.EASYPOST_ORDER,
            ("test_shipment_get_next_page", 0),
            ("test_shipment_get_next_page", 1),
            before=(reply(404, {"error": {"code": "NOT_FOUND", "message": "not found"}}),),
            after=(reply(200, {"shipments": [], "has_more": False}),),
        ),
    ]


def _dpd_fr(recorded: Recorded) -> list[Case]:
    def case(argument: Any, name: str, *numbers: str, error: type[ShipkitError] | None = None) -> Case:
        return recorded.case("dpd_fr", "create_shipment", argument, (name, 0), numbers=numbers, error=error)

    return [
        case(a.DPD_ORDER, "test_dpd_label", "10774000248377"),
        case(a.DPD_ZPL_ORDER, "test_dpd_format_zpl", "10774000248383"),
        case(a.DPD_RELAY_ORDER, "test_relai_ok", "10774000248387"),
        case(a.DPD_ORDER, "test_auth", error=AuthenticationError),
        case(a.DPD_ORDER, "test_common_failed_get_label_1", error=RejectedError),
    ]


def _mondialrelay(recorded: Recorded) -> list[Case]:
    near = m.ServicePointQuery(
        country="FR", near=m.Address(lines=(), postal_code="69100", country="FR"), max_results=30
    )
    return [
        recorded.case(
            "mondialrelay",
            "create_shipment",
            a.MONDIALRELAY_ORDER,
            ("test_mondialrelay_label", 0),
            numbers=("50554859",),
        ),
        recorded.case("mondialrelay", "service_points", near, ("test_mondialrelay_search_pickup_site", 0)),
    ]
