"""The demo as text: under sixty lines, the last one the count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...model import Timeline
from ..orders.table import aligned
from .story import Order, Story

__all__ = ["lines"]

_INDENT: Final = "  "


def lines(story: Story) -> Iterator[str]:
    """The story, a line after the other."""
    yield from _opening(story)
    yield from _prices(story)
    yield from _shipping(story)
    yield from _cancelling(story)
    yield from _tracking(story)
    yield from _comparison(story)
    yield f"all of it in {story.seconds:.1f} s"
    closing = story.closing
    if closing is None:
        return
    if closing.bookings > closing.intents:
        more = closing.bookings - closing.intents
        yield f"{more} bookings that no answer speaks of: a gateway sent purchases on twice, only the invoice shows it"
    yield closing.line()


def _opening(story: Story) -> Iterator[str]:
    accounts = list(dict.fromkeys(order.account for order in story.orders))
    yield f"{len(story.orders)} orders for {len(accounts)} carriers, each answering on this machine in its own dialect"
    if story.fault is not None:
        hits = sum(order.hit for order in story.orders)
        yield f"fault: {story.fault}; {hits} purchases met it (it waits for every second one of each carrier)"


def _prices(story: Story) -> Iterator[str]:
    yield f"prices of {story.quoted}:"
    rows = []
    for price in story.prices:
        if price.offers:
            fastest = f", fastest {price.fastest}" if price.fastest else ""
            rows.append(
                {"account": price.account, "said": f"{price.offers} offers, cheapest {price.cheapest}{fastest}"}
            )
        else:
            rows.append({"account": price.account, "said": price.reason})
    yield from _rows(("account", "said"), rows)
    if story.choice:
        yield f"{_INDENT}best of all: {story.choice}"


def _shipping(story: Story) -> Iterator[str]:
    yield "shipped:"
    rows = []
    for account, own in _by_account(story.orders):
        booked = [order for order in own if order.shipment is not None]
        row = {
            "account": account,
            "orders": f"{len(booked)} of {len(own)} orders",
            "parcels": f"{sum(len(order.numbers) for order in booked)} parcels",
            "labels": _formats(own),
        }
        if story.fault is not None:
            row["fault"] = _fate(own)
        rows.append(row)
    yield from _rows(("account", "orders", "parcels", "labels", "fault"), rows)
    files = sum(len(order.files) for order in story.orders)
    yield f"{_INDENT}{files} files in {story.folder}"
    people = [f"{order.account} {order.reference}" for order in story.orders if order.for_person]
    if people:
        yield f"{_INDENT}not answered, and nobody there to ask, so a person decides: {', '.join(people)}"


def _formats(orders: Sequence[Order]) -> str:
    endings = sorted({path.suffix[1:] for order in orders for path in order.files})
    return " ".join(endings)


def _fate(orders: Sequence[Order]) -> str:
    """What became of the purchases that the fault was aimed at."""
    hit = [order for order in orders if order.hit]
    whole = sum(order.shipment is not None and not order.failures and order.attempts == 1 for order in hit)
    later = sum(order.shipment is not None and bool(order.failures) and order.attempts == 1 for order in hit)
    again = sum(order.shipment is not None and order.attempts > 1 for order in hit)
    people = sum(order.for_person for order in hit)
    told = (
        (whole, "booked once"),
        (later, "booked once, known later"),
        (again, "proved not booked, then booked once"),
        (people, "for a person"),
        (len(hit) - whole - later - again - people, "still open"),
    )
    fate = ", ".join(f"{count} {what}" for count, what in told if count)
    return f"{len(hit)} hit: {fate}" if hit else ""


def _cancelling(story: Story) -> Iterator[str]:
    done = [
        f"{order.account} {order.reference} {str(order.cancelled.outcome).replace('_', ' ')}"
        for order in story.orders
        if order.cancelled is not None
    ]
    without = [a for a, own in _by_account(story.orders) if not any(order.cancelled is not None for order in own)]
    none = f" (none at {', '.join(without)})" if without else ""
    yield f"cancelled: {', '.join(done)}{none}"


def _tracking(story: Story) -> Iterator[str]:
    yield f"{story.moved_h} hours later:"
    for push in story.pushes:
        if push.way == "pushed":
            same = {True: ", and a poll says the same", False: ", and a poll says otherwise", None: ""}[push.agree]
            refused = f", {push.refused} refused" if push.refused else ""
            yield (
                f"{_INDENT}{push.account}: {push.deliveries} pushes, out of order and twice each{refused}: "
                f"{push.events} events{same}"
            )
        elif push.way == "polled":
            yield f"{_INDENT}{push.account}: polled, {push.events} events"
        else:
            yield f"{_INDENT}{push.account}: no tracking in its interface"
    rows = [
        {"order": order.reference, "number": number, "way": _way(timeline)}
        for order in story.orders
        for number, timeline in order.timelines.items()
    ]
    yield from _rows(("order", "number", "way"), rows)


def _way(timeline: Timeline) -> str:
    """The milestones with day and hour as the carrier printed them."""
    steps = [f"{str(entry.milestone).replace('_', ' ')} {entry.at.local:%d %H:%M}" for entry in timeline.entries]
    return " > ".join(steps) or str(timeline.milestone)


def _comparison(story: Story) -> Iterator[str]:
    if not story.naive:
        return
    yield f"the same orders and {story.fault}, with a client that sends again on any error (three times at most):"
    rows = [
        {
            "account": one.account,
            "bookings": f"{one.bookings} bookings for {one.orders} orders",
            "answers": f"{one.answered} with a label in hand",
        }
        for one in story.naive
    ]
    yield from _rows(("account", "bookings", "answers"), rows)
    bookings, orders = sum(one.bookings for one in story.naive), sum(one.orders for one in story.naive)
    labels = sum(one.answered for one in story.naive)
    twice = f": {bookings - orders} too many, and nobody told" if bookings > orders else ""
    yield f"{_INDENT}together {bookings} bookings for {orders} orders, {labels} with a label in hand{twice}"


def _by_account(orders: Sequence[Order]) -> list[tuple[str, list[Order]]]:
    found: dict[str, list[Order]] = {}
    for order in orders:
        found.setdefault(order.account, []).append(order)
    return list(found.items())


def _rows(names: Sequence[str], rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Aligned, indented, without a head."""
    kept = [name for name in names if any(row.get(name) for row in rows)]
    for line in aligned(kept, rows).splitlines()[1:]:
        yield f"{_INDENT}{line}"
