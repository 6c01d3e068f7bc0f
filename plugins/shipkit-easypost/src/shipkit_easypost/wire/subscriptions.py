"""Asking for pushes: an account's webhook, and a tracker for each number."""

from __future__ import annotations

import attrs

from shipkit.errors import ShipkitError
from shipkit.model import Subscription, SubscriptionRequest, SubscriptionState, TrackingNumber
from shipkit.readers import wire

from .common import filled

__all__ = ["WebhookRow", "WebhooksReply", "subscription_from_wire", "webhook_to_wire"]


@wire
class WebhookRow:
    id: str = attrs.field(validator=filled)
    url: str | None = None


@wire
class WebhooksReply:
    webhooks: tuple[WebhookRow, ...]


def webhook_to_wire(request: SubscriptionRequest, secret: str) -> dict[str, str]:
    """What can be set on a webhook (npm Webhook/WebhookCreateParameters; update() also enables one again)."""
    signed_with = request.secret or secret
    return {"webhook_secret": signed_with} if signed_with else {}


def subscription_from_wire(
    row: WebhookRow, accepted: list[TrackingNumber], refused: dict[str, ShipkitError]
) -> Subscription:
    """Pushes come for the numbers that EasyPost made a tracker for."""
    if not refused:
        state = SubscriptionState.ACTIVE
    else:
        state = SubscriptionState.PARTLY if accepted else SubscriptionState.REFUSED
    return Subscription(subscription_id=row.id, state=state, accepted=tuple(accepted), refused=refused)
