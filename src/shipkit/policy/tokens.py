"""Credentials on the request: a signature, or an access token that one caller fetches for all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import ParamSpec

from ..carrier import Authenticates, Carrier, Refreshes, Signs, able
from ..errors import AuthenticationError, DeadlineError, PluginError, ShipkitError
from ..flow import Request, Response, Run, Send, Token, call, drive, foreign, now, sleep
from ..ports import TokenStore
from .context import Context

__all__ = ["Login", "authorized"]

P = ParamSpec("P")
_LOOK_AGAIN_S = 0.02
_LOOK_AGAIN_MAX_S = 0.25
_EVEN_ENDED_S = -1e9


def authorized(send: Send, carrier: Carrier, context: Context, login: Login | None) -> Send:
    """Sign each request that wants it; after one refusal of the token, take a new one and send once more."""
    if login is not None and able(carrier, Authenticates):
        return _with_token(send, carrier, context, login)
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


def _with_token(send: Send, carrier: Authenticates, context: Context, login: Login) -> Send:
    def authorized_send(request: Request) -> Run[Response]:
        if not request.signed:
            return (yield from send(request))
        token = login.at_hand() or (yield from login.token())
        try:
            return (yield from send(_made(carrier.authorize, _numbered(request, context), token)))
        except AuthenticationError:
            pass
        # The refused token may have been revoked by somebody's refresh: a 401 took nothing on, so once more is safe.
        token = yield from login.token(refused=token)
        yield context.emit("retry", request=request.name, error="authentication", detail="401")
        return (yield from send(_made(carrier.authorize, _numbered(request, context), token)))

    return authorized_send


class Login:
    """How one call comes by an access token: from this process, from the store that is shared, or from the carrier.

    One caller of a process asks the shared store, and one worker of all asks the carrier; the others look again.
    """

    def __init__(
        self, send: Send, once: Send, carrier: Authenticates, refreshes: Refreshes | None, context: Context
    ) -> None:
        self._send, self._once, self._carrier, self._refreshes = send, once, carrier, refreshes
        self._context = context
        self._name, self._margin_s = context.state.name, context.settings.token_margin_s
        self._shared = context.tokens
        self._near = context.state.near or context.tokens

    def at_hand(self) -> Token | None:
        """The token, if this process has one; never waits for a store."""
        return None if self._near.blocking else self._near.get(self._name, self._margin_s)

    def token(self, refused: Token | None = None) -> Run[Token]:
        """The token, other than the one that the carrier *refused*.

        Raises:
            DeadlineError: another caller is still fetching it.
            AuthenticationError: the carrier refused the credentials, to this caller or while it waited.
        """
        if refused is not None:
            yield from self._forget(refused)
        state, owner, began_at = self._context.state, "", float("inf")
        while True:
            token = yield from call(self._near.get, self._name, self._margin_s)
            if token is not None and token != refused:
                return token
            began_at = min(began_at, (yield from now()))
            if state.refused is not None and state.refused[0] > began_at:
                raise copy(state.refused[1])  # or all who waited would try credentials that were just refused
            owner = owner or self._context.request_id()
            if (yield from self._claimed(self._near, owner)):
                return (yield from self._leased(self._near, owner, self._of_all(owner, refused)))
            yield from self._pause(_LOOK_AGAIN_S)

    def _forget(self, refused: Token) -> Run[None]:
        """Forget exactly *refused*: a newer one stays. What can be refreshed stays in the store until it is."""
        refreshes = self._refreshes is not None and bool(refused.refresh_token)
        for store in {id(store): store for store in (self._near, self._shared)}.values():
            if store is not self._shared or not refreshes:
                yield from call(store.drop, self._name, refused)

    def _of_all(self, owner: str, refused: Token | None) -> Run[Token]:
        """For this process: the token that all workers share, or a new one for all of them."""
        if self._near is self._shared:
            return (yield from self._new(owner, refused))
        pause_s = _LOOK_AGAIN_S
        while True:
            token = yield from call(self._shared.get, self._name, self._margin_s)
            if token is not None and token != refused:
                break
            if (yield from self._claimed(self._shared, owner)):
                token = yield from self._leased(self._shared, owner, self._new(owner, refused))
                break
            yield from self._pause(pause_s)
            pause_s = min(2 * pause_s, _LOOK_AGAIN_MAX_S)
        yield from call(self._near.put, self._name, owner, token)
        return token

    def _new(self, owner: str, refused: Token | None) -> Run[Token]:
        """For all workers: a token from the carrier, unless somebody finished between the look and the claim."""
        shared, name = self._shared, self._name
        token = yield from call(shared.get, name, self._margin_s)
        if token is not None and token != refused:
            yield from call(shared.release, name, owner)
            return token
        detail, token = "refreshed", (yield from self._refreshed())
        if token is None:
            detail, token = "", (yield from self._authenticated())
        yield from call(shared.put, name, owner, token)
        yield self._context.emit("token", detail=detail)
        return token

    def _authenticated(self) -> Run[Token]:
        try:
            return (yield from drive(self._carrier.authenticate(), self._send))
        except AuthenticationError as error:
            self._context.state.refused = ((yield from now()), error)
            raise

    def _refreshed(self) -> Run[Token | None]:
        """A token for the refresh token of the last one; None where there is none, or where it is of no use.

        It is taken out of the store before it is sent, and it is sent once: whoever comes later, after a crash or a
        lease that ran out, finds nothing to send twice.
        """
        if self._refreshes is None:
            return None
        last = yield from call(self._shared.get, self._name, _EVEN_ENDED_S)
        if last is None or not last.refresh_token or not (yield from call(self._shared.drop, self._name, last)):
            return None
        try:
            return (yield from drive(self._refreshes.refresh(last), self._once))
        except DeadlineError:
            raise
        except ShipkitError:
            return None

    def _claimed(self, store: TokenStore, owner: str) -> Run[bool]:
        return call(store.claim, self._name, owner, self._context.settings.token_lease_s)

    def _leased(self, store: TokenStore, owner: str, run: Run[Token]) -> Run[Token]:
        """*run* under a claim on *store*, which ends with it however it ends: nobody waits for who gave up."""
        try:
            return (yield from run)
        except GeneratorExit:  # a closed run cannot yield
            with suppress(Exception):
                store.release(self._name, owner)
            raise
        except BaseException:
            with suppress(ShipkitError):
                yield from call(store.release, self._name, owner)
            raise

    def _pause(self, seconds: float) -> Run[None]:
        left_s = self._context.until - (yield from now())
        if left_s <= 0:
            raise DeadlineError(
                "no access token within the deadline: another call is still fetching it",
                deadline_s=self._context.deadline_s,
            )
        yield from sleep(min(seconds, left_s))
