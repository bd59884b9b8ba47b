"""Text to speech behind OpenAI's `/v1/audio/speech`, streamed as raw PCM: 16 bit, little endian, one channel."""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import numpy as np
import numpy.typing as npt

from client_caller.audio import g711
from client_caller.audio.resample import Downsampler
from client_caller.engines.openai_server import Answer, OpenAiServer
from client_caller.engines.protocols import CallContext, EngineError, Speech

_CONTAINERS = {b"RIFF": "a WAV", b"OggS": "an Ogg", b"fLaC": "a FLAC", b"ID3": "an MP3"}
_MAGIC = max(map(len, _CONTAINERS))
_CONTENT_TYPES = ("audio/pcm", "audio/l16", "audio/raw", "audio/x-raw", "application/octet-stream")


class OpenAiSpeech:
    """One voice on one server, for any number of calls; implements `TextToSpeech`. It gives no word times.

    Raw PCM does not say what it is, and peers have played a WAV header as a click and 24 kHz audio at a third of its
    speed. So a file in place of samples, or a content type with another rate than `sample_rate`, is an error.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        voice: str,
        api_key: str | None = None,
        sample_rate: int = 24_000,
        extra_body: Mapping[str, Any] | None = None,
        first_audio: float = 5.0,
        next_audio: float = 3.0,
    ) -> None:
        """`sample_rate`: of the server's PCM; OpenAI and most servers send 24 kHz. `extra_body` is put into every
        request as it is (vLLM-Omni wants `{"stream": true}`). `first_audio`, `next_audio`: seconds until the first
        and between any two pieces of audio.
        """
        self._server = OpenAiServer("tts", base_url, api_key)
        self._request = {"model": model, "voice": voice, "response_format": "pcm"} | dict(extra_body or {})
        self._sample_rate = sample_rate
        try:
            self._downsampler()
        except ValueError as error:
            raise EngineError("tts", f"{error}. Set sample_rate to that of the server.") from None
        self._first_audio = first_audio
        self._next_audio = next_audio

    async def speak(self, context: CallContext, text: str) -> AsyncGenerator[Speech, None]:
        """Stream the audio of one clause. Raises `EngineError`, also where no audio comes."""
        until = asyncio.get_running_loop().time() + self._first_audio
        body = self._request | {"input": text}
        async with self._server.post("/audio/speech", body, until=until, private=[text]) as answer:
            self._check_type(answer.content_type)
            downsampler = self._downsampler()
            async with aclosing(self._samples(answer, until)) as blocks:
                async for samples in blocks:
                    telephone = downsampler.feed(samples) if downsampler else samples
                    if len(telephone):
                        yield Speech(g711.encode_float(telephone))
            if downsampler and len(rest := downsampler.flush()):
                yield Speech(g711.encode_float(rest))

    def _downsampler(self) -> Downsampler | None:
        """None where the server speaks at the telephone's rate."""
        return Downsampler(self._sample_rate) if self._sample_rate != g711.SAMPLE_RATE else None

    async def close(self) -> None:
        await self._server.close()

    async def _samples(self, answer: Answer, until: float) -> AsyncGenerator[npt.NDArray[np.float32], None]:
        """The body as samples between -1 and 1 at the server's rate, as they come."""
        clock = asyncio.get_running_loop().time
        rest = b""
        begun = False
        while chunk := await answer.read(until):
            until = clock() + self._next_audio
            rest += chunk
            whole = len(rest) & ~1
            if not begun and whole < _MAGIC:
                continue
            if not begun:
                self._check_start(rest)
                begun = True
            pcm, rest = rest[:whole], rest[whole:]
            yield np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
        if not begun:
            raise self._server.error("sent no audio.")
        if rest:
            raise self._server.error("sent half a sample at the end.")

    def _check_type(self, content_type: str) -> None:
        kind = content_type.partition(";")[0].strip().lower()
        if kind and kind not in _CONTENT_TYPES:
            raise self._server.error(f"sent {kind} where raw audio was asked for (response_format pcm).")
        rate = re.search(r";\s*rate\s*=\s*\"?(\d+)", content_type, re.IGNORECASE)
        if rate and int(rate[1]) != self._sample_rate:
            raise self._server.error(
                f"sends audio at {rate[1]} Hz. Set sample_rate to that; it is {self._sample_rate}."
            )

    def _check_start(self, data: bytes) -> None:
        for magic, name in _CONTAINERS.items():
            if data.startswith(magic):
                raise self._server.error(f"sent {name} file where raw audio was asked for (response_format pcm).")
