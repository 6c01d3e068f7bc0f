"""Orders out of a file: CSV, JSON, or a JSON value per line; each row with its line, bad ones with what is wrong."""

from __future__ import annotations

from .files import FORMS, read_rows
from .row import Row, Spot, Target

__all__ = ["FORMS", "Row", "Spot", "Target", "read_rows"]
