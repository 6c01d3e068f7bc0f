"""How the pushes to one account are proved, where a host knows better than the plugin."""

from __future__ import annotations

import attrs

from .verdicts import Scheme

__all__ = ["WebhookAuth"]


@attrs.frozen(kw_only=True)
class WebhookAuth:
    """What a host configures for one account: ``Client(..., webhooks={"acme-de": WebhookAuth(...)})``.

    With `Unsigned` as the scheme it says that pushes of anybody are taken, as hints.
    """

    scheme: Scheme | None = None
    """None: the plugin's."""
    secrets: tuple[str, ...] = attrs.field(default=(), converter=tuple, repr=False, metadata={"secret": True})
    """The live ones, old and new while they change; empty: the account's own."""
