"""The admin interface of a simulator: JSON over HTTP under ``/_sim/``. Faults never touch it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import attrs

from .calls import BadCallError, Call, Reply
from .engine import RequestRecord
from .faults import FAULTS, Fault
from .posting import is_loopback
from .push_faults import PUSH_FAULTS, PushFault
from .pushing import Delivery
from .records import NotInBooksError
from .triggering import Trigger

if TYPE_CHECKING:
    from .simulator import Simulator

__all__ = ["ADMIN", "PAGES", "Admin"]

ADMIN: Final = "/_sim/"
Page = Callable[["Admin", Call], Awaitable[object]]


class Admin:
    """Answers the admin requests of one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def answer(self, call: Call) -> Reply:
        """One admin request: 404 for an unknown page, 405 for an unknown method, 400 with a reason for bad input."""
        if not is_loopback(f"http://{urlsplit(call.base_url).netloc}/"):
            return Reply.json({"error": "asked under a name that is not loopback"}, 403)
        page, _, rest = call.path.removeprefix(ADMIN).partition("/")
        methods = PAGES.get(page)
        if methods is None:
            return Reply.json({"error": f"no page {page}", "pages": sorted(name for name in PAGES if name)}, 404)
        if call.method not in methods:
            return Reply.json({"error": f"{page} answers {', '.join(methods)}"}, 405)
        try:
            return Reply.json(await methods[call.method](self, attrs.evolve(call, params={"rest": rest})))
        except NotInBooksError as absent:
            return Reply.json({"error": str(absent)}, 404)
        except (BadCallError, ValueError, TypeError) as wrong:
            return Reply.json({"error": str(wrong)}, 400)

    async def overview(self, call: Call) -> object:
        """Who answers, its time, and how many bookings, labels and requests there are."""
        simulator = self._simulator
        live = sum(booking.live for booking in simulator.bookings())
        return {
            "carrier": simulator.dialect.code,
            "url": simulator.url,
            "now": simulator.clock.now(),
            "bookings": len(simulator.bookings()),
            "live": live,
            "labels": sum(count.labels for count in simulator.counts().values()),
            "requests": len(simulator.requests()),
            "pages": sorted(name for name in PAGES if name),
        }

    async def bookings(self, call: Call) -> object:
        """Every booking, live and voided; ``?mark=``, ``reference=``, ``account=`` and ``state=`` choose among them."""
        query = call.query
        wanted = {name: query[name] for name in ("mark", "reference", "account", "state") if name in query}
        return [
            _plain(booking)
            for booking in self._simulator.bookings()
            if all(getattr(booking, name) == value for name, value in wanted.items())
        ]

    async def requests(self, call: Call) -> object:
        """The latest requests with their operation, status and faults; headers and bodies stay out."""
        return [_request(record) for record in self._simulator.requests()]

    async def counters(self, call: Call) -> object:
        """Arrivals, bookings, live ones, labels and voids under each mark, or each reference with ``?by=reference``."""
        counts = self._simulator.counts(call.query.get("by", "mark"))
        return {name: attrs.asdict(count) for name, count in counts.items()}

    async def invoice(self, call: Call) -> object:
        """What the carrier would bill now, line by line, and the totals by currency."""
        lines = self._simulator.invoice()
        totals: dict[str, Decimal] = {}
        for line in lines:
            totals[line.currency] = totals.get(line.currency, Decimal(0)) + line.amount
        return {"lines": [_plain(line) for line in lines], "totals": totals}

    async def parcels(self, call: Call) -> object:
        """Every parcel with what has happened to it, or one: ``parcels/NUMBER``."""
        world = self._simulator.world
        parcels = [world.parcel(call.params["rest"])] if call.params["rest"] else world.parcels()
        return [
            {
                "number": parcel.number,
                "booking_id": parcel.booking_id,
                "journey": parcel.journey.name,
                "steps": [_plain(step) for step in parcel.steps_until_now()],
            }
            for parcel in parcels
        ]

    async def send_parcel(self, call: Call) -> object:
        """Send a parcel another way: ``parcels/NUMBER`` with ``{"journey": NAME}``."""
        self._simulator.world.set_journey(call.params["rest"], str(_object(call).get("journey", "")))
        return await self.parcels(call)

    async def faults(self, call: Call) -> object:
        """The faults that wait, each with its id and how often it has hit; ``faults/kinds`` has every kind there is."""
        if call.params["rest"] == "kinds":
            return [_plain(kind) for kind in FAULTS.values()]
        box = self._simulator.faults
        return [
            {"id": fault_id, "hits": box.hits(fault_id), **fault.to_data()} for fault_id, fault in box.pending().items()
        ]

    async def add_faults(self, call: Call) -> object:
        """Add a fault, or a list of them: ``{"fault": "slow", "operation": "rates", "times": 2, "after_s": 0.5}``."""
        rows = call.json()
        faults = [Fault.of(_mapping(row)) for row in (rows if isinstance(rows, list) else [rows])]
        return {"ids": [self._simulator.misbehave(fault) for fault in faults]}

    async def remove_faults(self, call: Call) -> object:
        """Take one back (``faults/ID``), or all."""
        box = self._simulator.faults
        if not call.params["rest"]:
            box.clear()
        elif not box.remove(int(call.params["rest"])):
            raise NotInBooksError(f"no fault {call.params['rest']}")
        return await self.faults(attrs.evolve(call, params={"rest": ""}))

    async def clock(self, call: Call) -> object:
        """The carrier's own time."""
        return {"now": self._simulator.clock.now()}

    async def advance(self, call: Call) -> object:
        """Move its time on: ``{"advance_s": SECONDS}``; with ``order`` and ``copies`` of the pushes that fall due."""
        data = _object(call)
        seconds = float(data.get("advance_s", 0))
        sent = await self._simulator.advance_in_loop(seconds, **_manner(data))
        return {"now": self._simulator.clock.now(), "pushed": [_delivery(each) for each in sent]}

    async def pushes(self, call: Call) -> object:
        """Every push so far, with its attempts."""
        return [_delivery(each) for each in self._simulator.pushes()]

    async def push_again(self, call: Call) -> object:
        """Send pushes again: ``pushes/redeliver``, ``pushes/shuffle``; with ``{"ids": [1, 2], "copies": 2}`` or all."""
        data = _object(call)
        manners = {"redeliver": _manner(data), "shuffle": {**_manner(data), "order": "shuffled"}}
        manner = manners.get(call.params["rest"])
        if manner is None:
            raise NotInBooksError(f"pushes are asked to redeliver or shuffle, not {call.params['rest']}")
        sent = await self._simulator.redeliver_in_loop(data.get("ids"), **manner)
        return [_delivery(each) for each in sent]

    async def push_faults(self, call: Call) -> object:
        """What goes wrong with pushes, by id, and how often it has hit; ``push-faults/kinds`` has every kind."""
        if call.params["rest"] == "kinds":
            return [{"name": name, "meaning": meaning} for name, meaning in PUSH_FAULTS.items()]
        rows = self._simulator.push_faults.all()
        return [
            {"id": fault_id, "hits": hits, "fault": fault.name, **_plain(attrs.asdict(fault, filter=_but_name))}
            for fault_id, (fault, hits) in rows.items()
        ]

    async def add_push_faults(self, call: Call) -> object:
        """Let pushes go wrong from now on: ``{"fault": "lost", "hit": 1, "of": 5}``, or a list of such."""
        rows = call.json()
        faults = [PushFault.of_data(_mapping(row)) for row in (rows if isinstance(rows, list) else [rows])]
        return {"ids": [self._simulator.push_faults.add(fault) for fault in faults]}

    async def remove_push_faults(self, call: Call) -> object:
        """Take one back (``push-faults/ID``), or all."""
        box = self._simulator.push_faults
        if not call.params["rest"]:
            box.clear()
        elif not box.remove(int(call.params["rest"])):
            raise NotInBooksError(f"no fault {call.params['rest']} of pushes")
        return await self.push_faults(attrs.evolve(call, params={"rest": ""}))

    async def trigger(self, call: Call) -> object:
        """Let a milestone happen now and push it: ``{"milestone": "delivered", "late": true, "duplicate": true}``."""
        sent = await self._simulator.trigger_in_loop(Trigger.of(_object(call)))
        return [_delivery(each) for each in sent]

    async def reset(self, call: Call) -> object:
        """Forget bookings, requests, faults and pushes; the time stays."""
        self._simulator.reset_in_loop()
        return await self.overview(call)


#: Every page under ``/_sim/``: its methods, and what answers them.
PAGES: Final[Mapping[str, Mapping[str, Page]]] = {
    "": {"GET": Admin.overview},
    "bookings": {"GET": Admin.bookings},
    "requests": {"GET": Admin.requests},
    "counters": {"GET": Admin.counters},
    "invoice": {"GET": Admin.invoice},
    "parcels": {"GET": Admin.parcels, "POST": Admin.send_parcel},
    "faults": {"GET": Admin.faults, "POST": Admin.add_faults, "DELETE": Admin.remove_faults},
    "clock": {"GET": Admin.clock, "POST": Admin.advance},
    "pushes": {"GET": Admin.pushes, "POST": Admin.push_again},
    "push-faults": {"GET": Admin.push_faults, "POST": Admin.add_push_faults, "DELETE": Admin.remove_push_faults},
    "trigger": {"POST": Admin.trigger},
    "reset": {"POST": Admin.reset},
}


def _object(call: Call) -> Mapping[str, Any]:
    return _mapping(call.json())


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadCallError("expected a JSON object")
    return {name: float(each) if isinstance(each, Decimal) else each for name, each in value.items()}


def _manner(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "order": str(data.get("order", "in_order")),
        "copies": int(data.get("copies", 1)),
        "at_once": int(data.get("at_once", 1)),
    }


def _but_name(field: attrs.Attribute[Any], _: object) -> bool:
    return field.name != "name"


def _request(record: RequestRecord) -> dict[str, object]:
    """Headers and bodies stay out: they hold credentials and people."""
    call = record.call
    return {
        "id": call.id,
        "at": call.received_at,
        "method": call.method,
        "path": call.path,
        "operation": record.operation,
        "purchase": record.purchase,
        "mark": record.mark,
        "reference": record.reference,
        "faults": record.faults,
        "status": record.status,
        "committed": record.committed,
        "error": record.error,
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "subscription": delivery.subscription_id,
        "number": delivery.step.number,
        "step": delivery.step.kind.value,
        "at": delivery.step.at,
        "faults": delivery.faults,
        "accepted": delivery.accepted,
        "attempts": [_plain(attempt) for attempt in delivery.attempts],
        "next_at": delivery.next_at,
    }


def _plain(value: Any) -> Any:
    """A record as JSON values, without the fields whose repr is off (credentials, raw requests)."""
    if attrs.has(type(value)):
        return {field.name: _plain(getattr(value, field.name)) for field in attrs.fields(type(value)) if field.repr}
    if isinstance(value, str | int | float | bool | Decimal | date) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, Iterable):
        return [_plain(each) for each in value]
    return getattr(value, "value", str(value))
