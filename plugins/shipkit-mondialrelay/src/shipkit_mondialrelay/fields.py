"""What Mondial Relay's text members take: characters, widths, and how a party is laid out in four lines.

The patterns are those of the Web Service manual, read where Mondial Relay's own PrestaShop module 3.4.5 restates them
(``classes/services/MondialrelayServiceCreationEtiquette.php``); postal codes by country: the manual's table of V5.6,
restated by cba85/php-mondialrelay-webservice ``src/Parameters/PostalCode.php``. That module also puts texts in upper
case and takes accents off (``MondialrelayTools::remove_accents``); so do we, and what then does not fit is refused.
Recorded traffic shows small letters accepted; the patterns do not allow them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from shipkit.constraints.wrapping import rewrapped
from shipkit.model import Address, Contact, Party, Problem, ProblemCode

__all__ = [
    "INSTRUCTIONS_MAX",
    "LINE",
    "LINE_MAX",
    "MAIL_MAX",
    "POINT",
    "REFERENCE",
    "REFERENCE_MAX",
    "TOWN",
    "TOWN_MAX",
    "Sheet",
    "language",
    "printed",
]

LINE_MAX: Final = 32
TOWN_MAX: Final = 26
MAIL_MAX: Final = 70
REFERENCE_MAX: Final = 15
INSTRUCTIONS_MAX: Final = 31

LINE: Final = re.compile(r"[0-9A-Z_\-'., /]*")
POINT: Final = re.compile(r"[0-9]{6}")
REFERENCE: Final = re.compile(r"[0-9A-Z_ \-]*")
TOWN: Final = re.compile(r"[0-9A-Z_\-' ]*")
_SPACING: Final = re.compile(r"\(0\)|[ .\-/()\u00a0]")  # +33 (0)6 12 is +33612
_PHONE: Final = re.compile(r"((00|\+)[1-9]{2}|0)[0-9][0-9]{7,11}")
_MAIL: Final = re.compile(r"[0-9A-Za-z_\-.@]{7,70}")
_POSTCODES: Final[Mapping[str, re.Pattern[str]]] = {
    country: re.compile(pattern)
    for country, pattern in {
        "AT": r"[0-9]{4}",
        "BE": r"[0-9]{4}",
        "DE": r"[0-9]{5}",
        "ES": r"[0-9]{5}",
        "FR": r"[0-9]{5}",
        "GB": r"\w{1,2}?\d\w{0,2} ?\w{3}",
        "IE": r"[0-9A-Z ]{0,10}",
        "IT": r"[0-9]{5}",
        "LU": r"[0-9]{4,5}",  # the manual says five digits; Luxembourg's postal codes have four
        "MC": r"[0-9]{5}",
        "NL": r"[0-9 A-Z]{4,7}",
        "PT": r"[0-9]{4}(-[0-9]{3})?",
    }.items()
}

# What decomposition does not take apart; as in MondialrelayTools::remove_accents, but that sharp s becomes two.
_LETTERS: Final = str.maketrans(
    {"Œ": "OE", "œ": "OE", "Æ": "AE", "æ": "AE", "Ø": "O", "ø": "O", "Ð": "D", "ð": "D", "Đ": "D", "đ": "D"}
    | {"Þ": "TH", "þ": "TH", "Ł": "L", "ł": "L", "Ħ": "H", "ħ": "H", "Ŧ": "T", "ŧ": "T", "ı": "I", "ẞ": "SS"}
    | {"’": "'", "‘": "'", "‐": "-", "‑": "-", "–": "-"}
)
_LANGUAGES: Final = frozenset({"FR", "ES", "NL", "EN"})
_COUNTRY_LANGUAGES: Final[Mapping[str, str]] = {"FR": "FR", "BE": "FR", "ES": "ES", "NL": "NL"}


def printed(text: str) -> str:
    """*text* in capitals, without accents and double blanks: the same letters, as the carrier prints them."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.upper().split())


def language(contact: Contact | None, country: str) -> str:
    """One of the four languages that the carrier writes to people in: theirs, else their country's, else English."""
    wanted = (contact.language or "").partition("-")[0].upper() if contact else ""
    return wanted if wanted in _LANGUAGES else _COUNTRY_LANGUAGES.get(country, "EN")


@attrs.define
class Sheet:
    """Texts on their way into members, and what is wrong with them; nothing is cut, so nothing goes while it is."""

    problems: list[Problem] = attrs.Factory(list)

    def refuse(self, path: str, code: ProblemCode, text: str, limit: str = "") -> None:
        """Note that *path* cannot go."""
        self.problems.append(Problem(path=path, code=code, text=text, limit=limit or None))

    def text(self, value: str | None, path: str, *, most: int, least: int = 0, allowed: re.Pattern[str] = LINE) -> str:
        """*value* as the carrier prints it."""
        text = printed(value or "")
        if not text and least:
            self.refuse(path, ProblemCode.MISSING, "is needed here")
        elif len(text) < least:
            self.refuse(path, ProblemCode.TOO_SHORT, f"needs at least {least} characters", str(least))
        elif len(text) > most:
            self.refuse(path, ProblemCode.TOO_LONG, f"takes at most {most} characters", str(most))
        if not allowed.fullmatch(text):
            self.refuse(path, ProblemCode.BAD_CHARACTERS, f"has a character that cannot be printed ({allowed.pattern})")
        return text

    def party(self, party: Party, path: str, *, phone_needed: bool = False) -> dict[str, str]:
        """The members that describe *party*, without their prefix, in the order of the interface."""
        address, contact = party.address, party.contact
        if address is None:
            self.refuse(f"{path}/address", ProblemCode.MISSING, "an address is needed here")
            return {}
        ad1, ad2 = self._name(contact, path)
        lines = self._lines(address.lines, f"{path}/address/lines", spare=not ad2)
        return {
            "Langage": language(contact, address.country),
            "Ad1": ad1,
            "Ad2": ad2 or lines[0],
            "Ad3": lines[1],
            "Ad4": lines[2],
            "Ville": self.text(address.city, f"{path}/address/city", most=TOWN_MAX, least=2, allowed=TOWN),
            "CP": self.postcode(address, f"{path}/address/postal_code"),
            "Pays": address.country,
            "Tel1": self._phone(contact, f"{path}/contact/phone", needed=phone_needed),
            "Tel2": "",
            "Mail": self._mail(contact, f"{path}/contact/email"),
        }

    def postcode(self, address: Address, path: str) -> str:
        """The postal code, by the rule of its country where the manual has one."""
        code = " ".join((address.postal_code or "").upper().split())
        pattern = _POSTCODES.get(address.country)
        if not code:
            self.refuse(path, ProblemCode.MISSING, "a postal code is needed here")
        elif pattern and not pattern.fullmatch(code):
            self.refuse(path, ProblemCode.MALFORMED, f"is no postal code of {address.country} ({pattern.pattern})")
        return code

    def _name(self, contact: Contact | None, path: str) -> tuple[str, str]:
        """The members Ad1 and Ad2: name and company, or the one of them in as many lines as it needs."""
        name, company = (contact.name or "", contact.company or "") if contact else ("", "")
        if name and company:
            second = self.text(company, f"{path}/contact/company", most=LINE_MAX)
            return self.text(name, f"{path}/contact/name", most=LINE_MAX, least=2), second
        here = f"{path}/contact/{'company' if company else 'name'}"
        text = self.text(name or company, here, most=2 * LINE_MAX, least=2)
        wrapped = rewrapped([text], LINE_MAX, 2)
        if wrapped is None and len(text) <= 2 * LINE_MAX:
            self.refuse(here, ProblemCode.TOO_LONG, f"goes into 2 lines of {LINE_MAX} characters", f"2 x {LINE_MAX}")
        first, second = (*(wrapped or ("",)), "")[:2]
        return first, second

    def _lines(self, lines: Sequence[str], path: str, *, spare: bool) -> tuple[str, str, str]:
        """*lines* wrapped into the members Ad3 and Ad4, and Ad2 where no name stands in it."""
        for index, line in enumerate(lines):
            self.text(line, f"{path}/{index}", most=LINE_MAX * 3)
        room = 3 if spare else 2
        wrapped = rewrapped([text for line in lines if (text := printed(line))], LINE_MAX, room)
        if wrapped is None:
            limit = f"{room} x {LINE_MAX}"
            self.refuse(path, ProblemCode.TOO_LONG, f"goes into {room} lines of {LINE_MAX} characters", limit)
            return "", "", ""
        if not wrapped or len(wrapped[0]) < 2:
            code = ProblemCode.TOO_SHORT if wrapped else ProblemCode.MISSING
            self.refuse(path, code, "the street needs at least 2 characters", "2")
        ad2, ad3, ad4 = (*(("",) if len(wrapped) < 3 else ()), *wrapped, "", "")[:3]
        return ad2, ad3, ad4

    def _phone(self, contact: Contact | None, path: str, *, needed: bool) -> str:
        number = _SPACING.sub("", (contact.phone or "") if contact else "")
        if not number and needed:
            self.refuse(path, ProblemCode.MISSING, "a phone number is needed here")
        elif number and not _PHONE.fullmatch(number):
            self.refuse(path, ProblemCode.MALFORMED, "is no number such as +33612345678 or 0612345678")
        return number

    def _mail(self, contact: Contact | None, path: str) -> str:
        mail = (contact.email or "").strip() if contact else ""
        if mail and not _MAIL.fullmatch(mail):
            self.refuse(path, ProblemCode.MALFORMED, f"takes 7 to {MAIL_MAX} of letters, digits, and - . _ @")
        return mail
