"""Where UPS's published files (specs/ups, e6f36df4da) are wrong, by their own words or by what UPS really answered.

One line per correction: file, place, what is dropped or put in its place, and why. ``>`` begins a request, ``<`` a
reply, ``path:`` and ``header:`` a parameter; ``*`` stands for any members between. A test leaves out each line in turn
and looks for a request or a reply that is then refused, so that no line outlives its reason.
"""

from __future__ import annotations

import copy
import re
from functools import lru_cache
from typing import Any

import attrs

__all__ = ["ERRATA", "Erratum"]


@attrs.frozen
class Erratum:
    """One correction; a member of ``required`` is dropped as ``required:Name``."""

    file: str
    at: str
    drop: str
    reason: str
    types: tuple[str, ...] = ()
    was: str = ""

    def corrected(self, node: Any) -> Any:
        """*node* as it should have been written."""
        if self.was and node.get("type") != self.was:
            return node
        changed = copy.copy(node)
        for word in self.drop.split():
            name, _, member = word.partition(":")
            if member:
                changed[name] = [item for item in changed.get(name, ()) if item != member]
            else:
                changed.pop(name, None)
        if self.types:
            changed["type"] = list(self.types)
        return changed

    def matches(self, path: str) -> bool:
        """Whether this is about the schema at *path*."""
        return _pattern(self.at).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _pattern(at: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in at.split("*")))


E = Erratum
# fmt: off
ERRATA: tuple[Erratum, ...] = (
    E("Rating", "path:requestoption", "maxLength", "10 characters; its own values have 17 (Shoptimeintransit)"),
    E("Rating", ">*.Service.Code", "minLength", "3 characters; its own values have 2 (03)"),
    E("Rating", ">*.DeclaredValue.MonetaryValue", "minLength", "8 characters; recorded: 0"),
    E("Rating", "<*.Service.Description", "minLength", "recorded: empty"),
    E("Rating", "<*", "", "its notes: before v2403 a list of one is an object", ("array", "object"), "array"),
    E("Rating", "<*.TransactionReference", "", "recorded: an empty text", ("object", "string")),
    E("Shipping", ">.LabelRecoveryRequest", "required:TrackingNumbers", "its words: Roadie only"),
    E("Shipping", ">.LabelRecoveryRequest", "required:ReferenceValues", "its words: if there is no tracking number"),
    E("Shipping", ">.LabelRecovery*.LabelImageFormat.Code", "minLength", "4 characters; its own values have 3 (ZPL)"),
    E("Shipping", "<.LabelRecovery*.LabelImageFormat.Code", "minLength", "4 characters; its own values have 3 (GIF)"),
    E("Shipping", "<*.BillingWeight.Weight", "minLength", "8 characters; recorded: 8.0"),
    E("Shipping", "<*", "", "its notes: before v2403 a list of one is an object", ("array", "object"), "array"),
    E("TimeInTransit", "<*.serviceLevel", "maxLength", "2 characters; its own values have 3 (1DM); recorded"),
    E("TimeInTransit", "<.emsResponse.shipDate", "maxLength", "8 characters; its own format has 10; recorded"),
    E("Pickup", ">*.PickupDate", "maxLength", "4 characters; its own format has 8 (yyyyMMdd)"),
    E("Pickup", ">*.TotalWeight.Weight", "minLength", "6 characters; its own example has 3 (5.5)"),
    E("Pickup", "<*.ChargeAmount", "minLength", "8 characters of money; as any other amount"),
    E("Pickup", "<*.TaxAmount", "minLength", "8 characters of money; as any other amount"),
    E("Pickup", "<*.GrandTotalOfAllCharge", "minLength", "8 characters of money; as any other amount"),
    E("Locator", ">*.RequestAction", "minLength", "13 characters; its only value has 7 (Locator)"),
    E("Locator", ">*.Geocode.Latitude", "minLength", "15 characters; its text knows no such precision"),
    E("Locator", ">*.Geocode.Longitude", "minLength", "15 characters; its text knows no such precision"),
    E("Locator", ">*.OriginAddress.AddressKeyFormat", "required:AddressLine", "its own words: may be submitted"),
    E("Locator", ">*.OriginAddress.AddressKeyFormat", "required:PoliticalDivision2", "needless beside a position"),
    E("Locator", ">*.OriginAddress.AddressKeyFormat", "required:PoliticalDivision1", "most countries have no states"),
    E("Locator", ">*.OriginAddress.AddressKeyFormat", "required:PostcodePrimaryLow", "its words: if no city is given"),
    E("Locator", "<*.OpenHours", "minLength", "4 characters; its own example has 3 (930)"),
    E("UPSTrackAlert", "path:version", "enum", "v2 only; its note: v1 remains, and alone names where to push"),
)
# fmt: on
