"""One simulated carrier."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

__all__ = ["simulate"]


def simulate(
    carrier: Annotated[str, Parameter(help="The code of a plugin; shipkit plugins lists them.")],
    /,
    *,
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535), help="0 takes a free one.")] = 0,
    faults: Annotated[Path | None, Parameter(help="JSON or TOML: how it shall misbehave.")] = None,
) -> int:
    """Let one carrier answer on this machine, in its own dialect, until Ctrl-C.

    Nothing is bought, nothing leaves the machine. Who subscribes is pushed to as parcels move. Its books are at /_sim/
    under the address that is printed.
    """
    from ...errors import InputError
    from ...registry import Registry
    from ...simulator import Simulator, load_faults

    dialect = Registry().simulator(carrier)
    try:
        given = load_faults(faults) if faults is not None else ()
        simulator = Simulator(dialect(), port=port, faults=given, push_every_s=1)
        simulator.start()
    except ValueError as error:
        raise InputError(str(error)) from None
    except OSError as error:
        raise InputError(f"{error.filename or f'port {port}'}: {error.strerror}") from None
    try:
        sys.stdout.write(_welcome(carrier, simulator.url))
        sys.stdout.flush()
        simulator.serve()
    except KeyboardInterrupt:  # before it began to wait for one
        simulator.stop()
    books = simulator.bookings()
    sys.stdout.write(f"\n{len(simulator.requests())} requests, {len(books)} bookings\n")
    return 0


def _welcome(carrier: str, url: str) -> str:
    from ..demo.stage import account_lines

    lines = "".join(f"    {line}\n" for line in account_lines(carrier, url))
    return (
        f"{carrier} answers at {url}\n"
        f"its books and its admin interface: {url}/_sim/\n"
        f"an account for it, in shipkit.toml:\n\n{lines}\n"
        "Ctrl-C ends it.\n"
    )
