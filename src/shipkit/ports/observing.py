"""What happens in a client, as it is told to whoever watches."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from ..model.scalars import EMPTY

__all__ = ["Observation"]


@attrs.frozen(kw_only=True)
class Observation:
    """Something that happened in a client: what ``shipkit_observe`` gets; of low cardinality, free of personal data.

    ``kind`` is ``request`` (one exchange), ``call`` (one operation of the host, ``in_doubt`` where it ended so),
    ``recovery`` (one look for a booking in doubt), ``retry``, ``breaker``, ``token``, ``waited``, ``booked``,
    ``unmapped_code`` or ``strays``; of parcels on their way ``webhook`` (one delivery), ``processed`` (one row of the
    inbox), ``event``, ``milestone`` (its first entry), ``exception`` (one that opened), ``delivered``, ``published`` (a
    batch, by what became of it) and ``polled`` (one round of an account). ``error`` is the code of
    the error that ended it. ``call`` is the call of the host that it belongs to, and ``id`` tells what began and what
    ended apart, by numbers of this process.
    """

    kind: str
    id: int = 0
    call: int = 0
    account: str = ""
    carrier: str = ""
    environment: str = ""
    operation: str = ""
    request: str = ""
    status: int | None = None
    elapsed_s: float | None = None
    error: str = ""
    detail: str = ""
    value: float | None = None
    """How much, where that is not a duration: so many published, so many hours late."""
    words: Mapping[str, str] = EMPTY
    """Further words from closed sets, by the attribute that telemetry gives them, such as ``milestone``."""
