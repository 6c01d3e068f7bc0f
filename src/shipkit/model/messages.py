"""Notices in successful answers, problems of a request, outcomes of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast

import attrs

from shipkit.model.base import Value
from shipkit.model.marks import personal
from shipkit.model.scalars import ClosedEnum, JsonPointer, OpenEnum

if TYPE_CHECKING:
    from shipkit.errors import ShipkitError

__all__ = [
    "Message",
    "NoticeCode",
    "NoticeLevel",
    "Outcome",
    "Problem",
    "ProblemCode",
]

T = TypeVar("T")


class NoticeLevel(ClosedEnum):
    """The weight of a notice."""

    INFO = "info"
    WARNING = "warning"


class NoticeCode(OpenEnum):
    """What a notice says. Open: a value this version does not know is kept raw."""

    CARRIER_NOTICE = "carrier_notice"  # the carrier's own, see carrier_code
    PRINTED_SHORTENED = "printed_shortened"  # accepted whole, printed shorter
    PRICE_CHANGED = "price_changed"  # billed otherwise than quoted
    SERVICE_CHANGED = "service_changed"  # booked otherwise than asked
    ADDRESS_CORRECTED = "address_corrected"
    PARTIAL_ANSWER = "partial_answer"  # some items are missing
    HISTORY_CUT = "history_cut"  # older events are gone
    SEVERAL_FOUND = "several_found"  # more than one booking under one mark: a person must look
    STALE = "stale"  # a kept answer, the carrier did not reply
    UNMAPPED_CODE = "unmapped_code"  # a code without a row in the tables
    FORMAT_CHANGED = "format_changed"  # another document format than asked
    ENTERED_BY_PERSON = "entered_by_person"  # found at the carrier by a person, who may hold the papers


class ProblemCode(OpenEnum):
    """The rule that is broken. Open: a value this version does not know is kept raw."""

    MISSING = "missing"
    UNIT_MISSING = "unit_missing"
    FLOAT_REFUSED = "float_refused"
    TOO_HEAVY = "too_heavy"
    TOO_BIG = "too_big"
    NOT_POSITIVE = "not_positive"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    TOO_MANY = "too_many"
    TOO_FEW = "too_few"
    BAD_CHARACTERS = "bad_characters"
    MALFORMED = "malformed"
    CHECK_DIGIT = "check_digit"
    UNKNOWN_VALUE = "unknown_value"
    NOT_OFFERED = "not_offered"
    NOT_TOGETHER = "not_together"
    DUPLICATE = "duplicate"
    INCONSISTENT = "inconsistent"  # two fields contradict each other
    LANE_REQUIRES = "lane_requires"  # demanded on this lane


# These tell the type checkers that text will do; it becomes the member, or is refused, where the field is checked.


def _notice(code: NoticeCode | str) -> NoticeCode:
    return cast("NoticeCode", code)


def _problem(code: ProblemCode | str) -> ProblemCode:
    return cast("ProblemCode", code)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Message(Value):
    """A notice in a successful answer; what fails is an error."""

    level: NoticeLevel
    code: NoticeCode = attrs.field(default=NoticeCode.CARRIER_NOTICE, converter=_notice)
    """Stable: hosts translate by it."""
    carrier_code: str | None = None
    """The carrier's."""
    text: str | None = attrs.field(default=None, metadata=personal("medium", "free_text", mask="drop", by_default=True))
    """The carrier's words."""
    path: JsonPointer | None = None
    """The canonical field that it speaks of."""

    @classmethod
    def unmapped(cls, code: str) -> Message:
        """What a plugin says of a carrier's *code* that its tables do not have: hosts count these."""
        text = "a code that no source explains"
        return cls(level=NoticeLevel.WARNING, code=NoticeCode.UNMAPPED_CODE, carrier_code=code, text=text)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Problem(Value):
    """One thing that is wrong with what the host gave."""

    path: JsonPointer
    """Such as ``/packages/0/weight``."""
    code: ProblemCode = attrs.field(converter=_problem)
    """Stable: hosts translate by it."""
    text: str
    """An English sentence that names the limit, and never the value of a personal field."""
    limit: str | None = None
    """Such as ``35`` or ``31.5 kg``."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Outcome(Value, Generic[T]):
    """One result of a batch: a value or an error, never both. Results stand in the order of the inputs."""

    index: int
    """Of the input, counted from 0."""
    value: T | None = None
    error: ShipkitError | None = None
