"""The admin interface: the simulator's Python methods, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from shipkit.simulator import FAULTS, Simulator
from tests.simulator.conftest import Raw, Receiver


def get(raw: Raw, path: str) -> Any:
    reply = raw.ask("GET", f"/_sim/{path}")
    assert reply.status == 200
    return reply.json()


def post(raw: Raw, path: str, payload: object = None) -> Any:
    reply = raw.ask("POST", f"/_sim/{path}", payload)
    assert reply.status == 200, reply.body
    return reply.json()


def test_the_books_can_be_read(acme: Simulator, raw: Raw) -> None:
    booked = raw.book("M1", "order-1", pieces=2).json()
    raw.book("M2", "order-2")
    raw.ask("DELETE", f"/v2/shipments/{booked['id']}")

    rows = get(raw, "bookings")
    assert [(row["mark"], row["reference"], row["state"]) for row in rows] == [
        ("M1", "order-1", "voided"),
        ("M2", "order-2", "live"),
    ]
    assert rows[0]["numbers"] == [piece["awb"] for piece in booked["pieces"]]
    assert [row["id"] for row in get(raw, "bookings?mark=M1&state=voided")] == [booked["id"]]
    assert get(raw, "bookings?reference=order-2&state=voided") == []
    assert get(raw, "")["bookings"], get(raw, "")["live"] == (2, 1)


def test_counters_and_invoice_are_the_worlds(acme: Simulator, raw: Raw) -> None:
    raw.book("M1", "order-1", pieces=2)
    raw.book("M1", "order-1")

    figures = {"arrivals": 2, "overlapping": 0, "bookings": 2, "live": 2, "labels": 2, "voids": 0}
    assert get(raw, "counters")["M1"] == get(raw, "counters?by=reference")["order-1"] == figures
    invoice = get(raw, "invoice")
    assert [line["amount"] for line in invoice["lines"]] == ["9.80", "4.90"]
    assert invoice["totals"] == {"EUR": "14.70"}
    assert raw.ask("GET", "/_sim/counters?by=colour").status == 400


def test_requests_are_listed_without_credentials_and_people(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("500")
    raw.book("M1", "order-1")

    token, purchase = get(raw, "requests")
    assert (token["operation"], token["purchase"], token["status"]) == ("token", False, 200)
    expected = {"operation": "create_shipment", "mark": "M1", "faults": ["500"], "status": 500, "committed": 1}
    assert {name: purchase[name] for name in expected} == expected
    assert raw.token not in str(get(raw, "requests"))


def test_admin_requests_are_neither_counted_nor_hit_by_faults(acme: Simulator, raw: Raw) -> None:
    before = len(acme.requests())
    post(raw, "faults", {"fault": "429", "times": None})
    get(raw, "bookings")
    assert len(acme.requests()) == before
    assert raw.ask("GET", "/v2/track/1").status == 429


def test_faults_are_set_listed_and_taken_back(acme: Simulator, raw: Raw) -> None:
    ids = post(raw, "faults", [{"fault": "slow", "after_s": 0.25}, {"fault": "500", "operation": "rates", "times": 3}])[
        "ids"
    ]
    raw.ask("POST", "/v2/rates", {})

    listed = {row["id"]: row for row in get(raw, "faults")}
    assert (listed[ids[0]]["after_s"], listed[ids[0]]["hits"]) == (0.25, 0)
    assert (listed[ids[1]]["operation"], listed[ids[1]]["times"], listed[ids[1]]["hits"]) == ("rates", 3, 1)
    assert raw.ask("DELETE", f"/_sim/faults/{ids[0]}").json() == [listed[ids[1]]]
    assert raw.ask("DELETE", f"/_sim/faults/{ids[0]}").status == 404
    assert raw.ask("DELETE", "/_sim/faults").json() == get(raw, "faults") == []
    assert [kind["name"] for kind in get(raw, "faults/kinds")] == list(FAULTS)


def test_time_passes_and_pushes_go_out(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.ask("POST", "/v2/hooks", {"url": receiver.url})
    number = raw.book("M1").json()["pieces"][0]["awb"]

    assert get(raw, "clock") == {"now": "2026-03-02T09:00:00+00:00"}
    advanced = post(raw, "clock", {"advance_s": 6 * 3600, "order": "reversed", "copies": 2})

    assert advanced["now"] == "2026-03-02T15:00:00+00:00"
    assert [row["step"] for row in advanced["pushed"]] == ["accepted", "announced"]
    assert receiver.codes == ["accepted", "accepted", "announced", "announced"]
    assert [step["kind"] for step in get(raw, f"parcels/{number}")[0]["steps"]] == ["announced", "accepted"]
    assert [row["accepted"] for row in get(raw, "pushes")] == [True, True]


def test_pushes_are_sent_again_and_shuffled(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    raw.ask("POST", "/v2/hooks", {"url": receiver.url})
    raw.book("M1")
    post(raw, "clock", {"advance_s": 36 * 3600.5})
    in_order = list(receiver.codes)
    receiver.received.clear()

    post(raw, "pushes/redeliver", {"ids": [1], "copies": 2})
    assert receiver.codes == ["announced", "announced"]
    receiver.received.clear()
    post(raw, "pushes/shuffle")
    assert receiver.codes != in_order
    assert sorted(receiver.codes) == sorted(in_order)


def test_a_parcel_is_sent_another_way(acme: Simulator, raw: Raw) -> None:
    number = raw.book("M1").json()["pieces"][0]["awb"]
    assert post(raw, f"parcels/{number}", {"journey": "refused"})[0]["journey"] == "refused"
    post(raw, "clock", {"advance_s": 400_000})
    assert get(raw, "parcels")[0]["steps"][-1]["kind"] == "returned"


def test_a_reset_forgets(acme: Simulator, raw: Raw) -> None:
    raw.book("M1")
    acme.add_fault("500")
    assert post(raw, "reset")["bookings"] == 0
    assert (get(raw, "faults"), get(raw, "requests"), get(raw, "counters")) == ([], [], {})
    assert raw.book("M1").status == 401, "tokens are forgotten too"


@pytest.mark.parametrize(
    ("method", "path", "payload", "status"),
    [
        ("GET", "teapot", None, 404),
        ("DELETE", "bookings", None, 405),
        ("GET", "parcels/none", None, 404),
        ("POST", "parcels/none", {"journey": "refused"}, 404),
        ("POST", "faults", {"fault": "explode"}, 400),
        ("POST", "faults", [3], 400),
        ("DELETE", "faults/x", None, 400),
        ("POST", "clock", {"advance_s": -1}, 400),
        ("POST", "clock", {"advance_s": "soon"}, 400),
        ("POST", "clock", {"advance_s": None}, 400),
        ("POST", "clock", {"advance_s": "nan"}, 400),
        ("POST", "clock", {"advance_s": 1e300}, 400),
        ("POST", "clock", [1], 400),
        ("POST", "clock", {"order": "sideways"}, 400),
        ("POST", "pushes/redeliver", {"ids": 3}, 400),
        ("POST", "pushes/forget", {}, 404),
    ],
)
def test_bad_input_is_refused_with_a_reason(
    acme: Simulator, raw: Raw, method: str, path: str, payload: object, status: int
) -> None:
    reply = raw.ask(method, f"/_sim/{path}", payload)
    assert (reply.status, bool(reply.json()["error"])) == (status, True)


def test_a_page_in_a_browser_cannot_reach_it_under_another_name(acme: Simulator, raw: Raw) -> None:
    assert raw.ask("GET", "/_sim/", Host="evil.example:80").status == 403
    assert raw.ask("GET", "/_sim/", Host="localhost:80").status == 200
