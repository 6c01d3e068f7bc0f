"""JSON to values: tolerant of members it does not know, strict about the ones it does, all problems in one error.

One pass. A reader returns the value; where something is wrong it goes on, to find the rest, and raises at the end what
it found, with as much of the value as could be read. So the good case pays nothing for the paths of the bad one.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any, NoReturn, TypeVar, cast

import attrs

from shipkit.codec.roots import VERSIONS, schema_name, upgraded
from shipkit.errors import InputError, ShipkitError
from shipkit.model import ClosedEnum, FrozenMap, OpenEnum, Problem, Value
from shipkit.model._fit import Shape, resolve, shape_of
from shipkit.model.scalars import EMPTY, TEXT_NAMES, decimal

__all__ = ["draft_from_dict", "from_dict", "from_json", "loads"]

V = TypeVar("V", bound=Value)
Reader = Callable[[Any], Any]
Finding = tuple[tuple[Any, ...], str, str]
"""Where, which rule, and what to say."""

_DEEP = 64  # levels; the deepest document of ours has some fifteen


class _Unreadable(Exception):  # noqa: N818
    """What is wrong with a value, and what of it could be read."""

    def __init__(self, findings: list[Finding], partial: Any = None) -> None:
        self.findings, self.partial = findings, partial


class _JsonNumber(Decimal):
    """A number with a fraction that stood in JSON without quotes: fine in free JSON, refused where we want text."""

    __slots__ = ()


def _bad(code: str, text: str, *, partial: Any = None) -> NoReturn:
    raise _Unreadable([((), code, text)], partial)


def from_json(data: bytes | str, cls: type[V]) -> V:
    """Read a value of *cls* from JSON text; unknown members are kept in ``extras``, at every level.

    Raises:
        InputError: it cannot be read; names the path and the rule of every problem.
    """
    return from_dict(loads(data), cls)


def loads(data: bytes | str) -> Any:
    """JSON text as plain data, with fractions as exact numbers.

    Raises:
        InputError: it is not JSON.
    """
    try:
        return json.loads(data, parse_float=_JsonNumber, parse_constant=_no_constant)
    except RecursionError:
        finding = "is nested too deeply"
    except ValueError as error:  # json.JSONDecodeError quotes nothing of the text
        finding = f"is not JSON: {error}" if isinstance(error, json.JSONDecodeError) else "cannot be read as JSON"
    raise InputError(problems=(Problem(path="", code="malformed", text=finding),))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def from_dict(data: Any, cls: type[V]) -> V:
    """Read a value of *cls* from JSON data, see `from_json`.

    Raises:
        InputError: it cannot be read; names the path and the rule of every problem.
    """
    try:
        return cast(V, _read_root(data, cls))
    except _Unreadable as bad:
        raise InputError(problems=_problems(bad.findings)) from None


def draft_from_dict(data: Any, cls: type[V]) -> tuple[V, tuple[Problem, ...]]:
    """As much of *cls* as *data* gives, and what is wrong with the rest.

    Where there are problems the value is a draft for checks that shall name everything in one go: a field that could
    not be read is None, whatever its type says, and no constructor has looked at the whole.
    """
    try:
        return cast(V, _read_root(data, cls)), ()
    except _Unreadable as bad:
        draft = bad.partial if isinstance(bad.partial, cls) else _draft(cls, {})
        return cast(V, draft), _problems(bad.findings)


def _problems(findings: Iterable[Finding]) -> tuple[Problem, ...]:
    return tuple(Problem(path=pointer(path), code=code, text=text) for path, code, text in findings)


def pointer(path: Iterable[Any]) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _read_root(data: Any, cls: type[Value]) -> Any:
    name = cls.__name__
    try:
        if name not in VERSIONS or not isinstance(data, dict) or "schema" not in data:
            return _class_reader(cls)(data)
        members = {key: item for key, item in data.items() if key not in ("schema", "v")}
        version = data.get("v", VERSIONS[name])
        if data["schema"] != schema_name(cls):
            raise _Unreadable([(("schema",), "inconsistent", f"the document is not a {schema_name(cls)}")])
        if version.__class__ is not int or version < 1:
            raise _Unreadable([(("v",), "malformed", "must be a whole number from 1")])
        if version < VERSIONS[name]:
            members = upgraded(name, version, members)
        elif version > VERSIONS[name]:
            members["v"] = version  # kept among the extras, so that it is not written again under an older number
        return _class_reader(cls)(members)
    except RecursionError:
        _bad("malformed", "is nested too deeply")


_READERS: dict[type, Reader] = {}


def _class_reader(cls: Any) -> Reader:
    reader = _READERS.get(cls)
    if reader is None:
        reader = _READERS[cls] = _SPECIAL[cls.__name__](cls) if cls.__name__ in _SPECIAL else _fields_reader(cls)
    return reader


def _fields_reader(cls: Any, other: Mapping[str, Shape] = EMPTY) -> Reader:
    """A function that reads the members of *cls* and builds it; *other* has shapes that differ from the annotations."""
    fields = {field.name: field for field in attrs.fields(cls) if field.name != "extras"}
    shapes = {name: shape_of(field.type) for name, field in fields.items()} | dict(other)
    required = frozenset(name for name, field in fields.items() if field.default is attrs.NOTHING)
    readers: dict[str, Reader] = {}
    is_measure = "unit" in fields

    def read(data: Any) -> Any:
        if data.__class__ is not dict:
            _refuse_form(cls, data)
        given: dict[str, Any] = {}
        unknown: dict[str, Any] = {}
        findings: list[Finding] | None = None
        for name, item in data.items():
            reader = readers.get(name)
            if reader is None:
                if name not in shapes:
                    unknown[name] = item
                    continue
                reader = readers[name] = reader_of(shapes[name])
            if item is not None:
                try:
                    given[name] = reader(item)
                except _Unreadable as bad:
                    findings = _collected(findings, name, bad)
                    given[name] = bad.partial
        if unknown:
            given["extras"] = _kept(unknown)
        if findings is None and required <= given.keys():
            try:
                return cls(**given)
            except InputError as error:
                raise _Unreadable(_as_findings(error), _draft(cls, given)) from None
        findings = findings or []
        findings += [((name,), *_missing(cls, name)) for name in fields if name in required and name not in given]
        draft = _draft(cls, given)
        if is_measure and given.get("value") is not None:
            findings += _number_findings(draft)
        raise _Unreadable(findings, draft)

    return read


def _collected(findings: list[Finding] | None, name: Any, bad: _Unreadable) -> list[Finding]:
    more: list[Finding] = [((name, *path), code, text) for path, code, text in bad.findings]
    return more if findings is None else findings + more


def _missing(cls: Any, name: str) -> tuple[str, str]:
    if name == "unit":
        return "unit_missing", "a number without a unit says nothing: give the unit"
    return "missing", "must be given"


def _number_findings(measure: Any) -> list[Finding]:
    """What the class says of the number of a measure whose unit could not be read."""
    try:
        measure._whole()
    except InputError as error:
        return _as_findings(error)
    return []


def _as_findings(error: InputError) -> list[Finding]:
    return [(tuple(p.path.split("/")[1:]), str(p.code), p.text) for p in error.problems]


def _refuse_form(cls: Any, data: Any) -> NoReturn:
    if "unit" in attrs.fields_dict(cls) and isinstance(data, (int, str, Decimal, float)):
        try:
            findings = _number_findings(_draft(cls, {"value": _read_decimal(data)}))
        except _Unreadable:  # how a number is written, the text below shows
            findings = []
        said = 'a number without a unit says nothing: write {"value": "1.5", "unit": …}'
        raise _Unreadable([*(((), code, text) for _, code, text in findings), ((), "unit_missing", said)])
    _bad("malformed", f"must be an object, not {_word(data)}")


def _word(data: Any) -> str:
    """What a piece of JSON is called, without saying what it holds."""
    for kind, word in _WORDS:
        if isinstance(data, kind):
            return word
    return type(data).__name__


_WORDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "true or false"),
    (str, "text"),
    (int, "a number"),
    (float, "a number"),
    (Decimal, "a number"),
    (list, "a list"),
    (tuple, "a list"),
    (dict, "an object"),
)


def _draft(cls: Any, given: dict[str, Any]) -> Any:
    draft = object.__new__(cls)
    for field in attrs.fields(cls):
        default = None if field.default is attrs.NOTHING else field.default
        item = given.get(field.name, default)
        object.__setattr__(draft, field.name, EMPTY if field.name == "extras" and item is None else item)
    return draft


def _kept(unknown: dict[str, Any]) -> FrozenMap[str, Any]:
    return FrozenMap({name: free(item) for name, item in unknown.items()})


def free(item: Any, depth: int = 0) -> Any:
    """Free JSON as the model keeps it: tuples, maps, exact numbers."""
    if item.__class__ in (str, int, bool) or item is None:
        return item
    if depth > _DEEP:
        raise RecursionError
    if isinstance(item, dict):
        return FrozenMap({str(key): free(part, depth + 1) for key, part in item.items()})
    if isinstance(item, (list, tuple)):
        return tuple(free(part, depth + 1) for part in item)
    if isinstance(item, _JsonNumber):
        return Decimal(item)
    if isinstance(item, float):  # the shortest text that means this float is what stood in the JSON
        return _read_decimal(repr(item))
    return item


def reader_of(shape: Shape) -> Reader:
    if shape.kind == "name":
        return _name_reader(shape.name)
    if shape.kind == "union":
        return _union_reader(tuple(reader_of(part) for part in shape.args))
    if shape.kind == "map":
        return _map_reader(reader_of(shape.args[0]), reader_of(shape.args[1]))
    return _many_reader(reader_of(shape.args[0]), tuple if shape.kind == "tuple" else frozenset)


def _many_reader(one: Reader, build: Callable[[Iterable[Any]], Any]) -> Reader:
    def read(data: Any) -> Any:
        if data.__class__ is not list and not isinstance(data, (list, tuple)):
            _bad("malformed", f"must be a list, not {_word(data)}", partial=build(()))
        try:
            return build([one(item) for item in data])
        except _Unreadable:
            pass
        findings: list[Finding] = []
        items: list[Any] = []
        for index, item in enumerate(data):
            try:
                items.append(one(item))
            except _Unreadable as bad:
                findings = _collected(findings, index, bad)
                items.append(bad.partial)
        raise _Unreadable(findings, build(items) if build is tuple else build(i for i in items if i is not None))

    return read


def _map_reader(key: Reader, one: Reader) -> Reader:
    def read(data: Any) -> Any:
        if not isinstance(data, dict):
            _bad("malformed", f"must be an object, not {_word(data)}", partial=EMPTY)
        findings: list[Finding] = []
        items: dict[Any, Any] = {}
        for name, item in data.items():
            try:
                items[key(name)] = one(item)
            except _Unreadable as bad:
                findings = _collected(findings, name, bad)
        if findings:
            raise _Unreadable(findings, FrozenMap(items))
        return FrozenMap(items)

    return read


def _union_reader(readers: tuple[Reader, ...]) -> Reader:
    """The first form that can be read; where none can, what is wrong with the form that was missed by least."""

    def read(data: Any) -> Any:
        closest: _Unreadable | None = None
        for reader in readers:
            try:
                return reader(data)
            except _Unreadable as bad:
                if closest is None or len(bad.findings) < len(closest.findings):
                    closest = bad
        raise cast(_Unreadable, closest)

    return read


def _name_reader(name: str) -> Reader:
    if name in TEXT_NAMES:
        return _read_text
    if name in _SCALARS:
        return _SCALARS[name]
    found = resolve(name)
    if isinstance(found, Shape):
        return reader_of(found)
    if issubclass(found, ClosedEnum):
        return _enum_reader(found)
    if issubclass(found, ShipkitError):
        from shipkit.codec.failures import read_error

        return read_error
    return _class_reader(found)


def _enum_reader(cls: type[ClosedEnum]) -> Reader:
    known = {str(member): member for member in cls}

    def read(data: Any) -> Any:
        if data.__class__ is not str:
            _bad("malformed", f"must be text, not {_word(data)}")
        member = known.get(data)
        if member is not None:
            return member
        if issubclass(cls, OpenEnum):
            return cls(data)
        _bad("unknown_value", f"is not one of {', '.join(known)}")

    return read


def _read_text(data: Any) -> str:
    if data.__class__ is str:
        return data
    if isinstance(data, str):
        return str(data)
    _bad("malformed", f"must be text, not {_word(data)}")


def _read_int(data: Any) -> int:
    if isinstance(data, int) and not isinstance(data, bool):
        return data
    if isinstance(data, (float, Decimal)):
        _bad("malformed", "must be a whole number")
    _bad("malformed", f"must be a whole number, not {_word(data)}")


def _read_bool(data: Any) -> bool:
    if isinstance(data, bool):
        return data
    _bad("malformed", f"must be true or false, not {_word(data)}")


def _read_bytes(data: Any) -> bytes:
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str):
        _bad("malformed", f"must be base64 text, not {_word(data)}")
    try:
        return b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        _bad("malformed", "is not base64")


def _read_decimal(data: Any) -> Decimal:
    if isinstance(data, (float, _JsonNumber)):
        _bad("float_refused", 'a fraction is exact only as text: write "1.5" with quotes')
    if isinstance(data, (str, int, Decimal)) and not isinstance(data, bool):
        number = decimal(data)
        if isinstance(number, Decimal):
            return number
        _bad("malformed", "is not a finite decimal number")
    _bad("malformed", f"must be a number as text, not {_word(data)}")


def _read_date(data: Any) -> date:
    if isinstance(data, str) and len(data) == 10 and data[7] == "-":
        try:
            return date.fromisoformat(data)
        except ValueError:
            pass
    _bad("malformed", "must be a date such as 2026-03-31")


def _read_time(data: Any) -> time:
    if isinstance(data, str) and data[2:3] == ":":
        try:
            found = time.fromisoformat(data)
        except ValueError:
            pass
        else:
            if found.tzinfo is None:
                return found
    _bad("malformed", "must be a time of day such as 17:30")


def _instant(data: Any) -> datetime | None:
    if not isinstance(data, str) or data[10:11] != "T":
        return None
    try:
        return datetime.fromisoformat(data[:-1] + "+00:00" if data.endswith("Z") else data)
    except ValueError:
        return None


def _read_moment(data: Any) -> datetime:
    found = _instant(data)
    if found is None or found.tzinfo is None:
        _bad("malformed", "must be a moment with its offset, such as 2026-03-31T17:30:00Z")
    try:
        return found if found.tzinfo is timezone.utc else found.astimezone(timezone.utc)
    except OverflowError:
        _bad("out_of_range", "lies outside the calendar")


def _read_local(data: Any) -> datetime:
    found = _instant(data)
    if found is None or found.tzinfo is not None:
        _bad("malformed", "must be a date and time as printed, such as 2026-03-31T17:30:00")
    return found


_SCALARS: dict[str, Reader] = {
    "int": _read_int,
    "bool": _read_bool,
    "bytes": _read_bytes,
    "Decimal": _read_decimal,
    "date": _read_date,
    "time": _read_time,
    "datetime": _read_moment,
    "LocalDateTime": _read_local,
    "Json": free,
    "T": free,
}


def _option_reader(cls: Any) -> Reader:
    """An option's value has the type that belongs to its code, so the code chooses the reader."""
    from shipkit.model.shipments import OPTION_TYPES

    any_code = _fields_reader(cls)
    by_code = {str(c): _fields_reader(cls, {"value": shape_of(name)}) for c, name in OPTION_TYPES.items() if name}

    def read(data: Any) -> Any:
        code = data.get("code") if isinstance(data, dict) else None
        return (by_code.get(code, any_code) if isinstance(code, str) else any_code)(data)

    return read


_SPECIAL: dict[str, Callable[[Any], Reader]] = {"Option": _option_reader}
