"""Many calls at once through the real server, over real sockets, in real time: what do they cost?

Three processes: the server, which has a core to itself and is measured through its own `/metrics`; this one, with all
the callers; and a bare event loop, for what the machine itself does to a schedule in the same seconds. Afterwards a
fourth, for what the doubles of the engines cost without a server.
"""

import asyncio
import base64
import json
import secrets
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from client_caller.cli.cores import apart
from client_caller.cli.density_server import PUBLIC_URL
from client_caller.cli.loop_watch import LoopWatch
from client_caller.engines.espeak import Espeak
from client_caller.engines.protocols import CallContext
from client_caller.simulator import tones
from client_caller.simulator.caller import Caller, labelled
from client_caller.simulator.chatter import WORDS, chat
from client_caller.simulator.demo import CALLER_VOICE
from client_caller.simulator.engines import ToneSpeech
from client_caller.simulator.network import FarEnd
from client_caller.simulator.provider import Provider

SHORT = 5.0
"""Seconds of the rounds before and after the measured one, once all their calls have come."""
APART = 0.05
"""Seconds between two calls' coming: faster than they come to one server, slow enough for a callers' process."""
SETTLE = 1.0
"""Seconds between the last call's arrival and the measurement, and at its end."""
OPENINGS = 20
"""Calls that come in while the others talk, to see what their coming does to them."""
EVERY = 0.25
"""Seconds between two of them. They stay so short that all their calls add nothing to what is measured before."""


class Disturbed(Exception):
    """The measurement could not be made; says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server says of itself."""

    at: float
    cpu: float
    """Seconds."""
    memory: float
    """Resident, MB."""
    active: int
    beats: int
    late: int
    """Beats more than 20 ms late."""


@dataclass(frozen=True, slots=True)
class Density:
    """The figures."""

    calls: int
    seconds: float
    cpu_ms_per_call_second: float
    """Of the server, with its engines."""
    doubles_ms_per_call_second: float
    """Of that, what the doubles of the engines take in a process of their own, with nothing else."""
    mb_per_call: float
    """Above that of a server that has had one call, which has loaded everything it needs."""
    mb_kept: float
    """Above the same, once all calls have ended: what the allocator does not give back at once."""
    mb_growth: float
    """Above that, after a second round of as many calls: what would add up in the long run."""
    beats: int
    late: int
    """Of the server's heartbeat, more than 20 ms late. One late beat makes a frame late in every call."""
    own_late: int
    """Of those, beats before which the server itself had computed for 20 ms or more; the others the machine held up."""
    bare_late: int
    """Of the bare loop's beats."""
    callers_late: int
    """Of the callers' process: if it is late itself, it disturbs what it measures."""
    callers_busy: float
    """The share of a core that it took. Near 1 it is the callers who are at their limit, not the server."""
    wait_ms: float
    """The longest that anything waited for the server's own computing while nobody called or hung up."""
    opening_wait_ms: float
    """The same while calls came in and went, one after the other, on top of the others."""
    words: int
    """Played at the far ends."""
    torn: int
    """Words with a hole in them, because audio came too late."""


@dataclass(frozen=True, slots=True)
class DensityBench:
    """So many calls for so long."""

    calls: int
    seconds: float
    model: Path
    """The voice activity model's file."""

    async def run(self) -> Density:
        """Raises `Disturbed`, and `EngineError` without the `[demo]` extra."""
        espeak = Espeak(voice=CALLER_VOICE)
        try:
            clip = b"".join([speech.mulaw async for speech in espeak.speak(CallContext("bench"), WORDS)])
        finally:
            await espeak.close()
        with tempfile.TemporaryDirectory() as folder:
            async with _server(Path(folder), self.model, self.calls + OPENINGS) as server:
                return await self._measure(server, labelled(clip, WORDS))

    async def _measure(self, server: "_Server", clip: bytes) -> Density:
        ramp = APART * self.calls
        await self._round(server, clip, 1, SHORT)
        fresh = await server.idle()
        watch = LoopWatch()
        watching = asyncio.create_task(watch.run())
        length = ramp + self.seconds + 3 * SETTLE + 2 * OPENINGS * EVERY + SHORT
        calling = asyncio.create_task(self._round(server, clip, self.calls, length))
        await asyncio.sleep(ramp + SETTLE)
        bare = await _python("client_caller.cli.loop_watch", str(self.seconds))
        callers_cpu = time.process_time()
        began = await server.sample()
        await asyncio.sleep(self.seconds)
        callers_cpu = time.process_time() - callers_cpu
        ended = await server.sample()
        wait = await server.longest_wait(asyncio.sleep(OPENINGS * EVERY))
        opening_wait = await server.longest_wait(self._openings(server, clip))
        far_ends = await calling
        watching.cancel()
        if began.active != self.calls or ended.active != self.calls:
            raise Disturbed(f"Of {self.calls} calls only {min(began.active, ended.active)} were on the line.")
        after = await server.idle()
        await self._round(server, clip, self.calls, ramp + SHORT)
        again = await server.idle()
        words = [lengths for far_end in far_ends for lengths in word_lengths(far_end)]
        return Density(
            calls=self.calls,
            seconds=self.seconds,
            cpu_ms_per_call_second=1000 * (ended.cpu - began.cpu) / (ended.at - began.at) / self.calls,
            doubles_ms_per_call_second=await self._doubles(clip),
            mb_per_call=(ended.memory - fresh.memory) / self.calls,
            mb_kept=after.memory - fresh.memory,
            mb_growth=again.memory - after.memory,
            beats=ended.beats - began.beats,
            late=ended.late - began.late,
            own_late=sum(began.at <= at <= ended.at for at in server.own_late),
            bare_late=json.loads((await bare.communicate())[0])["late"],
            callers_late=watch.late,
            callers_busy=callers_cpu / self.seconds,
            wait_ms=1000 * wait,
            opening_wait_ms=1000 * opening_wait,
            words=len(words),
            torn=sum(real != nominal for real, nominal in words),
        )

    async def _round(self, server: "_Server", clip: bytes, calls: int, seconds: float) -> list[FarEnd]:
        """So many calls, each from its place in the ramp to the same end."""

        waits = [APART * number for number in range(calls)]
        return await asyncio.gather(*(_call(server, clip, wait, seconds - wait) for wait in waits))

    async def _openings(self, server: "_Server", clip: bytes) -> None:
        """One call after the other, each for a moment."""
        await asyncio.gather(*(_call(server, clip, number * EVERY, SETTLE) for number in range(OPENINGS)))

    async def _doubles(self, clip: bytes) -> float:
        """What the engines' doubles cost, milliseconds per call-second."""
        process = await _python("client_caller.cli.density_doubles")
        settings = {"calls": self.calls, "seconds": SHORT, "clip": base64.b64encode(clip).decode()}
        out, _ = await process.communicate(json.dumps(settings).encode())
        return float(out)


async def _call(server: "_Server", clip: bytes, wait: float, seconds: float) -> FarEnd:
    """A call that comes after a while, and stays so long."""
    await asyncio.sleep(wait)
    caller = Caller()
    caller.play(islice(chat(caller, clip), round(seconds * 50)))
    record = await server.provider.call(caller)
    if record.how != "hung_up" or len(record.streams) != 1:
        raise Disturbed(f"A call ended too early: {record.how}, {record.verbs}, {record.refusals}")
    return record.streams[0]


class _Server:
    """The measured process, from outside."""

    def __init__(self, process: Process, port: int, token: str) -> None:
        self.own_late: list[float] = []
        """When it was late because it computed; `time.monotonic`, which is the same in all processes of a machine."""
        self._process = process
        self._waits: asyncio.Queue[float] = asyncio.Queue()
        self._url = f"http://127.0.0.1:{port}"
        self._token = token
        self.provider = Provider(f"{PUBLIC_URL}/voice", reach=self._url, auth_token=token)

    async def listen(self, lines: asyncio.StreamReader) -> None:
        """Take down what it says of itself."""
        async for line in lines:
            match line.split():
                case [b"late", at]:
                    self.own_late.append(float(at))
                case [b"wait", seconds]:
                    self._waits.put_nowait(float(seconds))

    async def longest_wait(self, meanwhile: Awaitable[None]) -> float:
        """For how many seconds, at most, its computing let anything wait while that went on."""
        self._process.send_signal(signal.SIGUSR1)
        await meanwhile
        self._process.send_signal(signal.SIGUSR1)
        return await self._waits.get()

    async def sample(self) -> Sample:
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            answer = await http.get(f"{self._url}/metrics", headers={"Authorization": f"Bearer {self._token}"})
        at = time.monotonic()
        values = {
            (sample.name, sample.labels.get("le")): sample.value
            for family in text_string_to_metric_families(answer.raise_for_status().text)
            for sample in family.samples
        }
        beats = int(values["client_caller_event_loop_lag_seconds_count", None])
        return Sample(
            at=at,
            cpu=values["process_cpu_seconds_total", None],
            memory=values["process_resident_memory_bytes", None] / 1e6,
            active=int(values["client_caller_active_calls", None]),
            beats=beats,
            late=beats - int(values["client_caller_event_loop_lag_seconds_bucket", "0.02"]),
        )

    async def idle(self) -> Sample:
        """A sample once all calls are gone."""
        for _ in range(100):
            sample = await self.sample()
            if sample.active == 0:
                return sample
            await asyncio.sleep(0.1)
        raise Disturbed(f"{sample.active} calls were still there ten seconds after their end.")


@asynccontextmanager
async def _server(folder: Path, model: Path, calls: int) -> AsyncIterator[_Server]:
    token = secrets.token_hex()
    process = await _python("client_caller.cli.density_server")
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with apart(process.pid):
            process.stdin.write(
                json.dumps({"folder": str(folder), "model": str(model), "token": token, "calls": calls}).encode()
            )
            process.stdin.write_eof()
            port = await process.stdout.readline()
            if not port:
                raise Disturbed("The server did not start: see its error above.")
            server = _Server(process, int(port), token)
            listening = asyncio.create_task(server.listen(process.stdout))
            yield server
            listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _python(module: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)


def word_lengths(far_end: FarEnd) -> list[tuple[int, int]]:
    """Of each word played, how long it was, and how long it should have been."""
    voice = ToneSpeech()
    return [(one.end - one.start, voice.samples(one.word)) for one in tones.read(bytes(far_end.played))]
