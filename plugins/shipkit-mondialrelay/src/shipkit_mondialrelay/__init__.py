"""Mondial Relay for shipkit."""
