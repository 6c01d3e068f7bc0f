"""The names of an intent: a fingerprint of what was asked, and the mark that each attempt bears at the carrier."""

from __future__ import annotations

from base64 import b32encode
from hashlib import blake2b, sha256
from typing import Any

from ..codec import canonical

__all__ = ["base_of", "fingerprint", "mark_of"]

# 65 bits in 13 characters, a dash and the attempt: at most 20, the shortest field seen (knowledge: Evri's 20).
_BASE_LENGTH = 13


def base_of(salt: str, key: str, generation: int) -> str:
    """What the marks of one generation begin with: a pure function, so that a lost row derives the same again."""
    digest = blake2b(f"{salt}\0{key}\0{generation}".encode(), digest_size=9).digest()
    return b32encode(digest).decode("ascii")[:_BASE_LENGTH]


def mark_of(base: str, attempt: int) -> str:
    """The identity of one attempt: at most 20 of ``[0-9A-Z-]``, in a field that the carrier can search."""
    return f"{base}-{attempt}"


def fingerprint(operation: str, account: str, request: Any) -> str:
    """What was asked, whoever asks again: defaults omitted, decimals normalised, volatile fields left out."""
    return "f1:" + sha256(f"{operation}\0{account}\0".encode() + canonical(request)).hexdigest()
