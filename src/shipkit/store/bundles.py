"""Several writes as one statement, which PostgreSQL plans once and runs without a transaction around it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

__all__ = ["bundled", "values_of"]

_TARGET: Final = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM) (\w+)")
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_LONGEST: Final = 6


@lru_cache(maxsize=256)
def bundled(statements: tuple[str, ...]) -> str | None:
    """One statement that writes what all *statements* write; None where that is not the same.

    The parts of a bundle do not see each other and come in no order, so no table may be changed by two of them but by
    rows being added.
    """
    if len(statements) > _LONGEST:
        return None
    verbs: dict[str, list[str]] = {}
    for statement in statements:
        found = _TARGET.match(statement)
        if found is None:
            return None
        verbs.setdefault(found[2], []).append(found[1])
    if any(len(done) > 1 and set(done) != {"INSERT INTO"} for done in verbs.values()):
        return None
    named = [_PARAMETER.sub(rf"%(\1_{at})s", statement) for at, statement in enumerate(statements)]
    before = ", ".join(f"w{at} AS ({statement})" for at, statement in enumerate(named[:-1]))
    return f"WITH {before} {named[-1]}" if before else named[-1]


def values_of(told: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The parameters of the bundle."""
    return {f"{name}_{at}": value for at, (_, values) in enumerate(told) for name, value in values.items()}
