"""JSON Schema (2020-12) of the root documents, and the check that a change of it breaks nobody.

``python -m shipkit.codec.schema docs/schema`` writes one file per root document; with ``--check`` it writes nothing and
fails where the committed files differ, and says which differences an older reader or writer would not survive.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from shipkit import model
from shipkit.codec.roots import VERSIONS, schema_name, upcasters
from shipkit.codec.writing import PLANS, Profile, to_dict
from shipkit.errors import ShipkitError
from shipkit.model import ClosedEnum, OpenEnum, Value
from shipkit.model._fit import Shape, resolve, shape_of
from shipkit.model.marks import PERSONAL
from shipkit.model.scalars import TEXT_NAMES

__all__ = ["breaks", "differences", "export", "main", "object_schema", "run", "schemas"]

_SCALARS: Final[dict[str, dict[str, Any]]] = {
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "Decimal": {"type": "string", "pattern": r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "pattern": r"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?$"},
    "datetime": {"type": "string", "format": "date-time"},
    "LocalDateTime": {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+$"},
    "Json": {},
    "T": {},
}
_ERROR: Final = {
    "type": "object",
    "description": "An error: its class, its stable code, and the attributes that are set.",
    "properties": {"type": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["type", "code"],
    "additionalProperties": True,
}


class _Definitions(dict[str, dict[str, Any]]):
    """The definitions that a schema refers to, by type, and the profile in which its documents are written."""

    def __init__(self, profile: Profile = Profile.FULL) -> None:
        super().__init__()
        self.plan = PLANS[profile]


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of every root document, by file name."""
    return {f"{schema_name(_class(name)).removeprefix('shipkit/')}.json": _root(name) for name in VERSIONS}


def _class(name: str) -> Any:
    return getattr(model, name)


def _root(name: str) -> dict[str, Any]:
    cls = _class(name)
    found = _Definitions()
    body = _object(cls, found)
    stamp = {
        "schema": {"const": schema_name(cls)},
        "v": {"type": "integer", "minimum": 1, "x-current": VERSIONS[name]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": schema_name(cls),
        **body,
        "properties": {**stamp, **body["properties"]},
        "$defs": {key: found[key] for key in sorted(found)},
    }


def object_schema(cls: type[Value], profile: Profile = Profile.FULL) -> dict[str, Any]:
    """The schema of a value of *cls* as *profile* writes it, without a stamp."""
    found = _Definitions(profile)
    return {**_object(cls, found), "$defs": {key: found[key] for key in sorted(found)}}


def _object(cls: Any, found: _Definitions) -> dict[str, Any]:
    properties, required = {}, []
    for field in attrs.fields(cls):
        if field.name == "extras" or (found.plan.profile is Profile.PUBLISHED and found.plan.leaves_out(field)):
            continue
        properties[field.name] = _property(field, found)
        if field.default is attrs.NOTHING:
            required.append(field.name)
    return {
        "type": "object",
        "description": re.sub(r"\s+", " ", (cls.__doc__ or "").strip().split("\n\n")[0]),
        "properties": properties,
        "required": required,
        "additionalProperties": True,
    }


def _property(field: Any, found: _Definitions) -> dict[str, Any]:
    schema = dict(_schema(shape_of(field.type), found))
    mark = field.metadata.get(PERSONAL)
    if mark is not None:
        schema["x-personal"] = mark.sensitivity
    if field.default not in (None, attrs.NOTHING):
        schema["default"] = _plain(field.default)
    return schema


def _plain(default: Any) -> Any:
    if isinstance(default, ClosedEnum):
        return str(default)
    if isinstance(default, Value):
        return to_dict(default)
    if isinstance(default, (tuple, frozenset)):
        return [_plain(item) for item in default]
    return str(default) if isinstance(default, Decimal) else dict(default) if isinstance(default, Mapping) else default


def _schema(shape: Shape, found: _Definitions) -> dict[str, Any]:
    if shape.kind == "union":
        return {"anyOf": [_schema(part, found) for part in shape.args]}
    if shape.kind == "map":
        return {"type": "object", "additionalProperties": _schema(shape.args[1], found) or True}
    if shape.kind in ("tuple", "set"):
        items = {"type": "array", "items": _schema(shape.args[0], found)}
        return items if shape.kind == "tuple" else {**items, "uniqueItems": True}
    if shape.name in TEXT_NAMES:
        return {"type": "string"}
    if shape.name in _SCALARS:
        return _SCALARS[shape.name]
    cls = resolve(shape.name)
    if isinstance(cls, Shape):
        return _schema(cls, found)
    if issubclass(cls, ClosedEnum):
        values = [str(member) for member in cls]
        return {"type": "string", "x-known-values": values} if issubclass(cls, OpenEnum) else {"enum": values}
    if shape.name not in found:
        found[shape.name] = {}  # a type may hold itself
        found[shape.name] = _ERROR if issubclass(cls, ShipkitError) else _object(cls, found)
    return {"$ref": f"#/$defs/{shape.name}"}


_WORDS: Final = frozenset({"description", "title", "$schema", "x-known-values", "x-personal", "x-current"})
"""Members that bind nobody."""


def breaks(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """What of *old* an older reader or writer would miss in *new*: removed, renamed, another type, newly required.

    Both are schemas of one document. Nothing breaks where the version was raised and an upcaster leads up to it.
    """
    before, after = (_version(schema) for schema in (old, new))
    name = "".join(part.capitalize() for part in str(old.get("title", "")).removeprefix("shipkit/").split("-"))
    if after > before and all((name, step) in upcasters for step in range(before, after)):
        return ()
    return tuple(_breaks(old, new, ""))


def _version(schema: Mapping[str, Any]) -> int:
    return int(schema["properties"].get("v", {}).get("x-current", 1))


def _breaks(old: Any, new: Any, path: str) -> Iterator[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield f"{path}: {json.dumps(old)} became {json.dumps(new)}"
        return
    for key in [*old, *(key for key in new if key not in old)]:
        if key in _WORDS:
            continue
        yield from _breaks_of(key, old.get(key), new.get(key), path)


def _breaks_of(key: str, old: Any, new: Any, path: str) -> Iterator[str]:
    here = f"{path}/{key}"
    if key in ("properties", "$defs"):
        for name, schema in (old or {}).items():
            if name not in (new or {}):
                yield f"{here}/{name}: removed or renamed"
            else:
                yield from _breaks(schema, new[name], f"{here}/{name}")
    elif key == "required":
        yield from (f"{here}: {name} is newly required" for name in new or () if name not in (old or ()))
        yield from (f"{here}: {name} is no longer always there" for name in old or () if name not in (new or ()))
    elif key in ("enum", "anyOf"):
        gone = [item for item in old or () if item not in (new or ())]
        yield from (f"{here}: {json.dumps(item)} is gone" for item in gone)
        if old is None:
            yield f"{here}: newly bound to a list"
    elif old is None or new is None:
        if old != new:
            yield f"{here}: {json.dumps(old)} became {json.dumps(new)}"
    else:
        yield from _breaks(old, new, here)


def export(folder: Path, wanted: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Write the schema files (those of the root documents), and remove those of documents that no longer exist."""
    wanted = schemas() if wanted is None else wanted
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, schema in wanted.items():
        (folder / name).write_text(_text(schema), encoding="utf-8")


def _text(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def differences(folder: Path, wanted: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """Files in *folder* that are not what `export` would write, and the breaks among their differences."""
    stale, broken = [], []
    for path in sorted(folder.glob("*.json")):
        if path.name not in wanted:
            broken.append(f"{path.name}: the document is gone")
            continue
        committed = path.read_text(encoding="utf-8")
        if committed != _text(wanted[path.name]):
            stale.append(path.name)
            broken += [f"{path.name}{found}" for found in breaks(json.loads(committed), wanted[path.name])]
    stale += [name for name in wanted if not (folder / name).exists()]
    return stale, broken


def main(arguments: list[str]) -> int:
    """Write or check the files; the exit code is 1 where a check finds a difference."""
    return run(arguments, schemas, "shipkit.codec.schema")


def run(arguments: list[str], wanted: Callable[[], Mapping[str, Mapping[str, Any]]], name: str) -> int:
    """The command *name*, for the files that are *wanted*."""
    check = "--check" in arguments
    folders = [Path(argument) for argument in arguments if not argument.startswith("-")]
    if len(folders) != 1:
        sys.stderr.write(f"usage: python -m {name} [--check] FOLDER\n")
        return 2
    files = wanted()
    stale, broken = differences(folders[0], files)
    for line in broken:
        sys.stderr.write(f"incompatible: {line}\n")
    if check:
        for line in stale:
            sys.stderr.write(f"not up to date: {line}\n")
        return 1 if stale or broken else 0
    if broken:
        sys.stderr.write("nothing written: raise the version and add an upcaster, or keep the change additive\n")
        return 1
    export(folders[0], files)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
