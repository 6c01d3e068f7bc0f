"""Deliveries and announcements: what waits, what could not be read, what is read again, what no destination took."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs

from ...client.events.parking import DeadLetter
from ...client.events.polling import Found
from ...client.events.replaying import ReplayReport
from ...errors import InputError
from ...model import Problem, ProblemCode
from ...ports.events import Parcel, Unpublished
from ..ledger.rows import hidden
from ..orders.batch import OK, SOME_FAILED
from ..orders.table import aligned
from .room import Room, age_told, line, rows, scope_told, told

__all__ = [
    "dead_letters",
    "outbox",
    "paths",
    "polled",
    "processed",
    "queues",
    "replayed",
    "sent_again",
    "silent",
    "taken_up",
    "unmapped",
    "unpublished",
]

_UNPUBLISHED: Final = ("number", "key", "parcel", "type", "attempts", "error", "age", "next_at", "dead")
_DEAD: Final = ("id", "account", "carrier", "received", "trust", "error", "detail", "attempts", "body_kept")


def unmapped(room: Room, since: datetime | None, *, as_json: bool) -> int:
    """Write the codes that no table explains, most frequent first."""
    found = [attrs.asdict(row) for row in room.store.unmapped(since)]
    columns = ("carrier", "code_type", "code", "subcode", "events", "first_at", "last_at")
    rows(columns, found, as_json=as_json, none="every code is explained")
    return OK


def queues(room: Room, *, as_json: bool) -> int:
    """Write what waits where."""
    found = [attrs.asdict(row) for row in room.store.queues()]
    rows(("name", "destination", "depth", "oldest_at"), found, as_json=as_json, none="")
    return OK


def dead_letters(room: Room, *, account: str, after: int, limit: int, as_json: bool) -> int:
    """Write the deliveries that could not be read."""
    found = [_dead(one) for one in room.client.events.dead_letters(account, limit, after=after)]
    rows(_DEAD, found, as_json=as_json, none="no dead letters")
    return OK


def _dead(letter: DeadLetter) -> dict[str, Any]:
    data = attrs.asdict(letter)
    return {**data, "trust": letter.trust.value, "received": data.pop("received_at")}


def taken_up(room: Room, ids: Sequence[int], *, as_json: bool) -> int:
    """Put deliveries back into the inbox; the exit code says whether all of them are there."""
    count = room.client.events.take_up(ids)
    gone = len(set(ids)) - count
    told({"taken_up": count, "without_a_body": gone}, as_json=as_json)
    return SOME_FAILED if gone else OK


def processed(room: Room, *, limit: int | None, as_json: bool) -> int:
    """Read what waits, at most *limit* deliveries or all of them."""
    total = one = room.client.events.process(limit)
    while limit is None and one.taken:
        one = room.client.events.process()
        total += one
    told(attrs.asdict(total), as_json=as_json)
    return SOME_FAILED if total.dead or total.again else OK


def polled(room: Room, *, limit: int | None, as_json: bool) -> int:
    """Ask for what is due; the exit code says whether all of it was answered."""
    counts = dict.fromkeys(Found, 0)
    stopped: dict[str, str] = {}
    announcements = missed = taken = 0
    while True:
        one = room.client.events.poll(limit)
        for found in Found:
            counts[found] += one.count(found)
        stopped |= {alias: error.code for alias, error in one.stopped.items()}
        announcements, missed, taken = announcements + one.announcements, missed + one.missed, taken + one.taken
        if limit is not None or not one.taken:
            break
    data = {"asked": taken - counts[Found.PUT_OFF], **{found.value: count for found, count in counts.items()}}
    told({**data, "missed": missed, "announcements": announcements, "stopped": stopped}, as_json=as_json)
    return SOME_FAILED if stopped or counts[Found.FAILED] else OK


def replayed(
    room: Room,
    ids: Sequence[int],
    *,
    account: str,
    since: datetime | None,
    codes: Sequence[str],
    apply: bool,
    as_json: bool,
    personal: bool,
) -> int:
    """Write what reading again makes of deliveries; it is carried out only if that was asked for."""
    report = room.client.events.replay(ids, account=account, since=since, codes=codes, apply=apply)
    if as_json:
        sys.stdout.write(line(_replay_data(report, personal=personal)))
    else:
        _replay_text(report, personal=personal)
    return SOME_FAILED if report.unreadable or report.failed else OK


def _replay_data(report: ReplayReport, *, personal: bool) -> dict[str, Any]:
    return {
        "deliveries": report.deliveries,
        "hints": report.hints,
        "unknown": report.unknown,
        "readable": list(report.readable),
        "unreadable": [{"id": one.id, "error": one.error, "detail": one.detail} for one in report.unreadable],
        "parcels": [
            {
                "account": one.account,
                "number": hidden(one.number, personal=personal),
                "events": one.events,
                "announcements": list(one.announcements),
                "difference": {k: v for k, v in one.difference.as_dict().items() if k != "scope"},
            }
            for one in report.parcels
        ],
        "failed": len(report.failed),
        "applied": report.applied,
    }


def _replay_text(report: ReplayReport, *, personal: bool) -> None:
    sys.stdout.write(
        f"{report.deliveries} read again: {report.hints} were hints only, {report.unknown} speak of no parcel that is "
        f"followed, {len(report.unreadable)} cannot be read, {len(report.readable)} dead letters can be read now\n"
    )
    for one in report.parcels:
        sys.stdout.write(f"\n{one.account} {hidden(one.number, personal=personal)}: {one.events} records\n")
        differences = [
            {"what": what, "before": before, "after": after} for what, before, after in one.difference.rows()
        ]
        sys.stdout.write(aligned(("what", "before", "after"), differences))
        sys.stdout.writelines(f"announces {kind}\n" for kind in one.announcements)
    sys.stdout.writelines(f"\n{one.id} cannot be read: {one.error} {one.detail}\n" for one in report.unreadable)
    if report.failed:
        sys.stdout.write(f"\n{len(report.failed)} were written by others meanwhile: do it again\n")
    changes = bool(report.parcels or report.readable)
    end = "applied" if report.applied else "nothing was written; --apply does it" if changes else "nothing differs"
    sys.stdout.write(f"\n{end}\n")


def silent(room: Room, *, as_json: bool) -> int:
    """Write the accounts whose pushes do not come; the exit code says whether there are any."""
    found = [attrs.asdict(one) for one in room.client.events.silent()]
    columns = ("account", "carrier", "heard_at", "silent", "open_parcels", "missed_parcels")
    rows(columns, found, as_json=as_json, none="every account that pushes was heard")
    return SOME_FAILED if found else OK


def paths(room: Room, *, as_json: bool) -> int:
    """Write where each account's carrier pushes to."""
    base = room.config.service.public_url
    found = [
        {"account": alias, "path": path, **({"url": base.replace("{account}", alias) + path} if base else {})}
        for alias, path in room.client.events.webhook_paths().items()
    ]
    rows(("account", "url" if base else "path"), found, as_json=as_json, none="no account has a carrier that pushes")
    sys.stderr.write("These are secrets: whoever has one may knock. Tell each to its carrier alone.\n")
    return OK


def outbox(room: Room, *, as_json: bool) -> int:
    """Write what destinations have not taken; the exit code says whether anything is dead."""
    found = {name: {"destination": name, "waiting": 0, "dead": 0} for name in room.config.destinations}
    for queue in room.store.queues():
        if queue.destination:
            known = found.setdefault(queue.destination, {"destination": queue.destination, "waiting": 0, "dead": 0})
            dead = queue.name == "outbox_dead"
            known |= {
                "dead" if dead else "waiting": queue.depth,
                f"oldest_{'dead' if dead else 'waiting'}": queue.oldest_at,
            }
    columns = ("destination", "waiting", "oldest_waiting", "dead", "oldest_dead")
    rows(columns, found.values(), as_json=as_json, none="there are no destinations")
    return SOME_FAILED if any(one["dead"] for one in found.values()) else OK


def unpublished(
    room: Room, destination: str, *, dead: bool, after: int, limit: int, as_json: bool, personal: bool
) -> int:
    """Write one by one what *destination* has not taken, or has refused for good; the exit code is that of `outbox`.

    Raises:
        InputError: there is no such destination, or none was named.
    """
    _refuse_unknown(room, destination)
    found = room.store.outbox(destination, dead=True if dead else None, after=after, limit=limit)
    scopes = list(dict.fromkeys(one.scope for one in found))
    parcels = dict(zip(scopes, room.store.parcels(scopes), strict=True))
    data = [_unpublished(room, one, parcels[one.scope], personal=personal) for one in found]
    rows(_UNPUBLISHED, data, as_json=as_json, none="it has taken everything" if not dead else "nothing is dead")
    return SOME_FAILED if room.store.outbox(destination, dead=True, limit=1) else OK


def _unpublished(room: Room, one: Unpublished, parcel: Parcel | None, *, personal: bool) -> dict[str, Any]:
    return {
        **{name: value for name, value in attrs.asdict(one).items() if name != "scope"},
        "key": room.own(parcel.key) if parcel is not None else "",
        "parcel": scope_told(parcel, personal=personal) if parcel is not None else "",
        "age": age_told(room.store.now() - one.at),
    }


def sent_again(room: Room, destination: str, numbers: Sequence[int], *, dead: bool, as_json: bool) -> int:
    """Make announcements due for *destination* once more.

    Raises:
        InputError: there is no such destination, or nothing was said of which announcements.
    """
    _refuse_unknown(room, destination)
    if bool(numbers) is dead:
        text = "say which: --number N, or --dead for all that it refused too often"
        raise InputError(problems=(Problem(path="/number", code=ProblemCode.INCONSISTENT, text=text),))
    told({"due_again": room.store.send_again(destination, numbers, dead=dead)}, as_json=as_json)
    return OK


def _refuse_unknown(room: Room, destination: str) -> None:
    known = {*room.config.destinations, *(queue.destination for queue in room.store.queues() if queue.destination)}
    if destination not in known:
        text = f"there is no such destination; there are: {', '.join(sorted(known)) or 'none'}"
        raise InputError(problems=(Problem(path="/destination", code=ProblemCode.UNKNOWN_VALUE, text=text),))
