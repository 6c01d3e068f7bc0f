"""Workers, the store, the carrier and the clock as one value: what can happen next, and what must stay true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import attrs

from shipkit.client.desk import Desk
from shipkit.errors import NotSentError, OutcomeUnknownError, ShipkitError
from shipkit.flow import Call, Now, Transmit
from shipkit.model import RecoveryMode
from shipkit.ports import Entry, Phase, Stray
from shipkit.settings import Settings
from shipkit.store import MemoryStore
from tests.ledger_model import carrier as sea
from tests.ledger_model.carrier import Books, Pending
from tests.ledger_model.driving import ALIAS, KEY, READS, Brief, Node, Raised, Tree, key_of, of_store, today

_FOREVER = 10**6
_EPOCH = sea.START.timestamp()
_UNSETTLED = (Phase.IN_FLIGHT, Phase.IN_DOUBT, Phase.VOIDING)
_ENDS = (Phase.SUCCEEDED, Phase.REJECTED, Phase.VOIDED, Phase.CLOSED, Phase.NEEDS_PERSON)

LOST = Raised(OutcomeUnknownError, "no answer came")
LATE = Raised(NotSentError, "the send window was over")


class Left(NamedTuple):
    """What may still happen, by how often."""

    create: int = 0
    cancel: int = 0
    recover: int = 0
    crash: int = 0
    lose: int = 0
    refuse: int = 0
    breaks: int = 0
    failover: int = 0


@attrs.frozen(kw_only=True)
class Setup:
    """One configuration: how the carrier is, what may go wrong how often, and what is assumed.

    Times are whole ticks: ``window`` is W, ``exchange`` D, ``settle`` S; ``delay`` is N and ``hidden`` V, None where
    the carrier keeps no such bound. ``fails`` are the properties that this configuration does not promise. ``alive``
    is how many calls of the host run at once, ``pieces`` how many bookings one order is.
    """

    name: str
    left: Left
    mode: RecoveryMode = RecoveryMode.FIND
    retries: int = 0
    pieces: int = 1
    alive: int = 2
    attempts: int = 2
    sends: int = 3
    window: int = 0
    exchange: int = 1
    settle: int = 2
    delay: int | None = 1
    hidden: int | None = 0
    key_ttl: int | None = None
    sweep: bool = True
    watch: int = 1000
    fails: frozenset[str] = frozenset()

    def settings(self) -> Settings:
        """The client's settings of this configuration."""
        return Settings(
            deadline_s=1e9,
            attempts=1 + self.retries,
            backoff_first_s=0,
            breaker_failures=10**9,
            send_window_s=self.window,
            exchange_max_s=self.exchange,
            settle_s=self.settle,
            ledger_attempts=self.attempts,
            ledger_sends=self.sends,
            watch_s=self.watch if self.sweep else 0,
            recover_hold_s=0,
        )


class Worker(NamedTuple):
    """A call of the host under way: where it stands, whether it waits for the carrier, which bookings it was told."""

    node: Node
    waits: bool = False
    told: tuple[str, ...] = ()


class State(NamedTuple):
    """Everything there is at one moment."""

    store: Any
    stored: Any
    books: Books
    at: int
    crew: tuple[Worker, ...]
    left: Left
    handed: tuple[tuple[int, str], ...] = ()
    started: int = 0
    before: Any = None

    def key(self) -> int:
        """What tells two states apart."""
        crew = tuple([(worker.node.id, worker.told) for worker in self.crew])
        before = self.before[1:] if self.left.failover else None
        return hash((self.stored, self.books, self.at, crew, self.left, self.handed, before))


class Broken(Exception):
    """A property does not hold."""

    def __init__(self, which: str, text: str) -> None:
        super().__init__(f"{which}: {text}")
        self.which = which


Action = tuple[str, int]


class _NoTrail:
    def tell(self, *_: object) -> None:
        """Nothing is written."""


class World:
    """One configuration at work: the real driver over the real store in memory, one action at a time."""

    def __init__(self, setup: Setup, *, merging: bool = True) -> None:
        self.setup = setup
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
        self.settled: set[Any] = set()
        self._fenced = setup.mode in (RecoveryMode.NATIVE_KEY, RecoveryMode.UNIQUE_REFERENCE)

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
            if row.phase is Phase.IN_FLIGHT and _after(row.lease_until, at):
                return True
            if row.phase in _UNSETTLED and _after(row.settle_at, at):
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
            if row.next_at and _after(row.next_at, state.at)
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

    def _refuse_second(self, state: State, mark: str, order: str) -> None:
        """P4, counted where the requests arrive: none leaves while another of the intent is under way."""
        fenced = self._fenced
        for pending in state.books.pending:
            # Where the carrier knows an identity again, one that is booked (or this one) can book nothing more.
            harmless = fenced and (pending.subject == mark or state.books.under(pending.subject))
            if pending.kind == "buy" and not harmless:
                self._fail("P4", f"{mark} was sent while {pending.subject} was under way")
        for row in state.books.live(order):
            if not (fenced and row.mark == mark):
                self._fail("P4", f"{mark} was sent while {row.booking} was live")
        if self.setup.pieces == 1 or self._lost_something(state):
            return
        for row in self.every_row(state):
            if row.phase in (Phase.IN_DOUBT, Phase.NEEDS_PERSON) and not mark.startswith(f"{row.base}-"):
                self._fail("P4", f"{mark} was sent while {row.key} was {row.phase.value}")

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

    def row(self, state: State) -> Entry | None:
        """The newest generation."""
        rows = self.rows(state)
        return rows[-1] if rows else None

    def rows(self, state: State) -> list[Entry]:
        """All generations of the key."""
        rows: list[Entry] = dict(state.store)["_rows"].get(KEY, [])
        return rows

    def every_row(self, state: State) -> list[Entry]:
        """The rows of pieces too."""
        return [row for rows in dict(state.store)["_rows"].values() for row in rows]

    def pieces(self, state: State, generation: int) -> list[Entry]:
        """The rows that one generation was bought under: its own, or those of its pieces."""
        planned = [row for row in self.every_row(state) if row.parent == (KEY, generation)]
        return planned or [row for row in self.rows(state) if row.generation == generation]

    def lost(self, state: State) -> tuple[Any, ...]:
        """Until when unknown keys may be ones that the store lost."""
        lost: tuple[Any, ...] = dict(state.store)["_lost"] or ()
        return lost[1:]

    def strays(self, state: State) -> list[Stray]:
        """Further bookings."""
        return list(dict(state.store)["_strays"].values())

    # What must stay true

    def _fail(self, which: str, text: str) -> None:
        if which not in self.setup.fails:
            raise Broken(which, text)

    def _check(self, state: State) -> None:
        live = state.books.live()
        if len({row.order for row in live}) < len(live):
            self._fail("P0", f"{' and '.join(row.booking for row in live)} are live at once")
        if state.handed:
            self._check_handed(state)
        if not state.crew and not state.books.pending:
            key = (state.stored, state.books, state.at, state.handed)
            if key not in self.settled:
                self.settled.add(key)
                self.check_rest(state)

    def _check_handed(self, state: State, *, at_rest: bool = False) -> None:
        """P5: one label is handed out, and the ledger holds it."""
        generations = [generation for generation, _ in state.handed]
        if len(set(generations)) < len(generations):
            self._fail("P5", f"two labels in two hands: {state.handed}")
        if self._lost_something(state) and not at_rest:
            return  # it has to be found first
        for generation, labels in state.handed:
            rows = self.pieces(state, generation)
            held = "+".join(row.booking for row in rows if row.result is not None)
            if held != labels:
                self._fail("P5", f"{labels} was handed out, the ledger holds {held!r}")

    def _check_label(self, state: State, generation: int, labels: str) -> None:
        """P5 too: what is handed out was not undone before anybody wished so."""
        wished = any(row.generation == generation and row.void_wanted for row in self.rows(state))
        if not {*labels.split("+")} <= {row.booking for row in state.books.live()} and not wished:
            self._fail("P5", f"the labels of {labels} were handed out, and not all are live")

    def _check_told(self, state: State, told: tuple[str, ...]) -> None:
        """P6: no label in hand is thrown away by a worker that lives."""
        for booking in told:
            if not self._lost_something(state) and not self._known(state, booking):
                self._fail("P6", f"{booking} was in a worker's hand, and the ledger does not know it")

    def _lost_something(self, state: State) -> bool:
        return state.left.failover < self.setup.left.failover

    def _known(self, state: State, booking: str) -> bool:
        return any(row.booking == booking and row.result is not None for row in self.every_row(state)) or any(
            stray.booking == booking for stray in self.strays(state)
        )

    def check_rest(self, state: State) -> None:
        """P1, P2, P3: once all is quiet and the host, or the sweep, has asked again as often as needed."""
        state = self.at_rest(state)
        live, row = state.books.live(), self.row(state)
        assert row is not None
        phase, rows = self._stands(state, row), self.pieces(state, row.generation)
        self._check_handed(state, at_rest=True)
        if phase not in _ENDS:
            self._fail("P3", f"it stays {phase.value}")
        if phase is Phase.SUCCEEDED and not all(row.complete and row.result.documents for row in rows):  # type: ignore[union-attr]
            self._fail("P2", "it is booked, and a label is in nobody's hand")
        named = " and ".join(row.booking for row in live)
        if len({b.order for b in live}) < len(live) or (live and phase in (Phase.VOIDED, Phase.REJECTED)):
            self._fail("P1", f"{named} live at rest, the key is {phase.value}")
        person = phase is Phase.NEEDS_PERSON and self.setup.mode in (RecoveryMode.NONE, RecoveryMode.NATIVE_KEY)
        if not person and not all(self._known(state, booking.booking) for booking in live):
            self._fail("P2", f"{named} live, and the ledger does not know all")
        if phase is Phase.SUCCEEDED and [row.booking for row in rows] != [b.booking for b in live]:
            self._fail("P2", f"the ledger says {[row.booking for row in rows]}, live: {named}")

    def _stands(self, state: State, row: Entry) -> Phase:
        """The row's phase; that of a parent is what its pieces say."""
        pieces = self.pieces(state, row.generation)
        phases = {piece.phase for piece in pieces}
        if row.phase is not Phase.PLANNED:
            return row.phase
        # One that the carrier would not undo, among others that are undone, is for a person to look at.
        kept = row.void_wanted and any(piece.phase is Phase.SUCCEEDED and piece.error for piece in pieces)
        if kept or Phase.NEEDS_PERSON in phases:
            return Phase.NEEDS_PERSON
        return Phase.SUCCEEDED if phases == {Phase.SUCCEEDED} and not row.void_wanted else Phase.PLANNED

    def at_rest(self, state: State) -> State:
        """After everybody has asked again, each alone, in a world that does not fail."""
        rows = tuple([row._replace(shown=True) for row in state.books.booked])
        state = state._replace(books=state.books._replace(booked=rows))
        if self.row(state) is None:
            state = self.alone(state, "create")
        for _ in range(5):
            state = self._later(state)
            if self.setup.sweep:
                state = self._later(self.alone(state, "recover"))
            row = self.row(state)
            if row is None:
                raise Broken("P3", "the host asks, and there is no row")
            if row.void_wanted and row.phase is not Phase.VOIDED:
                state = self.alone(state, "cancel")
            elif row.phase not in (Phase.VOIDED, Phase.CLOSED):
                state = self.alone(state, "create")
        return state

    def _later(self, state: State) -> State:
        """Everything has settled, and what is to be looked at is due."""
        due = [int(row.next_at.timestamp() - _EPOCH) for row in self.every_row(state) if row.next_at is not None]
        step = self.setup.window + self.setup.exchange + self.setup.settle + 1
        return state._replace(at=max(state.at + step, *due, 0))

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


def _after(time: Any, at: int) -> bool:
    return time is not None and time.timestamp() - _EPOCH > at


def moment(at: int) -> Any:
    """A tick as the store's time."""
    return sea.START + timedelta(seconds=at)
