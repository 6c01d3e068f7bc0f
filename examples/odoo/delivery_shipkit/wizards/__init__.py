from . import conflict, handover, invoice_decision, invoice_import, manifest, pickup
