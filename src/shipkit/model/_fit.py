"""How a value's fields are checked: annotations read as shapes, and values fitted into them.

Annotations are text, and are looked up only when a value that is not None needs it: so a room does not load the rooms
that its fields speak of.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timezone
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, NoReturn, cast

import attrs

from shipkit.model import scalars

UTC = timezone.utc
_OFTEN = 32  # to settle this many costs as much as to write a constructor
_MANY = 64


class Shape(NamedTuple):
    """One annotation: a name, or a tuple, set, map or union of others."""

    kind: str
    """name, tuple, set, map or union."""
    name: str = ""
    args: tuple[Shape, ...] = ()
    optional: bool = False


class Misfit(Exception):  # noqa: N818
    """A value that does not fit its shape."""

    def __init__(self, path: str, code: str, text: str) -> None:
        self.path, self.code, self.text = path, code, text


@cache
def shape_of(annotation: str) -> Shape:
    """The shape that an annotation of the model describes."""
    return _shape(ast.parse(annotation, mode="eval").body)


def _shape(node: ast.expr) -> Shape:
    if isinstance(node, ast.Name):
        return Shape("name", node.id)
    if isinstance(node, ast.BinOp):
        parts = [part for part in _parts(node) if not isinstance(part, ast.Constant)]
        optional = len(parts) < len(_parts(node))
        shapes = tuple(_shape(part) for part in parts)
        return shapes[0]._replace(optional=optional) if len(shapes) == 1 else Shape("union", "", shapes, optional)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        kind = {"tuple": "tuple", "frozenset": "set", "Mapping": "map"}.get(node.value.id)
        if kind is None:  # a generic value of ours
            return Shape("name", node.value.id)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return Shape(kind, "", tuple(_shape(part) for part in inner if not isinstance(part, ast.Constant)))
    raise TypeError(f"annotation of an unknown form: {ast.unparse(node)}")


def _parts(node: ast.expr) -> list[ast.expr]:
    return [*_parts(node.left), *_parts(node.right)] if isinstance(node, ast.BinOp) else [node]


@cache
def resolve(name: str) -> Any:
    """The class, or the union shape, of a name of the model."""
    if name == "ShipkitError":
        from shipkit.errors import ShipkitError

        return ShipkitError
    import shipkit.model as model

    found = getattr(model, name)
    return shape_of(found) if isinstance(found, str) else found


class Plan:
    """What is known of one class: the shapes of its fields, and for each the types that were found to fit."""

    __slots__ = (
        "bare", "built", "copy", "deep", "get", "hashed", "items", "moments", "names", "places", "puts", "ruled",
        "seen", "shapes",
    )  # fmt: skip

    def __init__(self, cls: Any, *, ruled: bool) -> None:
        fields = attrs.fields(cls)
        self.names = tuple(field.name for field in fields)
        self.shapes = tuple(shape_of(field.type) for field in fields)
        self.get: Any = attrgetter(*self.names)
        self.hashed: Any = attrgetter(*[field.name for field in fields if field.hash is not False])
        self.places = {name: place for place, name in enumerate(self.names)}
        self.puts = tuple(getattr(cls, name).__set__ for name in self.names)
        self.seen = tuple(set[type]() for _ in fields)
        # What types alone do not show: items, and zones of times.
        self.items = {i: set[type]() for i, shape in enumerate(self.shapes) if shape.kind in ("tuple", "set")}
        self.moments = frozenset(i for i, shape in enumerate(self.shapes) if shape.name == "datetime")
        self.bare = frozenset(i for i, shape in enumerate(self.shapes) if _is_bare(shape))
        self.deep = self.moments | self.bare | self.items.keys()
        self.ruled = ruled
        """The class has a rule between its fields."""
        self.built = 0
        self.copy: Callable[[Any], Any] | None = None

    def settle(self, value: Any) -> None:
        """Fit every field, put converted ones in place, and remember the types that needed no conversion."""
        misfits = []
        for place, (name, shape) in enumerate(zip(self.names, self.shapes, strict=True)):
            item = getattr(value, name)
            try:
                fitted = fit(shape, item, f"/{name}")
            except Misfit as misfit:
                misfits.append(misfit)
                continue
            if fitted is not item:
                self.puts[place](value, fitted)
            elif item is not None:
                self._remember(place, item)
        if misfits:
            _refuse_all(type(value).__name__, misfits)
        self.built += 1
        if self.built == _OFTEN:
            from shipkit.model._build import build  # what is built a few times only need not pay for it

            build(type(value), self)

    def _remember(self, place: int, item: Any) -> None:
        self.seen[place].add(type(item))
        items = self.items.get(place)
        if items is not None:
            items.update(map(type, item))
        if len(self.seen[place]) > _MANY:  # a host that makes classes as it goes
            self.seen[place].clear()

    def changed(self, value: Any, changes: Mapping[str, Any]) -> Any:
        """A copy of *value* with other fields, of which only those are looked at: the rest was checked before."""
        if self.copy is None or self.ruled:
            return attrs.evolve(value, **changes)
        made = self.copy(value)
        try:
            for name, item in changes.items():
                place = self.places[name]
                if type(item) not in self.seen[place] or place in self.deep:
                    item = fit(self.shapes[place], item, f"/{name}")
                self.puts[place](made, item)
        except KeyError as error:
            raise TypeError(f"{type(value).__name__} has no field {error}") from None
        except Misfit as misfit:
            _refuse_all(type(value).__name__, [misfit])
        return made


def _is_bare(shape: Shape) -> bool:
    return shape.name in ("LocalDateTime", "time") or any(map(_is_bare, shape.args))


PLANS: dict[type, Plan] = {}


def _refuse_all(owner: str, misfits: list[Misfit]) -> NoReturn:
    from shipkit.errors import InputError
    from shipkit.model.messages import Problem, ProblemCode

    raise InputError(
        problems=tuple(Problem(path=m.path, code=ProblemCode(m.code), text=f"{owner}: {m.text}") for m in misfits)
    )


def fitted_value(annotation: str, value: Any, path: str, owner: str) -> Any:
    """*value* as the annotation wants it.

    Raises:
        InputError: it does not fit.
    """
    try:
        return fit(shape_of(annotation), value, path)
    except Misfit as misfit:
        _refuse_all(owner, [misfit])


def fit(shape: Shape, value: Any, path: str) -> Any:
    """*value* as *shape* wants it, the same object where it fits already.

    Raises:
        Misfit: it cannot be made to fit without guessing.
    """
    if value is None:
        if shape.optional or shape.name in ("Json", "T"):
            return None
        raise Misfit(path, "missing", "must be given")
    if shape.kind == "name":
        return _fit_name(shape.name, value, path)
    if shape.kind == "union":
        return _fit_union(shape.args, value, path)
    if shape.kind == "map":
        return _fit_map(shape, value, path)
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        raise Misfit(path, "malformed", f"must be a {shape.kind}, not {type(value).__name__}")
    given = value if isinstance(value, (tuple, frozenset)) else tuple(value)
    fitted = [fit(shape.args[0], item, f"{path}/{index}") for index, item in enumerate(given)]
    want = tuple if shape.kind == "tuple" else frozenset
    if given.__class__ is want and all(a is b for a, b in zip(fitted, given, strict=True)):
        return given
    return want(fitted)


def _fit_union(args: tuple[Shape, ...], value: Any, path: str) -> Any:
    """A form that fits as it is wins over one that would have to convert: text is text before it is an enum."""
    refused: Misfit | None = None
    converted: list[Any] = []
    for shape in args:
        try:
            fitted = fit(shape, value, path)
        except Misfit as misfit:
            refused = misfit if refused is None or misfit.code == "float_refused" else refused
            continue
        if fitted is value:
            return value
        converted.append(fitted)
    if converted:
        return converted[0]
    raise cast(Misfit, refused)


def _fit_map(shape: Shape, value: Any, path: str) -> Any:
    if not isinstance(value, Mapping):
        raise Misfit(path, "malformed", f"must be a map, not {type(value).__name__}")
    key, item = shape.args
    try:
        fitted = {fit(key, k, path): _frozen(fit(item, v, f"{path}/{k}"), f"{path}/{k}") for k, v in value.items()}
    except RecursionError:
        raise Misfit(path, "malformed", "is nested too deeply") from None
    if value.__class__ is scalars.FrozenMap and all(fitted[k] is v for k, v in value.items() if k in fitted):
        return value
    return scalars.FrozenMap(fitted)


def _frozen(value: Any, path: str) -> Any:
    if isinstance(value, float):
        raise Misfit(path, "float_refused", "a float is not exact; give a Decimal or text")
    if isinstance(value, Mapping):
        return scalars.FrozenMap({k: _frozen(v, f"{path}/{k}") for k, v in value.items()})
    if value.__class__ in (list, tuple):
        return tuple(_frozen(item, f"{path}/{i}") for i, item in enumerate(value))
    return value


def _fit_name(name: str, value: Any, path: str) -> Any:
    if name in scalars.TEXT_NAMES:
        if isinstance(value, str):
            return value if value.__class__ is str else str.__str__(value)
        raise Misfit(path, "malformed", f"must be text, not {type(value).__name__}")
    if name in _SCALARS:
        return _SCALARS[name](value, path)
    cls = resolve(name)
    if isinstance(cls, Shape):
        return fit(cls, value, path)
    if isinstance(value, cls):
        return value
    if issubclass(cls, scalars.ClosedEnum) and isinstance(value, str):
        try:
            return cls(str(value))
        except ValueError:
            raise Misfit(path, "unknown_value", f"is not one of {', '.join(cls)}") from None
    raise Misfit(path, "malformed", f"must be a {name}, not {type(value).__name__}")


def _fit_decimal(value: Any, path: str) -> Decimal:
    if isinstance(value, float):
        raise Misfit(path, "float_refused", "a float is not exact; give a Decimal or text")
    number = scalars.decimal(value)
    if isinstance(number, Decimal):
        return number
    raise Misfit(path, "malformed", "must be a finite decimal number")


def _fit_plain(wanted: type, word: str, unwanted: type | tuple[type, ...]) -> Any:
    def fitted(value: Any, path: str) -> Any:
        if isinstance(value, wanted) and not isinstance(value, unwanted):
            return value
        raise Misfit(path, "malformed", f"must be {word}, not {type(value).__name__}")

    return fitted


def _fit_bytes(value: Any, path: str) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return value if isinstance(value, bytes) else bytes(value)
    raise Misfit(path, "malformed", f"must be bytes, not {type(value).__name__}")


def _fit_moment(value: Any, path: str) -> datetime:
    if not isinstance(value, datetime):
        raise Misfit(path, "malformed", f"must be a datetime, not {type(value).__name__}")
    if value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise Misfit(path, "malformed", "has no zone: give an aware datetime")
    return value.astimezone(UTC)


def _fit_local(value: Any, path: str) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is None:
        return value
    raise Misfit(path, "malformed", "must be a datetime as printed, without a zone")


def _fit_time(value: Any, path: str) -> time:
    if isinstance(value, time) and value.tzinfo is None:
        return value
    raise Misfit(path, "malformed", "must be a local time of day, without a zone")


_SCALARS: dict[str, Any] = {
    "int": _fit_plain(int, "a whole number", bool),
    "bool": _fit_plain(bool, "true or false", ()),
    "bytes": _fit_bytes,
    "Decimal": _fit_decimal,
    "date": _fit_plain(date, "a date", datetime),
    "time": _fit_time,
    "datetime": _fit_moment,
    "LocalDateTime": _fit_local,
    "Json": _frozen,
    "T": lambda value, path: value,
}
