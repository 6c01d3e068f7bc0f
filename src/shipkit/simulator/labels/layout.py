"""Where things stand on a simulated label, in millimetres from the upper left corner: one drawing for all formats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

__all__ = ["NOTICE", "SIZES", "Bars", "Item", "LabelFields", "Line", "Size", "Text", "layout"]

NOTICE: Final = "NOT FOR SHIPPING: simulated"


@attrs.frozen(kw_only=True)
class LabelFields:
    """What is printed. Addresses are printed line by line; ``barcode`` is the number unless something else is given."""

    carrier: str
    service: str
    number: str
    reference: str = ""
    mark: str = ""
    ship_from: tuple[str, ...] = attrs.field(default=(), repr=False)
    ship_to: tuple[str, ...] = attrs.field(default=(), repr=False)
    package: str = ""  #: "1/2"
    weight: str = ""  #: "2.5 kg"
    extra: tuple[str, ...] = ()
    barcode: str = ""

    @property
    def code(self) -> str:
        return self.barcode or self.number


@attrs.frozen
class Size:
    """Paper, in millimetres."""

    width: float
    height: float


SIZES: Final[Mapping[str, Size]] = {"A6": Size(105, 148), "A4": Size(210, 297), "4X6": Size(101.6, 152.4)}


@attrs.frozen
class Text:
    """A line of text; ``y`` is its upper edge, ``height`` the height of a capital with its leading."""

    x: float
    y: float
    height: float
    text: str


@attrs.frozen
class Line:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float


@attrs.frozen
class Bars:
    """A Code 128 in the middle of a field, quiet zones inside the field."""

    x: float
    y: float
    width: float
    height: float
    text: str


Item = Text | Line | Bars

_LEFT: Final = 5.0
_WIDTH: Final = 91.0
#: A character takes this part of its height in width, in all fonts used, on average.
_ASPECT: Final = 0.58


def layout(fields: LabelFields) -> tuple[Item, ...]:
    """The label: sender, recipient, service, bar code, numbers, and in two places that it is none."""
    items: list[Item] = [
        Text(_LEFT, 4, 5.5, _cut(fields.carrier.upper(), 5.5, 60)),
        Text(70, 5, 4, _cut(" ".join(part for part in (fields.package, fields.weight) if part), 4, 26)),
        Line(_LEFT, 11, _WIDTH, 0.5),
        Text(_LEFT, 12.5, 2.6, "FROM"),
        *_lines(fields.ship_from, 16, 3, 5),
        Line(_LEFT, 34, _WIDTH, 0.3),
        Text(_LEFT, 35.5, 2.6, "TO"),
        *_lines(fields.ship_to, 39.5, 4.2, 6),
        Line(_LEFT, 69, _WIDTH, 0.5),
        Text(_LEFT, 71, 6, _cut(fields.service, 6, _WIDTH)),
        Bars(_LEFT, 80, _WIDTH, 25, fields.code),
        Text(_LEFT, 107, 4, _cut(fields.number, 4, _WIDTH)),
        Line(_LEFT, 113, _WIDTH, 0.3),
        *_lines((f"Reference {fields.reference}", f"Mark {fields.mark}", *fields.extra), 114.5, 3, 5),
        Line(_LEFT, 134, _WIDTH, 0.5),
        Text(_LEFT, 136.5, 5, NOTICE),
    ]
    return tuple(items)


def _lines(texts: tuple[str, ...], top: float, height: float, most: int) -> list[Text]:
    return [
        Text(_LEFT, top + index * height * 1.15, height, _cut(text, height, _WIDTH))
        for index, text in enumerate([text for text in texts if text][:most])
    ]


def _cut(text: str, height: float, width: float) -> str:
    return text[: int(width / (height * _ASPECT))]
