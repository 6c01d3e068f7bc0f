"""What a webhook endpoint answers: addresses, bounds and verdicts, one text for an ASGI server and a host's controller.

Nothing here waits or reads a clock. A stranger learns a status and its usual name, and no more.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, unquote

import attrs

__all__ = [
    "PREFIX",
    "Addresses",
    "Answer",
    "Limits",
    "accepted",
    "before_body",
    "phrase",
    "problem",
    "webhook_path",
]

PREFIX: Final = "/webhooks/"
_TOKEN_BYTES: Final = 24
_PROBLEM: Final = "application/problem+json"
_NO_STORE: Final = ("cache-control", "no-store")


@attrs.frozen
class Answer:
    """The answer to one HTTP request: what a host's controller gives back, and what `shipkit.service` sends."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case; the length of the body is left to the server."""
    body: bytes = b""


@attrs.frozen(kw_only=True)
class Limits:
    """How large a push may be."""

    body_max_bytes: int = 1_000_000
    headers_max: int = 100
    headers_max_bytes: int = 32_768


def phrase(status: int) -> str:
    """The phrase of an HTTP status in RFC 9110; Python's own before 3.13 are those of its predecessor."""
    return "Content Too Large" if status == 413 else HTTPStatus(status).phrase


def _problem(status: int, *headers: tuple[str, str]) -> Answer:
    # RFC 9457, section 4.2.1: with "about:blank" the title is the status's own phrase, and there is nothing to add.
    document = {"type": "about:blank", "title": phrase(status), "status": status}
    body = json.dumps(document, separators=(",", ":")).encode()
    return Answer(status, (("content-type", _PROBLEM), _NO_STORE, *headers), body)


_PROBLEMS: Final = {status: _problem(status) for status in (400, 401, 404, 408, 413, 415, 429, 431, 500, 503)}
_METHODS: Final = _problem(405, ("allow", "GET, POST"))
_READS: Final = _problem(405, ("allow", "GET"))
_ACCEPTED: Final = Answer(200, (_NO_STORE,))


def problem(status: int, *, retry_after_s: int | None = None, reads: bool = False) -> Answer:
    """A refusal after RFC 9457: type, title and status. *reads*: where only GET is allowed."""
    if status == 405:
        return _READS if reads else _METHODS
    if retry_after_s is not None:
        return _problem(status, ("retry-after", str(max(1, retry_after_s))))
    return _PROBLEMS.get(status) or _problem(status)


def accepted() -> Answer:
    """It is on the disk, now or since an earlier time; also what a carrier reads that checks the address by GET.

    200 and not 204: some carriers' guides ask for that very number, and none was found that refuses it.
    """
    return _ACCEPTED


def _token(secret: bytes, alias: str) -> str:
    digest = hmac.digest(secret, alias.encode("utf-8", "surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


def webhook_path(secret: str, alias: str) -> str:
    """The path that an account's carrier pushes to, made of the store's secret: it is told to nobody else."""
    return f"{PREFIX}{quote(alias, safe='')}/{_token(secret.encode(), alias)}"


class Addresses:
    """Finds whose a path is. The work is the same for a wrong token, an unknown account, and none at all.

    All whole paths stand in one dictionary. A path that is not among them is compared with none of them, but by a hash
    that is keyed anew in each process (PEP 456): how long it takes tells nothing of how much of a path was right.
    """

    def __init__(self, secret: str, aliases: Iterable[str]) -> None:
        self._aliases = {unquote(webhook_path(secret, alias)): alias for alias in aliases}

    def alias(self, path: str) -> str | None:
        """The account that *path* (percent-decoded) belongs to; None for a stranger's."""
        return self._aliases.get(path)


def before_body(method: str, headers: Mapping[str, str], limits: Limits) -> Answer | None:
    """What is answered before a byte of the body is read, on an account's own path; None: read it.

    *headers* has its names in lower case.
    """
    if method == "GET":
        return _ACCEPTED
    if method != "POST":
        return _METHODS
    if len(headers) > limits.headers_max:
        return _PROBLEMS[431]
    if sum(map(len, headers)) + sum(map(len, headers.values())) > limits.headers_max_bytes:
        return _PROBLEMS[431]
    # Signatures are made of the bytes as sent, and no carrier was seen to compress them: nothing is unpacked here.
    if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
        return _PROBLEMS[415]
    length = headers.get("content-length", "")
    if length and not (length.isascii() and length.isdigit() and len(length) < 20):
        return _PROBLEMS[400]
    if length and int(length) > limits.body_max_bytes:
        return _PROBLEMS[413]
    return None
