"""A configuration file: accounts under the host's aliases, the store, the settings, destinations, the service.

TOML; see `loaded` for where it is looked for, and ``docs/command-line.md`` for what may stand in it. A host that keeps
accounts elsewhere asks `account_fields` what they are made of, and `account_carrier` to make one.
"""

from __future__ import annotations

from .destinations import DestinationChoice
from .fields import AccountField, account_fields
from .loading import Config, loaded
from .serving import Bounds, ServiceChoice
from .single import account_carrier, overriding_variables

__all__ = [
    "AccountField",
    "Bounds",
    "Config",
    "DestinationChoice",
    "ServiceChoice",
    "account_carrier",
    "account_fields",
    "loaded",
    "overriding_variables",
]
