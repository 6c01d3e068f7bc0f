"""Many runs on one virtual clock, stepped in any order: who goes next is the test's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from typing import Any

import attrs

from shipkit.flow import Call, Emit, Now, Request, Response, Run, Sleep, Transmit, Wait

Answer = Callable[[Request, float], tuple[float, Response | BaseException]]
"""Given a request and when it arrived: after how many seconds comes what."""


class CancelError(BaseException):
    """What cancels a task, as asyncio does."""


@attrs.define(eq=False)
class Actor:
    """One run, and where it stands."""

    name: str
    run: Run[Any]
    wake_at: float = 0.0
    called: bool = False
    value: Any = None
    error: BaseException | None = None
    done: bool = False
    result: Any = None
    failure: BaseException | None = None


class Stage:
    """Steps actors until all are done; an actor that waits is passed over until its time."""

    def __init__(self, answer: Answer, choices: Iterable[int] = ()) -> None:
        self.at = 0.0
        self.actors: list[Actor] = []
        self.sent: list[tuple[float, Request]] = []
        self.events: list[Any] = []
        self.calls: list[str] = []
        self._answer = answer
        self._choices: Iterator[int] = chain(choices, repeat(0))
        self.after_step: Callable[[], None] = lambda: None

    def enter(self, run: Run[Any], name: str = "") -> Actor:
        """One more actor, ready now."""
        actor = Actor(name, run, wake_at=self.at)
        self.actors.append(actor)
        return actor

    def play(self, until: float = float("inf")) -> None:
        """Step until everybody is done, or until that moment."""
        while True:
            waiting = [actor for actor in self.actors if not actor.done]
            if not waiting:
                return
            ready = [actor for actor in waiting if actor.called or actor.wake_at <= self.at]
            if not ready:
                following = min(actor.wake_at for actor in waiting)
                self.at = max(self.at, min(following, until))
                if following > until:
                    return
                continue
            self.step(ready[next(self._choices) % len(ready)])

    def step(self, actor: Actor) -> None:
        """One effect of *actor*."""
        if isinstance(actor.value, BaseException):
            actor.value, actor.error = None, actor.value
        value, error = actor.value, actor.error
        actor.value = actor.error = None
        actor.called, actor.wake_at = False, self.at
        try:
            effect = actor.run.throw(error) if error is not None else actor.run.send(value)
        except StopIteration as stop:
            actor.done, actor.result = True, stop.value
        except BaseException as failure:
            actor.done, actor.failure = True, failure
        else:
            self._perform(actor, effect)
        self.after_step()

    def cancel(self, actor: Actor) -> None:
        """Throw what cancels a task in, at its present effect."""
        actor.error, actor.wake_at = CancelError(), self.at
        self.step(actor)

    def close(self, actor: Actor) -> None:
        """Throw the run away."""
        actor.run.close()
        actor.done, actor.failure = True, GeneratorExit()
        self.after_step()

    def _perform(self, actor: Actor, effect: Any) -> None:
        match effect:
            case Now():
                actor.value = self.at
            case Sleep():
                actor.wake_at = self.at + effect.seconds
            case Emit():
                self.events += [effect.event] if effect.event is not None and not effect.began else []
            case Call():
                self.calls.append(getattr(effect.function, "__name__", "?"))
                actor.value = effect.function(*effect.args)
            case Wait():
                actor.wake_at = effect.until

                def call() -> None:
                    actor.called = True

                effect.listen(call)
            case Transmit():
                self.sent.append((self.at, effect.request))
                after_s, actor.value = self._answer(effect.request, self.at)
                actor.wake_at = self.at + after_s
            case _:
                raise AssertionError(f"not performed here: {effect}")
