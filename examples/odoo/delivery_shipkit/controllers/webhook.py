"""Where carriers push to. A push is stored durably and answered; what it says is read by a cron, never here."""

from __future__ import annotations

from odoo import SUPERUSER_ID, http
from odoo.http import request
from werkzeug.exceptions import HTTPException

from shipkit.errors import StoreError

from ..bridge import client_of, is_neutralized

ROUTE = "/shipkit"
"""What stands before shipkit's own paths in this Odoo."""
_BODY_MAX_BYTES = 1_000_000
_TOO_LARGE = 413
_UNAVAILABLE = 503


class RawDispatcher(http.Dispatcher):
    """Leaves the body alone: Odoo's own consumes what is form-encoded, and a signature is made of the bytes as sent."""

    routing_type = "shipkit_raw"

    @classmethod
    def is_compatible_with(cls, request):
        """It takes whatever comes."""
        return True

    def dispatch(self, endpoint, args):
        """Call *endpoint* with what its path says."""
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)

    def handle_error(self, exc):
        """A status, and nothing of what happened. Carriers send again what is answered 5xx."""
        if isinstance(exc, HTTPException):
            return exc
        return http.Response(status=_UNAVAILABLE, headers={"Retry-After": "60"})


class Webhooks(http.Controller):
    """The addresses of `client.events.webhook_paths`, below `ROUTE`.

    Odoo may run a request again: the second time the push is a duplicate, and answered as the first.
    """

    @http.route(
        f"{ROUTE}/webhooks/<path:rest>",
        type=RawDispatcher.routing_type,
        auth="none",
        csrf=False,
        save_session=False,
        readonly=False,
        max_content_length=_BODY_MAX_BYTES,
    )
    def push(self, rest):
        """The answer to one push."""
        env = request.env(user=SUPERUSER_ID)
        if is_neutralized(env):
            # Nothing is looked up or kept: the real database is told of the same.
            return http.Response(status=200)
        asked = request.httprequest
        try:
            if (asked.content_length or 0) > _BODY_MAX_BYTES:
                body = b""  # it is refused for its length, and never read
            else:
                body = asked.get_data(cache=True)  # Odoo may run this again, and the stream is read once
        except HTTPException as error:
            return http.Response(status=error.code or _TOO_LARGE)
        try:
            answer = client_of(env).events.answer(
                asked.method,
                f"/webhooks/{rest}",
                dict(asked.headers),
                body,
                asked.query_string.decode("latin-1"),
                remote=asked.remote_addr or "",
            )
        except StoreError:
            return http.Response(status=_UNAVAILABLE, headers={"Retry-After": "5"})
        if answer.status == 200 and asked.method == "POST":
            env["shipkit.jobs"]._awake()
        return http.Response(answer.body, status=answer.status, headers=list(answer.headers))
