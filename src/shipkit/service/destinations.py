"""Publishers out of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from .. import publishers
from ..config import DestinationChoice
from ..errors import InputError
from ..ports.publishing import Publisher
from ..settings import Settings

__all__ = ["publishers_of"]


def publishers_of(choices: Mapping[str, DestinationChoice], settings: Settings) -> dict[str, Publisher]:
    """A publisher for each destination, by name; nothing is connected yet.

    Raises:
        InputError: something cannot be used; names the destination.
        NotSupportedError: the package that a kind needs is not installed.
    """
    made, problems = {}, []
    for name, choice in choices.items():
        try:
            made[name] = _publisher(choice, settings)
        except InputError as error:
            problems += [attrs.evolve(one, path=f"/destinations/{name}{one.path}") for one in error.problems]
    if problems:
        for publisher in made.values():
            publisher.close()
        raise InputError(problems=tuple(problems))
    return made


def _publisher(choice: DestinationChoice, settings: Settings) -> Publisher:
    made: Mapping[str, Callable[..., Publisher]] = {
        "rabbitmq": publishers.RabbitMq,
        "nats": publishers.NatsJetStream,
        "redis": publishers.RedisStreams,
        "kafka": publishers.Kafka,
    }
    options: dict[str, Any] = dict(choice.options)
    if choice.kind == "http":
        return publishers.HttpWebhook(**options, settings=settings)
    return made[choice.kind](**options)
