"""Campaigns against the ledger: random schedules of faults, workers that are killed, processes that share keys.

``python -m tests.faults --profile ci|full`` runs them and prints a table; the carrier's books are the judge.
"""
