"""Commands about parcels that are followed: what is known, what waits, what is done about it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ...model import Actor, Milestone
from .arguments import AsJson, ConfigFile, repeated

__all__ = [
    "events_dead_letters",
    "events_exceptions",
    "events_follow",
    "events_kpi",
    "events_list",
    "events_outbox",
    "events_paths",
    "events_poll",
    "events_process",
    "events_queues",
    "events_reconcile",
    "events_replay",
    "events_send_again",
    "events_show",
    "events_silent",
    "events_take_up",
    "events_unfollow",
    "events_unmapped",
]

Personal = Annotated[
    bool,
    Parameter(name="--personal", negative="", show_default=False, help="What leads to people too: numbers, texts."),
]
Account = Annotated[str, Parameter(name="--account", help="Of that account only.")]
Since = Annotated[str, Parameter(name="--since", help="90m, 12h, 7d, or a time with its offset.")]
Apply = Annotated[bool, Parameter(name="--apply", negative="", show_default=False, help="Do it; else it is only told.")]
Limit = Annotated[int, Parameter(name="--limit", validator=Number(gte=1), help="Rows of one page.")]
AtMost = Annotated[
    int | None, Parameter(name="--limit", validator=Number(gte=1), help="At most so many; else until nothing is left.")
]


def events_list(
    *,
    account: Account = "",
    milestone: Annotated[Milestone | None, Parameter(name="--milestone", help="Parcels that are there only.")] = None,
    all: Annotated[  # noqa: A002
        bool, Parameter(name="--all", negative="", show_default=False, help="Journeys that have ended, too.")
    ] = False,
    skip: Annotated[int, Parameter(name="--skip", validator=Number(gte=0), help="Rows of the pages before.")] = 0,
    limit: Limit = 100,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """The parcels that are followed: where each is and why, which problems are open, and whether it is late."""
    from ..events.parcels import listed
    from ..events.room import opened

    with opened(config, account) as room:
        return listed(
            room,
            account=account,
            milestone=milestone,
            everything=all,
            skip=skip,
            limit=limit,
            as_json=json,
            personal=personal,
        )


def events_show(
    name: Annotated[str, Parameter(help="The host's key of a shipment, or a number.")],
    /,
    *,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """All that is known: milestones, events, what was announced, problems, and whose move it is."""
    from ..events.parcels import shown
    from ..events.room import opened

    with opened(config) as room:
        return shown(room, name, as_json=json, personal=personal)


def events_follow(
    number: Annotated[str, Parameter(help="A tracking number.")],
    /,
    *,
    account: Annotated[str, Parameter(name="--account", help="Whose parcel it is; needless where there is one.")] = "",
    key: Annotated[str, Parameter(name="--key", help="The host's, of the shipment.")] = "",
    postal_code: Annotated[
        str, Parameter(name="--postal-code", help="Of the destination, where it is asked for.")
    ] = "",
    country: Annotated[str, Parameter(name="--country", help="Of the destination.")] = "",
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Follow a number from now on: pushes of it count, and its carrier is asked for it by plan."""
    from ..events.parcels import followed
    from ..events.room import opened

    with opened(config, account) as room:
        return followed(room, number, account=account, key=key, postal_code=postal_code, country=country, as_json=json)


def events_unfollow(
    number: Annotated[str, Parameter(help="A tracking number.")] = "",
    /,
    *,
    account: Account = "",
    key: Annotated[str, Parameter(name="--key", help="All parcels of this shipment, instead of a number.")] = "",
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Ask no more for a number, or for a shipment; pushes are still taken."""
    from ..events.parcels import unfollowed
    from ..events.room import opened

    with opened(config, account) as room:
        return unfollowed(room, number, account=account, key=key, as_json=json)


def events_exceptions(
    *,
    key: Annotated[str, Parameter(name="--key", help="Of this shipment only.")] = "",
    account: Account = "",
    actor: Annotated[Actor | None, Parameter(name="--actor", help="Those that wait for these people.")] = None,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Problems that nothing has resolved, by who must act, the longest open first."""
    from ..events.parcels import exceptions
    from ..events.room import opened

    with opened(config, account) as room:
        who = actor.value if actor is not None else ""
        return exceptions(room, key=key, account=account, actor=who, as_json=json, personal=personal)


def events_unmapped(*, since: Since = "", config: ConfigFile = None, json: AsJson = False) -> int:
    """Status codes that no table explains, most frequent first: their events are kept and move nothing."""
    from ..events.deliveries import unmapped
    from ..events.room import opened, since_of

    with opened(config) as room:
        return unmapped(room, since_of(since, room.store.now()), as_json=json)


def events_queues(*, config: ConfigFile = None, json: AsJson = False) -> int:
    """What waits in the inbox and in the outbox, what is parked, and what is dead."""
    from ..events.deliveries import queues
    from ..events.room import opened

    with opened(config) as room:
        return queues(room, as_json=json)


def events_dead_letters(
    *,
    account: Account = "",
    after: Annotated[int, Parameter(name="--after", help="Begin behind this id: the next page.")] = 0,
    limit: Limit = 100,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Deliveries that could not be read, oldest first: why, and not a word of what they say."""
    from ..events.deliveries import dead_letters
    from ..events.room import opened

    with opened(config, account) as room:
        return dead_letters(room, account=account, after=after, limit=limit, as_json=json)


def events_take_up(
    ids: Annotated[tuple[int, ...], Parameter(name="ID", help="Of deliveries: shipkit events dead-letters has them.")],
    /,
    *,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Put deliveries back into the inbox, whatever became of them; the next worker reads them."""
    from ..events.deliveries import taken_up
    from ..events.room import opened

    with opened(config) as room:
        return taken_up(room, ids, as_json=json)


def events_replay(
    ids: Annotated[tuple[int, ...], Parameter(name="ID", help="Of deliveries; else all that are kept.")] = (),
    /,
    *,
    account: Account = "",
    since: Since = "",
    codes: Annotated[tuple[str, ...], repeated("--code", "Those that tell of this code of the carrier's")] = (),
    apply: Apply = False,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Read kept deliveries again with today's tables, and say parcel by parcel what differs.

    Nothing is written unless --apply says so; then what differs is announced as any news is, and dead letters that can
    be read now are back in the inbox.
    """
    from ..events.deliveries import replayed
    from ..events.room import opened, since_of

    with opened(config, account) as room:
        return replayed(
            room,
            ids,
            account=account,
            since=since_of(since, room.store.now()),
            codes=codes,
            apply=apply,
            as_json=json,
            personal=personal,
        )


def events_process(*, limit: AtMost = None, config: ConfigFile = None, json: AsJson = False) -> int:
    """Read what waits in the inbox, as the worker of shipkit serve does."""
    from ..events.deliveries import processed
    from ..events.room import opened

    with opened(config) as room:
        return processed(room, limit=limit, as_json=json)


def events_poll(*, limit: AtMost = None, config: ConfigFile = None, json: AsJson = False) -> int:
    """Ask carriers for the parcels whose time has come, as the poller of shipkit serve does."""
    from ..events.deliveries import polled
    from ..events.room import opened

    with opened(config) as room:
        return polled(room, limit=limit, as_json=json)


def events_reconcile(
    file: Annotated[
        Path | None, Parameter(help="CSV of key, number, milestone, delivered_at; - is standard input. Else the store.")
    ] = None,
    /,
    *,
    account: Account = "",
    since: Since = "",
    apply: Apply = False,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Hold what is believed of parcels against what their carriers say now; the exit code is 1 where they differ.

    With --apply what carriers say is taken over and announced.
    """
    from ..events.beliefs import reconciled
    from ..events.room import opened, since_of

    with opened(config, account) as room:
        from_when = since_of(since, room.store.now())
        return reconciled(room, file, account=account, since=from_when, apply=apply, as_json=json, personal=personal)


def events_silent(*, config: ConfigFile = None, json: AsJson = False) -> int:
    """Accounts that ought to push and were not heard, or whose pushes leave news out; the exit code is then 1."""
    from ..events.deliveries import silent
    from ..events.room import opened

    with opened(config) as room:
        return silent(room, as_json=json)


def events_paths(*, config: ConfigFile = None, json: AsJson = False) -> int:
    """Where each account's carrier pushes to. They cannot be guessed: tell each to its carrier, and to nobody else."""
    from ..events.deliveries import paths
    from ..events.room import opened

    with opened(config) as room:
        return paths(room, as_json=json)


def events_outbox(
    destination: Annotated[str, Parameter(help="Its name in the configuration: its announcements, one by one.")] = "",
    /,
    *,
    dead: Annotated[
        bool, Parameter(name="--dead", negative="", show_default=False, help="Those only that it refused too often.")
    ] = False,
    after: Annotated[int, Parameter(name="--after", help="Begin behind this number: the next page.")] = 0,
    limit: Limit = 100,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """What destinations have not taken yet, and what they refused too often; the exit code is then 1.

    Without a destination it is counted.
    """
    from ..events.deliveries import outbox, unpublished
    from ..events.room import opened

    with opened(config) as room:
        if not (destination or dead):
            return outbox(room, as_json=json)
        return unpublished(room, destination, dead=dead, after=after, limit=limit, as_json=json, personal=personal)


def events_send_again(
    destination: Annotated[str, Parameter(help="Its name in the configuration.")],
    /,
    *,
    number: Annotated[tuple[int, ...], repeated("--number", "This announcement")] = (),
    dead: Annotated[
        bool, Parameter(name="--dead", negative="", show_default=False, help="All that it refused too often.")
    ] = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Send announcements to a destination once more; consumers know by their ids what they have had."""
    from ..events.deliveries import sent_again
    from ..events.room import opened

    with opened(config) as room:
        return sent_again(room, destination, number, dead=dead, as_json=json)


def events_kpi(*, since: Since = "7d", config: ConfigFile = None, json: AsJson = False) -> int:
    """Bookings, deliveries, punctuality, problems and delays of what was made in that time, by carrier and lane."""
    from ..events.kpi import figured
    from ..events.room import opened, since_of

    with opened(config) as room:
        return figured(room, since_of(since, room.store.now()), as_json=json)
