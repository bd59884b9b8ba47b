"""The model tier: its files (a manifest, how to fetch and check them), its servers, and how they share one GPU.

Nothing is fetched in the middle of a call, and nothing unverified is loaded.
"""
