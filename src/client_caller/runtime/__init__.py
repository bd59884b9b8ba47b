"""The only room with a clock: the 20 ms heartbeat and the shell around one call's conversation.

It carries out what the conversation commands and never decides anything itself.
"""
