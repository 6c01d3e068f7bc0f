"""The audit trail's chain: each line's digest covers the line and the digest before it, so none changes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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

_BESIDE: Final = ("stray", "end_stray", "purge")
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


def broken_at(steps: Sequence[Step], row: Entry | None = None) -> int | None:
    """The number of the first line that was changed, or that is missing; None if all are whole.

    Lines that are cut off the end leave the others whole. With *row*, the newest of the key, that is found too: it has
    to show what the last line about it made. (Of what came in beside a row nothing shows in it.)
    """
    digest = ""
    for number, step in enumerate(steps, 1):
        digest = digest_of(digest, step)
        if step.number != number or step.digest != digest:
            return step.number
    if row is None:
        return None
    made = [step for step in steps if step.generation == row.generation and step.event not in _BESIDE]
    shows = (row.phase.value, row.attempt, row.send, row.updated_at)
    whole = made and (made[-1].after, made[-1].attempt, made[-1].send, made[-1].at) == shows
    return None if whole else len(steps) + 1
