"""Servers that this machine may offer; what is not there is skipped, and the reason says what is missing."""

from __future__ import annotations

import os
import socket
import uuid
from urllib.parse import urlsplit

import pytest

RABBITMQ = "amqp://guest:guest@127.0.0.1:5672//"


def _answers(url: str) -> bool:
    where = urlsplit(url)
    try:
        socket.create_connection((where.hostname or "", where.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def rabbitmq() -> str:
    """The address of a RabbitMQ."""
    if not _answers(RABBITMQ):
        pytest.skip("no RabbitMQ at 127.0.0.1:5672")
    return RABBITMQ


@pytest.fixture(scope="session")
def postgresql() -> str:
    """What libpq needs to reach a PostgreSQL in which schemas may be made."""
    if not _answers("postgresql://127.0.0.1:5432"):
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    return f"host=127.0.0.1 user={os.environ.get('PGUSER', 'postgres')} dbname={os.environ.get('PGDATABASE', 'test')}"


@pytest.fixture
def queue() -> str:
    """The name of a queue that nobody else uses."""
    return f"shipkit-test-{uuid.uuid4().hex[:12]}"
