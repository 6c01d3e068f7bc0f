"""A carrier's push: who sent it is checked on the raw bytes, then the plugin reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

import attrs

from .. import model as m
from ..carrier import ReadsWebhooks, able
from ..errors import NotSupportedError, ReplyError, ShipkitError
from ..ports import Observation
from .desk import Desk

__all__ = ["Push", "received", "unmapped"]

_KEPT_HEADERS = ("content-type", "user-agent", "date")


@attrs.frozen(kw_only=True)
class Push:
    """What a push was taken for, and what it says of parcels: nothing unless its sender was proved."""

    delivery: m.WebhookDelivery
    results: tuple[m.TrackResult, ...] = ()


def received(desk: Desk, alias: str, headers: Mapping[str, str], body: bytes) -> Push:
    """Verify and read one push; it is closed by default: no secret, no entry.

    A delivery that fails says why in ``delivery.error``; nothing is raised for what a stranger sends.
    """
    account = desk.account(alias)
    carrier = account.carrier
    if not able(carrier, ReadsWebhooks):
        raise NotSupportedError(f"{account.carrier.code} does not push, or its plugin does not read it")
    scheme = carrier.webhook_scheme
    if len(body) > desk.settings.webhook_body_max_bytes:
        signature = m.SignatureResult.INVALID
    else:
        signature = scheme.verify(headers, body, carrier.webhook_secrets)
    valid = signature is m.SignatureResult.VALID
    delivery = m.WebhookDelivery(
        delivery_id=sha256(body).hexdigest(),
        carrier=account.carrier.code,
        account=alias,
        received_at=desk.utc_now(),
        headers={name: value for name, value in headers.items() if name.lower() in _KEPT_HEADERS},
        body=body,
        signature=signature,
        trust=scheme.trust if valid else m.TrustLevel.UNAUTHENTICATED,
        dedup=m.DedupResult.FIRST,
        result=m.DeliveryResult.ACCEPTED if valid else m.DeliveryResult.FAILED,
    )
    if not valid:
        return Push(delivery=delivery)
    try:
        return Push(delivery=delivery, results=carrier.read_webhook(delivery))
    except ShipkitError as error:
        failure = error
    except Exception as error:
        failure = ReplyError(f"the plugin raised {type(error).__name__} on the push @ $", paths=("$",))
    return Push(delivery=attrs.evolve(delivery, result=m.DeliveryResult.DEAD_LETTER, error=failure))


def unmapped(push: Push) -> Iterator[Observation]:
    """What is to be counted: each status code of the push that no table explains."""
    for result in push.results:
        for message in result.messages:
            if message.code is m.NoticeCode.UNMAPPED_CODE:
                yield Observation(
                    kind="unmapped_code",
                    account=push.delivery.account,
                    carrier=push.delivery.carrier,
                    operation="read_webhook",
                    detail=message.carrier_code or "",
                )
