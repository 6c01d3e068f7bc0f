"""What one run will do, drawn from its number: who asks for what when, and what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import attrs

from shipkit.simulator import FAULTS, Fault

from . import carriers

__all__ = ["SETTLE_S", "Move", "Plan", "Round", "late_s", "pairs", "planned"]

#: What the four plugins' facts say; the window in which a purchase may leave is added to it by the ledger.
SETTLE_S: Final = 900
_AFTER_LEASE_S: Final = 75


@attrs.frozen(kw_only=True)
class Move:
    """One call of a worker; a task may be cancelled ``cut_s`` after it began, as a dying worker's would be."""

    op: str
    key: str = ""
    deadline_s: float = 3.0
    cut_s: float | None = None


@attrs.frozen(kw_only=True)
class Round:
    """What the workers do at the same time, and how long everybody then rests."""

    moves: tuple[tuple[Move, ...], ...]
    then_s: float


@attrs.frozen(kw_only=True)
class Plan:
    """One run.

    ``bounded`` says that the carrier's delays stay within its settling time, ``sweep`` whether late bookings are looked
    for. ``wanted`` is what the host wants of each key in the end.
    """

    name: str
    carrier: str
    store: str
    tasks: bool
    shared: bool
    pieces: int
    wanted: dict[str, str]
    faults: tuple[Fault, ...]
    rounds: tuple[Round, ...]
    bounded: bool
    sweep: bool
    paused: bool = False

    @property
    def twice(self) -> bool:
        """Whether the carrier repeats a request by itself."""
        return any(fault.name == "commit_twice" for fault in self.faults)


def pairs(code: str) -> list[tuple[str, str]]:
    """Every fault at every exchange."""
    return [(name, operation) for operation in carriers.exchanges(code) for name in FAULTS]


def planned(seed: int, number: int) -> Plan:
    """The plan of that number: the carriers in turn, each pair of fault and exchange in turn, the rest drawn."""
    rng = Random(f"{seed}:schedules:{number}")
    code = carriers.CODES[number % len(carriers.CODES)]
    every = pairs(code)
    first = every[number // len(carriers.CODES) % len(every)]
    bounded = rng.random() < 0.65
    faults = [attrs.evolve(_fault(rng, *first, bounded=bounded), skip=rng.choice((0, 0, 0, 1)))]
    if rng.random() < 0.35:  # many exchanges come only after an answer that was lost
        faults.append(Fault(name="drop_after_commit"))
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        name = rng.choice(list(FAULTS))
        aim = rng.choice(("purchase", "purchase", "*", rng.choice(carriers.exchanges(code))))
        faults.append(_fault(rng, name, aim, bounded=bounded))
    faults = _within_settling(faults) if bounded else faults
    keys = [f"ORDER-{index}" for index in range(1, rng.choice((1, 1, 2, 3)) + 1)]
    tasks = rng.random() < 0.5
    rounds = tuple(_round(rng, code, keys, tasks) for _ in range(rng.choice((1, 2, 2, 3))))
    cancelled = 0.25 if carriers.cancels(code) else 0
    twice = any(fault.name == "commit_twice" for fault in faults)
    return Plan(
        name=f"schedules:{number}",
        carrier=code,
        store=rng.choice(("memory", "memory", "sqlite", "sqlite", "postgres")),
        tasks=tasks,
        shared=rng.random() < 0.5,
        pieces=rng.choice((2, 2, 3)) if code != "mondialrelay" and rng.random() < 0.25 else 1,
        wanted={key: "cancelled" if rng.random() < cancelled else "shipped" for key in keys},
        faults=tuple(faults),
        rounds=rounds,
        bounded=bounded,
        sweep=not bounded or twice or rng.random() < 0.5,
    )


def _round(rng: Random, code: str, keys: list[str], tasks: bool) -> Round:
    def move() -> Move:
        ops = ["book"] * 7 + ["recover"] * 2 + (["cancel"] if carriers.cancels(code) else [])
        cut_s = rng.uniform(0, 0.06) if tasks and rng.random() < 0.15 else None
        return Move(op=rng.choice(ops), key=rng.choice(keys), deadline_s=rng.choice((0.3, 3, 3, 3)), cut_s=cut_s)

    workers = rng.choice((1, 1, 2, 2, 3, 4, 6, 8))
    moves = tuple(tuple(move() for _ in range(rng.choice((1, 1, 2)))) for _ in range(workers))
    rests = (0, 5, _AFTER_LEASE_S, 200, 500, SETTLE_S, SETTLE_S + 15, 1000, 1600)
    return Round(moves=moves, then_s=rng.choice(rests))


def _fault(rng: Random, name: str, operation: str, *, bounded: bool) -> Fault:
    times = rng.choice((1, 1, 1, 2, 3))
    return Fault(
        name=name,
        operation=operation,
        times=times,
        skip=rng.choice((0, 0, 0, 1, 2)),
        params=_params(rng, name, bounded=bounded),
    )


def _params(rng: Random, name: str, *, bounded: bool) -> dict[str, Any]:
    late_s = float(rng.randint(5, 800) if bounded or rng.random() < 0.3 else rng.randint(SETTLE_S, 3 * SETTLE_S))
    drawn: dict[str, dict[str, Any]] = {
        "drop_before": {"reset": rng.random() < 0.5},
        "drop_after_commit": {"reset": rng.random() < 0.5},
        "commit_late": {"after_s": late_s},
        "commit_twice": {"answer": rng.choice(("first", "second"))},
        "find_lags": {"lag_s": late_s},
        "slow": {"after_s": rng.choice((0.02, 0.1, 0.5)), "when": rng.choice(("before", "after"))},
        "drip": {"interval_s": 0.001, "where": rng.choice(("headers", "body")), "size": 700},
        "500": {"when": rng.choice(("before", "after"))},
        "503": {"when": rng.choice(("before", "after")), "retry_after_s": rng.choice((0, 0, 1))},
        "429": {"retry_after_s": rng.choice((0, 0, 1))},
        "200_with_error": {"when": rng.choice(("before", "after"))},
        "truncated": {"part": rng.choice((0.2, 0.5, 0.9)), "framing": rng.choice(("whole", "cut"))},
        "html_page": {"status": rng.choice((200, 502, 504))},
    }
    return drawn.get(name, {})


def late_s(faults: Sequence[Fault]) -> float:
    """The longest from a request's arrival until a search can see its booking."""
    commits = [fault.param("after_s") for fault in faults if fault.name == "commit_late"]
    lags = [fault.param("lag_s") for fault in faults if fault.name == "find_lags"]
    return max(commits, default=0) + max(lags, default=0)


def _within_settling(faults: list[Fault]) -> list[Fault]:
    """A late booking that stays invisible for a while longer must still show before the settling time is over."""
    if late_s(faults) < SETTLE_S - 20:
        return faults
    name = {"commit_late": "after_s", "find_lags": "lag_s"}
    return [
        attrs.evolve(fault, params={**fault.params, name[fault.name]: fault.param(name[fault.name]) / 2})
        if fault.name in name
        else fault
        for fault in faults
    ]
