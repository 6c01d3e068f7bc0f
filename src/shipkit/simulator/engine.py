"""Between the server and the dialect: counts what arrives, lets the faults happen, keeps the list of requests."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import datetime, timedelta
from typing import Final

import attrs

from .calls import BadCallError, Call, Reply
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
        self.busy = 0  #: calls that are being looked at now
        self.waiting: set[_LateCommit] = set()

    @property
    def late(self) -> int:
        """Calls that were dropped and are still to be carried out."""
        return len(self.waiting)

    def requests(self) -> tuple[RequestRecord, ...]:
        """The latest 10,000 requests, oldest first."""
        return tuple(turn.record() for turn in tuple(self._requests))

    def reset(self) -> None:
        """Forget requests and faults; calls that are still to be carried out never are."""
        self._requests.clear()
        self.faults.clear()
        self.stop()

    def stop(self) -> None:
        for late in tuple(self.waiting):
            late.cancel()

    def due_until(self, end: datetime) -> tuple[datetime, ...]:
        """The moments up to *end* at which a call is to be carried out, in order."""
        return tuple(sorted(late.due_at for late in self.waiting if late.due_at <= end))

    def time_passed(self) -> None:
        """Carry out what the carrier's clock says is due."""
        now = self.dialect.world.clock.now()
        for late in sorted(self.waiting, key=lambda late: late.due_at):
            if late.due_at <= now:
                late.run()

    async def answer(self, call: Call, idle_s: float | None) -> Answer:
        """Give *call* its turn; *idle_s* is how long its connection had rested (None: a new one)."""
        turn = self._turn(call)
        self.busy += 1
        try:
            answer = await self._carry_out(turn, idle_s)
        except Exception as broken:
            answer = Answer(reply=Reply.text("the dialect broke, see the simulator's log\n", 500))
            turn.broke(broken)
        finally:
            self.busy -= 1
            turn.leave()
        turn.status = answer.reply.status if answer.reply is not None else None
        return answer

    async def _carry_out(self, turn: _Turn, idle_s: float | None) -> Answer:
        try:
            faults = self._faults(turn, idle_s)
        except ValueError as wrong:
            return Answer(reply=Reply.text(f"{FAULT_HEADER}: {wrong}\n", 400))
        turn.faults = tuple(fault.name for fault in faults)
        for fault in faults:
            if fault.name == "token_revoked" and not self._revoke(turn.call):
                return Answer(reply=self.dialect.unauthorised(turn.call))
            if fault.name == "find_lags":
                turn.lag_s = fault.param("lag_s")
        shown = [fault for fault in faults if fault.kind.on_wire]
        return await EFFECTS[shown[0].name](turn, shown[0]) if shown else Answer(reply=turn.commit())

    def _turn(self, call: Call) -> _Turn:
        world = self.dialect.world
        with world.lock:
            self._arrivals += 1
            turn = _Turn(self, attrs.evolve(call, id=self._arrivals, received_at=world.clock.now()))
            try:
                turn.arrive()
            except BadCallError:
                pass  # the dialect's own answer to it comes when the call is carried out
            except Exception as broken:
                turn.broke(broken)
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

    def __init__(self, engine: Engine, call: Call) -> None:
        self.call = call
        self.dialect = engine.dialect
        self.purchase = False
        self.mark = ""
        self.reference = ""
        self.faults: tuple[str, ...] = ()
        self.lag_s = 0.0
        self.status: int | None = None
        self._waiting = engine.waiting
        self._waits = False
        self._through = _nothing
        self._committed = 0
        self._error = ""

    def arrive(self) -> None:
        """Find out what the call is; count it if it is a purchase."""
        found = self.dialect.find_route(self.call)
        if found is None:
            return
        route, params = found
        self.call = attrs.evolve(self.call, params=params, operation=route.operation)
        if route.purchase:
            self.purchase = True
            try:
                self.mark = self.dialect.mark_of(self.call)
                self.reference = self.dialect.reference_of(self.call)
            finally:
                self._through = self.dialect.world.arrived(self.mark, self.reference)

    def commit(self) -> Reply:
        world = self.dialect.world
        with world.lock:
            world.lag_s = self.lag_s
            self._committed += 1
            try:
                return self.dialect.handle(self.call)
            except Exception as broken:
                self.broke(broken)
                return self.dialect.failure(500, self.call)
            finally:
                world.lag_s = 0.0
                self._settled()

    def later(self, seconds: float) -> None:
        self._waits = True
        self._waiting.add(_LateCommit(self, self._waiting, seconds))

    def leave(self) -> None:
        """The carrier is through with the call, unless it is to be carried out later."""
        if not self._waits:
            self._settled()

    def broke(self, error: Exception) -> None:
        """The dialect has a fault of its own: say so where it is looked for."""
        self._error = repr(error)
        operation = self.call.operation or self.call.path
        _log.error("the dialect %s broke in %s", self.dialect.code, operation, exc_info=error)

    def record(self) -> RequestRecord:
        return RequestRecord(
            call=self.call,
            operation=self.call.operation,
            purchase=self.purchase,
            mark=self.mark,
            reference=self.reference,
            faults=self.faults,
            status=self.status,
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
