"""What an account at a carrier is made of, as data: for a host that asks people for it in a form of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

import attrs

from ..carrier import Carrier
from ..model import Environment

__all__ = ["AccountField", "account_fields"]

_KINDS: Final = {
    "str": "text",
    "int": "whole",
    "float": "number",
    "Decimal": "number",
    "bool": "flag",
    "Environment": "choice",
}
_CLAUSE: Final = re.compile(r"(?<=[.;])\s+")


@attrs.frozen(kw_only=True)
class AccountField:
    """One thing that a carrier wants to know of an account."""

    name: str
    """As it stands in a configuration, such as ``client_id``."""
    kind: str
    """``text``, ``whole``, ``number``, ``flag``, ``choice``, or ``texts``: several, with commas between them."""
    required: bool = False
    secret: bool = False
    default: str = ""
    """As a text; empty where there is none, or where it follows from the other fields."""
    choices: tuple[str, ...] = ()
    """What it is one of; empty where anything goes."""
    help: str = ""
    """What the plugin's author says of it; empty where nothing is said."""

    @property
    def label(self) -> str:
        """The name for people."""
        return self.name.replace("_", " ").capitalize()


def account_fields(carrier: type[Carrier]) -> tuple[AccountField, ...]:
    """What an account at *carrier* is made of: what only this carrier asks for first, what every account has after it.

    The choices of ``environment`` are those that the carrier has.
    """
    common = {field.name for field in attrs.fields(Carrier)}
    fields = [field for field in attrs.fields(carrier) if field.init]
    return tuple(_field(carrier, field) for field in sorted(fields, key=lambda field: field.name in common))


def _field(carrier: type[Carrier], field: attrs.Attribute[Any]) -> AccountField:
    declared: Any = field.type
    annotation = declared if isinstance(declared, str) else getattr(declared, "__name__", str(declared))
    hosts = carrier.facts().hosts if annotation == "Environment" else {}
    return AccountField(
        name=field.name,
        kind="texts" if annotation.startswith("tuple[") else _KINDS.get(annotation, "text"),
        required=field.default is attrs.NOTHING,
        secret=bool(field.metadata.get("secret")),
        default=_text(field.default),
        choices=tuple(str(each) for each in Environment if each in hosts),
        help=str(field.metadata.get("help", "")) or " ".join(_told(carrier, field.name)),
    )


def _text(default: Any) -> str:
    """*default* as a configuration would have it."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a function to attrs' stubs, a class to Python
        if default.takes_self:
            return ""
        default = default.factory()
    if default is attrs.NOTHING or default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    return ",".join(default) if isinstance(default, tuple) else str(default)


def _told(carrier: type[Carrier], name: str) -> Iterator[str]:
    """The clauses about *name* in what the class says of itself, or in what every carrier says."""
    for cls in (carrier, Carrier):
        text = " ".join((cls.__doc__ or "").split())
        clauses = [clause for clause in _CLAUSE.split(text) if f"``{name}``" in clause]
        if clauses:
            yield from (clause.replace("``", "") for clause in clauses)
            return
