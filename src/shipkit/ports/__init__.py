"""What a host may bring, each a small protocol named after its role; in-memory versions stand in `shipkit.store`.

What a store keeps of parcels on their way is in `shipkit.ports.events`, what takes published events in
`shipkit.ports.publishing`: a host that only buys labels loads neither.
"""

from __future__ import annotations

from .keeping import Archive, Forgotten, LimitStore, Purged, Store, TokenStore
from .ledger import Backlog, Claim, Entry, Kept, LedgerStore, Phase, Resend, Step, Stray
from .observing import Observation

__all__ = [
    "Archive",
    "Backlog",
    "Claim",
    "Entry",
    "Forgotten",
    "Kept",
    "LedgerStore",
    "LimitStore",
    "Observation",
    "Phase",
    "Purged",
    "Resend",
    "Step",
    "Store",
    "Stray",
    "TokenStore",
]
