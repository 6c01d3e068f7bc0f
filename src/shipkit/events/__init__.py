"""Evidence and the state that follows from it: any order of arrival, any repetition, any split gives the same state."""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from shipkit.events.changing import changes
    from shipkit.events.evidence import Evidence, scoped
    from shipkit.events.folding import fold, roll_up
    from shipkit.events.reasons import ReasonFacts, facts_of
    from shipkit.events.transitions import TRANSITIONS, Effect, Step

__all__ = [
    "TRANSITIONS",
    "Effect",
    "Evidence",
    "ReasonFacts",
    "Step",
    "changes",
    "facts_of",
    "fold",
    "roll_up",
    "scoped",
]

_ROOMS = {
    "TRANSITIONS": "transitions",
    "Effect": "transitions",
    "Evidence": "evidence",
    "ReasonFacts": "reasons",
    "Step": "transitions",
    "changes": "changing",
    "facts_of": "reasons",
    "fold": "folding",
    "roll_up": "folding",
    "scoped": "evidence",
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
