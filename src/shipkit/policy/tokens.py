"""Credentials on the request: a signature, or an access token that one caller fetches for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from ..carrier import Authenticates, Carrier, Signs, able
from ..errors import AuthenticationError, DeadlineError, PluginError, ShipkitError
from ..flow import Request, Response, Run, Send, Token, call, drive, foreign, now, sleep
from .context import Context

__all__ = ["authorized", "ready"]

P = ParamSpec("P")
_LOOK_AGAIN_S = 0.02


def authorized(send: Send, carrier: Carrier, context: Context) -> Send:
    """Sign each request that wants it; after one refusal of the token, fetch a new one and send once more."""
    if able(carrier, Authenticates):
        return _with_token(send, carrier, context)
    if able(carrier, Signs):
        signer = carrier
        return lambda request: send(_made(signer.sign, _numbered(request, context)) if request.signed else request)
    return send


def _made(function: Callable[P, Request], *args: P.args, **kwargs: P.kwargs) -> Request:
    """The plugin's request; what it raises is our error, before anything is sent."""
    try:
        return function(*args, **kwargs)
    except ShipkitError:
        raise
    except Exception as error:
        raise PluginError(f"the plugin raised {type(error).__name__} while it signed a request") from foreign(error)


def _numbered(request: Request, context: Context) -> Request:
    """*request* with an id before it is signed, for carriers that want the number in a header or in what is signed."""
    return request.with_id(context.request_id())


def _with_token(send: Send, carrier: Authenticates, context: Context) -> Send:
    def authorized_send(request: Request) -> Run[Response]:
        if not request.signed:
            return (yield from send(request))
        token = yield from _token(send, carrier, context)
        try:
            return (yield from send(_made(carrier.authorize, _numbered(request, context), token)))
        except AuthenticationError:
            yield from call(context.tokens.drop, context.state.account, token)
        # The refused token may have been revoked by somebody's refresh: a 401 took nothing on, so once more is safe.
        token = yield from _token(send, carrier, context)
        return (yield from send(_made(carrier.authorize, _numbered(request, context), token)))

    return authorized_send


def ready(send: Send, carrier: Carrier, context: Context) -> Run[None]:
    """Have a token at hand before a purchase is claimed: its send window is no time to log in."""
    if able(carrier, Authenticates):
        yield from _token(send, carrier, context)


def _token(send: Send, carrier: Authenticates, context: Context) -> Run[Token]:
    store, account, settings = context.tokens, context.state.account, context.settings
    owner = ""
    while True:
        token = yield from call(store.get, account, settings.token_margin_s)
        if token is not None:
            return token
        owner = owner or context.request_id()
        if (yield from call(store.claim, account, owner, settings.token_lease_s)):
            # Somebody may have finished between the look and the claim.
            token = yield from call(store.get, account, settings.token_margin_s)
            if token is None:
                token = yield from _fetched(send, carrier, context, owner)
            else:
                yield from call(store.release, account, owner)
            return token
        if (yield from now()) >= context.until:
            raise DeadlineError("no access token within the deadline: another call is still fetching it")
        yield from sleep(_LOOK_AGAIN_S)


def _fetched(send: Send, carrier: Authenticates, context: Context, owner: str) -> Run[Token]:
    store, account = context.tokens, context.state.account
    try:
        token = yield from drive(carrier.authenticate(), send)
    except GeneratorExit:
        raise  # a closed generator cannot yield: the claim ends with its lease
    except BaseException:
        yield from call(store.release, account, owner)
        raise
    yield from call(store.put, account, owner, token)
    yield context.emit("token")
    return token
