"""What is left to do when the addon goes."""

from __future__ import annotations

from typing import Any

from . import simulation
from .bridge import forget


def uninstalled(env: Any) -> None:
    """Forget the database's client and end its simulators; schema ``shipkit`` stays.

    The ledger in it is the evidence of what was bought, and of what must not be bought again after a new installation.
    Who is sure says ``DROP SCHEMA shipkit CASCADE``.
    """
    forget(env.cr.dbname)
    simulation.stop()
