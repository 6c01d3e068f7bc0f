"""Where problems are gathered."""

from __future__ import annotations

from shipkit.model import Problem, ProblemCode

__all__ = ["Found"]


class Found:
    """The problems of one request: each path and rule once, nothing below a path that is missing altogether."""

    __slots__ = ("_seen", "_settled", "problems")

    def __init__(self, settled: frozenset[str] = frozenset()) -> None:
        self.problems: list[Problem] = []
        self._seen: set[tuple[str, ProblemCode]] = set()
        self._settled = set(settled)

    def add(self, path: str, code: ProblemCode, text: str, limit: str | None = None) -> None:
        """Say that the field at *path* breaks a rule, unless that has been said."""
        if (path, code) in self._seen or self._is_settled(path):
            return
        self._seen.add((path, code))
        self.problems.append(Problem(path=path, code=code, text=text, limit=limit))

    def missing(self, path: str, text: str = "") -> None:
        """Say that a required field is not there; what lies below it is not looked at."""
        self.add(path, ProblemCode.MISSING, text or f"{path.rpartition('/')[2]} is required")
        self._settled.add(path)

    def _is_settled(self, path: str) -> bool:
        if not self._settled:
            return False
        if path in self._settled:
            return True
        parent = path.rpartition("/")[0]
        return bool(parent) and self._is_settled(parent)
