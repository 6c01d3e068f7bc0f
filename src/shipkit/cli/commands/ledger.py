"""Commands that look at the ledger, finish what it holds, and tell it what a person found out."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from ...ports import Phase
from .arguments import AsJson, ConfigFile, repeated

__all__ = ["ledger_audit", "ledger_close", "ledger_list", "ledger_recover", "ledger_resolve", "ledger_show"]

Personal = Annotated[
    bool,
    Parameter(name="--personal", negative="", show_default=False, help="What leads to people too: numbers, requests."),
]
Key = Annotated[str, Parameter(help="The host's key, or that of a piece: KEY#GENERATION/NUMBER.")]
Note = Annotated[str, Parameter(name="--note", help="Who looked, and where; no personal data belongs here.")]
Prefix = Annotated[str, Parameter(name="--prefix", help="Keys that begin with it only.")]


def ledger_list(
    *,
    phase: Annotated[tuple[Phase, ...], repeated("--phase", "Rows that stand there only, pieces too")] = (),
    account: Annotated[str | None, Parameter(name="--account", help="Rows of that account only.")] = None,
    prefix: Prefix = "",
    after: Annotated[str, Parameter(name="--after", help="Begin behind this key: the next page.")] = "",
    limit: Annotated[int, Parameter(name="--limit", validator=Number(gte=1), help="Rows of one page.")] = 100,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """What stands under which key, in the order of the keys."""
    from ..ledger.rows import Ledger
    from ..ledger.showing import listed
    from ..orders.session import opened, refuse_unknown

    with opened(config) as session:
        refuse_unknown(session.config, (account,) if account is not None else ())
        return listed(
            Ledger(session),
            phases=phase,
            account=account,
            prefix=prefix,
            after=after,
            limit=limit,
            as_json=json,
            personal=personal,
        )


def ledger_show(key: Key, /, *, personal: Personal = False, config: ConfigFile = None, json: AsJson = False) -> int:
    """All that is known of one key: its pieces, its further bookings, its trail, and whose move it is."""
    from ..ledger.rows import Ledger
    from ..ledger.showing import shown
    from ..orders.session import opened

    with opened(config) as session:
        return shown(Ledger(session), key, as_json=json, personal=personal)


def ledger_resolve(
    key: Key,
    /,
    *,
    booked: Annotated[
        str | None, Parameter(name="--booked", help="The carrier's number of the booking that you found there.")
    ] = None,
    tracking: Annotated[str | None, Parameter(name="--tracking", help="Its tracking number.")] = None,
    not_booked: Annotated[
        bool, Parameter(name="--not-booked", negative="", show_default=False, help="You looked, and it is not there.")
    ] = False,
    note: Note = "",
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Say what a person found at the carrier: the booking, or that there is none.

    Of a whole in several bookings it is about the one that waits for a person. That there is none counts only when
    everything that was sent has settled; before, the moment is named.
    """
    from ..ledger.deciding import resolved
    from ..ledger.rows import Ledger
    from ..orders.session import opened

    with opened(config) as session:
        return resolved(
            Ledger(session), key, booked=booked, tracking=tracking, absent=not_booked, note=note, as_json=json
        )


def ledger_close(key: Key, /, *, note: Note, config: ConfigFile = None, json: AsJson = False) -> int:
    """End a key that nobody else can end; it may then be used anew."""
    from ..ledger.deciding import closed
    from ..ledger.rows import Ledger
    from ..orders.session import opened

    with opened(config) as session:
        return closed(Ledger(session), key, note=note, as_json=json)


def ledger_recover(
    *,
    limit: Annotated[int, Parameter(name="--limit", help="Keys looked at, the longest waiting first.")] = 100,
    now: Annotated[
        bool, Parameter(name="--now", negative="", show_default=False, help="Those too that were put off.")
    ] = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Finish what was left open: lost answers are looked up, labels fetched, cancellations carried out.

    What could not be ended is put off, longer each time. Nothing is bought.
    """
    from ..orders.recovery import recovered
    from ..orders.session import opened

    with opened(config) as session:
        return recovered(session, limit, at_once=now, as_json=json)


def ledger_audit(
    *,
    prefix: Prefix = "",
    verify: Annotated[
        bool, Parameter(name="--verify", negative="", show_default=False, help="Say only what does not fit.")
    ] = False,
    personal: Personal = False,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """What happened to every key, a line an event; each line's digest covers the line before it."""
    from ..ledger.rows import Ledger
    from ..ledger.showing import audited
    from ..orders.session import opened

    with opened(config) as session:
        return audited(Ledger(session), prefix=prefix, verify=verify, as_json=json, personal=personal)
