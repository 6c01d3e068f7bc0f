"""What publishers share: an announcement as a message, the order of each parcel, and why something was not taken."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from ..errors import InputError, NotSupportedError, UnavailableError
from ..model import Problem, ProblemCode
from ..ports.events import Outgoing, Unsent

__all__ = [
    "BEHIND",
    "CONTENT_TYPE",
    "UNCONFIRMED",
    "Forks",
    "Message",
    "in_waves",
    "is_later",
    "later",
    "missing",
    "unavailable",
    "unusable",
    "where",
]

CONTENT_TYPE: Final = "application/cloudevents+json"
"""Of every body, in whatever header the broker has for it: CloudEvents' structured mode."""

BEHIND: Final = "behind"
"""Not sent, since something of its scope before it was not taken, or the connection was lost."""
UNCONFIRMED: Final = "unconfirmed"
"""Sent, and no confirmation came: it may have been taken."""
_LATER: Final = "later"


def later(why: str) -> str:
    """The code for what the destination wants to be asked again for: never a reason to give an announcement up."""
    return f"{_LATER}_{why}"


def is_later(error: str) -> bool:
    """Whether *error* is one of `later`."""
    return error.startswith(_LATER)


@attrs.frozen(kw_only=True)
class Message:
    """One announcement with the attributes of its CloudEvent that brokers want beside the body."""

    number: int
    scope: str
    body: bytes = attrs.field(repr=False)
    id: str
    source: str
    type: str
    partitionkey: str

    @classmethod
    def of(cls, outgoing: Outgoing) -> Message:
        """The message for *outgoing*."""
        told = outgoing.announcement
        members: Mapping[str, Any] = json.loads(told.body)
        return cls(
            number=told.number, scope=told.scope, body=told.body, id=members["id"], source=members["source"],
            type=told.type, partitionkey=members.get("partitionkey", told.scope),
        )  # fmt: skip

    def topic(self, prefix: str) -> str:
        """The routing key or subject, such as ``shipkit.milestone.entered.v1.acme``: type, then carrier."""
        carrier = re.sub("[^A-Za-z0-9_-]", "_", self.source.split("/")[2]) or "_"
        return f"{prefix}.{self.type.removeprefix('io.shipkit.')}.{carrier}"


def in_waves(batch: Sequence[Outgoing], send: Callable[[Sequence[Message]], Mapping[int, str]]) -> tuple[Unsent, ...]:
    """Send *batch* by *send*, which takes messages of different scopes at once and gives the errors by number.

    A wave has at most one message of each scope, and the next one is sent when all of it is confirmed. So nothing
    overtakes what was not taken, whatever the broker does with messages that are under way together.

    Raises:
        UnavailableError: of *send*, and nothing had been taken.
    """
    messages, errors = _read(batch)
    held: set[str] = set()
    taken, lost = False, False
    for wave in _waves(messages):
        errors.update((message.number, BEHIND) for message in wave if lost or message.scope in held)
        free = [message for message in wave if not lost and message.scope not in held]
        if not free:
            continue
        try:
            failed = send(free)
        except UnavailableError:
            if not taken:
                raise
            failed = dict.fromkeys((message.number for message in free), UNCONFIRMED)
        errors.update(failed)
        held.update(message.scope for message in free if message.number in failed)
        taken = taken or len(failed) < len(free)
        lost = UNCONFIRMED in failed.values()
    numbers = (outgoing.announcement.number for outgoing in batch)
    return tuple(Unsent(number=number, error=errors[number]) for number in numbers if number in errors)


def _read(batch: Sequence[Outgoing]) -> tuple[list[Message], dict[int, str]]:
    """The messages of *batch* up to what cannot be read of each scope, and the errors of the rest.

    It was written by this package; a row that was damaged since shall end as a dead one, and stop nothing else.
    """
    messages: list[Message] = []
    errors: dict[int, str] = {}
    ended: set[str] = set()
    for outgoing in batch:
        told = outgoing.announcement
        if told.scope in ended:
            errors[told.number] = BEHIND
            continue
        try:
            message = Message.of(outgoing)
            message.topic("")
        except (ValueError, LookupError, TypeError, AttributeError):
            errors[told.number] = "refused_unreadable"
            ended.add(told.scope)
        else:
            messages.append(message)
    return messages, errors


def _waves(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """The first message of each scope, then the second of those that have one, and so on."""
    waves: list[list[Message]] = []
    depth: dict[str, int] = {}
    for message in messages:
        index = depth.get(message.scope, 0)
        depth[message.scope] = index + 1
        if index == len(waves):
            waves.append([])
        waves[index].append(message)
    yield from waves


def missing(extra: str, package: str) -> NotSupportedError:
    """The error for a client library that is not installed."""
    return NotSupportedError(f"{package} is not installed: add the extra, shipkit-sdk[{extra}]")


def unavailable(kind: str, place: str, error: BaseException | str, *, retry_after_s: int | None = None) -> Exception:
    """The error for a destination that cannot be reached; it quotes the class of *error* and no text of it."""
    why = error if isinstance(error, str) else type(error).__name__
    return UnavailableError(f"{kind} at {place}: {why}", retry_after_s=retry_after_s)


def where(url: str, default_port: int) -> str:
    """Host and port of an address, without what it may hold of credentials."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        # A password with a slash that is not encoded ends the part that has the host.
        hidden = "@" in f"{parts.path}{parts.query}{parts.fragment}"
        return "?" if hidden else f"{parts.hostname or '?'}:{parts.port or default_port}"
    except ValueError:
        return "?"


def unusable(name: str, text: str) -> InputError:
    """The error for an argument that a publisher cannot be made with; it quotes nothing of it."""
    return InputError(problems=(Problem(path=f"/{name}", code=ProblemCode.MALFORMED, text=text),))


class Forks:
    """Tells a child of ``fork`` from the process whose connections it has a memory of."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._left: list[object] = []

    def is_child(self, *connections: object) -> bool:
        """Whether this process is a child, the first time it asks. It uses none of the *connections*, and keeps them:
        a client's goodbye, said by its destructor, would end those of the parent.
        """
        if self._pid == os.getpid():
            return False
        self._pid = os.getpid()
        self._left.extend(connections)
        return True
