"""A push signed with a private key, checked with a certificate, a public key or a published set of keys."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from ..errors import NotSupportedError
from .signed import Parts, Signed, Told

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

__all__ = ["Rsa", "has_key", "key_ids"]

_PEM: Final = re.compile(r"-----BEGIN [A-Z ]{1,40}-----[^-]{1,20000}-----END [A-Z ]{1,40}-----", re.ASCII)
_BITS_MIN: Final = 2048
_KEYS_MAX: Final = 32


@attrs.frozen(kw_only=True)
class Rsa(Signed):
    """The body is signed with RSA (PKCS#1 v1.5) and SHA-256.

    What takes the place of a secret is public: certificates or public keys (PEM), or a JSON Web Key Set as it is
    published. A certificate is taken as the key it holds: its dates and its issuer are not looked at. A set is fetched
    by ``shipkit serve`` or by a host's `KeySets`, never while a push is judged: ``jwks_url`` says from where.
    """

    encoding: Literal["hex", "base64", "either"] = "base64"
    key_header: str = ""
    """Names the key of a set by its id. A push with an id that the set does not hold is invalid; a certificate or a
    public key has no id, and is tried whatever the push says."""
    jwks_url: str = ""

    def _proved(self, told: Told, parts: Parts, secrets: Sequence[str]) -> bool:
        key_id = parts.text(self.key_header) if self.key_header else None
        keys = [
            key
            for text in secrets
            if text.strip()
            for named, key in _keys_of(text)
            if named is None or not self.key_header or named == key_id
        ]
        signatures = [decoded for text in told.signatures for decoded in self._decoded(text)]
        return any(_made_by(key, each, told.content) for key in keys[:_KEYS_MAX] for each in signatures)

    def _decoded(self, text: str) -> Iterator[bytes]:
        # Written again and compared: else there were several ways to write one signature.
        if self.encoding != "base64":
            try:
                made = binascii.unhexlify(text)
            except ValueError:
                made = b""
            if made.hex() == text:
                yield made
        if self.encoding != "hex":
            try:
                made = base64.b64decode(text, validate=True)
            except ValueError:
                return
            if base64.b64encode(made).decode() == text:
                yield made


def _made_by(key: RSAPublicKey, signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, content, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def has_key(text: str) -> bool:
    """Whether there is a key in *text* that can be used.

    Raises:
        NotSupportedError: cryptography is not installed.
    """
    return bool(_keys_of(text))


def key_ids(text: str) -> frozenset[str]:
    """The ids of the keys of a set that can be used; none where *text* is no such set.

    Raises:
        NotSupportedError: cryptography is not installed.
    """
    return frozenset(named for named, _ in _keys_of(text) if named is not None) if text else frozenset()


@lru_cache(maxsize=16)  # public keys; reading one costs more than checking a signature
def _keys_of(text: str) -> tuple[tuple[str | None, RSAPublicKey], ...]:
    """The keys that *text* holds, each with its id; none where it cannot be read, or is too short to be believed."""
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    except ImportError:
        raise NotSupportedError("RSA signatures are checked by cryptography: install shipkit-sdk[rsa]") from None
    found = _of_set(text) if text.lstrip().startswith("{") else [(None, _of_pem(each)) for each in _PEM.findall(text)]
    return tuple((named, key) for named, key in found if isinstance(key, RSAPublicKey) and key.key_size >= _BITS_MIN)


def _of_pem(text: str) -> object:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        pem = text.encode("ascii")
        return load_pem_x509_certificate(pem).public_key() if b"CERTIFICATE" in pem else load_pem_public_key(pem)
    except Exception:  # what the package raises for bad input differs between its releases
        return None


def _of_set(text: str) -> list[tuple[str | None, object]]:
    try:
        rows: Any = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    # A key without an id is found by no id.
    rows = rows if isinstance(rows, list) else []
    return [(str(row.get("kid", "")), _of_row(row)) for row in rows if isinstance(row, dict)]


def _of_row(row: Mapping[str, Any]) -> object:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    if row.get("kty") != "RSA" or row.get("use", "sig") != "sig" or row.get("alg", "RS256") != "RS256":
        return None
    try:
        return RSAPublicNumbers(_number(row["e"]), _number(row["n"])).public_key()
    except Exception:  # as above
        return None


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
