"""The kit for plugin authors and hosts: conversations played by hand, recordings played back, the common suite."""

from .playing import PLAYED_AT, Played, Reply, play, reply

__all__ = ["PLAYED_AT", "Played", "Reply", "play", "reply"]
