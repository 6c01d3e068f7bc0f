"""The published description of the service as a judge of envelopes and replies."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lxml import etree

from tests.conftest import shared_folder

__all__ = ["OURS", "PUBLISHED", "operations", "valid_body", "valid_request", "wsdl"]

PUBLISHED = shared_folder() / "specs" / "dpd_fr" / "wsdl" / "eprintwebservice.asmx.wsdl"
OURS = Path(__file__).resolve().parents[2] / "plugins" / "shipkit-dpd-fr" / "src" / "shipkit_dpd_fr" / "dpd_fr.wsdl"

_NAMES = {
    "s": "http://www.w3.org/2001/XMLSchema",
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "e": "http://schemas.xmlsoap.org/soap/envelope/",
}


@lru_cache(maxsize=2)
def wsdl(path: Path) -> etree._Element:
    return etree.parse(path).getroot()


@lru_cache(maxsize=1)
def _schema() -> etree.XMLSchema:
    schema = wsdl(PUBLISHED).find(".//s:schema", _NAMES)
    # Written out alone, it declares the prefixes that it uses.
    return etree.XMLSchema(etree.fromstring(etree.tostring(schema)))


def operations(path: Path) -> dict[str, str]:
    """Each operation of the SOAP 1.1 binding and its action."""
    found = {}
    for binding in wsdl(path).iterfind("w:binding", _NAMES):
        if binding.find("soap:binding", _NAMES) is not None:
            for operation in binding.iterfind("w:operation", _NAMES):
                action = operation.find("soap:operation", _NAMES)
                assert action is not None
                found[operation.get("name", "")] = action.get("soapAction", "")
    return found


def _assert_valid(element: etree._Element) -> None:
    schema = _schema()
    assert schema.validate(etree.fromstring(etree.tostring(element))), str(schema.error_log)


def valid_request(content: bytes) -> str:
    """The operation of an envelope whose credentials and body the published schema accepts."""
    envelope = etree.fromstring(content)
    [credentials] = envelope.findall("e:Header/*", _NAMES)
    [body] = envelope.findall("e:Body/*", _NAMES)
    assert etree.QName(credentials).localname == "UserCredentials"
    _assert_valid(credentials)
    _assert_valid(body)
    return str(etree.QName(body).localname)


def valid_body(content: bytes) -> str:
    """The operation that a reply answers, whose body the published schema accepts."""
    [body] = etree.fromstring(content).findall("e:Body/*", _NAMES)
    _assert_valid(body)
    return str(etree.QName(body).localname).removesuffix("Response")
