"""Where announcements go: a destination of the host's, such as an exchange of its broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .events import Outgoing, Unsent

__all__ = ["Publisher"]


class Publisher(Protocol):
    """Takes announcements to one destination. One relay at a time calls it, from one thread."""

    @property
    def kind(self) -> str:
        """``rabbitmq``, ``nats``, ``redis``, ``kafka``, ``http`` or ``host``."""
        ...

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Send *batch* in its order and wait until each is confirmed; the ones that were not taken.

        Of one scope nothing is sent after something that was not taken: what follows it comes back as unsent too. An
        announcement that was taken, and whose confirmation was lost, is unsent as well: consumers tell it by its id.

        Raises:
            UnavailableError: the destination cannot be reached; all of *batch* is unsent.
        """
        ...

    def close(self) -> None:
        """Give the connections back."""
        ...
