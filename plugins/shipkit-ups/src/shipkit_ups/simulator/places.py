"""Addresses as the simulated UPS knows them: states by ZIP code, names of countries, hours from Greenwich."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any, Final

from .base import RefusedError, text_at

__all__ = ["check_place", "country_name", "fits_state", "zone_of"]

# The first digit of a ZIP code names a group of states (USPS Publication 65, national areas).
_AREAS: Final = {
    "0": "CT MA ME NH NJ NY PR RI VI VT",
    "1": "DE NY PA",
    "2": "DC MD NC SC VA WV",
    "3": "AL FL GA MS TN",
    "4": "IN KY MI OH",
    "5": "IA MN MT ND SD WI",
    "6": "IL KS MO NE",
    "7": "AR LA OK TX",
    "8": "AZ CO ID NM NV TX UT WY",
    "9": "AK AS CA GU HI OR WA",
}
_NAMES: Final = {
    "CA": "CANADA",
    "CH": "SWITZERLAND",
    "DE": "GERMANY",
    "ES": "SPAIN",
    "FR": "FRANCE",
    "GB": "UNITED KINGDOM",
    "IT": "ITALY",
    "JP": "JAPAN",
    "NL": "NETHERLANDS",
    "PL": "POLAND",
    "US": "UNITED STATES",
}
_HOURS: Final = {"US": -5, "PR": -4, "CA": -5, "MX": -6, "GB": 0, "IE": 0, "PT": 0, "FI": 2, "GR": 2, "JP": 9, "AU": 10}


def fits_state(zip_code: str, state: str) -> bool:
    """Whether a ZIP code can lie in a state; a state that is not given fits."""
    return not state or state.upper() in _AREAS.get(zip_code[:1], "").split()


def check_place(address: Mapping[str, Any], code: str) -> None:
    """Refuse an American postal code that does not belong to the state (recorded: 111285)."""
    country, zip_code = text_at(address, ["CountryCode"]), text_at(address, ["PostalCode"])
    state = text_at(address, ["StateProvinceCode"])
    if not country:
        raise RefusedError("111000", "Missing or invalid country code")
    if country == "US" and (not zip_code[:5].isdigit() or not fits_state(zip_code, state)):
        raise RefusedError(code, f"The postal code {zip_code} is invalid for {state} United States.")


def country_name(code: str) -> str:
    """The name of a country, or its code where the name is not at hand."""
    return _NAMES.get(code, code)


def zone_of(country: str) -> timezone:
    """One offset per country, summer and winter: simulated parcels know no daylight saving."""
    return timezone(timedelta(hours=_HOURS.get(country, 1)))
