"""UPS for shipkit."""
