"""The published description of the service as a judge of envelopes and replies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from lxml import etree

from tests.conftest import ROOT, shared_folder

__all__ = ["MEMBERS", "OURS", "PUBLISHED", "actions", "children", "paths", "valid_reply", "valid_request", "wsdl"]

PUBLISHED = shared_folder() / "specs" / "mondialrelay" / "wsdl" / "Web_Services.asmx.wsdl"
OURS = ROOT / "plugins" / "shipkit-mondialrelay" / "src" / "shipkit_mondialrelay" / "mondialrelay.wsdl"
XS = "{http://www.w3.org/2001/XMLSchema}"

# The operations used, each with what it is signed over: every member of the published order but Security and Texte.
MEMBERS = (
    "WSI2_CreationEtiquette",
    "WSI2_RechercheCP",
    "WSI2_TracingColisDetaille",
    "WSI3_GetEtiquettes",
    "WSI4_PointRelais_Recherche",
)

_NAMES = {
    "s": "http://www.w3.org/2001/XMLSchema",
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
}


@lru_cache(maxsize=2)
def wsdl(path: Path) -> etree._Element:
    return etree.parse(path).getroot()


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    schema = wsdl(PUBLISHED).find(".//s:schema", _NAMES)
    assert schema is not None
    # Written out alone, it declares the prefixes that it uses.
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def actions(path: Path) -> dict[str, str]:
    """Each operation of the SOAP 1.1 binding and its action."""
    found = {}
    for binding in wsdl(path).iterfind("w:binding", _NAMES):
        if binding.find("soap:binding", _NAMES) is not None:
            for operation in binding.iterfind("w:operation", _NAMES):
                action = operation.find("soap:operation", _NAMES)
                assert action is not None
                found[operation.get("name", "")] = action.get("soapAction", "")
    return found


def children(operation: str) -> list[str]:
    """The members of a request in the published order."""
    element = wsdl(PUBLISHED).find(f".//s:schema/s:element[@name='{operation}']", _NAMES)
    assert element is not None
    return [member.get("name", "") for member in element.iter(f"{XS}element") if member is not element]


def _body(content: bytes) -> etree._Element:
    [body] = etree.fromstring(content).findall("{*}Body/*")
    schema = _schema()
    assert schema.validate(etree.fromstring(etree.tostring(body))), str(schema.error_log)
    return body


def valid_request(content: bytes) -> tuple[str, dict[str, str]]:
    """The operation of an envelope whose body the published schema accepts, and its members in their order."""
    body = _body(content)
    return etree.QName(body).localname, {etree.QName(each).localname: each.text or "" for each in body}


def valid_reply(content: bytes) -> str:
    """The operation that a reply answers, whose body the published schema accepts."""
    return etree.QName(_body(content)).localname.removesuffix("Response")


def paths(content: bytes) -> set[str]:
    """Where something stands in a body, without namespaces and counts."""

    def walk(element: etree._Element, at: str) -> Iterator[str]:
        path = f"{at}/{etree.QName(element).localname}"
        yield path
        for child in element:
            yield from walk(child, path)

    return set(walk(_body(content), ""))
