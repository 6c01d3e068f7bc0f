"""The course of the demo: quote, ship, cancel, move, follow, count."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from ...carrier import Cancels, Rates, able
from ...client import Client
from ...errors import InDoubtError, NotSupportedError, ShipkitError
from ...model import RateAnswer, RateRequest, ReturnRequest, ReturnShipment, Shipment, ShipmentRequest
from ...ports import Phase, Store
from ...shopping import CHEAPEST, FASTEST, choose
from ..orders.judging import judged, ordered
from ..orders.papers import Papers
from ..orders.results import status_of
from ..rows import Row
from . import following
from .naive import would_have_booked
from .stage import Stage, opened, orders, set_up
from .story import Closing, Order, Price, Story

__all__ = ["played"]

_TRIES: Final = 4
_SETTLED_S: Final = 20 * 60  # longer than a carrier's settle time, after which "not found" proves something
_WAY_H: Final = 84
_WAYS: Final = ("delivered", "second_attempt", "exception")
_TO_POINT: Final = "pickup_point"


def played(folder: Path, fault: str | None) -> Story:
    """Play the whole demo, with label files in *folder*; *fault* hits every second purchase of each carrier.

    Labels of the same orders that lie there from an earlier run are removed first.

    Raises:
        ShipkitError: a plugin is missing or broken, or an order of the file is not sound.
    """
    started = time.monotonic()
    story = Story(fault=fault, folder=folder)
    with set_up() as stage, opened(stage) as (client, store):
        rows = orders()
        _sweep(folder, rows)
        requests = {row.reference: ordered(row, stage.accounts.get(row.account)) for row in rows}
        story.orders = [
            Order(row=row, account=row.account, packages=len(_inner(requests[row.reference]).packages)) for row in rows
        ]
        _quote(stage, client, story)
        _aim(stage, story)
        naive = _beside(fault, lambda: would_have_booked(story.orders, requests, fault or ""))
        _ship(stage, client, store, story, requests)
        _cancel(stage, client, story)
        _send_on_their_way(stage, story, requests)
        story.pushes = following.followed(stage, client, story, _WAY_H)
        story.moved_h = _WAY_H
        story.naive = naive()
        story.closing = _counted(stage, story, store)
    story.seconds = time.monotonic() - started
    return story


def _inner(request: ShipmentRequest | ReturnRequest) -> ShipmentRequest:
    return request.shipment if isinstance(request, ReturnRequest) else request


def _beside(fault: str | None, work: Callable[[], Any]) -> Callable[[], Any]:
    """Run *work* in a thread of its own, if there is a fault to compare; what gives its result."""
    if fault is None:
        return lambda: ()
    pool = ThreadPoolExecutor(max_workers=1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return future.result


def _quote(stage: Stage, client: Client, story: Story) -> None:
    """One order, priced wherever there are prices."""
    row = story.orders[0].row
    request = judged(row, RateRequest, {name: row.data[name] for name in ("ship_from", "ship_to", "packages")}, None)
    able_to = [alias for alias, carrier in stage.accounts.items() if able(carrier, Rates)]
    answer = client.rates(request, accounts=able_to)
    story.quoted = row.reference
    story.prices = [_price(alias, answer) for alias in stage.accounts]
    if answer.quotes:
        best = choose(answer.quotes, CHEAPEST)
        story.choice = f"{best.account} {best.service} {best.total}"


def _price(alias: str, answer: RateAnswer) -> Price:
    own = [quote for quote in answer.quotes if quote.account == alias]
    if own:
        cheapest, fastest = choose(own, CHEAPEST).quote, _fastest(own)
        return Price(account=alias, offers=len(own), cheapest=f"{cheapest.service} {cheapest.total}", fastest=fastest)
    error = answer.errors.get(alias)
    if error is not None:
        return Price(account=alias, reason=status_of(error))
    return Price(account=alias, reason="no rates in its interface")


def _fastest(quotes: Sequence[Any]) -> str:
    try:
        quote = choose(quotes, FASTEST).quote
    except ShipkitError:  # nobody names a day
        return ""
    return f"{quote.service} {quote.total}"


def _aim(stage: Stage, story: Story) -> None:
    """The fault meets every second purchase of each account."""
    if story.fault is None:
        return
    for alias in stage.accounts:
        for order in [order for order in story.orders if order.account == alias][::2]:
            order.aimed = True


def _ship(stage: Stage, client: Client, store: Store, story: Story, requests: dict[str, Any]) -> None:
    """Book every order; those that end without a label are asked for again once a look-up can prove something."""
    papers = Papers(story.folder)
    _at_each(stage, story.orders, lambda order: _try(stage, client, order, requests, papers, story.fault))
    for _ in range(_TRIES - 1):
        open_orders = [order for order in story.orders if order.shipment is None and not order.for_person]
        if not open_orders:
            break
        stage.advance(_SETTLED_S)
        _at_each(stage, open_orders, lambda order: _try(stage, client, order, requests, papers, None))
    for order in story.orders:
        entry = store.ledger.read(order.row.key)
        order.attempts = entry.attempt if entry is not None else 0


def _at_each(stage: Stage, chosen: Iterable[Order], work: Callable[[Order], None]) -> None:
    """The accounts beside each other, the orders of one account after each other."""
    queues: dict[str, list[Order]] = {}
    for order in chosen:
        queues.setdefault(order.account, []).append(order)

    def through(queue: list[Order]) -> None:
        for order in queue:
            work(order)

    with ThreadPoolExecutor(max_workers=len(queues) or 1) as pool:
        list(pool.map(through, queues.values()))


def _try(
    stage: Stage, client: Client, order: Order, requests: dict[str, Any], papers: Papers, fault: str | None
) -> None:
    request = requests[order.reference]
    with stage.aimed(order.account, fault if order.aimed else None) as hit:
        try:
            if isinstance(request, ReturnRequest):
                back: ReturnShipment = client.create_return(request, account=order.account, key=order.row.key)
                order.shipment = back.shipment
            else:
                order.shipment = client.create_shipment(request, account=order.account, key=order.row.key)
        except ShipkitError as error:
            order.failures.append(status_of(error))
            order.for_person = isinstance(error, InDoubtError) and error.needs_person
        order.hit = order.hit or hit()
    if order.shipment is not None:
        order.files = papers.write(order.reference, order.row.key, _labels(order.shipment))


def _labels(shipment: Shipment) -> list[Any]:
    return [document for document in shipment.documents if document.content is not None]


def _cancel(stage: Stage, client: Client, story: Story) -> None:
    """The last order that goes out, at each account that can undo one."""
    for alias, carrier in stage.accounts.items():
        out = [o for o in story.orders if o.account == alias and o.shipment is not None and o.row.way_back is None]
        if out and able(carrier, Cancels):
            try:
                out[-1].cancelled = client.cancel_shipment(key=out[-1].row.key)
            except (InDoubtError, NotSupportedError) as error:
                out[-1].failures.append(f"cancelling: {status_of(error)}")


def _send_on_their_way(stage: Stage, story: Story, requests: dict[str, Any]) -> None:
    """Not every parcel has an easy way: some wait at a point, some meet nobody, some are held up."""
    for alias, simulator in stage.simulators.items():
        own = [order for order in story.orders if order.account == alias and order.cancelled is None]
        with simulator.world.lock:
            for place, order in enumerate(own):
                to_point = _inner(requests[order.reference]).service_point is not None
                way = _TO_POINT if to_point else _WAYS[place % len(_WAYS)]
                for number in order.numbers:
                    simulator.world.set_journey(number, way)


def _counted(stage: Stage, story: Story, store: Store) -> Closing:
    """Each figure from a source of its own: the carriers' books, the file of orders, the folder, the ledger."""
    references = {row.reference: _packages(row.data) for row in orders()}
    entries = [store.ledger.read(order.row.key) for order in story.orders]
    return Closing(
        bookings=sum(len(stage.bookings(alias)) for alias in stage.accounts),
        intents=len(references),
        labels=sum(len(_label_files(story.folder, name)) >= count for name, count in references.items()),
        for_person=sum(entry is not None and entry.phase is Phase.NEEDS_PERSON for entry in entries),
    )


def _packages(data: Any) -> int:
    return len(data["packages"])


def _sweep(folder: Path, rows: Sequence[Row]) -> None:
    """Labels of an earlier run would be counted with this one's."""
    for row in rows:
        for path in _label_files(folder, row.reference):
            path.unlink()


def _label_files(folder: Path, reference: str) -> list[Path]:
    """The labels of the order that lie in the folder."""
    name = re.compile(re.escape(reference) + r"-\d+\.\w+")
    return [path for path in folder.glob("*") if name.fullmatch(path.name)]
