"""What all of EasyPost's routes share: accounts, errors, ids, times and objects that refer to each other."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar, Final

from shipkit.simulator import Call, Dialect, Reply

__all__ = ["EasyPostBase", "Json", "RefusedError", "stamp"]

Json = dict[str, Any]

# npm errors/ErrorCode has the codes; the sentence of 404 is recorded (test_error_alternative_format).
_WORDS: Final = {
    400: ("BAD_REQUEST", "The request was malformed."),
    401: ("UNAUTHORIZED", "The API key is missing or unknown."),
    404: ("NOT_FOUND", "The requested resource could not be found."),
    429: ("RATE_LIMITED", "Too many requests were made in a short time."),
    500: ("INTERNAL_SERVER_ERROR", "An unexpected error happened."),
    503: ("SERVICE_UNAVAILABLE", "The service is not available."),
}


class RefusedError(Exception):
    """EasyPost's refusal of a request, in its own words; *fields* name what is wrong with which field."""

    def __init__(self, code: str, message: str, *fields: tuple[str, str], status: int = 422) -> None:
        super().__init__(code)
        rows = [{"field": field, "message": text} for field, text in fields]
        self.reply = _error(status, code, message, rows)


def _error(status: int, code: str, message: str, errors: list[Json]) -> Reply:
    return Reply.json({"error": {"code": code, "message": message, "errors": errors}}, status)


def stamp(moment: datetime) -> str:
    """A time as EasyPost writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class EasyPostBase(Dialect):
    """Accounts and errors; the routes are in the classes derived from it."""

    code: ClassVar[str] = "easypost"
    # Six further tries (carrier_limits.csv); when is not said, the waits are invented.
    push_retries: tuple[float, ...] = (60, 300, 900, 3600, 7200, 14400)

    def handle(self, call: Call) -> Reply:
        """Only a link to a paper is open to everybody."""
        if call.path.startswith("/v2/") and not self.key(call):
            return self.unauthorised(call)
        try:
            return super().handle(call)
        except RefusedError as refused:
            return refused.reply

    def key(self, call: Call) -> str:
        """The API key: the user of basic authentication, or a bearer (EasyPost's own Python client sends that)."""
        return call.basic()[0] or call.bearer()

    def account(self, call: Call) -> str:
        """A name for the account behind the key, which does not give the key away."""
        return hashlib.sha256(self.key(call).encode()).hexdigest()[:12]

    def mode(self, call: Call) -> str:
        """Which of the two worlds the key is for."""
        return "production" if self.key(call).startswith("EZAK") else "test"

    def failure(self, status: int, call: Call) -> Reply:
        """A failure of EasyPost's own."""
        code, message = _WORDS.get(status, _WORDS[500])
        return _error(status, code, message, [])

    def error_in_200(self, call: Call, committed: bool) -> Reply:
        """An error that proves nothing, or a carrier's refusal, under a status that says success."""
        if committed:
            code, message = _WORDS[500]
        else:
            code, message = "SHIPMENT.POSTAGE.FAILURE", "Unable to buy postage: the carrier refused it."
        return _error(200, code, message, [])

    # Objects

    def new_id(self, prefix: str) -> str:
        """``shp_`` and 32 hexadecimal digits; the same run gives the same ids."""
        digits = hashlib.sha256(f"{prefix}-{self.world.next(prefix)}".encode()).hexdigest()[:32]
        return f"{prefix}_{digits}"

    def now(self) -> str:
        """The carrier's own time as it writes it."""
        return stamp(self.world.clock.now())

    def keep(self, row: Json) -> Json:
        """Remember an object, so that another may name its id in place of it."""
        self.world.drawer("objects")[row["id"]] = row
        return row

    def given(self, value: object) -> Json:
        """An object of a request: written out, or named by its id."""
        if isinstance(value, str):
            value = {"id": value}
        if not isinstance(value, dict):
            return {}
        known = self.world.drawer("objects").get(str(value.get("id")))
        return dict(known) if known is not None else value

    def wrapped(self, call: Call, name: str) -> Json:
        """The member *name* of the body. Raises RefusedError where it is missing or empty."""
        body = call.json()
        value = body.get(name) if isinstance(body, dict) else None
        if not isinstance(value, dict) or not value:
            raise RefusedError("PARAMETER.REQUIRED", "Missing required parameter.", (name, "cannot be blank"))
        return value
