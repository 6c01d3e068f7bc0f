"""Everything that is done with pushes, in one process, or one part of it in each of several."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Collection
from datetime import timedelta
from types import FrameType
from typing import Final

from ..carrier import ReadsWebhooks, able
from ..client import Client, KeySets
from ..config import Config
from ..errors import InputError, StoreError
from ..model import Problem, ProblemCode
from ..publishers import Relay
from ..telemetry import Prometheus
from ..webhooks import SourceAddress, Unsigned
from ..webhooks.published import has_key_set
from .asking import Poller
from .destinations import publishers_of
from .endpoint import Endpoint
from .loops import Loop, Loops

__all__ = ["PARTS", "Service", "serve"]

PARTS: Final = ("endpoint", "worker", "relay", "poller")

_log = logging.getLogger("shipkit.service")
_STOP_S: Final = 60.0
_HOUR_S: Final = 3600.0
_DAY_S: Final = 86_400.0
_KEYS_S: Final = 5.0


class Service:
    """What ``shipkit serve`` runs: the endpoint, the worker, the relay and the poller, or *only* some of them.

    On SQLite all parts belong into one process; on PostgreSQL any number of processes may run any of them.
    """

    def __init__(self, config: Config, only: Collection[str] = ()) -> None:
        unknown = [part for part in only if part not in PARTS]
        if unknown:
            text = f"no part is called {unknown[0]}; there are: {', '.join(PARTS)}"
            raise InputError(problems=(Problem(path="/only", code=ProblemCode.UNKNOWN_VALUE, text=text),))
        self.config, self.parts = config, tuple(part for part in PARTS if part in (only or PARTS))
        self._publishers = publishers_of(config.destinations, config.settings) if "relay" in self.parts else {}
        self._keys = KeySets(config.settings)
        self._webhooks = self._keys.applied(config.accounts, config.webhooks)
        self._store = config.store()
        self._prometheus = Prometheus(self._store)
        self.client = Client(
            config.accounts,
            store=self._store,
            settings=config.settings,
            observers=[self._prometheus.shipkit_observe],
            destinations=tuple(config.destinations),
            webhooks=self._webhooks,
        )
        self._events = self.client.entrance().store
        self._relay = Relay(
            self._events,
            self._publishers,
            config.settings,
            observer=self._prometheus.shipkit_observe,
        )
        self._ending = threading.Event()
        self._stop_server: Callable[[], None] = lambda: None
        self.loops = Loops(self._loops(), self._ended)
        self._failed = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT, or `stop`; the exit code. What is begun is finished first."""
        self._listen_to_signals()
        self._warn()
        self.loops.start()
        try:
            if "endpoint" in self.parts:
                self._keys.refresh()  # else the first pushes were refused
                self._serve()
            else:
                _notify("READY=1")
                self._ending.wait()
        finally:
            _notify("STOPPING=1")
            done = self.loops.stop(_STOP_S)
            self._relay.close()
            self._keys.close()
            self.client.close()
            self._store.close()
        if not done:
            _log.error("something has not ended within %.0f s", _STOP_S)
        return 1 if self._failed or not done else 0

    def stop(self) -> None:
        """End soon."""
        self._ending.set()
        self.loops.stopping.set()
        self._stop_server()

    def _ended(self) -> None:
        _log.error("a loop ended; the service ends, to be started anew")
        self._failed = True
        self.stop()

    def _serve(self) -> None:
        from .listening import server

        choice = self.config.service
        endpoint = Endpoint(
            self.client, bounds=choice.bounds, metrics=self._prometheus.render, metrics_token=choice.metrics_token
        )
        running = server(endpoint, choice)

        def stop_server() -> None:
            running.should_exit = True

        self._stop_server = stop_server
        with _listener(choice.host, choice.port, choice.reuse_port) as listener:
            _log.info("taking pushes at %s:%s", *listener.getsockname()[:2])
            _notify("READY=1")
            if not self._ending.is_set():
                running.run([listener])
        if not self._ending.is_set():  # it could not start, or somebody stopped the server alone
            self._failed = not running.started
            self._ending.set()

    def _loops(self) -> list[Loop]:
        idle_s = self.config.service.idle_s
        found: list[Loop] = []
        if "endpoint" in self.parts and self._keys.urls:
            found.append(Loop(name="keys", step=self._fetch_keys, idle_s=_KEYS_S))
        if "worker" in self.parts:
            found += [Loop(name="worker", step=self._process, idle_s=idle_s)] * self.config.service.workers
        if "relay" in self.parts and self._publishers:
            found.append(Loop(name="relay", step=self._publish, idle_s=idle_s))
        if "poller" in self.parts:
            found += Poller(self.client, self.config).loops()
            found.append(Loop(name="retention", step=self._purge, idle_s=_HOUR_S))
        return found

    def _warn(self) -> None:
        """Tell of what is configured in a way that nothing will come of."""
        for alias, carrier in self.config.accounts.items():
            if "endpoint" not in self.parts or not able(carrier, ReadsWebhooks):
                continue
            given = self._webhooks.get(alias)
            scheme = (given.scheme if given is not None else None) or carrier.webhook_scheme
            secrets = (given.secrets if given is not None else ()) or carrier.webhook_secrets
            is_open = isinstance(scheme, (SourceAddress, Unsigned))
            if not is_open and not any(secrets) and not has_key_set(scheme):
                _log.warning("no secret is configured for the pushes to %s: each of them is refused", alias)
        try:
            queues = self._events.queues() if "relay" in self.parts else ()
        except StoreError:
            return  # it may come up after us
        for queue in queues:
            if queue.name == "outbox" and queue.depth and queue.destination not in self._publishers:
                _log.warning("%s announcements wait for %s, which is not configured", queue.depth, queue.destination)

    def _fetch_keys(self) -> bool:
        self._keys.refresh()
        return False

    def _process(self) -> bool:
        return self.client.events.process().taken > 0

    def _publish(self) -> bool:
        self._relay.run(self.loops.stopping, idle_s=self.config.service.idle_s)
        return False

    def _purge(self) -> bool:
        """Once a day, by one of all processes; asked every hour."""
        events, settings, owner = self._events, self.config.settings, secrets.token_hex(8)
        if not events.lease("retention", owner, _DAY_S - _HOUR_S):
            return False
        now = events.now()
        try:
            gone = events.purge_events(
                now - timedelta(days=settings.retention_webhook_bodies_days),
                now - timedelta(days=settings.retention_evidence_days),
                now - timedelta(days=settings.retention_announcements_days),
            )
        except BaseException:
            events.lease("retention", owner, 0)
            raise
        _log.info("retention: %s bodies, %s parcels, %s announcements", gone.bodies, gone.parcels, gone.announcements)
        return False

    def _listen_to_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        def told(number: int, frame: FrameType | None) -> None:
            self.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, told)


def serve(config: Config, only: Collection[str] = ()) -> int:
    """Run the parts of the service until it is told to stop; the exit code.

    Raises:
        InputError: the configuration says what cannot be.
        StoreError: the store cannot be opened.
        NotSupportedError: a package that a part needs is not installed.
    """
    return Service(config, only).run()


def _listener(host: str, port: int, reuse_port: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        text = f"{host} port {port}: {error.strerror}"
        problem = Problem(path="/service/port", code=ProblemCode.NOT_OFFERED, text=text)
        raise InputError(problems=(problem,)) from None
    return listener


def _notify(state: str) -> None:
    """Tell systemd, where it asked for it (sd_notify(3)); a supervisor then knows when the service is up."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        try:
            channel.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError as error:
            _log.warning("the supervisor cannot be told: %s", error.strerror)
