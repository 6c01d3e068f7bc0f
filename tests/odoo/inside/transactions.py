"""Runs inside ``odoo shell``: the cases of transactions, with real cursors and threads, for two providers.

Writes one line of JSON, after ``RESULT ``, for each case.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from contextlib import nullcontext, suppress
from typing import Any

import naive
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from stage import HTTP, Stage, bookings, fault, later, request, shown, validate, voids

REGISTRY = Registry(env.cr.dbname)  # noqa: F821 - given by the shell


class LaterError(Exception):
    """What somebody's override raises after the delivery was validated."""


def tell(case: str, provider: str, **seen: object) -> None:
    sys.stdout.write("RESULT " + json.dumps({"case": case, "provider": provider, **seen}) + "\n")
    sys.stdout.flush()


def pickings(stage: Stage, count: int) -> list[int]:
    """*count* deliveries, committed and ready to be validated."""
    made: list[int] = request(REGISTRY, lambda own: [stage.picking(own).id for _ in range(count)])
    return made


def at_once(*works: Any) -> list[str]:
    """Each of *works* as a request in a thread of its own, begun together; what went wrong in each."""
    gate, wrong = threading.Barrier(len(works)), []

    def one(work: Any) -> None:
        gate.wait()
        try:
            request(REGISTRY, work)
        except Exception as error:
            wrong.append(type(error).__name__)

    threads = [threading.Thread(target=one, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(wrong)


def seen(ids: list[int], before: int) -> dict[str, Any]:
    """The carrier's new bookings, and what Odoo shows of each picking."""
    live = [row for row in bookings()[before:] if row["state"] == "live"]
    rows = request(REGISTRY, lambda own: shown(own, ids))
    known = {number for row in rows for number in row["ref"].split(",")}
    orphans = sum(not known.intersection(row["numbers"]) for row in live)
    return {"bought": len(live), "unknown_to_odoo": orphans, "pickings": rows}


def button(ids: list[int]) -> Any:
    return lambda own: validate(own, ids)


def later_failure(stage: Stage) -> dict[str, object]:
    """A later failure in the request, and the second click."""
    ids, before = pickings(stage, 1), len(bookings())

    def fails(own) -> None:
        validate(own, ids)
        raise LaterError

    with suppress(LaterError):
        request(REGISTRY, fails)
    first = seen(ids, before)
    request(REGISTRY, button(ids))
    return {**seen(ids, before), "after_the_failure": first}


def serialization(stage: Stage) -> dict[str, object]:
    """Another transaction writes a row that this one writes later: PostgreSQL has the request run again."""
    ids, before, tries = pickings(stage, 1), len(bookings()), []

    def crossed(own) -> None:
        tries.append(1)
        own["res.partner"].browse(stage.customer).read(["comment"])
        validate(own, ids)
        if len(tries) == 1:
            request(
                REGISTRY, lambda other: other["res.partner"].browse(stage.customer).write({"comment": "<p>other</p>"})
            )
        own["res.partner"].browse(stage.customer).write({"comment": f"<p>{len(tries)}</p>"})

    request(REGISTRY, crossed)
    return {**seen(ids, before), "tries": len(tries)}


def two_validate(stage: Stage) -> dict[str, object]:
    """Two workers validate one delivery."""
    ids, before = pickings(stage, 1), len(bookings())
    fault("slow", times=2, after_s=0.4)
    wrong = at_once(button(ids), button(ids))
    return {**seen(ids, before), "errors": wrong}


def two_send(stage: Stage) -> dict[str, object]:
    """Two workers press "Send to shipper"."""
    ids, before = pickings(stage, 1), len(bookings())
    request(REGISTRY, lambda own: own["stock.picking.type"].browse(stage.type).write({"print_label": False}))
    request(REGISTRY, button(ids))
    request(REGISTRY, lambda own: own["stock.picking.type"].browse(stage.type).write({"print_label": True}))

    def send(own) -> None:
        own["stock.picking"].browse(ids).send_to_shipper()

    fault("slow", times=2, after_s=0.4)
    wrong = at_once(send, send)
    return {**seen(ids, before), "errors": wrong}


def refused(stage: Stage) -> dict[str, object]:
    """A batch of two; the carrier turns the second away."""
    ids, before = pickings(stage, 2), len(bookings())
    request(REGISTRY, lambda own: own["stock.picking"].browse(ids[1]).write({"partner_id": stage.nobody(own).id}))
    with suppress(UserError):
        request(REGISTRY, button(ids))
    return seen(ids, before)


def unreachable(stage: Stage) -> dict[str, Any]:
    """A batch of two; the second call breaks off before the carrier has read it."""
    ids, before = pickings(stage, 2), len(bookings())
    fault("drop_before", skip=1, times=1)
    return {**_batch(ids), **seen(ids, before)}


def lost(stage: Stage) -> dict[str, Any]:
    """A batch of two; of the second the answer is lost, and no look-up finds it at once. Recovery looks later."""
    ids, before = pickings(stage, 2), len(bookings())
    fault("find_lags", skip=1, times=1, lag_s=1800)
    fault("drop_after_commit", skip=1, times=1)
    return {**_batch(ids), "at_once": seen(ids, before), **_later(ids, before)}


def _batch(ids: list[int]) -> dict[str, Any]:
    try:
        request(REGISTRY, button(ids))
    except Exception as raised:
        return {"error": type(raised).__name__}
    return {}


def _later(ids: list[int], before: int) -> dict[str, Any]:
    later(REGISTRY)
    return seen(ids, before)


def cancel_two(stage: Stage) -> dict[str, object]:
    """Two deliveries are cancelled together."""
    ids, before = pickings(stage, 2), len(bookings())
    request(REGISTRY, button(ids))
    asked = voids()
    request(REGISTRY, lambda own: own["stock.picking"].browse(ids).cancel_shipment())
    return {**seen(ids, before), "cancel_calls": voids() - asked}


CASES = (later_failure, serialization, two_validate, two_send, refused, unreachable, lost, cancel_two)

PROVIDERS = {"core's own pattern": naive.instead_of(REGISTRY), "shipkit": nullcontext()}

for provider, way in PROVIDERS.items():
    stage = request(REGISTRY, lambda own, provider=provider: Stage(own, provider))
    with way:
        for case in CASES:
            HTTP.delete("/_sim/faults")
            try:
                tell(case.__name__, provider, **case(stage))
            except Exception:
                tell(case.__name__, provider, broken=traceback.format_exc()[-1500:])
