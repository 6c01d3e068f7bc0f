"""Can it still be cancelled: the carrier's policy, put as a question about one booking at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from .errors import InputError
from .model import BookingState, CutOff, Milestone, Problem, ProblemCode, RefundMode, Shipment, Timeline, VoidPolicy

__all__ = ["CanCancel", "VoidAnswer", "can_cancel", "not_offered"]

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNTOUCHED = ("none", "pre")  # phases of a journey in which nobody has the parcel yet


class CanCancel(str, Enum):
    """Whether it can; unknown where the carrier states nothing, or a fact about the booking is missing."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class VoidAnswer:
    """Whether a booking can be cancelled, until when, and why; for the same facts a no never becomes a yes."""

    answer: CanCancel
    code: str
    """Stable: ``open``, ``not_booked``, ``voided``, ``voiding``, ``in_doubt``, ``removed``, ``window_over``,
    ``day_closed``, ``manifested``, ``scanned``, ``scan_unknown``, ``manifest_unknown``, ``not_stated``,
    ``not_offered``."""
    text: str
    until: datetime | None = None
    """From this moment on it is too late, as far as the carrier states a time; aware UTC."""
    refund: RefundMode | None = None
    """How the money comes back; on request the answer to a cancellation is ``requested``, and the carrier decides."""
    per_package: bool | None = None
    """Whether single packages can be cancelled; None where the carrier does not say."""

    def __bool__(self) -> bool:
        raise TypeError("a VoidAnswer is yes, no or unknown: compare its answer")


def can_cancel(
    shipment: Shipment,
    now: datetime,
    policy: VoidPolicy | None,
    *,
    timeline: Timeline | None = None,
    manifested: bool | None = None,
) -> VoidAnswer:
    """Whether *shipment* can be cancelled at *now* under *policy*; nothing is asked of anybody.

    *timeline* says whether the carrier has scanned it, *manifested* whether it was closed in a manifest. A carrier that
    states one limit is taken at its word that there is no other; one that states none leaves it unknown.

    Raises:
        InputError: *now* has no time zone.
    """
    if now.tzinfo is None:
        text = "has no time zone: a deadline needs an aware moment"
        raise InputError(problems=(Problem(path="/now", code=ProblemCode.MALFORMED, text=text),))
    policy = policy if policy is not None else VoidPolicy()
    deadlines = _deadlines(shipment, policy)
    until = min((moment for moment, _, _ in deadlines), default=None)

    def told(answer: CanCancel, code: str, text: str) -> VoidAnswer:
        return VoidAnswer(
            answer=answer, code=code, text=text, until=until, refund=policy.refund, per_package=policy.per_package
        )

    if (final := _of_state(shipment.state)) is not None:
        return told(*final)
    manifested = True if shipment.state is BookingState.MANIFESTED else manifested
    for refused in _refusals(policy, now, deadlines, manifested, timeline):
        return told(CanCancel.NO, *refused)
    if shipment.state is BookingState.IN_DOUBT:
        return told(CanCancel.UNKNOWN, "in_doubt", "whether it is booked is not known yet")
    for missing in _missing(policy, deadlines, manifested, timeline):
        return told(CanCancel.UNKNOWN, *missing)
    text = f"until {until:%Y-%m-%d %H:%M} UTC" if until is not None else "as far as the carrier states a limit"
    return told(CanCancel.YES, "open", f"it can be cancelled, {text}")


def not_offered(reason: str) -> VoidAnswer:
    """The carrier's interface, or the plugin, cancels nothing."""
    return VoidAnswer(answer=CanCancel.NO, code="not_offered", text=reason)


_Deadline = tuple[datetime, str, str]
_Why = tuple[str, str]


def _of_state(state: BookingState) -> tuple[CanCancel, str, str] | None:
    if state is BookingState.VOIDED:
        return CanCancel.NO, "voided", "it is cancelled already"
    if state is BookingState.VOIDING:
        return CanCancel.NO, "voiding", "its cancellation is under way"
    return None


def _deadlines(shipment: Shipment, policy: VoidPolicy) -> tuple[_Deadline, ...]:
    """Moments from which on it is too late, with the reason."""
    printed = shipment.carrier_created_at
    booked_at = (printed.instant if printed is not None else None) or shipment.created_at
    found: list[_Deadline] = []
    if policy.window_h is not None:
        over_at = (booked_at + timedelta(hours=policy.window_h)).astimezone(timezone.utc)
        found.append((over_at, "window_over", f"the carrier cancels within {policy.window_h} hours of the booking"))
    closes_at = min((at for close in policy.closes if (at := _next_close(close, booked_at)) is not None), default=None)
    if closes_at is not None:
        found.append((closes_at, "day_closed", "the carrier has closed the day that it was booked on"))
    return tuple(found)


def _next_close(close: CutOff, after: datetime) -> datetime | None:
    """The first *close* of the day after a moment; None where nobody here knows its zone."""
    zone = _zone(close)
    if zone is None:
        return None
    local = after.astimezone(zone)
    ahead = (_WEEKDAYS.index(close.weekday.value) - local.weekday()) % 7
    for days in (ahead, ahead + 7):
        at = datetime.combine(local.date() + timedelta(days=days), close.at, zone).astimezone(timezone.utc)
        if at > after:
            return at
    return None


def _zone(close: CutOff) -> ZoneInfo | None:
    try:
        return ZoneInfo(close.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zones, such as "Europe"
        return None


def _refusals(
    policy: VoidPolicy,
    now: datetime,
    deadlines: tuple[_Deadline, ...],
    manifested: bool | None,
    timeline: Timeline | None,
) -> tuple[_Why, ...]:
    """Every condition that says no."""
    found = [(code, text) for moment, code, text in sorted(deadlines) if now >= moment]
    if manifested and policy.until_manifested:
        found.append(("manifested", "it is closed in a manifest, after which the carrier cancels nothing"))
    if timeline is not None and timeline.milestone is Milestone.CANCELLED:
        found.append(("voided", "the carrier says that it is cancelled"))
    if policy.until_first_scan and timeline is not None and _is_scanned(timeline):
        found.append(("scanned", "the carrier has it, and cancels only what it never scanned"))
    return tuple(found)


def _missing(
    policy: VoidPolicy, deadlines: tuple[_Deadline, ...], manifested: bool | None, timeline: Timeline | None
) -> tuple[_Why, ...]:
    """Every fact without which nobody can say yes."""
    found = []
    stated = deadlines or policy.until_manifested is not None or policy.until_first_scan is not None
    if not stated:
        found.append(("not_stated", "the carrier does not state until when it cancels"))
    if any(_zone(close) is None for close in policy.closes):
        found.append(("not_stated", "when the carrier closes the day is in a zone that is not known here"))
    if manifested is None and policy.until_manifested:
        found.append(("manifest_unknown", "the carrier cancels until the manifest; say whether there was one"))
    elif manifested and policy.until_manifested is None:
        found.append(("manifest_unknown", "whether the carrier cancels what is in a manifest is not stated"))
    if timeline is None and policy.until_first_scan:
        found.append(("scan_unknown", "the carrier cancels until the first scan; bring the timeline"))
    return tuple(found)


def _is_scanned(timeline: Timeline) -> bool:
    """Whether any evidence shows it in the carrier's hands: what was withdrawn later does not count."""
    seen = {timeline.milestone, *(entry.milestone for entry in timeline.entries)}
    return any(milestone.phase not in _UNTOUCHED for milestone in seen) or any(
        _is_scanned(piece) for piece in timeline.pieces
    )
