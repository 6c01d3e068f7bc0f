"""A process that forks: each side opens its own connections."""

from __future__ import annotations

import os
import weakref
from functools import cache
from typing import Protocol

__all__ = ["Forkable", "mind_forks"]


class Forkable(Protocol):
    """Something with connections that must not be in use by two processes."""

    def before_fork(self) -> None:
        """Be at rest, and let go of what a child must not have."""
        ...

    def after_fork(self, child: bool) -> None:
        """Go on, as the parent or as the *child*."""
        ...


def mind_forks(home: Forkable) -> None:
    """Tell *home* of every fork for as long as it lives."""
    _homes().add(home)


@cache
def _homes() -> weakref.WeakSet[Forkable]:
    homes: weakref.WeakSet[Forkable] = weakref.WeakSet()
    held: list[Forkable] = []

    def before() -> None:
        held.extend(homes)
        for home in held:
            home.before_fork()

    def after(child: bool) -> None:
        while held:
            held.pop().after_fork(child)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=before, after_in_parent=lambda: after(False), after_in_child=lambda: after(True))
    return homes
