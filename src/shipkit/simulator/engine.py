"""Between the server and the dialect: counts what arrives, lets the faults happen, keeps the list of requests."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from .calls import Call, Reply
from .dialect import Dialect
from .faults import Fault, FaultBox
from .misbehave import EFFECTS, Answer

__all__ = ["FAULT_HEADER", "Engine", "RequestRecord"]

#: A request that carries this header field is hit by the fault it names: ``X-Sim-Fault: slow; after_s=0.5``.
FAULT_HEADER: Final = "x-sim-fault"
_KEPT: Final = 10_000

_log = logging.getLogger("shipkit.simulator")


@attrs.frozen(kw_only=True)
class RequestRecord:
    """One request that reached the carrier.

    ``status`` is what was answered, None where the connection went instead (or the answer is still to come);
    ``committed`` says how often the call was carried out; ``error`` names the exception of a dialect that broke.
    """

    call: Call
    operation: str
    purchase: bool
    mark: str
    reference: str
    faults: tuple[str, ...] = ()
    status: int | None = None
    committed: int = 0
    error: str = ""


class Engine:
    """Answers the calls of one simulated carrier. Runs in the simulator's loop."""

    def __init__(self, dialect: Dialect, faults: FaultBox) -> None:
        self.dialect = dialect
        self.faults = faults
        self._requests: deque[_Turn] = deque(maxlen=_KEPT)
        self._arrivals = 0
        self._late: set[_LateCommit] = set()

    @property
    def late(self) -> int:
        """Calls that were dropped and are still to be carried out."""
        return len(self._late)

    def requests(self) -> tuple[RequestRecord, ...]:
        """The latest 10,000 requests, oldest first."""
        return tuple(turn.record() for turn in tuple(self._requests))

    def reset(self) -> None:
        """Forget requests and faults; calls that are still to be carried out never are."""
        self._requests.clear()
        self.faults.clear()
        self.stop()

    def stop(self) -> None:
        for late in tuple(self._late):
            late.cancel()

    def time_passed(self) -> None:
        """Carry out what the carrier's clock says is due."""
        now = self.dialect.world.clock.now()
        for late in sorted(self._late, key=lambda late: late.due_at):
            if late.due_at <= now:
                late.run()

    async def answer(self, call: Call, idle_s: float | None) -> Answer:
        """Give *call* its turn; *idle_s* is how long its connection had rested (None: a new one)."""
        turn = self._turn(call)
        try:
            faults = self._faults(turn, idle_s)
        except ValueError as wrong:
            return Answer(reply=Reply.text(f"{FAULT_HEADER}: {wrong}\n", 400))
        turn.faults = tuple(fault.name for fault in faults)
        for fault in faults:
            if fault.name == "token_revoked" and not self._revoke(turn.call):
                return turn.done(Answer(reply=self.dialect.unauthorised(turn.call)))
            if fault.name == "find_lags":
                turn.lag_s = fault.param("lag_s")
        shown = [fault for fault in faults if fault.kind.on_wire]
        try:
            answer = await EFFECTS[shown[0].name](turn, shown[0]) if shown else Answer(reply=turn.commit())
        finally:
            turn.through_unless_late()
        return turn.done(answer)

    def _turn(self, call: Call) -> _Turn:
        world = self.dialect.world
        with world.lock:
            self._arrivals += 1
            call = attrs.evolve(call, id=self._arrivals, received_at=world.clock.now())
            found = self.dialect.find_route(call)
            purchase = found is not None and found[0].purchase
            if found is not None:
                call = attrs.evolve(call, params=found[1], operation=found[0].operation)
            mark = self.dialect.mark_of(call) if purchase else ""
            reference = self.dialect.reference_of(call) if purchase else ""
            through = world.arrived(mark, reference) if purchase else _nothing
        turn = _Turn(self, call, purchase, mark, reference, through)
        self._requests.append(turn)
        return turn

    def _faults(self, turn: _Turn, idle_s: float | None) -> tuple[Fault, ...]:
        asked = turn.call.headers.get(FAULT_HEADER, "")
        if asked:
            return (Fault.of_header(asked),)
        return self.faults.take(turn.call.operation, turn.purchase, turn.mark, idle_s)

    def _revoke(self, call: Call) -> int:
        world = self.dialect.world
        with world.lock:
            return world.revoke_tokens(value=call.bearer()) or world.revoke_tokens()


class _Turn:
    """See :class:`shipkit.simulator.misbehave.Turn`."""

    def __init__(
        self, engine: Engine, call: Call, purchase: bool, mark: str, reference: str, through: Callable[[], None]
    ) -> None:
        self.call = call
        self.dialect = engine.dialect
        self.purchase = purchase
        self.mark = mark
        self.reference = reference
        self.faults: tuple[str, ...] = ()
        self.lag_s = 0.0
        self._engine = engine
        self._through = through
        self._waits = False
        self._status: int | None = None
        self._committed = 0
        self._error = ""

    def commit(self) -> Reply:
        world = self.dialect.world
        with world.lock:
            world.lag_s = self.lag_s
            self._committed += 1
            try:
                return self.dialect.handle(self.call)
            except Exception as broken:
                self._error = repr(broken)
                _log.exception("the dialect %s broke in %s", self.dialect.code, self.call.operation or self.call.path)
                return self.dialect.failure(500, self.call)
            finally:
                world.lag_s = 0.0
                self._settled()

    def later(self, seconds: float) -> None:
        self._waits = True
        self._engine._late.add(_LateCommit(self, self._engine._late, seconds))

    def through_unless_late(self) -> None:
        if not self._waits:
            self._settled()

    def done(self, answer: Answer) -> Answer:
        self._settled() if not self._waits else None
        self._status = answer.reply.status if answer.reply is not None else None
        return answer

    def record(self) -> RequestRecord:
        return RequestRecord(
            call=self.call,
            operation=self.call.operation,
            purchase=self.purchase,
            mark=self.mark,
            reference=self.reference,
            faults=self.faults,
            status=self._status,
            committed=self._committed,
            error=self._error,
        )

    def _settled(self) -> None:
        through, self._through = self._through, _nothing
        through()


class _LateCommit:
    """A call whose client is gone and which the carrier will carry out all the same."""

    def __init__(self, turn: _Turn, waiting: set[_LateCommit], seconds: float) -> None:
        self._turn = turn
        self._waiting = waiting
        self.due_at: datetime = turn.dialect.world.clock.now() + timedelta(seconds=seconds)
        self._timer = asyncio.get_running_loop().call_later(seconds, self.run)

    def run(self) -> None:
        if self in self._waiting:
            self.cancel()
            self._turn.commit()

    def cancel(self) -> None:
        self._timer.cancel()
        self._waiting.discard(self)


def _nothing() -> None:
    return None
