"""A small invented service, read and written through `shipkit.soap`."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.errors import InputError, PluginError, ReplyError, ShipkitError
from shipkit.flow import Headers, Request, Response
from shipkit.soap import SoapFault, SoapService

WSDL = """<?xml version="1.0" encoding="utf-8"?>
<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:acme" targetNamespace="urn:acme">
  <wsdl:types>{types}</wsdl:types>
  <wsdl:message name="In"><wsdl:part name="parameters" element="t:Book"/></wsdl:message>
  <wsdl:message name="Out"><wsdl:part name="parameters" element="t:BookResponse"/></wsdl:message>
  <wsdl:message name="Ask"><wsdl:part name="parameters" element="t:Find"/></wsdl:message>
  <wsdl:message name="Told"><wsdl:part name="parameters" element="t:FindResponse"/></wsdl:message>
  <wsdl:message name="Every"><wsdl:part name="parameters" element="t:List"/></wsdl:message>
  <wsdl:message name="Listed"><wsdl:part name="parameters" element="t:ListResponse"/></wsdl:message>
  <wsdl:message name="Login"><wsdl:part name="Login" element="t:Login"/></wsdl:message>
  <wsdl:portType name="P">
    <wsdl:operation name="Book"><wsdl:input message="t:In"/><wsdl:output message="t:Out"/></wsdl:operation>
    <wsdl:operation name="Find"><wsdl:input message="t:Ask"/><wsdl:output message="t:Told"/></wsdl:operation>
    <wsdl:operation name="List"><wsdl:input message="t:Every"/><wsdl:output message="t:Listed"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="B" type="t:P">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Book"><soap:operation soapAction="urn:acme/Book" style="document"/>
      <wsdl:input><soap:body use="literal"/><soap:header message="t:Login" part="Login" use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation>
    <wsdl:operation name="Find"><soap:operation soapAction="urn:acme/Find" style="document"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
    <wsdl:operation name="List"><soap:operation soapAction="urn:acme/List" style="document"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="S"><wsdl:port name="P" binding="t:B"><soap:address location="http://acme.example/"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>"""

SCHEMA = """<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:acme" targetNamespace="urn:acme"
    elementFormDefault="qualified">
  <s:element name="Login"><s:complexType><s:sequence>
    <s:element name="user" type="s:string" minOccurs="0"/><s:element name="password" type="s:string" minOccurs="0"/>
  </s:sequence></s:complexType></s:element>
  <s:element name="Book"><s:complexType><s:sequence>
    <s:element name="name" type="s:string" minOccurs="0"/>
    <s:element name="box" type="t:Box" minOccurs="0" maxOccurs="unbounded"/>
  </s:sequence></s:complexType></s:element>
  <s:complexType name="Box"><s:sequence>
    <s:element name="kg" type="s:string" minOccurs="0"/><s:element name="source" type="s:int" nillable="true"/>
  </s:sequence></s:complexType>
  <s:element name="BookResponse"><s:complexType><s:sequence>
    <s:element name="BookResult" type="t:Result" minOccurs="0"/></s:sequence></s:complexType></s:element>
  <s:complexType name="Result"><s:sequence>
    <s:element name="number" type="s:string" minOccurs="0"/><s:element name="count" type="s:int" minOccurs="0"/>
    <s:element name="kg" type="s:double" minOccurs="0"/>
    <s:element name="label" type="t:Label" minOccurs="0" maxOccurs="unbounded"/>
  </s:sequence></s:complexType>
  <s:element name="List"><s:complexType/></s:element>
  <s:element name="ListResponse"><s:complexType><s:sequence>
    <s:element name="ListResult" type="t:Numbers" minOccurs="0"/></s:sequence></s:complexType></s:element>
  <s:complexType name="Numbers"><s:sequence>
    <s:element name="number" type="s:string" minOccurs="0" maxOccurs="unbounded"/></s:sequence></s:complexType>
  <s:element name="Find"><s:complexType/></s:element>
  <s:element name="FindResponse"><s:complexType><s:sequence>
    <s:element name="FindResult" type="t:Result" minOccurs="0"/></s:sequence></s:complexType></s:element>
  <s:complexType name="Label"><s:sequence>
    <s:element name="kind" type="s:string" minOccurs="0"/><s:element name="bytes" type="s:base64Binary" minOccurs="0"/>
  </s:sequence></s:complexType>
</s:schema>"""

URL = "http://acme.example/soap"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("packages")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def package(folder: Path, name: str, **documents: str) -> str:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "__init__.py").touch()
    for stem, text in documents.items():
        (folder / name / stem.replace("_", ".")).write_text(text)
    return name


@pytest.fixture(scope="module")
def service(packages: Path) -> SoapService:
    return SoapService(
        package(packages, "acme_soap", acme_wsdl=WSDL.format(types=SCHEMA)), "acme.wsdl", ("Book", "Find", "List")
    )


def response(content: bytes | str, status: int = 200, content_type: str = "text/xml; charset=utf-8") -> Response:
    return Response(
        status=status,
        headers=Headers({"Content-Type": content_type}),
        content=content if isinstance(content, bytes) else content.encode(),
        request=Request.xml(URL, b"", name="book"),
        received_at=datetime(2026, 11, 24, tzinfo=timezone.utc),
    )


def envelope(body: str, soap: str = "http://schemas.xmlsoap.org/soap/envelope/") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?><e:Envelope xmlns:e="{soap}"><e:Body>{body}</e:Body></e:Envelope>'


def booked(result: str) -> str:
    return envelope(f'<BookResponse xmlns="urn:acme"><BookResult>{result}</BookResult></BookResponse>')


GOOD = booked("<number>A1</number><count>2</count><kg>1.10</kg><label><kind>x</kind><bytes>JVBERi0=</bytes></label>")


def test_building_a_service_reads_no_file_and_imports_no_zeep() -> None:
    code = (
        "import sys; from shipkit.soap import SoapService; SoapService('nowhere', 'no.wsdl', ('X',));"
        "assert not {'zeep', 'lxml', 'requests', 'httpx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_envelope_carries_the_payload_the_credentials_and_the_action(service: SoapService) -> None:
    request = service.request(
        "Book",
        {"name": "Hügǒ", "box": [{"kg": "1.2", "source": 902}, {"source": None}]},
        url=URL,
        name="create_shipment",
        headers={"Login": {"user": "u", "password": "p"}},
    )

    assert (request.method, request.url, request.replayable) == ("POST", URL, False)
    assert request.headers["SOAPAction"] == '"urn:acme/Book"'
    assert request.headers["Content-Type"] == "text/xml; charset=utf-8"
    text = request.content.decode()
    assert "<ns0:user>u</ns0:user><ns0:password>p</ns0:password>" in text
    assert "<ns0:name>Hügǒ</ns0:name><ns0:box><ns0:kg>1.2</ns0:kg><ns0:source>902</ns0:source></ns0:box>" in text
    assert text.count("nil=") == 1


def test_the_same_payload_gives_the_same_request(service: SoapService) -> None:
    first, second = (service.request("Book", {"name": "a"}, url=URL, name="book") for _ in range(2))

    assert first == second


def test_a_reply_is_plain_values_with_exact_numbers_and_bytes(service: SoapService) -> None:
    assert service.read("Book", response(GOOD)) == {
        "number": "A1",
        "count": 2,
        "kg": Decimal("1.10"),
        "label": [{"kind": "x", "bytes": b"%PDF-"}],
    }


def test_operations_may_share_their_types(service: SoapService) -> None:
    found = envelope('<FindResponse xmlns="urn:acme"><FindResult><count>1</count></FindResult></FindResponse>')

    assert service.read("Find", response(found))["count"] == 1
    with pytest.raises(ReplyError):
        service.read("Find", response(found.replace(">1<", ">one<")))


@pytest.mark.parametrize(("members", "value"), [("<number>1</number>", ["1"]), ("<number>1</number>" * 2, ["1"] * 2)])
def test_the_wrapper_is_taken_off_once_whatever_the_result_has_in_it(
    service: SoapService, members: str, value: list[str]
) -> None:
    body = envelope(f'<ListResponse xmlns="urn:acme"><ListResult>{members}</ListResult></ListResponse>')

    assert service.read("List", response(body)) == {"number": value}


def test_an_empty_result_is_an_empty_mapping(service: SoapService) -> None:
    assert service.read("Book", response(envelope('<BookResponse xmlns="urn:acme"/>'))) == {}


@pytest.mark.parametrize(
    "result",
    [
        "<count>2</count><number>A1</number>",
        "<number>A1</number><news>y</news><count>2</count>",
        '<number xmlns="">A1</number><count>2</count>',
    ],
)
def test_a_reply_that_breaks_its_wsdl_by_order_or_by_news_is_read_all_the_same(
    service: SoapService, result: str
) -> None:
    value = service.read("Book", response(booked(result)))

    assert (value["number"], value["count"]) == ("A1", 2)


def test_a_fault_carries_its_detail_and_pickles(service: SoapService) -> None:
    fault = response(
        envelope(
            "<e:Fault><faultcode>e:Server</faultcode><faultstring>too heavy</faultstring><detail><Error>"
            "<ErrorId>InvalidWeight</ErrorId><Hint>a</Hint><Hint>b</Hint></Error></detail></e:Fault>"
        ),
        status=500,
    )
    with pytest.raises(SoapFault) as caught:
        service.read("Book", fault)

    again = pickle.loads(pickle.dumps(caught.value))
    for error in (caught.value, again, service.fault(fault)):
        assert error is not None
        assert error.detail == {"Error": {"ErrorId": "InvalidWeight", "Hint": ("a", "b")}}
        assert (error.carrier_code, error.carrier_message, error.http_status) == ("e:Server", "too heavy", 500)


def test_a_fault_of_soap_1_2_is_read_too(service: SoapService) -> None:
    body = (
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text>no</e:Text></e:Reason>"
        "<e:Detail><ErrorId>X</ErrorId></e:Detail></e:Fault>"
    )
    fault = service.fault(response(envelope(body, "http://www.w3.org/2003/05/soap-envelope"), 500))

    assert fault is not None
    assert (fault.carrier_code, fault.carrier_message, fault.detail) == ("e:Sender", "no", {"ErrorId": "X"})


def test_a_fault_inside_200_is_a_fault(service: SoapService) -> None:
    with pytest.raises(SoapFault):
        service.read("Book", response(envelope("<e:Fault><faultcode>c</faultcode></e:Fault>")))


HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>"
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(12)
)


BAD_BODIES = {
    "empty": (response(b""), "$"),
    "blank": (response(b" \r\n "), "$"),
    "an HTML page as such": (response(HTML, 502, "text/html"), "$"),
    "an HTML page that says it is XML": (response(HTML), "$"),
    "plain text": (response("Service Unavailable", 503, "text/plain"), "$"),
    "JSON": (response("{}", 200, "application/json"), "$"),
    "truncated": (response(GOOD[: len(GOOD) // 2]), "$"),
    "truncated by one byte": (response(GOOD[:-1]), "$"),
    "latin-1 that says UTF-8": (response(GOOD.replace("A1", "Aé").encode("latin-1")), "$"),
    "an unknown charset": (response(GOOD.replace("utf-8", "klingon")), "$"),
    "UTF-8 that says UTF-16": (response(GOOD.replace("utf-8", "utf-16")), "$"),
    "a megabyte of nesting": (response(booked("<number>" * 120_000)), "$"),
    "a closed megabyte of nesting": (response(booked("<a>" * 120_000 + "</a>" * 120_000)), "$"),
    "a billion laughs": (response(f"{LAUGHS}]><l>&m;</l>"), "$"),
    "a billion laughs in an attribute": (response(f'{LAUGHS}]><l x="&m;"/>'), "$"),
    "an external entity": (response(f'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>{GOOD[38:]}'), "$"),
    "a document type": (response(f"<!DOCTYPE l>{GOOD[38:]}"), "$"),
    "no envelope": (response("<a/>"), "$"),
    "an envelope of another world": (response(envelope("", "urn:soap")), "$"),
    "an empty body": (response(envelope("")), "$"),
    "two replies": (response(envelope('<BookResponse xmlns="urn:acme"/>' * 2)), "$"),
    "the reply of another operation": (response(envelope('<VoidResponse xmlns="urn:acme"/>')), "$"),
    "a reply with a status that says otherwise": (response(GOOD, 500), "$"),
    "a redirect": (response("", 302, "text/html"), "$"),
    "an integer that is none": (response(booked("<count>x</count>")), "$.count"),
    "a number that is none": (response(booked("<kg>1,5</kg>")), "$.kg"),
    "base64 with a foreign character": (
        response(GOOD.replace("JVBERi0=", "JVBE*Ri0=")),
        "$.label.bytes",
    ),
    "base64 cut short": (
        response(GOOD.replace("</label>", "</label><label><bytes>JVBERi0</bytes></label>")),
        "$.label[1].bytes",
    ),
    "base64 around an element": (response(GOOD.replace("JVBERi0=", "JVBE<x/>Ri0=")), "$.label.bytes"),
    "base64 that calls itself a string": (
        response(
            GOOD.replace(
                "<bytes>JVBE",
                '<bytes xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:s="http://www.w3.org/2001/XMLSchema"'
                ' i:type="s:string">*JVBE',
            )
        ),
        "$.label.bytes",
    ),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_body_that_cannot_be_read_ends_in_a_reply_error_with_a_path(
    service: SoapService, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    bad, path = BAD_BODIES[case]
    caplog.set_level(logging.DEBUG)
    started = time.perf_counter()

    with pytest.raises(ReplyError) as caught:
        service.read("Book", bad)

    assert not isinstance(caught.value, SoapFault)
    assert caught.value.paths == (path,)
    assert caught.value.message.endswith(f"@ {path}")
    assert caught.value.http_status == bad.status
    assert time.perf_counter() - started < 2
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert service.fault(bad) is None


def test_base64_may_be_broken_into_lines(service: SoapService) -> None:
    value = service.read("Book", response(GOOD.replace("JVBERi0=", "\r\n  JVBE\r\n  Ri0=\r\n")))

    assert value["label"][0]["bytes"] == b"%PDF-"


def test_reading_changes_nothing_for_other_users_of_zeep(service: SoapService) -> None:
    from zeep.xsd.types import builtins

    service.read("Book", response(GOOD))

    assert builtins.Base64Binary().pythonvalue("JVBE*Ri0=") == b"%PDF-"
    assert type(builtins.default_types[builtins.Base64Binary._default_qname]) is builtins.Base64Binary


@given(st.integers(0, len(GOOD) - 1), st.sampled_from('<>&"x\x00é/ ') | st.just(""))
def test_a_reply_with_any_one_character_changed_is_a_value_or_a_reply_error(
    service: SoapService, at: int, char: str
) -> None:
    try:
        value = service.read("Book", response(GOOD[:at] + char + GOOD[at + 1 :]))
    except ReplyError as error:
        assert error.paths
    else:
        assert isinstance(value, dict)


@given(st.binary(max_size=200), st.integers(200, 599))
def test_any_bytes_whatever_end_in_a_reply_error(service: SoapService, content: bytes, status: int) -> None:
    with pytest.raises(ReplyError):
        service.read("Book", response(content, status))


def test_a_character_that_xml_cannot_carry_is_the_hosts_to_mend(service: SoapService) -> None:
    with pytest.raises(InputError) as caught:
        service.request("Book", {"name": "a\x01b", "box": [{"kg": "\ud800"}]}, url=URL, name="book")

    assert [problem.path for problem in caught.value.problems] == ["/name", "/box/0/kg"]
    assert "a\x01b" not in str(caught.value)


@given(st.text(max_size=20))
def test_any_text_is_carried_whole_or_refused(service: SoapService, text: str) -> None:
    from lxml import etree

    try:
        request = service.request("Book", {"name": text}, url=URL, name="book")
    except InputError:
        return
    name = etree.fromstring(request.content).findtext(".//{urn:acme}name")
    # A parser turns line ends into \n (https://www.w3.org/TR/xml/#sec-line-ends); lxml writes \r as a reference.
    assert (name or "") == text


def test_a_payload_that_the_wsdl_does_not_know_is_the_plugins_mistake(service: SoapService) -> None:
    with pytest.raises(PluginError) as caught:
        service.request("Book", {"nam": "Hugo"}, url=URL, name="book")

    assert "Hugo" not in str(caught.value)


def test_an_operation_that_was_not_announced_is_the_plugins_mistake(service: SoapService) -> None:
    with pytest.raises(PluginError, match="Void"):
        service.request("Void", {}, url=URL, name="void")


def test_a_wsdl_that_lacks_an_operation_is_refused_at_load(packages: Path) -> None:
    lacking = SoapService("acme_soap", "acme.wsdl", ("Book", "Void"))
    package(packages, "acme_soap", acme_wsdl=WSDL.format(types=SCHEMA))

    with pytest.raises(PluginError, match="lacks Void"):
        lacking.request("Book", {}, url=URL, name="book")


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:9/x.xsd", "https://acme.example/x.xsd", "../x.xsd", "/etc/passwd", "sub/x.xsd"]
)
def test_a_wsdl_loads_nothing_from_outside_its_package(packages: Path, where: str) -> None:
    types = (
        '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema">'
        f'<s:import namespace="urn:acme" schemaLocation="{where}"/></s:schema>'
    )
    name = package(packages, "acme_outside", acme_wsdl=WSDL.format(types=types))

    with pytest.raises(PluginError):
        SoapService(name, "acme.wsdl", ("Book",)).request("Book", {}, url=URL, name="book")


def test_a_wsdl_may_import_a_schema_that_lies_beside_it(packages: Path) -> None:
    types = (
        '<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema">'
        '<s:import namespace="urn:acme" schemaLocation="acme.xsd"/></s:schema>'
    )
    name = package(packages, "acme_beside", acme_wsdl=WSDL.format(types=types), acme_xsd=SCHEMA)

    assert SoapService(name, "acme.wsdl", ("Book",)).read("Book", response(GOOD))["number"] == "A1"


def test_a_wsdl_with_a_document_type_is_refused(packages: Path) -> None:
    text = WSDL.format(types=SCHEMA).replace("<wsdl:def", '<!DOCTYPE x [<!ENTITY a "b">]><wsdl:def', 1)
    name = package(packages, "acme_dtd", acme_wsdl=text)

    with pytest.raises(PluginError):
        SoapService(name, "acme.wsdl", ("Book",)).request("Book", {}, url=URL, name="book")


def test_every_error_of_the_room_is_one_of_shipkits() -> None:
    assert issubclass(SoapFault, ShipkitError)


def test_threads_that_load_and_read_at_once_do_not_disturb_each_other(packages: Path) -> None:
    fresh = SoapService("acme_soap", "acme.wsdl", ("Book",))
    exact, tolerant = response(GOOD), response(booked("<count>2</count><number>A1</number>"))

    def read(index: int) -> str:
        # A tolerant reading must not make another thread's reading tolerant, nor the other way round.
        value = fresh.read("Book", exact if index % 2 else tolerant)
        return str(value["number"])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(200))) == {"A1"}
