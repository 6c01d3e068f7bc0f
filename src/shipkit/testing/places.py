"""Addresses that exist in form: country, region, city, postal code and street, for generated requests."""

from __future__ import annotations

from typing import Final

import attrs

__all__ = ["PLACES", "Place"]


@attrs.frozen
class Place:
    """Somewhere a parcel can leave or go to."""

    country: str
    region: str | None
    city: str
    postal_code: str | None
    street: str
    phone: str


# Streets and towns are real, the people who get parcels there are not; numbers are from ranges kept for fiction where a
# country has one.
PLACES: Final = (
    Place("US", "TX", "Austin", "78701", "500 Congress Ave", "5125550100"),
    Place("US", "GA", "Alpharetta", "30005", "12380 Morris Rd", "6785550123"),
    Place("US", "CA", "San Francisco", "94104", "417 Montgomery St", "4155550199"),
    Place("CA", "ON", "Ottawa", "K1A0B1", "80 Wellington St", "6135550142"),
    Place("FR", None, "Paris", "75004", "6 Place des Vosges", "+33199000001"),
    Place("FR", None, "Villeurbanne", "69100", "27 rue Henri Rolland", "+33465710002"),
    Place("DE", None, "Berlin", "10117", "Unter den Linden 77", "+493023125001"),
    Place("BE", None, "Bruxelles", "1000", "Rue de la Loi 16", "+3225550101"),
    Place("ES", None, "Madrid", "28013", "Calle Mayor 12", "+34915550101"),
    Place("LU", None, "Luxembourg", "1611", "Avenue de la Gare 41", "+352255501"),
    Place("NL", None, "Amsterdam", "1012JS", "Dam 9", "+31205550101"),
    Place("IT", "RM", "Roma", "00184", "Via Nazionale 20", "+39065550101"),
    Place("GB", None, "London", "SW1A2AA", "10 Downing Street", "+442079460001"),
    Place("CH", None, "Zürich", "8001", "Bahnhofstrasse 21", "+41445550101"),
    Place("JP", "13", "Tokyo", "1000001", "1-1 Chiyoda", "+81355550101"),
    Place("HK", None, "Hong Kong", None, "1 Queen's Road Central", "+85225550101"),
)
