"""Who sent this push: declarative checks on the raw bytes, in constant time, closed by default."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import attrs

from .model import SignatureResult, TrustLevel

__all__ = ["Hmac", "Scheme", "SharedHeader"]


class Scheme(Protocol):
    """How a carrier proves that a push is its own."""

    @property
    def trust(self) -> TrustLevel: ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> SignatureResult: ...


@attrs.frozen(kw_only=True)
class Hmac:
    """The body is signed with a shared secret; several live secrets allow a change without loss."""

    header: str
    prefix: str = ""
    digest: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    normalise: Literal["", "NFKD", "NFKC"] = ""
    trust: TrustLevel = TrustLevel.BODY_SIGNED

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> SignatureResult:
        """Compare the header with what each of *secrets* makes of *body*."""
        given = _header(headers, self.header)
        if given is None:
            return SignatureResult.ABSENT
        matches = [hmac.compare_digest(given, self.signature(body, s).encode()) for s in secrets if s]
        return SignatureResult.VALID if any(matches) else SignatureResult.INVALID

    def signature(self, body: bytes, secret: str) -> str:
        """The header's value for *body* under *secret*."""
        key = unicodedata.normalize(self.normalise, secret) if self.normalise else secret
        made = hmac.new(key.encode(), body, getattr(hashlib, self.digest))
        return self.prefix + (made.hexdigest() if self.encoding == "hex" else base64.b64encode(made.digest()).decode())


@attrs.frozen(kw_only=True)
class SharedHeader:
    """A header repeats a credential that was given at the subscription: it names the sender, not the body."""

    header: str
    trust: TrustLevel = TrustLevel.SENDER_AUTHENTICATED

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> SignatureResult:
        """Compare the header with each of *secrets*."""
        given = _header(headers, self.header)
        if given is None:
            return SignatureResult.ABSENT
        matches = [hmac.compare_digest(given, secret.encode()) for secret in secrets if secret]
        return SignatureResult.VALID if any(matches) else SignatureResult.INVALID


def _header(headers: Mapping[str, str], name: str) -> bytes | None:
    wanted = name.lower()
    # Some servers hand undecodable bytes on as surrogates.
    found = (value.encode("utf-8", "surrogatepass") for key, value in headers.items() if key.lower() == wanted)
    return next(found, None)
