"""Kafka: an idempotent producer; one topic, keyed by parcel."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..ports.events import Outgoing, Unsent
from .messages import CONTENT_TYPE, UNCONFIRMED, Forks, Message, in_waves, later, missing, unavailable, unusable, where

__all__ = ["Kafka"]


class Kafka:
    """Produces to *topic* with ``acks=all``; the key is the parcel, so each parcel keeps to one partition in order.

    *options* are librdkafka's, such as those for TLS and SASL, and count before ours.

    Raises:
        InputError: *bootstrap* is empty.
        NotSupportedError: confluent-kafka is not installed.
    """

    kind = "kafka"

    def __init__(
        self,
        bootstrap: str,
        *,
        topic: str = "shipkit.events",
        timeout_s: float = 10,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import confluent_kafka
        except ImportError:
            raise missing("kafka", "confluent-kafka") from None
        self._topic, self._timeout_s, self._place = topic, timeout_s, where(bootstrap.partition(",")[0], 9092)
        if not bootstrap.strip():
            raise unusable("bootstrap", "is empty")
        self._library: Any = confluent_kafka
        self._options: dict[str, Any] = {
            "bootstrap.servers": bootstrap,
            "client.id": "shipkit",
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": 2,
            "message.timeout.ms": int(timeout_s * 1000),
            "request.timeout.ms": max(1000, int(timeout_s * 500)),
            **dict(options or {}),
        }
        self._producer: Any = None
        self._forks = Forks()

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Produce *batch* and wait for the reports of delivery; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: no broker can be reached, or none confirmed anything.
        """
        return in_waves(batch, self._send)

    def close(self) -> None:
        """Forget what is queued and end the producer's threads."""
        self._mind_forks()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(0)

    def _mind_forks(self) -> None:
        """A producer's threads are not there in a child, and to end it would wait for them."""
        if self._forks.is_child(self._producer):
            self._producer = None

    def _send(self, wave: Sequence[Message]) -> Mapping[int, str]:
        self._mind_forks()
        if self._producer is None:
            # Its log lines name addresses, and go to standard error where nobody takes them.
            self._producer = self._library.Producer({**self._options, "error_cb": _silent, "logger": _quiet()})
        errors = {message.number: UNCONFIRMED for message in wave}
        try:
            for message in wave:
                self._produce(message, errors)
            # A report comes for each message within message.timeout.ms; the rest is for the call itself.
            until = time.monotonic() + self._timeout_s + 1
            while len(self._producer) and time.monotonic() < until:
                self._producer.flush(0.5)
        except (self._library.KafkaException, BufferError) as error:
            self.close()
            if set(errors.values()) == {UNCONFIRMED}:
                raise unavailable(self.kind, self._place, error) from None
            return errors
        if UNCONFIRMED in errors.values():
            # What is still under way must not be sent after what follows: the next try is another producer's.
            self.close()
            if len(errors) == len(wave) and set(errors.values()) == {UNCONFIRMED}:
                raise unavailable(self.kind, self._place, "no confirmation")
        return errors

    def _produce(self, message: Message, errors: dict[int, str]) -> None:
        def reported(error: Any, _: Any) -> None:
            if error is None:
                errors.pop(message.number, None)
            else:
                errors[message.number] = self._code(error)

        headers = [
            ("content-type", CONTENT_TYPE.encode()),
            ("ce-id", message.id.encode()),
            ("ce-type", message.type.encode()),
        ]
        key = message.partitionkey.encode()
        try:
            self._producer.produce(self._topic, value=message.body, key=key, headers=headers, on_delivery=reported)
        except self._library.KafkaException as error:  # such as a message that is too large for the producer itself
            reported(error.args[0], None)

    def _code(self, error: Any) -> str:
        if error.code() < 0 or error.fatal():  # librdkafka's own: timed out, no connection, purged
            unknown = error.code() == self._library.KafkaError._UNKNOWN_TOPIC
            return later("unknown_topic") if unknown else UNCONFIRMED
        name = str(error.name()).lower()
        return later(name) if error.retriable() else f"refused_{name}"


def _silent(error: Any) -> None:
    """What goes wrong is told by what `Kafka.publish` gives."""


def _quiet() -> Any:
    import logging

    logger = logging.getLogger("shipkit.publishers.kafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
