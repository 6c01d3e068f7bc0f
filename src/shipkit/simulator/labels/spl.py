"""SPL, the command language of Star's label printers (Star Line Mode)."""

from __future__ import annotations

from collections.abc import Sequence

from .layout import Bars, LabelFields, Size, Text, layout

__all__ = ["render"]

# Star Micronics, Line Mode Command Specifications: initialise, print a bar code, cut the paper.
_INITIALISE = b"\x1b@"
_CUT = b"\x1bd\x02"


def render(name: str, labels: Sequence[LabelFields], dpi: int, size: Size) -> bytes:
    """Line by line, as these printers work: positions mean nothing here. Text in ASCII."""
    return b"".join(_INITIALISE + b"".join(_lines(fields)) + _CUT for fields in labels)


def _lines(fields: LabelFields) -> list[bytes]:
    lines: list[bytes] = []
    for item in layout(fields):
        if isinstance(item, Text):
            lines.append(item.text.encode("ascii", "replace") + b"\n")
        elif isinstance(item, Bars):
            lines.append(_bars(item.text))
    return lines


def _bars(text: str) -> bytes:
    """``ESC b n1 n2 n3 n4 data RS``: type 6 (Code 128), 1 (no text below), module of 2 dots, 160 dots high.

    A per cent sign is written ``%0`` (specifications, 5.1.4).
    """
    return b"\x1bb61" + b"1" + bytes([160]) + text.replace("%", "%0").encode("ascii") + b"\x1e"
