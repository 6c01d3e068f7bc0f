"""Every error of shipkit: whose move it is, and what the wire proves.

::

    ShipkitError
    ├── InputError            the host's data cannot go to this carrier; nothing was sent
    ├── NotSupportedError     the carrier's interface, or the plugin, does not offer it
    ├── ConflictError         another payload under a key that is already taken
    ├── InProgressError       a live worker holds the key
    ├── InDoubtError          it left, no readable answer came: look before repeating
    ├── LabelPendingError     booked; a document is still to be fetched
    ├── CarrierError          the carrier answered, and not with what was asked
    │   ├── RejectedError         understood and refused: nothing happened
    │   ├── AuthenticationError   credentials refused, after one refresh
    │   ├── NotFoundError         unknown there, or not known yet
    │   ├── RateLimitedError      too many calls
    │   ├── UnavailableError      the carrier is down, or the breaker is open
    │   └── ReplyError            an answer that cannot be read; names the paths
    ├── NotSentError          nothing left this machine
    ├── OutcomeUnknownError   it left and no answer came, outside the ledger
    ├── DeadlineError         the caller's time was over before the request left
    ├── StoreError            the host's store cannot be read or written
    └── PluginError           a plugin is missing, broken, or breaks its contract

All have defaults for every argument, so that they pickle and travel through queues.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self

    from .flow import Response
    from .model import Environment, OptionCode, Problem, Shipment

__all__ = [
    "AuthenticationError",
    "CarrierError",
    "ConflictError",
    "DeadlineError",
    "InDoubtError",
    "InProgressError",
    "InputError",
    "LabelPendingError",
    "NotFoundError",
    "NotSentError",
    "NotSupportedError",
    "OutcomeUnknownError",
    "PluginError",
    "RateLimitedError",
    "ReachedCarrier",
    "RejectedError",
    "ReplyError",
    "Retry",
    "ShipkitError",
    "StoreError",
    "UnavailableError",
    "WhoseMove",
]


class ReachedCarrier(str, Enum):
    """Whether the request arrived there, as far as the wire tells."""

    NO = "no"
    MAYBE = "maybe"
    YES = "yes"


class Retry(str, Enum):
    """What repeating the same call does."""

    YES = "yes"
    LATER = "later"
    NO = "no"
    FIND_FIRST = "find_first"


class WhoseMove(str, Enum):
    """Who can end it."""

    HOST = "host"
    PERSON = "person"
    ADMINISTRATOR = "administrator"
    PLUGIN_AUTHOR = "plugin_author"
    NOBODY = "nobody"
    SHIPKIT = "shipkit"


class ShipkitError(Exception):
    """The base of every error; its text starts with the carrier and the carrier's request id.

    ``account``, ``carrier`` and ``operation`` are filled in by the client. ``carrier_message`` holds the carrier's own
    words in the carrier's language; hosts translate by ``code``.
    """

    code: ClassVar[str] = ""
    whose_move: ClassVar[WhoseMove] = WhoseMove.NOBODY
    retry: ClassVar[Retry] = Retry.NO
    default_reached: ClassVar[ReachedCarrier] = ReachedCarrier.NO
    others: tuple[ShipkitError, ...] = ()
    """Where several ways were tried and none worked: what the other ones said."""

    def __init__(
        self,
        message: str = "",
        *,
        carrier: str = "",
        account: str = "",
        operation: str = "",
        carrier_code: str = "",
        carrier_message: str = "",
        request_id: str = "",
        reached_carrier: ReachedCarrier | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message or carrier_message or carrier_code
        self.carrier = carrier
        self.account = account
        self.operation = operation
        self.carrier_code = carrier_code
        self.carrier_message = carrier_message
        self.request_id = request_id
        self.reached_carrier = reached_carrier or self.default_reached
        self.retry_after_s = retry_after_s

    @property
    def retryable(self) -> bool:
        """Whether the same call may be repeated without harm, now or after ``retry_after_s``."""
        return self.retry in (Retry.YES, Retry.LATER)

    def __str__(self) -> str:
        where = " ".join(part for part in (self.account or self.carrier, self.request_id) if part)
        number = f"[{self.carrier_code}] " if self.carrier_code and self.carrier_code not in self.message else ""
        text = f"{number}{self.message}" or self.code
        return f"{where}: {text}" if where else text


class InputError(ShipkitError):
    """What the host gave cannot go to this carrier: all problems at once, before anything is sent."""

    code = "invalid_input"
    whose_move = WhoseMove.HOST

    def __init__(self, message: str = "", *, problems: tuple[Problem, ...] = (), **rest: Any) -> None:
        super().__init__(message or "; ".join(f"{p.path}: {p.text}" if p.path else p.text for p in problems), **rest)
        self.problems = tuple(problems)


class NotSupportedError(ShipkitError):
    """The carrier's interface, or the plugin, does not offer the operation or the option."""

    code = "not_supported"
    whose_move = WhoseMove.HOST

    def __init__(self, message: str = "", *, option: OptionCode | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.option = option


class _KeyError(ShipkitError):
    """Something about the ledger's row of one key."""

    def __init__(self, message: str = "", *, key: str = "", generation: int = 0, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.key = key
        self.generation = generation


class ConflictError(_KeyError):
    """Another payload under a key that is open or has succeeded, or a booking under a key that is being cancelled."""

    code = "key_conflict"
    whose_move = WhoseMove.HOST

    def __init__(self, message: str = "", *, cancelling: bool = False, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.cancelling = cancelling


class InProgressError(_KeyError):
    """A live worker holds the key; ask again after ``retry_after_s``."""

    code = "in_progress"
    retry = Retry.LATER


class InDoubtError(_KeyError):
    """Something that costs money or moves goods left, and no readable answer came.

    Nobody repeats it under this key. ``retry_at`` is the first moment at which a look-up can prove that nothing was
    booked; with ``needs_person`` the carrier cannot be asked and somebody decides.
    """

    code = "in_doubt"
    whose_move = WhoseMove.SHIPKIT
    retry = Retry.FIND_FIRST
    default_reached = ReachedCarrier.MAYBE

    def __init__(
        self,
        message: str = "",
        *,
        since: datetime | None = None,
        retry_at: datetime | None = None,
        needs_person: bool = False,
        **rest: Any,
    ) -> None:
        super().__init__(message, **rest)
        self.since = since
        self.retry_at = retry_at
        self.needs_person = needs_person


class LabelPendingError(_KeyError):
    """Booked, but a document is still at the carrier; the same call, or the recovery, fetches it."""

    code = "label_pending"
    whose_move = WhoseMove.SHIPKIT
    retry = Retry.LATER
    default_reached = ReachedCarrier.YES

    def __init__(self, message: str = "", *, shipment: Shipment | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.shipment = shipment


class CarrierError(ShipkitError):
    """The carrier answered, and not with what was asked."""

    default_reached = ReachedCarrier.YES

    def __init__(self, message: str = "", *, http_status: int | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.http_status = http_status

    @classmethod
    def of(
        cls,
        response: Response,
        *,
        message: str = "",
        carrier_code: str = "",
        carrier_message: str = "",
        request_id: str = "",
        **rest: Any,
    ) -> Self:
        """The error that *response* stands for: its status and ``Retry-After`` taken over."""
        return cls(
            message or ("" if carrier_message else f"HTTP {response.status} to {response.request.name}"),
            http_status=response.status,
            carrier_code=carrier_code,
            carrier_message=carrier_message,
            request_id=request_id,
            retry_after_s=response.retry_after_s,
            **rest,
        )


class RejectedError(CarrierError):
    """The carrier understood and said no; nothing happened."""

    code = "rejected"
    whose_move = WhoseMove.PERSON

    def __init__(self, message: str = "", *, problems: tuple[Problem, ...] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.problems = tuple(problems)


class AuthenticationError(CarrierError):
    """The carrier refuses the credentials, after one refresh."""

    code = "authentication"
    whose_move = WhoseMove.ADMINISTRATOR

    def __init__(self, message: str = "", *, environment: Environment | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.environment = environment


class NotFoundError(CarrierError):
    """The carrier does not know it, or not yet."""

    code = "not_found"
    retry = Retry.LATER


class RateLimitedError(CarrierError):
    """Too many calls: the carrier says so, or our own limit for it does."""

    code = "rate_limited"
    retry = Retry.LATER


class UnavailableError(CarrierError):
    """The carrier is down, or the breaker is open; never raised for an unanswered purchase."""

    code = "unavailable"
    retry = Retry.LATER


class ReplyError(CarrierError):
    """An answer that cannot be read; ``paths`` say where. After a purchase it is an `InDoubtError` instead."""

    code = "bad_reply"
    whose_move = WhoseMove.PLUGIN_AUTHOR

    def __init__(self, message: str = "", *, paths: tuple[str, ...] = (), **rest: Any) -> None:
        super().__init__(message, **rest)
        self.paths = tuple(paths)


class NotSentError(ShipkitError):
    """Nothing left this machine: refused connection, name resolution, TLS, or a send window that was over."""

    code = "not_sent"
    retry = Retry.YES


class OutcomeUnknownError(ShipkitError):
    """It left and no readable answer came, outside the ledger."""

    code = "outcome_unknown"
    whose_move = WhoseMove.SHIPKIT
    retry = Retry.FIND_FIRST
    default_reached = ReachedCarrier.MAYBE

    def __init__(self, message: str = "", *, since: datetime | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.since = since


class DeadlineError(ShipkitError):
    """The caller's time was over before the request left."""

    code = "deadline"
    whose_move = WhoseMove.HOST
    retry = Retry.LATER

    def __init__(self, message: str = "", *, deadline_s: float | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.deadline_s = deadline_s


class StoreError(ShipkitError):
    """The host's store cannot be read or written; under a key the same call is safe.

    ``shipment`` is set when a booking was made and could not be stored.
    """

    code = "store"
    whose_move = WhoseMove.ADMINISTRATOR
    retry = Retry.LATER

    def __init__(self, message: str = "", *, key: str = "", shipment: Shipment | None = None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.key = key
        self.shipment = shipment


class PluginError(ShipkitError):
    """A plugin is missing, broken, or breaks its contract."""

    code = "plugin"
    whose_move = WhoseMove.PLUGIN_AUTHOR

    def __init__(self, message: str = "", *, plugin: str = "", plugin_version: str = "", **rest: Any) -> None:
        super().__init__(message, **rest)
        self.plugin = plugin
        self.plugin_version = plugin_version
