"""The audit trail's chain: each line's digest covers the line and the digest before it, so none changes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Final

import attrs

from ..ports import Entry, Step

__all__ = ["EVENTS", "broken_at", "chained", "digest_of", "step_of"]

# What may have happened to a row; the first ones are the events of `shipkit.ledger.TABLE`.
EVENTS: Final = (
    "plan",
    "claim",
    "resend",
    "take_over",
    "doubt",
    "not_sent",
    "refuse",
    "absent",
    "needs_person",
    "book",
    "fill",
    "stray",
    "want_void",
    "voided",
    "keep",
    "close",
    "instead",
    "undo",
    "end_parent",
    "restored",
    "end_stray",
    "purge",
)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def digest_of(before: str, step: Step) -> str:
    """The digest of *step* after a line with the digest *before* (empty for the first line of a key)."""
    # Whole microseconds: what any store keeps of a time comes back as the same number.
    at = (step.at - _EPOCH) // _MICROSECOND
    told = [before, step.key, step.generation, step.number, step.event, step.before, step.after]
    told += [step.attempt, step.send, step.booking, step.detail, at]
    return sha256(json.dumps(told, separators=(",", ":")).encode("ascii")).hexdigest()


def step_of(
    event: str, before: Entry | None, after: Entry, number: int, *, booking: str = "", detail: str = ""
) -> Step:
    """The line for *event*, which made *after* of *before*; its digest is still missing.

    *booking* is named by events about a booking that is not the row's own, *detail* by those that carry a code.
    """
    return Step(
        key=after.key,
        generation=after.generation,
        number=number,
        event=event,
        before=before.phase.value if before is not None else "",
        after=after.phase.value,
        attempt=after.attempt,
        send=after.send,
        booking=booking or after.booking,
        detail=detail,
        at=after.updated_at,
        digest="",
    )


def chained(steps: Iterable[Step], before: str = "") -> tuple[Step, ...]:
    """*steps* of one key with their digests, after a line with the digest *before*."""
    whole = []
    for step in steps:
        before = digest_of(before, step)
        whole.append(attrs.evolve(step, digest=before))
    return tuple(whole)


def broken_at(steps: Iterable[Step]) -> int | None:
    """The number of the first line that was changed, or that follows one that was taken out; None if all are whole."""
    digest = ""
    for number, step in enumerate(steps, 1):
        digest = digest_of(digest, step)
        if step.number != number or step.digest != digest:
            return step.number
    return None
