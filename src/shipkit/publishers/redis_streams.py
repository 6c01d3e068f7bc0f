"""Redis Streams: one stream, appended to in pipelines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..ports.events import Outgoing, Unsent
from .messages import CONTENT_TYPE, UNCONFIRMED, Message, in_waves, later, missing, unavailable, unusable, where

__all__ = ["RedisStreams"]

# The server's own words for "not now" (redis.io, "Errors"): memory, a replica, loading, a failover, replicas too few.
_NOT_NOW: Final = frozenset(
    {"OOM", "READONLY", "LOADING", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN"}
)


class RedisStreams:
    """Appends to *stream*: fields ``content-type``, ``id``, ``source``, ``type``, ``partitionkey`` and ``event``.

    ``event`` is the CloudEvent. *maxlen* is about how many entries the stream keeps, 0 all; what is trimmed before a
    group has read it is lost to that group. How much a crash of the server loses is its ``appendfsync``'s business;
    with *replicas* a message is sent when so many of them have it (``WAIT``).

    Raises:
        InputError: *url* is no address of a Redis.
        NotSupportedError: redis-py is not installed.
    """

    kind = "redis"

    def __init__(
        self,
        url: str,
        *,
        stream: str = "shipkit.events",
        maxlen: int = 0,
        replicas: int = 0,
        timeout_s: float = 5,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise missing("redis", "redis-py") from None
        self._stream, self._maxlen, self._replicas, self._timeout_s = stream, maxlen, replicas, timeout_s
        self._place = where(url, 6379)
        # The relay tries again; redis-py of itself would, unseen, append a whole pipeline twice.
        try:
            self._client: Any = redis.Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                single_connection_client=False,
                **dict(options or {}),
            )
        except ValueError:  # its text quotes the address
            text = "is no redis://, rediss:// or unix:// that can be read: a password is percent-encoded"
            raise unusable("url", text) from None
        self._failures = (redis.ConnectionError, redis.TimeoutError, OSError)

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Append *batch* and wait for the answers; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: the server cannot be reached.
        """
        return in_waves(batch, self._send)

    def close(self) -> None:
        """Give the connections back."""
        self._client.connection_pool.disconnect()

    def _send(self, wave: Sequence[Message]) -> Mapping[int, str]:
        pipeline = self._client.pipeline(transaction=False)
        for message in wave:
            pipeline.xadd(self._stream, _fields(message), maxlen=self._maxlen or None, approximate=True)
        if self._replicas:
            pipeline.execute_command("WAIT", self._replicas, int(self._timeout_s * 500))
        try:
            answers = pipeline.execute(raise_on_error=False)
        except self._failures as error:
            self.close()
            raise unavailable(self.kind, self._place, error) from None
        errors = {
            message.number: self._code(answer)
            for message, answer in zip(wave, answers, strict=False)
            if isinstance(answer, Exception)
        }
        if self._replicas and (isinstance(answers[-1], Exception) or answers[-1] < self._replicas):
            return {message.number: errors.get(message.number, UNCONFIRMED) for message in wave}
        return errors

    @staticmethod
    def _code(error: Exception) -> str:
        """The server's own word for the refusal; redis-py takes some of them off and makes classes of them."""
        classes = {"OutOfMemoryError": "OOM", "ReadOnlyError": "READONLY", "BusyLoadingError": "LOADING"}
        word = classes.get(type(error).__name__) or str(error).partition(" ")[0]
        code = word if word.isalpha() and word.isupper() and len(word) <= 20 else "ERR"
        return later(code.lower()) if code in _NOT_NOW else f"refused_{code.lower()}"


def _fields(message: Message) -> dict[str, str | bytes]:
    return {
        "content-type": CONTENT_TYPE,
        "id": message.id,
        "source": message.source,
        "type": message.type,
        "partitionkey": message.partitionkey,
        "event": message.body,
    }
