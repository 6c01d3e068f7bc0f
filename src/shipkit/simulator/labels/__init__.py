"""Labels as carriers send them: PDF, PNG, GIF, ZPL, EPL and SPL, each with a Code 128 that a reader decodes.

Each says ``NOT FOR SHIPPING: simulated``. Pillow and reportlab (the extra ``simulator``) are imported by the first
label that needs them; the printer languages need neither. The same fields give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Final

from .code128 import modules
from .layout import NOTICE, SIZES, LabelFields, Size

__all__ = ["FORMATS", "NOTICE", "SIZES", "LabelFields", "Size", "modules", "render"]

#: Format -> the module that renders it (its function ``render``). PNG and GIF hold one label, the others any number.
FORMATS: Final[Mapping[str, str]] = {
    "PDF": ".pdf",
    "PNG": ".raster",
    "GIF": ".raster",
    "ZPL": ".zpl",
    "EPL": ".epl",
    "SPL": ".spl",
}

_Render = Callable[[str, Sequence[LabelFields], int, Size], bytes]


def render(
    format: str,  # noqa: A002 - the word of the model
    fields: LabelFields | Sequence[LabelFields],
    *,
    dpi: int = 203,
    size: str = "A6",
) -> bytes:
    """Labels in *format* (a name of ``FORMATS``), one or, in one file, several.

    *size* is a name of ``SIZES``; on ``A4`` the label takes the upper left corner. *dpi* is for what has dots.

    Raises:
        ValueError: no such format or size, dots other than 203 or 300 an inch, several labels in one picture, or a
            bar code with characters outside ASCII.
    """
    name = format.upper()
    labels = [fields] if isinstance(fields, LabelFields) else list(fields)
    if name not in FORMATS:
        raise ValueError(f"no label format {format}; there are {', '.join(FORMATS)}")
    if size.upper() not in SIZES:
        raise ValueError(f"no label size {size}; there are {', '.join(SIZES)}")
    if dpi not in {203, 300}:
        raise ValueError(f"labels have 203 or 300 dots an inch, not {dpi}")
    if not labels or (len(labels) > 1 and name in {"PNG", "GIF"}):
        raise ValueError(f"{len(labels)} labels do not make one {name}")
    draw: _Render = import_module(FORMATS[name], __name__).render
    return draw(name, labels, dpi, SIZES[size.upper()])
