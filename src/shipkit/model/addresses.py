"""What a carrier knows of an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from shipkit.model.base import Value
from shipkit.model.places import AddressKind
from shipkit.model.scalars import ClosedEnum

if TYPE_CHECKING:
    from shipkit.model.messages import Message
    from shipkit.model.places import Address

__all__ = [
    "AddressCheck",
    "AddressCheckLevel",
    "AddressCheckResult",
    "AddressVerdict",
]


class AddressCheckLevel(ClosedEnum):
    """How far to check."""

    CLASSIFY = "classify"  # residential or business
    VALIDATE = "validate"  # does it exist
    SUGGEST = "suggest"  # and what else may be meant


class AddressVerdict(ClosedEnum):
    """What the carrier says of an address."""

    VERIFIED = "verified"  # exists as given
    CORRECTED = "corrected"  # exists slightly otherwise
    AMBIGUOUS = "ambiguous"  # several
    FAILED = "failed"  # unknown


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AddressCheck(Value):
    """Asks whether an address can be served."""

    address: Address
    level: AddressCheckLevel = AddressCheckLevel.VALIDATE


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AddressCheckResult(Value):
    """What the carrier knows of an address. The host decides: nothing is replaced."""

    verdict: AddressVerdict
    kind: AddressKind = AddressKind.UNKNOWN
    candidates: tuple[Address, ...] = ()
    """Best first."""
    messages: tuple[Message, ...] = ()
