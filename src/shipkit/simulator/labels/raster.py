"""PNG and GIF, in black and white, by Pillow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from PIL import Image, ImageDraw, ImageFont

from .code128 import QUIET, modules, widths
from .layout import Bars, LabelFields, Line, Size, Text, layout

__all__ = ["render"]

_BLACK, _WHITE = 0, 1


def render(name: str, labels: Sequence[LabelFields], dpi: int, size: Size) -> bytes:
    """One label as a picture of the whole paper."""
    dots = dpi / 25.4
    image = Image.new("1", (round(size.width * dots), round(size.height * dots)), _WHITE)
    draw = ImageDraw.Draw(image)
    for item in layout(labels[0]):
        if isinstance(item, Text):
            draw.text((item.x * dots, item.y * dots), item.text, font=_font(round(item.height * dots)), fill=_BLACK)
        elif isinstance(item, Line):
            _box(draw, item.x * dots, item.y * dots, item.width * dots, item.height * dots)
        else:
            _bars(draw, item, dots)
    content = io.BytesIO()
    image.save(content, name, **({"dpi": (dpi, dpi)} if name == "PNG" else {}))
    return content.getvalue()


def _bars(draw: ImageDraw.ImageDraw, bars: Bars, dots: float) -> None:
    module = max(1, int(bars.width * dots / modules(bars.text)))
    x = bars.x * dots + (bars.width * dots - module * modules(bars.text)) / 2 + QUIET * module
    for index, width in enumerate(widths(bars.text)):
        if index % 2 == 0:
            _box(draw, round(x), bars.y * dots, width * module, bars.height * dots)
        x += width * module


def _box(draw: ImageDraw.ImageDraw, x: float, y: float, width: float, height: float) -> None:
    # Pillow's rectangle includes its last row and column.
    draw.rectangle((x, y, x + max(1, width) - 1, y + max(1, height) - 1), fill=_BLACK)


@lru_cache(maxsize=64)
def _font(height: int) -> ImageFont.FreeTypeFont:
    """Bitstream Vera as reportlab brings it: Pillow's own font has no accents."""
    return ImageFont.truetype(str(files("reportlab") / "fonts" / "Vera.ttf"), height)
