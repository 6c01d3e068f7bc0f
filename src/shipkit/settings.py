"""Every default in one value; ``shipkit doctor`` prints it and the docs show it as a table."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["Settings"]


def _setting(default: Any, unit: str, meaning: str) -> Any:
    return attrs.field(default=default, metadata={"unit": unit, "meaning": meaning})


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
    body_max_bytes: int = _setting(20_000_000, "bytes", "longest reply, after decompression")
    webhook_body_max_bytes: int = _setting(1_000_000, "bytes", "longest push")
    redirects_max: int = _setting(3, "count", "followed for look-ups only, to the carrier's own hosts only")
    token_margin_s: float = _setting(60, "s", "a token is refreshed this long before it ends")
    token_lease_s: float = _setting(30, "s", "longest time that one caller fetches a token for all")
    purchase_idle_max_s: float = _setting(1, "s", "a purchase never leaves on a connection that has idled longer")
    list_concurrency: int = _setting(8, "count", "calls in flight at once when a list is worked through")
    language: str = _setting("en", "language", "asked of carriers that offer a choice")
    namespace: str = _setting("", "text", "keys are unique within it; hosts that share a store set it")

    @property
    def lease_s(self) -> float:
        """After it another worker may look at a claim, never buy."""
        return self.send_window_s + self.exchange_max_s
