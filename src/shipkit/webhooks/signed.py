"""What a signature covers and where it stands: the part that every signing scheme has in common."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import attrs

from ..model import SignatureResult, TrustLevel
from .verdicts import ABSENT, INVALID, RawPush, Verdict

__all__ = ["Parts", "Signed", "Told", "texts"]

# No sender is known to come near either; a stranger must not choose how much is computed.
_HEADER_MAX: Final = 8_192
_SIGNATURES_MAX: Final = 16
_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})([.][0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """*values* as a tuple; JSON and TOML have lists."""
    return tuple(values)


@attrs.frozen(kw_only=True)
class Told:
    """What a push claims: these signatures over these bytes, made at this time."""

    signatures: tuple[str, ...]
    content: bytes
    at_s: float | None
    id: str | None


@attrs.frozen(kw_only=True)
class Signed:
    """A signature over the body, or over what is joined with it; made concrete by `Hmac` and `Rsa`."""

    header: str
    """The header with the signature; ``/verify/signature`` names a member of a JSON body instead. So do the others."""
    prefix: str = ""
    """Stands before each signature; what begins otherwise is no signature of this scheme."""
    prefix_optional: bool = False
    separator: str = ""
    """Between several signatures of one header, such as a space; empty: there is one."""
    member: str = ""
    """The name of the signature in a header such as ``t=1700000000,v1=5f…``."""
    encoding: Literal["hex", "base64", "either"] = "hex"
    """Compared as text, as the sender writes it: lower-case hexadecimal, base64 with its padding."""
    signed: tuple[str, ...] = attrs.field(default=("body",), converter=texts)
    """What is signed, in order: ``body``, ``time``, ``id``, or ``/members/of`` a JSON body."""
    joiner: str = "."
    """Between the parts."""
    time_header: str = ""
    time_member: str = ""
    """The name of the time in a header such as ``t=1700000000,v1=5f…``."""
    time_format: Literal["s", "ms", "iso"] = "s"
    """Seconds or milliseconds since 1970, or ISO 8601 with an offset."""
    id_header: str = ""
    # No converter: pyright (1.1.40x) takes a field that has one for no member of a protocol.
    trust: TrustLevel = attrs.field(
        default=attrs.Factory(lambda self: _trust_in(self.signed), takes_self=True),
        validator=attrs.validators.instance_of(TrustLevel),
    )

    def __attrs_post_init__(self) -> None:
        timed = bool(self.time_header or self.time_member)
        if self.trust is TrustLevel.BODY_SIGNED and "body" not in self.signed:
            raise ValueError("a signature that leaves out the body proves the sender at most")
        if timed is not ("time" in self.signed) or bool(self.id_header) is not ("id" in self.signed):
            raise ValueError("a time or an id counts where it is signed, and only there")
        if not self.header or not self.signed or bool(self.time_member) > bool(self.member):
            raise ValueError("a signature has a header, covers something, and shares a header of members by name")
        if unknown := [part for part in self.signed if part not in ("body", "time", "id") and part[:1] != "/"]:
            raise ValueError(f"{unknown[0]!r} is no part of a push")

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Check each signature of *push* against each of *secrets*, then the age of what was signed."""
        parts = Parts(push)
        value = parts.text(self.header)
        if value is None:
            return ABSENT
        told = self._told(parts, value)
        if told is None or not self._proved(told, parts, secrets):
            return INVALID
        age_ok = None if told.at_s is None else abs(now.timestamp() - told.at_s) <= max_age_s
        if age_ok is False:
            return Verdict(signature=SignatureResult.INVALID, age_ok=False)
        return Verdict(signature=SignatureResult.VALID, trust=self.trust, age_ok=age_ok, delivery_id=told.id)

    def _proved(self, told: Told, parts: Parts, secrets: Sequence[str]) -> bool:
        """Whether one of the signatures was made with one of *secrets*."""
        raise NotImplementedError

    def _told(self, parts: Parts, value: str) -> Told | None:
        """What the push claims; None where it is put in no way that this sender uses."""
        if len(value) > _HEADER_MAX or not _plain(value):
            return None
        members = _members(value) if self.member else []
        given = [each for name, each in members if name == self.member] if self.member else [value]
        if self.separator:
            given = [each for text in given for each in text.split(self.separator)]
        signatures = [bare for text in given if (bare := self._bare(text))]
        if not signatures or len(signatures) > _SIGNATURES_MAX:
            return None
        named = {"time": self._time(parts, members), "id": parts.text(self.id_header) if self.id_header else None}
        at_s = _moment(named["time"], self.time_format)
        if "time" in self.signed and at_s is None:
            return None
        content = self._content(parts, named)
        if content is None:
            return None
        return Told(signatures=tuple(signatures), content=content, at_s=at_s, id=named["id"])

    def _bare(self, text: str) -> str:
        if self.prefix and text.startswith(self.prefix):
            return text[len(self.prefix) :]
        return text if self.prefix_optional or not self.prefix else ""

    def _time(self, parts: Parts, members: list[tuple[str, str]]) -> str | None:
        if not self.time_member:
            return parts.text(self.time_header) if self.time_header else None
        times = [each for name, each in members if name == self.time_member]
        return times[0] if len(times) == 1 else None

    def _content(self, parts: Parts, named: dict[str, str | None]) -> bytes | None:
        pieces = []
        for part in self.signed:
            if part == "body":
                pieces.append(parts.push.body)
                continue
            text = named[part] if part in named else parts.text(part)
            if text is None or not text or len(text) > _HEADER_MAX:
                return None
            # Else an id of "7.1" could be read as the id "7" and a time that begins with "1".
            if part == "id" and (not _plain(text) or (self.joiner and self.joiner in text)):
                return None
            pieces.append(text.encode("utf-8", "surrogatepass"))
        return self.joiner.encode().join(pieces)


def _trust_in(signed: tuple[str, ...]) -> TrustLevel:
    return TrustLevel.BODY_SIGNED if "body" in signed else TrustLevel.SENDER_AUTHENTICATED


class Parts:
    """The parts of a push by name, the body read as JSON when one of its members is asked for."""

    def __init__(self, push: RawPush) -> None:
        self.push = push
        self._json: Any = None
        self._read = False

    def text(self, name: str) -> str | None:
        """The header of that name, or the member of the body that a name such as ``/verify/signature`` points to."""
        if not name.startswith("/"):
            lowered = name.lower()
            return next((value for each, value in self.push.headers.items() if each.lower() == lowered), None)
        if not self._read:
            self._json, self._read = _json(self.push.body), True
        found = self._json
        for step in name[1:].split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, str) else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _members(value: str) -> list[tuple[str, str]]:
    pairs = [member.strip().partition("=") for member in value.split(",")]
    return [(name, text) for name, _, text in pairs]


def _moment(text: str | None, form: str) -> float | None:
    """Seconds since 1970, or None for what is no time of that form; a time without an offset is none."""
    if text is None or not _plain(text) or len(text) > 40:
        return None
    if form != "iso":
        if not text.isdigit() or len(text) > 15:
            return None
        return int(text) / (1000 if form == "ms" else 1)
    shape = _ISO.fullmatch(text)
    if shape is None:
        return None
    day, clock, fraction, offset = shape.groups(default="")
    offset = "+00:00" if offset == "Z" else f"{offset[:3]}:{offset[-2:]}"
    try:
        # Written as every Python version reads it.
        found = datetime.fromisoformat(f"{day}T{clock}.{fraction[1:7].ljust(6, '0')}{offset}")
        return found.timestamp()
    except (ValueError, OverflowError):
        return None
