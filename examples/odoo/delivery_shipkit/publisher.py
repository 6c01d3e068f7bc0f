"""The end of the outbox in Odoo: what is announced of parcels becomes what Odoo's records say of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from shipkit.errors import UnavailableError
from shipkit.ports.events import Announcement, Outgoing, Unsent
from shipkit.publishers.messages import BEHIND

_logger = logging.getLogger(__name__)

_TRIES = 3


class IntoOdoo:
    """Takes a batch in one transaction of its own, with a savepoint for each parcel.

    It is confirmed when that is committed. What comes again, because a confirmation was lost, is known by its id.
    """

    kind = "host"

    def __init__(self, env: Any) -> None:
        self._env = env

    def publish(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        """Take *batch*; see `shipkit.ports.publishing.Publisher`.

        Raises:
            UnavailableError: somebody else writes the same transfers all the time.
        """
        for _ in range(_TRIES):
            try:
                unsent = self._taken(batch)
                self._env.cr.commit()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self._env.cr.rollback()
            else:
                return unsent
        raise UnavailableError("the transfers are being written by others", retry_after_s=5)

    def close(self) -> None:
        """Nothing to give back."""

    def _taken(self, batch: Sequence[Outgoing]) -> tuple[Unsent, ...]:
        by_scope: dict[str, list[Announcement]] = {}
        for outgoing in batch:
            by_scope.setdefault(outgoing.announcement.scope, []).append(outgoing.announcement)
        unsent: list[Unsent] = []
        for told in by_scope.values():
            try:
                with self._env.cr.savepoint():
                    self._env["shipkit.announcement"]._take(told)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:  # one parcel that cannot be written stops no other
                # The text may hold anything of a person; who wants it turns on DEBUG.
                _logger.info("announcements of a parcel were not taken: %s", type(error).__name__)
                _logger.debug("why they were not", exc_info=True)
                unsent.append(Unsent(number=told[0].number, error=f"refused_{type(error).__name__}"))
                unsent += [Unsent(number=one.number, error=BEHIND) for one in told[1:]]
        return tuple(unsent)
