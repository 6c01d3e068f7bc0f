"""EasyPost's objects with the members that recorded replies have, in their order."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import attrs

from .base import Json

__all__ = [
    "Price",
    "address",
    "carrier_detail",
    "customs_info",
    "draft",
    "fee",
    "label",
    "parcel",
    "prices",
    "rate",
    "verified",
]

NewId = Callable[[str], str]


@attrs.frozen
class Price:
    """What one service costs: the account's own price, the published one, the counter's; and the days it takes."""

    carrier: str
    service: str
    own: Decimal = attrs.field(converter=Decimal)
    listed: Decimal = attrs.field(converter=Decimal)
    retail: Decimal = attrs.field(converter=Decimal)
    each_oz: Decimal = attrs.field(converter=Decimal)
    days: int

    def for_weight(self, ounces: Decimal) -> Price:
        """The same service for a parcel of *ounces*."""
        more = max(Decimal(0), ounces - _FREE_OZ) * self.each_oz
        own, listed, retail = (_cents(price + more) for price in (self.own, self.listed, self.retail))
        return attrs.evolve(self, own=own, listed=listed, retail=retail)


# USPS at home after recording test_shipment_create (prices for 15.4 oz; that of each further ounce is invented). The
# others have names that EasyPost uses, and invented prices.
_DOMESTIC: Final = (
    Price("USPS", "Express", "34.15", "34.15", "39.10", "0.55", 1),
    Price("USPS", "Priority", "7.42", "8.34", "9.90", "0.12", 2),
    Price("USPS", "GroundAdvantage", "6.07", "6.57", "8.85", "0.06", 3),
)
_ABROAD: Final = (
    Price("USPS", "ExpressMailInternational", "58.20", "61.25", "65.90", "0.90", 4),
    Price("USPS", "PriorityMailInternational", "41.75", "44.10", "47.95", "0.60", 8),
)
_ELSEWHERE: Final = (
    Price("DHLExpress", "ExpressWorldwideNonDoc", "29.80", "38.40", "45.10", "0.35", 2),
    Price("DHLExpress", "DomesticExpress", "12.60", "15.20", "18.00", "0.10", 1),
)
_FREE_OZ: Final = Decimal(16)
#: 70 lb: more than that USPS does not take, and says so in a message instead of a rate.
USPS_MAX_OZ: Final = Decimal(1120)


def address(given: Json, new_id: NewId, now: str, mode: str) -> Json:
    """An address as it was given; nothing is known of it yet."""
    return {
        "id": given.get("id") or new_id("adr"),
        "object": "Address",
        "created_at": now.replace("Z", "+00:00"),
        "updated_at": now.replace("Z", "+00:00"),
        "name": given.get("name"),
        "company": given.get("company"),
        "street1": given.get("street1"),
        "street2": given.get("street2"),
        "city": given.get("city"),
        "state": given.get("state"),
        "zip": given.get("zip"),
        "country": given.get("country") or "US",
        "phone": given.get("phone"),
        "email": given.get("email"),
        "mode": mode,
        "carrier_facility": None,
        "residential": given.get("residential"),
        "federal_tax_id": None,
        "state_tax_id": None,
        "verifications": {},
    }


def verified(row: Json) -> Json:
    """The same address as EasyPost writes one that it found: capitals, one line, four more digits of the ZIP code."""
    upper = {name: row[name].upper() if row[name] else None for name in ("name", "company", "city", "state")}
    street = " ".join(part for part in (row["street1"], row["street2"]) if part)
    code = row["zip"] or ""
    plus_four = f"{code}-{sum(map(ord, street)) % 9000 + 1000}" if len(code) == 5 and row["country"] == "US" else code
    found = {"latitude": 33.8436, "longitude": -118.39177, "time_zone": "America/Los_Angeles"}
    success: Json = {"success": True, "errors": []}
    return {
        **row,
        **upper,
        "street1": street.upper(),
        "street2": None,
        "zip": plus_four or None,
        "residential": row["residential"] if row["residential"] is not None else not row["company"],
        "verifications": {"zip4": {**success, "details": None}, "delivery": {**success, "details": found}},
    }


def parcel(given: Json, new_id: NewId, now: str, mode: str) -> Json:
    """The box; sides and weight are numbers with a point."""
    sides = {name: _number(given.get(name)) for name in ("length", "width", "height")}
    return {
        "id": given.get("id") or new_id("prcl"),
        "object": "Parcel",
        "created_at": now,
        "updated_at": now,
        **sides,
        "predefined_package": given.get("predefined_package"),
        "weight": _number(given.get("weight")),
        "mode": mode,
    }


def customs_info(given: Json, new_id: NewId, now: str, mode: str) -> Json:
    """A declaration and its items."""
    return {
        "id": given.get("id") or new_id("cstinfo"),
        "object": "CustomsInfo",
        "created_at": now,
        "updated_at": now,
        "contents_explanation": given.get("contents_explanation") or "",
        "contents_type": given.get("contents_type"),
        "customs_certify": bool(given.get("customs_certify")),
        "customs_signer": given.get("customs_signer"),
        "eel_pfc": given.get("eel_pfc"),
        "non_delivery_option": given.get("non_delivery_option") or "return",
        "restriction_comments": None,
        "restriction_type": given.get("restriction_type") or "none",
        "mode": mode,
        "declaration": None,
        "customs_items": [_customs_item(item, new_id, now, mode) for item in given.get("customs_items") or []],
    }


def _customs_item(given: Json, new_id: NewId, now: str, mode: str) -> Json:
    return {
        "id": new_id("cstitem"),
        "object": "CustomsItem",
        "created_at": now,
        "updated_at": now,
        "description": given.get("description"),
        "hs_tariff_number": given.get("hs_tariff_number"),
        "origin_country": given.get("origin_country"),
        "quantity": int(given.get("quantity") or 0),
        "value": f"{Decimal(str(given.get('value') or 0)):.2f}",
        "weight": _number(given.get("weight")),
        "code": given.get("code"),
        "mode": mode,
        "manufacturer": None,
        "currency": given.get("currency"),
        "eccn": given.get("eccn"),
        "printed_commodity_identifier": None,
    }


def prices(start: Json, end: Json, weight: Decimal) -> list[Price]:
    """Everything that is offered on the way; nothing for what USPS does not take."""
    offered: tuple[Price, ...]
    if start["country"] != "US":
        offered = _ELSEWHERE if start["country"] == end["country"] else _ELSEWHERE[:1]
    elif weight > USPS_MAX_OZ:
        offered = ()
    else:
        offered = _DOMESTIC if end["country"] == "US" else _ABROAD
    return [price.for_weight(weight) for price in offered]


def rate(price: Price, shipment_id: str, new_id: NewId, now: str, mode: str) -> Json:
    """One carrier's price."""
    return {
        "id": new_id("rate"),
        "object": "Rate",
        "created_at": now,
        "updated_at": now,
        "mode": mode,
        "service": price.service,
        "carrier": price.carrier,
        "rate": str(price.own),
        "currency": "USD",
        "retail_rate": str(price.retail),
        "retail_currency": "USD",
        "list_rate": str(price.listed),
        "list_currency": "USD",
        "billing_type": "easypost",
        "delivery_days": price.days,
        "delivery_date": None,
        "delivery_date_guaranteed": False,
        "est_delivery_days": price.days,
        "shipment_id": shipment_id,
        "carrier_account_id": f"ca_{price.carrier.lower():0<32}",
    }


def draft(shipment_id: str, given: Json, parts: Json, now: str, mode: str) -> Json:
    """A shipment that nobody has bought."""
    options = {"currency": "USD", "payment": {"type": "SENDER"}, "date_advance": 0, **(given.get("options") or {})}
    row: Json = {
        "id": shipment_id,
        "created_at": now,
        "is_return": bool(given.get("is_return")),
        "messages": parts["messages"],
        "mode": mode,
        "options": options,
        "reference": given.get("reference"),
        "status": "unknown",
        "tracking_code": None,
        "updated_at": now,
        "batch_id": None,
        "batch_status": None,
        "batch_message": None,
        "customs_info": parts["customs_info"],
        "from_address": parts["from_address"],
        "insurance": None,
        "order_id": None,
        "parcel": parts["parcel"],
        "postage_label": None,
        "rates": parts["rates"],
        "refund_status": None,
        "scan_form": None,
        "selected_rate": None,
        "tracker": None,
        "to_address": parts["to_address"],
        "usps_zone": 4,
        "return_address": parts["return_address"],
        "buyer_address": parts["buyer_address"],
        "forms": [],
        "fees": [],
        "object": "Shipment",
    }
    if given.get("tax_identifiers"):
        row["tax_identifiers"] = [{**number, "tax_id": "HIDDEN"} for number in given["tax_identifiers"]]
    return row


def label(label_id: str, url: str, media_type: str, now: str) -> Json:
    """A bought label behind its address."""
    return {
        "object": "PostageLabel",
        "id": label_id,
        "created_at": now,
        "updated_at": now,
        "date_advance": 0,
        "integrated_form": "none",
        "label_date": now,
        "label_resolution": 300,
        "label_size": "4x6",
        "label_type": "default",
        "label_file_type": media_type,
        "label_url": url,
        "label_pdf_url": None,
        "label_zpl_url": None,
        "label_epl2_url": None,
        "label_file": None,
    }


def fee(kind: str, amount: Decimal, *, refunded: bool = False) -> Json:
    """Money that EasyPost took, with sub-cent precision."""
    return {"object": "Fee", "type": kind, "amount": f"{amount:.5f}", "charged": True, "refunded": refunded}


def carrier_detail(
    service: str, start: Json, end: Json, first: Json | None, last: Json | None, tried: str | None
) -> Json:
    """What the carrier itself says of the parcel."""
    return {
        "object": "CarrierDetail",
        "service": service,
        "container_type": None,
        "est_delivery_date_local": None,
        "est_delivery_time_local": None,
        "origin_location": _location(start),
        "origin_tracking_location": first,
        "destination_location": _location(end),
        "destination_tracking_location": last,
        "guaranteed_delivery_date": None,
        "alternate_identifier": None,
        "initial_delivery_attempt": tried,
    }


def _location(row: Json) -> str:
    return f"{row['city'] or ''} {row['state'] or ''}, {row['zip'] or ''}".upper()


def _number(value: Any) -> float | None:
    return float(value) if value not in (None, "") else None


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
