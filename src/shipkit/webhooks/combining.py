"""Several proofs for one push: any of them, or all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from ..model import SignatureResult, TrustLevel
from .verdicts import ABSENT, INVALID, RawPush, Scheme, Verdict

__all__ = ["AllOf", "AnyOf"]

_RANK = (TrustLevel.UNAUTHENTICATED, TrustLevel.SENDER_AUTHENTICATED, TrustLevel.BODY_SIGNED)


def _are_named(_: object, __: object, schemes: Mapping[str, Scheme]) -> None:
    if not schemes or any(not name or "=" in name for name in schemes):
        raise ValueError("there is at least one scheme, and each has a name")


@attrs.frozen(kw_only=True)
class _Several:
    """Schemes by name. A secret belongs to one of them: ``name=secret``; one that names none is used by none.

    Else what one scheme shows to everybody, such as a certificate or a token in an address, were a key of the other.
    """

    schemes: Mapping[str, Scheme] = attrs.field(validator=_are_named, hash=False)

    @property
    def trust(self) -> TrustLevel:
        """The most that a push can be worth: that of the strongest."""
        return max((scheme.trust for scheme in self.schemes.values()), key=_RANK.index)

    def _verdicts(self, push: RawPush, secrets: Sequence[str], now: datetime, max_age_s: float) -> list[Verdict]:
        found = []
        for name, scheme in self.schemes.items():
            own = [secret[len(name) + 1 :] for secret in secrets if secret.startswith(f"{name}=")]
            found.append(scheme.judge(push, own, now=now, max_age_s=max_age_s))
        return found


@attrs.frozen(kw_only=True)
class AnyOf(_Several):
    """One proof is enough, and the strongest that holds counts."""

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Ask each scheme; where none accepts the push, a wrong proof says more than a missing one."""
        verdicts = self._verdicts(push, secrets, now, max_age_s)
        accepted = [verdict for verdict in verdicts if verdict.accepted]
        if accepted:
            return max(accepted, key=lambda each: (_RANK.index(each.trust), each.signature is SignatureResult.VALID))
        return _refusal(verdicts)


@attrs.frozen(kw_only=True)
class AllOf(_Several):
    """Every proof has to hold, and the strongest counts."""

    def judge(self, push: RawPush, secrets: Sequence[str], *, now: datetime, max_age_s: float) -> Verdict:
        """Ask each scheme; one that does not accept the push is enough to refuse it."""
        verdicts = self._verdicts(push, secrets, now, max_age_s)
        if not all(verdict.accepted for verdict in verdicts):
            return _refusal(verdicts)
        ages = {verdict.age_ok for verdict in verdicts} - {None}
        valid = any(verdict.signature is SignatureResult.VALID for verdict in verdicts)
        return Verdict(
            signature=SignatureResult.VALID if valid else SignatureResult.NOT_SUPPORTED,
            trust=max((verdict.trust for verdict in verdicts), key=_RANK.index),
            age_ok=True if ages else None,
            delivery_id=next((verdict.delivery_id for verdict in verdicts if verdict.delivery_id), None),
        )


def _refusal(verdicts: Sequence[Verdict]) -> Verdict:
    stale = [verdict for verdict in verdicts if verdict.age_ok is False]
    if stale:
        return stale[0]
    return INVALID if any(verdict.signature is SignatureResult.INVALID for verdict in verdicts) else ABSENT
