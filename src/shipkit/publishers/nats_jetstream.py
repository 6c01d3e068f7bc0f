"""NATS JetStream: published from a thread with a loop of its own, each message confirmed by the stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from ..ports.events import Outgoing, Unsent
from .messages import CONTENT_TYPE, UNCONFIRMED, Forks, Message, in_waves, later, missing, unavailable, unusable, where

__all__ = ["NatsJetStream"]

T = TypeVar("T")


class NatsJetStream:
    """Publishes to the subject ``<prefix>.<type>.<carrier>``; ``Nats-Msg-Id`` is the CloudEvent's id.

    So the broker itself drops what comes again within its duplicate window. A stream has to cover the subjects: with
    *make_stream* it is made, under that name and with the server's defaults, where it is not there yet. *options* are
    those of ``nats.connect``: credentials, TLS.

    Raises:
        InputError: there is no server.
        NotSupportedError: nats-py is not installed.
    """

    kind = "nats"

    def __init__(
        self,
        servers: str | Sequence[str],
        *,
        prefix: str = "shipkit",
        make_stream: str = "",
        timeout_s: float = 5,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import nats.errors
            import nats.js.errors
        except ImportError:
            raise missing("nats", "nats-py") from None
        self._servers = [servers] if isinstance(servers, str) else list(servers)
        if not self._servers or not all(self._servers):
            raise unusable("servers", "is empty")
        self._prefix, self._make_stream, self._timeout_s = prefix, make_stream, timeout_s
        self._options = dict(options or {})
        self._place = where(self._servers[0], 4222)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: Any = None
        self._forks = Forks()
        self._failures = (nats.errors.Error, OSError, asyncio.TimeoutError, TimeoutError)
        self._no_stream = nats.js.errors.NoStreamResponseError
        self._refusal = nats.js.errors.APIError
        self._too_big = nats.errors.MaxPayloadError

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Send *batch* and wait for the stream's confirmations; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: the server cannot be reached, or confirmed nothing.
        """
        return in_waves(batch, self._send)

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._mind_forks()
        if self._loop is None or self._thread is None:
            return
        self._run(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="shipkit-nats", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _mind_forks(self) -> None:
        """The thread is not there in a child, and nothing that is given to its loop would ever come back."""
        if self._forks.is_child(self._loop, self._thread, self._client):
            self._loop = self._thread = self._client = None

    def _send(self, wave: Sequence[Message]) -> Mapping[int, str]:
        self._mind_forks()
        return self._run(self._sent(wave))

    async def _sent(self, wave: Sequence[Message]) -> Mapping[int, str]:
        try:
            stream = await asyncio.wait_for(self._connected(), 2 * self._timeout_s)
        except self._failures as error:
            await self._disconnected()
            raise unavailable(self.kind, self._place, error) from None
        outcomes = await asyncio.gather(*(self._confirmed(stream, message) for message in wave))
        errors = {message.number: error for message, error in zip(wave, outcomes, strict=True) if error}
        if UNCONFIRMED in errors.values():
            await self._disconnected()
            if len(errors) == len(wave) and set(errors.values()) == {UNCONFIRMED}:
                raise unavailable(self.kind, self._place, "no confirmation")
        return errors

    async def _confirmed(self, stream: Any, message: Message) -> str:
        headers = {"Nats-Msg-Id": message.id, "Content-Type": CONTENT_TYPE}
        try:
            await stream.publish(message.topic(self._prefix), message.body, timeout=self._timeout_s, headers=headers)
        except self._no_stream:
            return later("unroutable")
        except self._refusal as error:  # such as a stream that is full: 503
            code = int(error.code or 0)
            return later(str(code)) if code >= 500 else f"refused_{code}"
        except self._too_big:
            return "refused_too_large"
        except self._failures:
            return UNCONFIRMED
        return ""

    async def _connected(self) -> Any:
        from nats.aio.client import Client

        if self._client is None:
            self._client = Client()
            # What the client would send again by itself after a reconnection could overtake what is sent meanwhile.
            await self._client.connect(
                self._servers,
                allow_reconnect=False,
                connect_timeout=self._timeout_s,
                error_cb=_silent,
                **self._options,
            )
            if self._make_stream:
                await self._made(self._client.jetstream())
        return self._client.jetstream()

    async def _made(self, stream: Any) -> None:
        from nats.js.errors import NotFoundError

        try:
            await stream.stream_info(self._make_stream)
        except NotFoundError:
            await stream.add_stream(name=self._make_stream, subjects=[f"{self._prefix}.>"])

    async def _disconnected(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        try:
            await asyncio.wait_for(client.close(), self._timeout_s)
        except self._failures:
            pass
        # Where the line broke while the client was closing by itself, it leaves its socket open.
        transport = getattr(client, "_transport", None)
        if transport is not None:
            transport.close()
        await asyncio.sleep(0)

    async def _ended(self) -> None:
        """Close the connection, and let what the client began come to its end before the loop does."""
        await self._disconnected()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


async def _silent(error: Exception) -> None:
    """What goes wrong is told by what `publish` gives."""
