"""A configuration file: accounts under the host's aliases, the store, the settings, destinations, the service.

TOML; see `loaded` for where it is looked for, and ``docs/command-line.md`` for what may stand in it.
"""

from __future__ import annotations

from .destinations import DestinationChoice
from .loading import Config, loaded
from .serving import Bounds, ServiceChoice

__all__ = ["Bounds", "Config", "DestinationChoice", "ServiceChoice", "loaded"]
