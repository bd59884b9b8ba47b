"""What the user writes: the Agent, its tools, and the scripted agent of the demonstration.

This room never sees audio or a wire.
"""
