"""Our streaming engine and server for CSM, a speech model that knows the conversation it speaks in.

The published weights are those of `transformers.CsmForConditionalGeneration`; what runs them here is our own, because
a telephone call needs what no generation loop has: sound 80 ms after the text, one cache for a whole call, many calls
in one batch, an end within one frame, and a memory that holds what was heard and not what was generated.

From the bottom: `stack` (transformer layers with a cache row for each call), `mimi` (codes to sound, statefully),
`engine` (frames), `memory` (what a call's cache holds), `loop` (the one thread that owns the engine), `server`. Only
this package imports torch and transformers.
"""
