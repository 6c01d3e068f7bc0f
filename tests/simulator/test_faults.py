"""What each fault does on the wire, seen by a client that hides nothing, and in the carrier's books."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shipkit.simulator import FAULTS, Fault, FaultBox, Simulator, load_faults
from shipkit.simulator.faults import ALL, PURCHASES
from tests.simulator.conftest import Raw

GONE = (http.client.RemoteDisconnected, ConnectionError, http.client.BadStatusLine)
#: The tests of this module that show a fault, by the fault's name.
SHOWN = {
    "drop_before": "test_drop_before_books_nothing_and_answers_nothing",
    "drop_after_commit": "test_drop_after_commit_books_and_answers_nothing",
    "commit_late": "test_commit_late_books_when_the_client_has_long_gone",
    "commit_twice": "test_commit_twice_books_twice_and_answers_once",
    "find_lags": "test_find_lags_hides_a_booking_from_searches_for_a_while",
    "close_idle": "test_close_idle_hits_only_a_connection_that_has_rested",
    "slow": "test_slow_answers_late_and_has_booked_meanwhile",
    "drip": "test_drip_sends_a_byte_now_and_then",
    "500": "test_a_failure_comes_after_the_booking_unless_told_otherwise",
    "503": "test_a_failure_comes_after_the_booking_unless_told_otherwise",
    "429": "test_429_books_nothing_and_says_when_to_come_back",
    "200_with_error": "test_200_with_error_is_a_refusal_or_proves_nothing",
    "empty_body": "test_empty_body_has_booked",
    "truncated": "test_truncated_has_booked_and_sends_a_part",
    "html_page": "test_html_page_stands_where_the_answer_should",
    "token_revoked": "test_token_revoked_refuses_until_a_new_token_is_asked_for",
}


def test_every_fault_is_shown_by_a_test() -> None:
    assert set(SHOWN) == set(FAULTS)
    assert all(name in globals() for name in SHOWN.values())


@pytest.mark.parametrize("reset", [False, True])
def test_drop_before_books_nothing_and_answers_nothing(acme: Simulator, raw: Raw, reset: bool) -> None:
    acme.add_fault("drop_before", reset=reset)

    with pytest.raises(GONE):
        raw.book("M1")

    assert acme.bookings() == ()
    assert acme.counts()["M1"].arrivals == 1
    assert raw.book("M1").status == 200


@pytest.mark.parametrize("reset", [False, True])
def test_drop_after_commit_books_and_answers_nothing(acme: Simulator, raw: Raw, reset: bool) -> None:
    acme.add_fault("drop_after_commit", reset=reset)

    with pytest.raises(GONE):
        raw.book("M1")

    assert acme.counts()["M1"].live == 1
    assert [record.status for record in acme.requests() if record.purchase] == [None]


def test_commit_late_books_when_the_client_has_long_gone(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("commit_late", after_s=0.15)

    with pytest.raises(GONE):
        raw.book("M1")

    assert acme.bookings() == ()
    acme.wait_for_late_commits()
    assert acme.counts()["M1"].live == 1


def test_commit_late_may_keep_the_client_waiting_for_nothing(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("commit_late", after_s=0.15, hang_up=False)

    began = time.monotonic()
    with pytest.raises(GONE):
        raw.book("M1")

    assert time.monotonic() - began >= 0.14
    acme.wait_for_late_commits()
    assert acme.counts()["M1"].live == 1


def test_what_is_held_back_is_booked_at_its_own_moment_however_far_the_time_jumps(acme: Simulator, raw: Raw) -> None:
    began = acme.clock.now()
    for mark, after_s in (("M1", 600), ("M2", 200)):
        acme.add_fault("commit_late", after_s=after_s)
        with pytest.raises(GONE):
            raw.book(mark)

    acme.advance(1000)

    assert {booking.mark: (booking.created_at - began).total_seconds() for booking in acme.bookings()} == {
        "M1": pytest.approx(600, abs=5),
        "M2": pytest.approx(200, abs=5),
    }
    assert (acme.clock.now() - began).total_seconds() == pytest.approx(1000, abs=5)


def test_an_idle_carrier_is_one_that_answers_nobody(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("slow", after_s=0.3, when="before")
    acme.add_fault("commit_late", after_s=600)
    waiting = threading.Thread(target=raw.book, args=("M1",))
    waiting.start()
    while not acme.counts().get("M1"):
        time.sleep(0.005)

    with pytest.raises(TimeoutError, match="1 calls are still being answered"):
        acme.wait_until_idle(0.01)
    acme.wait_until_idle()

    assert acme.counts()["M1"].live == 1
    waiting.join()
    with pytest.raises(GONE):
        raw.book("M2")
    acme.wait_until_idle()
    assert "M2" not in {booking.mark for booking in acme.bookings()}


def test_commit_late_comes_when_the_carriers_time_has_passed(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("commit_late", after_s=600)
    with pytest.raises(GONE):
        raw.book("M1")

    acme.advance(599)
    assert acme.bookings() == ()
    acme.advance(1)

    assert acme.counts()["M1"].live == 1
    assert acme.bookings()[0].created_at == acme.clock.now()


def test_a_purchase_that_meets_another_of_its_mark_is_counted(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("commit_late", after_s=600)
    with pytest.raises(GONE):
        raw.book("M1", "order-1")

    raw.book("M1", "order-1")
    raw.book("M2", "order-2")
    acme.advance(600)
    raw.book("M1", "order-1")

    assert (acme.counts()["M1"].arrivals, acme.counts()["M1"].overlapping, acme.counts()["M1"].live) == (3, 1, 3)
    assert acme.counts("reference")["order-1"].overlapping == 1
    assert acme.counts()["M2"].overlapping == 0


@pytest.mark.parametrize(("answer", "told"), [("first", 0), ("second", 1)])
def test_commit_twice_books_twice_and_answers_once(acme: Simulator, raw: Raw, answer: str, told: int) -> None:
    acme.add_fault("commit_twice", answer=answer)

    reply = raw.book("M1")

    assert acme.counts()["M1"].live == 2
    assert reply.json()["id"] == acme.bookings()[told].id
    assert acme.counts()["M1"].arrivals == 1


def test_find_lags_hides_a_booking_from_searches_for_a_while(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("find_lags", lag_s=30)

    assert raw.book("M1").status == 200
    raw.book("M2")
    acme.world.book(booking_id="b3", numbers=["N3"], mark="M3")

    assert acme.world.find(mark="M3")
    assert raw.ask("GET", "/v2/shipments/by-mark/M1").status == 404
    assert raw.ask("GET", "/v2/shipments/by-mark/M2").status == 200
    acme.advance(29)
    assert raw.ask("GET", "/v2/shipments/by-mark/M1").status == 404
    acme.advance(1)
    assert raw.ask("GET", "/v2/shipments/by-mark/M1").status == 200


def test_find_lags_goes_together_with_a_fault_on_the_wire(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("find_lags", lag_s=30)
    acme.add_fault("drop_after_commit")
    acme.add_fault("500")

    with pytest.raises(GONE):
        raw.book("M1")

    assert acme.requests()[-1].faults == ("find_lags", "drop_after_commit")
    assert raw.ask("GET", "/v2/shipments/by-mark/M1").status == 404
    assert raw.book("M2").status == 500


def test_close_idle_hits_only_a_connection_that_has_rested(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("close_idle", idle_s=0.1)

    fresh = Raw(acme.url)
    fresh.token = raw.token
    assert fresh.book("M1").status == 200, "a new connection has not rested"
    assert fresh.book("M2").status == 200, "it rested too short a time"
    time.sleep(0.12)
    with pytest.raises(GONE):
        fresh.book("M3")
    fresh.close()

    assert "M3" in acme.counts()
    assert [booking.mark for booking in acme.bookings()] == ["M1", "M2"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_slow_answers_late_and_has_booked_meanwhile(acme: Simulator, raw: Raw, when: str) -> None:
    acme.add_fault("slow", after_s=0.2, when=when)
    began = time.monotonic()
    seen: list[int] = []
    watcher = threading.Timer(0.1, lambda: seen.append(len(acme.bookings())))
    watcher.start()

    assert raw.book("M1").status == 200

    watcher.join()
    assert time.monotonic() - began >= 0.19
    assert seen == [1 if when == "after" else 0]
    assert acme.counts()["M1"].live == 1


@pytest.mark.parametrize("where", ["headers", "body"])
def test_drip_sends_a_byte_now_and_then(acme: Simulator, raw: Raw, where: str) -> None:
    acme.add_fault("drip", operation="token", interval_s=0.002, where=where)
    pieces: list[bytes] = []
    with socket.create_connection(("127.0.0.1", urlsplit(acme.url).port or 0), timeout=5) as client:
        body = b"client_id=shop&client_secret=s"
        client.sendall(b"POST /v2/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        began = time.monotonic()
        while b"}" not in b"".join(pieces):
            pieces.append(client.recv(4096))

    head, _, content = b"".join(pieces).partition(b"\r\n\r\n")
    dripped = len(content) + (len(head) if where == "headers" else 0)
    assert json.loads(content)["expires_in"] == 3600
    assert time.monotonic() - began >= dripped * 0.002 * 0.9
    assert len(pieces) > dripped / 4
    assert (len(pieces[0]) < 20) == (where == "headers")


@pytest.mark.parametrize("name", ["500", "503"])
@pytest.mark.parametrize(("when", "booked"), [(None, 1), ("after", 1), ("before", 0)])
def test_a_failure_comes_after_the_booking_unless_told_otherwise(
    acme: Simulator, raw: Raw, name: str, when: str | None, booked: int
) -> None:
    acme.faults.add(Fault(name=name, params={} if when is None else {"when": when}))

    reply = raw.book("M1")

    assert (reply.status, reply.json()) == (int(name), {"error": {"code": f"A{name}", "text": "failed"}})
    assert reply.headers.get("Retry-After") == ("1" if name == "503" else None)
    assert acme.counts()["M1"].bookings == booked


@pytest.mark.parametrize(("seconds", "header"), [(7, "7"), (0, None)])
def test_429_books_nothing_and_says_when_to_come_back(
    acme: Simulator, raw: Raw, seconds: int, header: str | None
) -> None:
    acme.add_fault("429", retry_after_s=seconds)

    reply = raw.book("M1")

    assert (reply.status, reply.headers.get("Retry-After")) == (429, header)
    assert acme.bookings() == ()


@pytest.mark.parametrize(("when", "code", "booked"), [(None, "A17", 0), ("before", "A17", 0), ("after", "A500", 1)])
def test_200_with_error_is_a_refusal_or_proves_nothing(
    acme: Simulator, raw: Raw, when: str | None, code: str, booked: int
) -> None:
    acme.faults.add(Fault(name="200_with_error", params={} if when is None else {"when": when}))

    reply = raw.book("M1")

    assert (reply.status, reply.json()["error"]["code"]) == (200, code)
    assert len(acme.bookings()) == booked


def test_empty_body_has_booked(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("empty_body")

    reply = raw.book("M1")

    assert (reply.status, reply.headers["Content-Type"], reply.body) == (200, "application/json", b"")
    assert acme.counts()["M1"].live == 1


def test_truncated_has_booked_and_sends_a_part(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("truncated", part=0.25)
    whole = raw.book("M0", fault="slow;after_s=0").body

    part = raw.book("M1").body

    assert len(part) == pytest.approx(len(whole) / 4, rel=0.05)
    with pytest.raises(ValueError):
        json.loads(part)
    assert acme.counts()["M1"].live == 1


def test_truncated_may_cut_the_connection_in_the_middle(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("truncated", framing="cut")

    with pytest.raises(http.client.IncompleteRead) as caught:
        raw.book("M1")

    assert len(caught.value.partial) > 100
    assert acme.counts()["M1"].live == 1


@pytest.mark.parametrize("status", [502, 200])
def test_html_page_stands_where_the_answer_should(acme: Simulator, raw: Raw, status: int) -> None:
    acme.add_fault("html_page", status=status)

    reply = raw.book("M1")

    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.body.startswith(b"<!DOCTYPE html>")
    assert acme.counts()["M1"].live == 1


def test_token_revoked_refuses_until_a_new_token_is_asked_for(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("token_revoked", operation="create_shipment")

    assert raw.book("M1").status == 401
    assert raw.book("M1").status == 401
    raw.log_in()
    assert raw.book("M1").status == 200
    assert acme.counts()["M1"].bookings == 1


def test_token_revoked_refuses_where_there_is_no_token_to_revoke(acme: Simulator, raw: Raw) -> None:
    acme.world.revoke_tokens()
    acme.add_fault("token_revoked", operation="rates")

    assert raw.ask("POST", "/v2/rates", {}).status == 401
    assert acme.requests()[-1].committed == 0


def test_faults_are_counted_skipped_and_taken_back(acme: Simulator, raw: Raw) -> None:
    fault_id = acme.add_fault("500", operation="rates", times=2, skip=1)
    forever = acme.add_fault("503", operation="rates", times=None, retry_after_s=0)

    statuses = [raw.ask("POST", "/v2/rates", {}).status for _ in range(5)]

    assert statuses == [503, 500, 500, 503, 503]
    assert (acme.faults.hits(fault_id), acme.faults.hits(forever)) == (2, 3)
    assert set(acme.faults.pending()) == {forever}
    assert acme.faults.remove(forever)
    assert not acme.faults.remove(forever)
    assert raw.ask("POST", "/v2/rates", {}).status == 200


def test_a_fault_hits_the_operation_the_purchases_or_the_mark_it_aims_at(acme: Simulator, raw: Raw) -> None:
    acme.add_fault("500", mark="M2")
    acme.add_fault("429")

    assert raw.ask("GET", "/v2/track/none").status == 429, "429 aims at everything"
    assert raw.ask("GET", "/v2/track/none").status == 404, "500 aims at purchases"
    assert raw.book("M1").status == 200
    assert raw.book("M2").status == 500


def test_a_request_may_ask_for_its_own_fault(acme: Simulator, raw: Raw) -> None:
    assert raw.book("M1", fault="html_page; status=504").status == 504
    assert raw.book("M2", fault="no_such").status == 400
    assert raw.book("M3").status == 200
    assert sorted(acme.counts()) == ["M1", "M2", "M3"]
    assert [booking.mark for booking in acme.bookings()] == ["M1", "M3"]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"fault": "explode"}, "no fault is called explode"),
        ({}, "no fault is called"),
        ({"fault": "slow", "speed": 3}, "no parameter speed"),
        ({"fault": "slow", "after_s": "long"}, "after_s is like 2.0"),
        ({"fault": "slow", "after_s": -1}, "after_s cannot be -1"),
        ({"fault": "slow", "when": "never"}, "when cannot be 'never'"),
        ({"fault": "drop_before", "reset": 1}, "reset is like False"),
        ({"fault": "html_page", "status": True}, "status is like 502"),
        ({"fault": "html_page", "status": "502"}, "status is like 502"),
        ({"fault": "500", "times": 0}, "times 1 or more"),
        ({"fault": "500", "skip": -1}, "skip is 0 or more"),
        ({"fault": "500", "times": "two"}, "times 1 or more"),
        ({"fault": "500", "operation": 4}, "operation"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(data: dict[str, object], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Fault.of(data)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_goes_to_data_and_back(name: str) -> None:
    fault = Fault(name=name, operation="rates", times=None, skip=2, mark="M1")

    assert Fault.of(fault.to_data()).to_data() == fault.to_data()
    assert Fault.of_header(name) == Fault(name=name, operation="*")


def test_faults_come_from_json_and_toml_files(tmp_path: Path) -> None:
    as_json = tmp_path / "faults.json"
    as_json.write_text('[{"fault": "slow", "operation": "rates", "times": 2, "after_s": 1}, {"fault": "429"}]')
    as_toml = tmp_path / "faults.toml"
    as_toml.write_text(
        '[[faults]]\nfault = "slow"\noperation = "rates"\ntimes = 2\nafter_s = 1\n\n[[faults]]\nfault = "429"\n'
    )

    expected = (Fault(name="slow", operation="rates", times=2, params={"after_s": 1}), Fault(name="429"))
    assert load_faults(as_json) == load_faults(as_toml) == expected


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("f.json", "{}", "expected a list"),
        ("f.json", "[3]", "entry 0 is not an object"),
        ("f.json", '[{"fault": "429"}, {"fault": "x"}]', "entry 1: no fault is called x"),
        ("f.json", "[", "f.json"),
        ("f.toml", "= 3", "f.toml"),
        ("f.toml", "faults = 3", "expected a list"),
    ],
)
def test_a_bad_file_of_faults_says_which_entry(tmp_path: Path, name: str, content: str, problem: str) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(ValueError, match=problem):
        load_faults(path)


def test_one_fault_on_the_wire_is_enough_for_one_call() -> None:
    box = FaultBox([Fault(name="500"), Fault(name="503"), Fault(name="find_lags")])

    first = box.take("create_shipment", True, "M1", None)
    second = box.take("create_shipment", True, "M1", None)

    assert [fault.name for fault in first] == ["500", "find_lags"]
    assert [fault.name for fault in second] == ["503"]


def test_a_fault_that_could_never_happen_is_refused(acme: Simulator) -> None:
    for aim in (ALL, PURCHASES, *acme.dialect.operations()):
        acme.add_fault("500", operation=aim)

    with pytest.raises(ValueError, match=r"has no operation CreateShipment; there are .*create_shipment"):
        acme.add_fault("500", operation="CreateShipment")
