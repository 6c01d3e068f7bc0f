from . import conflict, invoice_import, manifest, pickup
