"""Canonical values to JSON and back: stamped, lossless, masked where asked, with every problem named at once."""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from shipkit.codec.canon import canonical
    from shipkit.codec.reading import draft_from_dict, from_dict, from_json
    from shipkit.codec.roots import schema_name, upcasters
    from shipkit.codec.stored import join, split
    from shipkit.codec.writing import Profile, dumps, to_dict, to_json

__all__ = [
    "Profile",
    "canonical",
    "draft_from_dict",
    "dumps",
    "from_dict",
    "from_json",
    "join",
    "schema_name",
    "split",
    "to_dict",
    "to_json",
    "upcasters",
]

_ROOMS = {
    "Profile": "writing",
    "canonical": "canon",
    "draft_from_dict": "reading",
    "dumps": "writing",
    "from_dict": "reading",
    "from_json": "reading",
    "join": "stored",
    "schema_name": "roots",
    "split": "stored",
    "to_dict": "writing",
    "to_json": "writing",
    "upcasters": "roots",
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
