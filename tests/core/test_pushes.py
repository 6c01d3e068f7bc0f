"""A push is believed only when its sender is proved, and what it says of unknown codes is counted."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from shipkit import Client, NotSupportedError, TrackingNumber
from shipkit.model import DeliveryResult, Message, SignatureResult, TrackResult, TrustLevel, WebhookDelivery
from shipkit.ports import Observation
from shipkit.webhooks import Hmac
from tests.core.acme import Acme

SCHEME = Hmac(header="X-Acme-Signature")


@attrs.frozen(kw_only=True)
class Pushing(Acme):
    webhook_secrets: tuple[str, ...] = attrs.field(default=("old", "new"), repr=False)

    @property
    def webhook_scheme(self) -> Hmac:
        return SCHEME

    def read_webhook(self, delivery: WebhookDelivery) -> tuple[TrackResult, ...]:
        if delivery.body == b"broken":
            raise KeyError("number")
        number = TrackingNumber(value="AC1", carrier="acme")
        message = Message.unmapped("ZZ")
        return (
            TrackResult(
                number=number, events=(), complete=False, messages=(message,), received_at=delivery.received_at
            ),
        )


def pushed(body: bytes, secret: str = "new", **changes: Any) -> tuple[Any, list[Observation]]:
    seen: list[Observation] = []
    account = Pushing(client_id="host", client_secret="secret", **changes)
    with Client({"acme-de": account}, observers=[seen.append]) as client:
        return client.receive_webhook("acme-de", {"x-acme-signature": SCHEME.signature(body, secret)}, body), seen


@pytest.mark.parametrize("secret", ["old", "new"])
def test_a_signed_push_is_read_and_its_unknown_codes_are_counted(secret: str) -> None:
    push, seen = pushed(b"{}", secret)
    assert push.delivery.signature is SignatureResult.VALID
    assert (push.delivery.trust, push.delivery.result) == (TrustLevel.BODY_SIGNED, DeliveryResult.ACCEPTED)
    assert [(event.kind, event.detail) for event in seen] == [("unmapped_code", "ZZ")]


@pytest.mark.parametrize(("secret", "changes"), [("wrong", {}), ("new", {"webhook_secrets": ()}), ("", {})])
def test_what_is_not_proved_says_nothing(secret: str, changes: dict[str, Any]) -> None:
    push, seen = pushed(b"{}", secret, **changes)
    assert push.results == () and seen == []
    assert push.delivery.signature is SignatureResult.INVALID
    assert (push.delivery.trust, push.delivery.result) == (TrustLevel.UNAUTHENTICATED, DeliveryResult.FAILED)


def test_a_push_that_cannot_be_read_is_a_dead_letter_with_its_reason() -> None:
    push, _ = pushed(b"broken")
    assert push.delivery.result is DeliveryResult.DEAD_LETTER
    assert push.delivery.error is not None and push.delivery.error.code == "bad_reply"


def test_a_push_longer_than_the_limit_is_not_looked_at() -> None:
    push, _ = pushed(b"x" * 1_000_001)
    assert push.delivery.result is DeliveryResult.FAILED


def test_a_carrier_that_does_not_push_says_so() -> None:
    with Client({"acme-de": Acme(client_id="h", client_secret="s")}) as client, pytest.raises(NotSupportedError):
        client.receive_webhook("acme-de", {}, b"{}")
