"""The faults at work: one short coroutine per fault that shows on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import attrs

from .calls import Call, Reply
from .dialect import Dialect
from .faults import Fault

__all__ = ["EFFECTS", "Answer", "Turn"]


@attrs.frozen(kw_only=True)
class Answer:
    """What goes over the wire: a reply, how it is sent, or no reply and a connection that goes."""

    reply: Reply | None = None
    reset: bool = False  #: the connection goes with RST instead of FIN
    cut_at: int | None = None  #: bytes of the body after which the connection goes
    drip_s: float = 0.0  #: seconds between two pieces
    drip_from: str = "body"
    drip_size: int = 1


class Turn(Protocol):
    """One call's turn at the carrier."""

    call: Call
    dialect: Dialect

    def commit(self) -> Reply:
        """Carry the call out: what it books is in the books when this returns."""
        ...

    def later(self, seconds: float) -> None:
        """Carry the call out after *seconds*, whatever becomes of the connection; nobody hears the answer."""
        ...


async def _drop_before(turn: Turn, fault: Fault) -> Answer:
    return Answer(reset=fault.param("reset"))


async def _drop_after_commit(turn: Turn, fault: Fault) -> Answer:
    turn.commit()
    return Answer(reset=fault.param("reset"))


async def _commit_late(turn: Turn, fault: Fault) -> Answer:
    turn.later(fault.param("after_s"))
    if not fault.param("hang_up"):
        await asyncio.sleep(fault.param("after_s"))
    return Answer()


async def _commit_twice(turn: Turn, fault: Fault) -> Answer:
    answers = {"first": turn.commit(), "second": turn.commit()}
    return Answer(reply=answers[fault.param("answer")])


async def _close_idle(turn: Turn, fault: Fault) -> Answer:
    return Answer(reset=True)


async def _slow(turn: Turn, fault: Fault) -> Answer:
    if fault.param("when") == "before":
        await asyncio.sleep(fault.param("after_s"))
        return Answer(reply=turn.commit())
    reply = turn.commit()
    await asyncio.sleep(fault.param("after_s"))
    return Answer(reply=reply)


async def _drip(turn: Turn, fault: Fault) -> Answer:
    return Answer(
        reply=turn.commit(),
        drip_s=fault.param("interval_s"),
        drip_from=fault.param("where"),
        drip_size=max(1, fault.param("size")),
    )


async def _failing(turn: Turn, fault: Fault) -> Answer:
    if fault.param("when") == "after":
        turn.commit()
    return Answer(reply=_with_retry_after(turn.dialect.failure(int(fault.name), turn.call), fault))


async def _too_many(turn: Turn, fault: Fault) -> Answer:
    return Answer(reply=_with_retry_after(turn.dialect.failure(429, turn.call), fault))


async def _error_in_200(turn: Turn, fault: Fault) -> Answer:
    committed = fault.param("when") == "after"
    if committed:
        turn.commit()
    return Answer(reply=turn.dialect.error_in_200(turn.call, committed))


async def _empty_body(turn: Turn, fault: Fault) -> Answer:
    return Answer(reply=attrs.evolve(turn.commit(), body=b""))


async def _truncated(turn: Turn, fault: Fault) -> Answer:
    reply = turn.commit()
    length = int(len(reply.body) * min(1.0, fault.param("part")))
    if fault.param("framing") == "cut":
        return Answer(reply=reply, cut_at=length)
    return Answer(reply=attrs.evolve(reply, body=reply.body[:length]))


async def _html_page(turn: Turn, fault: Fault) -> Answer:
    turn.commit()
    title = f"{fault.param('status')} Gateway"
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1><hr></body></html>\n"
    return Answer(reply=Reply.html(page, fault.param("status")))


def _with_retry_after(reply: Reply, fault: Fault) -> Reply:
    seconds = fault.kind.params.get("retry_after_s", 0) and fault.param("retry_after_s")
    return reply.with_headers(Retry_After=str(seconds)) if seconds else reply


#: What each fault on the wire does; the two that work on the carrier's state stand in ``Turn``'s maker.
EFFECTS: Final[Mapping[str, Callable[[Turn, Fault], Awaitable[Answer]]]] = {
    "drop_before": _drop_before,
    "drop_after_commit": _drop_after_commit,
    "commit_late": _commit_late,
    "commit_twice": _commit_twice,
    "close_idle": _close_idle,
    "slow": _slow,
    "drip": _drip,
    "500": _failing,
    "503": _failing,
    "429": _too_many,
    "200_with_error": _error_in_200,
    "empty_body": _empty_body,
    "truncated": _truncated,
    "html_page": _html_page,
}
