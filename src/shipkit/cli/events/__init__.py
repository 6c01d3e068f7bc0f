"""Parcels on their way as a person sees them: what is known, what waits and for whom, and what is done about it."""
