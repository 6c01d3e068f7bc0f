"""Text that does not fit a carrier's lines: put into further lines, never cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["rewrapped"]


def rewrapped(lines: Sequence[str], width: int, count: int) -> tuple[str, ...] | None:
    """*lines* in at most *count* lines of at most *width* characters, every word whole and in order.

    A line that is too long goes on in the next one; where that makes too many, the words of all lines flow together.
    None when they fit in no way: a word is longer than a line, or there are too many of them.
    """
    if all(len(line) <= width for line in lines) and len(lines) <= count:
        return tuple(lines)
    split = [part for line in lines for part in _flow(line.split(), width)]
    if len(split) > count:
        split = list(_flow([word for line in lines for word in line.split()], width))
    return tuple(split) if len(split) <= count and all(len(line) <= width for line in split) else None


def _flow(words: Sequence[str], width: int) -> Iterator[str]:
    line = ""
    for word in words:
        longer = f"{line} {word}" if line else word
        if line and len(longer) > width:
            yield line
            line = word
        else:
            line = longer
    if line:
        yield line
