"""Every default in one value; ``shipkit doctor`` prints it and the docs show it as a table."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import attrs

from .errors import InputError

__all__ = ["DIRECT", "ENVIRONMENT", "Settings", "proxy_parts", "usable_proxy"]

DIRECT: Final = "direct"
ENVIRONMENT: Final = "environment"


def _setting(default: Any, unit: str, meaning: str) -> Any:
    return attrs.field(default=default, metadata={"unit": unit, "meaning": meaning})


def proxy_parts(text: str) -> tuple[str, int, str]:
    """Host, port and credentials (``name:password``, or nothing) of a proxy's address.

    Raises:
        InputError: it is no address of an HTTP proxy; the text does not quote it.
    """
    try:
        parts = urlsplit(text)
        if parts.scheme.lower() == "http" and parts.hostname and parts.path in ("", "/") and not parts.query:
            credentials = parts.netloc.rpartition("@")[0]
            if credentials.isascii() and parts.hostname.isascii():
                return parts.hostname, parts.port or 80, credentials
    except ValueError:  # such as a port that is no number
        pass
    from .model import Problem, ProblemCode

    text = "is not of the form http://host:port or http://name:password@host:port (percent-encoded)"
    raise InputError(problems=(Problem(path="/proxy", code=ProblemCode.MALFORMED, text=text),))


def usable_proxy(_: object, __: object, text: str) -> None:
    """Refuse a proxy that could not be used, before anything is claimed under a key."""
    if text not in ("", DIRECT, ENVIRONMENT):
        proxy_parts(text)


@attrs.frozen(kw_only=True)
class Settings:
    """How a client behaves where the caller says nothing; units are in the names or beside the field."""

    deadline_s: float = _setting(30, "s", "total time of a call, retries and waits included")
    rates_deadline_s: float = _setting(8, "s", "total time of rate shopping over all accounts")
    connect_timeout_s: float = _setting(5, "s", "until a connection with TLS stands")
    attempts: int = _setting(3, "count", "sends of a replayable request, the first included; any other is sent once")
    backoff_first_s: float = _setting(0.5, "s", "upper bound of the first wait")
    backoff_factor: float = _setting(2, "ratio", "growth of that bound")
    backoff_max_s: float = _setting(20, "s", "upper bound of any wait")
    breaker_failures: int = _setting(5, "count", "failures within breaker_window_s that open the breaker")
    breaker_window_s: float = _setting(30, "s", "in which failures are counted together")
    breaker_open_s: float = _setting(30, "s", "how long it stays open before one probe")
    send_window_s: float = _setting(10, "s", "a purchase whose claim is older than this is not sent any more")
    exchange_max_s: float = _setting(60, "s", "longest single exchange of a purchase")
    settle_s: int = _setting(900, "s", "least time after which 'not found' can prove that nothing was booked")
    ledger_attempts: int = _setting(3, "count", "new identities of one intent before a person is asked")
    ledger_sends: int = _setting(3, "count", "sends of one identity before a person is asked")
    watch_s: float = _setting(86_400, "s", "how long after settling late bookings are still looked for")
    watch_booked: str = _setting(
        "exact", "name", "bookings answered at once that are looked for once more: exact (one look-up each), all, none"
    )
    void_strays: bool = _setting(True, "flag", "a second booking is undone where the carrier allows it, else shown")
    recover_hold_s: float = _setting(5, "s", "how long a row that a recovery run looked at is left alone by others")
    body_max_bytes: int = _setting(20_000_000, "bytes", "longest reply, after decompression")
    webhook_body_max_bytes: int = _setting(1_000_000, "bytes", "longest push")
    redirects_max: int = _setting(3, "count", "followed for look-ups only, to the carrier's own hosts only")
    token_margin_s: float = _setting(60, "s", "a token is refreshed this long before it ends")
    token_lease_s: float = _setting(30, "s", "longest time that one caller fetches a token for all")
    purchase_idle_max_s: float = _setting(1, "s", "a purchase never leaves on a connection that has idled longer")
    list_concurrency: int = _setting(8, "count", "calls in flight at once when a list is worked through")
    account_concurrency: int = _setting(16, "count", "requests of one account in flight at once, in this process")
    bulk_share: float = _setting(0.75, "ratio", "of those that bulk work may take; the rest is kept for single calls")
    limit_margin_s: float = _setting(
        0.1, "s", "added to the window of a limit that the carrier states: a request may arrive that much late"
    )
    hold_max_s: float = _setting(3_600, "s", "longest wait named by a 429 that all requests of an operation keep to")
    pace_slowest_s: float = _setting(10, "s", "after any number of 429s one request in so many seconds still goes")
    last_good_rates_s: float = _setting(0, "s", "how old quotes may be that stand in for a failed account; 0: none")
    proxy: str = attrs.field(
        default="",
        repr=False,
        validator=usable_proxy,
        metadata={
            "unit": "text",
            "meaning": "HTTP proxy of accounts that name none: http://name:password@host:port, or environment",
            "secret": True,
        },
    )
    ca_file: str = _setting(
        "", "text", "authorities that TLS trusts, in PEM, in place of SSL_CERT_FILE's, SSL_CERT_DIR's or the usual ones"
    )
    language: str = _setting("en", "language", "asked of carriers that offer a choice")
    signature_age_s: float = _setting(300, "s", "oldest signed push that is accepted, and how far ahead one may be")
    inbox_lease_s: float = _setting(60, "s", "how long one worker has to read the deliveries that it took")
    inbox_batch: int = _setting(200, "count", "deliveries that are read and written together")
    inbox_attempts: int = _setting(5, "count", "tries before a delivery that cannot be processed is a dead letter")
    inbox_backoff_s: float = _setting(30, "s", "wait after the first such try; it doubles each time")
    hint_fresh_s: float = _setting(
        60, "s", "a push that is only a hint does not ask the carrier again within this time"
    )
    withdrawn_after_answers: int = _setting(
        2, "count", "full answers in a row without an event before it counts as a candidate for withdrawal"
    )
    poll_batch: int = _setting(200, "count", "parcels that one polling round takes at most")
    poll_lease_s: float = _setting(300, "s", "how long one poller has for the parcels that it took")
    relay_batch: int = _setting(100, "count", "announcements that are sent to a destination and confirmed together")
    relay_lease_s: float = _setting(30, "s", "how long one relay has a destination to itself")
    relay_attempts: int = _setting(
        12, "count", "tries of an announcement that a destination refuses, before it is dead"
    )
    silence_after_h: float = _setting(24, "h", "without a push from an account that has open parcels, somebody is told")
    retention_webhook_bodies_days: int = _setting(30, "days", "raw bodies of pushes that have been read")
    retention_evidence_days: int = _setting(730, "days", "events of parcels whose journey has ended")
    retention_announcements_days: int = _setting(30, "days", "what was published, once every destination has taken it")
    retention_bodies_days: int = _setting(30, "days", "requests and answers of keys that have ended")
    retention_documents_days: int = _setting(90, "days", "label bytes")
    namespace: str = _setting("", "text", "keys are unique within it; hosts that share a store set it")

    @property
    def lease_s(self) -> float:
        """After it another worker may look at a claim, never buy."""
        return self.send_window_s + self.exchange_max_s
