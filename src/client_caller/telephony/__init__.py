"""The wire of each telephone provider: codecs, TwiML, signatures, tokens.

Sans-I/O: bytes in, typed messages out, and back. This room never opens a socket and never knows what is said.
"""
