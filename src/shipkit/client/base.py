"""What both clients are made of."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs

from ..carrier import Carrier
from ..errors import InputError
from ..model import Problem, ProblemCode
from ..model.scalars import EMPTY
from ..settings import Settings

if TYPE_CHECKING:
    from typing_extensions import Self

    from .. import model as m
    from ..events.plans import PollPlan
    from ..flow import Emit
    from ..ports import Store
    from ..webhooks.auth import WebhookAuth
    from .events import EventDesk
    from .events.entrance import Entrance
    from .observe import Observer
    from .pushes import Push

    Numbers: TypeAlias = str | m.TrackingNumber | m.TrackQuery | Iterable[str | m.TrackingNumber | m.TrackQuery]
else:
    Numbers = Any

__all__ = ["ClientBase", "Numbers", "with_service"]

R = TypeVar("R")


class ClientBase:
    """Accounts under the host's aliases, a store, settings, and who is told what happens.

    Without a *store* the ledger lives in memory: keys then hold for as long as the client does, and no longer. What
    becomes of parcels is announced to each of *destinations*: an outbox row for each, which a relay publishes.
    *poll_plans* says by account how often its parcels are asked for (``""``: those of all others), see
    `shipkit.events.plans`.
    *webhooks* says by account how its pushes are proved, where that is not as its carrier's plugin does it.
    """

    def __init__(
        self,
        accounts: Mapping[str, Carrier],
        *,
        store: Store | None = None,
        settings: Settings | None = None,
        observers: Sequence[Observer] = (),
        destinations: Sequence[str] = (),
        poll_plans: Mapping[str, PollPlan] = EMPTY,
        webhooks: Mapping[str, WebhookAuth] = EMPTY,
    ) -> None:
        self._own_store = store is None
        if store is None:
            from ..store import MemoryStore

            store = MemoryStore()
        from .clock import request_id, today, utc_now
        from .desk import Desk

        self._lock = threading.Lock()
        self._destinations = tuple(destinations)
        self._poll_plans = dict(poll_plans)
        from .observe import Watchers

        self._watchers = Watchers.of(observers)
        self._desk = Desk(
            accounts,
            store,
            settings or Settings(),
            utc_now=utc_now,
            today=today,
            request_id=request_id,
            watch=self._watchers.watch,
            webhooks=_webhooks(webhooks, accounts),
        )

    @classmethod
    def from_config(cls, path: str | Path | None = None, **options: Any) -> Self:
        """The accounts, the store, the destinations and the settings of a configuration file (`shipkit.config`)."""
        from ..config import loaded

        config = loaded(path)
        given: dict[str, Any] = {"destinations": tuple(config.destinations), "webhooks": config.webhooks, **options}
        client = cls(config.accounts, store=config.store(), settings=config.settings, **given)
        client._own_store = True
        return client

    @property
    def accounts(self) -> Mapping[str, Carrier]:
        """The configured carriers by alias."""
        return {alias: account.carrier for alias, account in self._desk.accounts.items()}

    @property
    def settings(self) -> Settings:
        """How this client behaves where a call says nothing."""
        return self._desk.settings

    def receive_webhook(
        self, account: str, headers: Mapping[str, str], body: bytes, *, query: str = "", remote: str = ""
    ) -> Push:
        """Verify the raw bytes of a push to *account* and read them; nothing is raised for what a stranger sends.

        Nothing is stored: ``events.receive`` and ``events.process`` keep what comes in, and what follows from it.
        *query* stands behind the ``?`` of the address that it was sent to, *remote* is the address of the sender.
        """
        from ..webhooks import RawPush
        from .pushes import received, unmapped

        push = received(self._desk, account, RawPush(headers=headers, body=body, query=query, remote=remote))
        for event in unmapped(push):
            self._watchers.tell(event)
        return push

    def entrance(self) -> Entrance:
        """What an endpoint such as `shipkit.service.Endpoint` works with.

        Raises:
            NotSupportedError: the store keeps no events.
        """
        from .events.entrance import Entrance

        return Entrance(self._event_desk(), self._watchers.tell)

    def _event_desk(self) -> EventDesk:
        from .events.desk import EventDesk

        return EventDesk.of(self._desk, self._destinations, self._poll_plans)

    def _told(self, effect: Emit) -> None:
        if effect.event is not None:
            self._watchers.tell(effect.event, began=effect.began)

    def _close_store(self) -> None:
        if self._own_store:
            self._desk.store.close()


def _webhooks(given: Mapping[str, WebhookAuth], accounts: Mapping[str, Carrier]) -> Mapping[str, WebhookAuth]:
    """*given*, for accounts that there are: a misspelt alias would leave the one that was meant as it is."""
    problems = [
        Problem(path=f"/webhooks/{alias}", code=ProblemCode.UNKNOWN_VALUE, text="no account of this name")
        for alias in given
        if alias not in accounts
    ]
    if problems:
        raise InputError(problems=tuple(problems))
    return dict(given)


def with_service(request: R, service: str | None) -> R:
    """*request*, a shipment or a way back, for the service that the call names."""
    # What is neither is refused where requests are looked at, before anything is sent.
    asked: Any = request
    if service is not None and attrs.has(type(asked)):
        if hasattr(asked, "service"):
            asked = attrs.evolve(asked, service=service)
        elif hasattr(asked, "shipment"):
            asked = attrs.evolve(asked, shipment=with_service(asked.shipment, service))
    named: R = asked
    return named
