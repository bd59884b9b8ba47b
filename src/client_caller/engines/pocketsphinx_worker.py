"""The process that hears: PocketSphinx holds the interpreter's lock while it decodes. Run as a module, by its driver.

One decoder for each call, all in one thread: 0.03 s of CPU for a second of speech. The figures of the settings below
are word error rates over 80 lines spoken by eSpeak NG in five voices, and 29 recordings of `audio/utt`.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.engines import framing
from client_caller.engines.bigrams import arpa, spoken_words
from client_caller.engines.pocketsphinx_messages import Answer, Close, Finish, Hear, Open, Request, Setup
from client_caller.engines.speech_gate import SpeechGate

DITHER = 10 ** (-50 / 20)
"""Noise added to all audio, -50 dBFS: digital silence, and nothing above the telephone band, is unlike all that the
acoustic model has learned. 0.07 and 0.12; at -60 dBFS 0.16 and 0.09, at -70 dBFS 0.25 and 0.14."""
LANGUAGE_WEIGHT = 15.0
"""How much the language model counts against the sound; with the default of 6.5, which
is for open dictation, 0.11 and 0.12."""
BEAMS = {"beam": 1e-80, "wbeam": 1e-60, "pbeam": 1e-80}
"""Wider than the default, with which it is 0.11 and 0.14: with a vocabulary this small it costs nothing."""
CEPSTRAL_MEAN = "52.9,-3.9,-6.0,6.4,-4.6,-5.4,-0.6,-8.3,-1.0,-2.1,-2.1,1.2,-3.7"
"""Where the normalisation of an utterance begins: the mean over both sets, at this dither. Each utterance begins
there, so that what is heard does not depend on what was heard before."""
LONGEST = 30 * 50
"""Frames after which an utterance is ended, finish or not: 30 s. Only noise or music lasts longer without a pause."""


class Unusable(Exception):
    """PocketSphinx can't work with this set-up; the text says why, and what to do."""


class Doubler:
    """8 kHz to 16 kHz, as a stream: every second sample is interpolated from the 16 around it. Withholds 1 ms."""

    _REACH = 8

    def __init__(self) -> None:
        places = np.arange(2 * self._REACH) - self._REACH + 0.5
        weights = np.sinc(places) * np.kaiser(2 * self._REACH, 5)
        self._weights = (weights / weights.sum()).astype(np.float32)
        self._before = np.zeros(2 * self._REACH - 1, np.float32)

    def feed(self, samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Shape (n,) in, shape (2n,) out."""
        joined = np.concatenate([self._before, samples])
        self._before = joined[len(samples) :]
        doubled = np.empty(2 * len(samples), np.float32)
        doubled[0::2] = joined[self._REACH - 1 : self._REACH - 1 + len(samples)]
        doubled[1::2] = np.convolve(joined, self._weights, "valid")
        return doubled


class Ear:
    """One call's decoder, and what it has of the present utterance."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._gate = SpeechGate()
        self._doubler = Doubler()
        self._noise = np.random.default_rng(0)
        self._rest = b""
        self._frames = 0
        """Of the present utterance; 0 between two."""
        self._partial = ""

    def hear(self, mulaw: bytes) -> tuple[str | None, str | None]:
        """Take some audio. Returns the final words, if an utterance became too long, and the partial if it is new."""
        final = None
        mulaw = self._rest + mulaw
        whole = len(mulaw) - len(mulaw) % g711.FRAME
        self._rest = mulaw[whole:]
        for start in range(0, whole, g711.FRAME):
            self._take(g711.decode_float(mulaw[start : start + g711.FRAME]))
            if self._frames >= LONGEST or (self._frames and not self._gate.open and not self._words()):
                final = self.finish() or final
        partial = self._words()
        if partial == self._partial:
            return final, None
        self._partial = partial
        return final, partial

    def finish(self) -> str | None:
        """End the utterance: its words, or None where there are none."""
        if not self._frames:
            return None
        self._decoder.end_utt()
        words = self._words()
        self._frames, self._partial = 0, ""
        return words or None

    def _take(self, frame: npt.NDArray[np.float32]) -> None:
        for speech in self._gate.feed(frame):
            if not self._frames:
                self._decoder.set_cmn(CEPSTRAL_MEAN)
                self._decoder.start_utt()
            self._frames += 1
            samples = self._doubler.feed(speech)
            samples = samples + DITHER * self._noise.standard_normal(len(samples), np.float32)
            pcm = np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")
            self._decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=False)

    def _words(self) -> str:
        guess = self._decoder.hyp() if self._frames else None
        return guess.hypstr if guess else ""


class Ears:
    """All calls' decoders, over one dictionary and one language model."""

    def __init__(self, sentences: Iterable[str], folder: Path) -> None:
        """Raises `Unusable`. The decoders read their files in `folder`, which has to stay."""
        try:
            import pocketsphinx
        except ImportError:
            raise Unusable("PocketSphinx is not installed: run `pip install 'client-caller[demo]'`") from None
        self._pocketsphinx = pocketsphinx
        words = [spoken_words(sentence) for sentence in sentences]
        if not any(words):
            raise Unusable("PocketSphinx hears only what it is told to expect: give it at least one sentence")
        dictionary = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
        self._dictionary, self._model = folder / "words.dict", folder / "sentences.arpa"
        self._dictionary.write_text("".join(_pronunciations(dictionary, {word for line in words for word in line})))
        self._model.write_text(arpa(words))
        self._calls: dict[int, Ear] = {}

    def answer(self, request: Request) -> Answer | None:
        """Do what is asked; None where no answer is due."""
        match request:
            case Open(call):
                self._calls[call] = Ear(self._decoder())
                return Answer(call)
            case Hear(call, mulaw):
                final, partial = self._calls[call].hear(mulaw)
                return Answer(call, final, partial)
            case Finish(call, number):
                return Answer(call, final=self._calls[call].finish(), finished=number)
            case Close(call):
                del self._calls[call]
                return None

    def _decoder(self) -> Any:
        """About 0.01 s and 6 MB, as its dictionary is so small. Without a second pass, which takes up to 0.8 s."""
        return self._pocketsphinx.Decoder(
            lm=str(self._model),
            dict=str(self._dictionary),
            lw=LANGUAGE_WEIGHT,
            fwdflat=False,
            loglevel="FATAL",
            **BEAMS,
        )


def _pronunciations(dictionary: Path, wanted: set[str]) -> Iterator[str]:
    """The lines of a CMU dictionary for these words. Raises `Unusable` that names all that are not in it."""
    missing = set(wanted)
    with dictionary.open(encoding="utf-8") as lines:
        for line in lines:
            word = line.split(maxsplit=1)[0].partition("(")[0]
            if word in wanted:
                missing.discard(word)
                yield line
    if missing:
        raise Unusable(
            f"PocketSphinx can't hear words that its dictionary of American English does not have: "
            f"{', '.join(sorted(missing))}. Write numbers as words, and choose other words for the rest"
        )


def _serve(ears: Ears, messages_in: BinaryIO, messages_out: BinaryIO) -> None:
    decoder = msgspec.msgpack.Decoder(Request)
    encoder = msgspec.msgpack.Encoder()
    while (body := framing.read(messages_in)) is not None:
        answer = ears.answer(decoder.decode(body))
        if answer is not None:
            framing.write(messages_out, encoder.encode(answer))


def main() -> None:
    messages_in, messages_out = framing.take_standard_pipes()
    setup = framing.read(messages_in)
    if setup is None:
        return
    with tempfile.TemporaryDirectory(prefix="client-caller-") as folder:
        try:
            ears = Ears(msgspec.msgpack.decode(setup, type=Setup).sentences, Path(folder))
        except Unusable as error:
            framing.write(messages_out, str(error).encode())
            return
        with suppress(BrokenPipeError):  # the driver was killed
            framing.write(messages_out, b"")
            _serve(ears, messages_in, messages_out)


if __name__ == "__main__":
    main()
