"""What a run of Odoo's tests says: Odoo's own count, and the lines of its log that no test asked for."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Verdict", "verdict"]

COUNT = re.compile(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database")
LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (WARNING|ERROR|CRITICAL) \S+ (.*)$")


class Verdict(NamedTuple):
    """How a run of tests ended."""

    passed: int
    failed: int
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Tests ran, all passed, and the log has no error."""
        return self.passed > 0 and not self.failed and not self.errors

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def verdict(log: str) -> Verdict:
    """The verdict on the run that wrote *log*; one that was cut off before it had counted has passed nothing."""
    counts = COUNT.findall(log)
    failed, errors, total = map(int, counts[-1]) if counts else (0, 0, 0)
    told = [found.groups() for found in map(LINE.match, log.splitlines()) if found]
    return Verdict(
        passed=total - failed - errors,
        failed=failed + errors,
        errors=tuple(text for level, text in told if level != "WARNING"),
        warnings=tuple(text for level, text in told if level == "WARNING"),
    )
