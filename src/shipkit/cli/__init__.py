"""The command ``shipkit``: carriers, simulated ones and real ones, from a shell.

The overview is printed without loading anything; a command loads what it needs. Exit codes: 0 all went well, 1 some
rows failed (or the doctor found something), 2 the call or the configuration is wrong, 130 interrupted.

A command has one word, or two where it belongs to a group. The function of ``shipkit doctor`` is ``doctor``; that of
``shipkit ledger show`` is ``ledger_show``, in the group's room ``commands/ledger.py``; a dash is an underscore there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

__all__ = ["COMMANDS", "GROUPS", "main"]

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "The main job with every carrier simulated: quotes, 20 orders, labels, tracking, a closing count.",
    "simulate": "Let one carrier answer on this machine, in its own dialect.",
    "trigger": "Let a simulated carrier push a milestone now: late, twice, unsigned, as you like.",
    "plugins": "The carriers that are installed, and what each of them offers.",
    "doctor": "Look for what may be wrong: versions, plugins, configuration, store.",
    "rates": "Prices of the orders in a file.",
    "ship": "Book the orders in a file, each once, and write their labels.",
    "track": "Where the parcels are.",
    "cancel": "Undo what was booked.",
    "pickup": "Ask for collections.",
    "documents": "Labels and other papers once more.",
    "listen": "What becomes known of parcels, as it comes in.",
    "serve": "Take pushes, read them, publish what follows, ask carriers: the service, or a part of it.",
    "columns": "The columns that a table of orders may have.",
}
"""What each command does; its function of the same name is in ``commands``."""

GROUPS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "ledger": (
        "What was bought under which key, what is open, and what a person decides.",
        {
            "list": "What stands under which key.",
            "show": "All that is known of one key, and whose move it is.",
            "recover": "Finish what is open: lost answers are looked up, labels fetched, cancellations carried out.",
            "resolve": "Say what a person found at the carrier: the booking, or that there is none.",
            "close": "End a key that nobody else can end.",
            "audit": "What happened to every key, and whether that was written over.",
        },
    ),
    "events": (
        "Parcels that are followed: what is known, what waits, what could not be read, and what carriers say now.",
        {
            "list": "The parcels that are followed: where each is, and what is open.",
            "show": "All that is known of one shipment or number, and whose move it is.",
            "follow": "Follow a number from now on.",
            "unfollow": "Ask no more for a number, or for a shipment.",
            "exceptions": "Problems that nothing has resolved, and who must act.",
            "unmapped": "Status codes that no table explains.",
            "queues": "What waits where.",
            "dead-letters": "Deliveries that could not be read, and why.",
            "take-up": "Put deliveries back into the inbox.",
            "replay": "Read kept deliveries again with today's tables, and say what differs.",
            "process": "Read what waits in the inbox.",
            "poll": "Ask carriers for the parcels whose time has come.",
            "reconcile": "What is believed of parcels beside what their carriers say now.",
            "silent": "Accounts whose pushes do not come.",
            "paths": "Where each account's carrier pushes to; these paths are secrets.",
            "outbox": "What destinations have not taken yet.",
            "send-again": "Send announcements to a destination once more.",
            "kpi": "How well it goes, by carrier and lane.",
        },
    ),
    "store": (
        "What is kept beyond the day: how much it is, what goes, what is forgotten.",
        {
            "show": "Where the store is, and how many keys stand in which phase.",
            "purge": "Take requests and answers of keys that have ended away, and later their documents.",
            "export": "Everything that is kept, as lines of JSON.",
            "forget": "Blank what is personal under a key.",
            "restored": "Say that the store lost its newest commits.",
        },
    ),
}
"""What each group is about, and what its commands do."""

_EXAMPLES: Final = """\
  shipkit demo                                       no account at a carrier is needed
  shipkit ship orders.csv --account shop --labels out
  shipkit events exceptions                          who must act, and on which parcel
  shipkit track --number 1234567890 --account shop --json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else "--help"
    if name in ("--help", "-h", "help"):
        sys.stdout.write(_overview())
        return 0
    if name in ("--version", "-V"):
        from importlib.metadata import version

        sys.stdout.write(f"shipkit-sdk {version('shipkit-sdk')}\n")
        return 0
    if name in GROUPS:
        return _grouped(name, given[1:])
    if name not in COMMANDS:
        return _unknown("shipkit", name, (*COMMANDS, *GROUPS))
    from .running import run

    return run(name, given[1:])


def _grouped(group: str, given: Sequence[str]) -> int:
    about, commands = GROUPS[group]
    name = given[0] if given else "--help"
    if name in ("--help", "-h", "help"):
        sys.stdout.write(
            f"Usage: shipkit {group} COMMAND [ARGUMENTS]\n\n{about}\n\nCommands:\n{_listed(commands)}\n"
            f"shipkit {group} COMMAND --help says more.\n"
        )
        return 0
    if name not in commands:
        return _unknown(f"shipkit {group}", name, commands)
    from .running import run

    return run(f"{group} {name}", given[1:])


def _unknown(of: str, name: str, known: Iterable[str]) -> int:
    from difflib import get_close_matches

    elsewhere = [f"{group} {name}" for group, (_, commands) in GROUPS.items() if name in commands]
    close = get_close_matches(name, known, n=1) or elsewhere
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
    sys.stderr.write(f"{of}: no command is called {name}; {hint}\n")
    return 2


def _listed(commands: Mapping[str, str]) -> str:
    width = max(map(len, commands))
    return "".join(f"  {name.ljust(width)}  {what}\n" for name, what in commands.items())


def _overview() -> str:
    listed = _listed({**COMMANDS, **{group: about for group, (about, _) in GROUPS.items()}})
    return (
        "Usage: shipkit COMMAND [ARGUMENTS]\n\n"
        "Buy labels, follow parcels and settle with any carrier.\n\n"
        f"Commands:\n{listed}\n"
        f"Examples:\n{_EXAMPLES}\n"
        "shipkit COMMAND --help says more; shipkit --version says which one this is.\n"
    )
