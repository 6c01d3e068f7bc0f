"""The demo: under ten seconds and sixty lines, and its count is true whatever the carriers do."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from shipkit.cli.demo.course import played
from shipkit.cli.demo.receiver import Receiver
from shipkit.cli.demo.report import lines
from shipkit.cli.demo.stage import orders
from shipkit.simulator import FAULTS
from tests.cli.conftest import Ran

CLOSING = re.compile(r"bookings at the carriers: (\d+), intents: (\d+), labels: (\d+), for a person: (\d+)")

# No plugin asks the carrier again after an answer, so a gateway that repeats a purchase is not noticed.
NOT_NOTICED = {"commit_twice"}


def count(text: str) -> list[int]:
    found = CLOSING.fullmatch(text)
    assert found is not None, text
    return [int(figure) for figure in found.groups()]


@pytest.mark.process
def test_the_demo_ends_with_a_count_from_three_sources(start: Callable[..., Ran], tmp_path: Path) -> None:
    done = start("demo", "--out", "out")

    assert done.code == 0, done.err
    assert done.err == ""
    assert len(done.lines) < 60
    assert count(done.lines[-1]) == [20, 20, 20, 0]
    labels = {path.name.rpartition("-")[0] for path in (tmp_path / "out").iterdir() if path.suffix != ".part"}
    assert {row.reference for row in orders()} <= labels
    assert str(Path("out")) in done.out


def test_the_orders_of_the_demo_are_of_every_kind() -> None:
    rows = orders()
    kinds = Counter(
        "return" if row.way_back is not None
        else "several" if len(row.data["packages"]) > 1
        else "international" if row.data["ship_from"]["address"]["country"] != row.data["ship_to"]["address"]["country"]
        else "relay" if "service_point" in row.data
        else "single"
        for row in rows
    )  # fmt: skip

    assert len({row.reference for row in rows}) == len(rows) == 20
    assert all(kinds[kind] >= 2 for kind in ("return", "several", "international", "relay", "single")), kinds
    assert len({row.account for row in rows}) == 4


def test_the_story_of_an_undisturbed_day(tmp_path: Path) -> None:
    story = played(tmp_path, None)
    told = list(lines(story))
    by_reference = {order.reference: order for order in story.orders}

    assert story.seconds < 10
    assert story.sound and story.closing is not None
    assert not any(order.failures for order in story.orders)
    quoting = {price.account for price in story.prices if price.offers}
    assert len(quoting) == 2
    assert sum("no rates in its interface" in line for line in told) == 2
    cancelled = {order.account for order in story.orders if order.cancelled is not None}
    assert len(cancelled) == 3
    pushed = [push for push in story.pushes if push.way == "pushed"]
    assert len(pushed) == 2 and all(push.agree and not push.refused for push in pushed)
    assert all(push.deliveries == 2 * (push.deliveries // 2) >= 2 * push.events for push in pushed)
    assert Counter(push.way for push in story.pushes) == {"pushed": 2, "polled": 1, "none": 1}
    followed = {push.account for push in story.pushes if push.way != "none"}
    for order in story.orders:
        if order.account in followed and order.cancelled is None:
            assert set(order.timelines) == set(order.numbers)
            assert all(timeline.milestone == "delivered" for timeline in order.timelines.values())
            assert all(any(number in line for line in told) for number in order.numbers)
    assert len(by_reference["SO1003"].files) == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_no_order_is_booked_twice_nor_lost_whatever_the_carriers_do(tmp_path: Path, fault: str) -> None:
    story = played(tmp_path, fault)
    closing = story.closing

    assert closing is not None and story.seconds < 10
    assert closing.labels + closing.for_person == closing.intents == 20
    assert len(list(lines(story))) < 60
    if fault not in NOT_NOTICED:
        assert closing.bookings <= 20 and story.sound
        assert closing.bookings >= closing.labels
    assert any(order.hit for order in story.orders)


def test_a_naive_client_books_what_the_ledger_does_not(tmp_path: Path) -> None:
    story = played(tmp_path, "drop_after_commit")
    hit = [order for order in story.orders if order.hit]
    bookings = sum(one.bookings for one in story.naive)

    assert story.closing is not None
    assert story.closing.bookings == 20
    assert bookings == 20 + len(hit)
    people = {order.account for order in story.orders if order.for_person}
    assert len(people) == 1  # the one carrier that cannot be asked
    assert story.closing.for_person == sum(order.account in people for order in hit)


@pytest.mark.process
def test_the_demo_as_json_is_one_document(start: Callable[..., Ran]) -> None:
    done = start("demo", "--json", "--fault", "drop_after_commit")
    story = json.loads(done.out)

    assert done.code == 0 and done.err == ""
    assert story["closing"] == {"bookings": 20, "intents": 20, "labels": 18, "for_person": 2}
    assert len(story["orders"]) == 20 and story["fault"] == "drop_after_commit"
    assert sum(one["bookings"] for one in story["naive"]) == 31
    assert all(Path(label).is_file() for order in story["orders"] for label in order["labels"])


def test_labels_of_an_earlier_run_are_not_counted(tmp_path: Path) -> None:
    for name in ("SO1014-1.pdf", "SO1016-1.pdf", "other-1.pdf"):
        (tmp_path / name).write_bytes(b"%PDF-old")
    story = played(tmp_path, "drop_after_commit")

    assert story.closing is not None
    assert story.closing.labels == 20 - story.closing.for_person
    assert (tmp_path / "other-1.pdf").read_bytes() == b"%PDF-old"


def test_a_push_that_is_not_kept_is_answered_so() -> None:
    from urllib.error import HTTPError
    from urllib.request import ProxyHandler, build_opener

    taken = []

    def receive(account: str, headers: object, body: bytes) -> bool:
        taken.append((account, body))
        return body == b"good"

    opener = build_opener(ProxyHandler({}))
    with Receiver(receive) as receiver:
        with opener.open(receiver.url("shop"), data=b"good", timeout=5) as answer:
            assert answer.status == 204
        with pytest.raises(HTTPError) as refused:
            opener.open(receiver.url("shop"), data=b"bad", timeout=5)
        refused.value.close()

    assert refused.value.code == 400
    assert taken == [("shop", b"good"), ("shop", b"bad")]
