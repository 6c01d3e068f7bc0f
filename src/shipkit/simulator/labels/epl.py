"""EPL2 page mode, a form (``N`` to ``P1``) per label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .code128 import modules
from .layout import LabelFields, Line, Size, Text, layout

__all__ = ["render"]

# EPL2 programmer's manual, command A: height in dots of the resident fonts at 203 dpi.
_FONTS: Final = ((12, 1), (16, 2), (20, 3), (24, 4), (48, 5))


def render(name: str, labels: Sequence[LabelFields], dpi: int, size: Size) -> bytes:
    """Code page Windows-1252 (``I8,A``). The printer draws the bar code (``B``, type 1: Code 128, automatic)."""
    return "".join(_label(fields, dpi / 25.4, size) for fields in labels).encode("cp1252", "replace")


def _label(fields: LabelFields, dots: float, size: Size) -> str:
    lines = ["", "N", "I8,A", f"q{round(size.width * dots)}", f"Q{round(size.height * dots)},24"]
    for item in layout(fields):
        x, y = round(item.x * dots), round(item.y * dots)
        if isinstance(item, Text):
            # Font 5 has capitals only: it is left to those who ask for no more.
            fitting = [number for height, number in _FONTS[:4] if height <= item.height * dots]
            lines.append(f'A{x},{y},0,{fitting[-1] if fitting else 1},1,1,N,"{_field(item.text)}"')
        elif isinstance(item, Line):
            lines.append(f"LO{x},{y},{round(item.width * dots)},{max(1, round(item.height * dots))}")
        else:
            module = max(1, int(item.width * dots / modules(item.text)))
            x += round((item.width * dots - module * modules(item.text)) / 2) + 10 * module
            lines.append(f'B{x},{y},0,1,{module},{module},{round(item.height * dots)},N,"{_field(item.text)}"')
    return "\n".join((*lines, "P1", ""))


def _field(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
