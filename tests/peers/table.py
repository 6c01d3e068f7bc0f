"""One intent under one fault each, with what people use today and with shipkit: how many bookings it makes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import attrs

from shipkit import Client, MemoryStore, Settings, ShipkitError
from shipkit.cli.demo.naive import NaiveClient
from shipkit.ports import Phase
from shipkit.registry import Registry
from shipkit.simulator import FAULTS, Simulator
from tests.benchmarks.environments import ROOT, environment
from tests.faults import carriers
from tests.faults.times import Times

from .dialects import DIALECTS

__all__ = ["BEYOND", "COLUMNS", "FAULTED", "PACKAGES", "Cell", "Column", "measured", "page"]

# Pinned: what is shown is shown with these versions.
PACKAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "bapp": ("bapp-connectors==0.45.0",),
    "easypost": ("easypost==10.7.0",),
    "karrio": ("karrio==2026.1.32", "karrio-ups==2026.1.32"),
    "roulier": ("roulier==1.1.1", "jinja2<3.1"),  # it asks jinja2 for an extension that 3.1 dropped
    "shipengine": ("shipengine==2.1.1",),
    "shippo": ("shippo==3.9.0",),
}
#: Longer than every client here waits that waits for a limited time.
_SLOW_S: Final = 3.6
#: Every fault that can hit a purchase, once, with its parameters; both moments where it may come before or after.
FAULTED: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "drop_before": ("drop_before", {}),
    "drop_after_commit": ("drop_after_commit", {}),
    "commit_late": ("commit_late", {"after_s": 0.5}),
    "commit_twice": ("commit_twice", {}),
    "find_lags": ("find_lags", {"lag_s": 60.0}),
    "close_idle": ("close_idle", {}),
    "slow, booked before": ("slow", {"after_s": _SLOW_S, "when": "after"}),
    "slow, booked after": ("slow", {"after_s": _SLOW_S, "when": "before"}),
    "drip": ("drip", {"interval_s": 0.001, "size": 200}),
    "500, not booked": ("500", {"when": "before"}),
    "500, booked": ("500", {"when": "after"}),
    "503, not booked": ("503", {"when": "before", "retry_after_s": 0}),
    "503, booked": ("503", {"when": "after", "retry_after_s": 0}),
    "429": ("429", {"retry_after_s": 0}),
    "200_with_error, not booked": ("200_with_error", {"when": "before"}),
    "200_with_error, booked": ("200_with_error", {"when": "after"}),
    "empty_body": ("empty_body", {}),
    "truncated": ("truncated", {}),
    "html_page": ("html_page", {}),
    "token_revoked": ("token_revoked", {}),
    "drop_after_commit, three times": ("drop_after_commit", {"times": 3}),
    "503, booked, three times": ("503", {"when": "after", "retry_after_s": 0, "times": 3}),
}


@attrs.frozen
class Cell:
    """What the carrier's books say when all is over, and whether the host holds a label or a person was told."""

    bookings: int
    label: bool
    person: bool = False
    happened: bool = True

    @property
    def kept(self) -> bool:
        """One booking whose label is in hand; or one at most, and a person knows."""
        return (self.bookings == 1 and self.label) or (self.bookings <= 1 and self.person)

    def __str__(self) -> str:
        if not self.happened:
            return "–"
        return f"{self.bookings}{'' if self.label else ', a person is asked' if self.person else ', no label'}"


@attrs.frozen
class Column:
    """One client at one carrier."""

    title: str
    carrier: str
    work: Callable[[Mapping[str, Simulator]], Mapping[str, tuple[bool, bool]]]
    ours: bool = False


def _peer(name: str) -> Callable[[Mapping[str, Simulator]], Mapping[str, tuple[bool, bool]]]:
    """The jobs of somebody else's client, in a process and an environment of its own."""

    def work(sims: Mapping[str, Simulator]) -> Mapping[str, tuple[bool, bool]]:
        python = environment(ROOT / "build" / "peers-env" / name, *PACKAGES[name])
        script = Path(__file__).with_name("jobs") / f"{name}_job.py"
        urls = json.dumps({fault: sim.url for fault, sim in sims.items()})
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        done = subprocess.run(
            [str(python), str(script), urls], capture_output=True, text=True, timeout=150, check=False, env=clean
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr[-4000:]}")
        return {fault: (told["label"], False) for fault, told in json.loads(done.stdout.splitlines()[-1]).items()}

    return work


def _naive(code: str) -> Callable[[Mapping[str, Simulator]], Mapping[str, tuple[bool, bool]]]:
    """httpx, a timeout, and the same request again on any error, three times in all."""

    def one(sim: Simulator) -> tuple[bool, bool]:
        client = NaiveClient(carriers.account(code, sim.url))
        try:
            return client.ship(carriers.order(code, "SO042")), False
        finally:
            client.close()

    return lambda sims: {fault: one(sim) for fault, sim in sims.items()}


def _shipkit(code: str) -> Callable[[Mapping[str, Simulator]], Mapping[str, tuple[bool, bool]]]:
    """The same job queue, three runs; what is then in doubt is run again when the ledger says so."""

    def one(sim: Simulator) -> tuple[bool, bool]:
        times = Times()
        settings = Settings(watch_booked="all", backoff_first_s=0.01, watch_s=1800)
        account, order = carriers.account(code, sim.url), carriers.order(code, "SO042")
        label = False
        with (
            times.of_hosts(),
            MemoryStoreOf(times) as store,
            Client({code: account}, store=store, settings=settings) as client,
        ):
            for run in range(6):
                if run >= 3:
                    sim.wait_for_late_commits()
                    times.advance(sim, 1000)
                    client.recover()
                if label:
                    continue
                try:
                    shipment = client.create_shipment(order, account=code, key="SO042", deadline_s=2)
                    label = all(document.content for document in shipment.documents)
                except ShipkitError:
                    continue
            row = store.ledger.read("SO042")
        return label, row is not None and row.phase is Phase.NEEDS_PERSON

    return lambda sims: {fault: one(sim) for fault, sim in sims.items()}


class MemoryStoreOf(ExitStack):
    """A store in memory on that clock, for a with statement."""

    def __init__(self, times: Times) -> None:
        super().__init__()
        self._store = MemoryStore(clock=times)

    def __enter__(self) -> Any:
        return self._store


COLUMNS: Final = (
    Column("naive retry (UPS)", "ups", _naive("ups")),
    Column("naive retry (EasyPost)", "easypost", _naive("easypost")),
    Column("bapp-connectors 0.45.0 (Sameday)", "sameday", _peer("bapp")),
    Column("karrio 2026.1.32 (UPS)", "ups", _peer("karrio")),
    Column("easypost 10.7.0", "easypost", _peer("easypost")),
    Column("shippo 3.9.0", "shippo", _peer("shippo")),
    Column("shipengine 2.1.1", "shipengine", _peer("shipengine")),
    Column("shipkit (UPS)", "ups", _shipkit("ups"), ours=True),
    Column("shipkit (EasyPost)", "easypost", _shipkit("easypost"), ours=True),
    Column("shipkit (DPD France)", "dpd_fr", _shipkit("dpd_fr"), ours=True),
    Column("shipkit (Mondial Relay)", "mondialrelay", _shipkit("mondialrelay"), ours=True),
)


#: What no client can see: the carrier books twice by itself, answers once, and has no question that would show it.
BEYOND: Final = frozenset({("shipkit (Mondial Relay)", "commit_twice")})


def measured() -> dict[str, dict[str, Cell]]:
    """Every client under every fault, in the same run: by title, then by fault."""
    shipkits = [column for column in COLUMNS if column.ours]
    others = [column for column in COLUMNS if not column.ours]
    with ThreadPoolExecutor(3) as pool:
        found = dict(zip([column.title for column in others], pool.map(_column, others), strict=True))
    # One after the other: the clients' wall clock is moved, and that is one for the whole process.
    found |= {column.title: _column(column) for column in shipkits}
    return {column.title: found[column.title] for column in COLUMNS}


def _column(column: Column) -> dict[str, Cell]:
    with ExitStack() as stack:
        sims = {fault: stack.enter_context(_simulator(column.carrier)) for fault in FAULTED}
        for fault, (name, params) in FAULTED.items():
            sims[fault].add_fault(name, **{"operation": "purchase", "times": 1, **params})
        told = column.work(sims)
        for sim in sims.values():
            sim.wait_for_late_commits()
            sim.wait_until_idle()
        cells = {}
        for fault, sim in sims.items():
            happened = any(FAULTED[fault][0] in record.faults for record in sim.requests())
            live = sum(booking.live for booking in sim.bookings())
            cells[fault] = Cell(live, *told[fault], happened)
        return cells


def _simulator(code: str) -> Simulator:
    return Simulator(DIALECTS[code]()) if code in DIALECTS else Simulator(Registry().simulator(code)())


def page(found: Mapping[str, Mapping[str, Cell]]) -> str:
    """The table as a page of the docs."""
    titles = list(found)
    lines = [
        "# The same faults, with what people use today",
        "",
        "<!-- Written by `nox -s peers -- --write`; `nox -s peers` checks that it still holds. -->",
        "",
        _HOW,
        "",
        "| fault | " + " | ".join(titles) + " |",
        "|---|" + "---|" * len(titles),
    ]
    lines += [f"| `{name}` | " + " | ".join(str(found[title][name]) for title in titles) + " |" for name in FAULTED]
    lines += ["", "What the faults are:", ""]
    lines += [f"- `{name}`: {FAULTS[name].meaning}" for name in dict.fromkeys(name for name, _ in FAULTED.values())]
    lines += ["", _FAIR]
    return "\n".join(lines) + "\n"


_HOW: Final = """\
How many bookings stand in the carrier's books after **one** intent to ship, when its purchase meets one fault, once
(or as often as the row says), and the carrier behaves well before and after. Every client is run in the same way: one
job, which a queue runs again when it raises or brings no label, three runs in all. A number alone means that the host
also holds the label; `–` means that the fault did not happen to that client (it keeps no connection, or sends no second
request on it).

- *naive retry*: httpx with a timeout, and the same call again on any error, three times in all.
- *bapp-connectors*: `generate_awb` of its Sameday adapter, made by its registry with the manifest's own retries (the
  waits between them left out, the timeout set to one second).
- *karrio*: `karrio.Shipment.create(...)` at UPS; it has no timeout, so a slow answer is waited for.
- *easypost*, *shippo*, *shipengine*: the vendors' own clients, as their READMEs show a purchase; one second of timeout
  where the client has the option.
- *shipkit*: `create_shipment` under one key with `watch_booked="all"`; what is in doubt after three runs is run again
  when the ledger allows it, and `recover` runs beside."""

_FAIR: Final = """\
These clients promise nothing about repeated calls, and none of them is wrong in what it does: without a key that the
carrier knows, or a ledger on the host's side, a program that must not lose an order can only ask again. A fault like
`commit_twice` is the carrier's own doing; no client can keep it away, and shipkit can only find and undo it. Where
the carrier can be asked by nothing (Mondial Relay), shipkit asks a person instead of buying again; and a booking that
such a carrier makes by itself, beside the one that it answers, is on its invoice and nowhere else."""
