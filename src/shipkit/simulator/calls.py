"""What a client asked of a simulated carrier, and what the carrier answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import attrs

__all__ = ["BadCallError", "Call", "Headers", "Reply"]


class BadCallError(Exception):
    """The request is not what the operation reads (no JSON, no XML); it becomes the dialect's answer 400."""


class Headers(Mapping[str, str]):
    """Header fields by name, whatever the case; a repeated field keeps its first value."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | tuple[tuple[str, str], ...] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            self._fields.setdefault(name.lower(), value)

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@attrs.frozen(kw_only=True)
class Call:
    """One request as it arrived at the simulated carrier.

    ``params`` holds what the route's template names (``{version}``), ``query`` the last value of each query parameter,
    ``base_url`` the address the client used (for links in answers), ``received_at`` the carrier's own (virtual) time,
    ``operation`` the name of the route that answers.
    """

    method: str
    path: str
    headers: Headers = attrs.field(factory=Headers, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    query_string: str = attrs.field(default="", repr=False)
    base_url: str = "http://127.0.0.1"
    params: Mapping[str, str] = attrs.field(factory=dict)
    operation: str = ""
    id: int = 0
    received_at: datetime = attrs.field(factory=lambda: datetime.now(timezone.utc))

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, numbers with a point as Decimal; an empty body is an empty object.

        Raises:
            BadCallError: it is not JSON.
        """
        if not self.body.strip():
            return {}
        try:
            return json.loads(self.body, parse_float=Decimal)
        except (ValueError, RecursionError) as broken:
            raise BadCallError(f"the body is not JSON: {broken}") from None

    def form(self) -> dict[str, str]:
        """The body as a form (``application/x-www-form-urlencoded``); the last value of each field."""
        return dict(parse_qsl(self.text, keep_blank_values=True))

    def xml(self) -> ET.Element:
        """The body as an XML element, read by the standard library: no external entity is fetched.

        Raises:
            BadCallError: it is not XML, or it declares a document type.
        """
        if b"<!DOCTYPE" in self.body or b"<!ENTITY" in self.body:
            raise BadCallError("the body declares a document type")
        try:
            return ET.fromstring(self.body)  # noqa: S314 - entities were refused above
        except (ET.ParseError, ValueError) as broken:
            raise BadCallError(f"the body is not XML: {broken}") from None

    def soap_operation(self) -> str:
        """Local name of the first element inside the SOAP body; empty where there is none."""
        try:
            envelope = self.xml()
        except BadCallError:
            return ""
        for part in envelope:
            if _local(part.tag) == "Body" and len(part):
                return _local(part[0].tag)
        return ""

    def basic(self) -> tuple[str, str]:
        """User and password of HTTP basic authentication; two empty strings where there is none that can be read."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError:
            return "", ""
        return user, password

    def bearer(self) -> str:
        """The bearer token of the request, or an empty string."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@attrs.frozen(kw_only=True)
class Reply:
    """What the carrier answers. ``Content-Length`` and ``Date`` are the server's business."""

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)

    @classmethod
    def json(cls, payload: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A JSON answer. Decimals and times are written as strings, bytes as base64, as carriers do."""
        return cls.raw(
            json.dumps(payload, default=_to_json, ensure_ascii=False).encode(), "application/json", status, headers
        )

    @classmethod
    def xml(cls, content: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """An XML answer in UTF-8."""
        return cls.raw(_utf8(content), "text/xml; charset=utf-8", status, headers)

    @classmethod
    def text(cls, content: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A plain text answer in UTF-8."""
        return cls.raw(_utf8(content), "text/plain; charset=utf-8", status, headers)

    @classmethod
    def html(cls, content: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """A page, as gateways send them."""
        return cls.raw(_utf8(content), "text/html; charset=utf-8", status, headers)

    @classmethod
    def raw(cls, content: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        """An answer with any content."""
        return cls(status=status, headers={"Content-Type": media_type, **(headers or {})}, body=content)

    def with_headers(self, **headers: str) -> Reply:
        """The same answer with more header fields; ``_`` in a name stands for ``-``."""
        return attrs.evolve(
            self, headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _utf8(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _to_json(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in a simulated answer")
