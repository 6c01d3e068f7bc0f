"""Whether a text can be a secret of a scheme: with one that cannot every push is refused, and nobody knows why."""

from __future__ import annotations

from .combining import AllOf, AnyOf
from .hmacs import Hmac
from .rsa import Rsa, has_key
from .shared import Basic
from .verdicts import Scheme

__all__ = ["why_unusable"]


def why_unusable(scheme: Scheme, secret: str) -> str:
    """What *secret* lacks to be one of *scheme*, in words that quote nothing of it; empty where it may be one.

    Raises:
        NotSupportedError: the scheme needs a package that is not installed.
    """
    if isinstance(scheme, (AnyOf, AllOf)):
        name, mark, rest = secret.partition("=")
        if not mark or name not in scheme.schemes:
            return f"must begin with the name of its scheme and =: {', '.join(scheme.schemes)}"
        return why_unusable(scheme.schemes[name], rest)
    if not secret.strip():
        return "is empty"
    if isinstance(scheme, Hmac) and not scheme.has_key(secret):
        return f"must be base64{f' behind {scheme.key_prefix}' if scheme.key_prefix else ''}"
    if isinstance(scheme, Basic) and not secret.partition(":")[2]:
        return "must be user:password"
    if isinstance(scheme, Rsa) and not has_key(secret):
        return "must hold an RSA key of 2048 bits or more: a certificate, a public key (PEM) or a key set (JSON)"
    return ""
