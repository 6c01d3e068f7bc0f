"""Standard Webhooks 1.0.0: how this side signs what it sends to others, and how they, or we, check it.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from ..errors import InputError
from ..model import Problem, ProblemCode
from .hmacs import Hmac

__all__ = ["STANDARD", "sign"]

_PREFIX: Final = "whsec_"
_BYTES: Final = range(24, 65)

#: Three headers; the signature covers id, time and body. A sender's secret is believed as it is, with prefix or without
#: and of any length; `sign` is strict.
STANDARD: Final = Hmac(
    header="webhook-signature",
    prefix="v1,",
    separator=" ",
    encoding="base64",
    signed=("id", "time", "body"),
    id_header="webhook-id",
    time_header="webhook-timestamp",
    key="base64",
    key_prefix=_PREFIX,
)


def sign(id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:  # noqa: A002
    """The headers for a webhook of ours: *id* stays the same however often it is sent, *at* is the time of sending.

    One signature per secret: while they change, a receiver that knows either believes it.

    Raises:
        InputError: there is no secret, one is not ``whsec_`` and 24 to 64 bytes in base64 (Symmetric Signatures), or
            the id holds a dot or what no header can.
    """
    if not id or "." in id or not id.isascii() or not id.isprintable() or id.strip() != id:
        raise _refused("/id", "an id is of printable ASCII characters without a dot")
    if not secrets:
        raise _refused("/secrets", "without a secret nothing is signed, and nobody could believe it")
    stamp = str(int(at.timestamp()))
    for position, secret in enumerate(secrets):
        if not _is_one(secret):
            raise _refused(f"/secrets/{position}", "a secret is whsec_ and 24 to 64 bytes in base64")
    made = [STANDARD.signature(body, secret, time=stamp, id=id) for secret in secrets]
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": " ".join(made)}


def _is_one(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(_PREFIX) and len(key) in _BYTES


def _refused(path: str, text: str) -> InputError:
    return InputError(problems=(Problem(path=path, code=ProblemCode.MALFORMED, text=text),))
