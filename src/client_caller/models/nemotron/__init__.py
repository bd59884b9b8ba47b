"""Nemotron: NVIDIA's streaming speech recognition, which hears every sound once and never takes a word back.

A cache-aware FastConformer encoder with an RNN-T decoder (Noroozi et al. 2024, "Stateful Conformer with Cache-based
Inference for Streaming ASR"; weights: nvidia/nemotron-speech-streaming-en-0.6b). What needs no model is pure and
imports nothing heavy; `caches`, `transducer`, `engine` and `weights` need PyTorch.
"""
