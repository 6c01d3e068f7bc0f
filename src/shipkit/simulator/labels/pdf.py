"""PDF, a page per label, by reportlab."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from .code128 import QUIET, modules, widths
from .layout import NOTICE, Bars, LabelFields, Line, Size, Text, layout

__all__ = ["render"]


def render(name: str, labels: Sequence[LabelFields], dpi: int, size: Size) -> bytes:
    """One file; ``dpi`` means nothing here."""
    content = io.BytesIO()
    # invariant: no date and no random id in the file, so that the same label has the same bytes.
    canvas = Canvas(content, pagesize=(size.width * mm, size.height * mm), invariant=1)
    canvas.setTitle(NOTICE)
    for fields in labels:
        for item in layout(fields):
            if isinstance(item, Text):
                canvas.setFont("Helvetica", item.height * mm * 0.9)
                canvas.drawString(item.x * mm, (size.height - item.y - item.height * 0.8) * mm, _printable(item.text))
            elif isinstance(item, Line):
                _box(canvas, size, item.x, item.y, item.width, item.height)
            else:
                _bars(canvas, size, item)
        canvas.showPage()
    canvas.save()
    return content.getvalue()


def _bars(canvas: Any, size: Size, bars: Bars) -> None:
    module = bars.width / modules(bars.text)
    x = bars.x + QUIET * module
    for index, width in enumerate(widths(bars.text)):
        if index % 2 == 0:
            _box(canvas, size, x, bars.y, width * module, bars.height)
        x += width * module


def _box(canvas: Any, size: Size, x: float, y: float, width: float, height: float) -> None:
    canvas.rect(x * mm, (size.height - y - height) * mm, width * mm, height * mm, stroke=0, fill=1)


def _printable(text: str) -> str:
    """The standard fonts of PDF have the characters of Windows-1252."""
    return text.encode("cp1252", "replace").decode("cp1252")
