"""``shipkit serve`` as several processes on PostgreSQL: a push comes in at one, and its state goes out of another."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipkit import Client
from shipkit.config import loaded
from shipkit.webhooks import preset
from tests.service.test_serving import SECRET, Running, until

pytestmark = [pytest.mark.services, pytest.mark.process, pytest.mark.slow]

REDIS = "redis://127.0.0.1:6379/0"
CONFIG = """
[accounts.shop]
carrier = "easypost"
api_key = "EZTK-not-a-real-key"
webhook_secret = {{ env = "PUSH_SECRET" }}
base_url = "http://127.0.0.1:9"

[store]
kind = "postgres"
url = "{url}"
schema = "{schema}"

[service]
port = 0
idle_s = 0.05
poll_idle_s = 0.1

[destinations.erp]
kind = "redis"
url = "{redis}"
stream = "{schema}"
"""


@pytest.fixture
def place(postgresql: str) -> Iterator[tuple[str, Any]]:
    """A schema and a stream of its name, both new."""
    psycopg, redis = pytest.importorskip("psycopg"), pytest.importorskip("redis")
    try:
        socket.create_connection(("127.0.0.1", 6379), 2).close()
    except OSError:
        pytest.skip("no Redis at 127.0.0.1:6379")
    name = f"shipkit_serve_{secrets.token_hex(6)}"
    with closing(redis.Redis.from_url(REDIS)) as server:
        yield name, server
        server.delete(name)
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def test_each_part_in_a_process_of_its_own(
    place: tuple[str, Any], postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, server = place
    text = CONFIG.format(url=postgresql, schema=schema, redis=REDIS)
    running: dict[str, Running] = {}
    try:
        for part in ("endpoint", "worker", "relay"):
            (tmp_path / part).mkdir()
            running[part] = Running(tmp_path / part, "--only", part, config=text)
        endpoint = running["endpoint"]
        endpoint.port()
        config = loaded(endpoint.folder / "shipkit.toml", environ={**os.environ, "PUSH_SECRET": SECRET})
        with (
            closing(config.store()) as store,
            Client(config.accounts, store=store, destinations=("erp",)) as client,
        ):
            client.events.follow("EZ1000000001", account="shop", key="order-1")
            body = push()
            scheme: Any = preset("easypost")
            signed = {"X-Hmac-Signature": scheme.signature(body, SECRET)}
            assert endpoint.ask(client.events.webhook_paths()["shop"], body, **signed)[0] == 200
            until(lambda: client.events.timeline("EZ1000000001", account="shop").events)
        until(lambda: server.xlen(schema) >= 1)
        told = [json.loads(value) for _, row in server.xrange(schema) for value in row.values() if value[:1] == b"{"]
        assert "io.shipkit.milestone.entered.v1" in {each["type"] for each in told}
    finally:
        codes = {part: one.end() for part, one in running.items()}
    assert codes == dict.fromkeys(codes, 0)
    assert not any(SECRET in one.log.read_text() or "Traceback" in one.log.read_text() for one in running.values())


def push() -> bytes:
    """A tracker that has moved."""
    detail = {
        "object": "TrackingDetail", "message": "Arrived", "description": None, "status": "in_transit",
        "status_detail": "arrived_at_facility", "datetime": "2026-03-02T09:00:00Z", "source": "USPS",
        "carrier_code": None,
        "tracking_location": {"object": "TrackingLocation", "city": None, "state": None, "country": None, "zip": None},
    }  # fmt: skip
    tracker = {
        "id": "trk_1", "object": "Tracker", "mode": "test", "tracking_code": "EZ1000000001", "status": "in_transit",
        "status_detail": "arrived_at_facility", "carrier": "USPS", "tracking_details": [detail],
        "created_at": "2026-03-02T08:00:00Z", "updated_at": "2026-03-02T09:00:00Z",
    }  # fmt: skip
    event = {"object": "Event", "id": "evt_1", "mode": "test", "description": "tracker.updated", "result": tracker}
    return json.dumps(event).encode()
