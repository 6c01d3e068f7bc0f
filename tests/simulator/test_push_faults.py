"""What goes wrong with pushes on request, and many pushes at once."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.simulator import PUSH_FAULTS, Clock, PushFault, PushFaultBox, Simulator, World
from tests.simulator.acme import AcmeDialect
from tests.simulator.conftest import Raw, Receiver

HOUR = 3600


def subscribed(raw: Raw, url: str, **more: Any) -> None:
    assert raw.ask("POST", "/v2/hooks", {"url": url, "credential": "s3cret", **more}).status == 201


def test_of_every_five_pushes_one_is_lost_and_stays_lost(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    for mark in range(5):
        raw.book(f"M{mark}")
    acme.add_push_fault("lost", hit=1, of=5)

    acme.advance(40 * HOUR)

    lost = [each for each in acme.pushes() if each.faults == ("lost",)]
    assert (len(acme.pushes()), len(lost), len(receiver.received)) == (35, 7, 28)
    assert all(each.next_at is None and not each.attempts for each in lost)
    acme.redeliver([lost[0].id])
    assert len(receiver.received) == 29, "only who asks for it by name gets it"
    acme.redeliver()
    assert len(receiver.received) == 29 + 28


def test_a_late_push_comes_hours_after_what_it_tells(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    acme.add_push_fault("late", skip=1, times=1, lag_s=5 * HOUR)
    raw.book("M1")

    acme.advance(7 * HOUR)
    assert receiver.codes == ["announced"]
    acme.advance(3.5 * HOUR)
    assert receiver.codes == ["announced", "departed"]
    acme.advance(HOUR)
    assert receiver.codes == ["announced", "departed", "accepted"]


def test_a_push_comes_twice_or_without_its_proof(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    subscribed(raw, receiver.url)
    acme.add_push_fault("twice", times=1)
    acme.add_push_fault("unsigned", skip=1)
    raw.book("M1")
    acme.advance(6 * HOUR)

    assert receiver.codes == ["announced", "announced", "accepted"]
    assert ["X-Acme-Signature" in push.headers for push in receiver.received] == [True, True, False]


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 5), st.none() | st.integers(1, 5))
def test_a_fault_hits_as_many_as_it_says(hit: int, of: int, skip: int, times: int | None) -> None:
    box = PushFaultBox()
    box.add(PushFault(name="lost", hit=hit, of=of, skip=skip, times=times))

    struck = [bool(box.take()) for _ in range(skip + of * 4)]

    each = min(hit, of) * 4
    assert sum(struck) == (each if times is None else min(times, each))
    assert not any(struck[:skip])
    assert struck[skip]


@pytest.mark.parametrize(
    "data",
    [{"fault": "stolen"}, {}, {"fault": "late", "lag_s": "1"}, {"fault": "lost", "of": 0}, {"fault": "lost", "x": 1}],
)
def test_what_is_no_fault_of_a_push_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"fault|must be"):
        PushFault.of_data(data)


def test_the_admin_interface_makes_pushes_go_wrong(acme: Simulator, raw: Raw) -> None:
    assert {kind["name"] for kind in raw.ask("GET", "/_sim/push-faults/kinds").json()} == set(PUSH_FAULTS)
    made = raw.ask("POST", "/_sim/push-faults", [{"fault": "lost", "of": 3}, {"fault": "late", "lag_s": 60}]).json()
    assert made == {"ids": [1, 2]}
    rows = raw.ask("GET", "/_sim/push-faults").json()
    assert rows[0] == {"id": 1, "hits": 0, "fault": "lost", "hit": 1, "of": 3, "skip": 0, "times": None, "lag_s": 21600}
    assert [row["id"] for row in raw.ask("DELETE", "/_sim/push-faults/1").json()] == [2]
    assert raw.ask("DELETE", "/_sim/push-faults/1").status == 404
    assert raw.ask("DELETE", "/_sim/push-faults").json() == []
    assert raw.ask("POST", "/_sim/push-faults", {"fault": "stolen"}).status == 400


@pytest.fixture
def many() -> Iterator[Any]:
    """A receiver that keeps connections, serves several at once, and may close one after ``drop_after`` pushes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        url = ""
        protocol_version = "HTTP/1.1"
        connections = 0
        drop_after = 0
        seen: ClassVar[Counter[str]] = Counter()

        def setup(self) -> None:
            super().setup()
            self.served = 0
            type(self).connections += 1

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            type(self).seen[body["number"] + body["at"]] += 1
            self.served += 1
            self.close_connection = bool(self.drop_after) and self.served >= self.drop_after
            self.send_response(204)  # and no word of a connection that is to be closed
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    Handler.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield Handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("drop_after", "connections"), [(0, 8), (10, 8)])
def test_many_pushes_go_at_once_on_kept_connections_and_none_is_lost(
    acme: Simulator, many: Any, drop_after: int, connections: int
) -> None:
    many.drop_after = drop_after
    with acme.world.lock:
        acme.world.subscribe(subscription_id="s", url=many.url)
        for place in range(100):
            acme.world.book(booking_id=f"b{place}", numbers=[f"N{place}"])

    sent = acme.advance(40 * HOUR, at_once=8)

    assert len(sent) == 700
    assert all(each.accepted and len(each.attempts) == 1 for each in sent)
    assert len(many.seen) == 700
    assert many.seen.total() == 700
    assert many.connections >= connections
    assert drop_after or many.connections == connections


def test_what_was_not_accepted_is_tried_again_until_it_is(acme: Simulator, raw: Raw, receiver: Receiver) -> None:
    acme.dialect.push_retries = (1.0,) * 50
    subscribed(raw, receiver.url)
    for mark in range(10):
        raw.book(f"M{mark}")
    receiver.statuses = [503] * 100

    acme.advance(40 * HOUR, at_once=4)
    while any(each.next_at is not None for each in acme.pushes()):
        acme.advance(1, at_once=4)

    assert len(receiver.received) == 70 + 100
    assert all(each.accepted for each in acme.pushes())


def test_a_carrier_whose_time_goes_on_pushes_by_itself(receiver: Receiver) -> None:
    with Simulator(AcmeDialect(World(Clock())), push_every_s=0.01) as acme:
        with acme.world.lock:
            acme.world.subscribe(subscription_id="s", url=receiver.url)
            acme.world.book(booking_id="b", numbers=["N1"])
        end = time.monotonic() + 20
        while not receiver.codes and time.monotonic() < end:
            time.sleep(0.01)
    assert receiver.codes == ["announced"]


@pytest.mark.parametrize("at_once", [0, -1])
def test_none_at_once_is_refused(acme: Simulator, at_once: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        acme.deliver(at_once=at_once)
