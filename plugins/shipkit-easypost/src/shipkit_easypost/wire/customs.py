"""What customs must know, in EasyPost's words."""

from __future__ import annotations

from decimal import ROUND_CEILING

from shipkit.model import CommodityLine, CustomsDeclaration, Party, WeightUnit

from .. import codes

__all__ = ["customs_to_wire", "tax_identifiers_to_wire"]


def customs_to_wire(customs: CustomsDeclaration) -> dict[str, object]:
    """The member ``customs_info`` of a shipment (npm Customs/CustomsInfo)."""
    info: dict[str, object] = {
        "contents_type": codes.CONTENTS.get(customs.purpose, "other"),
        "restriction_type": "none",
        "non_delivery_option": codes.NON_DELIVERY[customs.non_delivery],
        "customs_items": [_item_to_wire(line) for line in customs.lines],
    }
    if customs.purpose not in codes.CONTENTS:
        # "Always required if contents_type is other": our own word for the purpose, in plain English.
        info["contents_explanation"] = customs.purpose.value.replace("_", " ")
    if customs.certify is not None:
        info |= {"customs_certify": True, "customs_signer": customs.certify.signer}
    if customs.export_refs:
        info["eel_pfc"] = customs.export_refs[0].value
    return info


def _item_to_wire(line: CommodityLine) -> dict[str, object]:
    """EasyPost wants the value of the whole line (npm Customs/CustomsItem), the model has it by the piece."""
    item: dict[str, object] = {
        "description": line.description,
        "quantity": line.quantity,
        "value": line.unit_value.amount * line.quantity,
        "currency": line.unit_value.currency,
        "origin_country": line.origin_country,
        "hs_tariff_number": line.export_hs_code or line.hs_code,
        "code": line.sku,
        "eccn": line.export_control,
    }
    weight = line.net_weight or line.gross_weight
    if weight is not None:
        item["weight"] = weight.to(WeightUnit.OZ, ROUND_CEILING, "0.1")
    return {name: value for name, value in item.items() if value is not None}


def tax_identifiers_to_wire(sender: Party, receiver: Party) -> list[dict[str, str]]:
    """Tax numbers of both ends (recording test_shipment_create_tax_identifier; npm Shipment/TaxIdentifier)."""
    return [
        {
            "entity": entity,
            "tax_id_type": number.type.value.upper(),
            "tax_id": number.value,
            "issuing_country": number.issuer or (party.address.country if party.address is not None else ""),
        }
        for entity, party in (("SENDER", sender), ("RECEIVER", receiver))
        for number in party.tax_ids
    ]
