"""A real Odoo 19, brought up by the project itself: ``python -m tests.odoo`` says how, :class:`Stand` is its API.

    with Stand.open() as stand, stand.database() as name:
        done = stand.script(name, "print(env['res.company'].search_count([]))")

It needs a Debian (its package ``odoo-19`` is fetched without installing it), PostgreSQL and a Python of 3.10 to 3.13.
"""

from .places import Unavailable
from .process import Server
from .stand import Stand

__all__ = ["Server", "Stand", "Unavailable"]
