"""A function of the host's own as a destination."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from ..errors import UnavailableError
from ..ports.events import Announcement, Outgoing, Unsent
from .messages import UNCONFIRMED, Message, in_waves

__all__ = ["HostCallback"]

_logger = logging.getLogger("shipkit.publishers")


class HostCallback:
    """Calls a function with each announcement; what it returns from without an error is sent.

    Whatever it raises is a refusal, told by the class of the error, and holds up the rest of that parcel; an
    `UnavailableError` says that nothing can be taken now.
    """

    kind = "host"

    def __init__(self, take: Callable[[Announcement], object]) -> None:
        self._take = take

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Call the function for each of *batch*; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: the function raised it for the first one.
        """
        told = {outgoing.announcement.number: outgoing.announcement for outgoing in batch}

        def send(wave: Sequence[Message]) -> Mapping[int, str]:
            errors: dict[int, str] = {}
            for index, message in enumerate(wave):
                try:
                    self._take(told[message.number])
                except UnavailableError:
                    if not index:
                        raise
                    return {**errors, **dict.fromkeys((rest.number for rest in wave[index:]), UNCONFIRMED)}
                except Exception as error:
                    # The text may hold anything; who wants it turns on DEBUG for a logger of the host's own code.
                    _logger.warning("a function of the host refused an announcement: %s", type(error).__name__)
                    errors[message.number] = f"refused_{type(error).__name__}"
            return errors

        return in_waves(batch, send)

    def close(self) -> None:
        """Nothing to give back."""
