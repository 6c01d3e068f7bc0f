"""What an endpoint on an event loop works with, of either client; a host of its own calls ``client.events.answer``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from ...carrier import ReadsWebhooks, able
from ...errors import StoreError
from ...flow import Run, call
from ...model import DedupResult, DeliveryResult, WebhookDelivery
from ...ports import Observation
from ...webhooks import RawPush
from .answering import Addresses, Answer, Limits, accepted, before_body, problem, webhook_path
from .desk import EventDesk
from .receiving import judged, receive, seen

if TYPE_CHECKING:
    from ...ports.events import EventStore
    from ...settings import Settings

__all__ = ["Entrance", "answered", "paths"]


@attrs.frozen(eq=False)
class Entrance:
    """Judges pushes and tells of them at once; to store them, many in a commit, is the endpoint's own business."""

    _desk: EventDesk
    _tell: Callable[[Observation], object]

    @property
    def store(self) -> EventStore:
        """The events' side of the client's store."""
        return self._desk.store

    @property
    def settings(self) -> Settings:
        """Those of the client."""
        return self._desk.settings

    def addresses(self) -> Addresses:
        """The paths of all accounts that carriers push to; asks the store.

        Raises:
            StoreError: the store cannot be reached.
        """
        return _addresses(self._desk, self._desk.store.secret())

    def judge(self, alias: str, push: RawPush) -> WebhookDelivery:
        """What *push* is worth: see `receiving.judged`."""
        return judged(self._desk.desk, alias, push)

    def told(self, delivery: WebhookDelivery, *, first: bool = True, elapsed_s: float | None = None) -> None:
        """Let it be counted: refused, stored, or (*first* is false) stored since an earlier time."""
        if not first:
            delivery = attrs.evolve(delivery, dedup=DedupResult.DUPLICATE)
        for event in seen(self._desk.desk, delivery, elapsed_s=elapsed_s):
            self._tell(event)


def paths(desk: EventDesk) -> Run[Mapping[str, str]]:
    """By account the path that its carrier pushes to."""
    secret = yield from call(desk.store.secret)
    return {alias: webhook_path(secret, alias) for alias in _pushing(desk)}


def answered(
    desk: EventDesk, method: str, path: str, headers: Mapping[str, str], body: bytes, query: str, remote: str
) -> Run[Answer]:
    """The whole answer to one request, for a host that serves HTTP itself and reads bodies on its own."""
    try:
        secret = yield from call(desk.store.secret)
        alias = _addresses(desk, secret).alias(path)
        if alias is None:
            return problem(404)
        named = {name.lower(): value for name, value in headers.items()}
        limits = Limits(body_max_bytes=desk.settings.webhook_body_max_bytes)
        answer = before_body(method, named, limits)
        if answer is not None:
            return answer
        if len(body) > limits.body_max_bytes:
            return problem(413)
        received = yield from receive(desk, alias, RawPush(headers=named, body=body, query=query, remote=remote))
    except StoreError:
        return problem(503, retry_after_s=5)
    return accepted() if received.delivery.result is DeliveryResult.ACCEPTED else problem(401)


def _addresses(desk: EventDesk, secret: str) -> Addresses:
    return Addresses(secret, _pushing(desk))


def _pushing(desk: EventDesk) -> list[str]:
    return [alias for alias, account in desk.desk.accounts.items() if able(account.carrier, ReadsWebhooks)]
