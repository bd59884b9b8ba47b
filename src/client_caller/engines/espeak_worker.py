"""The process that speaks: the only place where eSpeak NG (GPL-3) is loaded. Run as a module, by its driver.

The library is one global instance and not thread safe, so all jobs pass through one thread; at 1 ms of CPU for a
second of audio that serves hundreds of calls. A second thread listens for cancellations, which the library learns of
from its callback. Interface: `speak_lib.h` of eSpeak NG 1.52.
"""

import ctypes
import math
import queue
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import accumulate
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.audio.resample import resample
from client_caller.conversation.clauses import words_of
from client_caller.engines import framing
from client_caller.engines.espeak_messages import Refused, Request, Response, Spoken, Synthesise

_SYNCHRONOUS = 2
_BLOCK = 60
"""Milliseconds of audio between two calls of the callback: the library's own default."""
_POSITION_CHARACTER = 1
_UTF8 = 1
_END_PAUSE = 0x1000
"""The pause that the clause's last sign asks for (measured: 166 ms for a comma, 332 ms for a full stop)."""
_RATE = 1
_LIST_END = 0
_WORD = 1


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))

WordStart = tuple[int, int]
"""The sample at which the sound of a word begins, and its first character, from 0. No sound of it is earlier."""
_SOUND = 4
"""The smallest sample that mu-law tells from silence, of 32768. The library's pauses are below."""


def word_ends(text: str, starts: Iterable[WordStart], samples: npt.NDArray[np.int16]) -> list[int]:
    """For each word of `text` the sample at which its sound ends.

    That is where the sound of any later word begins, less the silence before it. The library's words are not ours: it
    splits "3:30" and joins "of the" into one sound. Parts of one word count as that word; words joined into one sound
    all end with it, for no sample before its end proves that the last of them was heard.
    """
    heads = [word.start for word in words_of(text)]
    if not heads:
        return []
    begins = sorted(starts)
    after = [sample for sample, _ in begins[1:]] + [len(samples)]
    next_begin = [0] * len(heads)
    for (_, character), following in zip(begins, after, strict=False):
        next_begin[max(0, bisect_right(heads, character) - 1)] = following
    limits = list(accumulate(next_begin, max))
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) >= _SOUND)
    return [int(loud[before - 1]) + 1 if before else 0 for before in np.searchsorted(loud, limits)]


class Speaker:
    """The library, loaded."""

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self._samples_per_second = self._library.espeak_Initialize(_SYNCHRONOUS, _BLOCK, data.encode(), 0)
        if self._samples_per_second <= 0:
            raise OSError("eSpeak NG could not read its data")
        self._callback = _Callback(self._take)  # kept: the library holds only the address
        self._library.espeak_SetSynthCallback(self._callback)
        self._blocks: list[npt.NDArray[np.int16]] = []
        self._starts: list[WordStart] = []
        self._unwanted: Callable[[], bool] = lambda: False

    def speak(self, job: Synthesise, unwanted: Callable[[], bool]) -> Spoken | Refused:
        """Do one job. Once `unwanted()` is true the rest of it is left out."""
        if not self._choose(job.voice.encode()):
            return Refused(job.job, f"eSpeak NG has no voice {job.voice}: name a language, such as en-us, es or pt-br")
        self._library.espeak_SetParameter(_RATE, job.words_per_minute, 0)
        self._blocks, self._starts, self._unwanted = [], [], unwanted
        # A zero byte would end the text, and so silently leave out the rest of its words.
        text = job.text.replace("\0", " ").encode()
        size = ctypes.c_size_t(len(text) + 1)
        self._library.espeak_Synth(text, size, 0, _POSITION_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None)
        return self._at_telephone_rate(job)

    def _choose(self, voice: bytes) -> bool:
        """By the voice's own name, or else the nearest voice of a language (es-mx gets es-419)."""
        wanted = _Voice(languages=voice)
        by_name = int(self._library.espeak_SetVoiceByName(voice))
        return by_name == 0 or int(self._library.espeak_SetVoiceByProperties(ctypes.byref(wanted))) == 0

    def _take(self, samples: Any, count: int, events: Any) -> int:
        """Called by the library for each block; a result of 1 makes it stop."""
        if samples and count:
            self._blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type != _LIST_END:
            if events[index].type == _WORD:
                self._starts.append((events[index].sample, events[index].text_position - 1))
            index += 1
        return int(self._unwanted())

    def _at_telephone_rate(self, job: Synthesise) -> Spoken:
        """One resampling for the whole clause: a streaming one would withhold audio, and this costs 0.1 ms a second."""
        samples = np.concatenate([*self._blocks, np.zeros(0, np.int16)])
        floats = samples.astype(np.float32) / np.float32(32768)
        mulaw = g711.encode_float(resample(floats, self._samples_per_second, g711.SAMPLE_RATE))
        scale = g711.SAMPLE_RATE / self._samples_per_second
        ends = (min(math.ceil(end * scale), len(mulaw)) for end in word_ends(job.text, self._starts, samples))
        return Spoken(job.job, mulaw, tuple(ends))


def _load() -> Speaker | str:
    """The library, or the reason why there is none."""
    try:
        import espeakng_loader
    except ImportError:
        return "eSpeak NG is not installed: run `pip install 'client-caller[demo]'`"
    try:
        return Speaker(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except OSError as error:
        return f"eSpeak NG could not be loaded: {error}"


def _serve(speaker: Speaker, messages_in: BinaryIO, say: Callable[[Response], None]) -> None:
    jobs: queue.SimpleQueue[Synthesise | None] = queue.SimpleQueue()
    wanted: set[int] = set()

    def listen() -> None:
        decoder = msgspec.msgpack.Decoder(Request)
        while (body := framing.read(messages_in)) is not None:
            request = decoder.decode(body)
            if isinstance(request, Synthesise):
                wanted.add(request.job)
                jobs.put(request)
            else:
                wanted.discard(request.job)
        wanted.clear()
        jobs.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while (job := jobs.get()) is not None:
        answer = speaker.speak(job, lambda number=job.job: number not in wanted)  # type: ignore[misc]
        if job.job in wanted:
            wanted.discard(job.job)
            say(answer)


def main() -> None:
    messages_in, messages_out = framing.take_standard_pipes()
    encoder = msgspec.msgpack.Encoder()
    framing.read(messages_in)  # the set-up: there is nothing to set up
    speaker = _load()
    if isinstance(speaker, str):
        framing.write(messages_out, speaker.encode())
        return
    with suppress(BrokenPipeError):  # the driver was killed
        framing.write(messages_out, b"")
        _serve(speaker, messages_in, lambda response: framing.write(messages_out, encoder.encode(response)))


if __name__ == "__main__":
    main()
