"""The kit for plugin authors and hosts: conversations played by hand, recordings played back, the common suite.

`play`, `reply` and `playback` need nothing but the core; the rest needs the extra ``testing`` (pytest and Hypothesis)
and is imported when it is first asked for.
"""

from .playing import PLAYED_AT, Played, Reply, play, reply
from .recordings import Exchange, Recording, differences, is_masked, playback
from .waiting import Waits, no_waiting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .breaking import Broken, breakages, broken
    from .conformance import CarrierConformance
    from .conversations import Conversation, Evidence, evidence, parts
    from .event_stores import EventStoreContract
    from .spoiling import Mutation, mutations
    from .stores import StoreContract
    from .strategies import parties, pickup_requests, rate_requests, return_requests, shipment_requests

__all__ = [
    "PLAYED_AT",
    "Broken",
    "CarrierConformance",
    "Conversation",
    "EventStoreContract",
    "Evidence",
    "Exchange",
    "Mutation",
    "Played",
    "Recording",
    "Reply",
    "StoreContract",
    "Waits",
    "breakages",
    "broken",
    "differences",
    "evidence",
    "is_masked",
    "mutations",
    "no_waiting",
    "parties",
    "parts",
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
    "CarrierConformance": ".conformance",
    "Conversation": ".conversations",
    "EventStoreContract": ".event_stores",
    "Evidence": ".conversations",
    "Mutation": ".spoiling",
    "StoreContract": ".stores",
    "breakages": ".breaking",
    "broken": ".breaking",
    "evidence": ".conversations",
    "mutations": ".spoiling",
    "parties": ".strategies",
    "parts": ".conversations",
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
