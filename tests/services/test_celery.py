"""The example for Celery over a real broker: workers are killed in the middle, and every order is one booking."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from shipkit import SqliteStore
from shipkit.codec import to_dict
from shipkit.ports import Phase
from shipkit.registry import Registry
from shipkit.simulator import Simulator
from tests.benchmarks.requests import american

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.services]
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "celery"
ORDERS = 30
Worker = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(Registry().simulator("easypost")()) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, sim: Simulator, rabbitmq: str, queue: str) -> dict[str, str]:
    (tmp_path / "shipkit.toml").write_text(
        f'[accounts.shop]\ncarrier = "easypost"\napi_key = "EZTK-test"\nbase_url = "{sim.url}"\n'
        f'[store]\npath = "{tmp_path / "shipkit.db"}"\n'
        "[settings]\nsend_window_s = 1\nexchange_max_s = 2\n"  # what a killed worker holds is soon looked at
    )
    (tmp_path / "shipkit.toml").chmod(0o600)
    (tmp_path / "labels").mkdir()
    return {
        "SHIPKIT_CONFIG": str(tmp_path / "shipkit.toml"),
        "BROKER": rabbitmq,
        "QUEUE": queue,
        "LABELS": str(tmp_path / "labels"),
    }


@pytest.fixture
def worker(settings: dict[str, str], tmp_path: Path) -> Iterator[Worker]:
    started: list[subprocess.Popen[bytes]] = []
    log = (tmp_path / "worker.log").open("ab")

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--app", "tasks", "worker", "--pool", "solo", "--without-gossip"]
        options = ["--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
        environment = {**os.environ, **settings, "PYTHONPATH": str(EXAMPLE)}
        started.append(subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
    log.close()


@pytest.fixture
def tasks(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("celery")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.delitem(sys.modules, "tasks", raising=False)
    import tasks

    yield tasks
    with tasks.app.connection_for_write() as connection:
        connection.default_channel.queue_delete(settings["QUEUE"])
    tasks.app.close()


def doubted(tmp_path: Path) -> set[str]:
    with closing(SqliteStore(tmp_path / "shipkit.db")) as store:
        return {row.key for row in store.entries(phases=[Phase.IN_DOUBT], limit=ORDERS)}


def written(settings: dict[str, str]) -> set[str]:
    return {path.name for path in Path(settings["LABELS"]).iterdir() if not path.name.startswith(".")}


def test_orders_from_a_queue_are_booked_once_each_though_workers_are_killed(
    sim: Simulator, settings: dict[str, str], worker: Worker, tasks: Any, tmp_path: Path
) -> None:
    request = to_dict(attrs.evolve(american(), packages=american().packages[:1], service="usps/Priority"))
    sim.add_fault("slow", operation="create_shipment", times=None, after_s=0.1)
    orders = [f"order-{number}" for number in range(ORDERS)]
    for order in orders:
        for _ in range(2):  # the shop's button was pressed twice
            tasks.ship.delay(order, "shop", request)
    draw = random.Random(7)
    until = time.monotonic() + 120
    running, kills = worker(), 0
    next_kill = time.monotonic() + 4

    while len(written(settings)) < ORDERS and time.monotonic() < until:
        time.sleep(0.1)
        if kills < 4 and written(settings) and time.monotonic() > next_kill:
            running.send_signal(signal.SIGKILL)
            running.wait()
            running, kills = worker(), kills + 1
            next_kill = time.monotonic() + 2.5 + draw.random()
        if kills == 4 and len(written(settings)) + len(doubted(tmp_path)) == ORDERS:
            break

    # A worker that died between the claim and the carrier leaves a doubt, which only the settling time can end.
    unsettled = doubted(tmp_path)
    assert kills >= 2
    assert len(unsettled) <= kills
    assert written(settings) == {f"{order}-0" for order in orders if order not in unsettled}
    assert len([booking for booking in sim.bookings() if booking.state.value == "live"]) == ORDERS - len(unsettled)
