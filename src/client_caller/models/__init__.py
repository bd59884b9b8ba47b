"""The model files we use: a manifest, how to fetch them, how to check them.

Nothing is fetched in the middle of a call, and nothing unverified is loaded.
"""
