"""Points Relais and towns of the simulated carrier: made up, and the same for the same postal code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from xml.sax.saxutils import escape

import attrs

__all__ = ["Point", "knows", "near", "point", "towns"]

# Real towns and where they lie, so that a check of postal code and town has something to say; every other postal code
# is a "COMMUNE" somewhere.
_TOWNS: Final[Mapping[tuple[str, str], tuple[float, float, tuple[str, ...]]]] = {
    ("BE", "1000"): (50.85, 4.35, ("BRUXELLES",)),
    ("BE", "2140"): (51.21, 4.44, ("ANTWERPEN",)),
    ("DE", "10115"): (52.53, 13.38, ("BERLIN",)),
    ("ES", "28001"): (40.42, -3.69, ("MADRID",)),
    ("FR", "13001"): (43.30, 5.38, ("MARSEILLE",)),
    ("FR", "31000"): (43.60, 1.44, ("TOULOUSE",)),
    ("FR", "33000"): (44.84, -0.58, ("BORDEAUX",)),
    ("FR", "35000"): (48.11, -1.68, ("RENNES",)),
    ("FR", "44000"): (47.22, -1.55, ("NANTES",)),
    ("FR", "44300"): (47.26, -1.53, ("NANTES",)),
    ("FR", "59000"): (50.63, 3.06, ("LILLE",)),
    ("FR", "59650"): (50.62, 3.14, ("VILLENEUVE D ASCQ",)),
    ("FR", "67000"): (48.58, 7.75, ("STRASBOURG",)),
    ("FR", "69003"): (45.76, 4.86, ("LYON",)),
    ("FR", "69100"): (45.77, 4.88, ("VILLEURBANNE",)),
    ("FR", "73230"): (
        45.58,
        5.97,
        (
            "BARBY",
            "CURIENNE",
            "LES DESERTS",
            "PUYGROS",
            "ST ALBAN LEYSSE",
            "THOIRY",
            "VEREL PRAGONDRAN",
        ),
    ),
    ("FR", "75001"): (48.86, 2.34, ("PARIS",)),
    ("FR", "75004"): (48.85, 2.36, ("PARIS",)),
    ("FR", "75010"): (48.87, 2.36, ("PARIS",)),
    ("NL", "1011"): (52.37, 4.90, ("AMSTERDAM",)),
    ("PT", "1000-001"): (38.74, -9.13, ("LISBOA",)),
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

_HOLIDAYS: Final = (
    "<Informations_Dispo><Periode><Debut>2027-08-02T00:00:00</Debut><Fin>2027-08-21T00:00:00</Fin></Periode>"
    "</Informations_Dispo>"
)


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
    closed_in_august: bool

    def xml(self, base_url: str) -> str:
        """The point as WSI4_PointRelais_Recherche gives it, texts filled with blanks to their width."""
        link = f"{base_url}/public/permanent/{{}}_relais.aspx?num={self.number}&pays={self.country}"
        closures = _HOLIDAYS if self.closed_in_august else "<Informations_Dispo />"
        information = "<Information>LOCKER</Information>" if self.locker else "<Information />"
        distance = "" if self.distance_m is None else f"<Distance>{self.distance_m}</Distance>"
        return (
            f"<PointRelais_Details><STAT /><Num>{self.number}</Num><LgAdr1>{self.name:<31}</LgAdr1><LgAdr2 />"
            f"<LgAdr3>{self.street:<31}</LgAdr3><LgAdr4 /><CP>{self.postcode}</CP><Ville>{self.town:<26}</Ville>"
            f"<Pays>{self.country}</Pays><Localisation1 /><Localisation2 />"
            f"<Latitude>{_degrees(self.latitude)}</Latitude><Longitude>{_degrees(self.longitude)}</Longitude>"
            f"<TypeActivite>000</TypeActivite>{information}"
            f"{''.join(self._hours(day) for day in _DAYS)}{closures}"
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
        for (place, code), (_, _, names) in sorted(_TOWNS.items())
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
    latitude, longitude, _ = _TOWNS.get((country, code), (43 + seed % 700 / 100, seed % 800 / 100, ()))
    if members.get("Latitude") and members.get("Longitude"):
        latitude, longitude = (float(members[name].replace(",", ".")) for name in ("Latitude", "Longitude"))
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
        closed_in_august=index % 4 == 3,
    )


def _seed(country: str, postcode: str) -> int:
    return int.from_bytes(sha256(f"{country}{postcode}".encode()).digest()[:3], "big") % 900_000 + 10_000


def _degrees(value: float) -> str:
    return f"{value:010.7f}".replace(".", ",")
