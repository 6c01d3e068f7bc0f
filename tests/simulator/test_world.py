"""The carrier's books, its time, and how its parcels move."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipkit.simulator import JOURNEYS, Billing, Booking, Clock, NotInBooksError, StepKind, World
from tests.simulator.conftest import START

HOUR = 3600
#: What may follow what on a parcel's way, whatever the script.
AFTER = {
    "announced": {"accepted", "voided"},
    "accepted": {"departed"},
    "departed": {"arrived"},
    "arrived": {
        *("arrived", "out_for_delivery", "exception", "unexplained"),
        *("customs_held", "handed_over", "returned", "noted"),
    },
    "exception": {"out_for_delivery", "lost"},
    "unexplained": {"out_for_delivery"},
    "customs_held": {"customs_cleared"},
    "customs_cleared": {"arrived"},
    "handed_over": {"arrived"},
    "out_for_delivery": {"delivered", "attempted", "ready_for_pickup", "refused"},
    "attempted": {"out_for_delivery", "redirected", "returning"},
    "redirected": {"ready_for_pickup"},
    "ready_for_pickup": {"collected", "returning"},
    "refused": {"returning"},
    "returning": {"arrived"},
}
ENDS = {"delivered", "collected", "returned", "lost"}


def booked(world: World, mark: str = "M1", pieces: int = 1, reference: str = "order-1", journey: str = "") -> Booking:
    return world.book(
        booking_id=f"b{world.next('booking')}",
        numbers=[f"N{world.next('number')}" for _ in range(pieces)],
        mark=mark,
        reference=reference,
        price=Decimal("4.90"),
        journeys=(journey,) if journey else (),
    )


@pytest.fixture
def world() -> World:
    return World(Clock(START))


def kinds(world: World, number: str) -> list[str]:
    return [step.kind.value for step in world.parcel(number).steps_until_now()]


def test_a_clock_with_a_start_stands_still_until_it_is_advanced() -> None:
    clock = Clock(START)
    time.sleep(0.002)
    assert clock.now() == START
    assert clock.advance(90.5) == clock.now() == START + timedelta(seconds=90.5)


def test_a_clock_without_a_start_goes_with_real_time() -> None:
    clock = Clock()
    first = clock.now()
    time.sleep(0.002)
    assert first < clock.now() < first + timedelta(seconds=5)
    assert abs(first - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert clock.advance(HOUR) - first >= timedelta(hours=1)


def test_time_has_an_offset_and_does_not_go_back() -> None:
    clock = Clock(datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1))))
    assert (clock.now(), clock.now().utcoffset()) == (START, timedelta())
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="aware"):
        Clock(datetime(2026, 3, 2, 9, 0))


@pytest.mark.parametrize("name", sorted(JOURNEYS))
def test_each_journey_is_a_way_that_a_parcel_can_go(world: World, name: str) -> None:
    number = booked(world, journey=name).numbers[0]
    world.clock.advance(200 * HOUR)

    steps = world.parcel(number).steps_until_now()
    end = next(index for index, step in enumerate(steps) if step.kind.value in ENDS)

    assert steps[0].kind is StepKind.ANNOUNCED
    assert all(later.kind.value in AFTER[step.kind.value] for step, later in pairwise(steps[: end + 1]))
    assert (name == "trailing") == (end < len(steps) - 1), "only here something is told after the end"
    assert JOURNEYS[name].end is steps[end].kind
    assert [step.at for step in steps] == sorted({step.at for step in steps})
    assert [step.index for step in steps] == list(range(len(steps)))


def test_a_parcel_moves_with_the_carriers_time(world: World) -> None:
    number = booked(world).numbers[0]

    assert kinds(world, number) == ["announced"]
    world.clock.advance(6 * HOUR)
    assert kinds(world, number) == ["announced", "accepted"]
    world.clock.advance(30 * HOUR)
    assert kinds(world, number)[-1] == "delivered"
    assert world.parcel(number).accepted_at == START + timedelta(hours=6)


def test_parcels_take_the_worlds_journeys_in_turn(world: World) -> None:
    world.journeys = ("delivered", "refused")
    first = booked(world, pieces=3)
    second = booked(world)

    assert (first.journeys, second.journeys) == (("delivered", "refused", "delivered"), ("refused",))


def test_a_parcel_can_be_sent_another_way(world: World) -> None:
    first, second = booked(world, pieces=2).numbers
    world.set_journey(second, "refused")
    world.clock.advance(100 * HOUR)

    assert (kinds(world, first)[-1], kinds(world, second)[-1]) == ("delivered", "returned")
    with pytest.raises(ValueError, match="no journey is called teleport"):
        world.set_journey(first, "teleport")


def test_two_carriers_that_count_from_different_places_give_out_other_numbers() -> None:
    first, second = World(Clock(START)), World(Clock(START), count_from=500)

    assert [first.next("n"), first.next("n", 10)] == [1, 11]
    assert [second.next("n"), second.next("n", 10)] == [501, 511]


def test_a_parcel_can_be_hurried_along_its_way(world: World) -> None:
    number = booked(world).numbers[0]
    world.clock.advance(7 * HOUR)

    at = world.hurry(number, StepKind.OUT_FOR_DELIVERY)

    assert kinds(world, number) == ["announced", "accepted", "departed"], "the next second begins now"
    world.clock.advance((at - world.clock.now()).total_seconds())
    assert kinds(world, number) == ["announced", "accepted", "departed", "arrived", "arrived", "out_for_delivery"]
    world.clock.advance(5 * HOUR)
    assert kinds(world, number)[-1] == "delivered", "what follows keeps its distance"
    assert [step.index for step in world.parcel(number).steps_until_now()] == list(range(7))


def test_what_is_hurried_may_have_happened_before_but_not_before_what_has(world: World) -> None:
    number = booked(world).numbers[0]
    world.clock.advance(7 * HOUR)

    at = world.hurry(number, StepKind.DELIVERED, lag_s=HOUR / 2)
    assert at == world.clock.now() - timedelta(seconds=HOUR / 2 - 4)

    second = booked(world).numbers[0]
    assert world.hurry(second, StepKind.ACCEPTED, lag_s=HOUR) == world.clock.now() + timedelta(seconds=1)


def test_a_hurried_parcel_takes_another_way_where_its_own_does_not_go_there(world: World) -> None:
    number = booked(world).numbers[0]

    world.clock.advance((world.hurry(number, StepKind.LOST, unexplained=True) - START).total_seconds())

    assert kinds(world, number)[-2:] == ["unexplained", "lost"]
    with pytest.raises(ValueError, match="has lost behind it: delivered does not come any more"):
        world.hurry(number, StepKind.DELIVERED)
    world.set_journey(number, "delivered")
    assert kinds(world, number) == ["announced"]


def test_a_parcel_voided_before_custody_never_moves(world: World) -> None:
    booking = booked(world)
    world.clock.advance(5 * HOUR)
    world.void(booking.id)
    world.clock.advance(100 * HOUR)

    assert kinds(world, booking.numbers[0]) == ["announced", "voided"]
    assert world.parcel(booking.numbers[0]).accepted_at is None
    assert not world.in_custody(booking.id)


def test_a_parcel_voided_in_custody_moves_on(world: World) -> None:
    booking = booked(world)
    world.clock.advance(7 * HOUR)
    assert world.in_custody(booking.id)
    world.void(booking.id)
    world.clock.advance(100 * HOUR)

    assert kinds(world, booking.numbers[0])[-1] == "delivered"


def test_one_package_of_two_can_be_voided(world: World) -> None:
    booking = booked(world, pieces=2)
    first, second = booking.numbers

    half = world.void(booking.id, [first])
    assert (half.live, list(half.voided_numbers), world.counts()["M1"].voids) == (True, [first], 0)
    world.clock.advance(100 * HOUR)
    assert (kinds(world, first)[-1], kinds(world, second)[-1]) == ("voided", "delivered")

    whole = world.void(booking.id, [second])
    assert (whole.live, whole.voided_numbers[first], whole.voided_at) == (False, START, world.clock.now())


def test_voiding_twice_counts_once(world: World) -> None:
    booking = booked(world)

    first = world.void(booking.id)
    world.clock.advance(60)

    assert world.void(booking.id) == first
    assert (world.counts()["M1"].voids, world.counts()["M1"].live, world.counts()["M1"].bookings) == (1, 0, 1)
    assert booking.live, "what was given out does not change"


def test_a_search_sees_every_booking_of_the_mark_and_only_those(world: World) -> None:
    first, _, third = booked(world, "M1"), booked(world, "M2"), booked(world, "M1", reference="order-2")
    world.void(first.id)

    assert [each.id for each in world.find(mark="M1")] == [first.id, third.id]
    assert [each.id for each in world.find(mark="M1", reference="order-2")] == [third.id]
    assert world.find(mark="M3") == ()
    with pytest.raises(ValueError, match="a mark or a reference"):
        world.find()


def test_numbers_are_the_same_in_every_run() -> None:
    def run() -> list[object]:
        world = World(Clock(START))
        return [booked(world, pieces=2), booked(world), world.issue_token("shop"), world.next("waybill", start=1000)]

    assert run() == run()
    assert run()[-1] == 1000


def test_what_is_not_in_the_books_is_said_to_be_absent(world: World) -> None:
    for ask in (
        world.booking,
        world.by_number,
        world.parcel,
        world.pickup,
        world.manifest,
        world.unsubscribe,
        world.void,
    ):
        with pytest.raises(NotInBooksError, match="x1"):
            ask("x1")


def test_a_number_is_given_once(world: World) -> None:
    world.book(booking_id="b1", numbers=["N1"])
    for booking_id, numbers in (("b1", ["N2"]), ("b2", ["N1"]), ("b2", [])):
        with pytest.raises(ValueError, match="already in the books, or without"):
            world.book(booking_id=booking_id, numbers=numbers)
    with pytest.raises(ValueError, match="no journey is called away"):
        world.book(booking_id="b2", numbers=["N2"], journeys=["away"])


def test_the_invoice_has_live_bookings_and_charges(world: World) -> None:
    booked(world, "M1")
    world.void(booked(world, "M2").id)
    world.charge("pickup", Decimal("3.00"))
    world.charge("correction", Decimal("-1.00"), booking_id="b1")

    lines = world.invoice()

    assert [(line.what, line.amount, line.mark) for line in lines] == [
        ("shipment", Decimal("4.90"), "M1"),
        ("pickup", Decimal("3.00"), ""),
        ("correction", Decimal("-1.00"), ""),
    ]


def test_a_carrier_that_bills_on_scan_bills_what_it_has(world: World) -> None:
    world.billing = Billing.ON_SCAN
    booked(world, "M1")
    world.void(booked(world, "M2").id)
    assert world.invoice() == ()
    world.clock.advance(7 * HOUR)
    assert [line.mark for line in world.invoice()] == ["M1"]


def test_tokens_expire_and_are_revoked(world: World) -> None:
    first = world.issue_token("shop", 60)
    second = world.issue_token("shop", 3600)
    other = world.issue_token("else", 3600)

    assert world.token(first.value) == first
    world.clock.advance(60)
    assert world.token(first.value) is None
    assert world.revoke_tokens(account="shop") == 1
    assert world.token(second.value) is None
    assert world.revoke_tokens() == 1
    assert world.token(other.value) is None
    assert world.token("never issued") is None
    assert first.value not in repr(first)


def test_pickups_and_manifests_are_kept(world: World) -> None:
    booking = booked(world)
    pickup = world.add_pickup(pickup_id="p1", account="shop", window="9-12")
    manifest = world.add_manifest(manifest_id="m1", booking_ids=[booking.id])

    assert world.pickups() == (pickup,)
    cancelled = world.update_pickup("p1", state="cancelled", why="rain")
    assert (cancelled.state, dict(cancelled.details)) == ("cancelled", {"window": "9-12", "why": "rain"})
    assert (world.manifests(), world.manifest("m1").booking_ids) == ((manifest,), (booking.id,))
    with pytest.raises(NotInBooksError):
        world.add_manifest(manifest_id="m2", booking_ids=["b9"])


def test_a_reset_forgets_everything_but_the_time(world: World) -> None:
    booked(world)
    world.drawer("drafts")["d1"] = 1
    world.publish("/labels/1", b"x", "text/plain")
    through = world.arrived("M1", "order-1")
    world.clock.advance(60)

    world.reset()
    through()

    assert (world.bookings(), world.counts(), world.drawer("drafts"), world.files) == ((), {}, {}, {})
    assert world.clock.now() == START + timedelta(seconds=60)
    world.arrived("M1", "order-1")
    assert world.counts()["M1"].overlapping == 0
    assert booked(world).id == "b1"


@given(st.lists(st.tuples(st.sampled_from(["M1", "M2", ""]), st.sampled_from(["arrive", "leave"]))))
def test_overlapping_counts_arrivals_that_met_an_open_one(events: list[tuple[str, str]]) -> None:
    world = World(Clock(START))
    open_: dict[str, list[object]] = {}
    met = 0
    for mark, event in events:
        waiting = open_.setdefault(mark, [])
        if event == "arrive":
            met += bool(mark and waiting)
            waiting.append(world.arrived(mark, ""))
        elif waiting:
            through = waiting.pop()
            assert callable(through)
            through()

    assert sum(count.overlapping for count in world.counts().values()) == met
    assert sum(count.arrivals for count in world.counts().values()) == sum(event == "arrive" for _, event in events)
    with pytest.raises(ValueError, match="not by colour"):
        world.counts("colour")
