"""What can go wrong with a carrier's pushes, as data: they are lost, late, sent twice, or unsigned."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import attrs

__all__ = ["PUSH_FAULTS", "PushFault", "PushFaultBox"]

#: Every fault of a push, and what becomes of one that it hits.
PUSH_FAULTS: Final[Mapping[str, str]] = {
    "lost": "the carrier never sends it",
    "late": "it is sent lag_s of the carrier's time after it should be",
    "twice": "it is sent two times, the same bytes",
    "unsigned": "it lacks the header that proves who sends it",
}


def _known(_: object, __: object, name: str) -> None:
    if name not in PUSH_FAULTS:
        raise ValueError(f"no fault of a push is called {name}; there are {', '.join(PUSH_FAULTS)}")


@attrs.frozen(kw_only=True)
class PushFault:
    """One fault of pushes: which, and which of them it hits, in the order in which they are made.

    The first ``skip`` go well; then ``hit`` of every ``of`` are hit, the first ones, ``times`` in all (None: no limit).
    """

    name: str = attrs.field(validator=_known)
    hit: int = attrs.field(default=1, validator=[attrs.validators.instance_of(int), attrs.validators.ge(1)])
    of: int = attrs.field(default=1, validator=[attrs.validators.instance_of(int), attrs.validators.ge(1)])
    skip: int = attrs.field(default=0, validator=[attrs.validators.instance_of(int), attrs.validators.ge(0)])
    times: int | None = attrs.field(
        default=None, validator=attrs.validators.optional([attrs.validators.instance_of(int), attrs.validators.ge(1)])
    )
    lag_s: float = attrs.field(
        default=6 * 3600.0, validator=[attrs.validators.instance_of((int, float)), attrs.validators.ge(0)]
    )
    """Of the fault ``late``."""

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> PushFault:
        """A fault from JSON: ``{"fault": "lost", "hit": 1, "of": 5}``.

        Raises:
            ValueError: it names a fault, a member or a value that does not exist.
        """
        rest = {str(name): value for name, value in data.items()}
        try:
            return cls(name=str(rest.pop("fault", "")), **rest)
        except TypeError as wrong:
            raise ValueError(
                f"a fault of pushes: {str(wrong).partition(' got ')[2] or 'a value of another kind'}"
            ) from None


@attrs.define
class _Rule:
    fault: PushFault
    seen: int = 0
    hits: int = 0

    def strikes(self) -> bool:
        fault, place = self.fault, self.seen - self.fault.skip
        self.seen += 1
        if place < 0 or place % fault.of >= fault.hit or (fault.times is not None and self.hits >= fault.times):
            return False
        self.hits += 1
        return True


class PushFaultBox:
    """The faults that wait for pushes. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: dict[int, _Rule] = {}
        self._last = 0

    def add(self, fault: PushFault) -> int:
        """Let *fault* happen from the next push on; returns the number to take it back by."""
        with self._lock:
            self._last += 1
            self._rules[self._last] = _Rule(fault)
            return self._last

    def remove(self, fault_id: int) -> bool:
        """Take a fault back; False if there was none of that number."""
        with self._lock:
            return self._rules.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Push well from now on."""
        with self._lock:
            self._rules.clear()

    def all(self) -> dict[int, tuple[PushFault, int]]:
        """Each fault by its number, and how often it has hit."""
        with self._lock:
            return {fault_id: (rule.fault, rule.hits) for fault_id, rule in self._rules.items()}

    def take(self) -> dict[str, PushFault]:
        """The faults that hit the push that is made now, by name."""
        with self._lock:
            return {rule.fault.name: rule.fault for rule in self._rules.values() if rule.strikes()}
