"""Pushes on demand, from a simulated carrier to whoever is to receive them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Final

from cyclopts import Parameter

__all__ = ["trigger"]

_LATE: Final = timedelta(hours=6)


def trigger(
    milestone: Annotated[str, Parameter(help="Such as delivered, out_for_delivery, returned, lost.")],
    /,
    *,
    to: Annotated[str, Parameter(help="Where to push: an address on this machine.")] = "",
    carrier: Annotated[str, Parameter(help="Whose pushes; else of one whose pushes are signed.")] = "",
    at: Annotated[str, Parameter(help="The address of a running shipkit simulate, instead of one of its own.")] = "",
    number: Annotated[str, Parameter(help="The parcel; else the newest that can get there. With --at.")] = "",
    secret: Annotated[str, Parameter(help="What both sides know; else that of the demo's account.")] = "",
    late: Annotated[bool, Parameter(negative="", help="It happened hours ago, and only now it is told.")] = False,
    duplicate: Annotated[bool, Parameter(negative="", help="Each push comes twice.")] = False,
    reversed: Annotated[bool, Parameter(negative="", help="The newest event comes first.")] = False,  # noqa: A002
    unsigned: Annotated[bool, Parameter(negative="", help="Without proof of who sends it.")] = False,
    unknown_code: Annotated[bool, Parameter(negative="", help="With a status that stands in no list.")] = False,
) -> int:
    """Let a milestone happen to a parcel of a simulated carrier, and push all that led there.

    Without --at a carrier answers just for this: it books an order of the demo, pushes, and is gone. With --at it is a
    carrier that goes on, and can be asked for its parcels. Each push is printed with what the receiver answered; the
    exit code is 1 where one was not accepted.
    """
    from ...errors import InputError
    from ...simulator import NotInBooksError, Trigger

    flags = {
        "late": late,
        "duplicate": duplicate,
        "reversed": reversed,
        "unsigned": unsigned,
        "unknown_code": unknown_code,
    }
    try:
        wanted = Trigger(milestone=milestone, number=number, to=to, secret=secret, **flags)
        rows = _there(at, wanted) if at else _here(carrier, wanted)
    except (ValueError, NotInBooksError) as wrong:
        raise InputError(str(wrong)) from None
    sys.stdout.write("".join(_lines(rows)))
    return 0 if all(row["accepted"] for row in rows) else 1


def _here(carrier: str, wanted: Any) -> list[Mapping[str, Any]]:
    """A carrier of our own, whose time stands so that what it tells of happens now, or has happened hours ago."""
    import attrs

    from ...errors import InputError
    from ..demo.stage import booked, most_trusted

    if not wanted.to:
        raise InputError("say where to push: --to http://127.0.0.1:8000/…, or --at for those who have subscribed there")
    start = datetime.now(timezone.utc) - (_LATE if wanted.late else timedelta())
    with booked(carrier or most_trusted(), start) as (simulator, account):
        secrets = getattr(account, "webhook_secrets", ())
        told = attrs.evolve(wanted, secret=wanted.secret or (secrets[0] if secrets else ""))
        fields = {field.name: getattr(told, field.name) for field in attrs.fields(type(told))}
        sent = simulator.trigger(**fields)
    return [
        {
            "number": each.step.number,
            "step": each.step.kind.value,
            "at": each.step.at.isoformat(),
            "accepted": each.accepted,
            "attempts": [{"status": one.status, "failure": one.failure} for one in each.attempts],
        }
        for each in sent
    ]


def _there(at: str, wanted: Any) -> list[Mapping[str, Any]]:
    """Ask the simulator that answers at that address."""
    import attrs
    import httpx

    from ...errors import InputError

    body = {name: value for name, value in attrs.asdict(wanted).items() if value}
    try:
        with httpx.Client(trust_env=False, timeout=60) as client:
            answer = client.post(f"{at.rstrip('/')}/_sim/trigger", json=body)
            told = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        raise InputError(f"no simulated carrier answers at {at}") from None
    if answer.status_code != 200:
        raise InputError(str(told.get("error", answer.status_code)) if isinstance(told, dict) else str(told))
    rows: list[Mapping[str, Any]] = told
    return rows


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for row in rows:
        answers = ", ".join(str(one["status"] or one["failure"]) for one in row["attempts"])
        yield f"{row['number']}  {row['step']:<18} {row['at'][:19]}Z  {answers}\n"
