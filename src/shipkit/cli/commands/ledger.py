"""Commands that look at the ledger and finish what it holds."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from .arguments import AsJson, ConfigFile

__all__ = ["ledger_recover"]


def ledger_recover(
    *,
    limit: Annotated[int, Parameter(name="--limit", help="Keys looked at, the longest waiting first.")] = 100,
    config: ConfigFile = None,
    json: AsJson = False,
) -> int:
    """Finish what was left open: lost answers are looked up, labels fetched, cancellations carried out."""
    from ..orders.recovery import recovered
    from ..orders.session import opened

    with opened(config) as session:
        return recovered(session, limit, as_json=json)
