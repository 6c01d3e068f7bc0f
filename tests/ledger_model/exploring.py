"""Every order of what can happen, nearest first; and long random walks beyond."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import attrs

from tests.ledger_model.driving import named as describe
from tests.ledger_model.world import Action, Broken, State, World


@attrs.define(kw_only=True)
class Found:
    """What a search came to."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    finished: bool = False
    broken: Broken | None = None
    trace: tuple[str, ...] = ()
    seconds: float = 0.0
    runs: int = 0
    """Different things that a worker can have been told."""


def explore(
    world: World, *, prefix: Sequence[Action] = (), preemptions: int | None = None, states: int = 10**9
) -> Found:
    """Every state that can be reached after *prefix*, until a property breaks or the bounds are met.

    A preemption is a worker, or the clock, that goes on while the worker that went last could go on itself. States that
    need fewer of them come first, and among these the nearer ones.
    """
    found = Found()
    began = time.perf_counter()
    path: list[Action] = []
    try:
        state = world.first()
        for action in prefix:
            path.append(action)
            state = world.act(state, action)
        _explored(world, state, path, found, preemptions, states)
    except Broken as broken:
        found.broken = broken
        found.trace = (*told(world, path), str(broken))
    found.seconds = time.perf_counter() - began
    found.runs = len(world.tree)
    return found


_Came = tuple[Action, Any]  # the action, and what came before it


def _explored(
    world: World, first: State, path: list[Action], found: Found, preemptions: int | None, states: int
) -> None:
    seen: set[tuple[int, int]] = set()
    waiting: list[deque[tuple[State, int, _Came | None, int]]] = [deque() for _ in range((preemptions or 0) + 2)]
    waiting[0].append((first, 0, None, 0))
    cost = 0
    while cost < len(waiting) - 1:
        if not waiting[cost]:
            cost += 1
            continue
        state, last, came, deep = waiting[cost].popleft()
        key = (state.key(), last)
        if key in seen:
            continue
        seen.add(key)
        found.states += 1
        found.depth = max(found.depth, deep)
        if found.states > states:
            return
        going = preemptions is not None and any(w.node.brief.number == last and not w.waits for w in state.crew)
        for action in world.actions(state):
            found.transitions += 1
            try:
                after = world.act(state, action)
            except Broken:
                path += _way((action, came))
                raise
            then, price = last if going else 0, 0
            if preemptions is not None and action[0] == "step":
                number = state.crew[action[1]].node.brief.number
                price, then = int(going and number != last), number
            elif going and action[0] == "tick":
                price = 1
            if cost + price < len(waiting) - 1 and (after.key(), then) not in seen:
                waiting[cost + price].append((after, then, (action, came), deep + 1))
    found.finished = True


def _way(came: _Came | None) -> list[Action]:
    way: list[Action] = []
    while came is not None:
        way.append(came[0])
        came = came[1]
    return way[::-1]


def told(world: World, way: Sequence[Action]) -> list[str]:
    """*way* in words, one line for each action."""
    lines: list[str] = []
    state = world.first()
    for action in way:
        lines.append(f"{state.at:>3}  {named(state, action)}")
        try:
            state = world.act(state, action)
        except Broken:
            break
    return lines


def named(state: State, action: Action) -> str:
    """*action* in words."""
    what, index = action
    if what in ("step", "crash"):
        worker = state.crew[index]
        who = f"{worker.node.brief.kind} {worker.node.brief.number}"
        return f"{who}: {describe(worker.node.effect)}" if what == "step" else f"{who} crashes"
    if what in ("answer", "lose", "refuse", "break", "breakafter", "deliver", "drop"):
        pending = state.books.pending[index]
        return f"{what} {pending.kind} {pending.subject} (worker {pending.worker})"
    return what


def wander(world: World, *, seed: int, walks: int, length: int = 200) -> Found:
    """*walks* random ways through the world, each until nothing is left to happen."""
    found = Found()
    began = time.perf_counter()
    drawn = random.Random(seed)
    for _ in range(walks):
        state = world.first()
        way: list[Action] = []
        for _ in range(length):
            actions = list(world.actions(state))
            if not actions:
                break
            action = drawn.choice(actions)
            way.append(action)
            found.transitions += 1
            try:
                state = world.act(state, action)
            except Broken as broken:
                found.broken, found.trace = broken, (*told(world, way), str(broken))
                found.seconds = time.perf_counter() - began
                return found
        found.states += 1
        found.depth = max(found.depth, len(way))
    found.finished = True
    found.seconds = time.perf_counter() - began
    found.runs = len(world.tree)
    return found
