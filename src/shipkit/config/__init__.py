"""A configuration file: accounts under the host's aliases, the store, the settings.

TOML; see `loaded` for where it is looked for, and ``docs/command-line.md`` for what may stand in it.
"""

from __future__ import annotations

from .loading import Config, loaded

__all__ = ["Config", "loaded"]
