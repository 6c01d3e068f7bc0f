"""Code 128 (ISO/IEC 15417): text to the widths of bars and spaces."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["QUIET", "modules", "widths"]

#: Modules that must stay white on each side.
QUIET: Final = 10

# The symbol characters 0 to 105 (six widths, bar first) and the stop character, ISO/IEC 15417 table 1.
_PATTERNS: Final = re.findall(
    r"\d{6}",
    """
    212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222
    123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321
    232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121
    313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224
    111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111
    111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113
    114311 411113 411311 113141 114131 311141 411131 211412 211214 211232
    """,
)
_STOP: Final = "2331112"
_CODE_C: Final = 99
_CODE_B: Final = 100
_START_B: Final = 104
_START_C: Final = 105

# Code set C takes two digits a character: it pays for four digits at an end of the text, for six inside, for two alone.
_RUN: Final = re.compile(r"^\d{2}$|^\d{4,}|\d{6,}|\d{4,}$")


@lru_cache(maxsize=1024)
def widths(text: str) -> tuple[int, ...]:
    """Widths in modules, bar and space in turn, from the first bar to the last.

    Raises:
        ValueError: *text* is empty or has characters that code set B does not (outside ASCII, or control characters).
    """
    if not text or not all(32 <= ord(character) < 127 for character in text):
        raise ValueError(f"Code 128 takes printable ASCII, not {text!r}")
    values = _values(text)
    check = (values[0] + sum(index * value for index, value in enumerate(values))) % 103
    symbols = "".join(_PATTERNS[value] for value in (*values, check)) + _STOP
    return tuple(int(width) for width in symbols)


def modules(text: str) -> int:
    """Modules the symbol takes with its quiet zones."""
    return sum(widths(text)) + 2 * QUIET


def _values(text: str) -> list[int]:
    values: list[int] = []
    current = ""
    for part, is_digits in _parts(text):
        wanted = "C" if is_digits else "B"
        if not values:
            values.append(_START_C if wanted == "C" else _START_B)
        elif wanted != current:
            values.append(_CODE_C if wanted == "C" else _CODE_B)
        current = wanted
        if is_digits:
            values += [int(part[at : at + 2]) for at in range(0, len(part), 2)]
        else:
            values += [ord(character) - 32 for character in part]
    return values


def _parts(text: str) -> list[tuple[str, bool]]:
    """*text* in turns of code set B and, for runs of an even number of digits, C."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for run in _RUN.finditer(text):
        # The odd digit goes to code set B: behind the run at the start of the text, else before it.
        odd = len(run.group()) % 2
        start, end = (run.start(), run.end() - odd) if run.start() == 0 else (run.start() + odd, run.end())
        if text[at:start]:
            parts.append((text[at:start], False))
        parts.append((text[start:end], True))
        at = end
    if text[at:]:
        parts.append((text[at:], False))
    return parts
