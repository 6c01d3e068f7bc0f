"""How calls find their way to a dialect, and what stands in calls and replies."""

from __future__ import annotations

import base64
from decimal import Decimal

import pytest

import shipkit.simulator as room
from shipkit.simulator import BadCallError, Call, Clock, Dialect, Headers, Reply, World, route
from tests.simulator.acme import AcmeDialect
from tests.simulator.conftest import START

SOAP = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:c">'
    b"<soapenv:Header/><soapenv:Body><c:%s><c:id>7</c:id></c:%s></soapenv:Body></soapenv:Envelope>"
)


class Soapy(Dialect):
    """All operations under one path, told apart by the body."""

    code = "soapy"

    @route("POST", "/service", operation="Book", purchase=True)
    @route("POST", "/service", operation="BookAgain", purchase=True)
    def book(self, call: Call) -> Reply:
        return Reply.xml(f"<done by='{call.operation}'/>")

    @route("GET", "/v{version}/parcels/{id}.pdf", operation="label")
    def label(self, call: Call) -> Reply:
        return Reply.json(dict(call.params))

    @route("GET", "/v{version}/parcels/last", operation="last")
    def last(self, call: Call) -> Reply:
        return Reply.text("last")

    def operation_of(self, call: Call) -> str:
        return call.soap_operation()


class Louder(Soapy):
    """The same carrier, one answer changed."""

    def last(self, call: Call) -> Reply:
        return Reply.text("LAST")


class Points:
    """A part of a dialect in a module of its own."""

    @route("GET", "/points/{id}", operation="point")
    def point(self, call: Call) -> Reply:
        return Reply.text(call.params["id"])


class InParts(Points, Soapy):
    """A dialect put together from parts."""


def ask(dialect: Dialect, method: str, path: str, body: bytes = b"") -> Reply:
    return dialect.handle(Call(method=method, path=path, body=body))


@pytest.mark.parametrize("name", ["Book", "BookAgain"])
def test_a_soap_dialect_finds_the_operation_in_the_body(name: str) -> None:
    body = SOAP % (name.encode(), name.encode())
    reply = ask(Soapy(), "POST", "/service", body)
    assert (reply.status, reply.body.decode()) == (200, f"<done by='{name}'/>")
    assert reply.headers["Content-Type"].startswith("text/xml")


@pytest.mark.parametrize("body", [SOAP % (b"Else", b"Else"), b"<a/>", b"", b"\x00", b"<!DOCTYPE a []><a/>"])
def test_an_operation_that_is_not_there_answers_nothing_by_accident(body: bytes) -> None:
    named = Call(method="POST", path="/service", body=body).soap_operation()
    reply = ask(Soapy(), "POST", "/service", body)
    assert (reply.status == 404) == (named == "Else")


def test_names_in_a_path_take_one_segment() -> None:
    assert ask(Soapy(), "GET", "/v2/parcels/x%7.pdf").body == b'{"version": "2", "id": "x%7"}'
    for path in ("/v2/parcels/a/b.pdf", "/v2/parcels/a.PDF", "/x/v2/parcels/a.pdf", "/v2/parcels/a.pdf/"):
        assert ask(Soapy(), "GET", path).status == 404
    assert ask(Soapy(), "POST", "/v2/parcels/a.pdf").status == 404


def test_a_derived_dialect_changes_an_answer_and_keeps_the_routes() -> None:
    assert ask(Louder(), "GET", "/v2/parcels/last").body == b"LAST"
    assert list(Louder().operations()) == ["Book", "BookAgain", "label", "last"]


def test_a_dialect_may_be_put_together_from_parts() -> None:
    assert ask(InParts(), "GET", "/points/7").body == b"7"
    assert ask(InParts(), "GET", "/v2/parcels/last").body == b"last"
    assert "point" not in Soapy().operations()


def test_published_content_is_served_under_its_path() -> None:
    dialect = AcmeDialect()
    dialect.world.publish("/labels/7.pdf", b"%PDF-", "application/pdf")

    reply = ask(dialect, "GET", "/labels/7.pdf")

    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"%PDF-", "application/pdf")
    assert ask(dialect, "POST", "/labels/7.pdf").status == ask(dialect, "GET", "/labels/8.pdf").status == 404


def test_a_dialect_answers_without_a_server() -> None:
    dialect = AcmeDialect(World(Clock(START)))
    assert ask(dialect, "POST", "/v2/token", b"client_id=shop").status == 200
    assert ask(dialect, "POST", "/v2/token", b"").status == 401
    assert ask(dialect, "DELETE", "/v2/shipments/none").status == 404


def test_a_dialect_that_says_nothing_of_its_own_still_answers() -> None:
    plain = Dialect()
    call = Call(method="GET", path="/")
    assert [plain.handle(call).status, plain.unauthorised(call).status] == [404, 401]
    assert plain.error_in_200(call, committed=True) != plain.error_in_200(call, committed=False)


def test_a_call_reads_what_it_carries() -> None:
    user = base64.b64encode("shop:pä:ss".encode()).decode()
    call = Call(
        method="POST",
        path="/x",
        query_string="a=1&b=&a=2",
        headers=Headers((("AUTHORIZATION", f"Basic {user}"), ("X-One", "1"), ("x-one", "2"))),
        body=b'{"weight": 1.10}',
    )
    assert call.query == {"a": "2", "b": ""}
    assert call.basic() == ("shop", "pä:ss")
    assert call.bearer() == ""
    assert (call.headers["x-ONE"], len(call.headers), "x-two" in call.headers, "X-one" in call.headers) == (
        "1",
        2,
        False,
        True,
    )
    assert call.json() == {"weight": Decimal("1.10")}
    assert Call(method="GET", path="/", headers=Headers({"Authorization": "bearer t1"})).bearer() == "t1"
    assert "shop" not in repr(call) and "weight" not in repr(call)


@pytest.mark.parametrize("field", ["Basic !!!", "Basic", "Digest x", "", "Basic /w=="])
def test_a_credential_that_cannot_be_read_is_none(field: str) -> None:
    assert Call(method="GET", path="/", headers=Headers({"Authorization": field})).basic() == ("", "")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_not_json_is_told_as_such(body: bytes) -> None:
    with pytest.raises(BadCallError, match="not JSON"):
        Call(method="POST", path="/", body=body).json()
    assert Call(method="POST", path="/", body=b" ").json() == {}


@pytest.mark.parametrize("body", [b"<a>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"", b"\xff\xfe"])
def test_a_body_that_is_not_plain_xml_is_told_as_such(body: bytes) -> None:
    with pytest.raises(BadCallError):
        Call(method="POST", path="/", body=body).xml()


def test_a_reply_writes_what_carriers_write() -> None:
    reply = Reply.json({"price": Decimal("4.90"), "at": START, "on": START.date(), "label": b"%PDF"}, 201)
    assert (
        reply.body == b'{"price": "4.90", "at": "2026-03-02T09:00:00+00:00", "on": "2026-03-02", "label": "JVBERg=="}'
    )
    assert reply.with_headers(Retry_After="3").headers["Retry-After"] == "3"
    assert (Reply.text("ä").body, Reply.html(b"<p>", 502).status) == ("ä".encode(), 502)
    with pytest.raises(TypeError, match="object has no place"):
        Reply.json({"x": object()})


def test_the_room_has_what_it_says() -> None:
    assert sorted(room.__all__) == sorted(room._ROOMS)
    assert all(getattr(room, name).__class__ for name in room.__all__)
    with pytest.raises(AttributeError, match="Teapot"):
        getattr(room, "Teapot")  # noqa: B009 - a misspelt name, out of the type checkers' sight
