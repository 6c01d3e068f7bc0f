"""The texts in a message, whatever its format."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

__all__ = ["plain", "replaced", "said"]

# Letters that do not come apart into a letter and an accent (Unicode, canonical decomposition).
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})


def plain(text: str) -> str:
    """*text* without accents and capitals, for comparisons only."""
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(character for character in parts if not unicodedata.combining(character))


def said(content: bytes) -> Iterator[str]:
    """Every text and number in a body of JSON, XML or form fields."""
    text = content.strip()
    if text.startswith(b"<"):
        root = ET.fromstring(text)  # noqa: S314  # a request of our own
        yield from (element.text for element in root.iter() if element.text)
    elif text[:1] in (b"{", b"["):
        yield from _leaves(json.loads(text))
    else:
        yield from (value for _, value in parse_qsl(text.decode("utf-8", "replace")))


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _leaves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _leaves(value)
    elif node is not None:
        yield str(node)


def replaced(content: bytes, change: Callable[[str], str]) -> bytes:
    """A body of JSON or XML with every text put through *change*; the same bytes where nothing changes."""
    text = content.strip()
    if text.startswith(b"<"):
        root = ET.fromstring(text)  # noqa: S314  # a recorded reply, no stranger's document
        changes = [(element, change(element.text)) for element in root.iter() if element.text]
        if all(element.text == new for element, new in changes):
            return content
        for element, new in changes:
            element.text = new
        return bytes(ET.tostring(root, "utf-8"))
    document = json.loads(text)
    new = _changed(document, change)
    return content if new == document else json.dumps(new).encode()


def _changed(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        return {key: _changed(value, change) for key, value in node.items()}
    if isinstance(node, list):
        return [_changed(value, change) for value in node]
    return change(node) if isinstance(node, str) else node
