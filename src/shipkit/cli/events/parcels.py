"""Parcels that are followed: listed, shown, taken up, given up, and what is open about them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ...codec import dumps, to_dict
from ...errors import InputError, WhoseMove
from ...events.kpi import on_time
from ...model import Actor, Milestone, Problem, ProblemCode, TrackingEvent, canonical_number
from ...ports.events import Parcel
from ..ledger.advice import moment
from ..ledger.rows import hidden
from ..orders.batch import OK
from ..orders.table import aligned
from .room import Room, line, rows, scope_told, time_told

__all__ = ["exceptions", "followed", "listed", "shown", "unfollowed"]

_LIST: Final = ("key", "account", "number", "milestone", "reason", "open", "late", "changed")
_ENTRIES: Final = ("at", "milestone", "reason")
_EVENTS: Final = ("at", "milestone", "reason", "code", "source", "place")
_TOLD: Final = ("number", "at", "type", "sequence")
_PROBLEMS: Final = ("since", "reason", "severity", "actor", "by", "state")
_OPEN: Final = ("since", "key", "account", "number", "reason", "severity", "actor", "by")
_PAGE: Final = 500


def listed(
    room: Room,
    *,
    account: str,
    milestone: Milestone | None,
    everything: bool,
    skip: int,
    limit: int,
    as_json: bool,
    personal: bool,
) -> int:
    """Write the parcels that are followed, by scope; with *everything* those too whose journey has ended."""
    found: list[Parcel] = []
    scope = ""
    while len(found) < skip + limit and (page := room.store.walk(after=scope, limit=_PAGE, open_only=not everything)):
        scope = page[-1].scope
        for parcel in page:
            here = parcel.timeline.milestone if parcel.timeline is not None else Milestone.UNKNOWN
            if parcel.number and account in ("", parcel.account) and milestone in (None, here):
                found.append(parcel)
    chosen = [_row(room, parcel, personal=personal) for parcel in found[skip : skip + limit]]
    rows(_LIST, chosen, as_json=as_json, none="no parcel is followed")
    return OK


def shown(room: Room, name: str, *, as_json: bool, personal: bool) -> int:
    """Write all that is known of one shipment, or of one number."""
    data = [_whole(room, parcel, personal=personal) for parcel in _named(room, name)]
    for place, one in enumerate(data):
        sys.stdout.write(line(one) if as_json else ("\n" if place else "") + _text(one))
    return OK


def followed(room: Room, number: str, *, account: str, key: str, postal_code: str, country: str, as_json: bool) -> int:
    """Follow one number from now on."""
    from ...model import TrackingNumber, TrackQuery

    alias = account or _only(room)
    query: Any = number
    if postal_code or country:
        given = TrackingNumber(value=number, carrier=room.config.accounts[alias].code)
        query = TrackQuery(number=given, postal_code=postal_code or None, country=country or None)
    parcel = room.client.events.follow(query, account=alias, key=key)
    rows(_LIST, [_row(room, parcel, personal=False)], as_json=as_json, none="")
    return OK


def unfollowed(room: Room, number: str, *, account: str, key: str, as_json: bool) -> int:
    """Ask no more; its pushes are still taken."""
    count = room.client.events.unfollow(number, account=account, key=key)
    sys.stdout.write(line({"unfollowed": count}) if as_json else f"{count} not asked for any more\n")
    return OK


def exceptions(room: Room, *, key: str, account: str, actor: str, as_json: bool, personal: bool) -> int:
    """Write every problem that nothing has resolved, by who must act, the longest open first."""
    found = room.client.events.exceptions(key, account=account, actor=actor or None)
    order = {each: place for place, each in enumerate(Actor)}
    data = [
        {
            "since": one.problem.since.earliest,
            "key": one.key,
            "account": one.account,
            "number": hidden(one.tracking_number.value, personal=personal),
            "reason": str(one.problem.reason),
            "severity": one.problem.severity.value,
            "actor": one.problem.action.actor.value,
            "by": time_told(one.problem.action.by) if one.problem.action.by is not None else "",
        }
        for one in sorted(found, key=lambda one: order[one.problem.action.actor])
    ]
    rows(_OPEN, data, as_json=as_json, none="nothing is open")
    return OK


def _only(room: Room) -> str:
    if len(room.config.accounts) == 1:
        return next(iter(room.config.accounts))
    from ..orders.session import no_account

    raise InputError(problems=(no_account(room.config, ""),))


def _named(room: Room, name: str) -> tuple[Parcel, ...]:
    """The parcels of a key, the whole first; else those of a number.

    Raises:
        InputError: nobody follows it.
    """
    family = room.store.of_key(room.full(name))
    if family:
        return tuple(sorted(family, key=lambda parcel: (bool(parcel.number), parcel.scope)))
    number = canonical_number(name)
    pairs = [(carrier, number) for carrier in room.carriers] if number else []
    found = tuple(parcel for parcel in room.store.find(pairs) if parcel is not None)
    if not found:
        text = "nobody follows a shipment or a number of that name: shipkit events follow"
        raise InputError(problems=(Problem(path="/name", code=ProblemCode.UNKNOWN_VALUE, text=text),))
    return found


def _row(room: Room, parcel: Parcel, *, personal: bool) -> dict[str, Any]:
    timeline = parcel.timeline
    is_open = [one for one in timeline.exceptions if one.resolved_by is None] if timeline is not None else []
    return {
        "scope": scope_told(parcel, personal=personal),
        "key": room.own(parcel.key),
        "account": parcel.account,
        "carrier": parcel.carrier,
        "number": hidden(parcel.number, personal=personal),
        "milestone": (timeline.milestone if timeline is not None else Milestone.UNKNOWN).value,
        "reason": str(timeline.reason) if timeline is not None and timeline.reason is not None else "",
        "open": [str(one.reason) for one in is_open],
        "late": _late(parcel, room.store.now()),
        "changed": parcel.updated_at,
        "next_poll_at": parcel.next_poll_at,
        "finished_at": parcel.finished_at,
    }


def _late(parcel: Parcel, now: datetime) -> str:
    """``late`` against the promise; empty where there is time left, nothing was promised, or it cannot be said."""
    if parcel.timeline is not None and parcel.timeline.milestone is Milestone.DELIVERED:
        return "late" if on_time(parcel) == "late" else ""
    window = parcel.promise.window if parcel.promise is not None else None
    due = window.latest.latest if window is not None and window.latest is not None else None
    return "late" if due is not None and parcel.finished_at is None and due < now else ""


def _whole(room: Room, parcel: Parcel, *, personal: bool) -> dict[str, Any]:
    timeline = parcel.timeline
    evidence = room.store.evidence([parcel.scope])[parcel.scope] if parcel.number else ()
    ordered = sorted(evidence, key=lambda event: (event.time.earliest, event.observed_at))
    data = _row(room, parcel, personal=personal)
    data["entries"] = [
        {"at": time_told(one.at), "milestone": one.milestone.value, "reason": str(one.reason or "")}
        for one in (timeline.entries if timeline is not None else ())
    ]
    data["events"] = [_event(one, personal=personal) for one in ordered]
    data["announcements"] = [
        {"number": one.number, "at": one.at, "type": one.type, "sequence": one.sequence}
        for one in _announced(room, parcel.scope)
    ]
    problems = timeline.exceptions if timeline is not None else ()
    data["problems"] = [
        {
            "since": time_told(one.since),
            "reason": str(one.reason),
            "severity": one.severity.value,
            "actor": one.action.actor.value,
            "by": time_told(one.action.by) if one.action.by is not None else "",
            "state": "open" if one.resolved_by is None else "resolved",
            **({"what": one.action.what} if personal and one.action.what else {}),
        }
        for one in problems
    ]
    whose, text = _next(parcel, data["problems"])
    data["next"] = {"whose_move": whose, "text": text}
    if personal:
        data["query"] = to_dict(parcel.query) if parcel.query is not None else None
        data["proof"] = to_dict(parcel.proof) if parcel.proof is not None else None
    return data


def _announced(room: Room, scope: str) -> Iterator[Any]:
    number = 0
    while page := room.store.announcements(number, _PAGE, scope=scope):
        yield from page
        number = page[-1].number


def _event(event: TrackingEvent, *, personal: bool) -> dict[str, Any]:
    """One event; a code that was made from the carrier's sentence goes with the sentence."""
    place = event.place
    code = event.code if personal or event.code_type != "text" else "text"
    where = place.country if place is not None and place.country else ""
    told: dict[str, Any] = {
        "at": time_told(event.time),
        "milestone": event.milestone.value if event.milestone is not None else "",
        "reason": str(event.reason or ""),
        "code": "/".join(filter(None, (event.code_type or "", code, event.subcode or ""))),
        "source": event.source.value if event.source is not None else "",
        "observed_at": event.observed_at,
        "place": where,
        "event_id": event.event_id if personal else "",
    }
    if personal:
        words = (place.city, place.postal_code, place.name) if place is not None else ()
        told["place"] = " ".join(filter(None, (where, *words)))
        told |= {"text": event.text or "", "signed_by": event.signed_by or "", "piece": event.piece or ""}
    return told


def _next(parcel: Parcel, problems: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Whose move it is, and what that is."""
    waiting = [one for one in problems if one["state"] == "open"]
    if waiting:
        one = waiting[0]
        until = f" until {one['by']}" if one["by"] else ""
        return one["actor"], f"{one['reason']} is open since {one['since']}{until}"
    if parcel.finished_at is not None:
        ended = parcel.timeline is not None and parcel.timeline.terminal
        text = "its journey has ended" if ended else "it is not asked for any more; pushes are still taken"
        return WhoseMove.NOBODY.value, f"{text}: {moment(parcel.finished_at)}"
    if parcel.next_poll_at is None:
        return WhoseMove.NOBODY.value, "it is not asked for any more; pushes are still taken"
    return WhoseMove.SHIPKIT.value, f"its carrier is asked next at {moment(parcel.next_poll_at)}"


def _text(data: Mapping[str, Any]) -> str:
    parts = ("entries", "events", "announcements", "problems", "next", "query", "proof")
    facts = {name: value for name, value in data.items() if name not in parts and value not in ("", None, [])}
    width = max(map(len, facts))
    text = "".join(f"{name.ljust(width)}  {_fact(value)}\n" for name, value in facts.items())
    for name in ("query", "proof"):
        if data.get(name) is not None:
            text += f"\n{name}  {dumps(data[name]).decode('utf-8')}\n"
    more = ("text", "signed_by") if data["events"] and "text" in data["events"][0] else ()
    columns = (
        ("entries", _ENTRIES),
        ("events", (*_EVENTS, *more)),
        ("announcements", _TOLD),
        ("problems", _PROBLEMS),
    )
    for name, names in columns:
        if data[name]:
            text += f"\n{name}\n" + aligned(
                names, [{one: _fact(row.get(one, "")) for one in names} for row in data[name]]
            )
    return text + f"\n{data['next']['whose_move']}: {data['next']['text']}\n"


def _fact(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
