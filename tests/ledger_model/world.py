"""Workers, the store, the carrier and the clock as one value: what can happen next, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shipkit.client.desk import Desk
from shipkit.errors import NotSentError, OutcomeUnknownError, ShipkitError
from shipkit.flow import Call, Now, Transmit
from shipkit.ports import Phase
from shipkit.store import MemoryStore
from tests.ledger_model import carrier as sea
from tests.ledger_model.carrier import Books, Pending
from tests.ledger_model.driving import ALIAS, READS, Brief, Raised, Tree, key_of, of_store, today
from tests.ledger_model.promises import Promises
from tests.ledger_model.state import Action, Broken, Left, Setup, State, Worker, after, moment

__all__ = ["Action", "Broken", "Left", "Setup", "State", "World"]

_FOREVER = 10**6
_EPOCH = sea.START.timestamp()
_UNSETTLED = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)

LOST = Raised(OutcomeUnknownError, "no answer came")
LATE = Raised(NotSentError, "the send window was over")


class _NoTrail:
    def tell(self, *_: object) -> None:
        """Nothing is written."""


class World(Promises):
    """One configuration at work: the real driver over the real store in memory, one action at a time."""

    def __init__(self, setup: Setup, *, merging: bool = True) -> None:
        super().__init__(setup)
        self.at = 0
        self.store = MemoryStore(clock=lambda: _EPOCH + self.at)
        self.store._trail = _NoTrail()  # type: ignore[assignment] - of no meaning to anything here, and as long as the way
        self._kept = ("_rows", "_waiting", "_strays", "_pieces", "_lost")
        self._empty = self._saved()
        self._carrier = sea.carrier(setup.mode, setup.settle, setup.key_ttl, one_by_one=setup.pieces > 1)
        settings = setup.settings()

        def desk(drawn: Any) -> Desk:
            return Desk(
                {ALIAS: self._carrier},
                self.store,  # type: ignore[arg-type]
                settings,
                utc_now=lambda: sea.START,
                today=today,
                request_id=drawn,
            )

        self.tree = Tree(desk, setup.pieces, merging=merging)

    def first(self) -> State:
        """Before anything happens."""
        data, key = self._empty
        return State(data, key, Books(), 0, (), self.setup.left, before=(data, key, 0))

    # What can happen

    def actions(self, state: State) -> Iterator[Action]:
        """Everything that can happen next."""
        left = state.left
        for place, worker in enumerate(state.crew):
            if not worker.waits:
                yield "step", place
            if left.crash and (worker.waits or worker.node.wrote):
                yield "crash", place
        for index, pending in enumerate(state.books.pending):
            yield from self._fates(state.books, pending, index, left)
        for index, row in enumerate(state.books.booked):
            if not row.shown:
                yield "show", index
        if len(state.crew) < self.setup.alive:
            for kind in ("create", "cancel", "recover"):
                if getattr(left, kind) and (kind == "create" or self.rows(state)):
                    yield kind, 0
        if left.failover and state.before[1] != state.stored:
            yield "failover", 0
        if not self._held_up(state):
            if self._waits_for_time(state):
                yield "tick", 1
            elif (due := self._next_look(state)) is not None:
                yield "tick", due - state.at

    def _fates(self, books: Books, pending: Pending, index: int, left: Left) -> Iterator[Action]:
        heard = pending.worker >= 0
        if heard:
            yield "answer", index
            if left.lose:
                yield "lose", index
            if left.refuse and self._refusable(books, pending):
                yield "refuse", index
            if left.breaks:
                yield "break", index
                yield "breakafter", index
        else:
            yield "deliver", index
            yield "drop", index

    def _refusable(self, books: Books, pending: Pending) -> bool:
        """Whether the carrier may refuse it: what it knows to be done already, it says is done."""
        if pending.kind == "buy":
            return not (self._fenced and books.under(pending.subject))
        return pending.kind == "void" and pending.subject in [row.booking for row in books.live() if row.shown]

    def _waits_for_time(self, state: State) -> bool:
        """Whether anything will be different when time has gone on; else a tick would only shift all that follows."""
        at = state.at
        for row in self.every_row(state):
            if row.phase is Phase.IN_FLIGHT and after(row.lease_until, at):
                return True
            if row.phase in _UNSETTLED and after(row.settle_at, at):
                return True
        for worker in state.crew:
            if worker.node.clock is not None and at <= worker.node.clock + self.setup.window:
                return True
        return any(p.worker >= 0 and at <= p.until < _FOREVER for p in state.books.pending) or any(
            end > moment(at) for end in self.lost(state)
        )

    def _next_look(self, state: State) -> int | None:
        """When a recovery run is to look again, if that is all that is waited for."""
        if not state.left.recover:
            return None
        due = [
            row.next_at.timestamp() - _EPOCH
            for row in self.every_row(state)
            if row.next_at and after(row.next_at, state.at)
        ]
        return int(min(due)) if due else None

    def _held_up(self, state: State) -> bool:
        """Whether the carrier's bounds want something to happen before time goes on."""
        delay, hidden = self.setup.delay, self.setup.hidden
        late = delay is not None and any(p.kind != "find" and state.at - p.at >= delay for p in state.books.pending)
        # After a restore the host asks again while that is of use.
        late = late or (not self.rows(state) and any(end == moment(state.at + 1) for end in self.lost(state)[1:]))
        return late or (
            hidden is not None and any(not row.shown and state.at - row.at >= hidden for row in state.books.booked)
        )

    def act(self, state: State, action: Action) -> State:
        """The state after *action*.

        Raises:
            Broken: a property does not hold any more.
        """
        what, index = action
        after: State = getattr(self, f"_{what}")(state, index)
        self._check(after)
        return after

    def _step(self, state: State, place: int) -> State:
        worker = state.crew[place]
        effect = worker.node.effect
        if isinstance(effect, Now):
            return self._told(state, place, float(state.at))
        if isinstance(effect, Call):
            return self._called(state, place, effect)
        assert isinstance(effect, Transmit), effect
        if effect.not_after is not None and state.at > effect.not_after:
            return self._told(state, place, LATE)
        kind, subject, order = sea.subject_of(effect.request)
        if kind == "buy":
            self._refuse_second(state, subject, order)
        pending = Pending(kind, subject, order, state.at, int(min(effect.until, _FOREVER)), worker.node.brief.number)
        books = state.books._replace(pending=(*state.books.pending, pending))
        return state._replace(books=books, crew=_put(state.crew, place, worker._replace(waits=True)))

    def _called(self, state: State, place: int, effect: Call) -> State:
        name = of_store(effect).__name__
        self._load(state)
        try:
            result = effect.function(*effect.args)
        except ShipkitError as error:
            return self._told(state, place, Raised(type(error), error.message))
        if name not in READS:
            data, key = self._saved()
            if key != state.stored:
                before = (state.store, state.stored, state.at)
                state = state._replace(store=data, stored=key, before=before)
        return self._told(state, place, result)

    def _told(self, state: State, place: int, result: Any, told: tuple[str, ...] = ()) -> State:
        """The worker at *place* goes on with *result*; if that ends it, it leaves."""
        worker = state.crew[place]
        node = worker.node.after(result)
        told = tuple(dict.fromkeys((*worker.told, *told)))
        if node.outcome is None:
            return state._replace(crew=_put(state.crew, place, Worker(node, told=told)))
        state = state._replace(crew=state.crew[:place] + state.crew[place + 1 :])
        self._check_told(state, told)
        for generation, booking in node.outcome.labels:
            self._check_label(state, generation, booking)
        return state._replace(handed=tuple(sorted({*state.handed, *node.outcome.labels})))

    def _place(self, state: State, number: int) -> int:
        return next(place for place, worker in enumerate(state.crew) if worker.node.brief.number == number)

    def _crash(self, state: State, place: int) -> State:
        worker = state.crew[place]
        books = state.books
        if worker.waits:
            books = _unheard(books, worker.node.brief.number)
        left = state.left._replace(crash=state.left.crash - 1)
        return state._replace(books=books, crew=state.crew[:place] + state.crew[place + 1 :], left=left)

    # What becomes of a request

    def _carried_out(self, state: State, index: int) -> tuple[Books, sea.Reply, tuple[str, ...]]:
        books = state.books
        pending = books.pending[index]
        books = books._replace(pending=books.pending[:index] + books.pending[index + 1 :])
        if pending.kind == "find":
            return books, sea.found(books, pending.subject), ()
        if pending.kind == "void":
            books, reply = sea.undone(books, pending.subject)
            return books, reply, ()
        fresh = self.setup.hidden == 0
        books, reply = sea.bought(books, pending, self.setup.mode, state.at, show=fresh, key_ttl=self.setup.key_ttl)
        told = tuple([row.booking for row in books.under(pending.subject)]) if reply.status == 200 else ()
        return books, reply, told

    def _answer(self, state: State, index: int) -> State:
        number = state.books.pending[index].worker
        books, reply, told = self._carried_out(state, index)
        return self._replied(state._replace(books=books), number, reply, told)

    def _replied(self, state: State, number: int, reply: sea.Reply, told: tuple[str, ...] = ()) -> State:
        place = self._place(state, number)
        request = state.crew[place].node.effect.request
        return self._told(state, place, reply.to(request), told)

    def _lose(self, state: State, index: int) -> State:
        number = state.books.pending[index].worker
        state = state._replace(books=_unheard(state.books, number), left=state.left._replace(lose=state.left.lose - 1))
        return self._told(state, self._place(state, number), LOST)

    def _refuse(self, state: State, index: int) -> State:
        pending = state.books.pending[index]
        state = state._replace(left=state.left._replace(refuse=state.left.refuse - 1))
        if pending.kind == "void":
            return self._answer(state._replace(books=sea.too_late(state.books, pending.subject)), index)
        rest = state.books.pending[:index] + state.books.pending[index + 1 :]
        state = state._replace(books=state.books._replace(pending=rest))
        return self._replied(state, pending.worker, sea.refused())

    def _break(self, state: State, index: int) -> State:
        pending = state.books.pending
        books = state.books._replace(pending=pending[:index] + pending[index + 1 :])
        left = state.left._replace(breaks=state.left.breaks - 1)
        return self._replied(state._replace(books=books, left=left), pending[index].worker, sea.broken())

    def _breakafter(self, state: State, index: int) -> State:
        number = state.books.pending[index].worker
        books, _, _ = self._carried_out(state, index)
        left = state.left._replace(breaks=state.left.breaks - 1)
        return self._replied(state._replace(books=books, left=left), number, sea.broken())

    def _deliver(self, state: State, index: int) -> State:
        return state._replace(books=self._carried_out(state, index)[0])

    def _drop(self, state: State, index: int) -> State:
        pending = state.books.pending
        return state._replace(books=state.books._replace(pending=pending[:index] + pending[index + 1 :]))

    def _show(self, state: State, index: int) -> State:
        rows = state.books.booked
        shown = rows[index]._replace(shown=True)
        return state._replace(books=state.books._replace(booked=(*rows[:index], shown, *rows[index + 1 :])))

    # What the world does

    def _tick(self, state: State, ticks: int) -> State:
        state = state._replace(at=state.at + ticks)
        for pending in state.books.pending:
            if pending.worker >= 0 and pending.until < state.at:
                state = state._replace(books=_unheard(state.books, pending.worker))
                state = self._told(state, self._place(state, pending.worker), LOST)
        return state

    def _start(self, state: State, kind: str) -> State:
        number = state.started + 1
        node = self.tree.root(Brief(kind, number))
        assert node.outcome is None
        return state._replace(crew=(*state.crew, Worker(node)), started=number)

    def _create(self, state: State, _: int) -> State:
        return self._start(state._replace(left=state.left._replace(create=state.left.create - 1)), "create")

    def _cancel(self, state: State, _: int) -> State:
        return self._start(state._replace(left=state.left._replace(cancel=state.left.cancel - 1)), "cancel")

    def _recover(self, state: State, _: int) -> State:
        return self._start(state._replace(left=state.left._replace(recover=state.left.recover - 1)), "recover")

    def _failover(self, state: State, _: int) -> State:
        """The newest commit is lost; whoever runs the store says so."""
        data, key, lost_at = state.before
        state = state._replace(store=data, stored=key, left=state.left._replace(failover=state.left.failover - 1))
        self._load(state)
        self.store.restored(state.at - lost_at + 1, self.setup.window + self.setup.settle)
        data, key = self._saved()
        return state._replace(store=data, stored=key)

    # The store as a value

    def _load(self, state: State) -> None:
        self.at = state.at
        for name, value in state.store:
            setattr(self.store, name, _copied(value))

    def _saved(self) -> tuple[Any, Any]:
        data = tuple([(name, _copied(getattr(self.store, name))) for name in self._kept])
        return data, tuple([key_of(value) for name, value in data if name != "_waiting"])

    def alone(self, state: State, kind: str) -> State:
        """One call with nobody beside it and nothing that goes wrong."""
        state = self._start(state, kind)
        while state.crew:
            state = self._answer(state, 0) if state.crew[0].waits else self._step(state, 0)
        return state


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return set(value) if isinstance(value, set) else value


def _put(crew: tuple[Worker, ...], place: int, worker: Worker) -> tuple[Worker, ...]:
    return (*crew[:place], worker, *crew[place + 1 :])


def _unheard(books: Books, number: int) -> Books:
    """Nobody waits for the answer of *number* any more; a search without a listener is of no effect."""
    pending = [p._replace(worker=-1) if p.worker == number else p for p in books.pending]
    return books._replace(pending=tuple([p for p in pending if p.worker >= 0 or p.kind != "find"]))
