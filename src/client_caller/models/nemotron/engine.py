"""The next chunk of many streams, run through the model together."""

from collections.abc import Sequence

import torch

from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats
from client_caller.models.nemotron.caches import joined, row
from client_caller.models.nemotron.chunks import Chunk, Cutter, Stream, Token
from client_caller.models.nemotron.transducer import Said, Transducer
from client_caller.models.nemotron.weights import Weights


class Engine:
    """A loaded model. One thread at a time uses it, and no other touches what a stream remembers."""

    def __init__(self, weights: Weights) -> None:
        self.sizes = weights.sizes
        self._model = weights.model
        self._extractor = weights.extractor
        self._pieces = weights.pieces
        self._window = weights.window
        self._transducer = Transducer(weights.model)

    def transcribe(self, chunks: Sequence[Chunk]) -> list[tuple[Token, ...]]:
        """What each chunk adds to its stream: chunks of different streams, the same as if each were alone.

        Streams that have as many frames in their window of attention share a run.
        """
        groups: dict[int, list[int]] = {}
        for number, chunk in enumerate(chunks):
            groups.setdefault(min(chunk.stream.frames, self._window), []).append(number)
        answers: dict[int, tuple[Token, ...]] = {}
        for numbers in groups.values():
            answers |= zip(numbers, self._run([chunks[number] for number in numbers]), strict=True)
        return [answers[number] for number in range(len(chunks))]

    def warm_up(self, batch: int) -> None:
        """Run the largest batch on silence: memory is taken and kernels are chosen now, and not in a call."""
        cutter = Cutter(self.sizes)
        streams = [Stream() for _ in range(batch)]
        for silence in (cutter.end(), cutter.end()):
            self.transcribe([Chunk(stream, silence) for stream in streams])

    def _run(self, chunks: list[Chunk]) -> list[tuple[Token, ...]]:
        streams = [chunk.stream for chunk in chunks]
        begins = [stream.frames for stream in streams]
        frames = self.encode([chunk.samples for chunk in chunks], streams)
        emitted, said = self._transducer.decode(
            frames, Said.of([stream.decoder or self._transducer.start for stream in streams])
        )
        answers = []
        for number, (stream, begin) in enumerate(zip(streams, begins, strict=True)):
            stream.decoder = said.row(number)
            answers.append(
                tuple(
                    Token(self._pieces[token], begin + frame, probability)
                    for token, frame, probability in emitted[number]
                    if token in self._pieces
                )
            )
        return answers

    def encode(self, samples: Sequence[Floats], streams: Sequence[Stream]) -> torch.Tensor:
        """The encoder's frames of the next chunk of each stream, (streams, frames, size). Their windows are as full."""
        known = joined([stream.encoder for stream in streams]) if streams[0].frames else (None, None)
        made = self._model.get_audio_features(
            input_features=self._mel(samples),
            past_key_values=known[0],
            padding_cache=known[1],
            num_lookahead_tokens=self.sizes.lookahead,
            use_cache=True,
        )
        frames: torch.Tensor = made.pooler_output
        for number, stream in enumerate(streams):
            stream.encoder = row((made.past_key_values, made.padding_cache), number)
            stream.frames += frames.shape[1]
        return frames

    def _mel(self, samples: Sequence[Floats]) -> torch.Tensor:
        features = self._extractor(list(samples), sampling_rate=SAMPLE_RATE, center=False, return_tensors="pt")
        mel: torch.Tensor = features["input_features"].to(self._model.device, self._model.dtype)
        return mel
