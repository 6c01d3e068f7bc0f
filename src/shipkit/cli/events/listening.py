"""Announcements as they come in: a reader of the store beside whatever writes there, that misses none."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from ...events.cloud import News
from ...ports.events import Announcement, EventStore
from ..ledger.advice import moment
from ..ledger.rows import hidden
from ..orders.batch import OK
from .room import Room

__all__ = ["KINDS", "announced", "listened"]

KINDS: Final = {
    "event": (News.EVENT,),
    "milestone": (News.ENTERED, News.CORRECTED),
    "exception": (News.OPENED, News.RESOLVED),
    "transit": (News.TRANSIT,),
    "proof": (News.PROVED,),
    "anomaly": (News.ANOMALY,),
}
"""The words for what may be listened to, and the types of announcements that they stand for."""

_PAGE: Final = 500


def listened(
    room: Room,
    *,
    since_start: bool,
    account: str,
    kind: str | None,
    as_json: bool,
    personal: bool,
    once: bool,
    count: int | None,
    idle_s: float,
) -> int:
    """Write announcements until somebody ends it, *count* were written, or (*once*) all that are there now."""
    after = 0 if since_start else room.store.settled_number()
    if not once:
        sys.stderr.write("listening; Ctrl-C ends it\n")
        sys.stderr.flush()
    types = {news.value for news in KINDS[kind]} if kind is not None else None
    left = count
    for one in announced(room.store, after, idle_s=None if once else idle_s):
        told = json.loads(one.body)
        if (types is not None and one.type not in types) or account not in ("", _account(told)):
            continue
        sys.stdout.write(one.body.decode("utf-8") + "\n" if as_json else _line(one, told, personal=personal))
        sys.stdout.flush()
        left = left - 1 if left is not None else None
        if left is not None and left <= 0:
            break
    return OK


def announced(store: EventStore, after: int, *, idle_s: float | None) -> Iterator[Announcement]:
    """Every announcement behind the number *after*, each once, by number; those of now only, where *idle_s* is None.

    Numbers are given before a commit is seen by others, so what is read up to is the number below which nothing can
    appear any more.
    """
    while True:
        settled = store.settled_number()
        while after < settled:
            page = [one for one in store.announcements(after, _PAGE) if one.number <= settled]
            yield from page
            after = page[-1].number if len(page) == _PAGE else settled
        if idle_s is None:
            return
        time.sleep(idle_s)


def _account(told: dict[str, Any]) -> str:
    return unquote(str(told["source"]).rpartition("/")[2])


def _line(one: Announcement, told: dict[str, Any], *, personal: bool) -> str:
    data = told.get("data", {})
    carrier = unquote(str(told["source"]).split("/")[2])
    milestone = data.get("to_milestone") or data.get("milestone") or ""
    words = (
        moment(one.at) if one.at is not None else "",
        carrier,
        hidden(str(told.get("subject", "")), personal=personal),
        ".".join(one.type.split(".")[2:4]),
        milestone,
        data.get("reason") or data.get("kind") or "",
    )
    return "  ".join(str(word) for word in words if word) + "\n"
