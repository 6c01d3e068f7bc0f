"""Access tokens in a database, for the workers that share it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from ..errors import StoreError
from ..flow import Token
from .dialect import Home, Session
from .sql_rows import Rows
from .tries import done

__all__ = ["SqlTokens"]

_GET: Final = "SELECT {now}, token, margin_s FROM shipkit_token WHERE account = :account"
_CLAIM: Final = """INSERT INTO shipkit_token (account, owner, lease_until) VALUES (:account, :owner, :lease_until)
ON CONFLICT (account) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until
WHERE shipkit_token.owner IN ('', excluded.owner) OR shipkit_token.lease_until <= :at"""
_OWNER: Final = "SELECT owner FROM shipkit_token WHERE account = :account"
_PUT: Final = """INSERT INTO shipkit_token (account, token, margin_s) VALUES (:account, :token, :margin_s)
ON CONFLICT (account) DO UPDATE SET token = excluded.token, margin_s = excluded.margin_s,
  owner = CASE WHEN shipkit_token.owner = :owner THEN '' ELSE shipkit_token.owner END"""
_RELEASE: Final = "UPDATE shipkit_token SET owner = '' WHERE account = :account AND owner = :owner"
_IS: Final = "SELECT 1 FROM shipkit_token WHERE account = :account AND token = :token {locked}"
_DROP: Final = "UPDATE shipkit_token SET token = '' WHERE account = :account AND token = :token"


class SqlTokens:
    """One row for each account. A token is a secret: who may read the table may use it.

    What is lost with the machine is fetched again, so nothing here waits for the disk where the database allows that.
    """

    blocking = True

    def __init__(self, home: Home, clock: Callable[[], float] | None) -> None:
        self._home, self._rows = home, Rows(home, clock)

    def get(self, account: str, margin_s: float) -> Token | None:
        """The token of *account* unless it ends within *margin_s*."""
        with self._home.reading() as session:
            found = self._rows.ask(session, _GET, {"account": account})
        if not found or not found[0][1]:
            return None
        at, text, own_margin_s = found[0]
        token = _token(text, account)
        if token.expires_at is None:
            return token
        # A token that lives shorter than the margin would else be fetched anew by every caller.
        margin_s = min(margin_s, margin_s if own_margin_s is None else own_margin_s)
        ends_at = self._rows.dialect.time_out(at) + timedelta(seconds=margin_s)
        return token if ends_at < token.expires_at else None

    def claim(self, account: str, owner: str, lease_s: float) -> bool:
        """True for the one caller that is to fetch a token now."""
        time_in = self._rows.dialect.time_in

        def claimed(session: Session) -> bool:
            at = self._rows.now(session)
            until = at + timedelta(seconds=lease_s)
            values = {"account": account, "owner": owner, "lease_until": time_in(until), "at": time_in(at)}
            self._rows.tell(session, _CLAIM, values)
            return bool(self._rows.ask(session, _OWNER, {"account": account})[0][0] == owner)

        return done(self._home, claimed, held=True, durable=False)

    def put(self, account: str, owner: str, token: Token) -> None:
        """Keep *token* and end the claim of *owner*."""

        def kept(session: Session) -> None:
            expires_at, margin_s = token.expires_at, None
            if expires_at is not None:
                margin_s = (expires_at - self._rows.now(session)).total_seconds() / 2
            values = {"account": account, "owner": owner, "token": _text(token), "margin_s": margin_s}
            self._rows.tell(session, _PUT, values)

        done(self._home, kept, held=True, durable=False)

    def release(self, account: str, owner: str) -> None:
        """End the claim of *owner* without a token."""
        values = {"account": account, "owner": owner}
        done(self._home, lambda session: self._rows.tell(session, _RELEASE, values), durable=False)

    def drop(self, account: str, token: Token) -> bool:
        """Forget exactly *token*: forty callers with a revoked one cause a single refresh."""
        values = {"account": account, "token": _text(token)}

        def dropped(session: Session) -> bool:
            known = bool(self._rows.ask(session, _IS, values))
            if known:
                self._rows.tell(session, _DROP, values)
            return known

        return done(self._home, dropped, held=True, durable=False)


def _text(token: Token) -> str:
    def plain(_: Any, __: Any, value: Any) -> Any:
        return value.isoformat() if isinstance(value, datetime) else value

    return json.dumps(attrs.asdict(token, value_serializer=plain), sort_keys=True)


def _token(text: str, account: str) -> Token:
    known = {field.name for field in attrs.fields(Token)}
    try:
        members = {name: value for name, value in json.loads(text).items() if name in known}
        ends_at = members.get("expires_at")
        return Token(**{**members, "expires_at": ends_at and datetime.fromisoformat(ends_at)})
    except (ValueError, TypeError, AttributeError):
        raise StoreError(f"the token of {account} cannot be read") from None  # its text is a secret
