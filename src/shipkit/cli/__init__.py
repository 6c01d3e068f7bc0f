"""The command ``shipkit``: carriers, simulated ones and real ones, from a shell.

The overview is printed without loading anything; a command loads what it needs. Exit codes: 0 all went well, 1 some
rows failed (or the doctor found something), 2 the call or the configuration is wrong, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Final

__all__ = ["COMMANDS", "main"]

COMMANDS: Final[Mapping[str, str]] = {
    "demo": "The main job with every carrier simulated: quotes, 20 orders, labels, tracking, a closing count.",
    "simulate": "Let one carrier answer on this machine, in its own dialect.",
    "plugins": "The carriers that are installed, and what each of them offers.",
    "doctor": "Look for what may be wrong: versions, plugins, configuration, store.",
    "rates": "Prices of the orders in a file.",
    "ship": "Book the orders in a file, each once, and write their labels.",
    "track": "Where the parcels are.",
    "cancel": "Undo what was booked.",
    "pickup": "Ask for collections.",
    "documents": "Labels and other papers once more.",
    "recover": "Finish what was left open: lost answers are looked up, labels fetched.",
    "columns": "The columns that a table of orders may have.",
}
"""What each command does; its function of the same name is in ``commands``."""

_EXAMPLES: Final = """\
  shipkit demo                                       no account at a carrier is needed
  shipkit ship orders.csv --account shop --labels out
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
    if name not in COMMANDS:
        from difflib import get_close_matches

        close = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(COMMANDS)}"
        sys.stderr.write(f"shipkit: no command is called {name}; {hint}\n")
        return 2
    from .running import run

    return run(name, given[1:])


def _overview() -> str:
    width = max(map(len, COMMANDS))
    listed = "".join(f"  {name.ljust(width)}  {what}\n" for name, what in COMMANDS.items())
    return (
        "Usage: shipkit COMMAND [ARGUMENTS]\n\n"
        "Buy labels, follow parcels and settle with any carrier.\n\n"
        f"Commands:\n{listed}\n"
        f"Examples:\n{_EXAMPLES}\n"
        "shipkit COMMAND --help says more; shipkit --version says which one this is.\n"
    )
