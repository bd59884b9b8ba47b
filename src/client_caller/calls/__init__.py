"""What remains of a call: store, recording, transcript, journal, replay, report.

This room only remembers; it never changes how a call goes.
"""
