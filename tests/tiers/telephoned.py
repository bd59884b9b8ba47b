"""A server of speech to text in a process of its own, and calls to it by the driver that real calls use."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.engines.protocols import CallContext, Final, Finished, SttResult, SttStream
from client_caller.engines.realtime_stt import RealtimeStt

COMMAND = [str(Path(sys.executable).with_name("client-caller")), "models", "serve"]


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Its address. At the end Ctrl-C, after which it is gone without an error."""
    with subprocess.Popen([*COMMAND, *options, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            lines = []
            for line in process.stdout:
                lines.append(line.strip())
                if line.startswith("Ready: "):
                    break
            assert lines[-1].startswith("Ready: ws://127.0.0.1:"), lines
            yield lines[-1].removeprefix("Ready: ")
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(20)
        assert code == 0


async def call(server: str, *parts: bytes, language: str = "en") -> list[SttResult]:
    """All that one call hears of this audio; before each part but the first it waits for a result."""
    stream = await RealtimeStt(base_url=server, language=language, finish_patience=60).open(CallContext("call"))
    results: list[SttResult] = []
    async with asyncio.timeout(60):
        feed(stream, parts[0])
        for part in parts[1:]:
            results.append(await anext(aiter(stream)))
            feed(stream, part)
        stream.finish(1)
        async for result in stream:
            results.append(result)
            if result == Finished(1):
                break
    await stream.close()
    return results


def feed(stream: SttStream, mulaw: bytes) -> None:
    for start in range(0, len(mulaw), FRAME):
        stream.feed(mulaw[start : start + FRAME])


def quiet(seconds: float) -> bytes:
    return SILENCE * round(seconds * SAMPLE_RATE)


def finals(results: list[SttResult]) -> list[str]:
    return [result.text for result in results if isinstance(result, Final)]
