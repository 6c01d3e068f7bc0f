"""Where in a TOML text each key stands: the standard parser tells values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["Place", "places"]

Place = tuple[int, int]
"""Line and column, both from 1."""

_BLANK: Final = " \t"
_GAP: Final = " \t\r\n"
_ESCAPES: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_CODES: Final = {"u": 4, "U": 8, "x": 2}


def places(text: str) -> Mapping[tuple[str | int, ...], Place]:
    """The place of every key, by its path; items of arrays have their index in the path.

    *text* has been read by a TOML parser without complaint: here it is only walked along.
    """
    scanner = _Scanner(text)
    scanner.document()
    return scanner.found


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[tuple[str | int, ...], Place] = {}
        self._lists: dict[tuple[str | int, ...], int] = {}

    def document(self) -> None:
        table: tuple[str | int, ...] = ()
        while self._skip(_GAP):
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> tuple[str | int, ...]:
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        self._skip(_BLANK)
        start = self.at
        path = self._key()
        self.at = self.text.index("]", self.at) + (2 if array else 1)
        table = self._within_lists(path[:-1]) + path[-1:]
        if array:
            self._lists[table] = self._lists.get(table, -1) + 1
            table = (*table, self._lists[table])
        self._remember(table, start)
        return table

    def _within_lists(self, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """*path* with the index of the newest item behind each array of tables."""
        full: tuple[str | int, ...] = ()
        for part in path:
            full = (*full, part)
            if full in self._lists:
                full = (*full, self._lists[full])
        return full

    def _pair(self, table: tuple[str | int, ...]) -> None:
        start = self.at
        path = (*table, *self._key())
        self._skip(_BLANK)
        self.at += 1  # =
        for end in range(len(table) + 1, len(path) + 1):
            self._remember(path[:end], start)
        self._value(path)

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self._skip(_BLANK)
            if self._peek() in "\"'":
                parts.append(self._string())
            else:
                start = self.at
                while self._peek() and self._peek() not in " \t.=]\r\n":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self._skip(_BLANK)
            if self._peek() != ".":
                return tuple(parts)
            self.at += 1

    def _value(self, path: tuple[str | int, ...]) -> None:
        self._skip(_BLANK)
        first = self._peek()
        if first in ('"', "'"):
            self._string()
        elif first == "[":
            self._items(path)
        elif first == "{":
            self._members(path)
        else:
            while self._peek() and self._peek() not in ",]}#\r\n":
                self.at += 1

    def _items(self, path: tuple[str | int, ...]) -> None:
        self.at += 1
        index = 0
        while self._skip(_GAP + ",") and self._peek() != "]":
            self._remember((*path, index), self.at)
            self._value((*path, index))
            index += 1
        self.at += 1

    def _members(self, path: tuple[str | int, ...]) -> None:
        self.at += 1
        while self._skip(_GAP + ",") and self._peek() != "}":
            self._pair(path)
        self.at += 1

    def _string(self) -> str:
        quote = self._peek()
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        letters = []
        while not self.text.startswith(mark, self.at):
            letters.append(self._escaped() if quote == '"' and self._peek() == "\\" else self._peek())
            self.at += 1
        self.at += len(mark)
        while len(mark) == 3 and self._peek() == quote:  # up to two quotes may stand right before the closing ones
            self.at += 1
        return "".join(letters)

    def _escaped(self) -> str:
        self.at += 1
        letter = self._peek()
        length = _CODES.get(letter, 0)
        if not length:
            return _ESCAPES.get(letter, letter)
        code = int(self.text[self.at + 1 : self.at + 1 + length], 16)
        self.at += length
        return chr(code)

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self, letters: str) -> bool:
        """Go on to what is none of *letters* and no comment; whether there is something."""
        while self.at < len(self.text):
            if self.text[self.at] in letters:
                self.at += 1
            elif self.text[self.at] == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
                if "\n" not in letters:
                    return True
            else:
                return True
        return False

    def _remember(self, path: tuple[str | int, ...], at: int) -> None:
        if path not in self.found:
            line = self.text.count("\n", 0, at) + 1
            self.found[path] = (line, at - self.text.rfind("\n", 0, at))
