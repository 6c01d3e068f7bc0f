"""RabbitMQ: a durable topic exchange, confirmed publishing, nothing that no queue wants is taken for sent."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from ..ports.events import Outgoing, Unsent
from .messages import CONTENT_TYPE, UNCONFIRMED, Forks, Message, in_waves, later, missing, unavailable, unusable, where

__all__ = ["RabbitMq"]

_PERSISTENT: Final = 2
_PRECONDITION_FAILED: Final = 406  # AMQP 0-9-1, "Constants"


class RabbitMq:
    """Publishes to an exchange with the routing key ``<prefix>.<type>.<carrier>``, persistent and mandatory.

    A message is sent when the broker has confirmed it (to a quorum queue: when a majority has it) and did not return it
    as routed to no queue. The exchange is declared, durable and of kind topic, unless *declare* is false. Queues are
    the consumers' own: where none is bound yet, announcements wait in the outbox.

    Raises:
        InputError: *url* is no address of a RabbitMQ.
        NotSupportedError: kombu is not installed.
    """

    kind = "rabbitmq"

    def __init__(
        self,
        url: str,
        *,
        exchange: str = "shipkit.events",
        prefix: str = "shipkit",
        declare: bool = True,
        timeout_s: float = 10,
        ssl: Mapping[str, Any] | bool = False,
    ) -> None:
        try:
            kombu: Any = import_module("kombu")
        except ImportError:
            raise missing("rabbitmq", "kombu") from None
        self._exchange, self._prefix, self._declare, self._timeout_s = exchange, prefix, declare, timeout_s
        self._place = where(url, 5672)
        if not url.startswith(("amqp://", "amqps://", "pyamqp://")):
            raise unusable("url", "begins with neither amqp:// nor amqps://")
        try:
            # Confirms of a whole wave are awaited together, below; kombu's own setting waits for each message.
            self._transport: Any = kombu.Connection(
                url,
                connect_timeout=timeout_s,
                heartbeat=0,
                ssl=ssl if isinstance(ssl, bool) else dict(ssl),
                transport_options={"confirm_publish": False, "read_timeout": timeout_s, "write_timeout": timeout_s},
            ).transport
        except (ValueError, TypeError):  # its text quotes the address
            raise unusable(
                "url", "cannot be read: what is no letter or digit in a password is percent-encoded"
            ) from None
        self._failures = (*self._transport.connection_errors, *self._transport.channel_errors, OSError)
        self._connection: Any = None
        self._channel: Any = None
        self._forks = Forks()
        self._tag = 0
        self._waiting: dict[int, Message] = {}
        self._refused: dict[int, str] = {}
        self._returned: dict[str, str] = {}

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Send *batch* and wait for the confirms; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: the broker cannot be reached, or refuses the exchange.
        """
        return in_waves(batch, self._send)

    def close(self) -> None:
        """Give the connection back."""
        self._mind_forks()
        if self._connection is not None and self._channel is not None:
            try:
                self._connection.close()
            except self._failures:
                pass
        self._drop()

    def _send(self, wave: Sequence[Message]) -> Mapping[int, str]:
        self._mind_forks()
        numbers = {message.number for message in wave}
        self._waiting, self._refused, self._returned = {}, {}, {}
        sent, channel = 0, None
        try:
            channel = self._opened()
            for message in wave:
                self._tag += 1
                self._waiting[self._tag] = message
                sent += 1
                channel.basic_publish(
                    self._packed(channel, message), self._exchange, message.topic(self._prefix), mandatory=True
                )
            self._settled()
        except self._failures as error:
            rest = [*self._waiting.values(), *wave[sent:]]
            confirmed, refused = numbers - {message.number for message in rest}, self._refused
            self._drop()
            if channel is not None and getattr(error, "reply_code", 0) == _PRECONDITION_FAILED:
                return {**refused, **self._one_by_one(wave, rest)}
            if not confirmed:
                raise unavailable(self.kind, self._place, error) from None
            return {**dict.fromkeys(numbers - confirmed, UNCONFIRMED), **refused}
        return self._refused

    def _one_by_one(self, wave: Sequence[Message], rest: Sequence[Message]) -> Mapping[int, str]:
        """The broker closes a channel over one message, such as one that is too long for it, and does not say which."""
        if len(wave) == 1:
            return {wave[0].number: f"refused_{_PRECONDITION_FAILED}"}
        found: dict[int, str] = {}
        for message in rest:
            found.update(self._send([message]))
        return found

    def _mind_forks(self) -> None:
        if self._forks.is_child(self._connection, self._channel):
            self._connection = self._channel = None

    def _packed(self, channel: Any, message: Message) -> Any:
        return channel.prepare_message(
            message.body,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            properties={"delivery_mode": _PERSISTENT, "message_id": message.id, "type": message.type},
        )

    def _settled(self) -> None:
        """Wait until the broker has said of each message whether it took it."""
        until = time.monotonic() + self._timeout_s
        while self._waiting:
            left_s = until - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            self._connection.drain_events(timeout=left_s)

    def _opened(self) -> Any:
        if self._channel is None:
            self._connection = self._transport.establish_connection()
            channel = self._connection.channel()
            self._tag = 0
            if self._declare:
                channel.exchange_declare(self._exchange, "topic", durable=True, auto_delete=False)
            channel.confirm_select()
            channel.events["basic_ack"].add(self._on_ack)
            channel.events["basic_nack"].add(self._on_nack)
            channel.events["basic_return"].add(self._on_return)
            self._channel = channel
        return self._channel

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for message in self._answered(tag, multiple):
            if message.id in self._returned:  # the return comes before the ack (RabbitMQ, "Confirms")
                self._refused[message.number] = self._returned[message.id]

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused.update((message.number, later("nack")) for message in self._answered(tag, multiple))

    def _on_return(self, error: Any, exchange: str, routing_key: str, message: Any) -> None:
        self._returned[message.properties.get("message_id", "")] = later("unroutable")

    def _answered(self, tag: int, multiple: bool) -> list[Message]:
        tags = [one for one in self._waiting if one <= tag] if multiple else [tag]
        return [self._waiting.pop(one) for one in tags if one in self._waiting]

    def _drop(self) -> None:
        """Close the socket without a word: a broker that does not answer would not answer to a goodbye either."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            connection.collect()
