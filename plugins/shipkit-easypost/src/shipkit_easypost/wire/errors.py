"""What EasyPost's error replies prove."""

from __future__ import annotations

from typing import Any, Final

from shipkit.errors import AuthenticationError, CarrierError, NotFoundError, RateLimitedError, RejectedError, ReplyError
from shipkit.flow import Response

__all__ = ["check"]

# docs errors-guide: 402 is missing billing information or funds, 403 a refusal, 404 an unknown resource.
_KINDS: Final[dict[int, type[CarrierError]]] = {
    401: AuthenticationError,
    404: NotFoundError,
    429: RateLimitedError,
}


def check(response: Response) -> None:
    """An error stands in ``error``, whatever the status says.

    A 5xx proves nothing, and neither does a page that EasyPost did not write: those are left to the driver, or end as
    an unreadable reply.
    """
    if response.status >= 500 or response.status == 408:
        return
    if response.status == 429:
        raise RateLimitedError.of(response, request_id=_request_id(response), **_words(_error(response, quiet=True)))
    error = _error(response, quiet=response.status < 400)
    if error is None and response.status < 400:
        return
    if error is None and response.status == 404:
        # A gateway's 404 does not prove that EasyPost knows no such thing, and "not found" is believed.
        raise ReplyError.of(response, message="required field missing @ $.error", paths=("$.error",))
    kind = _KINDS.get(response.status, RejectedError)
    raise kind.of(response, request_id=_request_id(response), **_words(error))


def _error(response: Response, *, quiet: bool) -> object:
    # On success it is the reader's business whether the body is JSON; here only an "error" in it counts.
    if quiet and b'"error"' not in response.content[:200]:
        return None
    body = response.json()
    return body.get("error") if isinstance(body, dict) else None


def _request_id(response: Response) -> str:
    return response.headers.get("x-ep-request-uuid", "")


def _words(error: object) -> dict[str, str]:
    """Code and message; recording test_error_alternative_format has texts in ``errors`` where others have objects."""
    if isinstance(error, str):
        return {"carrier_message": error}
    if not isinstance(error, dict):
        return {}
    details = [text for row in _rows(error.get("errors")) if (text := _detail(row))]
    parts = [*_texts(error.get("message")), *details]
    return {"carrier_code": str(error.get("code") or ""), "carrier_message": "; ".join(dict.fromkeys(parts))}


def _rows(errors: Any) -> list[Any]:
    return errors if isinstance(errors, list) else [] if errors is None else [errors]


def _detail(row: object) -> str:
    if isinstance(row, dict):
        return ": ".join(str(row[name]) for name in ("field", "message") if row.get(name))
    return row if isinstance(row, str) else ""


def _texts(message: object) -> list[str]:
    # easypost-python's ApiError: a message "can sometimes incorrectly come back as a list or object".
    if isinstance(message, dict):
        return [text for value in message.values() for text in _texts(value)]
    if isinstance(message, list):
        return [text for value in message for text in _texts(value)]
    return [str(message)] if message not in (None, "") else []
