"""What a simulated carrier counted, per mark and per reference: the figures a test of the host's ledger compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from .records import Booking, Counts

__all__ = ["Tally"]

_BY: Final = ("mark", "reference")


class Tally:
    """Counts arrivals, bookings, labels and voids under the mark and under the reference of each purchase."""

    def __init__(self) -> None:
        self._seen: dict[str, Counter[tuple[str, str]]] = {by: Counter() for by in _BY}
        self._open: Counter[tuple[str, str]] = Counter()

    def count(self, what: str, booking: Booking) -> None:
        """One more booking, label or void."""
        self._seen["mark"][what, booking.mark] += 1
        self._seen["reference"][what, booking.reference] += 1

    def arrived(self, mark: str, reference: str) -> Callable[[], None]:
        """Count a purchase that arrived; call what is returned once the carrier is through with it."""
        identities = tuple(zip(_BY, (mark, reference), strict=True))
        named = [(by, name) for by, name in identities if name]
        for by, name in identities:
            self._seen[by]["arrivals", name] += 1
        for by, name in named:
            self._seen[by]["overlapping", name] += self._open[by, name] > 0
            self._open[by, name] += 1

        def through() -> None:
            for identity in named:
                self._open[identity] -= 1

        return through

    def counts(self, by: str, bookings: Iterable[Booking]) -> dict[str, Counts]:
        """The figures under each mark or reference. Raises ValueError for anything else."""
        if by not in self._seen:
            raise ValueError(f"counted by {' and '.join(_BY)}, not by {by}")
        seen = self._seen[by]
        live = Counter(booking.mark if by == "mark" else booking.reference for booking in bookings if booking.live)
        return {
            name: Counts(
                arrivals=seen["arrivals", name],
                overlapping=seen["overlapping", name],
                bookings=seen["bookings", name],
                labels=seen["labels", name],
                voids=seen["voids", name],
                live=live[name],
            )
            for name in dict.fromkeys(name for _, name in seen)
        }
