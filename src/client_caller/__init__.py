"""Client Caller: a self-hosted, real-time AI phone agent that knows which of its words were heard."""

__version__ = "0.1.0"
