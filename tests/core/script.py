"""Runs over effects, performed by hand: no clock, no socket, every effect in the hands of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any, TypeVar

from shipkit.flow import Call, Emit, Now, Request, Response, Run, Sleep, Transmit
from shipkit.policy import AccountState, Context
from shipkit.settings import Settings
from shipkit.store import MemoryLimits, MemoryTokens

T = TypeVar("T")
START = datetime(2026, 3, 2, 9, 0, tzinfo=timezone.utc)


class World:
    """Answers transmits from a script and lets virtual seconds pass with every sleep."""

    def __init__(self, *answers: Response | BaseException | Callable[[Request], Response]) -> None:
        self.answers: Iterator[Any] = iter(answers)
        self.at = 0.0
        self.sent: list[Request] = []
        self.slept: list[float] = []
        self.events: list[Any] = []

    def run(self, run: Run[T]) -> T:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = run.throw(error) if error is not None else run.send(value)
            except StopIteration as stop:
                return stop.value
            value = error = None
            try:
                value = self.perform(effect)
            except BaseException as failure:
                error = failure

    def perform(self, effect: Any) -> Any:
        match effect:
            case Now():
                return self.at
            case Sleep():
                self.slept.append(effect.seconds)
                self.at += effect.seconds
            case Call():
                return effect.function(*effect.args)
            case Emit():
                self.events.append(effect.event)
            case Transmit():
                return self.transmit(effect)
        return None

    def transmit(self, effect: Transmit) -> Response:
        self.sent.append(effect.request)
        answer = next(self.answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer(effect.request) if callable(answer) else answer


def context(**changes: Any) -> Context:
    values: dict[str, Any] = {
        "state": AccountState(account="acme-de", carrier="acme"),
        "operation": "rates",
        "until": 30.0,
        "deadline_s": 30.0,
        "settings": Settings(),
        "tokens": MemoryTokens(lambda: START.timestamp()),
        "limits": MemoryLimits(),
        "request_id": iter(f"id-{n}" for n in range(10_000)).__next__,
        "hosts": frozenset({"api.acme.example"}),
    }
    return Context(**values | changes)


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> Callable[[Request], Response]:
    from shipkit.flow import Headers

    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return lambda request: Response(status=status, headers=named, content=body, request=request, received_at=START)


LOOK = Request.get("https://api.acme.example/v2/rates", name="rates", signed=False)
BUY = Request.json("POST", "https://api.acme.example/v2/shipments", {}, name="create_shipment", signed=False)
