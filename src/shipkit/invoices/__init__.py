"""Three-way match: what was booked, what was seen of the parcel, and what the carrier billed."""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from shipkit.invoices.matching import match
    from shipkit.invoices.values import Booked, Finding, FindingKind, Seen, Terms

__all__ = ["Booked", "Finding", "FindingKind", "Seen", "Terms", "match"]

_ROOMS = {
    "Booked": "values",
    "Finding": "values",
    "FindingKind": "values",
    "Seen": "values",
    "Terms": "values",
    "match": "matching",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = globals()[name] = getattr(import_module(f"{__name__}.{room}"), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
