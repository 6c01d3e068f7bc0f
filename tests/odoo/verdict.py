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
    log: tuple[str, ...] = ()
    """Errors, and warnings that name us."""

    @property
    def empty(self) -> bool:
        """No test ran, which Odoo itself reports as zero failures."""
        return not self.passed and not self.failed

    @property
    def good(self) -> bool:
        """Tests ran, all passed, and the log is clean."""
        return self.passed > 0 and not self.failed and not self.log

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def verdict(text: str) -> Verdict:
    """The verdict on the run that wrote *text*; one that was cut off before it had counted has passed nothing."""
    counts = COUNT.findall(text)
    failed, errors, total = map(int, counts[-1]) if counts else (0, 0, 0)
    told = [found.groups() for found in map(LINE.match, text.splitlines()) if found]
    return Verdict(
        passed=total - failed - errors,
        failed=failed + errors,
        log=tuple(f"{level} {line}" for level, line in told if level != "WARNING" or "shipkit" in line),
    )
