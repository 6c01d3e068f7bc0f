"""A host with transactions that may roll back, run again and cross one another, such as Odoo, ships each order once.

The ledger stands in the host's own database and works in short transactions of its own. What the host does in its
transaction may be lost; what the carrier did is not, and the next try is handed the same label.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
import psycopg2.extensions

from shipkit import Client, InProgressError, ShipmentRequest

T = TypeVar("T")
_AGAIN = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected, InProgressError)


class Database:
    """What Odoo calls a registry: cursors, each in a transaction of its own, at REPEATABLE READ."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor; committed at the end, rolled back after an exception."""
        with closing(psycopg2.connect(self._dsn)) as connection:
            connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_REPEATABLE_READ)
            with connection, connection.cursor() as cursor:
                yield cursor

    def retrying(self, work: Callable[[Any], T], tries: int = 5) -> T:
        """*work* in a transaction; all of it again when the database, or the ledger, says "not now"."""
        for left in reversed(range(tries)):
            try:
                with self.cursor() as cursor:
                    return work(cursor)
            except _AGAIN:
                if not left:
                    raise
                time.sleep(0.2 * (tries - left))
        raise AssertionError("unreachable")


def validate(client: Client, cursor: Any, order: str, request: ShipmentRequest) -> None:
    """What a button does: book, note the number and the label, all of it in the host's transaction."""
    shipment = client.create_shipment(request, account="shop", key=order)
    cursor.execute(
        "UPDATE shop_order SET state = 'done', number = %s WHERE name = %s",
        (shipment.tracking_numbers[0].value, order),
    )
    for document in shipment.documents:
        cursor.execute(
            "INSERT INTO shop_label (name, content) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (order, psycopg2.Binary(document.content)),
        )
