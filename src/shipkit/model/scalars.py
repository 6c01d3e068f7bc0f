"""What the rooms of the model share: names for text, immutable maps, enums, exact numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import Self

__all__ = [
    "EMPTY",
    "AccountAlias",
    "CarrierCode",
    "ClosedEnum",
    "CountryCode",
    "CurrencyCode",
    "FrozenMap",
    "Gtin",
    "HsCode",
    "Json",
    "JsonPointer",
    "LanguageTag",
    "LocalDateTime",
    "OpenEnum",
    "ScriptCode",
    "Sscc",
    "UnNumber",
    "UnitCode",
    "Url",
    "TEXT_NAMES",
    "ZoneName",
    "decimal",
    "freeze",
    "optional_decimal",
    "refuse",
]

K = TypeVar("K")
V = TypeVar("V")

LocalDateTime: TypeAlias = datetime
"""A date and a time exactly as printed, without a zone."""
Json: TypeAlias = Any
"""Any JSON value; lists are tuples, objects are maps, numbers are int or Decimal."""
CountryCode: TypeAlias = str
"""ISO 3166-1 alpha-2, upper case; codes that only carriers use (XK, IC, AN) are made in a plugin."""
CurrencyCode: TypeAlias = str
"""ISO 4217 alpha-3, upper case."""
LanguageTag: TypeAlias = str
"""BCP 47."""
ScriptCode: TypeAlias = str
"""ISO 15924, such as Latn or Cyrl."""
ZoneName: TypeAlias = str
"""A zone of the IANA database."""
UnitCode: TypeAlias = str
"""UN/ECE Recommendation 20."""
Url: TypeAlias = str
"""An absolute http or https address."""
JsonPointer: TypeAlias = str
"""A path of RFC 6901 into the canonical JSON, such as ``/packages/0/weight``."""
Sscc: TypeAlias = str
"""18 digits, the last a GS1 check digit."""
Gtin: TypeAlias = str
"""8, 12, 13 or 14 digits, the last a GS1 check digit."""
HsCode: TypeAlias = str
"""6 to 10 digits of the Harmonized System."""
UnNumber: TypeAlias = str
"""UN or ID and four digits."""
CarrierCode: TypeAlias = str
"""The code of a plugin, lower snake case: the name of its entry point."""
AccountAlias: TypeAlias = str
"""The alias under which the host configured a carrier."""

TEXT_NAMES = frozenset({"str", *(name for name, alias in list(globals().items()) if alias is str)})
"""The names above that stand for text."""


def refuse(path: str, code: str, text: str) -> NoReturn:
    """Raise `InputError` with one problem; *text* never quotes the value."""
    from shipkit.errors import InputError
    from shipkit.model.messages import Problem, ProblemCode

    raise InputError(problems=(Problem(path=path, code=ProblemCode(code), text=text),))


class FrozenMap(dict[K, V]):
    """An immutable map: hashable, picklable, encoded as a JSON object; what it holds is frozen with it."""

    __slots__ = ()

    def __init__(self, source: Mapping[K, V] | Iterable[tuple[K, V]] = ()) -> None:
        super().__init__((key, freeze(value)) for key, value in dict(source).items())

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMap, (dict(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __repr__(self) -> str:
        return f"FrozenMap({dict(self)!r})"

    def _immutable(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a FrozenMap does not change; build another one")

    _refused: Any = _immutable
    __setitem__ = __delitem__ = __ior__ = _refused
    clear = pop = popitem = setdefault = update = _refused


def freeze(value: Any) -> Any:
    """*value* with every list as a tuple and every dict as a `FrozenMap`, all the way down.

    Raises:
        InputError: a float is in it, or a key that is not text.
    """
    if isinstance(value, float):
        refuse("", "float_refused", "a float is not exact; give a Decimal or text")
    if isinstance(value, dict) and value.__class__ is not FrozenMap:
        return FrozenMap(value)
    if value.__class__ is list or value.__class__ is tuple:
        return tuple(freeze(item) for item in value)
    return value


EMPTY: FrozenMap[Any, Any] = FrozenMap()
"""The empty map that all values share."""


class ClosedEnum(str, Enum):
    """An enum of ours: a value that is not listed is refused. Members are text and print as their JSON value."""

    def __str__(self) -> str:
        return cast(str, self._value_)

    def __format__(self, spec: str) -> str:
        return format(cast(str, self._value_), spec)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"

    __hash__ = str.__hash__  # equal to its text, so hashed like it

    @property
    def known(self) -> bool:
        """Whether this version of the model lists the value."""
        return True


class OpenEnum(ClosedEnum):
    """An enum that grows: a value this version does not list is kept raw, as a member that is not ``known``."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = str(value)
        return member

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}" if self.known else f"{type(self).__name__}({self._value_!r})"

    def __reduce_ex__(self, proto: object) -> tuple[Any, ...]:
        # By value: CPython 3.11 up to 3.11.2 pickles a member by its name, and an unknown one has none in its class.
        return type(self), (self._value_,)

    @property
    def known(self) -> bool:
        return self._value_ in type(self)._value2member_map_


_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\s*", re.ASCII)
_SCALE = 64  # nothing that is shipped, paid or measured needs more digits, and text of 10^999999 fills a memory


def decimal(value: Decimal | int | str) -> Decimal:
    """Convert to a finite Decimal; what cannot be one passes through and is refused by the field's check."""
    if isinstance(value, Decimal):
        if value.is_finite() and -_SCALE <= value.adjusted() <= _SCALE:
            return value
        number = value
    elif isinstance(value, str) and not isinstance(value, Enum):
        if not _NUMBER.fullmatch(value):
            return cast(Decimal, value)
        number = Decimal(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = Decimal(value)
    else:
        return cast(Decimal, value)
    if number.is_finite() and -_SCALE <= number.adjusted() <= _SCALE:
        return number
    return cast(Decimal, str(number))


def optional_decimal(value: Decimal | int | str | None) -> Decimal | None:
    """Convert as `decimal` does, and keep None."""
    return None if value is None else decimal(value)
