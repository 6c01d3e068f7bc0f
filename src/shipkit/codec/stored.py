"""The form in which a ledger keeps values: JSON without the bytes of documents, and those bytes beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from shipkit.codec.reading import from_dict, loads
from shipkit.codec.writing import RAW, dumps, stamped
from shipkit.errors import InputError
from shipkit.model import Problem, Value

__all__ = ["join", "join_without", "split"]

V = TypeVar("V", bound=Value)
_PLACES = "$blobs"


def split(value: Value) -> tuple[bytes, tuple[bytes, ...]]:
    """JSON text that says where bytes belong, and the bytes themselves: nothing is encoded in base64."""
    members = stamped(value, RAW.write(value))
    found = list(_bytes_in(members, ()))
    if not found:
        return dumps(members), ()
    for path, _ in found:
        _holder(members, path).pop(path[-1])
    return dumps({**members, _PLACES: [list(path) for path, _ in found]}), tuple(content for _, content in found)


def _bytes_in(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, item in items:
        if item.__class__ is bytes:
            yield (*path, key), item
        elif item.__class__ is dict or item.__class__ is list:
            yield from _bytes_in(item, (*path, key))


def _holder(members: Any, path: Sequence[str | int]) -> Any:
    for part in path[:-1]:
        members = members[part]
    return members


def join(text: bytes | str, blobs: Sequence[bytes], cls: type[V]) -> V:
    """The value of *cls* that `split` took apart.

    Raises:
        InputError: the text cannot be read, or the bytes are not those that it asks for.
    """
    members = loads(text)
    if isinstance(members, dict) and _PLACES in members:
        places = members.pop(_PLACES)
        try:
            for path, content in zip(places, blobs, strict=True):
                _holder(members, path)[path[-1]] = content
        except (LookupError, TypeError, ValueError):
            problem = Problem(path=f"/{_PLACES}", code="inconsistent", text="the bytes do not belong to this text")
            raise InputError(problems=(problem,)) from None
    return from_dict(members, cls)


def join_without(text: bytes | str, cls: type[V]) -> V:
    """The same value without the documents whose bytes lie beside the text: what they are attached to is all there.

    Raises:
        InputError: the text cannot be read.
    """
    members = loads(text)
    if isinstance(members, dict) and _PLACES in members:
        try:
            for *path, _position, _name in members.pop(_PLACES):
                _holder(members, path)[path[-1]] = []
        except (LookupError, TypeError, ValueError):
            problem = Problem(path=f"/{_PLACES}", code="inconsistent", text="the places do not belong to this text")
            raise InputError(problems=(problem,)) from None
    return from_dict(members, cls)
