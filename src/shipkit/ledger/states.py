"""The ledger's state table as data: what each event does to a row. The stores are held against it by a test."""

from __future__ import annotations

from typing import Final

import attrs

from ..ports import Phase

__all__ = ["TABLE", "Transition"]


@attrs.frozen
class Transition:
    """In ``phase``, ``event`` leads to ``then`` if ``guard`` holds; elsewhere the row stays as it is."""

    phase: Phase | None
    event: str
    then: Phase
    guard: str = ""


_P = Phase

# Events: claim and resend (of a sender), not_sent, doubt, refuse (by that sender), take_over, absent, needs_person and
# book (by anyone who looked), want_void, voided, keep, close (a person), plan, undo and end_parent (of pieces),
# instead (a generation of its own takes over), restored (the store lost its newest commits).
# Guards name what the row must show besides the phase; "mine" is owner, attempt and send of the claim.
TABLE: Final = (
    Transition(None, "claim", _P.IN_FLIGHT, "first attempt"),
    Transition(_P.NEW, "claim", _P.IN_FLIGHT, "same identity, any payload: nothing ever left under it"),
    Transition(_P.ABSENT, "claim", _P.IN_FLIGHT, "next attempt, same payload, attempts left"),
    Transition(_P.REJECTED, "claim", _P.IN_FLIGHT, "next attempt, any payload"),
    Transition(_P.VOIDED, "claim", _P.IN_FLIGHT, "next generation"),
    Transition(_P.CLOSED, "claim", _P.IN_FLIGHT, "next generation"),
    *(
        Transition(phase, "instead", _P.CLOSED, "another generation is claimed in its place, no void wanted")
        for phase in (_P.NEW, _P.ABSENT, _P.REJECTED)
    ),
    Transition(_P.IN_FLIGHT, "not_sent", _P.NEW, "mine, first send"),
    Transition(_P.IN_FLIGHT, "not_sent", _P.VOIDED, "mine, first send, void wanted"),
    Transition(_P.IN_FLIGHT, "not_sent", _P.IN_DOUBT, "mine, an earlier send is open"),
    Transition(_P.IN_DOUBT, "resend", _P.IN_FLIGHT, "same identity, sends left, first repeat or settled, live"),
    Transition(_P.IN_FLIGHT, "doubt", _P.IN_DOUBT, "mine"),
    Transition(_P.IN_FLIGHT, "take_over", _P.IN_DOUBT, "lease over"),
    Transition(_P.IN_FLIGHT, "refuse", _P.REJECTED, "newest send, no other open"),
    Transition(_P.IN_DOUBT, "refuse", _P.REJECTED, "newest send, no other open"),
    Transition(_P.IN_FLIGHT, "refuse", _P.VOIDED, "newest send, no other open, void wanted"),
    Transition(_P.IN_DOUBT, "refuse", _P.VOIDED, "newest send, no other open, void wanted"),
    Transition(_P.IN_FLIGHT, "refuse", _P.IN_DOUBT, "newest send, another one open"),
    Transition(_P.IN_DOUBT, "absent", _P.ABSENT, "asked at or after settle_at, same send, attempts left"),
    Transition(
        _P.IN_DOUBT, "absent", _P.REJECTED, "asked at or after settle_at, same send, restored where any might follow"
    ),
    Transition(_P.IN_DOUBT, "absent", _P.NEEDS_PERSON, "asked at or after settle_at, same send, no attempts left"),
    Transition(_P.IN_DOUBT, "absent", _P.VOIDED, "asked at or after settle_at, same send, void wanted"),
    Transition(_P.IN_DOUBT, "needs_person", _P.NEEDS_PERSON, "nobody to ask"),
    *(
        Transition(phase, "book", _P.SUCCEEDED, "no other booking")
        for phase in (_P.NEW, _P.IN_FLIGHT, _P.IN_DOUBT, _P.ABSENT, _P.REJECTED, _P.NEEDS_PERSON, _P.SUCCEEDED)
    ),
    *(
        Transition(phase, "book", _P.VOIDING, "no other booking, void wanted")
        for phase in (_P.IN_FLIGHT, _P.IN_DOUBT, _P.NEEDS_PERSON, _P.VOIDING)
    ),
    Transition(_P.SUCCEEDED, "want_void", _P.VOIDING),
    *(Transition(phase, "want_void", _P.VOIDED) for phase in (_P.NEW, _P.ABSENT, _P.REJECTED)),
    Transition(_P.SUCCEEDED, "voided", _P.VOIDED, "definite: it refused one worker, and undid it for another"),
    Transition(_P.VOIDING, "voided", _P.VOIDED, "definite, or unknown there and asked at or after settle_at"),
    Transition(_P.VOIDING, "keep", _P.SUCCEEDED, "the carrier would not undo it, and nobody has asked it again"),
    *(Transition(phase, "close", _P.CLOSED) for phase in (_P.NEEDS_PERSON, _P.NEW, _P.ABSENT, _P.REJECTED)),
    *(
        Transition(phase, "restored", _P.IN_DOUBT, "one send further, not alone, settling anew")
        for phase in (_P.NEW, _P.IN_FLIGHT, _P.IN_DOUBT, _P.ABSENT, _P.REJECTED)
    ),
    Transition(None, "restored", _P.IN_DOUBT, "a key that may be one that was lost"),
    Transition(None, "plan", _P.PLANNED, "with its pieces, each new"),
    *(
        Transition(phase, "plan", _P.PLANNED, "next generation; what was new or rejected is closed")
        for phase in (_P.NEW, _P.REJECTED, _P.VOIDED, _P.CLOSED)
    ),
    Transition(_P.PLANNED, "undo", _P.PLANNED, "a wish to void it and every piece"),
    Transition(_P.PLANNED, "end_parent", _P.REJECTED, "void wanted, every piece at an end, refused"),
    Transition(_P.PLANNED, "end_parent", _P.VOIDED, "void wanted, every piece at an end, not refused"),
)
