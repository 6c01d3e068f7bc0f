"""What the poller does: parcels that are booked are followed, carriers are asked and subscribed at, silence is told."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from ..carrier import ReadsWebhooks, Subscribes, able
from ..client import Client
from ..config import Config
from ..errors import ShipkitError, StoreError
from .loops import Loop

__all__ = ["Poller"]

_log = logging.getLogger("shipkit.service")
_FOLLOW_S: Final = 60.0
_SUBSCRIBE_S: Final = 900.0
_WATCH_S: Final = 3600.0
_OVERLAP: Final = timedelta(hours=1)


class Poller:
    """The loops of one process that asks carriers; any number of processes may, each parcel is lent to one."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client, self._config = client, config
        self._store = client.entrance().store
        self._followed_at: datetime | None = None

    def loops(self) -> list[Loop]:
        """Apart from one another: a carrier that does not answer costs the others nothing but time."""
        idle_s = self._config.service.poll_idle_s
        found = [
            Loop(name="poller", step=self._poll, idle_s=idle_s),
            Loop(name="follower", step=self._follow, idle_s=max(idle_s, _FOLLOW_S)),
            Loop(name="watchdog", step=self._watch, idle_s=_WATCH_S),
        ]
        if self._config.service.public_url:
            found.append(Loop(name="subscriber", step=self._subscribe, idle_s=_SUBSCRIBE_S))
        return found

    def _poll(self) -> bool:
        return self._client.events.poll().taken > 0

    def _follow(self) -> bool:
        began = self._store.now()
        self._client.events.follow_booked(self._followed_at)
        self._followed_at = began - _OVERLAP
        return False

    def _watch(self) -> bool:
        for one in self._client.events.silent():
            if one.silent:
                heard = "never" if one.heard_at is None else f"since {one.heard_at:%Y-%m-%d %H:%M}"
                _log.warning("no push for %s, heard %s; %s parcels are open", one.account, heard, one.open_parcels)
            else:
                _log.warning(
                    "pushes for %s are missing: of %s open parcels %s had news that no push told of",
                    one.account, one.open_parcels, one.missed_parcels,
                )  # fmt: skip
        return False

    def _subscribe(self) -> bool:
        paths = self._client.events.webhook_paths()
        pushing = {alias: each for alias, each in self._client.accounts.items() if able(each, ReadsWebhooks)}
        for alias, carrier in self._client.accounts.items():
            if alias not in pushing or not able(carrier, Subscribes):
                continue
            given = self._config.webhooks.get(alias)
            secrets = (given.secrets if given is not None else ()) or pushing[alias].webhook_secrets
            url = self._config.service.public_url.rstrip("/").replace("{account}", alias) + paths[alias]
            secret = secrets[0] if secrets else None
            try:
                done = self._client.events.subscribe_open(alias, callback_url=url, secret=secret)
            except StoreError:
                raise
            except ShipkitError as error:  # of one account, and the others are to be told nevertheless
                _log.warning("%s cannot be subscribed at (%s)", alias, error.code)
                continue
            if done.failed:
                code = done.error.code if done.error is not None else ""
                _log.warning("%s numbers of %s are not subscribed yet (%s)", done.failed, alias, code)
        return False
