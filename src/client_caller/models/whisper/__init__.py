"""Whisper, made to stream: windows of audio that are transcribed again and again, and what may be believed of them.

What needs no model is pure and imports nothing heavy; only `faster` imports `ctranslate2` and `faster_whisper`.
"""
