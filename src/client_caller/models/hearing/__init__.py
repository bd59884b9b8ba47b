"""What every speech-to-text server of ours shares: the wire, voice activity, batches, and the seam to a model.

The seam (`recogniser`) is a listener for each call: audio in, guesses and final words out. How words come about is each
model's own affair: Whisper hears windows again and again, Nemotron hears every sound once. It must never run a model in
an event loop, and never keep or log a caller's words.
"""
