"""Points Relais and towns of the simulated carrier: made up, and the same for the same postal code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from xml.sax.saxutils import escape

import attrs

__all__ = ["Point", "knows", "near", "point", "towns"]

# Real towns, so that a check of postal code and town has something to say; every other postal code is a "COMMUNE".
_TOWNS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("BE", "1000"): ("BRUXELLES",),
    ("BE", "2140"): ("ANTWERPEN",),
    ("DE", "10115"): ("BERLIN",),
    ("ES", "28001"): ("MADRID",),
    ("FR", "13001"): ("MARSEILLE",),
    ("FR", "31000"): ("TOULOUSE",),
    ("FR", "33000"): ("BORDEAUX",),
    ("FR", "35000"): ("RENNES",),
    ("FR", "44000"): ("NANTES",),
    ("FR", "44300"): ("NANTES",),
    ("FR", "59000"): ("LILLE",),
    ("FR", "59650"): ("VILLENEUVE D ASCQ",),
    ("FR", "67000"): ("STRASBOURG",),
    ("FR", "69003"): ("LYON",),
    ("FR", "69100"): ("VILLEURBANNE",),
    ("FR", "73230"): ("BARBY", "CURIENNE", "LES DESERTS", "PUYGROS", "ST ALBAN LEYSSE", "THOIRY", "VEREL PRAGONDRAN"),
    ("FR", "75001"): ("PARIS",),
    ("FR", "75004"): ("PARIS",),
    ("FR", "75010"): ("PARIS",),
    ("NL", "1011"): ("AMSTERDAM",),
    ("PT", "1000-001"): ("LISBOA",),
}
_POSTCODES: Final = {
    "AT": r"[1-9][0-9]{3}",
    "BE": r"[1-9][0-9]{3}",
    "DE": r"[0-9]{5}",
    "ES": r"(0[1-9]|[1-4][0-9]|5[0-2])[0-9]{3}",
    "FR": r"(0[1-9]|[1-8][0-9]|9[0-8])[0-9]{3}",
    "IT": r"[0-9]{5}",
    "LU": r"[1-9][0-9]{3}",
    "NL": r"[1-9][0-9]{3} ?([A-Z]{2})?",
    "PT": r"[1-9][0-9]{3}(-[0-9]{3})?",
}
_SHOPS: Final = (
    "TABAC PRESSE DU CENTRE",
    "EPICERIE DE LA GARE",
    "PRESSING DES HALLES",
    "FLEURS ET JARDIN",
    "COPY SHOP",
)
_STREETS: Final = ("RUE DE LA GARE", "PLACE DU MARCHE", "AVENUE DE LA REPUBLIQUE", "COURS PASTEUR", "RUE DES LILAS")
_DAYS: Final = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")


@attrs.frozen(kw_only=True)
class Point:
    """A Point Relais or a locker."""

    number: str
    name: str
    street: str
    postcode: str
    town: str
    country: str
    latitude: float
    longitude: float
    locker: bool
    distance_m: int | None

    def xml(self, base_url: str) -> str:
        """The point as WSI4_PointRelais_Recherche gives it, texts filled with blanks to their width."""
        link = f"{base_url}/public/permanent/{{}}_relais.aspx?num={self.number}&pays={self.country}"
        information = "<Information>LOCKER</Information>" if self.locker else "<Information />"
        distance = "" if self.distance_m is None else f"<Distance>{self.distance_m}</Distance>"
        return (
            f"<PointRelais_Details><STAT /><Num>{self.number}</Num><LgAdr1>{self.name:<31}</LgAdr1><LgAdr2 />"
            f"<LgAdr3>{self.street:<31}</LgAdr3><LgAdr4 /><CP>{self.postcode}</CP><Ville>{self.town:<26}</Ville>"
            f"<Pays>{self.country}</Pays><Localisation1 /><Localisation2 />"
            f"<Latitude>{_degrees(self.latitude)}</Latitude><Longitude>{_degrees(self.longitude)}</Longitude>"
            f"<TypeActivite>000</TypeActivite>{information}"
            f"{''.join(self._hours(day) for day in _DAYS)}<Informations_Dispo />"
            f"<URL_Photo>{escape(link.format('photo'))}</URL_Photo><URL_Plan>{escape(link.format('plan'))}</URL_Plan>"
            f"{distance}</PointRelais_Details>"
        )

    def _hours(self, day: str) -> str:
        if self.locker:
            times = ("0001", "2359", "0000", "0000")
        elif day == "Dimanche":
            times = ("0000", "0000", "0000", "0000")
        else:
            times = ("0900", "1230", "1400", "1830")
        return f"<Horaires_{day}>{''.join(f'<string>{time}</string>' for time in times)}</Horaires_{day}>"


def knows(country: str, place: str) -> bool:
    """Whether there is such a postal code, or a town of that name."""
    pattern = _POSTCODES.get(country, r"[0-9A-Z \-]{4,8}")
    return bool(re.fullmatch(pattern, place)) or bool(towns(country, "", place))


def towns(country: str, postcode: str, town: str) -> list[tuple[str, str]]:
    """Postal codes and towns that fit, in the order of the postal codes."""
    found = [
        (code, name)
        for (place, code), names in sorted(_TOWNS.items())
        for name in names
        if place == country and (not postcode or code == postcode) and (not town or name.startswith(town.upper()))
    ]
    if not found and postcode and not town and re.fullmatch(_POSTCODES.get(country, "-"), postcode):
        return [(postcode, f"COMMUNE {postcode}")]
    return found


def near(members: Mapping[str, str], count: int) -> list[Point]:
    """Points around the coordinates, the postal code or the town of a search, nearest first."""
    country, postcode = members.get("Pays", ""), members.get("CP", "")
    listed = towns(country, postcode, members.get("Ville", "")) or [(postcode or "00000", "COMMUNE")]
    code, town = listed[0]
    radius_m = int(members.get("RayonRecherche") or 50) * 1000
    seed = _seed(country, code)
    latitude = float((members.get("Latitude") or "0").replace(",", ".")) or 43 + seed % 700 / 100
    longitude = float((members.get("Longitude") or "0").replace(",", ".")) or seed % 800 / 100
    found = [_made(seed + index, code, town, country, latitude, longitude, index) for index in range(count)]
    return [item for item in found if item.distance_m is not None and item.distance_m <= radius_m]


def point(number: str, country: str) -> Point:
    """The point of that number: every number is one."""
    (code, town), *_ = towns(country, "", "") or [("00000", "COMMUNE")]
    made = _made(int(number), code, town, country, 45.0 + int(number) % 500 / 100, 4.0 + int(number) % 300 / 100, 0)
    return attrs.evolve(made, number=number, distance_m=None)


def _made(seed: int, postcode: str, town: str, country: str, latitude: float, longitude: float, index: int) -> Point:
    distance_m = 240 + index * 420 + seed % 90
    return Point(
        number=f"{seed % 1_000_000:06d}",
        name=f"LOCKER {town}"[:31] if index % 3 == 2 else _SHOPS[seed % len(_SHOPS)],
        street=f"{seed % 97 + 1} {_STREETS[seed % len(_STREETS)]}"[:31],
        postcode=postcode,
        town=town[:26],
        country=country,
        latitude=latitude + distance_m / 111_320,
        longitude=longitude,
        locker=index % 3 == 2,
        distance_m=distance_m,
    )


def _seed(country: str, postcode: str) -> int:
    return int.from_bytes(sha256(f"{country}{postcode}".encode()).digest()[:3], "big") % 900_000 + 10_000


def _degrees(value: float) -> str:
    return f"{value:010.7f}".replace(".", ",")
