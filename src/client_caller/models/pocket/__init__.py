"""Our server for Pocket TTS, Kyutai's small voice for CPUs, by way of the package that Kyutai publishes.

`voice` is the only module that imports that package; `desk` decides who is spoken for when; `server` is the HTTP edge.
"""
