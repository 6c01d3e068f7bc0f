"""Exactly one booking per key: claim durably, send once, believe only what is proved, look before repeating.

`states` has the table, `identity` the marks and fingerprints, `booking` the way of a purchase and `sending` one sending
of it, `recovery` what ends a doubt, `voiding` the way back, `watching` and `strays` what comes in late.
"""

from .booking import booked
from .identity import fingerprint, mark_of
from .intent import Intent
from .recovery import recovered
from .states import TABLE, Transition
from .voiding import cancelled

__all__ = ["TABLE", "Intent", "Transition", "booked", "cancelled", "fingerprint", "mark_of", "recovered"]
