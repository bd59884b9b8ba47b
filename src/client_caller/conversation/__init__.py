"""The decisions of one call.

Facts go in as events that carry their time, commands come out. This room is pure: standard library only, no
clock, no await, no I/O, and nothing of ours imported from any other room.
"""
