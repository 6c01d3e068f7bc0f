"""Ways in which a carrier, or what stands between, spoils a reply: for "any reply whatever ends in a typed error"."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

import attrs
from hypothesis import strategies as st

from .playing import Reply

__all__ = ["Mutation", "mutations", "spoilt_bodies", "spoilt_statuses"]

_HTML: Final = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"
)
_BILLION_LAUGHS: Final = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&%s;" % (b"lol" if n == 0 else b"l%d" % (n - 1)) * 10) for n in range(10))
    + b"]><lolz>&l9;</lolz>"
)
_MEGABYTE: Final = 1 << 20

# What stands in the place of a value; the last two are lossy for a number that is read as text.
_OTHERS: Final[Mapping[str, object]] = {
    "null": None,
    "empty text": "",
    "empty list": [],
    "empty object": {},
    "false": False,
    "a list of lists": [[]],
    "an object of another kind": {"unexpected": {"deeper": [1]}},
}
_SCALARS: Final[Mapping[str, object]] = {"a number": 7, "text": "unexpected", "a huge number": 10**30, "minus one": -1}

_Path = tuple[str | int, ...]


@attrs.frozen(kw_only=True)
class Mutation:
    """A spoilt reply. When it is ``faithful``, whatever value still stands in it is the carrier's own."""

    name: str
    reply: Reply
    faithful: bool = True


def mutations(original: Reply) -> st.SearchStrategy[Mutation]:
    """Everything that may become of *original*: its body cut or replaced, its structure changed, its status another."""
    whole = st.sampled_from([*spoilt_bodies(original), *spoilt_statuses(original)])
    cut = st.integers(0, max(0, len(original.content) - 1)).map(
        lambda size: _with_body(original, f"truncated to {size} bytes", original.content[:size])
    )
    inner = _structural(original)
    return st.one_of(whole, cut) if inner is None else st.one_of(inner, inner, whole, cut)


def spoilt_bodies(original: Reply) -> list[Mutation]:
    """The same reply with a body that is none: empty, HTML, nested without end, in another charset."""
    declared = original.headers.with_("Content-Type", "text/html; charset=utf-8")
    kind = original.headers.get("content-type", "").partition(";")[0] or "application/octet-stream"
    unknown = original.headers.with_("Content-Type", f"{kind}; charset=no-such-charset")
    text = original.content.decode("utf-8", "replace")
    return [
        _with_body(original, "empty", b""),
        _with_body(original, "blanks", b" \r\n\t"),
        _with_body(original, "an HTML page", _HTML),
        Mutation(name="an HTML page that says so", reply=Reply(status=200, headers=declared, content=_HTML)),
        _with_body(original, "JSON null", b"null"),
        _with_body(original, "a JSON text", b'"OK"'),
        _with_body(original, "a JSON list", b"[]"),
        _with_body(original, "an empty JSON object", b"{}"),
        _with_body(original, "an empty XML element", b"<a/>"),
        _with_body(original, "not a number", b'{"a": NaN}'),
        _with_body(original, "a megabyte of nested lists", b"[" * _MEGABYTE),
        _with_body(original, "a megabyte of nested objects", b'{"a":' * (_MEGABYTE // 5)),
        _with_body(original, "a megabyte of nested elements", b"<a>" * (_MEGABYTE // 3)),
        _with_body(original, "a billion laughs", _BILLION_LAUGHS),
        _with_body(original, "bytes", bytes(range(256))),
        _with_body(original, "UTF-16", text.encode("utf-16")),
        _with_body(original, "bytes of another charset", text.encode("latin-1", "replace") + b"\xe9"),
        Mutation(name="an unknown charset", reply=attrs.evolve(original, headers=unknown)),
        _with_body(original, "twice", original.content * 2),
    ]


def spoilt_statuses(original: Reply) -> list[Mutation]:
    """The same reply under another status, with its body, without one, and with a gateway's page."""
    return [
        Mutation(name=f"status {status} with {name}", reply=attrs.evolve(original, status=status, content=content))
        for status in (204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504)
        for name, content in (("the body", original.content), ("nothing", b""), ("an HTML page", _HTML))
        if status != original.status
    ]


def _with_body(original: Reply, name: str, content: bytes) -> Mutation:
    return Mutation(name=name, reply=attrs.evolve(original, content=content))


def _structural(original: Reply) -> st.SearchStrategy[Mutation] | None:
    if original.content.lstrip()[:1] == b"<":
        return _of_xml(original)
    try:
        document = json.loads(original.content)
    except ValueError:
        return None
    return _of_json(original, document) if isinstance(document, (dict, list)) and document else None


# JSON


def _of_json(original: Reply, document: Any) -> st.SearchStrategy[Mutation]:
    paths = list(_paths(document, ()))
    changes: list[tuple[str, bool, Callable[[Any], Any]]] = [
        *[(f"became {name}", True, _always(value)) for name, value in _OTHERS.items()],
        *[(f"became {name}", False, _always(value)) for name, value in _SCALARS.items()],
        ("became a list of itself", True, lambda value: [value]),
        ("was repeated", True, lambda value: [*value, *value] if isinstance(value, list) else value),
        ("lost its last item", True, lambda value: value[:-1] if isinstance(value, list) else value),
        ("holds a foreign character", True, lambda value: _pricked(value) if isinstance(value, str) else value),
    ]

    @st.composite
    def changed(draw: st.DrawFn) -> Mutation:
        path = draw(st.sampled_from(paths))
        where = "/".join(map(str, path))
        manner = draw(st.sampled_from(["dropped", "renamed", *changes]))
        if isinstance(manner, str):
            name, faithful = f"{where} was {manner}", True
            result = _without(document, path, f"{path[-1]}_renamed" if manner == "renamed" else None)
        else:
            (change, faithful, function) = manner
            name, result = f"{where} {change}", _replaced(document, path, function)
        return Mutation(name=name, faithful=faithful, reply=attrs.evolve(original, content=json.dumps(result).encode()))

    return changed()


def _always(value: object) -> Callable[[Any], Any]:
    return lambda _: value


def _pricked(text: str) -> str:
    middle = len(text) // 2
    return f"{text[:middle]}\N{BULLET}{text[middle:]}" if len(text) > 200 else text


def _paths(node: Any, at: _Path) -> Iterator[_Path]:
    rows: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(node, dict):
        rows = iter(node.items())
    elif isinstance(node, list):
        rows = iter(enumerate(node))
    for key, value in rows:
        yield (*at, key)
        yield from _paths(value, (*at, key))


def _replaced(node: Any, path: _Path, function: Callable[[Any], Any]) -> Any:
    if not path:
        return function(node)
    changed = copy.copy(node)
    changed[path[0]] = _replaced(node[path[0]], path[1:], function)
    return changed


def _without(node: Any, path: _Path, new_name: str | None) -> Any:
    def take(parent: Any) -> Any:
        rest = copy.copy(parent)
        value = rest.pop(path[-1])
        if new_name is not None and isinstance(rest, dict):
            rest[new_name] = value
        return rest

    return _replaced(node, path[:-1], take)


# XML


def _of_xml(original: Reply) -> st.SearchStrategy[Mutation] | None:
    try:
        root = ET.fromstring(original.content)  # noqa: S314  # a recorded reply, no stranger's document
    except ET.ParseError:
        return None
    count = sum(1 for _ in root.iter())
    manners: list[tuple[str, bool]] = [
        ("was dropped", True),
        ("was renamed", True),
        ("was emptied", True),
        ("was repeated", True),
        ("holds a foreign character", True),
        ("lost its namespace", True),
        ("became text", False),
        ("became a number", False),
    ]

    @st.composite
    def changed(draw: st.DrawFn) -> Mutation:
        manner, faithful = draw(st.sampled_from(manners))
        tree = copy.deepcopy(root)
        index = draw(st.integers(1, count - 1)) if count > 1 else 0
        element = list(tree.iter())[index]
        parent = next((node for node in tree.iter() if element in list(node)), tree)
        _change(element, parent, manner)
        name = f"{element.tag.rpartition('}')[2]} {manner}"
        return Mutation(name=name, faithful=faithful, reply=attrs.evolve(original, content=ET.tostring(tree, "utf-8")))

    return changed()


def _change(element: ET.Element, parent: ET.Element, manner: str) -> None:
    if manner == "was dropped" and element is not parent:
        parent.remove(element)
    elif manner == "was renamed":
        element.tag += "Renamed"
    elif manner == "was repeated" and element is not parent:
        parent.append(copy.deepcopy(element))
    elif manner == "lost its namespace":
        element.tag = element.tag.rpartition("}")[2]
    elif manner == "holds a foreign character":
        element.text = _pricked(element.text or "")
    elif manner in {"was emptied", "became text", "became a number"}:
        for child in list(element):
            element.remove(child)
        element.text = {"became text": "unexpected", "became a number": "7"}.get(manner)
