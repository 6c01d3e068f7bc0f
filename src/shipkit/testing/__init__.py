"""The kit for plugin authors and hosts: conversations played by hand, recordings played back, the common suite."""

from .playing import PLAYED_AT, Played, Reply, play, reply
from .recordings import Exchange, Recording, differences, is_masked, playback

__all__ = [
    "PLAYED_AT",
    "Exchange",
    "Played",
    "Recording",
    "Reply",
    "differences",
    "is_masked",
    "play",
    "playback",
    "reply",
]
