"""Mondial Relay's own words for tracing: lines of text with a day and an hour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from typing import Final

from shipkit.errors import ReplyError
from shipkit.flow import Response
from shipkit.model import (
    EventPlace,
    EventTime,
    Message,
    NoticeLevel,
    Reason,
    TimePrecision,
    TrackingEvent,
    TrackQuery,
    TrackResult,
)
from shipkit.readers import named, wire

from .codes import ANOMALY, DELIVERED, MAPPING_VERSION, TRACING, text_code

__all__ = ["LANGUAGE", "TraceReply", "trace_from_wire", "trace_to_wire"]

# The texts are the codes, and those known are French: it is asked for whatever language the host wants.
LANGUAGE: Final = "FR"

_DAY: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
_HOUR: Final = re.compile(r"([0-9]{1,2}):?([0-9]{2})")


@wire
class StepRow:
    Libelle: str | None = None
    Date: str | None = None
    Heure: str | None = None
    Emplacement: str | None = None
    Relais_Num: str | None = None
    Relais_Pays: str | None = None


@wire
class StepRows:
    rows: tuple[StepRow, ...] = named("ret_WSI2_sub_TracingColisDetaille", default=())


@wire
class TraceReply:
    STAT: str
    Libelle01: str | None = None
    Libelle02: str | None = None
    Tracing: StepRows | None = None


def trace_to_wire(query: TrackQuery) -> dict[str, str]:
    """The members of WSI2_TracingColisDetaille."""
    return {"Expedition": query.number.value, "Langue": LANGUAGE}


def trace_from_wire(query: TrackQuery, reply: TraceReply, response: Response) -> TrackResult:
    """The lines that say something; the carrier fills its table up with empty ones.

    Raises:
        ReplyError: a line has no day, or one that cannot be read.
    """
    events = tuple(_events(query, reply, response))
    return TrackResult(
        number=query.number,
        events=events,
        complete=True,
        finished=reply.STAT == DELIVERED,
        messages=(*_summary(reply), *_unmapped(events)),
        received_at=response.received_at,
    )


def _events(query: TrackQuery, reply: TraceReply, response: Response) -> Iterator[TrackingEvent]:
    rows = reply.Tracing.rows if reply.Tracing else ()
    for index, row in enumerate(rows):
        text = " ".join((row.Libelle or "").split())
        if not text:
            continue
        code = text_code(text)
        milestone, reason = TRACING.get(code, (None, Reason.UNMAPPED))
        yield TrackingEvent(
            piece=query.number.value,
            time=_event_time(row, index, response),
            milestone=milestone,
            reason=reason,
            code=code,
            code_type="text",
            unmapped=code not in TRACING,
            text=text,
            language=LANGUAGE.lower(),
            place=_place(row),
            observed_at=response.received_at,
            mapping_version=MAPPING_VERSION,
        )


def _unmapped(events: Iterable[TrackingEvent]) -> Iterator[Message]:
    for code in dict.fromkeys(event.code for event in events if event.unmapped):
        yield Message.unmapped(code)


def _event_time(row: StepRow, index: int, response: Response) -> EventTime:
    """A day as ``24/11/26`` and an hour as ``10:10``, local to wherever it happened: no zone is given."""
    day, hour = _DAY.fullmatch((row.Date or "").strip()), _HOUR.fullmatch((row.Heure or "").strip())
    try:
        if not day or (row.Heure and not hour):
            raise ValueError
        on = date(int(day[3]) + (2000 if len(day[3]) == 2 else 0), int(day[2]), int(day[1]))
        at = time(int(hour[1]), int(hour[2])) if hour else None
    except ValueError:
        path = f"$.Tracing.ret_WSI2_sub_TracingColisDetaille[{index}]"
        raise ReplyError.of(response, message=f"not a day and an hour @ {path}", paths=(path,)) from None
    if at is None:
        return EventTime(local=on, precision=TimePrecision.DAY)
    return EventTime(local=datetime.combine(on, at), precision=TimePrecision.MINUTE)


def _place(row: StepRow) -> EventPlace | None:
    name, point, country = row.Emplacement, row.Relais_Num, row.Relais_Pays
    if not (name or point):
        return None
    return EventPlace(
        name=" ".join(name.split()) if name else None,
        service_point_id=point.strip() if point else None,
        country=country.strip().upper() if country else None,
    )


def _summary(reply: TraceReply) -> Iterator[Message]:
    """Where the carrier says it stands, in its own words."""
    text = " ".join(" ".join(part.split()) for part in (reply.Libelle01, reply.Libelle02) if part)
    if text or reply.STAT == ANOMALY:
        level = NoticeLevel.WARNING if reply.STAT == ANOMALY else NoticeLevel.INFO
        yield Message(level=level, carrier_code=reply.STAT, text=text or None)
