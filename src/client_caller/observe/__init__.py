"""Metrics and the latency ledger.

It reads what happened. No secret and no word of a caller passes through here.
"""
