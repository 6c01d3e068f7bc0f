"""The ledger as a person sees it: what stands under which key, whose move it is, and what that person decides."""
