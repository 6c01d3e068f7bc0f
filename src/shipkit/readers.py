"""Reads a carrier's reply into small wire classes: tolerant by a few rules, exact about where it does not fit.

The rules: one element or a list; ``''``, ``{}`` and null as absent; numbers as text and text as numbers; unknown
members ignored; unknown values of an open enum kept raw; base64 strictly. One fast converter reads; only when it fails
does a second, detailed one go over the same data to name the path.
"""

from __future__ import annotations

import binascii
import sys
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, Union, get_args, get_origin

import attrs

from .errors import ReplyError

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:
    from typing_extensions import dataclass_transform

if TYPE_CHECKING:
    from cattrs import Converter

    from .flow import Response

__all__ = ["Reader", "decode_base64", "named", "wire"]

T = TypeVar("T")
_C = TypeVar("_C", bound=type)
_MAGNITUDE_MAX: Final = 100  # 1e999999999 is a dozen bytes, and as a whole number more than this machine can hold
_ABSENT: Final[tuple[Any, ...]] = (None, "", {}, [])


@dataclass_transform(field_specifiers=(attrs.field, attrs.Factory))
def wire(cls: _C) -> _C:
    """A class of a carrier's own words: never compared, never shown, never leaves its module, hence cheap."""
    return attrs.define(eq=False, repr=False)(cls)


def named(name: str, **field: Any) -> Any:
    """A wire field whose name at the carrier is no Python name, such as ``from`` or ``label-url``."""
    return attrs.field(metadata={"name": name}, **field)


def decode_base64(text: object) -> bytes:
    """The bytes of *text*; a foreign character is an error, not skipped.

    Raises:
        ValueError: *text* is no base64.
    """
    if not isinstance(text, str):
        raise ValueError("not base64")
    try:
        return _strictly(text)
    except ValueError:
        try:
            return _strictly("".join(text.split()))  # MIME line breaks are within the standard
        except ValueError:
            raise ValueError("not base64") from None


if sys.version_info >= (3, 11):

    def _strictly(text: str) -> bytes:
        # What b64decode(validate=True) does, without its copy of the text: a label has tens of thousands of letters.
        return binascii.a2b_base64(text, strict_mode=True)

else:

    def _strictly(text: str) -> bytes:
        return b64decode(text, validate=True)


class Reader:
    """One carrier's reader: its hooks, and the converters made from them on first use."""

    def __init__(self) -> None:
        self._hooks: dict[type, Callable[[Any], Any]] = {}
        self._fast: Converter | None = None
        self._shapes: dict[Any, Callable[[Any, Any], Any]] = {}

    def hook(self, shape: type[T]) -> Callable[[Callable[[Any], T]], Callable[[Any], T]]:
        """Read what recurs (the carrier's money, its charge row) once, straight into our value."""

        def register(function: Callable[[Any], T]) -> Callable[[Any], T]:
            self._hooks[shape] = function
            self._fast = None  # a module that is loaded later may bring a hook of its own
            return function

        return register

    def read(self, response: Response, shape: type[T]) -> T:
        """The JSON body of *response* as *shape*.

        Raises:
            ReplyError: it is not JSON or does not fit; ``paths`` and the text say where.
        """
        return self.convert(response.json(), shape, response)

    def convert(self, data: object, shape: type[T], response: Response | None = None) -> T:
        """*data* (parsed JSON, or a SOAP reply as plain values) as *shape*; raises like `read`."""
        structure = self._shapes.get(shape)
        if structure is None:
            if self._fast is None:
                self._fast = _converter(self._hooks, detailed=False)
            structure = self._shapes[shape] = self._fast.get_structure_hook(shape)
        try:
            value: T = structure(data, shape)
        except Exception as error:
            raise self._explained(data, shape, response) from error
        return value

    def _explained(self, data: object, shape: type, response: Response | None) -> ReplyError:
        from cattrs import transform_error

        try:
            _converter(self._hooks, detailed=True).structure(data, shape)
        except Exception as error:
            texts = transform_error(error, format_exception=_describe)
        else:
            texts = ["cannot be read @ $"]
        paths = tuple(text.rpartition(" @ ")[2] for text in texts)
        message = "; ".join(texts[:5])
        return ReplyError.of(response, message=message, paths=paths) if response else ReplyError(message, paths=paths)


def _describe(error: BaseException, kind: type | None) -> str:
    # Never the value: it may be a person's.
    if isinstance(error, KeyError):
        return "required field missing"
    if isinstance(error, (ValueError, TypeError, InvalidOperation, AttributeError)):
        return f"not a {getattr(kind, '__name__', kind)}" if kind is not None else "does not fit"
    return "cannot be read"


def _converter(hooks: Mapping[type, Callable[[Any], Any]], *, detailed: bool) -> Converter:
    from cattrs import Converter

    converter = Converter(detailed_validation=detailed)

    def optional(shape: Any) -> Callable[[Any, Any], Any]:
        inner_type = next(part for part in get_args(shape) if part is not type(None))
        inner = converter.get_structure_hook(inner_type)
        return lambda value, _: None if not value and value in _ABSENT else inner(value, inner_type)

    def several(shape: Any) -> Callable[[Any, Any], Any]:
        item_type = get_args(shape)[0]
        if detailed:
            whole = list[item_type]  # type: ignore[valid-type]
            return lambda value, _: tuple(converter.structure(_listed(value), whole))
        item = converter.get_structure_hook(item_type)
        return lambda value, _: tuple([item(row, item_type) for row in _listed(value)])

    converter.register_structure_hook_factory(
        lambda t: isinstance(t, type) and attrs.has(t), _rows(converter, detailed)
    )
    converter.register_structure_hook_factory(_is_several, several)
    converter.register_structure_hook_factory(_is_optional, optional)
    converter.register_structure_hook_func(_is_enum, lambda value, shape: shape(value))
    for kind, function in _SCALARS.items():
        converter.register_structure_hook(kind, _scalar(kind, function))
    for kind, function in hooks.items():
        converter.register_structure_hook_func(_is_exactly(kind), _ignoring_type(function))
    return converter


def _rows(converter: Converter, detailed: bool) -> Callable[[Any], Callable[[Any, Any], Any]]:
    """What makes the hook of a wire class."""

    def row(shape: Any) -> Callable[[Any, Any], Any]:
        from cattrs.gen import make_dict_structure_fn, override

        attrs.resolve_types(shape)
        renamed: dict[str, Any] = {
            field.name: override(rename=field.metadata["name"])
            for field in attrs.fields(shape)
            if "name" in field.metadata
        }
        read = make_dict_structure_fn(shape, converter, _cattrs_detailed_validation=detailed, **renamed)

        def structure(value: Any, shape: Any) -> Any:
            if not isinstance(value, dict):
                raise TypeError("not an object")
            return read(value, shape)

        return structure

    return row


def _scalar(kind: type, function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def read(value: Any, shape: Any) -> Any:
        # cattrs looks hooks up by class, so the hook of text is asked for an enum of text as well.
        if shape is not kind:
            return shape(function(value))
        return value if value.__class__ is as_it_is else function(value)

    as_it_is = kind if kind in (str, int) else None  # a Decimal has to be finite
    return read


def _ignoring_type(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, _: function(value)


def _is_exactly(kind: type) -> Callable[[Any], bool]:
    return lambda shape: shape is kind


def _is_enum(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, Enum)


def _is_several(shape: Any) -> bool:
    origin: Any = get_origin(shape)
    return origin is tuple and get_args(shape)[1:] == (...,)


def _is_optional(shape: Any) -> bool:
    return get_origin(shape) in (Union, UnionType) and len(get_args(shape)) == 2 and type(None) in get_args(shape)


def _listed(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return value
    return () if value in _ABSENT else (value,)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (dict, list, tuple, bool, bytes)):
        raise TypeError("not text")
    return str(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, (bool, float)) or not isinstance(value, (Decimal, str, int)):
        raise TypeError("not a number")
    number = Decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError("not a finite number")
    return number


def _integer(value: Any) -> int:
    number = _decimal(value)
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise TypeError("neither true nor false")


def _bytes(value: Any) -> bytes:
    # A SOAP reply's base64 is decoded, strictly, where its type is known.
    return value if isinstance(value, bytes) else decode_base64(value)


_SCALARS: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    Decimal: _decimal,
    bool: _truth,
    bytes: _bytes,
}
