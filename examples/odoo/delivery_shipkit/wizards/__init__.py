from . import conflict, invoice_decision, invoice_import, manifest, pickup
