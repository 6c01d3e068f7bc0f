"""A push signed with a secret that both sides know."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Final, Literal

import attrs

from ..model import SignatureResult
from .signed import Parts, Signed, Told
from .verdicts import RawPush, shown

__all__ = ["Hmac"]

_LONG_AGO: Final = datetime.fromtimestamp(0, timezone.utc)


@attrs.frozen(kw_only=True)
class Hmac(Signed):
    """The body is signed with a shared secret; several live secrets allow a change without loss."""

    digest: Literal["sha1", "sha256", "sha512"] = "sha256"
    normalise: Literal["", "NFKD", "NFKC"] = ""
    """How the text of the secret is normalised before it becomes the key."""
    key: Literal["text", "base64"] = "text"
    """Whether the secret's text is the key, or its base64."""
    key_prefix: str = ""
    """Stands before the secret as it is shown to people, and is no part of the key."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> SignatureResult:
        """What `judge` says of *headers* and *body* where the scheme signs no time."""
        push = RawPush(headers=headers, body=body)
        return self.judge(push, secrets, now=_LONG_AGO, max_age_s=-1).signature

    def signature(self, body: bytes, secret: str, *, time: str = "", id: str = "") -> str:  # noqa: A002
        """The header's value for *body* under *secret*, with the *time* and the *id* that are signed with it.

        Raises:
            ValueError: the secret is no base64 where it should be, or what is signed lies in the body.
        """
        key, told = self._key(secret), {"time": time.encode(), "id": id.encode(), "body": body}
        if key is None or set(self.signed) - set(told):
            raise ValueError("nothing can be signed with that")
        made = self._texts(key, self.joiner.encode().join(told[part] for part in self.signed))[0].decode()
        if not self.member:
            return self.prefix + made
        stamp = f"{self.time_member}={time}," if self.time_member else ""
        return f"{stamp}{self.member}={self.prefix}{made}"

    def has_key(self, secret: str) -> bool:
        """Whether *secret* is one that something can be signed with."""
        return any(self._keys([secret]))

    def _proved(self, told: Told, parts: Parts, secrets: Sequence[str]) -> bool:
        found = False
        for key in self._keys(secrets):
            wanted = self._texts(key, told.content)
            for given in told.signatures:
                found |= shown(given.encode(), wanted)
        return found

    def _keys(self, secrets: Sequence[str]) -> Iterator[bytes]:
        keys = (self._key(secret) for secret in secrets)
        return (key for key in keys if key is not None and key.strip())

    def _key(self, secret: str) -> bytes | None:
        text = unicodedata.normalize(self.normalise, secret) if self.normalise else secret
        text = text.removeprefix(self.key_prefix)
        try:
            return base64.b64decode(text, validate=True) if self.key == "base64" else text.encode()
        except ValueError:
            return None

    def _texts(self, key: bytes, content: bytes) -> tuple[bytes, ...]:
        made = hmac.new(key, content, getattr(hashlib, self.digest))
        forms = {"hex": made.hexdigest().encode(), "base64": base64.b64encode(made.digest())}
        return tuple(forms.values()) if self.encoding == "either" else (forms[self.encoding],)
