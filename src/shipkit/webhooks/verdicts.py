"""A push as it came over the wire, and what a check of its sender found."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from ..model import SignatureResult, TrustLevel
from ..model.scalars import EMPTY

__all__ = ["RawPush", "Scheme", "Verdict", "verify"]


@attrs.frozen(kw_only=True, repr=False)
class RawPush:
    """A push before anybody believes it: the exact bytes, and what came with them."""

    headers: Mapping[str, str] = EMPTY
    """Names in any case."""
    body: bytes = b""
    query: str = ""
    """What stands behind the ``?`` of the address, undecoded."""
    remote: str = ""
    """The address of whoever connected, as far as the host can vouch for it."""


@attrs.frozen(kw_only=True)
class Verdict:
    """What a scheme found out about a push."""

    signature: SignatureResult
    """``VALID`` says that somebody showed a secret or signed with a key; ``NOT_SUPPORTED`` that this sender proves
    nothing, and the push was let in as a hint."""
    trust: TrustLevel = TrustLevel.UNAUTHENTICATED
    age_ok: bool | None = None
    """Whether the signed time lies near enough; None where the scheme signs no time, or the signature is wrong."""
    delivery_id: str | None = None
    """The sender's id of this delivery, where the signature covers it: an id that anybody could exchange is none."""

    @property
    def accepted(self) -> bool:
        """Whether the push is let in; what it is worth then says ``trust``."""
        return self.signature in (SignatureResult.VALID, SignatureResult.NOT_SUPPORTED)


ABSENT = Verdict(signature=SignatureResult.ABSENT)
INVALID = Verdict(signature=SignatureResult.INVALID)


class Scheme(Protocol):
    """How a carrier proves that a push is its own."""

    @property
    def trust(self) -> TrustLevel:
        """The most that a push can be worth under this scheme."""
        ...

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Check *push* against each live secret; nothing that a stranger sends makes it raise."""
        ...


def verify(scheme: Scheme, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
    """What *push* is worth at *now*: closed by default, every secret and every signature is looked at.

    *secrets* are the live ones, old and new while they change; for `Rsa` they are certificates, public keys or key
    sets. *max_age_s* bounds how far a signed time may lie in the past and in the future (`Settings.signature_age_s`).

    Raises:
        NotSupportedError: the scheme needs a package that is not installed.
    """
    return scheme.judge(push, secrets, now=now, max_age_s=max_age_s)


def shown(given: bytes, wanted: Iterable[bytes]) -> bool:
    """Whether *given* is one of *wanted*; how long it takes tells neither which one nor how much of it was right."""
    found = False
    for each in wanted:
        found |= hmac.compare_digest(given, each)
    return found
