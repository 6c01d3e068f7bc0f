"""The real driver, one effect at a time: what a worker does next, given all that it was told so far.

A generator cannot be copied, so a worker is a place in a tree of what it has been told: each place is reached by
running the driver's own code from its start. A place that was reached once is remembered, for the driver draws no
number and reads no clock by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from datetime import date, datetime
from enum import Enum
from types import GeneratorType, MethodType
from typing import Any, NamedTuple

import attrs

from shipkit.client import purchases
from shipkit.client.desk import Desk
from shipkit.errors import NotSentError, PluginError, ShipkitError
from shipkit.flow import Call, Done, Emit, Fork, Now, Response, Sleep, Transmit
from shipkit.model import Shipment, ShipmentRequest
from shipkit.policy import Context
from shipkit.ports import Entry, Kept, Stray
from tests.core.acme import request as order_of_acme
from tests.ledger_model.carrier import START

KEY = "order"
ALIAS = "plain"

# What changes nothing in the store.
READS = frozenset({"read", "strays", "open_strays", "entries", "history", "pieces", "now"})

# Readings of the clock in the ledger's rooms that only serve the deadline of a call, which has no end here. So do all
# of the rules of sending and of the desk; any other one is a step of its own.
_DEADLINES = frozenset({"_in_time", "_written"})


def order(packages: int = 1) -> ShipmentRequest:
    """What the host ships."""
    return order_of_acme("SO042", packages)


class Outcome(NamedTuple):
    """How a call of the host ended: the labels that it was handed, or the code of the error."""

    labels: tuple[tuple[int, str], ...] = ()
    error: str = ""
    voided: bool = False


class Raised(NamedTuple):
    """An error that an effect comes back with."""

    kind: type[ShipkitError]
    text: str = ""


class Brief(NamedTuple):
    """A call of the host: what, and by which worker."""

    kind: str
    number: int


class Node:
    """A place in the tree: what the worker wants to do next (or its outcome), and what it was told to get there."""

    __slots__ = ("brief", "children", "clock", "effect", "id", "live", "outcome", "parent", "told", "tree", "wrote")

    def __init__(self, tree: Tree, brief: Brief, parent: Node | None, told: Any) -> None:
        self.tree, self.brief, self.parent, self.told = tree, brief, parent, told
        self.children: dict[Any, Node] = {}
        self.effect: Any = None
        self.outcome: Outcome | None = None
        self.live: Runner | None = None
        self.id = tree.numbered()
        self.wrote = parent is not None and parent.changes
        # The reading of its clock that a worker's send window began with.
        self.clock: float | None = told if isinstance(told, float) else parent.clock if parent is not None else None

    def after(self, result: Any) -> Node:
        """Where the worker stands once its effect came back with *result*, a value or an error to raise."""
        key = key_of(result)
        child = self.children.get(key)
        if child is None:
            runner = self.live or self.tree.replayed(self)
            self.live = None
            child = Node(self.tree, self.brief, self, result)
            child.arrive(runner, result)
            child = self.children[key] = self.tree.met(child)
        return child

    def arrive(self, runner: Runner, result: Any) -> None:
        """Run up to the next effect that others can see."""
        try:
            self.effect = runner.advance(result)
            self.live = runner
        except StopIteration as stop:
            self.outcome = _outcome(stop.value)
        except PluginError as error:
            raise AssertionError(f"the driver broke: {error}") from error
        except ShipkitError as error:
            self.outcome = Outcome(error=error.code)

    @property
    def changes(self) -> bool:
        """Whether others see the effect; a worker that dies after any other might as well have died before it."""
        if isinstance(self.effect, Call):
            return _method(self.effect).__name__ not in READS
        return isinstance(self.effect, Transmit)


class Runner:
    """One run of the driver: performs what nobody else can see, and stops before each effect that others can."""

    def __init__(self, run: Generator[Any, Any, Any]) -> None:
        self.run = run
        self.flat = _flat(run)
        self.effect: Any = None

    def advance(self, result: Any) -> Any:
        """The next effect to be seen, once the last one came back with *result*."""
        if isinstance(self.effect, Transmit):
            self.effect.left = not (isinstance(result, Raised) and result.kind is NotSentError)
        self.effect = self._next(result)
        return self.effect

    def _next(self, result: Any) -> Any:
        effect = self.flat.throw(result.kind(result.text)) if isinstance(result, Raised) else self.flat.send(result)
        while True:
            match effect:
                case Emit() | Sleep():
                    effect = self.flat.send(None)
                case Now() if not _counts(self.flat):
                    effect = self.flat.send(0.0)
                case Call() if (name := _method(effect).__name__) == "salt":
                    effect = self.flat.send("salt")
                case Call() if name in ("reserve", "release", "get"):
                    raise AssertionError(f"the model's carrier has neither tokens nor limits, yet {name} was called")
                case _:
                    return effect

    def place(self) -> Any:
        """Where the run stands and all that it still knows: two runs of one place do the same from now on."""
        return tuple([_standing(generator) for generator in _chain(self.flat)])

    def close(self) -> None:
        """The worker dies: what it wanted to do on the way out is not done."""
        try:
            self.flat.close()
        except RuntimeError:
            pass


def _flat(run: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """*run* with whatever it does side by side done one after the other."""
    result: Any = None
    while True:
        try:
            effect = run.throw(result) if isinstance(result, BaseException) else run.send(result)
        except StopIteration as stop:
            return stop.value
        if isinstance(effect, Fork):
            done = []
            for part in effect.runs:
                try:
                    done.append(Done((yield from _flat(part))))
                except ShipkitError as error:
                    done.append(Done(error=error))
            result = tuple(done)
            continue
        try:
            result = yield effect
        except GeneratorExit:
            run.close()
            raise
        except BaseException as error:
            result = error


def _counts(flat: Any) -> bool:
    """Whether the time that is asked for decides anything: who asks stands above ``now`` in the chain of generators."""
    code = [generator.gi_code for generator in _chain(flat)][-2]
    return "/shipkit/ledger/" in code.co_filename and code.co_name not in _DEADLINES


def _chain(flat: Any) -> Iterator[Any]:
    """The generators that wait for each other, outermost first."""
    generator = flat
    while generator is not None:
        yield generator
        deeper = generator.gi_yieldfrom
        if deeper is None and generator.gi_code is _flat.__code__:
            deeper = generator.gi_frame.f_locals["run"]
        generator = deeper


def _standing(generator: Any) -> Any:
    frame = generator.gi_frame
    if generator.gi_code is _flat.__code__:
        held = frame.f_locals
        beside = held["effect"].runs if isinstance(held.get("effect"), Fork) else ()
        return frame.f_lasti, _known_as(held.get("done")), tuple([_known_as(part) for part in beside])
    values = sorted(frame.f_locals.items())
    return generator.gi_code, frame.f_lasti, tuple([(name, _known_as(value)) for name, value in values])


def _known_as(value: Any) -> Any:
    """*value*, held by a run, as something to compare; what a run never changes counts by its kind."""
    match value:
        case None | bool() | int() | float() | str() | datetime() | Enum():
            return value
        case GeneratorType():
            return _standing(value) if value.gi_frame is not None else "over"
        case BaseException():
            return type(value), value.__dict__.get("carrier_code", "")
        case Context():
            return value.not_after, value.purchase_left, value.until
        case ShipmentRequest():
            return value.mark
        case Done():
            return _known_as(value.value), _known_as(value.error)
        case tuple() | list():
            return tuple([_known_as(item) for item in value])
        case Entry() | Stray() | Shipment() | Response():
            return key_of(value)
    if type(value).__module__.startswith("shipkit.ledger") and hasattr(value, "__dict__"):
        return tuple([(name, _known_as(item)) for name, item in vars(value).items()])
    return type(value)


def _method(effect: Call) -> Any:
    function: Any = effect.function
    return getattr(function, "func", function)


class Tree:
    """Every place that workers of one configuration have reached."""

    def __init__(self, desk: Callable[[Callable[[], str]], Desk], packages: int = 1, *, merging: bool = True) -> None:
        self._desk = desk
        self._merging = merging
        self._places: dict[Any, Node] = {}
        self._roots: dict[Brief, Node] = {}
        self._count = 0
        self.replays = 0
        self.request = order(packages)

    def __len__(self) -> int:
        return self._count

    def numbered(self) -> int:
        self._count += 1
        return self._count

    def met(self, node: Node) -> Node:
        """The node that stands where *node* stands, if there was one before."""
        if node.live is None:
            key: Any = (node.brief, node.outcome)
        elif self._merging:
            key = (node.brief, node.clock, node.wrote, node.live.place())
        else:
            return node
        known = self._places.setdefault(key, node)
        if known is not node and node.live is not None:
            if known.live is None:
                known.live = node.live
            else:
                node.live.close()
            node.live = None
        return known

    def root(self, brief: Brief) -> Node:
        """Where the worker of *brief* begins."""
        root = self._roots.get(brief)
        if root is None:
            root = self._roots[brief] = Node(self, brief, None, None)
            root.arrive(self._begun(brief), None)
        return root

    def replayed(self, node: Node) -> Runner:
        """The driver run anew to where it stands at *node*."""
        way = [node]
        while (parent := way[-1].parent) is not None:
            way.append(parent)
        self.replays += 1
        runner = self._begun(node.brief)
        for place in reversed(way):
            does, did = named(runner.advance(place.told)), named(place.effect)
            assert does == did, f"told the same, it does {does} in place of {did}"
        return runner

    def close(self) -> None:
        """End every run that still waits."""
        waiting = list(self._roots.values())
        while waiting:
            node = waiting.pop()
            waiting += node.children.values()
            if node.live is not None:
                node.live.close()
                node.live = None
        self._roots.clear()

    def _begun(self, brief: Brief) -> Runner:
        drawn = iter(f"w{brief.number}.{n}" for n in range(1000))
        return Runner(KINDS[brief.kind](self._desk(drawn.__next__), self.request))


def _create(desk: Desk, request: ShipmentRequest) -> Any:
    return purchases.purchase(desk, purchases.CREATE_SHIPMENT, request, ALIAS, KEY, None)


def _cancel(desk: Desk, request: ShipmentRequest) -> Any:
    return purchases.cancel(desk, KEY, None)


def _recover(desk: Desk, request: ShipmentRequest) -> Any:
    return purchases.recover(desk, 100, None)


KINDS: dict[str, Callable[[Desk, ShipmentRequest], Any]] = {"create": _create, "cancel": _cancel, "recover": _recover}


def _outcome(value: Any) -> Outcome:
    if isinstance(value, tuple):
        labels = tuple([_label(done.value) for _, done in value if isinstance(done.value, Shipment)])
        return Outcome(labels=labels)
    if isinstance(value, Shipment):
        return Outcome(labels=(_label(value),))
    return Outcome(voided=True)


def _label(shipment: Shipment) -> tuple[int, str]:
    """The generation that was handed out, and whose labels they are: as printed, one for each booking."""
    printed = [(document.content or b"%PDF-1.4 nothing").split()[1].decode() for document in shipment.documents]
    return shipment.generation or 0, "+".join(printed)


_UNSEEN = frozenset({"request", "created_at", "updated_at", "note"})
_ENTRY = tuple(field.name for field in attrs.fields(Entry) if field.name not in _UNSEEN)
_STRAY = tuple(field.name for field in attrs.fields(Stray))
_known: dict[int, tuple[Any, Any]] = {}


def key_of(value: Any) -> Any:
    """*value* as something to compare: what the driver can tell apart in it."""
    if isinstance(value, (Entry, Stray)):
        known = _known.get(id(value))
        if known is None or known[0] is not value:
            if len(_known) > 200_000:
                _known.clear()
            names = _ENTRY if isinstance(value, Entry) else _STRAY
            known = _known[id(value)] = (value, tuple([key_of(getattr(value, name)) for name in names]))
        return known[1]
    if isinstance(value, Shipment):
        return value.shipment_id, value.state, value.generation
    if isinstance(value, (Raised, Response)):
        return value if isinstance(value, Raised) else (value.status, value.content)
    if isinstance(value, (tuple, list)):
        return tuple([key_of(item) for item in value])
    if isinstance(value, dict):
        return frozenset([(name, key_of(item)) for name, item in value.items()])
    if attrs.has(type(value)) and not isinstance(value, Kept):
        return type(value).__name__
    return value


def today() -> date:
    """The day at the place where the model runs."""
    return START.date()


def of_store(effect: Call) -> MethodType:
    """The store's method that *effect* calls."""
    return _method(effect)  # type: ignore[no-any-return]


def named(effect: Any) -> str:
    """The effect in a word."""
    return str(_method(effect).__name__) if isinstance(effect, Call) else type(effect).__name__.lower()
