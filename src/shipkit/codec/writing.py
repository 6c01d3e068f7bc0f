"""Values to JSON: what stands at its default is left out, Decimals are text, personal fields are masked on request."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any, Final, cast

import attrs

from shipkit.codec.roots import VERSIONS, schema_name
from shipkit.errors import ShipkitError
from shipkit.model import ClosedEnum, FrozenMap, Value
from shipkit.model._fit import shape_of
from shipkit.model._show import mask
from shipkit.model.marks import PERSONAL, Personal
from shipkit.model.scalars import TEXT_NAMES

__all__ = ["Plan", "Profile", "dumps", "to_dict", "to_json"]

Writer = Callable[[Any], Any]


class Profile(Enum):
    """How much of personal data and secrets is written. Only ``FULL`` can be read back."""

    FULL = "full"
    """Everything."""
    MASKED = "masked"
    """For exports: what ``repr`` masks is masked, unknown members are dropped."""
    LOG = "log"
    """For logs and traces: every marked field is masked, unknown members and a carrier's own options are dropped."""
    PUBLISHED = "published"
    """For brokers: of the marked fields only pseudonyms are written, and these whole; no stamp, no unknown members."""


class Plan:
    """How the values of one kind of output are written; one writer per class, made when it is first needed.

    *content* says what becomes of bytes, *number* of a Decimal in a field of ours. A Decimal in free JSON stays one.
    """

    def __init__(self, content: Writer, number: Writer, profile: Profile = Profile.FULL, skip: str = "") -> None:
        self.profile, self.skip = profile, skip
        self.writers: dict[type, Writer] = {
            str: _same,
            int: _same,
            bool: _same,
            type(None): _same,
            Decimal: number,
            bytes: content,
            date: date.isoformat,
            time: time.isoformat,
            datetime: _moment,
            tuple: lambda items: [self.write(item) for item in items],
            list: lambda items: [self.write(item) for item in items],
            frozenset: lambda items: sorted(self.write(item) for item in items),
            FrozenMap: lambda items: {str(key): self.write(item) for key, item in items.items()},
        }

    def write(self, value: Any) -> Any:
        """*value* as plain JSON data."""
        return (self.writers.get(value.__class__) or self.writer(value.__class__))(value)

    def writer(self, cls: type) -> Writer:
        """The writer of a class that has none yet."""
        found = self._made(cls)
        self.writers[cls] = found
        return found

    def _made(self, cls: Any) -> Writer:
        if issubclass(cls, Value):
            return _class_writer(self, cls)
        if issubclass(cls, ClosedEnum):
            return _enum
        if issubclass(cls, ShipkitError):
            from shipkit.codec.failures import writer

            return writer(self)
        for base in (datetime, date, time, Decimal, bytes, str, bool, int, tuple, frozenset):
            if issubclass(cls, base):
                return self.writers[base]
        raise TypeError(f"{cls.__name__} is not part of the model")

    def masking(self, mark: Personal | None) -> str | None:
        """The mask that this profile puts on a field marked with *mark*."""
        if mark is None or self.profile is Profile.FULL or (self.profile is Profile.MASKED and not mark.by_default):
            return None
        if self.profile is Profile.PUBLISHED:
            return None if mark.kind == "pseudonym" else "drop"
        return None if mark.mask == "keep" else mark.mask

    def leaves_out(self, field: Any) -> bool:
        """Whether the field is not written at all."""
        if self.skip and field.metadata.get(self.skip):
            return True
        free_stays = self.profile in (Profile.FULL, Profile.MASKED)
        return self.masking(field.metadata.get(PERSONAL)) == "drop" or (_is_free(field) and not free_stays)


def _same(value: Any) -> Any:
    return value


def _enum(value: Any) -> Any:
    return value._value_


def _moment(value: datetime) -> str:
    text = value.isoformat()
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _number(value: Decimal) -> str:
    return format(value, "f")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _class_writer(plan: Plan, cls: Any) -> Writer:
    """A function that writes the fields of *cls* that are not at their default.

    Its text is generated, as attrs does for ``__init__``: a loop over some twenty fields, nearly all at their default,
    would cost more than the JSON encoder.
    """
    names: dict[str, Any] = {"get": plan.writers.get, "late": plan.writer, "thawed": thawed}
    lines = ["def write(value):", "    out = {}"]
    known = []
    for index, field in enumerate(field for field in attrs.fields(cls) if field.name != "extras"):
        known.append(field.name)
        if plan.leaves_out(field):
            continue
        step, default = _step(plan, field), field.default
        names |= {f"step{index}": step, f"default{index}": default}
        lines.append(f"    item = value.{field.name}")
        if default is None:
            test = "if item is not None: "
        elif default is attrs.NOTHING:
            test = ""
        else:
            test = f"if item is not default{index} and item != default{index}: "
        written = "item" if _is_plain(field) else "(get(item.__class__) or late(item.__class__))(item)"
        lines.append(f"    {test}out[{field.name!r}] = {written if step is None else f'step{index}(item)'}")
    if plan.profile is Profile.FULL:
        names["known"] = frozenset(known)
        lines += [
            "    if value.extras:",
            "        out.update((name, thawed(item)) for name, item in value.extras.items() if name not in known)",
        ]
    lines.append("    return out")
    exec(compile("\n".join(lines), f"<shipkit writer of {cls.__name__}>", "exec"), names)  # noqa: S102
    return cast(Writer, names["write"])


def _is_plain(field: Any) -> bool:
    """Whether what the field holds is JSON as it is."""
    shape = shape_of(field.type)
    return shape.kind == "name" and (shape.name in TEXT_NAMES or shape.name in ("int", "bool"))


def _step(plan: Plan, field: Any) -> Writer | None:
    """How one field is written where its value's class does not say it."""
    rule = plan.masking(field.metadata.get(PERSONAL))
    if rule is not None:
        masked = mask(rule)
        return lambda item: plan.write(masked(item) if masked else item)
    return thawed if _is_free(field) else None


def _is_free(field: Any) -> bool:
    """Whether the field holds JSON that is not ours."""
    shape = shape_of(field.type)
    return any(part.name == "Json" for part in (shape, *shape.args))


def thawed(value: Any) -> Any:
    """Free JSON with lists and dicts again; Decimals stay, `dumps` writes them as numbers."""
    if isinstance(value, dict):
        return {str(key): thawed(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [thawed(item) for item in value]
    return value._value_ if isinstance(value, ClosedEnum) else value


PLANS: Final = {profile: Plan(_base64, _number, profile) for profile in Profile}
"""How each profile writes."""
RAW: Final = Plan(_same, _number)
"""Everything, with bytes as bytes."""


def stamped(value: Any, members: dict[str, Any]) -> dict[str, Any]:
    """*members* with schema and version in front, where *value* is a root document."""
    name = value.__class__.__name__
    if name not in VERSIONS:
        return members
    newer = value.extras.get("v")  # read from a newer version: it is not written under an older number
    version = newer if isinstance(newer, int) and newer > VERSIONS[name] else VERSIONS[name]
    return {"schema": schema_name(value.__class__), "v": version, **members} | {"v": version}


def to_dict(value: Value, *, profile: Profile = Profile.FULL) -> dict[str, Any]:
    """*value* as JSON data: text, int, bool, list and dict, and Decimal where free JSON holds a fraction."""
    members: dict[str, Any] = PLANS[profile].write(value)
    return members if profile is Profile.PUBLISHED else stamped(value, members)


def to_json(value: Value, *, profile: Profile = Profile.FULL) -> bytes:
    """*value* as JSON text in UTF-8; a root document is stamped with its schema and version."""
    return dumps(to_dict(value, profile=profile))


class _Fraction(Exception):  # noqa: N818
    """A Decimal was met, which the fast encoder cannot write as a number."""


def _refuse_fraction(value: Any) -> Any:
    if isinstance(value, Decimal):
        raise _Fraction
    raise TypeError(f"{type(value).__name__} is not JSON")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_refuse_fraction).encode


def dumps(data: Any) -> bytes:
    """JSON data as UTF-8, with every Decimal as a number, digit for digit."""
    try:
        text = _encode(data)
    except _Fraction:
        text = "".join(_pieces(data))
    try:
        return text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair is legal in JSON, as an escape only
        return text.encode("utf-8", "backslashreplace")


def _pieces(data: Any) -> Any:
    if isinstance(data, dict):
        yield "{"
        for index, (key, item) in enumerate(data.items()):
            yield f"{',' if index else ''}{_encode(str(key))}:"
            yield from _pieces(item)
        yield "}"
    elif isinstance(data, (list, tuple)):
        yield "["
        for index, item in enumerate(data):
            if index:
                yield ","
            yield from _pieces(item)
        yield "]"
    else:
        yield str(data) if isinstance(data, Decimal) else _encode(data)
