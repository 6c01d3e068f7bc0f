"""The kit for plugin authors and hosts: conversations played by hand, recordings played back, the common suite.

`play`, `reply` and `playback` need nothing but the core; the rest needs the extra ``testing`` (pytest and Hypothesis)
and is imported when it is first asked for.
"""

from .playing import PLAYED_AT, Played, Reply, play, reply
from .recordings import Exchange, Recording, differences, is_masked, playback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .breaking import Broken, breakages, broken
    from .spoiling import Mutation, mutations
    from .strategies import parties, pickup_requests, rate_requests, return_requests, shipment_requests

__all__ = [
    "PLAYED_AT",
    "Broken",
    "Exchange",
    "Mutation",
    "Played",
    "Recording",
    "Reply",
    "breakages",
    "broken",
    "differences",
    "is_masked",
    "mutations",
    "parties",
    "pickup_requests",
    "play",
    "playback",
    "rate_requests",
    "reply",
    "return_requests",
    "shipment_requests",
]

_ROOMS = {
    "Broken": ".breaking",
    "Mutation": ".spoiling",
    "breakages": ".breaking",
    "broken": ".breaking",
    "mutations": ".spoiling",
    "parties": ".strategies",
    "pickup_requests": ".strategies",
    "rate_requests": ".strategies",
    "return_requests": ".strategies",
    "shipment_requests": ".strategies",
}

if not TYPE_CHECKING:  # else every misspelt name would be an object to the checkers

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(room, __name__), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
