"""Our own speech-to-text server: Whisper, made to stream.

What needs no model is pure and imports nothing heavy; `ctranslate2` and `faster_whisper` are imported by `backend`
alone. It must never run a model in an event loop, and never keep or log a caller's words.
"""
