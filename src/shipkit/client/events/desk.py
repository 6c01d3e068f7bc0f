"""What every run of ``client.events`` works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from ...errors import NotSupportedError
from ...model.scalars import EMPTY

if TYPE_CHECKING:
    from ...events.plans import PollPlan
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
    plans: Mapping[str, PollPlan] = EMPTY
    """The host's own, by account; that of ``""`` is for all others."""
    _plans: dict[str, PollPlan] = attrs.field(factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, desk: Desk, destinations: Sequence[str], plans: Mapping[str, PollPlan] = EMPTY) -> EventDesk:
        """The one of a client.

        Raises:
            NotSupportedError: the client's store keeps no events.
        """
        store: EventStore | None = getattr(desk.store, "events", None)
        if store is None:
            raise NotSupportedError("this store keeps no events; those of shipkit.store do")
        return cls(desk=desk, store=store, destinations=tuple(destinations), plans=dict(plans))

    @property
    def settings(self) -> Settings:
        """Those of the client."""
        return self.desk.settings

    def plan(self, alias: str) -> PollPlan:
        """How often parcels of the account are asked for: the host's plan, within what the carrier states."""
        known = self._plans.get(alias)
        if known is None:
            from ...events.plans import DEFAULT_PLAN, plan_of

            known = self.plans.get(alias) or self.plans.get("") or DEFAULT_PLAN
            account = self.desk.accounts.get(alias)
            if account is not None:
                known = plan_of(account.facts, known)
            self._plans[alias] = known
        return known
