"""A push is judged on its raw bytes, and stored before anybody is told that it was taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Final

import attrs

from ... import model as m
from ...carrier import Carrier, ReadsWebhooks, able
from ...errors import NotSupportedError
from ...flow import Emit, Run, call, now
from ...ports import Observation
from ...webhooks import RawPush, Scheme, Verdict, verify
from ..accounts import Account
from ..desk import Desk
from .desk import EventDesk

__all__ = ["Received", "judged", "receive", "seen"]

_KEPT_HEADERS: Final = ("content-type", "user-agent", "date")
_ID_MAX: Final = 200


@attrs.frozen(kw_only=True, eq=False)
class Received:
    """What a push was taken for; nothing is kept of one that is neither stored nor a duplicate."""

    delivery: m.WebhookDelivery
    stored: bool
    """It is in the inbox, durably, and was not before."""
    duplicate: bool
    """The same delivery is in the inbox since an earlier time."""

    @property
    def taken(self) -> bool:
        """Whether the sender may forget it."""
        return self.stored or self.duplicate


def receive(desk: EventDesk, alias: str, push: RawPush) -> Run[Received]:
    """Judge *push* and, where its sender is proved, store it: durable when this returns."""
    began = yield from now()
    delivery = judged(desk.desk, alias, push)
    taken = delivery.result is m.DeliveryResult.ACCEPTED
    fresh = (yield from call(desk.store.put, (delivery,)))[0] if taken else False
    if taken and not fresh:
        delivery = attrs.evolve(delivery, dedup=m.DedupResult.DUPLICATE)
    elapsed_s = (yield from now()) - began
    for event in seen(desk.desk, delivery, elapsed_s=elapsed_s):
        yield Emit(event=event)
    return Received(delivery=delivery, stored=fresh, duplicate=taken and not fresh)


def seen(desk: Desk, delivery: m.WebhookDelivery, *, elapsed_s: float | None = None) -> Iterator[Observation]:
    """What is counted of a push: whether it was taken, and of whom it was proved to be."""
    account = desk.accounts.get(delivery.account)
    refused = delivery.result is m.DeliveryResult.FAILED
    yield Observation(
        kind="webhook",
        account=delivery.account,
        carrier=delivery.carrier,
        environment=account.state.environment if account is not None else "",
        operation="receive_webhook",
        elapsed_s=elapsed_s,
        error=f"signature_{delivery.signature.value}" if refused else "",
        detail=delivery.dedup.value,
        words=m.FrozenMap(
            {
                "delivery_result": delivery.result.value,
                "signature": delivery.signature.value,
                "trust": delivery.trust.value,
            }
        ),
    )


def judged(desk: Desk, alias: str, push: RawPush) -> m.WebhookDelivery:
    """What *push* to the account *alias* is worth now; closed by default: no secret, no entry.

    ``result`` is ``ACCEPTED`` where its sender is proved, and where the host said that this account's pushes prove
    nothing (`WebhookAuth` with `Unsigned`); else ``FAILED``. Nothing is raised for what a stranger sends.

    Raises:
        InputError: there is no such account.
        NotSupportedError: its carrier does not push, or a package that its scheme needs is not installed.
    """
    account = desk.account(alias)
    received_at = desk.utc_now()
    verdict = _verdict(desk, account, push, received_at)
    return m.WebhookDelivery(
        delivery_id=_delivery_id(verdict, push.body, received_at),
        carrier=account.carrier.code,
        account=alias,
        received_at=received_at,
        headers={name: value for name, value in push.headers.items() if name.lower() in _KEPT_HEADERS},
        body=push.body,
        signature=verdict.signature,
        trust=verdict.trust,
        signature_age_ok=verdict.age_ok,
        dedup=m.DedupResult.FIRST,
        result=m.DeliveryResult.ACCEPTED if verdict.accepted else m.DeliveryResult.FAILED,
    )


def _verdict(desk: Desk, account: Account, push: RawPush, at: datetime) -> Verdict:
    scheme, secrets = _auth(desk, account)
    if len(push.body) > desk.settings.webhook_body_max_bytes:
        return Verdict(signature=m.SignatureResult.INVALID)
    verdict = verify(scheme, push, secrets, now=at, max_age_s=desk.settings.signature_age_s)
    if not verdict.accepted:
        return attrs.evolve(verdict, trust=m.TrustLevel.UNAUTHENTICATED)
    if verdict.signature is not m.SignatureResult.VALID and account.alias not in desk.webhooks:
        return Verdict(signature=m.SignatureResult.ABSENT)  # a host has to say that it takes pushes of anybody
    return verdict


def _auth(desk: Desk, account: Account) -> tuple[Scheme, tuple[str, ...]]:
    """How this account's pushes are proved: as the host says, else as its plugin does."""
    carrier: Carrier = account.carrier
    if not able(carrier, ReadsWebhooks):
        raise NotSupportedError(f"{account.carrier.code} does not push, or its plugin does not read it")
    given = desk.webhooks.get(account.alias)
    if given is None:
        return carrier.webhook_scheme, carrier.webhook_secrets
    return given.scheme or carrier.webhook_scheme, given.secrets or carrier.webhook_secrets


def _delivery_id(verdict: Verdict, body: bytes, at: datetime) -> str:
    """The sender's id where the signature covers it, else a hash of the body.

    A hint says only that there may be news, so the same bytes may mean other news a moment later, when the first was
    asked about already: those of one moment only are one delivery, and how often carriers are asked is bounded where
    hints are processed.
    """
    if verdict.delivery_id:
        given = verdict.delivery_id
        return given if len(given) <= _ID_MAX else sha256(given.encode("utf-8", "surrogatepass")).hexdigest()
    digest = sha256(body)
    if verdict.accepted and verdict.trust is not m.TrustLevel.BODY_SIGNED:
        digest.update(f"|{at.timestamp()}".encode())
    return digest.hexdigest()
