"""UPS's own words, a module per subject; each is imported by the operation that needs it."""
