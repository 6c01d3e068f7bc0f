"""Between an Odoo database and shipkit: one client for each database and process, and errors in Odoo's words.

The ledger, the inbox and the parcels' evidence stand in a schema of their own in Odoo's database, written in short
transactions beside the business transaction: what a rollback takes away, they still know.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from odoo import sql_db
from odoo.exceptions import ConcurrencyError, UserError
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE

from shipkit import Client, Settings
from shipkit.errors import (
    AuthenticationError,
    ConflictError,
    InDoubtError,
    InProgressError,
    InputError,
    LabelPendingError,
    NotSentError,
    RateLimitedError,
    RejectedError,
    ShipkitError,
    UnavailableError,
)
from shipkit.ports.events import EventStore
from shipkit.store.host import HostStore

from .trail import Trail

_logger = logging.getLogger(__name__)

SCHEMA = "shipkit"
DESTINATION = "odoo"
SETTINGS = {
    "deadline_s": 30.0,
    "rates_deadline_s": 10.0,
    "exchange_max_s": 45.0,
    "poll_lease_s": 75.0,
    "poll_batch": 50,
}
"""Below Odoo's own ``limit_time_real`` of 120 s, all of them together; so is a round of polling."""

_clients: dict[str, tuple[str, Client, dict[str, str]]] = {}
_lock = threading.Lock()
_waited: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""How often the request of a cursor met another worker."""


class Unusable(Exception):
    """An account that nothing can be sent through: why, in words for people and without a secret."""


class Cursors:
    """Odoo's own connections to database *name*, each call a transaction of its own in our schema."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = False

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        """A cursor, committed on leaving and rolled back after an exception."""
        if not self._made:
            self._make()
        with sql_db.db_connect(self._name).cursor() as cursor:
            cursor.execute(f"SET LOCAL search_path TO {SCHEMA}, public")
            yield _Quiet(cursor)

    def _make(self) -> None:
        with sql_db.db_connect(self._name).cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (SCHEMA,))
            if not cursor.fetchone():
                cursor.execute("SELECT pg_advisory_xact_lock(7447542)")  # any number, the same for all workers
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        self._made = True


class _Quiet:
    """A cursor that leaves it to the store to say which failures matter: those of a race are none."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def execute(self, statement: str, values: Any = None) -> None:
        self._cursor.execute(statement, values, log_exceptions=False)

    def fetchall(self) -> list[Any]:
        rows: list[Any] = self._cursor.fetchall()
        return rows


def client_of(env: Any) -> Client:
    """The client of this database in this process; made anew when an account was changed, by whichever worker.

    Accounts that cannot be made are not in it; `words_of` says why to whoever asks for one.
    """
    configured, made = env["shipkit.account"].sudo()._configured()
    namespace = env["ir.config_parameter"].sudo().get_param("database.uuid")
    stamp = stamp_of(configured, namespace)  # a database that was restored over this one may be another
    name = env.cr.dbname
    with _lock:
        held = _clients.get(name)
        if held is not None and held[0] == stamp:
            return held[1]
        # Calls that are under way keep the old client; its connections close when the last of them has ended.
        store = HostStore(Cursors(name))
        carriers, refused = made()
        debugged = env["shipkit.account"].sudo()._debugged()
        client = Client(
            carriers,
            store=store,
            settings=Settings(namespace=namespace, **SETTINGS),
            destinations=(DESTINATION,),
            observers=(Trail(name, debugged),) if debugged else (),
        )
        _clients[name] = (stamp, client, refused)
        return client


def cancelled_in_ledger(env: Any, keys: Iterable[str], before: datetime) -> dict[str, int]:
    """Of *keys*, those with a booking that was cancelled before then: its newest such generation."""
    space = client_of(env).settings.namespace + "/"
    with Cursors(env.cr.dbname)() as cursor:
        cursor.execute(
            "SELECT key, max(generation) FROM shipkit_ledger WHERE key = ANY(%s) AND phase = 'voided'"
            " AND updated_at < %s GROUP BY key",
            ([space + key for key in keys], before),
        )
        return {key.removeprefix(space): generation for key, generation in cursor.fetchall()}


def events_of(env: Any) -> EventStore:
    """The inbox, the parcels' evidence and the outbox of this database."""
    return client_of(env).entrance().store


def is_neutralized(env: Any) -> bool:
    """Whether this is a copy of a database, which must not touch what the real one has at carriers."""
    return bool(env["ir.config_parameter"].sudo().get_param("database.is_neutralized"))


def forget(name: str) -> None:
    """Drop the client of database *name* in this process."""
    with _lock:
        held = _clients.pop(name, None)
    if held is not None:
        held[1].close()


def stamp_of(*parts: object) -> str:
    """A digest of what a client was made from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@contextmanager
def in_odoos_words(env: Any) -> Iterator[None]:
    """Errors of shipkit as those that Odoo knows what to do with.

    Raises:
        ConcurrencyError: another worker has the key; Odoo waits, and runs the request again, as often as it does so.
        UserError: everything else, so that core's batches keep what was done before it.
    """
    try:
        yield
    except InProgressError as error:
        tries = _waited.pop(env.cr, 0) + 1
        if tries >= MAX_TRIES_ON_CONCURRENCY_FAILURE:
            raise UserError(words_of(env, error)) from error
        _waited[env.cr] = tries
        raise ConcurrencyError(str(error)) from error
    except ShipkitError as error:
        raise UserError(words_of(env, error)) from error


def words_of(env: Any, error: ShipkitError) -> str:
    """What a person is told: what it means and whose move it is, with the carrier's own words, and nobody's data."""
    _ = env._
    said = error.carrier_message or error.message or error.code
    code = f" [{error.carrier_code}]" if error.carrier_code and error.carrier_code not in said else ""
    match error:
        case InputError() if refused := _refused(env, error):
            return _("The carrier account cannot be used: %s", refused)
        case InputError():
            return _("The carrier cannot take this as it is:\n%s", _problems(error))
        case InDoubtError() if error.needs_person:
            return _("It is not known whether the carrier booked this, and it cannot be asked. Somebody has to look.")
        case InDoubtError():
            return _(
                "It is not known yet whether the carrier booked this. "
                "The carrier is being asked; do not ship it by another way."
            )
        case InProgressError():
            return _("This is being sent to the carrier by somebody else right now. Look at it again in a minute.")
        case LabelPendingError():
            return _("The carrier booked this; its label follows.")
        case ConflictError():
            return _("A label was bought for this transfer with other data. Attach or void it first: %s", said)
        case AuthenticationError():
            return _("The carrier refuses the account's credentials: an administrator has to look at them.%s", code)
        case RejectedError():
            return _("The carrier refused: %(said)s%(code)s", said=said, code=code)
        case NotSentError() | RateLimitedError() | UnavailableError():
            return _("The carrier cannot be reached now; nothing was bought. Try again later. (%s)", said)
    return _("The carrier could not do this: %(said)s%(code)s", said=said, code=code)


def _refused(env: Any, error: InputError) -> str:
    """Why the account that *error* misses is not there; empty where it misses none."""
    held = _clients.get(env.cr.dbname)
    if held is None or [problem.path for problem in error.problems] != ["/account"]:
        return ""
    words = {error.account: held[2][error.account]} if error.account in held[2] else held[2]
    return "; ".join(f"{code}: {why}" for code, why in words.items())


def _problems(error: InputError) -> str:
    return (
        "\n".join(
            f"- {problem.path}: {problem.text}" if problem.path else f"- {problem.text}" for problem in error.problems
        )
        or error.message
    )
