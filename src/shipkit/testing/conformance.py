"""The common suite: what every plugin keeps to, whoever wrote it.

A plugin's tests subclass `CarrierConformance`, give the account and the conversations that were recorded with the
carrier, and pytest runs the checks. A check that cannot hold is named in ``unsupported`` with the reason; an empty
reason fails, and so does a reason for something that passes.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest import mock

import attrs
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shipkit import carrier as capabilities
from shipkit import model as m
from shipkit.carrier import Carrier
from shipkit.constraints import problems, wrapped
from shipkit.errors import InputError, ShipkitError
from shipkit.flow import Flow, Request
from shipkit.model.documents import content_fits

from .arguments import arguments_of
from .breaking import put
from .conversations import Conversation, escaped, parts, total
from .playing import Reply
from .reading import plain, said
from .recordings import differences
from .soundness import unsound
from .source import faults_of
from .spoiling import mutations
from .unknown import with_unknown_codes

__all__ = ["CarrierConformance", "operations_of"]

# The rule of each operation: its protocol, and whether it may be sent twice without harm (domain/operations.csv).
_LOOK_UPS = {
    "rates": capabilities.Rates,
    "transit_times": capabilities.EstimatesTransit,
    "find_shipments": capabilities.FindsShipments,
    "documents": capabilities.Documents,
    "track": capabilities.Tracks,
    "track_many": capabilities.TracksMany,
    "service_points": capabilities.ServicePoints,
    "check_address": capabilities.ValidatesAddresses,
}
_PURCHASES = {
    "create_shipment": capabilities.Ships,
    "create_return": capabilities.Returns,
    "book_pickup": capabilities.BooksPickups,
    "close_manifest": capabilities.Manifests,
    "insure": capabilities.Insures,
    "subscribe": capabilities.Subscribes,
    "refund": capabilities.Refunds,
    "cancel_shipment": capabilities.Cancels,
    "cancel_pickup": capabilities.CancelsPickups,
}
_EXAMPLES = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # the first example says enough, a smaller one costs minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def operations_of(carrier: Carrier) -> list[str]:
    """The operations that *carrier* has, by the names of its methods."""
    return [name for name in (*_LOOK_UPS, *_PURCHASES) if callable(getattr(carrier, name, None))]


class CarrierConformance:
    """Subclass it, give the fixture ``carrier``, and what was recorded in ``conversations``."""

    unsupported: ClassVar[Mapping[str, str]] = {}
    """Checks that cannot hold for this carrier, each with the reason."""

    @pytest.fixture
    def carrier(self) -> Carrier:
        """The account that is checked; no credential needs to be real."""
        raise NotImplementedError("give the suite an account: override the fixture carrier")

    @pytest.fixture
    def conversations(self) -> Sequence[Conversation]:
        """What the carrier really answered; the more, the more is checked."""
        return ()

    def arguments(self, carrier: Carrier) -> Mapping[str, st.SearchStrategy[Any]]:
        """What each operation is called with: made from the facts. Override an entry that facts cannot describe."""
        return arguments_of(carrier)

    # The checks

    def test_capabilities(self, carrier: Carrier) -> None:
        """What the facts declare is there with the signature of its protocol, and nothing else is."""
        self._check("capabilities", lambda: self._capabilities(carrier))

    def test_pure_requests(self, carrier: Carrier) -> None:
        """Calling an operation sends nothing, and the same input gives the same request."""
        self._check("pure_requests", lambda: self._pure_requests(carrier))

    def test_no_io(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """A conversation opens no socket and depends on nothing but its replies."""
        self._check("no_io", lambda: self._no_io(carrier, conversations))

    def test_source(self, carrier: Carrier) -> None:
        """No flow is called and dropped; nothing that sends, waits or draws is imported."""
        self._check("source", lambda: _none(faults_of(carrier)))

    def test_purchases(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """A look-up may be sent twice; of a purchase, one request at most may not."""
        self._check("purchases", lambda: self._purchases(carrier, conversations))

    def test_closing(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """A conversation can be left after any step."""
        self._check("closing", lambda: self._closing(carrier, conversations))

    def test_recordings(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """Every recorded conversation ends as it must."""
        self._check("recordings", lambda: self._recordings(carrier, conversations))

    def test_replies(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """Any reply whatever ends in a value or in a typed error that says where it does not fit."""
        self._check("replies", lambda: self._replies(carrier, conversations))

    def test_events(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """Events keep the carrier's codes; one that is not known moves nothing; reading twice gives the same."""
        self._check("events", lambda: self._events(carrier, conversations))

    def test_documents(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """Documents are what they say, and labels cover every package."""
        self._check("documents", lambda: self._documents(carrier, conversations))

    def test_charges(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """Charges add up to the total, in one currency."""
        self._check("charges", lambda: self._charges(carrier, conversations))

    def test_texts(self, carrier: Carrier) -> None:
        """Long, foreign and empty texts are sent whole, or refused by the field's name."""
        self._check("texts", lambda: self._texts(carrier))

    def test_customs(self, carrier: Carrier) -> None:
        """Customs data reach the carrier."""
        self._check("customs", lambda: self._customs(carrier))

    def test_secrets(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        """No secret of the account stands in a repr or in an error."""
        self._check("secrets", lambda: self._secrets(carrier, conversations))

    # How they are judged

    def _check(self, name: str, check: Callable[[], None]) -> None:
        reason = self.unsupported.get(name)
        if reason is None:
            check()
            return
        if not reason.strip():
            pytest.fail(f"{name} is said to be unsupported without a reason")
        try:
            check()
        except (AssertionError, pytest.fail.Exception, pytest.skip.Exception):
            pytest.skip(f"unsupported: {reason}")
        pytest.fail(f"{name} passes: it is supported, take its reason away")

    def _capabilities(self, carrier: Carrier) -> None:
        facts = carrier.facts()
        assert facts.code == type(carrier).code, "the facts are another carrier's"
        _none(unsound(facts))
        for name, protocol in {**_LOOK_UPS, **_PURCHASES}.items():
            declared, method = facts.operations.get(m.Operation(name)), getattr(type(carrier), name, None)
            support = declared.support if declared is not None else m.Support.NO
            offered = support in (m.Support.YES, m.Support.EMULATED)
            assert offered == (method is not None), f"{name}: the facts say {support}, the class otherwise"
            if method is not None:
                wanted = inspect.signature(getattr(protocol, name)).parameters
                assert len(inspect.signature(method).parameters) == len(wanted), f"{name} has another signature"
                assert inspect.isgeneratorfunction(method), f"{name} is no generator: it has no yield"
        bills = facts.operations.get(m.Operation.INVOICES)
        reads = bills is not None and bills.support in (m.Support.YES, m.Support.EMULATED)
        assert reads == capabilities.able(carrier, capabilities.ReadsInvoices), "invoices: facts and class disagree"
        assert facts.hosts.get(m.Environment.PRODUCTION), "the facts name no host to talk to"

    def _pure_requests(self, carrier: Carrier) -> None:
        for name, argument in self._called(carrier).items():
            self._pure(carrier, name, argument)

    def _pure(self, carrier: Carrier, name: str, argument: st.SearchStrategy[Any]) -> None:
        sent: list[Request] = []

        @_EXAMPLES
        @given(argument)
        def same(given_: Any) -> None:
            with _sealed():
                one, other = (_first(getattr(carrier, name), given_) for _ in range(2))
            if isinstance(one, Request):
                assert one == other, f"{name}: the same input gave two different requests"
                sent.append(one)
                return
            assert isinstance(one, InputError), f"{name} raises {one!r} before anything is sent"
            checked = isinstance(given_, (m.ShipmentRequest, m.RateRequest))
            assert not checked, f"{name} refuses what facts and problems() let through: {one}"

        same()
        assert sent, f"{name} refuses everything that it is asked"

    def _called(self, carrier: Carrier) -> dict[str, st.SearchStrategy[Any]]:
        arguments = self.arguments(carrier)
        return {name: arguments[name] for name in operations_of(carrier) if name in arguments}

    def _no_io(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        for conversation in _given(conversations):
            with _sealed() as opened:
                one, other = conversation.play(carrier), conversation.play(carrier)
            assert not opened, f"{conversation.operation} opens a socket: it yields a request, and the client sends it"
            assert one.requests == other.requests, f"{conversation.operation} sends something else the second time"
            assert repr(one.error) == repr(other.error)
            assert one.result == other.result, f"{conversation.operation} reads something else the second time"

    def _purchases(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        for conversation in _given(conversations):
            sent = conversation.play(carrier).requests
            bought = [request.name for request in sent if not request.replayable]
            if conversation.operation in _LOOK_UPS or conversation.operation == "authenticate":
                assert not bought, f"{conversation.operation} is a look-up: {bought[0]} must be replayable"
            assert len(bought) <= 1, f"{conversation.operation} has more than one purchase: {', '.join(bought)}"
            if conversation.operation == "create_shipment" and conversation.error is None:
                native = carrier.facts().recovery.mode is m.RecoveryMode.NATIVE_KEY
                assert bought or native, "create_shipment has no purchase: it would be sent twice"
        shipped = any(one.operation == "create_shipment" and one.error is None for one in conversations)
        if "create_shipment" in operations_of(carrier) and not shipped:
            pytest.skip("no conversation of a booking is given: whether its purchase is marked stays open")

    def _closing(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        for conversation in _given(conversations):
            for steps in range(len(conversation.replies)):
                flow = conversation.flow(carrier)
                request = next(flow)
                for reply in conversation.replies[:steps]:
                    try:
                        request = flow.send(reply.to(request))
                    except (StopIteration, ShipkitError):
                        break
                flow.close()  # a RuntimeError here: it yields, or waits for something, while it is being left

    def _recordings(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        for conversation in _given(conversations):
            played = conversation.play(carrier)
            if conversation.error is not None:
                played.raised(conversation.error)
            else:
                assert played.value is not None, f"{conversation.operation} makes nothing of {conversation.source}"
            for sent, recorded in zip(played.requests, conversation.requests, strict=bool(conversation.requests)):
                _none([f"{conversation.operation}, {line}" for line in differences(sent, recorded)])

    def _replies(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        for conversation in _given(conversations):
            for index in range(len(conversation.replies)):
                self._spoilt(carrier, conversation, index)

    def _spoilt(self, carrier: Carrier, conversation: Conversation, index: int) -> None:
        @_EXAMPLES
        @given(mutations(conversation.replies[index]))
        def typed(mutation: Any) -> None:
            error = conversation.spoilt(carrier, index, mutation.reply).error
            where = f"{conversation.operation}, reply {index + 1}, {mutation.name}"
            assert error is None or isinstance(error, ShipkitError), f"{where}: {error!r}"
            assert error is None or not escaped(error), f"{where}: {error} (its cause: {error.__cause__!r})"

        typed()

    def _events(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        tracked = _given([one for one in conversations if one.operation == "track" and one.error is None], "track")
        for conversation in tracked:
            result, again = conversation.play(carrier).value, conversation.play(carrier).value
            assert result == again, "the same reply gives other events the second time"
            for event in result.events:
                assert event.code, "an event without the carrier's code"
                assert event.milestone is not m.Milestone.UNKNOWN, "an event that says nothing has no milestone"
                assert event.time.instant is None or event.time.instant.tzinfo is not None
            codes = {event.code for event in result.events}
            replies = tuple(with_unknown_codes(reply, codes) for reply in conversation.replies)
            if replies != conversation.replies:
                changed = conversation.play(carrier, *replies).value
                assert len(changed.events) == len(result.events), "an event with an unknown code was lost"
                unknown = [event for event in changed.events if event.code not in codes]
                assert unknown, "an unknown code was not kept"
                assert all(event.milestone is None for event in unknown), "an unknown code moves the parcel"

    def _documents(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        booked = [
            shipment
            for conversation in _given(conversations)
            if conversation.error is None
            for shipment in parts(conversation.play(carrier).value)
            if isinstance(shipment, (m.Shipment, m.Document))
        ]
        hosts = {host for names in carrier.facts().document_hosts.values() for host in names}
        papers = [paper for value in booked for paper in parts(value) if isinstance(paper, m.Document)]
        if not papers:
            pytest.skip("no conversation with a document is given")
        for paper in papers:
            assert (paper.content is None) != (paper.url is None), "a document has a content or an address"
            if paper.content is not None:
                assert content_fits(paper.format, paper.content), f"it is no {paper.format}"
            else:
                host = str(paper.url).split("/")[2]
                assert host in hosts or carrier.base_url, f"{host} is no host of the facts' document_hosts"
        for shipment in booked:
            if isinstance(shipment, m.Shipment) and shipment.documents:
                _labels_cover(shipment)

    def _charges(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        values = [conversation.play(carrier).value for conversation in conversations if conversation.error is None]
        priced = [
            value
            for answer in values
            for value in parts(answer)
            if isinstance(value, (m.RateQuote, m.Shipment)) and value.total is not None and value.charges
        ]
        if not priced:
            pytest.skip("no conversation with a broken-down price is given")
        for value in priced:
            assert value.total is not None
            amount, currencies = total(charge.amount for charge in value.charges)
            assert currencies == {value.total.currency}, "charges in another currency than their total"
            assert amount == value.total.amount, f"charges of {amount} for a total of {value.total}"

    def _texts(self, carrier: Carrier) -> None:
        requests = self.arguments(carrier).get("create_shipment")
        if requests is None:
            pytest.skip("it does not ship")

        @settings(_EXAMPLES, max_examples=5)
        @given(requests)
        def whole(request: m.ShipmentRequest) -> None:
            for path in _TEXT_FIELDS:
                for text in _TEXTS:
                    self._text(carrier, request, path, text)

        whole()

    def _text(self, carrier: Carrier, request: m.ShipmentRequest, path: str, text: str) -> None:
        new = put(request, path, (text,) if path.endswith("lines") else text)
        found = _problems(carrier, new)
        if not found:
            sent = _first(carrier.create_shipment, wrapped(new, carrier.facts()))  # type: ignore[attr-defined]
            if isinstance(sent, InputError):
                found = list(sent.problems)
            else:
                assert isinstance(sent, Request), f"{path}: {sent!r}"
                lost = [word for word in text.split() if not _holds(sent, word)]
                assert not lost, f"{path}: the request does not hold {lost[0]!r}"
        assert all(problem.path.startswith("/") for problem in found)

    def _customs(self, carrier: Carrier) -> None:
        requests = self.arguments(carrier).get("create_shipment")
        assert requests is not None, "it does not ship"
        reached: list[bool] = []

        @settings(_EXAMPLES, max_examples=60)
        @given(requests)
        def declared(request: m.ShipmentRequest) -> None:
            if request.customs is None:
                return
            sent = _first(carrier.create_shipment, wrapped(request, carrier.facts()))  # type: ignore[attr-defined]
            assert isinstance(sent, Request), f"customs data: {sent!r}"
            codes = [line.hs_code for line in request.customs.lines if line.hs_code]
            reached.append(True)
            assert all(_holds(sent, code) for code in codes), "the request does not hold the tariff numbers"

        declared()
        assert reached, "no lane of the facts needs customs data"

    def _secrets(self, carrier: Carrier, conversations: Sequence[Conversation]) -> None:
        bare = [
            field.name
            for field in attrs.fields(type(carrier))
            if _sounds_secret(field.name) and not field.metadata.get("secret")
        ]
        assert not bare, f"{', '.join(bare)}: by its name a secret, and not marked with secret()"
        secrets = [
            text
            for field in attrs.fields(type(carrier))
            if field.metadata.get("secret")
            for text in _texts_of(getattr(carrier, field.name))
        ]
        shown = {"the repr of the account": repr(carrier)}
        for conversation in conversations:
            for status in (400, 401, 500):
                refusal = Reply(status=status, content=conversation.replies[0].content)
                played, where = conversation.spoilt(carrier, 0, refusal), f"after HTTP {status} to"
                shown[f"{where} {conversation.operation}, the repr of a request"] = repr(played.requests)
                shown[f"{where} {conversation.operation}, the repr of a response"] = repr(played.responses)
                shown[f"{where} {conversation.operation}, the error"] = f"{played.error!r} {played.error}"
        told = [place for place, line in shown.items() if any(text in line for text in secrets)]
        assert not told, f"a secret is shown: {told[0]}"


_SECRET_WORDS = frozenset(("secret", "password", "token", "key"))
_TEXT_FIELDS = (
    "/ship_to/contact/name",
    "/ship_to/contact/company",
    "/ship_to/address/city",
    "/ship_to/address/lines",
    "/ship_from/address/city",
    "/ship_from/address/lines",
)
_TEXTS = (
    "Łódź",
    "東京都",
    "Αθήνα",
    'Zoë & Søn <b>"quoted"</b>',
    "x" * 200,
    "long " * 40,
    "e\N{COMBINING ACUTE ACCENT}tage",
)


def _sounds_secret(name: str) -> bool:
    words = set(name.split("_"))
    return not words.isdisjoint(_SECRET_WORDS) and "public" not in words


def _none(faults: list[str]) -> None:
    assert not faults, "; ".join(faults)


def _given(conversations: Sequence[Conversation], operation: str = "") -> Sequence[Conversation]:
    if not conversations:
        pytest.skip(f"no recorded conversation{f' of {operation}' if operation else ''} is given")
    return conversations


def _first(operation: Callable[[Any], Any], argument: Any) -> Request | ShipkitError:
    """The first request of an operation, or the error that came instead of it."""
    flow: Flow[Any] = operation(argument)
    assert hasattr(flow, "send"), "an operation is a generator"
    try:
        request = next(flow)
    except ShipkitError as error:
        return error
    finally:
        flow.close()
    return request


def _problems(carrier: Carrier, request: m.ShipmentRequest) -> list[m.Problem]:
    found = list(problems(request, carrier.facts(), schema=carrier.options_schema()))
    checks: object = carrier
    if not found and isinstance(checks, capabilities.ChecksRequests):
        found = list(checks.problems(wrapped(request, carrier.facts())))
    return found


def _holds(request: Request, text: str) -> bool:
    """Whether the body says *text*, in whatever way its format writes it: some carriers take plain capitals only."""
    wanted = plain(text)
    return any(wanted in plain(one) for one in said(request.content))


def _labels_cover(shipment: m.Shipment) -> None:
    labels = [
        paper for paper in shipment.documents if paper.kind in (m.DocumentKind.LABEL, m.DocumentKind.RETURN_LABEL)
    ]
    covered = {ref for paper in labels for ref in paper.package_refs}
    everything = any(not paper.package_refs for paper in labels)
    missing = {package.ref for package in shipment.packages} - covered
    assert not labels or everything or not missing, f"no label for the packages {', '.join(sorted(missing))}"


def _texts_of(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > 3:
            yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _texts_of(item)


@contextmanager
def _sealed() -> Iterator[list[str]]:
    """Within this, whoever opens a connection fails, and is noted."""
    opened: list[str] = []

    def refuse(*_: object, **__: object) -> None:
        opened.append("a connection")
        raise AssertionError("a flow opens no socket: it yields a request, and the client sends it")

    with mock.patch.object(socket.socket, "connect", refuse), mock.patch.object(socket, "getaddrinfo", refuse):
        yield opened
