"""The processes of a campaign: one that works through keys until it is killed, and one that finishes what is left."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from shipkit import AsyncClient, Client, InProgressError, InputError, ShipkitError, Shipment

from . import carriers, stores
from .schedules import handed, settings

__all__ = ["buy_all", "finish", "work"]

_POLL_S = 0.35


def work(spec: dict[str, Any]) -> None:
    """Ask for every key again and again until each has its end, the time is over, or somebody kills this process."""
    client = _client(spec, spec["dies"])
    todo, until = list(spec["wanted"]), time.monotonic() + spec["work_s"]
    Random(spec["dice"]).shuffle(todo)
    while todo and time.monotonic() < until:
        for key in list(todo):
            if spec["wanted"][key] == "cancelled":
                _asked(client, spec, key, "book")
            if _asked(client, spec, key):
                todo.remove(key)
        time.sleep(0.02)


def finish(spec: dict[str, Any]) -> None:
    """What a fresh process does after the crash: recover, ask again, until nothing is due; says how it ended."""
    client = _client(spec, None)
    ledger = client.store.ledger
    todo, until, said = list(spec["wanted"]), time.monotonic() + spec["finish_s"], ""
    quiet_from, rest_from = time.monotonic() + spec["late_s"], math.inf
    while time.monotonic() < until:
        client.ask("recover", limit=100)
        todo = [key for key in todo if not _asked(client, spec, key)]
        if todo or not _resting(ledger, spec):
            rest_from = min(rest_from, time.monotonic()) if not todo else math.inf
        watched = time.monotonic() > rest_from + spec["watched_s"] or (not todo and _resting(ledger, spec))
        if watched and time.monotonic() > quiet_from and not ledger.due(1, spec["space"]):
            break
        time.sleep(_POLL_S)
    else:
        due = [f"{entry.key} {entry.phase.value}" for entry in ledger.due(10, spec["space"])]
        said = f"after {spec['finish_s']} s: to be asked {todo}, due {due}"
    _write(spec, {"end": said})


def _resting(ledger: Any, spec: dict[str, Any]) -> bool:
    """Whether nothing will be looked for any more; of earlier generations only the time that has passed can tell."""
    rows = [ledger.read(spec["space"] + key) for key in spec["wanted"]]
    return all(row is None or (row.next_at is None and row.generation == 1) for row in rows)


def buy_all(spec: dict[str, Any]) -> None:
    """Buy every key once, in an order of this process's own, beside others that buy the same ones."""
    client = _client(spec, None)
    todo = list(spec["wanted"])
    Random(spec["dice"]).shuffle(todo)
    while todo:
        held = []
        for key in todo:
            try:
                _kept(spec, key, client.ask("book", key))
            except InProgressError:
                held.append(key)
        if held == todo:
            time.sleep(0.01)
        todo = held


def _asked(client: _Asking, spec: dict[str, Any], key: str, op: str = "") -> bool:
    """Whether the key is at its end."""
    try:
        answer = client.ask(op or ("book" if spec["wanted"][key] == "shipped" else "cancel"), key)
    except InputError:
        return True  # it was to be cancelled, and nobody lived long enough to book it
    except ShipkitError as error:
        return bool(getattr(error, "needs_person", False))
    except Exception as error:
        _write(spec, {"bare": f"{key}: {type(error).__name__}: {error}"})
        return True
    _kept(spec, key, answer)
    return True


def _kept(spec: dict[str, Any], key: str, answer: Any) -> None:
    if isinstance(answer, Shipment):
        got = handed(key, answer)
        _write(spec, {"key": key, "generation": got.generation, "digest": got.digest, "whole": got.whole})


def _write(spec: dict[str, Any], line: dict[str, Any]) -> None:
    """One line at once, whole or not at all, whoever else writes there."""
    descriptor = os.open(spec["out"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


class _Asking:
    """Either client, asked in one way; the count of its effects may be the moment of its death."""

    def __init__(self, spec: dict[str, Any], dies: dict[str, Any] | None) -> None:
        self.spec = spec
        self.store = stores.opened(spec["store"])
        self._loop = asyncio.new_event_loop() if spec["tasks"] else None
        code = spec["carrier"]
        chosen = settings(namespace=spec["namespace"], **spec["settings"])
        kind: Any = AsyncClient if spec["tasks"] else Client
        carrier = carriers.account(code, spec["url"], spec["settle_s"])
        self._client = (_mortal(kind, dies) if dies else kind)({code: carrier}, store=self.store, settings=chosen)

    def ask(self, op: str, key: str = "", **more: Any) -> Any:
        code, deadline_s = self.spec["carrier"], self.spec["deadline_s"]
        if op == "book":
            order = carriers.order(code, key)
            call = self._client.create_shipment(order, account=code, key=key, deadline_s=deadline_s)
        elif op == "cancel":
            call = self._client.cancel_shipment(key=key, deadline_s=deadline_s)
        else:
            call = self._client.recover(**more)
        return self._loop.run_until_complete(call) if self._loop is not None else call


def _client(spec: dict[str, Any], dies: dict[str, Any] | None) -> _Asking:
    return _Asking(spec, dies)


def _mortal(kind: Any, dies: dict[str, Any]) -> Any:
    """A client whose process gets a signal right before or right after its n-th effect: a call of the store, a send."""
    left = [dies["effect"]]

    def strikes(moment: str) -> None:
        if moment == "before":
            left[0] -= 1
        if left[0] == 0 and moment == dies["moment"]:
            left[0] = -1
            os.kill(os.getpid(), dies["signal"])

    if kind is Client:

        class Mortal(Client):
            def _perform(self, effect: Any) -> Any:
                strikes("before")
                done = super()._perform(effect)
                strikes("after")
                return done

        return Mortal

    class MortalTasks(AsyncClient):
        async def _perform(self, effect: Any) -> Any:
            strikes("before")
            done = await super()._perform(effect)
            strikes("after")
            return done

        async def _called(self, effect: Any) -> Any:
            strikes("before")
            done = await super()._called(effect)
            strikes("after")
            return done

    return MortalTasks


if __name__ == "__main__":  # a whole start of an interpreter, for those who are to die in it
    work(json.loads(Path(sys.argv[1]).read_text()))
