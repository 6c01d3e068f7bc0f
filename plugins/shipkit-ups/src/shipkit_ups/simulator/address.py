"""Address validation, street level: POST /addressvalidation/{version}/{requestoption}."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from shipkit.simulator import Call, Reply, route

from .base import RefusedError, UpsBase, listed, one, signed, text_at
from .places import fits_state

__all__ = ["AddressValidation"]

_CLASSES: Final = {"0": "UnClassified", "1": "Commercial", "2": "Residential"}
# Streets of business, as far as a simulator knows streets; recorded 2024-02-01: an avenue in New York is commercial.
_BUSINESS: Final = re.compile(r"\b(AVE|AVENUE|PLAZA|STE|SUITE|BLVD|DOCK|INDUSTRIAL)\b")
_STATES: Final = {"NEW YORK": "NY", "CALIFORNIA": "CA", "FLORIDA": "FL", "NORTH CAROLINA": "NC", "TEXAS": "TX"}


class AddressValidation(UpsBase):
    """An address exists when its ZIP code lies in its state and its street has a number."""

    @route("POST", "/api/addressvalidation/{version}/{option}", operation="check_address")
    @signed
    def check_address(self, call: Call) -> Reply:
        request, option = call.json()["XAVRequest"], call.params["option"]
        if option not in {"1", "2", "3"}:
            raise RefusedError("264001", "Missing or invalid request option")
        key = one(request["AddressKeyFormat"])
        if text_at(key, ["CountryCode"]) not in {"US", "PR"}:
            raise RefusedError("264003", "The country is not supported")
        state = _state(key)
        known = bool(state) and fits_state(text_at(key, ["PostcodePrimaryLow"]), state)
        body: dict[str, Any] = {"Response": self.envelope(request)}
        if option != "2":
            body |= _found(key, state, known, classified=option == "3")
        if option != "1":
            body["AddressClassification"] = _class(key, known)
        return self.answer(call, {"XAVResponse": body}, since=2)


def _state(key: Mapping[str, Any]) -> str:
    given = text_at(key, ["PoliticalDivision1"]).upper()
    return _STATES.get(given, given)


def _class(key: Mapping[str, Any], known: bool) -> dict[str, str]:
    street = " ".join(map(str, listed(key.get("AddressLine")))).upper()
    code = "0" if not known else "1" if _BUSINESS.search(street) else "2"
    return {"Code": code, "Description": _CLASSES[code]}


def _found(key: Mapping[str, Any], state: str, known: bool, *, classified: bool) -> dict[str, Any]:
    """One candidate for an address with a house number, two for a street without."""
    if not known:
        return {"NoCandidatesIndicator": ""}
    lines = [str(line).upper() for line in listed(key.get("AddressLine"))]
    numbered = bool(lines) and lines[0][:1].isdigit()
    starts = [""] if numbered else ["1-99 ", "101-199 "]
    candidates = []
    for place, start in enumerate(starts):
        row: dict[str, Any] = {}
        if classified:
            row["AddressClassification"] = _class(key, known)
        row["AddressKeyFormat"] = {
            "AddressLine": [start + line for line in lines] or ["MAIN ST"],
            "PoliticalDivision2": text_at(key, ["PoliticalDivision2"]).upper() or "TOWN",
            "PoliticalDivision1": state,
            "PostcodePrimaryLow": text_at(key, ["PostcodePrimaryLow"]),
            "PostcodeExtendedLow": f"{1001 + place}",
            "CountryCode": text_at(key, ["CountryCode"]),
        }
        candidates.append(row)
    return {"ValidAddressIndicator" if numbered else "AmbiguousAddressIndicator": "", "Candidate": candidates}
