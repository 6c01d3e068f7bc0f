"""What a simulated carrier can do wrong, by name, as data."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["ALL", "FAULTS", "PURCHASES", "Fault", "FaultBox", "FaultKind", "load_faults"]

#: Values of :attr:`Fault.operation` besides the name of an operation.
ALL: Final = "*"
PURCHASES: Final = "purchase"


@attrs.frozen(kw_only=True)
class FaultKind:
    """One kind of misbehaviour.

    ``commits`` says when the call is carried out (``before`` the fault shows, ``late``, ``twice``, ``never``,
    ``normally``, or ``choice``: the parameter ``when`` decides), ``aims_at`` which operations it hits unless told
    otherwise, ``params`` its parameters with their defaults. A parameter that ends in ``_s`` is in real seconds, except
    ``lag_s``, which is in the carrier's.
    """

    name: str
    commits: str
    aims_at: str
    meaning: str
    params: Mapping[str, object] = attrs.field(factory=dict)
    on_wire: bool = True


def _kinds(*kinds: FaultKind) -> Mapping[str, FaultKind]:
    return {kind.name: kind for kind in kinds}


#: Every fault there is. Where both are possible the default is the one that hurts: after the purchase is in the books.
FAULTS: Final[Mapping[str, FaultKind]] = _kinds(
    FaultKind(
        name="drop_before",
        commits="never",
        aims_at=PURCHASES,
        meaning="the connection goes before the request is looked at: nothing is booked",
        params={"reset": False},
    ),
    FaultKind(
        name="drop_after_commit",
        commits="before",
        aims_at=PURCHASES,
        meaning="the booking is made, the connection goes instead of an answer",
        params={"reset": False},
    ),
    FaultKind(
        name="commit_late",
        commits="late",
        aims_at=PURCHASES,
        meaning="the connection goes at once (or stays silent), the booking is made after_s later; time that the clock "
        "is advanced by counts too",
        params={"after_s": 2.0, "hang_up": True},
    ),
    FaultKind(
        name="commit_twice",
        commits="twice",
        aims_at=PURCHASES,
        meaning="a gateway repeats the request: it is carried out twice, and the first (or second) answer is sent",
        params={"answer": "first"},
    ),
    FaultKind(
        name="find_lags",
        commits="normally",
        aims_at=PURCHASES,
        meaning="what is booked stays invisible to searches by mark or reference for lag_s of the carrier's time",
        params={"lag_s": 60.0},
        on_wire=False,
    ),
    FaultKind(
        name="close_idle",
        commits="never",
        aims_at=PURCHASES,
        meaning="a kept connection that idled for idle_s or more is closed just as the next request arrives: nothing "
        "is booked; a first request on a connection is not hit",
        params={"idle_s": 0.0},
    ),
    FaultKind(
        name="slow",
        commits="choice",
        aims_at=PURCHASES,
        meaning="the answer takes after_s",
        params={"after_s": 2.0, "when": "after"},
    ),
    FaultKind(
        name="drip",
        commits="before",
        aims_at=PURCHASES,
        meaning="the answer comes in pieces of a few bytes every interval_s, from the headers on or in the body only",
        params={"interval_s": 0.1, "where": "body", "size": 1},
    ),
    FaultKind(
        name="500",
        commits="choice",
        aims_at=PURCHASES,
        meaning="an internal error of the carrier, in its own words",
        params={"when": "after"},
    ),
    FaultKind(
        name="503",
        commits="choice",
        aims_at=PURCHASES,
        meaning="out of order, in the carrier's own words, with Retry-After unless retry_after_s is 0",
        params={"when": "after", "retry_after_s": 1},
    ),
    FaultKind(
        name="429",
        commits="never",
        aims_at=ALL,
        meaning="too many requests, with Retry-After unless retry_after_s is 0: nothing is booked",
        params={"retry_after_s": 1},
    ),
    FaultKind(
        name="200_with_error",
        commits="choice",
        aims_at=PURCHASES,
        meaning="HTTP 200 around an error in the carrier's own words; committed, it is one that proves nothing",
        params={"when": "before"},
    ),
    FaultKind(
        name="empty_body",
        commits="before",
        aims_at=PURCHASES,
        meaning="the right status and headers, and no body",
    ),
    FaultKind(
        name="truncated",
        commits="before",
        aims_at=PURCHASES,
        meaning="the first part of the body, with a length that fits it (framing whole) or with the connection gone "
        "in the middle (framing cut)",
        params={"part": 0.5, "framing": "whole"},
    ),
    FaultKind(
        name="html_page",
        commits="before",
        aims_at=PURCHASES,
        meaning="a gateway's page instead of the answer",
        params={"status": 502},
    ),
    FaultKind(
        name="token_revoked",
        commits="normally",
        aims_at=ALL,
        meaning="the token in use is revoked as the request arrives; a carrier without tokens refuses the credential",
        on_wire=False,
    ),
)

_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "when": ("before", "after"),
    "answer": ("first", "second"),
    "where": ("headers", "body"),
    "framing": ("whole", "cut"),
}


def _known(_: object, __: object, name: str) -> None:
    if name not in FAULTS:
        raise ValueError(f"no fault is called {name}; there are {', '.join(FAULTS)}")


@attrs.frozen(kw_only=True)
class Fault:
    """One fault to happen: which, to which calls, how often.

    ``operation`` is an operation's name, ``*`` or ``purchase``; empty means what the kind aims at. The first ``skip``
    fitting calls go well, then ``times`` are hit (None: all from then on). ``mark`` limits it to purchases of a mark.
    """

    name: str = attrs.field(validator=_known)
    operation: str = ""
    times: int | None = 1
    skip: int = 0
    mark: str = ""
    params: Mapping[str, Any] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for name, value in self.params.items():
            _check(self.kind, name, value)
        counted = _is_count(self.skip, 0) and (self.times is None or _is_count(self.times, 1))
        if not counted:
            raise ValueError(f"fault {self.name}: skip is 0 or more, times 1 or more (or none for no limit)")

    @property
    def kind(self) -> FaultKind:
        return FAULTS[self.name]

    @property
    def aims_at(self) -> str:
        return self.operation or self.kind.aims_at

    def param(self, name: str) -> Any:
        """A parameter's value, given or default."""
        return self.params.get(name, self.kind.params[name])

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Fault:
        """A fault from JSON or TOML: ``{"fault": "slow", "operation": "rates", "times": 2, "after_s": 0.5}``.

        Raises:
            ValueError: it names a fault, a parameter or a value that does not exist.
        """
        rest = {str(name): value for name, value in data.items()}
        name = str(rest.pop("fault", ""))
        own: dict[str, Any] = {
            field: rest.pop(field) for field in ("operation", "times", "skip", "mark") if field in rest
        }
        if not all(isinstance(own.get(field, ""), str) for field in ("operation", "mark")):
            raise ValueError(f"fault {name}: operation and mark are texts")
        return cls(name=name, params=rest, **own)

    @classmethod
    def of_header(cls, text: str) -> Fault:
        """A fault from a header field, for that one call: ``drop_before`` or ``slow; after_s=0.5; when=before``."""
        name, *parts = (part.strip() for part in text.split(";"))
        pairs = (part.partition("=") for part in parts if part)
        params = {key.strip(): _value(value.strip()) for key, _, value in pairs}
        return cls(name=name, operation=ALL, params=params)

    def to_data(self) -> dict[str, Any]:
        """The reverse of :meth:`of`, defaults included."""
        return {
            "fault": self.name,
            "operation": self.aims_at,
            "times": self.times,
            "skip": self.skip,
            "mark": self.mark,
            **self.kind.params,
            **self.params,
        }


@attrs.define
class _Rule:
    fault: Fault
    seen: int = 0
    hits: int = 0

    def spent(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times

    def fits(self, operation: str, purchase: bool, mark: str) -> bool:
        aim = self.fault.aims_at
        aimed = aim in {ALL, operation} or (aim == PURCHASES and purchase)
        return aimed and self.fault.mark in {"", mark} and not self.spent()

    def hit(self) -> bool:
        self.seen += 1
        if self.seen <= self.fault.skip:
            return False
        self.hits += 1
        return True


class FaultBox:
    """The faults that wait for their calls. May be used from any thread."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: dict[int, _Rule] = {}
        self._last = 0
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> int:
        """Let *fault* happen from now on; returns the number to take it back by."""
        with self._lock:
            self._last += 1
            self._rules[self._last] = _Rule(fault)
            return self._last

    def remove(self, fault_id: int) -> bool:
        """Take a fault back; False if there was none of that number."""
        with self._lock:
            return self._rules.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Behave well from now on."""
        with self._lock:
            self._rules.clear()

    def pending(self) -> dict[int, Fault]:
        """The faults that can still happen."""
        with self._lock:
            return {fault_id: rule.fault for fault_id, rule in self._rules.items() if not rule.spent()}

    def hits(self, fault_id: int) -> int:
        """How often that fault has happened; 0 for one that is not there."""
        with self._lock:
            return self._rules[fault_id].hits if fault_id in self._rules else 0

    def take(self, operation: str, purchase: bool, mark: str, idle_s: float | None) -> tuple[Fault, ...]:
        """The faults that hit this call: any number that work on the carrier's state, at most one on the wire.

        *idle_s* is how long the connection rested since its last answer; None on a new connection.
        """
        taken: list[Fault] = []
        with self._lock:
            for rule in self._rules.values():
                fault = rule.fault
                busy = fault.kind.on_wire and any(other.kind.on_wire for other in taken)
                if not busy and rule.fits(operation, purchase, mark) and _ripe(fault, idle_s) and rule.hit():
                    taken.append(fault)
        return tuple(taken)


def load_faults(path: Path) -> tuple[Fault, ...]:
    """Faults from a file: JSON (a list) or TOML (an array of tables called ``faults``).

    Raises:
        ValueError: the file is neither, or names what does not exist; the message says which entry.
    """
    content = path.read_text(encoding="utf-8")
    try:
        rows = _read_toml(content).get("faults", []) if path.suffix == ".toml" else json.loads(content)
    except ValueError as broken:
        raise ValueError(f"{path}: {broken}") from None
    if not isinstance(rows, list):
        raise ValueError(f"{path}: expected a list of faults")
    faults: list[Fault] = []
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise ValueError(f"{path}: entry {index} is not an object")
        try:
            faults.append(Fault.of(row))
        except ValueError as wrong:
            raise ValueError(f"{path}: entry {index}: {wrong}") from None
    return tuple(faults)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _ripe(fault: Fault, idle_s: float | None) -> bool:
    return fault.name != "close_idle" or (idle_s is not None and idle_s >= fault.param("idle_s"))


def _check(kind: FaultKind, name: str, value: object) -> None:
    if name not in kind.params:
        known = ", ".join(kind.params) or "none"
        raise ValueError(f"fault {kind.name} has no parameter {name}; it has {known}")
    default = kind.params[name]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    right = isinstance(value, type(default)) or (isinstance(default, float) and number)
    if not right or (isinstance(default, int) and not isinstance(default, bool) and not number):
        raise ValueError(f"fault {kind.name}: {name} is like {default!r}, not {value!r}")
    if value not in _CHOICES.get(name, (value,)) or (isinstance(value, int | float) and value < 0):
        raise ValueError(f"fault {kind.name}: {name} cannot be {value!r}")


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_toml(content: str) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(content)
