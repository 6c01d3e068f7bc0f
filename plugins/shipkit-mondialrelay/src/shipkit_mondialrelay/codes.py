"""Mondial Relay's codes: what a ``STAT`` says, what a line of the tracing says, what each delivery mode is.

The service documents its members in the Web Service manual (V5.7, 2020-10). What stands here was read where it is
restated in public:

[module]      Mondial Relay's own PrestaShop module 3.4.5, ``classes/services/MondialrelayService*.php``
[module 2]    its predecessor, PrestaShop/PrestaShop-modules ``mondialrelay/errorCode.php`` and ``classes/`` (2014)
[gem]         vinted's Ruby client mondial_relay, ``lib/mondial_relay/*`` (the manual's table of members, with units)
[deliveries]  ecommerce-ventures/deliveries ``lib/deliveries/couriers/mondial_relay/`` (``status_codes.rb``,
              ``shipments/trace/format_response.rb``)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from shipkit.model import Milestone, PageFormat, Reason

__all__ = [
    "ANOMALY",
    "DELIVERED",
    "LABELS",
    "MAPPING_VERSION",
    "REFUSALS",
    "RETURN_SERVICE",
    "SERVICES",
    "STATS",
    "STAT_OK",
    "TEXT_IGNORED",
    "TRACED",
    "TRACING",
    "Service",
    "Verdict",
    "text_code",
]


class Verdict(Enum):
    """What a ``STAT`` other than 0 proves."""

    REFUSED = "refused"  # understood, refused, nothing happened
    CREDENTIALS = "credentials"  # refused because of the account, nothing happened
    UNKNOWN_NUMBER = "unknown_number"
    UNAVAILABLE = "unavailable"
    UNCLEAR = "unclear"  # proves nothing


_R, _C = Verdict.REFUSED, Verdict.CREDENTIALS

STAT_OK: Final = "0"
# [module]: "this error code has no impact": the free text is dropped and the shipment is booked all the same.
TEXT_IGNORED: Final = "60"

# [module] and [deliveries] agree on every code; those marked (2) stand in [module 2] only. 98 is "generic error,
# incorrect parameters" in [module] and "service unavailable" in [module 2], so it proves nothing; neither does 99.
# 80 to 83 are no errors: see TRACED. A code that is not listed proves nothing.
STATS: Final[Mapping[str, tuple[Verdict, str]]] = {
    "1": (_C, "the merchant code is not valid"),
    "2": (_C, "the merchant code is empty or unknown"),
    "3": (_C, "the merchant's account number is not valid"),
    "5": (_R, "the merchant's reference (NDossier) is not valid"),
    "7": (_R, "the customer's reference (NClient) is not valid"),
    "8": (_C, "the password or hash is not valid"),
    "9": (_R, "the town is unknown, or there are several of that name"),
    "10": (_R, "the collection mode is not valid"),
    "11": (_R, "the number of the point of collection is not valid"),
    "12": (_R, "the country of the point of collection is not valid"),
    "13": (_R, "the delivery mode is not valid"),
    "14": (_R, "the number of the point of delivery is not valid"),
    "15": (_R, "the country of the point of delivery is not valid"),
    "16": (_R, "the country is not valid"),  # (2)
    "17": (_R, "the address is not valid"),  # (2)
    "18": (_R, "the town is not valid"),  # (2)
    "19": (_R, "the postal code is not valid"),  # (2)
    "20": (_R, "the weight is not valid"),
    "21": (_R, "the developed length (length + height) is not valid"),
    "22": (_R, "the size is not valid"),
    "24": (Verdict.UNKNOWN_NUMBER, "the shipment number is not valid"),
    "26": (_R, "the assembly time is not valid"),
    "27": (_R, "the collection or delivery mode is not valid"),
    "28": (_R, "the collection mode is not valid"),
    "29": (_R, "the delivery mode is not valid"),
    "30": (_R, "line 1 of an address is not valid"),
    "31": (_R, "line 2 of an address is not valid"),
    "33": (_R, "line 3 of an address is not valid"),
    "34": (_R, "line 4 of an address is not valid"),
    "35": (_R, "the town of an address is not valid"),
    "36": (_R, "the postal code of an address is not valid"),
    "37": (_R, "the country of an address is not valid"),
    "38": (_R, "a phone number is not valid"),
    "39": (_R, "a mail address is not valid"),
    "40": (_R, "members are missing"),
    "41": (_R, "the delivery mode is not valid"),  # (2)
    "42": (_R, "the amount of cash on delivery is not valid"),
    "43": (_R, "the currency of cash on delivery is not valid"),
    "44": (_R, "the value of the shipment is not valid"),
    "45": (_R, "the currency of the shipment's value is not valid"),
    "46": (_R, "the merchant's range of shipment numbers is used up"),
    "47": (_R, "the number of parcels is not valid"),
    "48": (_R, "several parcels are not permitted at a point"),
    "49": (_R, "the action is not valid"),
    "50": (_R, "line 1 of the recipient's address is not valid"),  # (2)
    "51": (_R, "line 2 of the recipient's address is not valid"),  # (2)
    "53": (_R, "line 3 of the recipient's address is not valid"),  # (2)
    "54": (_R, "line 4 of the recipient's address is not valid"),  # (2)
    "55": (_R, "the recipient's town is not valid"),  # (2)
    "56": (_R, "the recipient's postal code is not valid"),  # (2)
    "57": (_R, "the recipient's country is not valid"),  # (2)
    "58": (_R, "the recipient's phone number is not valid"),  # (2)
    "59": (_R, "the recipient's mail address is not valid"),  # (2)
    "61": (_R, "the request to notify is not valid"),
    "62": (_R, "the delivery instructions are not valid"),
    "63": (_R, "the insurance level is not valid"),
    "64": (_R, "the assembly time is not valid"),
    "65": (_R, "the request for an appointment is not valid"),
    "66": (_R, "the request to take back is not valid"),
    "67": (_R, "the latitude is not valid"),
    "68": (_R, "the longitude is not valid"),
    "69": (_C, "the merchant code is not valid"),
    "70": (_R, "the number of the point is not valid"),
    "71": (_R, "the kind of point is not valid"),
    "72": (_R, "the sender's language is not valid"),  # (2)
    "73": (_R, "the recipient's language is not valid"),  # (2)
    "74": (_R, "the language is not valid"),
    "78": (_R, "the country of collection is not valid"),
    "79": (_R, "the country of delivery is not valid"),
    "90": (Verdict.UNAVAILABLE, "the system behind the service is not available"),  # (2)
    "91": (Verdict.UNKNOWN_NUMBER, "the shipment number is not valid"),  # (2)
    "92": (_R, "the point and the recipient are in different countries, or a prepaid account lacks funds"),
    "93": (_R, "the sorting plan has no way: is the point open, does the postal code exist?"),
    "94": (Verdict.UNKNOWN_NUMBER, "the parcel is unknown"),
    "95": (_C, "the merchant's account is not activated"),
    "96": (_C, "the merchant's type is not valid"),  # (2)
    "97": (_C, "the security key is not valid"),
    "98": (Verdict.UNCLEAR, "a generic error"),
    "99": (Verdict.UNCLEAR, "a technical error of the service"),
}

#: Only these prove that nothing was booked.
REFUSALS: Final = frozenset(
    code for code, (verdict, _) in STATS.items() if verdict in (Verdict.REFUSED, Verdict.CREDENTIALS)
)

# [module] MondialrelayServiceTracingColis: the four answers of the tracing; [deliveries] takes 0 for one too.
DELIVERED: Final = "82"
ANOMALY: Final = "83"
TRACED: Final[Mapping[str, str]] = {
    STAT_OK: "",
    "80": "registered",
    "81": "in process at Mondial Relay",
    DELIVERED: "delivered",
    ANOMALY: "anomaly",
}


class Service(NamedTuple):
    """A delivery mode (``ModeLiv``): whether it ends at a point, and the heaviest parcel it takes."""

    name: str
    to_point: bool
    weight_max_g: int | None = None


# Codes: the pattern of ModeLiv. Names: [module] MondialrelayCarrierMethod, [module 2] AdminMondialRelay. Weights: the
# ranges that [module] sets up (24R, HOM) and those of [module 2] (LD1, LDS, DRI). LCC takes goods back to the merchant:
# public code pairs it with a hand-over at a point (akretion/roulier README). Not listed: 24L and 24X, deleted from the
# manual (V5.4, V5.7), and ESP, of which no source says what it is.
SERVICES: Final[Mapping[str, Service]] = {
    "24R": Service("Point Relais and locker", to_point=True, weight_max_g=25_000),
    "DRI": Service("Colis Drive", to_point=True, weight_max_g=130_000),
    "HOM": Service("Home delivery", to_point=False, weight_max_g=30_000),
    "LD1": Service("Home delivery, one person", to_point=False, weight_max_g=60_000),
    "LDS": Service("Special home delivery, two persons", to_point=False, weight_max_g=130_000),
    "LCC": Service("To the merchant", to_point=False),
}
RETURN_SERVICE: Final = "LCC"

#: The member of WSI3_GetEtiquettes for each size; the first is what WSI2_CreationEtiquette links to ([gem]).
LABELS: Final[Mapping[PageFormat, str]] = {
    PageFormat.A4: "URL_PDF_A4",
    PageFormat.A5: "URL_PDF_A5",
    PageFormat.CM_10X15: "URL_PDF_10x15",
}

# Which state of the table below decided a mapping: year and month of its last change.
MAPPING_VERSION: Final = "mondialrelay-2026.11"

# The tracing has no codes, only texts (30 characters at most, in the language asked for); the plugin asks in French.
# French and Spanish texts: [deliveries] (confidence: public-code); "disponible au point relais" and "colis livre" also
# in another public program. Left unmapped: "prise en charge point relais" and "recepcionado en el punto pack" (a
# drop-off or an arrival?), "recogido en agencia punto pack", "liquidado en ensena".
TRACING: Final[Mapping[str, tuple[Milestone, Reason]]] = {
    "reception des donnees": (Milestone.ANNOUNCED, Reason.DATA_RECEIVED),
    "prise en charge en agence": (Milestone.IN_TRANSIT, Reason.PROCESSED_AT_FACILITY),
    "colis remis au livreur": (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    "disponible au point relais": (Milestone.READY_FOR_PICKUP, Reason.AWAITING_COLLECTION),
    "colis livre": (Milestone.DELIVERED, Reason.DELIVERED),
    "recogido en el hub": (Milestone.IN_TRANSIT, Reason.PROCESSED_AT_FACILITY),
    "en reparto": (Milestone.OUT_FOR_DELIVERY, Reason.LOADED_FOR_DELIVERY),
    "disponible en el punto pack": (Milestone.READY_FOR_PICKUP, Reason.AWAITING_COLLECTION),
    "paquete entregado al destinata": (Milestone.DELIVERED, Reason.DELIVERED),
}

_DIGITS: Final = re.compile(r"\d+")


def text_code(text: str) -> str:
    """The code of a line that is only text: case folded, without accents, digits and double blanks."""
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()
    return " ".join(_DIGITS.sub("", plain).split())
