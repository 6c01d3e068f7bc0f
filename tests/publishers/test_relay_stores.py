"""The relay over stores that processes share: they take one outbox from each other, and are killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipkit import SqliteStore
from shipkit.publishers import Relay, read_cloud_event
from shipkit.settings import Settings
from tests.publishers.outbox import announce, in_order_after_dedup
from tests.publishers.test_relay import Broker

SCOPES = [f"acme:{number % 9}" for number in range(90)]
WHOLE = {f"acme:{number}": list(range(1, 11)) for number in range(9)}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "sqlite":
        made: Any = SqliteStore(tmp_path / "store.db")
    else:
        made = request.getfixturevalue("postgres_store")
    yield made
    made.close()


@pytest.fixture
def postgres_store() -> Iterator[Any]:
    psycopg = pytest.importorskip("psycopg")
    from shipkit import PostgresStore

    name = f"shipkit_test_relay_{os.getpid()}"
    where = f"host=127.0.0.1 user={os.environ.get('PGUSER', 'postgres')} dbname={os.environ.get('PGDATABASE', 'test')}"
    try:
        connection = psycopg.connect(where, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    with connection:
        connection.execute(f"CREATE SCHEMA {name}")
        try:
            yield PostgresStore(f"{where} options='-c search_path={name}'")
        finally:
            connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.mark.slow
def test_relays_that_lose_their_leases_to_each_other_deliver_everything_in_order(store: Any) -> None:
    announce(store.events, SCOPES)
    draw = random.Random(7)
    weights = {"ok": 20, "refused": 1, "later": 1, "down": 1, "cut": 1, "lost": 1}
    broker = Broker(iter(draw.choices(list(weights), list(weights.values()), k=300)))
    # A lease of no length to speak of, as if every round were held up for longer than it holds.
    settings = Settings(
        relay_batch=10, relay_lease_s=0.001, relay_attempts=10_000, backoff_first_s=0.01, backoff_max_s=0.05
    )
    stop = threading.Event()
    relays = [Relay(store.events, {"d": broker}, settings) for _ in range(2)]
    threads = [threading.Thread(target=one.run, args=(stop,), kwargs={"idle_s": 0.01}) for one in relays]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + 120
        while any(one.depth for one in store.events.queues() if one.name == "outbox"):
            assert time.monotonic() < until
            time.sleep(0.05)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert in_order_after_dedup(broker.received) == WHOLE


_RELAY = """
import os, sys, threading
from shipkit import SqliteStore
from shipkit.publishers import HostCallback, Relay
from shipkit.settings import Settings

def append(told):
    os.write(out, told.body + b"\\n")  # one write: a line is there or not

out = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
store = SqliteStore(sys.argv[1])
print("ready", flush=True)
Relay(store.events, {"d": HostCallback(append)}, Settings(relay_batch=7, relay_lease_s=0.2)).run(
    threading.Event(), idle_s=0.02
)
"""


@pytest.mark.slow
@pytest.mark.process
def test_a_relay_that_is_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    out, path = tmp_path / "out", tmp_path / "store.db"
    draw = random.Random(11)
    with closing(SqliteStore(path)) as store:
        announce(store.events, SCOPES[:45])
        for index in range(6):
            process = subprocess.Popen([sys.executable, "-c", _RELAY, str(path), str(out)], stdout=subprocess.PIPE)
            with process:
                assert process.stdout is not None
                process.stdout.readline()
                if index == 5:
                    announce(store.events, SCOPES[45:])
                    until = time.monotonic() + 120
                    while any(one.depth for one in store.events.queues() if one.name == "outbox"):
                        assert time.monotonic() < until
                        time.sleep(0.05)
                else:
                    time.sleep(draw.random() * 0.2)
                process.send_signal(signal.SIGKILL)
    assert in_order_after_dedup([read_cloud_event(line) for line in out.read_bytes().splitlines()]) == WHOLE
