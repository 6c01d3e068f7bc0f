"""The key sets that senders of pushes publish: fetched from time to time, and never because a stranger asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import attrs

from ..carrier import Carrier, ReadsWebhooks, able
from ..errors import InputError, ShipkitError
from ..flow import Request, Transmit
from ..model import Problem, ProblemCode
from ..settings import Settings
from ..webhooks.auth import WebhookAuth
from ..webhooks.published import KeySet, with_key_sets
from ..webhooks.rsa import Rsa, key_ids
from .addresses import is_private_on_the_way
from .clock import seconds
from .transport import SyncTransport

__all__ = ["KeySets"]

_log = logging.getLogger("shipkit.client")
_SET_MAX_BYTES: Final = 262_144
_TIMEOUT_S: Final = 10.0
_FRESH_S: Final = 3600.0
_AGAIN_S: Final = 300.0
"""After a failure, or where a push names a key that is unknown: not sooner, however many such pushes come."""
_FIRST_AGAIN_S: Final = 30.0
"""After a failure while there is none at all."""
_BELIEVED_S: Final = 86_400.0
"""A set that cannot be fetched again is believed for so long: the sender may have taken a key back meanwhile."""


@attrs.define(eq=False)
class _Fetched:
    keys: KeySet
    tried_at: float | None = None
    had_at: float | None = None


class KeySets:
    """Fetches the key set of each scheme that has a ``jwks_url`` (`shipkit.webhooks.Rsa`), and keeps it.

    ``webhooks=sets.applied(accounts, webhooks)`` gives a client schemes that look at what was fetched last; the host
    calls `refresh` before the first push and then every few seconds or minutes, in a thread: it is for itself to know
    when an address is due. ``shipkit serve`` does both. Used by one thread at a time.
    """

    def __init__(self, settings: Settings | None = None, *, clock: Callable[[], float] = seconds) -> None:
        given = settings or Settings()
        self._transport = SyncTransport(
            Settings(
                body_max_bytes=_SET_MAX_BYTES,
                connect_timeout_s=min(given.connect_timeout_s, _TIMEOUT_S),
                proxy=given.proxy,
                ca_file=given.ca_file,
            )
        )
        self._clock = clock
        self._sets: dict[str, _Fetched] = {}

    def applied(
        self, accounts: Mapping[str, Carrier], webhooks: Mapping[str, WebhookAuth]
    ) -> Mapping[str, WebhookAuth]:
        """*webhooks*, with the key sets in the schemes that have an address of one; `refresh` then knows it.

        Raises:
            InputError: an address is neither https nor of this machine; names the account.
        """
        found = dict(webhooks)
        for alias, carrier in accounts.items():
            given = webhooks.get(alias)
            own = carrier.webhook_scheme if able(carrier, ReadsWebhooks) else None
            scheme = (given.scheme if given is not None else None) or own
            # What a plugin combines is left alone: an entry here would say that the host takes what proves nothing.
            if scheme is None or (given is None and not isinstance(scheme, Rsa)):
                continue
            made = with_key_sets(scheme, lambda url, alias=alias: self._known(alias, url))  # type: ignore[misc]
            if made is not scheme:
                found[alias] = attrs.evolve(given or WebhookAuth(), scheme=made)
        return found

    @property
    def urls(self) -> tuple[str, ...]:
        """The addresses."""
        return tuple(self._sets)

    def refresh(self) -> int:
        """Fetch what is due: never tried, an hour old, or after five minutes what failed or had a key missing
        (half a minute where there is none yet).

        What cannot be fetched is told in the log, and the set before it is believed for a day. How many were fetched.
        """
        return sum([self._fetched(one) for one in self._sets.values() if self._is_due(one)])

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _known(self, alias: str, url: str) -> KeySet:
        if not is_private_on_the_way(url):
            text = "jwks_url is neither https nor http on this machine, or has a user or a fragment in it"
            path = f"/webhooks/{alias}/scheme/jwks_url"
            raise InputError(problems=(Problem(path=path, code=ProblemCode.MALFORMED, text=text),))
        return self._sets.setdefault(url, _Fetched(KeySet(url=url))).keys

    def _is_due(self, one: _Fetched) -> bool:
        if one.tried_at is None:
            return True
        if one.had_at is None:
            wait_s = _FIRST_AGAIN_S
        else:
            wait_s = _FRESH_S if one.had_at == one.tried_at and not one.keys.is_wanted else _AGAIN_S
        return self._clock() - one.tried_at >= wait_s

    def _fetched(self, one: _Fetched) -> bool:
        one.tried_at, one.keys.is_wanted = self._clock(), False
        text, why = self._asked(one.keys.url)
        if text:
            one.keys.text, one.had_at = text, one.tried_at
            return True
        if one.had_at is not None and one.tried_at - one.had_at >= _BELIEVED_S:
            one.keys.text = ""
        state = "the one before it is believed on" if one.keys.text else "none of those pushes is believed"
        _log.warning("the key set of %s was not fetched (%s): %s", urlsplit(one.keys.url).hostname, why, state)
        return False

    def _asked(self, url: str) -> tuple[str, str]:
        """The set, or why there is none."""
        request = Request.get(url, name="key_set", headers={"Accept": "application/json"})
        try:
            answer = self._transport.send(Transmit(request=request, until=seconds() + _TIMEOUT_S))
            if answer.status != 200:
                return "", str(answer.status)
            text = answer.content.decode()
            return (text, "") if key_ids(text) else ("", "no RSA key of 2048 bits or more is in it")
        except ShipkitError as error:
            return "", error.code
        except UnicodeDecodeError:
            return "", "is not UTF-8 text"
