"""What every run of ``client.events`` works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from ...errors import NotSupportedError

if TYPE_CHECKING:
    from ...ports.events import EventStore
    from ...settings import Settings
    from ..desk import Desk

__all__ = ["EventDesk"]


@attrs.frozen(kw_only=True, eq=False)
class EventDesk:
    """The accounts of one client, the events' side of its store, and where announcements go."""

    desk: Desk
    store: EventStore
    destinations: tuple[str, ...] = ()
    """Each announcement gets an outbox row for each of them."""

    @classmethod
    def of(cls, desk: Desk, destinations: Sequence[str]) -> EventDesk:
        """The one of a client.

        Raises:
            NotSupportedError: the client's store keeps no events.
        """
        store: EventStore | None = getattr(desk.store, "events", None)
        if store is None:
            raise NotSupportedError("this store keeps no events; those of shipkit.store do")
        return cls(desk=desk, store=store, destinations=tuple(destinations))

    @property
    def settings(self) -> Settings:
        """Those of the client."""
        return self.desk.settings
