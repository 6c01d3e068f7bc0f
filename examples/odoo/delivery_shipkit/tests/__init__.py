from . import (
    test_crons,
    test_install,
    test_invoices,
    test_method,
    test_neutralized,
    test_shipping,
    test_tracking,
    test_webhooks,
)
