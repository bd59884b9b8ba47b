"""The HTTP and WebSocket edge.

Closed by default: nothing here answers an unsigned request. It never touches a conversation but through a call's shell.
"""
