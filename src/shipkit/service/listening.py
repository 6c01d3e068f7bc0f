"""The HTTP server of ``shipkit serve``: uvicorn, bounded for connections that send nothing, or headers slowly."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..config import ServiceChoice
from .endpoint import Endpoint

__all__ = ["server"]

_STOP_S: Final = 20
_HEAD_MAX_BYTES: Final = 65_536
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def server(endpoint: Endpoint, choice: ServiceChoice) -> uvicorn.Server:
    """A server for *endpoint*; it closes it when it stops. Its lines name no path: those are secret.

    Other servers (hypercorn, granian) take the endpoint as well; their own bounds are theirs to set.
    """
    bounds = choice.bounds

    class Bounded(_BoundedProtocol):
        head_s, connections_max = bounds.head_s, bounds.connections

    config = uvicorn.Config(
        endpoint,
        host=choice.host,
        port=choice.port,
        http=Bounded,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=True,
        forwarded_allow_ips=list(choice.gateways),
        timeout_keep_alive=max(1, int(bounds.head_s)),
        timeout_graceful_shutdown=_STOP_S,
        h11_max_incomplete_event_size=_HEAD_MAX_BYTES,
    )
    return uvicorn.Server(config)


class _BoundedProtocol(H11Protocol):
    """uvicorn waits for the first headers of a connection for ever; here it does not, and counts connections itself."""

    head_s = 10.0
    connections_max = 1000
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            transport.write(_BUSY)
            transport.close()
            return
        self._head_timer = self.loop.call_later(self.head_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        began = self.cycle
        super().data_received(data)
        if self.cycle is not began:
            self._unset_head_timer()
        # uvicorn types the first of them as always there; before the first request there is none.
        elif self._head_timer is None and getattr(began, "response_complete", True):
            self._head_timer = self.loop.call_later(self.head_s, self._too_slow)

    def send_400_response(self, msg: str) -> None:
        # What cannot be read may come behind an answer that has begun, and uvicorn would begin another; or before one
        # that the endpoint is about to give, for which there is nobody any more.
        if not getattr(self.cycle, "response_complete", True):
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _unset_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self.transport.close()
