"""Parcels, events and deliveries as the tables keep them: JSON by the codec, and what is left when one is forgotten."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any, Final, TypeVar

import attrs

from ..codec.reading import from_dict, loads, reader_of
from ..codec.stored import join, split
from ..codec.writing import Plan, Profile, dumps, stamped
from ..errors import InputError, StoreError
from ..model import Actor, FrozenMap, Milestone, Reason, TrackingEvent, Value, WebhookDelivery, evolve
from ..model._fit import shape_of
from ..model.marks import Personal
from ..ports.events import FORGOTTEN, Parcel

__all__ = [
    "COLUMNS",
    "delivery_of",
    "delivery_text",
    "event_of",
    "event_text",
    "forgotten_event",
    "forgotten_parcel",
    "is_unmapped",
    "listed_code",
    "parcel_dict",
    "parcel_members",
    "parcel_text",
    "plain",
    "standing_of",
]

V = TypeVar("V", bound=Value)

COLUMNS: Final = (
    *("scope", "carrier", "account", "number", "key", "since", "version", "next_poll_at", "finished_at"),
    *("created_at", "updated_at", "purged_at"),
)
"""Of a parcel: what the database searches or compares. The rest is one text, and grows without a migration."""
_LISTED: Final = 200


class _Forgetting(Plan):
    """Leaves out what a repr masks, and members that nobody knows; what is left can be read back."""

    def masking(self, mark: Personal | None) -> str | None:
        return None if mark is None or not mark.by_default or mark.mask == "keep" else "drop"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


_WHOLE: Final = Plan(_base64, lambda number: format(number, "f"))
_FORGETTING: Final = _Forgetting(_base64, lambda number: format(number, "f"), Profile.MASKED)


@cache
def _state() -> tuple[tuple[str, Any, Any], ...]:
    """The fields of a parcel that are part of its text: name, default, reader."""
    rest = [field for field in attrs.fields(Parcel) if field.name not in COLUMNS]
    return tuple((field.name, field.default, reader_of(shape_of(str(field.type)))) for field in rest)


def parcel_text(parcel: Parcel) -> bytes:
    """What has no column of its own."""
    members = {}
    for name, default, _ in _state():
        value = getattr(parcel, name)
        if value is not default and value != default:
            members[name] = _WHOLE.write(FrozenMap(value) if isinstance(value, dict) else value)
    return dumps(members)


def parcel_members(text: bytes, scope: str) -> dict[str, Any]:
    """What `parcel_text` wrote.

    Raises:
        StoreError: this version cannot read it.
    """
    try:
        members = loads(text)
        return {name: read(members[name]) for name, _, read in _state() if name in members}
    except Exception as error:  # a reader's own exception is not for others to know
        raise StoreError(f"the row of the parcel {scope} cannot be read") from error


def standing_of(parcel: Parcel) -> tuple[Milestone, tuple[Actor, ...]]:
    """Where a parcel is, and for each of its open problems who must act: what is counted of it."""
    timeline = parcel.timeline
    if timeline is None:
        return Milestone.UNKNOWN, ()
    actors = [problem.action.actor for problem in timeline.exceptions if problem.resolved_by is None]
    return timeline.milestone, tuple(sorted(actors, key=lambda actor: actor.value))


def is_unmapped(event: TrackingEvent) -> bool:
    """Whether no table has its code, whatever its type alone says."""
    return event.unmapped or event.reason == Reason.UNMAPPED


def listed_code(event: TrackingEvent) -> tuple[str, str, str]:
    """The type, code and subcode that an unmapped event is listed by: no index takes texts of any length."""
    told = (event.code_type or "", event.code, event.subcode or "")
    return (told[0][:_LISTED], told[1][:_LISTED], told[2][:_LISTED])


def parcel_dict(parcel: Parcel) -> dict[str, Any]:
    """The whole of a parcel as JSON data, but for what stands at its default."""
    told = {}
    for field in attrs.fields(Parcel):
        value = getattr(parcel, field.name)
        if value is not field.default and value != field.default:
            told[field.name] = _WHOLE.write(FrozenMap(value) if isinstance(value, dict) else value)
    return told


def event_text(event: TrackingEvent) -> bytes:
    """An event, extras and all."""
    return dumps(stamped(event, _WHOLE.write(event)))


def event_of(event_id: str, text: bytes) -> TrackingEvent:
    """An event under the identity that it always had; one that was forgotten no longer shows what it was made of.

    Raises:
        StoreError: this version cannot read it.
    """
    try:
        event = from_dict(loads(text), TrackingEvent)
        return event if plain(event.event_id) == event_id else _named(event_id, event)
    except InputError as error:
        raise StoreError(f"the event {event_id} cannot be read") from error


def delivery_text(delivery: WebhookDelivery) -> tuple[bytes, bytes]:
    """All but the body, and the body as it came."""
    text, (body,) = split(delivery)
    return text, body


def delivery_of(text: bytes, body: bytes, number: int) -> WebhookDelivery:
    """The delivery of `delivery_text`.

    Raises:
        StoreError: this version cannot read it.
    """
    try:
        return join(text, (body,), WebhookDelivery)
    except InputError as error:
        raise StoreError(f"the delivery {number} cannot be read") from error


def forgotten_event(event_id: str, event: TrackingEvent) -> TrackingEvent:
    """The event without what leads to a person. A code that was made from the text goes as the text does."""
    left = _without(event)
    if left.code_type == "text":
        left = evolve(left, code=FORGOTTEN, subcode=None)
    return _named(event_id, evolve(left, extras=FrozenMap({FORGOTTEN: True})))


def forgotten_parcel(parcel: Parcel) -> Parcel:
    """The parcel without what leads to a person; one that is still asked for is asked for as before."""
    proof = parcel.proof and evolve(_without(parcel.proof), document=None)
    timeline = parcel.timeline and _without(parcel.timeline)
    return attrs.evolve(
        parcel,
        query=None if parcel.finished_at is not None else parcel.query,
        timeline=timeline,
        transit=parcel.transit and _without(parcel.transit),
        proof=proof,
    )


def plain(text: str) -> str:
    """*text* as every database can keep and compare it: no NUL, no half of a surrogate pair, still one for one."""
    try:
        if "\0" not in text:
            text.encode()
            return text
    except UnicodeEncodeError:
        pass
    return "\ufffd" + text.encode("unicode_escape").decode("ascii")


def _without(value: V) -> V:
    members = _FORGETTING.write(value)
    members.get("proof", {}).pop("document", None)
    return from_dict(members, type(value))


def _named(event_id: str, event: TrackingEvent) -> TrackingEvent:
    # The identity is a hash over fields that may be gone by now, so it is given, not computed.
    object.__setattr__(event, "event_id", event_id)
    return event
