from . import account, account_check, carrier, shipment  # the models that all others refer to or extend

# isort: split
from . import booked, cancelling, links, shipping  # whose methods those below override: they stand before them

# isort: split
from . import (
    account_webhook,
    adoption,
    comparison,
    customs,
    demo,
    event,
    fallback,
    handover,
    inbox,
    invoice,
    invoice_match,
    jobs,
    manifest,
    operation,
    package_type,
    picking,
    picking_return,
    picking_tracking,
    pickup,
    plugin,
    points,
    purging,
    rating,
    real_cost,
    recovery,
    returns,
    sale,
    shown,
    simulator,
    telling,
    tracking,
)
