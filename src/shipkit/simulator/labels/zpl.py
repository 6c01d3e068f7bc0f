"""ZPL II, a format (``^XA`` to ``^XZ``) per label."""

from __future__ import annotations

from collections.abc import Sequence

from .code128 import modules
from .layout import LabelFields, Line, Size, Text, layout

__all__ = ["render"]


def render(name: str, labels: Sequence[LabelFields], dpi: int, size: Size) -> bytes:
    """UTF-8 (``^CI28``). The printer draws the bar code (``^BC``, mode A: it chooses the code sets)."""
    return "".join(_label(fields, dpi / 25.4, size) for fields in labels).encode()


def _label(fields: LabelFields, dots: float, size: Size) -> str:
    lines = ["^XA", "^CI28", f"^PW{round(size.width * dots)}", f"^LL{round(size.height * dots)}"]
    for item in layout(fields):
        at = f"^FO{round(item.x * dots)},{round(item.y * dots)}"
        if isinstance(item, Text):
            height = round(item.height * dots)
            lines.append(f"{at}^A0N,{height},{height}^FH^FD{_field(item.text)}^FS")
        elif isinstance(item, Line):
            height = max(1, round(item.height * dots))
            lines.append(f"{at}^GB{round(item.width * dots)},{height},{height}^FS")
        else:
            module = max(1, int(item.width * dots / modules(item.text)))
            indent = round((item.width * dots - module * modules(item.text)) / 2) + 10 * module
            at = f"^FO{round(item.x * dots) + indent},{round(item.y * dots)}"
            height = round(item.height * dots)
            lines.append(f"{at}^BY{module}^BCN,{height},N,N,N,A^FH^FD{_field(item.text)}^FS")
    return "\n".join((*lines, "^PQ1", "^XZ", ""))


def _field(text: str) -> str:
    """Field data under ``^FH``: the escape itself and what begins a command are written in hexadecimal."""
    for character in "_^~":
        text = text.replace(character, f"_{ord(character):02X}")
    return text
