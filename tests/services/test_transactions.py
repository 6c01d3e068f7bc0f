"""The example for a host's own transactions: rolled back, run again, crossed by others, and still one label each."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import Client
from shipkit.registry import Registry
from shipkit.simulator import Simulator
from shipkit.store import HostStore
from tests.benchmarks.requests import american

pytestmark = [pytest.mark.slow, pytest.mark.services]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "transactions"
REQUEST = attrs.evolve(american(), packages=american().packages[:1], service="usps/Priority")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("psycopg2")
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.delitem(sys.modules, "shop", raising=False)
    import shop

    return shop


@pytest.fixture
def database(shop: Any, postgresql: str) -> Iterator[Any]:
    schema = f"shipkit_{uuid.uuid4().hex[:12]}"
    made = shop.Database(f"{postgresql} options='-csearch_path={schema}'")
    with made.cursor() as cursor:
        cursor.execute(
            f"CREATE SCHEMA {schema};"
            "CREATE TABLE shop_order (name text PRIMARY KEY, state text DEFAULT 'new', number text, note text);"
            "CREATE TABLE shop_label (name text PRIMARY KEY, content bytea);"
            "INSERT INTO shop_order (name) VALUES ('A1')"
        )
    yield made
    with made.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(Registry().simulator("easypost")()) as running:
        yield running


@pytest.fixture
def client(sim: Simulator, database: Any) -> Iterator[Client]:
    carrier = Registry().carrier("easypost")(api_key="EZTK-test", base_url=sim.url)
    with Client({"shop": carrier}, store=HostStore(database.cursor)) as made:
        yield made


def order(database: Any) -> tuple[str, str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT state, number FROM shop_order")
        found: tuple[str, str] = cursor.fetchone()
        return found


def labels(database: Any) -> list[bytes]:
    with database.cursor() as cursor:
        cursor.execute("SELECT content FROM shop_label")
        return [bytes(row[0]) for row in cursor.fetchall()]


def agree(sim: Simulator, database: Any) -> None:
    """One booking, and the host holds its number and its label."""
    [booking] = sim.bookings()
    state, number = order(database)
    assert state == "done"
    assert number in booking.numbers
    assert len(labels(database)) == 1


def test_what_was_booked_before_a_rollback_is_adopted_by_the_next_try(
    shop: Any, database: Any, client: Client, sim: Simulator
) -> None:
    def then_fail(cursor: Any) -> None:
        shop.validate(client, cursor, "A1", REQUEST)
        raise RuntimeError("something later in the request")

    with pytest.raises(RuntimeError):
        database.retrying(then_fail)
    assert order(database) == ("new", None)

    database.retrying(lambda cursor: shop.validate(client, cursor, "A1", REQUEST))

    agree(sim, database)


def test_a_transaction_that_the_database_has_run_again_books_once(
    shop: Any, database: Any, client: Client, sim: Simulator
) -> None:
    tries = []

    def work(cursor: Any) -> None:
        cursor.execute("SELECT note FROM shop_order")  # takes the snapshot
        if not tries:
            with database.cursor() as other:
                other.execute("UPDATE shop_order SET note = 'touched by somebody else'")
        tries.append(1)
        shop.validate(client, cursor, "A1", REQUEST)

    database.retrying(work)

    assert len(tries) == 2
    agree(sim, database)


def test_workers_that_validate_one_order_together_book_once(
    shop: Any, database: Any, client: Client, sim: Simulator
) -> None:
    sim.add_fault("slow", operation="create_shipment", times=None, after_s=0.2)
    failures: list[BaseException] = []
    together = threading.Barrier(3)

    def worker() -> None:
        together.wait()
        try:
            database.retrying(lambda cursor: shop.validate(client, cursor, "A1", REQUEST))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    agree(sim, database)


def test_a_row_that_the_host_holds_locked_does_not_stop_the_ledger(
    shop: Any, database: Any, client: Client, sim: Simulator
) -> None:
    def work(cursor: Any) -> None:
        cursor.execute("SELECT 1 FROM shop_order FOR UPDATE")
        shop.validate(client, cursor, "A1", REQUEST)

    database.retrying(work)

    agree(sim, database)
