"""Where the demo plays: its accounts and orders, a simulated carrier for each account, and one clock for all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import attrs

from ...carrier import Carrier
from ...client.observe import Observer
from ...errors import InputError
from ...model import TrustLevel
from ...registry import Registry
from ...settings import Settings
from ...simulator import FAULTS, Clock, Dialect, Simulator, World
from ...store import MemoryStore
from ..rows import Row, Target, read_rows

__all__ = [
    "FAULT_PARAMS",
    "Stage",
    "account_lines",
    "booked",
    "example",
    "known_fault",
    "most_trusted",
    "opened",
    "orders",
    "set_up",
]

_SOURCE_TREE: Final = Path(__file__).resolve().parents[4] / "examples"
_DAYS_BACK: Final = 5  # the longest journey of a simulated parcel, and a night

# Parameters that keep a fault short enough to watch.
FAULT_PARAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "slow": {"after_s": 0.3},
    "commit_late": {"after_s": 60.0},
    "drip": {"interval_s": 0.02, "size": 4096},
    "429": {"retry_after_s": 0},
    "503": {"retry_after_s": 0},
}


def example(name: str) -> bytes:
    """A file of the examples: out of the installed package, or out of the source tree.

    Raises:
        InputError: it is in neither.
    """
    packaged = files("shipkit.cli").joinpath("examples").joinpath(name)
    for place in (packaged, _SOURCE_TREE / name):
        if place.is_file():
            return place.read_bytes()
    raise InputError(f"examples/{name} is not installed with this copy of shipkit")


def orders() -> list[Row]:
    """The orders of the demo, in the order of the file."""
    from ...model import ShipmentRequest

    return read_rows(example("orders.csv"), Target(root=ShipmentRequest, returns=True), name="orders.csv")


def _accounts(registry: Registry) -> dict[str, Carrier]:
    from tempfile import TemporaryDirectory

    from ...config import loaded

    with TemporaryDirectory() as folder:
        path = Path(folder) / "demo.toml"
        path.touch(mode=0o600)
        path.write_bytes(example("demo.toml"))
        return dict(loaded(path, environ={}, registry=registry).accounts)


def account_lines(code: str, url: str) -> list[str]:
    """A configuration that talks to the simulator of *code* at *url*, as the demo has it; blanks to fill in else."""
    registry = Registry()
    found = next((carrier for carrier in _accounts(registry).values() if carrier.code == code), None)
    values: dict[str, Any] = {}
    cls = registry.carrier(code)
    for field in attrs.fields(cls):
        known = found is not None and field.name not in ("environment", "base_url")
        if known and getattr(found, field.name) != field.default:
            values[field.name] = getattr(found, field.name)
        elif not known and field.default is attrs.NOTHING:
            values[field.name] = "…"
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return [f"[accounts.{code}]", f'carrier = "{code}"', *lines, f'base_url = "{url}"']


@attrs.define
class Stage:
    """Accounts by alias, each with a carrier that answers here; the store and the carriers share one time."""

    accounts: Mapping[str, Carrier]
    simulators: Mapping[str, Simulator]
    ahead_s: float = 0.0

    def time(self) -> float:
        """Seconds since the epoch, as the demo's store takes them."""
        return time.time() + self.ahead_s

    def store(self) -> MemoryStore:
        """A ledger whose time is the stage's."""
        return MemoryStore(clock=self.time)

    def advance(self, seconds: float, *, order: str = "in_order", copies: int = 1) -> int:
        """Let time go by for everybody; the number of pushes that went out."""
        self.ahead_s += seconds
        sent = [each.advance(seconds, order=order, copies=copies) for each in self.simulators.values()]
        return sum(len(each) for each in sent)

    def bookings(self, alias: str) -> list[dict[str, Any]]:
        """What the carrier says it has booked, asked over its admin interface."""
        import httpx

        with httpx.Client(trust_env=False) as client:
            rows: list[dict[str, Any]] = client.get(f"{self.simulators[alias].url}/_sim/bookings").json()
        return rows

    @contextmanager
    def aimed(self, alias: str, fault: str | None) -> Iterator[Callable[[], bool]]:
        """Let the next purchase at *alias* in the block meet *fault*; whether it did (some need a kept connection)."""
        if fault is None:
            yield lambda: False
            return
        box = self.simulators[alias].faults
        number = self.simulators[alias].add_fault(fault, operation="purchase", **FAULT_PARAMS.get(fault, {}))
        yield lambda: box.hits(number) > 0
        box.remove(number)


@contextmanager
def set_up() -> Iterator[Stage]:
    """Every carrier of the demo's accounts, answering on loopback until the end of the block.

    Raises:
        PluginError: a plugin is missing or broken.
    """
    registry = Registry()
    start = (datetime.now(timezone.utc) - timedelta(days=_DAYS_BACK)).replace(hour=7, minute=0, second=0, microsecond=0)
    with ExitStack() as running:
        simulators, accounts = {}, {}
        for alias, carrier in _accounts(registry).items():
            dialect = registry.simulator(carrier.code)
            simulator = running.enter_context(Simulator(dialect(World(Clock(start)))))
            simulators[alias] = simulator
            accounts[alias] = attrs.evolve(carrier, base_url=simulator.url)
        yield Stage(accounts, simulators)


def most_trusted() -> str:
    """The code of the carrier among the demo's accounts whose pushes prove most.

    Raises:
        InputError: none of them pushes.
    """
    levels = list(TrustLevel)  # the most trusted first
    found: dict[str, int] = {}
    for carrier in _accounts(Registry()).values():
        webhooks = carrier.facts().webhooks
        if webhooks is not None:
            found[carrier.code] = levels.index(webhooks.trust)
    if not found:
        raise InputError("none of the carriers that are installed pushes")
    return min(found, key=lambda code: found[code])


@contextmanager
def booked(code: str, start: datetime) -> Iterator[tuple[Simulator, Carrier]]:
    """One carrier of the demo's accounts, answering on loopback from *start* on, that has booked an order of the demo.

    Raises:
        InputError: the demo has no account at that carrier, or it does not push.
        PluginError: its plugin is missing or broken.
    """
    from ...client import Client
    from ...model import ShipmentRequest
    from ..orders.judging import ordered

    registry = Registry()
    dialect = registry.simulator(code)
    if dialect.pushes is Dialect.pushes:
        raise InputError(f"{code} pushes nothing: its parcels are asked for")
    known = {alias: carrier for alias, carrier in _accounts(registry).items() if carrier.code == code}
    rows = [row for row in orders() if row.account in known]
    requests = [(row, ordered(row, known[row.account])) for row in rows]
    goes_out = [(row, request) for row, request in requests if isinstance(request, ShipmentRequest)]
    if not goes_out:
        raise InputError(f"the demo has no order for {code}: start shipkit simulate {code}, book there, and use --at")
    row, request = goes_out[0]
    # Another run is another parcel: the receiver must not take it for one that it knows.
    world = World(Clock(start), count_from=int(time.time()) % 1_000_000)
    with Simulator(dialect(world)) as simulator:
        carrier = attrs.evolve(known[row.account], base_url=simulator.url)
        store = MemoryStore(clock=start.timestamp)
        with Client({row.account: carrier}, store=store) as client:
            client.create_shipment(request, account=row.account, key=row.reference)
        store.close()
        yield simulator, carrier


@contextmanager
def opened(stage: Stage, *observers: Observer) -> Iterator[tuple[Any, Any]]:
    """A client of the stage's accounts, and its store."""
    from ...client import Client

    store = stage.store()
    # Every second order meets the fault: the pace that so many 429s teach would be waited for, not watched.
    settings = Settings(deadline_s=10, pace_slowest_s=0.1)
    with Client(stage.accounts, store=store, settings=settings, observers=observers) as client:
        yield client, store
    store.close()


def known_fault(name: str | None) -> str | None:
    """*name*, if there is such a fault.

    Raises:
        InputError: there is none; it says which there are.
    """
    if name is not None and name not in FAULTS:
        raise InputError(f"no fault is called {name}; there are: {', '.join(FAULTS)}")
    return name
