"""Runs inside ``odoo shell``: one part of the campaign of deliveries, by the variable PART.

``prepare`` makes COUNT deliveries, ``work`` validates those of one worker in batches, ``settle`` lets time go by for
the ledger and runs the recovery, ``report`` says what Odoo shows. Each writes a line of JSON after ``RESULT ``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from functools import wraps
from typing import Any

from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from stage import Stage, later, request, shown, validate

import shipkit

REGISTRY = Registry(env.cr.dbname)  # noqa: F821 - given by the shell


def tell(**seen: object) -> None:
    sys.stdout.write("RESULT " + json.dumps(seen) + "\n")
    sys.stdout.flush()


def waiting(own: Any) -> list[int]:
    """The deliveries of the campaign that are not done, or have no number."""
    found = own["stock.picking"].search([("origin", "=", "campaign"), "|", ("state", "!=", "done"),
                                         ("carrier_tracking_ref", "=", False)], order="id")  # fmt: skip
    ids: list[int] = found.ids
    return ids


def prepare() -> None:
    stage = request(REGISTRY, lambda own: Stage(own, "shipkit"))
    count = int(os.environ["COUNT"])
    for start in range(0, count, 50):

        def some(own: Any, size: int = min(50, count - start)) -> None:
            for _ in range(size):
                stage.picking(own).origin = "campaign"

        request(REGISTRY, some)
    tell(prepared=count)


class Watch:
    """How long the calls of shipkit take, inside a request."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    def over(self, method: Any) -> Any:
        @wraps(method)
        def timed(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*given, **named)
            finally:
                self.seconds += time.perf_counter() - began
                self.calls += 1

        return timed


def work() -> None:
    worker, workers, size = (int(os.environ[name]) for name in ("WORKER", "WORKERS", "BATCH"))
    watch = Watch()
    for name in ("create_shipment", "create_shipment_by"):
        setattr(shipkit.Client, name, watch.over(getattr(shipkit.Client, name)))
    mine = [one for one in request(REGISTRY, waiting) if one % workers == worker]
    errors: Counter[str] = Counter()
    began = time.perf_counter()
    for start in range(0, len(mine), size):
        batch = mine[start : start + size]
        try:
            request(REGISTRY, lambda own, batch=batch: validate(own, batch))
        except UserError as error:
            errors[str(error)[:60]] += 1
    took = time.perf_counter() - began
    tell(worker=worker, took_s=took, in_shipkit_s=watch.seconds, calls=watch.calls, deliveries=len(mine), errors=errors)


def settle() -> None:
    later(REGISTRY)
    tell(waiting=len(request(REGISTRY, waiting)))


def report() -> None:
    def all_of(own: Any) -> list[dict[str, Any]]:
        return shown(own, own["stock.picking"].search([("origin", "=", "campaign")]).ids)

    rows = request(REGISTRY, all_of)
    states = Counter(row["state"] for row in rows)
    tell(states=states, labels=sum(row["labels"] for row in rows),
         with_one_label=sum(row["labels"] == 1 for row in rows),
         with_a_number=sum(bool(row["ref"]) for row in rows), activities=sum(row["activities"] for row in rows),
         numbers=len({number for row in rows for number in row["ref"].split(",") if number}))  # fmt: skip


{"prepare": prepare, "work": work, "settle": settle, "report": report}[os.environ["PART"]]()
