"""Samples: G.711, resampling, voice activity over all calls at once.

Numbers in, numbers out. This room never decides what a sound means for a conversation.
"""
