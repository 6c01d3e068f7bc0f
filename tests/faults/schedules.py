"""One random schedule: workers, a carrier that misbehaves, one virtual time for all; then peace, and the books."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from shipkit import AsyncClient, Client, MemoryStore, Settings, ShipkitError, Shipment
from shipkit.ledger.pieces import phase_of
from shipkit.ports import Phase
from shipkit.simulator import Simulator

from . import carriers, stores
from .oracle import Handed, Verdict, judged
from .persons import resolved
from .plans import SETTLE_S, Move, Plan, late_s, planned
from .times import Times

__all__ = ["handed", "run", "safely", "settings", "several"]

_SHM: Final = Path("/dev/shm")
_ENDS: Final = 60


def settings(**more: Any) -> Settings:
    """No policy but the ledger's own is on trial: waits are short, breakers stay closed, attempts last."""
    given = {
        "attempts": 2,
        "backoff_first_s": 0.01,
        "backoff_max_s": 0.05,
        "breaker_failures": 10_000,
        "ledger_attempts": 12,
        "ledger_sends": 12,
        "recover_hold_s": 0.0,
        **more,
    }
    return Settings(**given)


def handed(key: str, shipment: Shipment) -> Handed:
    """What a caller got: the label's digest, and whether there was one."""
    digest = hashlib.sha256(b"\0".join(document.content or b"" for document in shipment.documents))
    whole = bool(shipment.documents) and all(document.content for document in shipment.documents)
    return Handed(key=key, generation=shipment.generation or 1, digest=digest.hexdigest()[:16], whole=whole)


class _Hosts:
    """The workers of one plan, and what they were given."""

    def __init__(self, plan: Plan, sim: Simulator, store: Any, chosen: Settings) -> None:
        self.plan, self.sim, self.store, self.settings = plan, sim, store, chosen
        self.handed: list[Handed] = []
        self.bare: list[str] = []
        self._clients: dict[int, Any] = {}

    def client(self, worker: int) -> Any:
        """That worker's own, or the one that all share."""
        place = 0 if self.plan.shared else worker
        if place not in self._clients:
            kind = AsyncClient if self.plan.tasks else Client
            code = self.plan.carrier
            carrier = carriers.account(code, self.sim.url)
            self._clients[place] = kind({code: carrier}, store=self.store, settings=self.settings)
        return self._clients[place]

    def asked(self, client: Any, move: Move) -> Any:
        """The call itself, or the coroutine of it."""
        plan = self.plan
        if move.op == "book":
            order = carriers.order(plan.carrier, move.key, plan.pieces)
            return client.create_shipment(order, account=plan.carrier, key=move.key, deadline_s=move.deadline_s)
        if move.op == "cancel":
            return client.cancel_shipment(key=move.key, deadline_s=move.deadline_s)
        return client.recover(limit=50, deadline_s=move.deadline_s)

    def kept(self, move: Move, value: Any) -> None:
        if isinstance(value, Shipment):
            self.handed.append(handed(move.key, value))

    def failed(self, move: Move, error: Exception) -> None:
        if not isinstance(error, ShipkitError):
            self.bare.append(f"{move.op} {move.key}: {type(error).__name__}: {error}")


class _Threads(_Hosts):
    def round(self, moves: tuple[tuple[Move, ...], ...]) -> None:
        def work(worker: int) -> None:
            for move in moves[worker]:
                try:
                    self.kept(move, self.asked(self.client(worker), move))
                except Exception as error:
                    self.failed(move, error)

        for worker in range(len(moves)):
            self.client(worker)
        with ThreadPoolExecutor(len(moves)) as pool:
            list(pool.map(work, range(len(moves))))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


class _Tasks(_Hosts):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._loop = asyncio.new_event_loop()

    def round(self, moves: tuple[tuple[Move, ...], ...]) -> None:
        async def work(worker: int) -> None:
            for move in moves[worker]:
                call = asyncio.ensure_future(self.asked(self.client(worker), move))
                if move.cut_s is not None:
                    self._loop.call_later(move.cut_s, call.cancel)
                try:
                    self.kept(move, await call)
                except asyncio.CancelledError:
                    pass
                except Exception as error:
                    self.failed(move, error)

        async def together() -> None:
            await asyncio.gather(*(work(worker) for worker in range(len(moves))))

        self._loop.run_until_complete(together())

    def close(self) -> None:
        for client in self._clients.values():
            self._loop.run_until_complete(client.close())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


def run(plan: Plan) -> Verdict:
    """Carry *plan* out, let the carrier behave, finish as a patient host does, and read the books."""
    times = Times()
    watch = {"watch_s": 3600.0, "watch_booked": "all"} if plan.sweep else {"watch_s": 0.0, "watch_booked": "none"}
    chosen = settings(**watch)
    sim = carriers.simulator(plan.carrier)
    with _store(plan.store, times) as store, sim, times.of_hosts():
        for fault in plan.faults:
            sim.faults.add(fault)
        hosts = (_Tasks if plan.tasks else _Threads)(plan, sim, store, chosen)
        try:
            for each in plan.rounds:
                hosts.round(each.moves)
                times.advance(sim, each.then_s)
        finally:
            hosts.close()
        hit = {name for record in sim.requests() for name in record.faults}
        sim.faults.clear()
        unfinished = _finished(plan, sim, store, times, chosen, hosts)
        verdict = judged(plan, sim, store, hosts.handed, hosts.bare)
        with Client({plan.carrier: carriers.account(plan.carrier, sim.url)}, store=store, settings=chosen) as client:
            ended, wrong = resolved(
                client, plan.carrier, store.ledger, sim, plan.wanted, wait=lambda wait_s: times.advance(sim, wait_s)
            )
    verdict.counts["resolved"] = ended
    verdict.violations += unfinished + wrong
    verdict.hit = {(name, record.operation) for record in sim.requests() for name in record.faults if name in hit}
    return verdict


def several(seed: int, numbers: Sequence[int]) -> list[Verdict]:
    """The schedules of those numbers."""
    return [safely(f"schedules:{number}", lambda number=number: run(planned(seed, number))) for number in numbers]


def safely(name: str, run: Callable[[], Verdict]) -> Verdict:
    """A run that breaks is a violation too, and the others go on."""
    try:
        return run()
    except Exception as broken:
        code = carriers.CODES[int(name.partition(":")[2]) % len(carriers.CODES)]
        text = f"the run broke: {type(broken).__name__}: {broken}"
        return Verdict(name=name, carrier=code, bounded=True, violations=[text])


def _finished(plan: Plan, sim: Simulator, store: Any, times: Times, chosen: Settings, hosts: _Hosts) -> list[str]:
    """Ask again until each key is as wanted and nothing is due any more; what cannot be ended is told."""
    rng = Random(plan.name)
    todo = dict(plan.wanted)
    quiet_from = times() + late_s(plan.faults) + 1
    last: dict[str, Exception] = {}
    with Client({plan.carrier: carriers.account(plan.carrier, sim.url)}, store=store, settings=chosen) as client:
        for _ in range(_ENDS):
            times.advance(sim, rng.choice((1, 300, SETTLE_S, SETTLE_S + 15)))
            client.recover(limit=100)
            for key, wanted in list(todo.items()):
                move = Move(op="book" if wanted == "shipped" else "cancel", key=key)
                try:
                    hosts.kept(move, hosts.asked(client, move))
                    del todo[key]
                except Exception as error:
                    last[key] = error
                    hosts.failed(move, error)
                    if _half_undone(store, key):
                        _cancelled_again(client, key)
                    elif getattr(error, "needs_person", False) or _nothing_to_cancel(store, key, wanted):
                        del todo[key]
            # What comes in late is looked for that long after the last purchase, and cannot come after that.
            last_at = max(
                (record.call.received_at.timestamp() for record in sim.requests() if record.purchase), default=0
            )
            watched = times() > last_at + SETTLE_S + chosen.send_window_s + chosen.watch_s
            if not todo and watched and times() > quiet_from and not store.ledger.due(1):
                return []
    due = [f"{entry.key} is {entry.phase.value}" for entry in store.ledger.due(10)]
    return [f"never ended: {key} ({last.get(key)!r})" for key in todo] + [f"still due: {row}" for row in due]


def _half_undone(store: Any, key: str) -> bool:
    """Whether some pieces are undone and the carrier would not undo others: a person is asked."""
    row = store.ledger.read(key)
    undoing = row is not None and row.phase is Phase.PLANNED and row.void_wanted
    return undoing and phase_of(row, store.ledger.pieces(row)) is Phase.NEEDS_PERSON


def _cancelled_again(client: Client, key: str) -> None:
    """What the person does: the carrier may well undo today what it would not undo yesterday."""
    with suppress(ShipkitError):
        client.cancel_shipment(key=key)


def _nothing_to_cancel(store: Any, key: str, wanted: str) -> bool:
    return wanted == "cancelled" and store.ledger.read(key) is None


@contextmanager
def _store(name: str, times: Times) -> Iterator[Any]:
    if name == "memory":
        yield MemoryStore(clock=times)
        return
    with tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as folder:
        spec = {"kind": "sqlite", "path": str(Path(folder) / "ledger.db")}
        if name == "postgres" and not stores.postgres_there():
            spec = stores.fresh_schema()
        store = stores.opened(spec, clock=times)
        try:
            yield store
        finally:
            with suppress(ShipkitError):
                store.close()
            stores.dropped(spec)
