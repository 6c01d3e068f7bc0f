"""Mondial Relay on loopback: the same envelopes, the same codes inside HTTP 200, labels behind the same kind of link.

It looks at the security key as the carrier does, keeps bookings, moves parcels on the virtual clock and tells of them
in the carrier's French texts. It knows the merchant of the carrier's public test contract; `MERCHANTS` is a copy that
a test may add to. What stands behind a point is made up, the same for the same postal code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import md5
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from shipkit.simulator import Booking, Call, Dialect, NotInBooksError, Parcel, Reply, Step, StepKind, World, route
from shipkit.simulator.labels import LabelFields, Size
from shipkit.simulator.labels.pdf import render

from .codes import SERVICES, TEXT_IGNORED
from .simulated_places import Point, knows, near, point, towns

__all__ = ["MERCHANTS", "MondialRelayDialect"]

# The test contract that Mondial Relay publishes for everybody.
MERCHANTS: Final[Mapping[str, str]] = {"BDTEST13": "PrivateK"}

_NAMESPACE: Final = "http://www.mondialrelay.fr/webservice/"
_PATH: Final = "/Web_Services.asmx"
_LABEL_PATH: Final = "/ww2/PDF/StickerMaker2.aspx"
_SOAP_11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12: Final = "http://www.w3.org/2003/05/soap-envelope"
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{}"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
    "<soap:Body>{}</soap:Body></soap:Envelope>"
)
_POINT: Final = re.compile(r"[0-9]{6}")
_SIZES: Final = {"A4": Size(210, 297), "A5": Size(148, 210), "10x15": Size(100, 150)}
_PRICES: Final = {"24R": Decimal("4.40"), "HOM": Decimal("6.90"), "LCC": Decimal("5.10")}  # invented
_TRACING_ROWS: Final = 10  # the carrier fills its table up with empty rows

_LINE: Final = r"[0-9A-Za-z_\-'., /]"
_PHONE: Final = r"(((00|\+)[1-9]{2}|0)[0-9][0-9]{7,11})?"
_COUNTRY: Final = r"[A-Z]{2}"
_PARTY: Final = (
    ("Langage", r"FR|ES|NL|EN", "74"),
    ("Ad1", rf"{_LINE}{{2,32}}", "30"),
    ("Ad2", rf"{_LINE}{{0,32}}", "31"),
    ("Ad3", rf"{_LINE}{{2,32}}", "33"),
    ("Ad4", rf"{_LINE}{{0,32}}", "34"),
    ("Ville", r"[0-9A-Za-z_\-' ]{2,26}", "35"),
    ("CP", r"[0-9A-Za-z\- ]{4,8}", "36"),
    ("Pays", _COUNTRY, "37"),
    ("Tel1", _PHONE, "38"),
    ("Tel2", _PHONE, "38"),
    ("Mail", r"([\w\-.@]{7,70})?", "39"),
)
# What WSI2_CreationEtiquette looks at, in this order, and the STAT it answers with. Small letters pass, as they do in
# recorded traffic.
_RULES: Final = (
    ("ModeCol", r"CCC|CDR|CDS|REL", "28"),
    ("ModeLiv", "|".join(SERVICES), "29"),
    ("NDossier", r"[0-9A-Za-z_ \-]{0,15}", "5"),
    ("NClient", r"[0-9A-Za-z]{0,9}", "7"),
    *((f"Expe_{name}", pattern, stat) for name, pattern, stat in _PARTY),
    *((f"Dest_{name}", pattern, stat) for name, pattern, stat in _PARTY),
    ("Expe_Tel1", r".+", "38"),
    ("Poids", r"1[5-9]|[2-9][0-9]|[0-9]{3,7}", "20"),
    ("Longueur", r"[0-9]{0,3}", "21"),
    ("Taille", r"(XS|S|M|L|XL|XXL|3XL)?", "22"),
    ("NbColis", r"[0-9]{1,2}", "47"),
    ("CRT_Valeur", r"[0-9]{1,7}", "42"),
    ("CRT_Devise", r"(EUR)?", "43"),
    ("Exp_Valeur", r"[0-9]{0,7}", "44"),
    ("Exp_Devise", r"(EUR)?", "45"),
    ("COL_Rel_Pays", rf"({_COUNTRY}|XX)?", "12"),
    ("COL_Rel", r"([0-9]{6}|AUTO)?", "11"),
    ("LIV_Rel_Pays", rf"({_COUNTRY})?", "15"),
    ("LIV_Rel", r"([0-9]{6})?", "14"),
    ("TAvisage", r"[ON]?", "61"),
    ("TReprise", r"[ON]?", "66"),
    ("Montage", r"[0-9]{0,3}", "64"),
    ("TRDV", r"[ON]?", "65"),
    ("Assurance", r"[0-9A-Z]?", "63"),
    ("Instructions", rf"{_LINE}{{0,31}}", "62"),
)
# What WSI4_PointRelais_Recherche looks at; no source says which STAT a wrong number of results or a wrong radius gets.
_SEARCH_RULES: Final = (
    ("Pays", _COUNTRY, "16"),
    ("Latitude", r"(-?[0-9]{1,3}[.,][0-9]+)?", "67"),
    ("Longitude", r"(-?[0-9]{1,3}[.,][0-9]+)?", "68"),
    ("NombreResultats", r"[0-9]{0,2}", "40"),
    ("RayonRecherche", r"[0-9]{0,4}", "40"),
)
# Only texts that a source has (`codes.TRACING`); a step without one leaves no line.
_TEXTS: Final = {
    StepKind.ANNOUNCED: "RÉCEPTION DES DONNÉES",
    StepKind.ACCEPTED: "PRISE EN CHARGE EN AGENCE",
    StepKind.ARRIVED: "PRISE EN CHARGE EN AGENCE",
    StepKind.OUT_FOR_DELIVERY: "COLIS REMIS AU LIVREUR",
    StepKind.READY_FOR_PICKUP: "DISPONIBLE AU POINT RELAIS",
    StepKind.DELIVERED: "COLIS LIVRÉ",
    StepKind.COLLECTED: "COLIS LIVRÉ",
    StepKind.UNEXPLAINED: "PRISE EN CHARGE POINT RELAIS",  # a drop-off or an arrival: no source says
}
_ANOMALIES: Final = frozenset(
    {
        *(StepKind.EXCEPTION, StepKind.CUSTOMS_HELD, StepKind.REFUSED),
        *(StepKind.RETURNING, StepKind.RETURNED, StepKind.LOST),
    }
)

_Members = Mapping[str, str]


class MondialRelayDialect(Dialect):
    """Mondial Relay's side of the conversation."""

    code = "mondialrelay"

    def __init__(self, world: World | None = None) -> None:
        super().__init__(world)
        self.merchants = dict(MERCHANTS)

    def operation_of(self, call: Call) -> str:
        return call.soap_operation()

    def reference_of(self, call: Call) -> str:
        return _members(call).get("NDossier", "")

    @route("POST", _PATH, operation="WSI2_CreationEtiquette", purchase=True)
    def create(self, call: Call) -> Reply:
        members = _members(call)
        if stat := self._stranger(members) or _refusal(members):
            return _result(call, f"<STAT>{stat}</STAT>")
        number = str(self.world.next("expedition", start=50_000_000))
        to_point = SERVICES[members["ModeLiv"]].to_point
        booking = self.world.book(
            booking_id=number,
            numbers=[number],
            service=members["ModeLiv"],
            reference=members.get("NDossier", ""),
            account=members["Enseigne"],
            price=_PRICES.get(members["ModeLiv"], Decimal("9.90")),
            journeys=("pickup_point",) if to_point and self.world.journeys == ("delivered",) else (),
            raw=call.body,
            details={"members": members},
        )
        stat = "0" if _text_fits(members) else TEXT_IGNORED
        link = self._link(booking, "A4")
        return _result(
            call,
            f"<STAT>{stat}</STAT><ExpeditionNum>{number}</ExpeditionNum><URL_Etiquette>{link}</URL_Etiquette>",
        )

    @route("POST", _PATH, operation="WSI3_GetEtiquettes")
    def labels(self, call: Call) -> Reply:
        members = _members(call)
        if stat := self._stranger(members) or _no_language(members):
            return _result(call, f"<STAT>{stat}</STAT>")
        numbers = members.get("Expeditions", "").split(";")
        try:
            bookings = [self.world.by_number(number) for number in numbers]
        except NotInBooksError:
            return _result(call, "<STAT>24</STAT>")
        links = {size: self._link(bookings[0], size, numbers) for size in _SIZES}
        rows = "".join(f"<URL_PDF_{size}>{link}</URL_PDF_{size}>" for size, link in links.items())
        return _result(call, f"<STAT>0</STAT>{rows}")

    @route("GET", _LABEL_PATH, operation="label")
    def label(self, call: Call) -> Reply:
        query = call.query
        numbers = query.get("expedition", "").split(";")
        bookings = [self.world.by_number(number) for number in numbers]
        size = query.get("format", "")
        if size not in _SIZES or query.get("crc") != self._crc(bookings[0], numbers):
            return self.failure(404, call)
        for booking in bookings:
            self.world.issue_label(booking.id)
        sheets = [_sheet(booking) for booking in bookings]
        return Reply.raw(render("PDF", sheets, 203, _SIZES[size]), "application/pdf")

    @route("POST", _PATH, operation="WSI4_PointRelais_Recherche")
    def points(self, call: Call) -> Reply:
        members = _members(call)
        country, number = members.get("Pays", ""), members.get("NumPointRelais", "")
        found: Sequence[Point] = []
        if stat := self._stranger(members) or _search_refusal(members):
            return _result(call, f"<STAT>{stat}</STAT>")
        if number:
            found = [point(number, country)] if _POINT.fullmatch(number) else []
            stat = "0" if found else "70"
        else:
            found = near(members, count=min(30, int(members.get("NombreResultats") or 18)))
            stat = _unknown_place(members)
        rows = "".join(item.xml(call.base_url) for item in found) if stat == "0" else ""
        return _result(
            call, f"<STAT>{stat}</STAT><PointsRelais>{rows}</PointsRelais>" if rows else f"<STAT>{stat}</STAT>"
        )

    @route("POST", _PATH, operation="WSI2_RechercheCP")
    def postcodes(self, call: Call) -> Reply:
        members = _members(call)
        if stat := self._stranger(members) or (
            "" if re.fullmatch(r"[0-9]{0,2}", members.get("NbResult", "")) else "40"
        ):
            return _result(call, f"<STAT>{stat}</STAT>")
        country = members.get("Pays", "")
        found = towns(country, members.get("CP", ""), members.get("Ville", ""))
        rows = "".join(
            f"<Commune><CP>{cp}</CP><Ville>{town}</Ville><Pays>{country}</Pays></Commune>"
            for cp, town in found[: int(members.get("NbResult") or 15)]
        )
        return _result(call, f"<STAT>0</STAT><Liste>{rows}</Liste>" if rows else "<STAT>9</STAT>")

    @route("POST", _PATH, operation="WSI2_TracingColisDetaille")
    def trace(self, call: Call) -> Reply:
        members = _members(call)
        number = members.get("Expedition", "")
        if stat := self._stranger(members) or _no_language(members):
            return _result(call, f"<STAT>{stat}</STAT>")
        if not re.fullmatch(r"[0-9]{8}", number):
            return _result(call, "<STAT>24</STAT>")
        try:
            parcel = self.world.parcel(number)
        except NotInBooksError:
            return _result(call, "<STAT>94</STAT>")
        return _result(call, _tracing(parcel, self.world.by_number(number)))

    @route("GET", _PATH, operation="wsdl")
    def wsdl(self, call: Call) -> Reply:
        text = files("shipkit_mondialrelay").joinpath("mondialrelay.wsdl").read_text("utf-8")
        return Reply.xml(text.replace("https://api.mondialrelay.com/", f"{call.base_url}/"))

    def failure(self, status: int, call: Call) -> Reply:
        """A Fault where the service itself fails, else a page of what stands before it."""
        if status == 500:
            fault = "<faultcode>soap:Server</faultcode><faultstring>Server was unable to process request.</faultstring>"
            return Reply.xml(_ENVELOPE.format(_SOAP_11, f"<soap:Fault>{fault}<detail /></soap:Fault>"), 500)
        return Reply.html(f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>", status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        return _result(call, f"<STAT>{'99' if committed else '93'}</STAT>")

    def unauthorised(self, call: Call) -> Reply:
        return _result(call, "<STAT>97</STAT>")

    def _stranger(self, members: _Members) -> str:
        """The STAT for a merchant or a key that is not right; empty when both are."""
        merchant = members.get("Enseigne", "")
        if not merchant:
            return "2"
        private_key = self.merchants.get(merchant.strip())
        if private_key is None:
            return "1"
        signed = "".join(value for name, value in members.items() if name not in ("Security", "Texte"))
        return "" if members.get("Security") == _md5(signed + private_key) else "97"

    def _link(self, booking: Booking, size: str, numbers: Sequence[str] = ()) -> str:
        numbers = numbers or booking.numbers
        language = booking.details["members"].get("Dest_Langage", "FR")
        query = {"ens": f"{booking.account.strip()}11", "expedition": ";".join(numbers), "lg": language, "format": size}
        return escape(f"{_LABEL_PATH}?{urlencode({**query, 'crc': self._crc(booking, numbers)}, safe=';')}")

    def _crc(self, booking: Booking, numbers: Sequence[str]) -> str:
        return _md5(f"{booking.account}{';'.join(numbers)}{self.merchants.get(booking.account.strip(), '')}")


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _members(call: Call) -> dict[str, str]:
    """The members of the operation in the order in which they came."""
    body = next((part for part in call.xml() if part.tag.endswith("}Body")), ET.Element("none"))
    return {item.tag.rpartition("}")[2]: item.text or "" for item in (body[0] if len(body) else ())}


def _result(call: Call, content: str) -> Reply:
    """The reply of the call's operation, in the version of SOAP in which it was asked."""
    name = call.soap_operation()
    version = _SOAP_12 if call.xml().tag.startswith(f"{{{_SOAP_12}}}") else _SOAP_11
    inner = f"<{name}Result>{content}</{name}Result>"
    reply = _ENVELOPE.format(version, f'<{name}Response xmlns="{_NAMESPACE}">{inner}</{name}Response>')
    media_type = "application/soap+xml; charset=utf-8" if version == _SOAP_12 else "text/xml; charset=utf-8"
    headers = {"Cache-Control": "private, max-age=0", "X-AspNet-Version": "4.0.30319"}
    return Reply.raw(reply.encode(), media_type, headers=headers)


def _refusal(members: _Members) -> str:
    """The STAT of the first member that is not valid; empty when all are."""
    for name, pattern, stat in _RULES:
        if not re.fullmatch(pattern, members.get(name, "")):
            return stat
    to_point = SERVICES[members["ModeLiv"]].to_point
    if to_point and not members.get("LIV_Rel"):
        return "14"
    if members["ModeCol"] == "REL" and not members.get("COL_Rel"):
        return "11"
    if to_point and int(members["NbColis"]) > 1:
        return "48"
    if to_point and members.get("LIV_Rel_Pays") != members["Dest_Pays"]:
        return "92"
    return "" if knows(members["Dest_Pays"], members["Dest_CP"]) else "93"


def _search_refusal(members: _Members) -> str:
    return next((stat for name, pattern, stat in _SEARCH_RULES if not re.fullmatch(pattern, members.get(name, ""))), "")


def _unknown_place(members: _Members) -> str:
    """The STAT of a search for a place; 0 where there is one."""
    place = members.get("CP", "") or members.get("Ville", "")
    if members.get("Latitude") and members.get("Longitude"):
        return "0"
    if not place:
        return "40"
    return "0" if knows(members["Pays"], place) else "9"


def _no_language(members: _Members) -> str:
    return "" if members.get("Langue") in ("FR", "ES", "NL", "EN") else "74"


def _text_fits(members: _Members) -> bool:
    text = members.get("Texte", "")
    return not text or bool(re.fullmatch(r"[^<>&']{3,30}(\(cr\)[^<>&']{0,30}){0,9}", text))


def _sheet(booking: Booking) -> LabelFields:
    members = booking.details["members"]

    def party(prefix: str) -> tuple[str, ...]:
        lines = [members.get(f"{prefix}_Ad{line}", "") for line in range(1, 5)]
        town = f"{members.get(f'{prefix}_CP', '')} {members.get(f'{prefix}_Ville', '')}"
        return tuple(line for line in [*lines, town, members.get(f"{prefix}_Pays", "")] if line)

    delivered_to = members.get("LIV_Rel", "")
    return LabelFields(
        carrier="Mondial Relay",
        service=booking.service,
        number=booking.numbers[0],
        reference=booking.reference,
        ship_from=party("Expe"),
        ship_to=party("Dest"),
        weight=f"{members.get('Poids', '')} g",
        extra=(f"POINT RELAIS {delivered_to}",) if delivered_to else (),
    )


def _tracing(parcel: Parcel, booking: Booking) -> str:
    members, steps = booking.details["members"], parcel.steps_until_now()
    told = [step for step in steps if step.kind in _TEXTS]
    last = steps[-1].kind if steps else StepKind.ANNOUNCED
    stat = "80" if last is StepKind.ANNOUNCED else "81"
    if any(step.kind in (StepKind.DELIVERED, StepKind.COLLECTED) for step in steps):
        stat = "82"
    elif last in _ANOMALIES:
        stat = "83"
    relay = members.get("LIV_Rel", "")
    rows = [_row(step, members) for step in told]
    rows += [_row_xml() for _ in range(_TRACING_ROWS - len(rows))]
    return "".join(
        (
            f"<STAT>{stat}</STAT>",
            _element("Libelle01", "COLIS PRIS EN CHARGE" if stat == "81" else ""),
            _element("Relais_Libelle", members.get("Dest_Ville", "") if relay else ""),
            _element("Relais_Num", relay),
            _element("Libelle02", ""),
            f"<Tracing>{''.join(rows)}</Tracing>",
        )
    )


def _row(step: Step, members: _Members) -> str:
    at = _in_paris(step.at)
    side = "Expe" if step.place.value in ("sender", "origin_depot") else "Dest"
    at_point = step.place.value == "service_point"
    return _row_xml(
        _TEXTS[step.kind],
        f"{at:%d/%m/%y}",
        f"{at:%H:%M}",
        "" if step.kind is StepKind.ANNOUNCED else members.get(f"{side}_Ville", "").upper(),
        members.get("LIV_Rel", "") if at_point else "",
        members.get("LIV_Rel_Pays", "") if at_point else "",
    )


def _in_paris(at: datetime) -> datetime:
    """Local time in France, without a zone data base: summer time from the last Sunday of March to that of October."""
    spring, autumn = (_last_sunday(at, month) for month in (3, 10))
    return at + timedelta(hours=2 if spring <= at < autumn else 1)


def _last_sunday(at: datetime, month: int) -> datetime:
    last = at.replace(month=month, day=31, hour=1, minute=0, second=0, microsecond=0)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def _row_xml(*values: str) -> str:
    names = ("Libelle", "Date", "Heure", "Emplacement", "Relais_Num", "Relais_Pays")
    cells = "".join(_element(name, value) for name, value in zip(names, values or [""] * 6, strict=True))
    return f"<ret_WSI2_sub_TracingColisDetaille>{cells}</ret_WSI2_sub_TracingColisDetaille>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else f"<{name} />"
