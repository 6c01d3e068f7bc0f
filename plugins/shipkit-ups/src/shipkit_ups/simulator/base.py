"""What UPS's interfaces have in common: tokens, errors, envelopes, and lists that older versions unwrap."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar

from shipkit.simulator import Booking, Call, Dialect, Reply, route

__all__ = ["RefusedError", "UpsBase", "listed", "one", "signed", "text_at"]

B = TypeVar("B", bound="UpsBase")

# Rating.yaml and others: "For versions >= v2403, this element will always be returned as an array. For requests using
# versions < v2403, this element will be returned as an array if there is more than one object". Recorded with v2205:
# every list of one but the notices of the whole answer.
_LISTS_SINCE: Final = 2403
_ALWAYS_LISTS: Final = frozenset({"Alert", "errors"})

_TOKEN_LIFETIME_S: Final = 14_399  # recorded


class RefusedError(Exception):
    """UPS understands and says no."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def signed(handler: Callable[[B, Call], Reply]) -> Callable[[B, Call], Reply]:
    """Answer only with a token that is good, and word what is raised as UPS does."""

    @wraps(handler)
    def guarded(self: B, call: Call) -> Reply:
        if self.world.token(call.bearer()) is None:
            return self.unauthorised(call)
        try:
            return handler(self, call)
        except RefusedError as refused:
            return self.refusal(refused, call)
        except (KeyError, TypeError, AttributeError, ValueError, ArithmeticError, IndexError):
            return self.refusal(RefusedError("9100000", "The request is not well-formed"), call)

    return guarded


class UpsBase(Dialect):
    """Tokens and errors."""

    @route("POST", "/security/v1/oauth/token", operation="token")
    def token(self, call: Call) -> Reply:
        client_id, client_secret = call.basic()
        if not client_id or not client_secret or client_secret == "wrong":
            return self.refusal(RefusedError("10401", "ClientId is Invalid", 401), call)
        if call.form().get("grant_type") != "client_credentials":
            return self.refusal(RefusedError("10400", "Invalid/Missing Authorization Header"), call)
        token = self.world.issue_token(client_id, _TOKEN_LIFETIME_S)
        return Reply.json(
            {
                "token_type": "Bearer",
                "issued_at": str(int(token.issued_at.timestamp() * 1000)),
                "client_id": client_id,
                "access_token": token.value,
                "expires_in": str(_TOKEN_LIFETIME_S),
                "status": "approved",
            }
        )

    def refusal(self, refused: RefusedError, call: Call) -> Reply:
        """An error in UPS's own words, with the header fields that repeat it (recorded 2024-02-09)."""
        body = {"response": {"errors": [{"code": refused.code, "message": refused.message}]}}
        headers = {"Errorcode": refused.code, "Errordescription": refused.message, **self.tags(call)}
        return Reply.json(body, refused.status, headers)

    def unauthorised(self, call: Call) -> Reply:
        return self.refusal(RefusedError("250002", "Invalid Authentication Information.", 401), call)

    def failure(self, status: int, call: Call) -> Reply:
        """10004 and 10429: UPSTrackAlertEnhanced.yaml and the files' 429 "Rate Limit Exceeded"."""
        code, message = {
            429: ("10429", "Too Many Requests"),
            500: ("10004", "Something went wrong while processing your request, please try again later"),
            503: ("10503", "Service Unavailable"),
        }.get(status, (f"10{status}", "The requested resource was not found"))
        return self.refusal(RefusedError(code, message, status), call)

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        refused = RefusedError("120100", "Missing or invalid shipper number", 200)
        if committed:
            refused = RefusedError("10004", "Something went wrong while processing your request", 200)
        return self.refusal(refused, call)

    def found(self, reference: str, account: str) -> list[Booking]:
        """Every visible booking with that reference number, whichever of its numbers it is."""
        known = (
            *self.world.find(mark=reference, account=account),
            *self.world.find(reference=reference, account=account),
        )
        return list({booking.id: booking for booking in known}.values())

    def tags(self, call: Call) -> dict[str, str]:
        """The number by which UPS knows the exchange: the client's own where it sent one."""
        return {"Bkndtransid": call.headers.get("transid") or f"sim{call.id:019d}"}

    def answer(self, call: Call, payload: Mapping[str, Any], since: int = _LISTS_SINCE) -> Reply:
        """A reply in the shape of the version that was asked for."""
        version = int(re.sub(r"\D", "", call.params.get("version", "")) or 1)
        body = payload if version >= since else _unwrapped(payload)
        return Reply.json(body, 200, self.tags(call))

    def envelope(self, request: Mapping[str, Any], *alerts: tuple[str, str]) -> dict[str, Any]:
        """The head of an answer; the client's context comes back, where it sent one."""
        head: dict[str, Any] = {"ResponseStatus": {"Code": "1", "Description": "Success"}}
        if alerts:
            head["Alert"] = [{"Code": code, "Description": text} for code, text in alerts]
        reference = (request.get("Request") or {}).get("TransactionReference")
        if reference is not None:
            context = reference.get("CustomerContext") if isinstance(reference, Mapping) else None
            head["TransactionReference"] = {"CustomerContext": context} if context else ""
        return head


def _unwrapped(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _unwrapped(item, key) for key, item in value.items()}
    if isinstance(value, list):
        rows = [_unwrapped(item) for item in value]
        return rows[0] if len(rows) == 1 and name not in _ALWAYS_LISTS else rows
    return value


def listed(value: Any) -> list[Any]:
    """One or several, as clients of every version send it."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def one(value: Any) -> Any:
    """The first of one or several; an empty object where there is none."""
    rows = listed(value)
    return rows[0] if rows else {}


def text_at(value: Any, path: Iterable[str]) -> str:
    """A text deep inside, blank where something on the way is missing."""
    for step in path:
        value = one(value).get(step) if isinstance(one(value), Mapping) else None
    return str(value or "").strip() if not isinstance(value, (Mapping, list)) else ""
