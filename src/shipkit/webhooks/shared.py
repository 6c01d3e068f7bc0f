"""Pushes that show a secret instead of signing with it, and pushes that show none."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Final
from urllib.parse import parse_qsl

import attrs

from ..model import SignatureResult, TrustLevel
from .signed import Parts, texts
from .verdicts import ABSENT, INVALID, RawPush, Verdict, shown

__all__ = ["Basic", "QueryToken", "SharedHeader", "SourceAddress", "Unsigned"]

_LONG_AGO: Final = datetime.fromtimestamp(0, timezone.utc)
_HINT: Final = Verdict(signature=SignatureResult.NOT_SUPPORTED)


def _sender_at_most(_: object, __: object, trust: TrustLevel) -> None:
    if not isinstance(trust, TrustLevel):
        raise TypeError("trust is a TrustLevel")
    if trust is TrustLevel.BODY_SIGNED:
        raise ValueError("a secret that is only shown proves the sender at most")


def _judged(given: str, wanted: Iterable[bytes], trust: TrustLevel) -> Verdict:
    # Some servers hand undecodable bytes on as surrogates.
    if shown(given.encode("utf-8", "surrogatepass"), wanted):
        return Verdict(signature=SignatureResult.VALID, trust=trust)
    return INVALID


def _are_networks(_: object, __: object, networks: tuple[str, ...]) -> None:
    for network in networks:
        ipaddress.ip_network(network)


@attrs.frozen(kw_only=True)
class SharedHeader:
    """A header repeats a credential that was given at the subscription: it names the sender, not the body."""

    header: str
    prefix: str = ""
    """Stands before the credential, such as ``Bearer`` and a space."""
    trust: TrustLevel = attrs.field(default=TrustLevel.SENDER_AUTHENTICATED, validator=_sender_at_most)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> SignatureResult:
        """What `judge` says of *headers*."""
        return self.judge(RawPush(headers=headers, body=body), secrets, now=_LONG_AGO, max_age_s=0).signature

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Compare the header with each of *secrets*."""
        given = Parts(push).text(self.header)
        if given is None:
            return ABSENT
        return _judged(given, (_bytes(self.prefix + secret) for secret in _live(secrets)), self.trust)


@attrs.frozen(kw_only=True)
class Basic:
    """HTTP basic authentication; a secret is ``user:password``."""

    trust: TrustLevel = attrs.field(default=TrustLevel.SENDER_AUTHENTICATED, validator=_sender_at_most)

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Compare the ``Authorization`` header with each of *secrets*."""
        given = Parts(push).text("authorization")
        if given is None:
            return ABSENT
        word, _, credentials = given.partition(" ")
        if word.lower() != "basic":
            return INVALID
        known = (secret for secret in _live(secrets) if secret.partition(":")[2])
        return _judged(credentials.strip(), (base64.b64encode(_bytes(secret)) for secret in known), self.trust)


@attrs.frozen(kw_only=True)
class QueryToken:
    """The address that was given to the carrier holds a secret as a parameter."""

    parameter: str = "token"
    trust: TrustLevel = attrs.field(default=TrustLevel.SENDER_AUTHENTICATED, validator=_sender_at_most)

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Compare the parameter with each of *secrets*."""
        try:
            pairs = parse_qsl(push.query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            return INVALID
        given = [value for name, value in pairs if name == self.parameter]
        if len(given) != 1:
            return INVALID if given else ABSENT
        return _judged(given[0], (_bytes(secret) for secret in _live(secrets)), self.trust)


@attrs.frozen(kw_only=True)
class SourceAddress:
    """The sender connects from a published range and proves nothing else: what it says is a hint."""

    networks: tuple[str, ...] = attrs.field(converter=texts, validator=_are_networks)

    @property
    def trust(self) -> TrustLevel:
        """An address can be borrowed, and a gateway may hide it."""
        return TrustLevel.UNAUTHENTICATED

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Let a push from one of the networks in, as a hint."""
        if not push.remote:
            return ABSENT
        try:
            address = ipaddress.ip_address(push.remote)
        except ValueError:
            return INVALID
        mapped = getattr(address, "ipv4_mapped", None) or address
        return _HINT if any(mapped in ipaddress.ip_network(network) for network in self.networks) else INVALID


@attrs.frozen(kw_only=True)
class Unsigned:
    """The sender proves nothing: whatever comes is let in as a hint, and the carrier is asked."""

    @property
    def trust(self) -> TrustLevel:
        """The lowest."""
        return TrustLevel.UNAUTHENTICATED

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Let every push in."""
        return _HINT


def _live(secrets: Sequence[str]) -> list[str]:
    return [secret for secret in secrets if secret.strip()]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
