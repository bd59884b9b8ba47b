"""A telephone network and its callers in software, for the demonstration, tests and load.

It speaks the provider's real wire protocol and never reaches into the side it calls.
"""
