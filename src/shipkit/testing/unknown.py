"""A tracking reply with codes that no table has."""

from __future__ import annotations

from collections.abc import Collection

import attrs

from .playing import Reply
from .reading import replaced

__all__ = ["with_unknown_codes"]


def with_unknown_codes(reply: Reply, codes: Collection[str]) -> Reply:
    """*reply* with every text that is one of *codes* replaced by one that no carrier uses."""
    known = {_plain(code) for code in codes}

    def change(text: str) -> str:
        return "ZQ unknown step" if _plain(text) in known else text

    return attrs.evolve(reply, content=replaced(reply.content, change))


def _plain(text: str) -> str:
    # A carrier without codes is read by its words, without capitals, accents, digits and double blanks.
    letters = "".join(character for character in text.casefold() if not character.isdigit())
    return " ".join(letters.split()) or text
