"""Orders out of a queue that delivers at least once; the key makes a second delivery harmless.

    SHIPKIT_CONFIG=shipkit.toml BROKER=amqp://guest:guest@localhost// celery --app tasks worker

Every worker reads the same configuration, and so shares one store.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery

from shipkit import Client, InDoubtError, ShipkitError, ShipmentRequest
from shipkit.codec import from_dict

app = Celery("shop", broker=os.environ["BROKER"])
app.conf.update(
    task_acks_late=True,  # a task whose worker dies is delivered again
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_default_queue=os.environ.get("QUEUE", "shipments"),
    beat_schedule={"recover": {"task": "tasks.recover", "schedule": 60}},
)


@cache
def client() -> Client:
    """One client for each worker process: made after the fork, kept for its connections and tokens."""
    return Client.from_config()


@app.task(bind=True, name="tasks.ship", max_retries=None)
def ship(self: Any, order: str, account: str, request: dict[str, Any]) -> None:
    """Book *request* once, however often this task is delivered, and write its labels."""
    try:
        shipment = client().create_shipment(from_dict(request, ShipmentRequest), account=account, key=order)
    except InDoubtError as doubt:
        if doubt.needs_person:
            raise  # `shipkit ledger list` has it; another delivery would only ask again
        raise self.retry(exc=doubt, eta=doubt.retry_at) from doubt
    except ShipkitError as error:
        if not error.retryable:
            raise  # the request or the account has to change first
        raise self.retry(exc=error, countdown=error.retry_after_s or 30) from error
    for number, document in enumerate(shipment.documents):
        write(Path(os.environ["LABELS"]) / f"{order}-{number}", document.content or b"")


@app.task(name="tasks.recover")
def recover() -> None:
    """Finish what no task asks for any more: doubts, labels that were late, cancellations."""
    client().recover(deadline_s=50)


def write(path: Path, content: bytes) -> None:
    """Whole or not at all: a worker may die here too, and the next delivery writes it again."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
