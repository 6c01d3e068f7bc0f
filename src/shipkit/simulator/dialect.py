"""How a carrier speaks: the base class that a plugin's simulator derives from.

A dialect is the carrier's side of the conversation: it reads the carrier's own requests, changes the :class:`World`
and answers in the carrier's own words. Server, faults, time, counting and the admin interface are the framework's.

    class AcmeDialect(Dialect):
        code = "acme"

        @route("POST", "/v2/shipments", operation="create_shipment", purchase=True)
        def create(self, call: Call) -> Reply:
            ...
            return Reply.json({"awb": booking.numbers[0]})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import attrs

from .calls import BadCallError, Call, Reply
from .journeys import Step
from .records import NotInBooksError, Subscription
from .world import World

__all__ = ["Dialect", "Push", "Route", "route"]

Handler = Callable[[Any, Call], Reply]
H = TypeVar("H", bound=Handler)


@attrs.frozen(kw_only=True)
class Route:
    """One operation of the dialect: its path template and handler (``/v2/shipments/{id}``: a name takes one segment).

    ``purchase`` marks what costs money or moves goods: the faults that hurt most aim at these, and their arrivals are
    counted per mark.
    """

    method: str
    template: str
    operation: str
    purchase: bool
    handler: str
    pattern: re.Pattern[str]


@attrs.frozen(kw_only=True)
class Push:
    """One message from the carrier to a subscriber."""

    url: str
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    proof: str = ""
    """The header that proves who sends it, where there is one."""

    def unsigned(self) -> Push:
        """The same without the proof: what a stranger would send."""
        left = {name: value for name, value in self.headers.items() if name.lower() != self.proof.lower()}
        return attrs.evolve(self, headers=left)


def route(method: str, template: str, *, operation: str, purchase: bool = False) -> Callable[[H], H]:
    """Let a method of a dialect answer *operation*; several routes may stand above one method.

    SOAP dialects give all their routes the same path: then :meth:`Dialect.operation_of` decides.
    """

    def mark(handler: H) -> H:
        routes: list[Route] = handler.__dict__.setdefault("_routes", [])
        routes.append(
            Route(
                method=method.upper(),
                template=template,
                operation=operation,
                purchase=purchase,
                handler=handler.__name__,
                pattern=_pattern(template),
            )
        )
        return handler

    return mark


class Dialect:
    """One carrier's own language. State lives in :attr:`world` only, so that a reset forgets everything."""

    code: ClassVar[str] = ""  #: the carrier's code, as the plugin's entry point is named
    routes: ClassVar[tuple[Route, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        found: dict[str, Any] = {}
        for parent in reversed(cls.__mro__):
            found.update({name: member for name, member in vars(parent).items() if hasattr(member, "_routes")})
        cls.routes = tuple(route for member in found.values() for route in reversed(member._routes))

    def __init__(self, world: World | None = None) -> None:
        self.world = world if world is not None else World()

    #: Seconds (of the carrier's time) after a failed push at which it is tried again, one entry per try.
    #: A test may set another on its own dialect.
    push_retries: tuple[float, ...] = (60, 600, 3600)

    # What a dialect may override

    def operation_of(self, call: Call) -> str:
        """The operation's name where path and method do not tell it: SOAP dialects return ``call.soap_operation()``.

        Empty (the default): the first route whose method and path fit answers.
        """
        return ""

    def mark_of(self, call: Call) -> str:
        """The mark that a purchase carries in the field the plugin chose for it; empty where there is none."""
        return ""

    def reference_of(self, call: Call) -> str:
        """The host's order number in a purchase; empty where there is none."""
        return ""

    def failure(self, status: int, call: Call) -> Reply:
        """How this carrier words a failure of its own: 404, 429, 500, 503 and so on."""
        return Reply.json({"error": {"status": status}}, status)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        """An error of this carrier inside HTTP 200, for the fault ``200_with_error``.

        *committed* is true when the call has been carried out all the same: then it must be an error that proves
        nothing, else a refusal that means nothing happened.
        """
        return Reply.json({"error": {"status": 500 if committed else 400}})

    def unauthorised(self, call: Call) -> Reply:
        """How this carrier refuses a credential or a token."""
        return self.failure(401, call)

    def pushes(self, step: Step, subscription: Subscription) -> Push | None:
        """What is sent to *subscription* for *step*; None where the carrier sends nothing (the default)."""
        return None

    # What the framework calls

    def find_route(self, call: Call) -> tuple[Route, Mapping[str, str]] | None:
        """The route that answers *call* and the values of its path's names."""
        fitting = [
            (candidate, found.groupdict())
            for candidate in self.routes
            if candidate.method == call.method.upper() and (found := candidate.pattern.fullmatch(call.path))
        ]
        if name := self.operation_of(call):
            fitting = [(candidate, params) for candidate, params in fitting if candidate.operation == name]
        return fitting[0] if fitting else None

    def handle(self, call: Call) -> Reply:
        """Carry *call* out and answer it. This is the moment at which a purchase is in the books.

        A body that cannot be read is answered with ``failure(400)``; an unknown path, and anything the books do not
        have, with ``failure(404)``.
        """
        found = self.find_route(call)
        if found is None:
            return self._file(call) or self.failure(404, call)
        chosen, params = found
        handler: Handler = getattr(type(self), chosen.handler)
        try:
            return handler(self, attrs.evolve(call, params=params, operation=chosen.operation))
        except BadCallError:
            return self.failure(400, call)
        except NotInBooksError:
            return self.failure(404, call)

    def operations(self) -> Iterable[str]:
        """The names of all operations, each once."""
        return dict.fromkeys(candidate.operation for candidate in self.routes)

    def _file(self, call: Call) -> Reply | None:
        if call.method != "GET" or call.path not in self.world.files:
            return None
        content, media_type = self.world.files[call.path]
        return Reply.raw(content, media_type)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    return re.compile(
        "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    )
