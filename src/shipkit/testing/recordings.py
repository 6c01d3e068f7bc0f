"""Recorded conversations: what a carrier really answered, and whether a request of ours says what a recorded one said.

A recording is a JSON object with ``source`` and ``exchanges``; an exchange has a ``request`` (``method``, ``url``,
``headers``, ``body``) and a ``response`` (``status``, ``headers``, ``body``); a body is ``{}``, ``{"text": …}`` or
``{"base64": …}``. Credentials and persons are masked in it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import attrs

from shipkit.flow import Headers, Request

from .playing import Reply

__all__ = ["Exchange", "Recording", "differences", "is_masked", "playback"]

# What a body says of its own transport is no longer true of the recorded text.
_STALE: Final = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive"})

_MASK: Final = re.compile(
    r"<masked>|<redacted>|masked|redacted|\*{3,}|x{4,}|1zx+|%[A-Z0-9_]+%|\{\{\w+\}\}", re.IGNORECASE
)


@attrs.frozen(kw_only=True)
class Exchange:
    """One request as somebody sent it, and the carrier's reply to it."""

    request: Request
    reply: Reply


@attrs.frozen(kw_only=True)
class Recording:
    """A conversation with a carrier, and where it was recorded."""

    source: str
    exchanges: tuple[Exchange, ...]

    @property
    def replies(self) -> tuple[Reply, ...]:
        """The carrier's side, in order: ``play(flow, *recording.replies)``."""
        return tuple(exchange.reply for exchange in self.exchanges)


def playback(recording: Path | str | Mapping[str, Any]) -> Recording:
    """The recording in a file, or in a value of that form."""
    if isinstance(recording, Mapping):
        document = recording
    else:
        document = cast("Mapping[str, Any]", json.loads(Path(recording).read_text("utf-8")))
    return Recording(
        source=str(document.get("source", "")),
        exchanges=tuple(_exchange(row) for row in document["exchanges"]),
    )


def _exchange(row: Mapping[str, Any]) -> Exchange:
    sent, answered = row["request"], row["response"]
    return Exchange(
        request=Request(
            method=sent["method"],
            url=sent["url"],
            headers=_headers(sent),
            content=_body(sent.get("body") or {}),
            name="recorded",
        ),
        reply=Reply(status=answered["status"], headers=_headers(answered), content=_body(answered.get("body") or {})),
    )


def _headers(message: Mapping[str, Any]) -> Headers:
    return Headers({name: value for name, value in message.get("headers", {}).items() if name.lower() not in _STALE})


def _body(body: Mapping[str, str]) -> bytes:
    return base64.b64decode(body["base64"], validate=True) if "base64" in body else body.get("text", "").encode()


def is_masked(value: object) -> bool:
    """Whether *value* stands in a recording for something that was taken out."""
    return isinstance(value, str) and _MASK.fullmatch(value) is not None


def differences(sent: Request, recorded: Request) -> tuple[str, ...]:
    """Where *sent* says something else than *recorded*, each with its path; masked values match whatever is there.

    Compared are method, address, query, ``SOAPAction`` and the body by its meaning: JSON by structure, XML by elements,
    a form by its fields. Blanks, the order of members and transport headers mean nothing.
    """
    return tuple(_requests(sent, recorded))


def _requests(sent: Request, recorded: Request) -> Iterator[str]:
    if sent.method != recorded.method:
        yield f"method: {sent.method}, recorded {recorded.method}"
    ours, theirs = urlsplit(sent.url), urlsplit(recorded.url)
    if (ours.netloc, ours.path) != (theirs.netloc, theirs.path):
        yield f"address: {ours.netloc}{ours.path}, recorded {theirs.netloc}{theirs.path}"
    yield from _compare(parse_qs(ours.query), parse_qs(theirs.query), "query")
    action, recorded_action = sent.headers.get("SOAPAction", ""), recorded.headers.get("SOAPAction", "")
    if action.strip('"') != recorded_action.strip('"'):
        yield f"SOAPAction: {action}, recorded {recorded_action}"
    yield from _compare(_meaning(sent.content), _meaning(recorded.content), "$")


def _meaning(content: bytes) -> object:
    text = content.strip()
    if not text:
        return None
    if text.startswith(b"<"):
        root = ET.fromstring(text)  # noqa: S314  # a request of our own or a recording, no stranger's document
        return {root.tag: _element(root)}
    if text[:1] in b'{["':
        return json.loads(text)
    return parse_qs(text.decode("utf-8", "replace"), keep_blank_values=True)


def _element(element: ET.Element) -> object:
    children = [{child.tag: _element(child)} for child in element if not _is_nothing(child)]
    return children or (element.text or "").strip()


def _is_nothing(element: ET.Element) -> bool:
    return not len(element) and not (element.text or "").strip()


def _compare(sent: object, recorded: object, path: str) -> Iterator[str]:
    if is_masked(recorded):
        if sent in (None, ""):
            yield f"{path}: nothing, recorded something that is masked"
    elif isinstance(sent, dict) and isinstance(recorded, dict):
        for name in sorted({*sent, *recorded}):
            yield from _compare(sent.get(name), recorded.get(name), f"{path}.{name}")
    elif isinstance(sent, list) and isinstance(recorded, list) and len(sent) == len(recorded):
        for index, (ours, theirs) in enumerate(zip(sent, recorded, strict=True)):
            yield from _compare(ours, theirs, f"{path}[{index}]")
    elif sent != recorded:
        yield f"{path}: {sent!r}, recorded {recorded!r}"
