"""Values of a configuration: literal, from the environment or from a file, and of the type that a field wants."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from ..model import Environment, ProblemCode
from .findings import Findings

__all__ = ["Resolver", "Unusable", "fitted"]

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_SECRET_MAX: Final = 65_536


class Unusable(Exception):  # noqa: N818 - says what the value must be; never leaves the room
    """The value is not of the type that its field has."""


@attrs.define
class Resolver:
    """Finds what ``{env = "X"}`` and ``{file = "/path"}`` stand for; a relative path lies beside the configuration."""

    environ: Mapping[str, str]
    folder: Path
    findings: Findings

    def resolved(self, value: Any, where: tuple[str | int, ...]) -> tuple[Any, bool]:
        """The value, and whether every text in it stands literally in the file; None where it cannot be had."""
        if isinstance(value, list):
            pairs = [self.resolved(item, (*where, index)) for index, item in enumerate(value)]
            return [item for item, _ in pairs], all(literal for _, literal in pairs)
        if not isinstance(value, dict):
            return value, True
        if set(value) == {"env"} and isinstance(value["env"], str):
            return self._variable(value["env"], where), False
        if set(value) == {"file"} and isinstance(value["file"], str):
            return self._content(value["file"], where), False
        text = 'must be a value, {env = "NAME"} or {file = "PATH"}'
        self.findings.add(where, ProblemCode.MALFORMED, text)
        return None, False

    def _variable(self, name: str, where: tuple[str | int, ...]) -> str | None:
        if name not in self.environ:
            self.findings.add(where, ProblemCode.MISSING, f"the environment variable {name} is not set")
        return self.environ.get(name)

    def _content(self, name: str, where: tuple[str | int, ...]) -> str | None:
        path = self.folder / Path(name).expanduser()
        try:
            with path.open("rb") as file:
                return file.read(_SECRET_MAX).decode("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.findings.add(where, ProblemCode.MISSING, f"the file {path} cannot be read: {reason}")
            return None


def fitted(value: Any, annotation: Any, *, text: bool = False) -> Any:
    """*value* as a field with *annotation* takes it; *text* says that it came from an environment variable.

    Raises:
        Unusable: it does not fit; the message says what is wanted and never what was given.
    """
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    if name.startswith("tuple["):
        items = value.split(",") if text else [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise Unusable("must be a list of texts")
        return tuple(item.strip() if text else item for item in items)
    return _FITTERS[name](value, text) if name in _FITTERS else value


def _text(value: Any, text: bool) -> str:
    if not isinstance(value, str):
        raise Unusable("must be text, in quotes")
    return value


def _whole(value: Any, text: bool) -> int:
    number = str(value).strip()
    if isinstance(value, (bool, float)) or not number.lstrip("+-").isdecimal():
        raise Unusable("must be a whole number")
    return int(number)


def _number(value: Any, text: bool) -> float:
    try:
        if isinstance(value, bool) or (isinstance(value, str) and not text):
            raise ValueError
        number = float(value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError
    except (TypeError, ValueError):
        raise Unusable("must be a number") from None
    return number


def _exact(value: Any, text: bool) -> Decimal:
    try:
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise ValueError
        return Decimal(str(value))
    except (ArithmeticError, ValueError):
        raise Unusable("must be a number, in quotes") from None


def _flag(value: Any, text: bool) -> bool:
    if isinstance(value, bool):
        return value
    if text and str(value).lower() in _TRUE + _FALSE:
        return str(value).lower() in _TRUE
    raise Unusable("must be true or false")


def _environment(value: Any, text: bool) -> Environment:
    names = [str(member) for member in Environment]
    if value not in names:
        raise Unusable(f"must be one of {', '.join(names)}")
    return Environment(value)


_FITTERS: Final = {
    "str": _text,
    "int": _whole,
    "float": _number,
    "Decimal": _exact,
    "bool": _flag,
    "Environment": _environment,
}
