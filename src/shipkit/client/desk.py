"""Every operation of a client, once, as runs over effects; `Client` and `AsyncClient` only perform them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from .. import model as m
from ..carrier import (
    Carrier,
    ChecksRequests,
    Documents,
    EstimatesTransit,
    Rates,
    ServicePoints,
    Tracks,
    ValidatesAddresses,
    able,
)
from ..errors import (
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    LabelPendingError,
    NotSupportedError,
    PluginError,
    ShipkitError,
    StoreError,
)
from ..flow import Done, Flow, Fork, Run, call, drive, foreign, now
from ..model.base import Value
from ..model.scalars import EMPTY
from ..policy import Context, Stack, Watch, next_number, stack
from ..ports import Store
from ..settings import Settings
from .accounts import Account, accounts_of, checked_s
from .masking import masked

if TYPE_CHECKING:
    from ..ports import Entry
    from ..webhooks.auth import WebhookAuth
    from .last_good import LastGood

__all__ = ["Desk"]

T = TypeVar("T")
R = TypeVar("R")


# Errors that name a key: the host's own, without the namespace that the store knows it under.
_KEYED = (ConflictError, InDoubtError, InProgressError, LabelPendingError, StoreError)


class Desk:
    """The accounts of one client, its store and its settings, and what can be asked of them."""

    def __init__(
        self,
        accounts: Mapping[str, Carrier],
        store: Store,
        settings: Settings,
        *,
        utc_now: Callable[[], datetime],
        today: Callable[[], date],
        request_id: Callable[[], str],
        watch: Callable[[], Watch] = lambda: Watch.NOBODY,
        webhooks: Mapping[str, WebhookAuth] = EMPTY,
    ) -> None:
        self.watch = watch
        self.accounts = accounts_of(accounts, store, settings)
        self.store = store
        self.settings = settings
        self.utc_now = utc_now
        self.today = today
        self.request_id = request_id
        self.webhooks = webhooks
        self._last_rates: LastGood | None = None

    def account(self, alias: str) -> Account:
        """The account under *alias*."""
        found = self.accounts.get(alias)
        if found is None:
            text = f"no account of this name; there are: {', '.join(self.accounts) or 'none'}"
            raise InputError(problems=(m.Problem(path="/account", code=m.ProblemCode.UNKNOWN_VALUE, text=text),))
        return found

    def rates(
        self, request: m.RateRequest | m.ShipmentRequest, accounts: Sequence[str] | None, deadline_s: float | None
    ) -> Run[m.RateAnswer]:
        """Prices from many accounts at once, within one deadline; one error for each account that failed."""
        began = yield from now()
        given = (accounts,) if isinstance(accounts, str) else accounts
        aliases = tuple(given) if given is not None else tuple(self.accounts)
        for alias in aliases:
            self.account(alias)
        seconds = checked_s(deadline_s) if deadline_s is not None else self.settings.rates_deadline_s
        asked = rating_part(request)
        runs = tuple(self._rates_of(self.account(alias), asked, seconds, began + seconds) for alias in aliases)
        answers = yield from together(runs)
        quotes = [quote for answer in answers if answer.error is None for quote in answer.value]
        if self.settings.last_good_rates_s > 0:
            quotes += self._last_good(asked, aliases, answers, (yield from now()))
        quotes.sort(key=lambda quote: (quote.total.currency, quote.total.amount))
        errors = {alias: done.error for alias, done in zip(aliases, answers, strict=True) if done.error is not None}
        return m.RateAnswer(quotes=tuple(quotes), errors=m.FrozenMap(errors))

    def _last_good(
        self, request: m.RateRequest, aliases: Sequence[str], answers: Sequence[Done], at: float
    ) -> Iterator[m.RateQuote]:
        """What stands in for the accounts that do not answer now; the answers of the others are kept."""
        from .last_good import LastGood, mark_of_rates

        if self._last_rates is None:
            self._last_rates = LastGood(self.settings.last_good_rates_s)
        mark, moment = mark_of_rates(request, self.today()), self.utc_now()
        for alias, done in zip(aliases, answers, strict=True):
            if done.error is None:
                self._last_rates.put(alias, mark, done.value, at, moment)
            else:
                yield from self._last_rates.instead_of(alias, mark, done.error, at, moment)

    def _rates_of(
        self, account: Account, request: m.RateRequest, deadline_s: float, until: float
    ) -> Run[tuple[m.RateQuote, ...]]:
        carrier = account.carrier

        def asked(stack: Stack) -> Run[tuple[m.RateQuote, ...]]:
            ready = self.ready(account, request)
            quotes = yield from drive(capable(carrier, Rates, "rates").rates(ready), stack.send)
            return tuple([m.evolve(quote, carrier=carrier.code, account=account.alias) for quote in quotes])

        return self.calling(account, "rates", deadline_s, request, asked, until=until)

    def transit_times(
        self, request: m.RateRequest | m.ShipmentRequest, account: str, deadline_s: float | None
    ) -> Run[tuple[m.ServiceTransit, ...]]:
        """Expected arrival by service."""
        chosen = self.account(account)
        asked = rating_part(request)

        def flow() -> Flow[tuple[m.ServiceTransit, ...]]:
            able_carrier = capable(chosen.carrier, EstimatesTransit, "transit_times")
            return able_carrier.transit_times(self.ready(chosen, asked))

        return self.asking(chosen, "transit_times", deadline_s, asked, flow)

    def service_points(
        self, query: m.ServicePointQuery, account: str, deadline_s: float | None
    ) -> Run[tuple[m.ServicePoint, ...]]:
        """Places near somewhere, nearest first."""
        chosen = self.account(account)

        def flow() -> Flow[tuple[m.ServicePoint, ...]]:
            able_carrier = capable(chosen.carrier, ServicePoints, "service_points")
            self.refuse_problems(chosen, query)
            return able_carrier.service_points(query)

        return self.asking(chosen, "service_points", deadline_s, query, flow)

    def check_address(
        self, request: m.AddressCheck, account: str, deadline_s: float | None
    ) -> Run[m.AddressCheckResult]:
        """What the carrier knows of an address."""
        chosen = self.account(account)

        def flow() -> Flow[m.AddressCheckResult]:
            return capable(chosen.carrier, ValidatesAddresses, "check_address").check_address(request)

        return self.asking(chosen, "check_address", deadline_s, request, flow)

    def documents(self, query: m.DocumentQuery, account: str, deadline_s: float | None) -> Run[tuple[m.Document, ...]]:
        """Papers of a booking once more, or in another format; those behind a link are fetched."""
        chosen = self.account(account)

        def asked(stack: Stack) -> Run[tuple[m.Document, ...]]:
            from .papers import fetched

            found = yield from drive(capable(chosen.carrier, Documents, "documents").documents(query), stack.send)
            return (yield from fetched(found, stack.context))

        return self.calling(chosen, "documents", deadline_s, query, asked)

    def track(
        self,
        numbers: str | m.TrackingNumber | m.TrackQuery | Iterable[str | m.TrackingNumber | m.TrackQuery],
        account: str,
        deadline_s: float | None,
    ) -> Run[tuple[m.Outcome[m.Timeline], ...]]:
        """What is known of each number, in order; one that fails costs the others nothing."""
        from .tracking import Asking, outcomes, timeline

        chosen = self.account(account)
        given = (numbers,) if isinstance(numbers, (str, m.TrackingNumber, m.TrackQuery)) else numbers
        queries = [query_of(number, chosen, self.settings.language) for number in given]
        seconds = chosen.deadline_s("track", deadline_s)

        def folded(result: m.TrackResult) -> m.Timeline:
            return timeline(result, chosen.carrier, m.EventSource.POLL)

        asking = Asking(
            desk=self,
            account=chosen,
            read=folded,
            deadline_s=seconds,
            until=(yield from now()) + seconds,  # one for the whole list, however many go at once
            bulk=len(queries) > 1,
        )
        done = yield from outcomes(asking, queries)
        return tuple([m.Outcome(index=i, value=one.value, error=one.error) for i, one in enumerate(done) if one])

    def answer(
        self,
        account: Account,
        query: m.TrackQuery,
        deadline_s: float,
        until: float | None,
        bulk: bool,
        read: Callable[[m.TrackResult], T],
    ) -> Run[T]:
        """What *read* makes of the carrier's answer about one number; codes that no table explains are counted."""
        from .tracking import unmapped

        def asked(stack: Stack) -> Run[T]:
            flow = capable(account.carrier, Tracks, "track").track(query)
            result = yield from drive(flow, stack.send)
            yield from unmapped(result, stack.context)
            return read(result)

        return self.calling(account, "track", deadline_s, query, asked, until=until, bulk=bulk)

    def asking(
        self, account: Account, operation: str, deadline_s: float | None, request: Any, flow: Callable[[], Flow[T]]
    ) -> Run[T]:
        """One look-up: a flow of the carrier's, driven."""

        def asked(stack: Stack) -> Run[T]:
            return (yield from drive(flow(), stack.send))

        return self.calling(account, operation, deadline_s, request, asked)

    def calling(
        self,
        account: Account,
        operation: str,
        deadline_s: float | None,
        request: Any,
        body: Callable[[Stack], Run[T]],
        *,
        until: float | None = None,
        bulk: bool = False,
    ) -> Run[T]:
        """One call of the host: its deadline begins, its errors say whose they are, its end is observed."""
        seconds = account.deadline_s(operation, deadline_s)
        started_at = yield from now()
        context = Context(
            state=account.state,
            operation=operation,
            started_at=started_at,
            until=started_at + seconds if until is None else until,
            deadline_s=seconds,
            settings=self.settings,
            tokens=self.store.tokens,
            limits=self.store.limits,
            request_id=self.request_id,
            hosts=account.hosts,
            bulk=bulk,
            watch=self.watch(),
        )
        if context.watch:
            context.number = next_number()
            yield context.began("call", id=context.number)
        try:
            value = yield from _ours(body(stack(account.carrier, context)))
        except ShipkitError as error:
            error.account, error.carrier = account.alias, account.carrier.code
            error.operation = error.operation or operation
            if isinstance(error, _KEYED):
                error.key = self.own_key(error.key) or error.key
            masked(error, request)
            yield from _ended(
                context, "in_doubt" if error.code == "in_doubt" else "call", error.code or "carrier_error"
            )
            raise
        except GeneratorExit:
            raise  # nobody is there to be told
        except BaseException as error:
            yield from _ended(context, "call", type(error).__name__)
            raise
        yield from _ended(context, "call", "")
        return value

    def ready(self, account: Account, request: R) -> R:
        """*request* as the carrier's flow gets it: checked, lines wrapped, the day of shipping filled in.

        Raises:
            InputError: every problem with it, before anything is sent.
        """
        from ..constraints import wrapped

        self.refuse_problems(account, request)
        request = wrapped(request, account.facts)
        booking = getattr(request, "shipment", None)
        if booking is not None:
            return m.evolve(request, shipment=self._dated(booking))  # type: ignore[type-var]
        return self._dated(request)

    def refuse_problems(self, account: Account, request: Any) -> None:
        """Raise every problem with *request* at once."""
        from ..constraints import problems

        found = list(problems(request, account.facts, schema=account.carrier.options_schema()))
        subject = getattr(request, "shipment", None) or request
        if able(account.carrier, ChecksRequests) and isinstance(subject, (m.ShipmentRequest, m.RateRequest)):
            known = {problem.path for problem in found}
            at = "" if subject is request else "/shipment"
            if isinstance(subject, m.ShipmentRequest) and len(subject.packages) > 1 and not found:
                from .pieces import problems_of_parts

                demands = problems_of_parts(account.carrier, subject, account.facts)
            else:
                demands = account.carrier.problems(subject)
            more = [m.evolve(p, path=f"{at}{p.path}") if at else p for p in demands]
            found += [problem for problem in more if problem.path not in known]
        if found:
            raise InputError(problems=tuple(found))

    def _dated(self, request: R) -> R:
        if getattr(request, "ship_on", "") is None:
            # The day at the place where this program runs: carriers take a day, not an instant.
            return m.evolve(request, ship_on=self.today())  # type: ignore[type-var]
        return request

    def read(self, key: str) -> Run[Entry]:
        """The newest row under *key*."""
        entry = yield from call(self.store.ledger.read, key)
        if entry is None:
            raise unknown_key()
        return entry

    def full_key(self, key: str) -> str:
        """*key* as the store has it: within this host's namespace."""
        return f"{self.settings.namespace}/{key}" if self.settings.namespace else key

    def own_key(self, full_key: str) -> str | None:
        """The host's own key for a row; None where the row is another host's."""
        space = self.full_key("")
        return full_key[len(space) :] if full_key.startswith(space) else None

    def account_of(self, entry: Entry) -> Account:
        """The account that *entry* was sent to.

        Raises:
            InputError: there is none of that name any more, or it is another carrier's now.
        """
        account = self.account(entry.account)
        if account.carrier.code != entry.carrier:
            text = f"{entry.account} is an account of {account.carrier.code} now; this was sent to {entry.carrier}"
            raise InputError(problems=(m.Problem(path="/account", code=m.ProblemCode.INCONSISTENT, text=text),))
        return account


def unknown_key() -> InputError:
    """Nothing was ever asked for under the key."""
    text = "nothing was booked under this key"
    return InputError(problems=(m.Problem(path="/key", code=m.ProblemCode.UNKNOWN_VALUE, text=text),))


def refuse_other(request: object, *kinds: type[Value]) -> None:
    """Raise when *request* is no value of *kinds*: a dictionary, say, which `shipkit.codec.from_dict` reads."""
    if not isinstance(request, kinds):
        text = f"is a {' or a '.join(kind.__name__ for kind in kinds)}, not a {type(request).__name__}"
        raise InputError(problems=(m.Problem(path="", code=m.ProblemCode.MALFORMED, text=text),))


def rating_part(request: m.RateRequest | m.ShipmentRequest) -> m.RateRequest:
    """What rating needs of a shipment request."""
    refuse_other(request, m.RateRequest, m.ShipmentRequest)
    if isinstance(request, m.RateRequest):
        return request
    shared = {name: getattr(request, name) for name in _shared_fields()}
    return m.RateRequest(services=(request.service,) if request.service else (), **shared)


@cache
def _shared_fields() -> tuple[str, ...]:
    own = ("services", "currency", "extras")
    return tuple(field.name for field in attrs.fields(m.RateRequest) if field.name not in own)


def capable(carrier: Carrier, capability: type[T], operation: str) -> T:
    """*carrier*, which has the *capability*.

    Raises:
        NotSupportedError: it has not.
    """
    if able(carrier, capability):
        return carrier
    raise NotSupportedError(f"{carrier.code} does not offer {operation}: {reason(carrier, operation)}")


def reason(carrier: Carrier, operation: str) -> str:
    """Why *carrier* does not offer *operation*, as its facts say."""
    facts = carrier.facts().operations.get(m.Operation(operation))
    return facts.note if facts is not None and facts.note else "its interface has no such operation"


def _ended(context: Context, kind: str, error: str) -> Run[None]:
    if context.watch or kind == "in_doubt":
        elapsed_s = (yield from now()) - context.started_at
        yield context.emit(kind, id=context.number, error=error, elapsed_s=elapsed_s)


def _ours(run: Run[T]) -> Run[T]:
    """*run*, with our error for whatever a plugin raises outside of its flows."""
    try:
        return (yield from run)
    except ShipkitError:
        raise
    except Exception as error:
        raise PluginError(f"the plugin raised {type(error).__name__}") from foreign(error)


def together(runs: tuple[Run[T], ...], at_once: int = 32) -> Run[tuple[Done, ...]]:
    if len(runs) == 1:  # no thread for one
        try:
            return (Done((yield from runs[0])),)
        except ShipkitError as error:
            return (Done(error=error),)
    done: tuple[Done, ...] = yield Fork(runs, at_once)
    return done


def query_of(number: Any, account: Account, language: str) -> m.TrackQuery:
    """*number* as the account's carrier is asked for it."""
    if isinstance(number, m.TrackQuery):
        return number
    if isinstance(number, str):
        number = m.TrackingNumber(value=number, carrier=account.carrier.code)
    return m.TrackQuery(number=number, language=language)
