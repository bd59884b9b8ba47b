"""What `client-caller bench latency` calls: `client-caller serve` as anybody would run it, in a process of its own, and
with its real drivers; and the three servers of its model tier, played by doubles with set delays.
"""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from client_caller.cli.cores import apart
from client_caller.simulator.doubles.deepgram import Behaviour, DeepgramDouble
from client_caller.simulator.doubles.known_words import KnownWords
from client_caller.simulator.doubles.openai_llm import LlmDouble, Reply
from client_caller.simulator.doubles.openai_speech import SpeechDouble

STARTS_WITHIN = 30.0
"""Seconds: libraries are loaded in about two, on a busy machine in several times that."""
_OURS = re.compile(r"(CLIENT_CALLER|OPENAI|DEEPGRAM|TWILIO)_")
"""Environment variables that would point the server at somebody's real engines."""
_SERVE = "from client_caller.cli.main import app; app()"
_ADDRESS = re.compile(rb"http://[^/\s]+/voice")


class NotMeasured(Exception):
    """The measurement could not be made. `str(error)` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Of the model tier, in seconds; the defaults are those with which other frameworks were measured."""

    interim: float = 0.100
    """From the end of a word to a partial transcript that has it."""
    final: float = 0.120
    """From the end of speech to the final transcript, unless it is asked for before."""
    first_token: float = 0.150
    words_per_second: float = 60.0
    """Of the language model."""
    first_byte: float = 0.080
    """Of text to speech."""
    speed: float = 10.0
    """Of text to speech, as a multiple of real time."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers."""

    voice_url: str
    calls: Path
    """Where it keeps what remains of its calls."""
    stt: DeepgramDouble
    llm: LlmDouble

    def prepare(self, words: KnownWords, reply: str) -> None:
        """For the next call: who knows what its caller says, and what the language model answers each time."""
        self.stt.behaviours.append(Behaviour(reader=words))
        self.llm.replies.clear()
        self.llm.replies.extend([Reply(reply)] * 1000)


@asynccontextmanager
async def target(folder: Path, delays: Delays, agent: str = "agent") -> AsyncIterator[Target]:
    """Run while the block does; `agent`: which of `bench_agent`. Raises `NotMeasured` if the server does not start."""
    stt = DeepgramDouble(final_after=delays.final, interim_after=delays.interim)
    llm = LlmDouble(first_token=delays.first_token, words_per_second=delays.words_per_second)
    tts = SpeechDouble(first_byte=delays.first_byte, speed=delays.speed)
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(double.serving()) for double in (stt, llm, tts)]
        log = stack.enter_context((folder / "server.log").open("wb+"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _SERVE, "serve", f"client_caller.cli.bench_agent:{agent}", "--insecure-local"),
            *("--port", "0"),
            cwd=folder,
            env=_environment(folder, *urls),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=log,
        )
        stack.enter_context(apart(process.pid))
        try:
            voice_url = await _address(process)
            if voice_url is None:
                log.seek(0)
                raise NotMeasured(f"The server did not start.\n{log.read().decode(errors='replace').strip()}")
            yield Target(voice_url, folder / "calls", stt, llm)
        finally:
            await _end(process)


def _environment(folder: Path, stt: str, llm: str, tts: str) -> dict[str, str]:
    """Of the server: whatever the user has set for real calls, apart from the place of model files, is left out."""
    kept = {name: value for name, value in os.environ.items() if not _OURS.match(name)}
    models = {name: os.environ[name] for name in ("CLIENT_CALLER_MODELS",) if name in os.environ}
    settings = {
        "STT_BASE_URL": stt,
        "LLM_BASE_URL": llm,
        "LLM_MODEL": "double",
        "TTS_BASE_URL": tts,
        "CALLS_DATA_DIR": str(folder),
    }
    ours = {f"CLIENT_CALLER_{name}": value for name, value in settings.items()}
    return kept | models | ours | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


async def _address(process: Process) -> str | None:
    """Where the server takes calls, once it says so; None if it ends instead."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(STARTS_WITHIN):
            async for line in process.stdout:
                if found := _ADDRESS.search(line):
                    return found[0].decode()
    except TimeoutError:
        pass
    return None


async def _end(process: Process) -> None:
    """The calls are over: the first signal is enough, the second is for a call that is not."""
    for _ in range(3):
        if process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            continue
    process.kill()
    await process.wait()
