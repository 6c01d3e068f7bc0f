"""Runs in real time whose workers are processes, killed at random instants or stopped for longer than a claim lives."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import attrs

from shipkit import Client
from shipkit.simulator import Fault, Simulator

from . import carriers, stores, victims
from .oracle import Handed, Verdict, judged
from .persons import resolved
from .schedules import _SHM, settings

__all__ = ["KillPlan", "Victim", "planned", "processes", "run"]

_ROOT: Final = Path(__file__).resolve().parents[2]
# Seconds of real time. The settling time covers what a crowded machine adds to the carrier's own delays.
_WINDOW_S: Final = 1.0
_SETTLE_S: Final = 2
_WATCH_S: Final = 2.5
_SETTINGS: Final[dict[str, Any]] = {
    "send_window_s": _WINDOW_S,
    "exchange_max_s": 0.5,
    "settle_s": _SETTLE_S,
    "watch_s": _WATCH_S,
    "watch_booked": "all",
    "token_lease_s": 1.0,
    "recover_hold_s": 0.1,
}


@attrs.frozen(kw_only=True)
class Victim:
    """How one worker ends: by a signal at an instant, at an effect of its driver, or as its purchase arrives."""

    way: str
    after_s: float = 0.0
    effect: int = 0
    moment: str = "before"
    stopped_s: float = 0.0
    fresh: bool = False
    again: bool = False


@attrs.frozen(kw_only=True)
class KillPlan:
    """One run with processes."""

    name: str
    carrier: str
    store: str
    tasks: bool
    wanted: dict[str, str]
    faults: tuple[Fault, ...]
    victims: tuple[Victim, ...]
    bounded: bool
    late_s: float
    sweep: bool = True

    @property
    def paused(self) -> bool:
        return any(victim.stopped_s for victim in self.victims)


def planned(seed: int, number: int, kinds: tuple[str, ...]) -> KillPlan:
    """The plan of that number: carriers and stores in turn, the rest drawn."""
    rng = Random(f"{seed}:kills:{number}")
    code = carriers.CODES[number % len(carriers.CODES)]
    bounded = rng.random() < 0.7
    keys = [f"K{number}-{index}" for index in range(1, rng.choice((1, 1, 2, 3)) + 1)]
    cancelled = 0.15 if carriers.cancels(code) else 0
    faults = tuple(_fault(rng, bounded=bounded) for _ in range(rng.choice((0, 1, 1, 2))))
    if not bounded:
        faults += (_fault(rng, bounded=False, among=("commit_late", "commit_late", "find_lags")),)
    workers = rng.choice((1, 2, 2, 3))
    victims_ = tuple(_victim(rng, kill=index == 0) for index in range(workers))
    late = [fault.param(name) for fault in faults for name in ("after_s", "lag_s") if name in fault.params]
    return KillPlan(
        name=f"kills:{number}",
        carrier=code,
        store=kinds[number // len(carriers.CODES) % len(kinds)],
        tasks=rng.random() < 0.5,
        wanted={key: "cancelled" if rng.random() < cancelled else "shipped" for key in keys},
        faults=faults,
        victims=victims_,
        bounded=bounded,
        late_s=sum(late),
    )


def _victim(rng: Random, *, kill: bool) -> Victim:
    again = rng.random() < 0.5
    if not kill and rng.random() < 0.4:
        stopped_s = rng.uniform(_WINDOW_S + _SETTLE_S + 0.2, _WINDOW_S + _SETTLE_S + 1.0)
        if rng.random() < 0.5:
            return Victim(way="instant", after_s=rng.uniform(0, 0.25), stopped_s=stopped_s)
        return Victim(way="effect", effect=rng.randint(1, 40), stopped_s=stopped_s)
    way = rng.choice(("instant", "instant", "effect", "effect", "carrier"))
    if way == "effect":
        return Victim(way=way, effect=rng.randint(1, 60), moment=rng.choice(("before", "after")), again=again)
    if way == "carrier":
        return Victim(way=way, after_s=rng.choice((0, 0, 0.005, 0.02)), again=again)
    fresh = rng.random() < 0.25
    longest_s = rng.choice((0.6, 2.0) if fresh else (0.15, 0.4, 1.0))
    return Victim(way=way, after_s=rng.uniform(0, longest_s), fresh=fresh, again=again)


def _fault(rng: Random, *, bounded: bool, among: Sequence[str] = ()) -> Fault:
    late_s = rng.uniform(0.05, 0.5) if bounded else rng.uniform(_SETTLE_S + 0.5, _SETTLE_S + 1.5)
    kinds: dict[str, dict[str, Any]] = {
        "drop_before": {},
        "drop_after_commit": {},
        "commit_late": {"after_s": late_s},
        "find_lags": {"lag_s": late_s},
        "slow": {"after_s": rng.uniform(0.05, 0.3), "when": rng.choice(("before", "after"))},
        "500": {"when": rng.choice(("before", "after"))},
        "truncated": {},
        "html_page": {},
        "429": {"retry_after_s": 0},
        "token_revoked": {},
    }
    name = rng.choice(among or list(kinds))
    return Fault(name=name, times=rng.choice((1, 1, 2)), skip=rng.choice((0, 0, 1)), params=kinds[name])


def processes() -> Any:
    """A server that has everything imported and forks the workers: what is killed young is killed in its own work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.victims", "shipkit.ledger", "shipkit.client.transport_async"])
    return context


class _Worker:
    """A process, however it was started, and what its death is to be."""

    def __init__(self, context: Any, spec: dict[str, Any], victim: Victim, folder: Path) -> None:
        self.victim = victim
        self.killed = False
        if victim.fresh:
            path = folder / f"spec-{spec['dice']}.json"
            path.write_text(json.dumps(spec))
            self._process: Any = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.victims", str(path)], cwd=_ROOT, stderr=subprocess.DEVNULL
            )
        else:
            self._process = context.Process(target=victims.work, args=(spec,))
            self._process.start()
        self.pid: int = self._process.pid

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        self.killed |= number == signal.SIGKILL

    def ended(self, timeout_s: float) -> bool:
        if isinstance(self._process, subprocess.Popen):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout_s)
            return self._process.returncode is not None
        self._process.join(timeout_s)
        return self._process.exitcode is not None

    @property
    def struck(self) -> bool:
        """Whether it died of SIGKILL."""
        code = self._process.returncode if isinstance(self._process, subprocess.Popen) else self._process.exitcode
        return bool(code == -signal.SIGKILL)


def run(context: Any, plan: KillPlan, server: dict[str, str] | None) -> Verdict:
    """Carry *plan* out: workers die, a fresh process finishes, the books are read."""
    with (
        tempfile.TemporaryDirectory(dir=_SHM if _SHM.is_dir() else None) as name,
        carriers.simulator(plan.carrier) as sim,
    ):
        folder = Path(name)
        for fault in plan.faults:
            sim.faults.add(fault)
        store = server if plan.store == "postgres" else {"kind": "sqlite", "path": str(folder / "ledger.db")}
        spec = _spec(plan, sim, store, folder)
        workers = [
            _Worker(context, {**spec, "dice": index, "dies": _dies(victim)}, victim, folder)
            for index, victim in enumerate(plan.victims)
        ]
        kills, pauses = _struck(context, spec, sim, workers, folder)
        sim.faults.clear()
        sim.wait_until_idle()
        last = context.Process(target=victims.finish, args=({**spec, "tasks": False},))
        last.start()
        last.join(spec["finish_s"] + 15)
        if last.exitcode is None:
            last.kill()
        return _verdict(plan, spec, sim, kills, pauses, last.exitcode)


def _spec(plan: KillPlan, sim: Simulator, store: Any, folder: Path) -> dict[str, Any]:
    return {
        "carrier": plan.carrier,
        "url": sim.url,
        "store": store,
        "space": f"{plan.name.replace(':', '-')}/" if plan.store == "postgres" else "",
        "namespace": plan.name.replace(":", "-") if plan.store == "postgres" else "",
        "wanted": plan.wanted,
        "tasks": plan.tasks,
        "settle_s": _SETTLE_S,
        "settings": _SETTINGS,
        "deadline_s": 1.5,
        "work_s": 5.0 if plan.paused else 1.0,
        "finish_s": 40.0,
        "late_s": plan.late_s + 0.2,
        "watched_s": _WINDOW_S + _SETTLE_S + _WATCH_S,
        "out": str(folder / "out.jsonl"),
    }


def _dies(victim: Victim) -> dict[str, Any] | None:
    if victim.way != "effect":
        return None
    number = signal.SIGSTOP if victim.stopped_s else signal.SIGKILL
    return {"effect": victim.effect, "moment": victim.moment, "signal": int(number)}


def _struck(
    context: Any, spec: dict[str, Any], sim: Simulator, workers: list[_Worker], folder: Path
) -> tuple[int, int]:
    """Let every worker meet its end; the number of kills and of pauses."""
    began, pauses, kills = time.monotonic(), 0, 0
    later = sorted((worker for worker in workers if worker.victim.way == "instant"), key=lambda w: w.victim.after_s)
    for worker in later:
        time.sleep(max(0.0, began + worker.victim.after_s - time.monotonic()))
        worker.signal(signal.SIGSTOP if worker.victim.stopped_s else signal.SIGKILL)
    for worker in workers:
        if worker.victim.way == "carrier":
            _await_purchase(sim, worker)
            time.sleep(worker.victim.after_s)
            worker.signal(signal.SIGKILL)
    for number, worker in enumerate([each for each in workers if each.victim.again]):
        worker.ended(5)
        again = _Worker(context, {**spec, "dice": 100 + number, "dies": None}, Victim(way="none"), folder)
        workers.append(again)
    for worker in workers:
        if worker.victim.stopped_s:
            time.sleep(max(0.0, began + worker.victim.after_s + worker.victim.stopped_s - time.monotonic()))
            worker.signal(signal.SIGCONT)
            pauses += 1
    for worker in workers:
        if not worker.ended(spec["work_s"] + 5):
            worker.signal(signal.SIGKILL)
            worker.ended(5)
        kills += worker.struck
    return kills, pauses


def _await_purchase(sim: Simulator, worker: _Worker) -> None:
    until = time.monotonic() + 1.5
    while time.monotonic() < until and not worker.ended(0):
        if any(record.purchase for record in sim.requests()):
            return
        time.sleep(0.001)


def _verdict(
    plan: KillPlan, spec: dict[str, Any], sim: Simulator, kills: int, pauses: int, finished: int | None
) -> Verdict:
    path = Path(spec["out"])
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    given = [Handed(line["key"], line["generation"], line["digest"], line["whole"]) for line in lines if "key" in line]
    store = stores.opened(spec["store"])
    try:
        bare = [line["bare"] for line in lines if "bare" in line]
        verdict = judged(plan, sim, store, given, bare, spec["space"])
        chosen = settings(namespace=spec["namespace"], **_SETTINGS)
        carrier = carriers.account(plan.carrier, sim.url, _SETTLE_S)
        with Client({plan.carrier: carrier}, store=store, settings=chosen) as client:
            ended, wrong = resolved(client, plan.carrier, store.ledger, sim, plan.wanted, space=spec["space"])
    finally:
        store.close()
    verdict.counts["resolved"] = ended
    verdict.violations += wrong
    said = [line["end"] for line in lines if "end" in line]
    if finished != 0 or not said:
        verdict.violations.append(f"the process that recovers ended with {finished}")
    verdict.violations += [f"never quiet {text}" for text in said if text]
    verdict.counts.update(killed_runs=kills > 0, kills=kills, pauses=pauses)
    verdict.hit = {(name, record.operation) for record in sim.requests() for name in record.faults}
    return verdict
