"""``client.events`` for threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from ...flow import Run
    from .answering import Answer
    from .desk import EventDesk
    from .ends import Processed
    from .receiving import Received

__all__ = ["Events"]

T = TypeVar("T")


class _Performs(Protocol):
    """Performs the effects of a run: the client's own loop."""

    def __call__(self, run: Run[T], /) -> T: ...


class Events:
    """Pushes in, parcels followed, one state for each, and every change announced once; shared by threads."""

    def __init__(self, desk: EventDesk, run: _Performs) -> None:
        self._desk, self._run = desk, run

    # Pushes: receiving, processing, dead letters, replay

    def receive(
        self, account: str, headers: Mapping[str, str], body: bytes, *, query: str = "", remote: str = ""
    ) -> Received:
        """Verify the raw bytes of a push to *account* and store it: what is ``taken`` is durable when this returns.

        *query* stands behind the ``?`` of the address that it was sent to, *remote* is the address of the sender.
        Nothing is raised for what a stranger sends, and nothing of it is kept.

        Raises:
            StoreError: it could not be stored; the sender must not be told that it was.
        """
        from ...webhooks import RawPush
        from .receiving import receive

        push = RawPush(headers=headers, body=body, query=query, remote=remote)
        return self._run(receive(self._desk, account, push))

    def process(self, limit: int | None = None) -> Processed:
        """Take a batch of deliveries from the inbox (*limit*, ``inbox_batch``) and see each of them through.

        Call it until nothing is ``taken``, by as many workers as you like: each delivery is lent to one of them.

        Raises:
            StoreError: the store cannot be reached; what was taken is free again when its lease is over.
        """
        from .processing import process

        return self._run(process(self._desk, limit))

    # Parcels: following, asking carriers, reconciling

    # An endpoint of the host's own

    def answer(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        query: str = "",
        *,
        remote: str = "",
    ) -> Answer:
        """The whole answer to a request that a host's own HTTP server took, such as a controller of Odoo.

        A push is stored durably before it is answered 2xx. *path* is percent-decoded, *body* as it came, *query* what
        stands behind the ``?``. The paths are those of `webhook_paths`.

        Raises:
            NotSupportedError: a package that the carrier's scheme needs is not installed.
        """
        from .entrance import answered

        return self._run(answered(self._desk, method, path, headers, body, query, remote))

    def webhook_paths(self) -> Mapping[str, str]:
        """By account the path that its carrier pushes to: it cannot be guessed, and is told to that carrier alone.

        Raises:
            StoreError: the store cannot be reached.
        """
        from .entrance import paths

        return self._run(paths(self._desk))
