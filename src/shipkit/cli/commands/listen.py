"""The live view, from a shell."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from .arguments import ConfigFile

__all__ = ["listen"]

Flag = {"negative": "", "show_default": False}


def listen(
    *,
    since_start: Annotated[bool, Parameter(**Flag, help="All that is still kept first, then what comes.")] = False,
    account: Annotated[str, Parameter(help="Of that account only.")] = "",
    type: Annotated[  # noqa: A002
        Literal["event", "milestone", "exception", "transit", "proof", "anomaly"] | None,
        Parameter(help="Of that kind only."),
    ] = None,
    once: Annotated[bool, Parameter(**Flag, help="End with what is there now.")] = False,
    count: Annotated[int | None, Parameter(validator=Number(gte=1), help="End after so many.")] = None,
    idle_s: Annotated[float, Parameter(validator=Number(gt=0), help="How often the store is asked.")] = 0.5,
    personal: Annotated[bool, Parameter(**Flag, help="Whole numbers.")] = False,
    config: ConfigFile = None,
    json: Annotated[bool, Parameter(**Flag, help="CloudEvents as they are published, a line each.")] = False,
) -> int:
    """Print what becomes known of parcels as it comes in: a line for people, or CloudEvents, whole numbers included.

    It reads the store that shipkit serve writes to, misses nothing and prints nothing twice. Ctrl-C ends it (130).
    To see something come in: shipkit trigger delivered --to with a path of shipkit events paths.
    """
    from ..events.listening import listened
    from ..events.room import opened

    with opened(config, account) as room:
        return listened(
            room,
            since_start=since_start or once,
            account=account,
            kind=type,
            as_json=json,
            personal=personal,
            once=once,
            count=count,
            idle_s=idle_s,
        )
