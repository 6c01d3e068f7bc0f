from . import conflict, handover, invoice_, invoice_decision
