"""A carrier's push, checked and read at once; `shipkit.client.events` is for what is to be kept."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from .. import model as m
from ..carrier import Carrier, ReadsWebhooks, able
from ..errors import NotSupportedError, PluginError, ReplyError, ShipkitError
from ..flow import foreign
from ..ports import Observation
from ..webhooks import RawPush
from .desk import Desk
from .events.receiving import judged

__all__ = ["Push", "read", "received", "unmapped"]


@attrs.frozen(kw_only=True)
class Push:
    """What a push was taken for, and what it says of parcels: nothing unless its sender was proved."""

    delivery: m.WebhookDelivery
    results: tuple[m.TrackResult, ...] = ()


def received(desk: Desk, alias: str, push: RawPush) -> Push:
    """Verify and read one push; it is closed by default: no secret, no entry.

    A delivery that fails says why in ``delivery.error``; nothing is raised for what a stranger sends.
    """
    delivery = judged(desk, alias, push)
    if delivery.result is not m.DeliveryResult.ACCEPTED:
        return Push(delivery=delivery)
    try:
        return Push(delivery=delivery, results=read(desk.account(alias).carrier, delivery))
    except ShipkitError as failure:
        return Push(delivery=attrs.evolve(delivery, result=m.DeliveryResult.DEAD_LETTER, error=failure))


def read(carrier: Carrier, delivery: m.WebhookDelivery) -> tuple[m.TrackResult, ...]:
    """What the plugin makes of *delivery*.

    Raises:
        ShipkitError: it cannot be read; of a plugin's own exception only the class is told.
    """
    if not able(carrier, ReadsWebhooks):
        raise NotSupportedError(f"{carrier.code} does not push, or its plugin does not read it")
    try:
        results: object = carrier.read_webhook(delivery)
    except ShipkitError:
        raise
    except Exception as error:
        text = f"the plugin raised {type(error).__name__} on the push @ $"
        raise ReplyError(text, paths=("$",)) from foreign(error)
    if isinstance(results, tuple) and all(isinstance(one, m.TrackResult) for one in results):
        return results
    raise PluginError("the plugin's read_webhook gives a tuple of TrackResult, and nothing else")


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
