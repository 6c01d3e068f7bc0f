"""Keys that a sender publishes: somebody fetches them, and a scheme looks at what was fetched last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import attrs

from ..model import SignatureResult, TrustLevel
from .combining import AllOf, AnyOf
from .rsa import Rsa, key_ids
from .signed import Parts
from .verdicts import RawPush, Scheme, Verdict

__all__ = ["KeySet", "has_key_set", "with_key_sets"]


@attrs.define(eq=False)
class KeySet:
    """The key set at one address, as it was fetched last."""

    url: str
    text: str = ""
    """JSON; empty: there is none, and nothing is believed."""
    is_wanted: bool = False
    """Whether a push has named a key that is not in it: it is worth another look, some time soon."""


@attrs.frozen(kw_only=True)
class _WithKeySet:
    """A scheme whose secrets are those that are configured, and the fetched set."""

    scheme: Rsa
    keys: KeySet

    @property
    def trust(self) -> TrustLevel:
        """That of the scheme."""
        return self.scheme.trust

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Ask the scheme; nothing is fetched here."""
        text = self.keys.text
        verdict = self.scheme.judge(push, [*secrets, text] if text else secrets, now=now, max_age_s=max_age_s)
        if verdict.signature is SignatureResult.INVALID and verdict.age_ok is None:
            named = Parts(push).text(self.scheme.key_header) if self.scheme.key_header else None
            if named is None or named not in key_ids(text):
                self.keys.is_wanted = True
        return verdict


def has_key_set(scheme: Scheme) -> bool:
    """Whether *scheme* is one that `with_key_sets` gave, with a set in it."""
    if isinstance(scheme, (AnyOf, AllOf)):
        return any(has_key_set(part) for part in scheme.schemes.values())
    return isinstance(scheme, _WithKeySet)


def with_key_sets(scheme: Scheme, key_set: Callable[[str], KeySet]) -> Scheme:
    """*scheme*, where it is or has an `Rsa` with a ``jwks_url``, with what *key_set* gives for that address."""
    if isinstance(scheme, Rsa) and scheme.jwks_url:
        return _WithKeySet(scheme=scheme, keys=key_set(scheme.jwks_url))
    if isinstance(scheme, (AnyOf, AllOf)):
        parts = {name: with_key_sets(part, key_set) for name, part in scheme.schemes.items()}
        if any(part is not scheme.schemes[name] for name, part in parts.items()):
            return attrs.evolve(scheme, schemes=parts)
    return scheme
