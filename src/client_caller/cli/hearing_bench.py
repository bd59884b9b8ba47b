"""How long after they were spoken do words come from a realtime transcription server?

Recordings are played to it at the speed of speech, as calls would, and final words are asked for when a conversation
does.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from client_caller.audio.g711 import FRAME, SAMPLE_RATE, SILENCE
from client_caller.audio.voices import VoiceBatch
from client_caller.cli.hearing_figures import Figures, Notes, Recording, Shown, Told
from client_caller.cli.together import together
from client_caller.conversation.policy import Policy
from client_caller.engines import server_text
from client_caller.engines.protocols import EngineError, Finished
from client_caller.engines.realtime_stt import RealtimeStt
from client_caller.engines.realtime_wire import RealtimeTranscription
from client_caller.engines.stt_dialect import DialectError
from client_caller.simulator.clips import UnreadableRecording, load
from client_caller.simulator.utterances import voiced

KINDS = (".flac", ".mp3", ".ogg", ".wav")
PATIENCE = 30.0
"""Seconds for final words, after which the server is taken for deaf."""
_LEAD = SILENCE * (SAMPLE_RATE // 5)
"""Before each recording: a caller does not speak in the moment in which the line is there."""
_TRAIL = SILENCE * SAMPLE_RATE
"""Behind it, for as much of it as it takes to notice that speech is over."""
_ASKED_AFTER = round(Policy().finish_transcript_after / 1000 * SAMPLE_RATE)


_TOLD = msgspec.json.Decoder(Told)


def files(places: Sequence[Path]) -> list[Path]:
    """The recordings that are named, and those in folders that are named. Raises `UnreadableRecording` for none."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(one for one in place.rglob("*") if one.suffix.lower() in KINDS)
        else:
            found.append(place)
    if not found:
        raise UnreadableRecording(f"There is no recording ({', '.join(KINDS)}) in {', '.join(map(str, places))}.")
    return found


def prepared(path: Path, voices: VoiceBatch) -> Recording:
    """Raises `UnreadableRecording`, also where nobody speaks."""
    mulaw = _LEAD + load(path) + _TRAIL
    sound = voiced(mulaw)
    voice, heard = voices.join(), 0
    for start in range(0, len(mulaw), FRAME):
        voice.feed(mulaw[start : start + FRAME])
        for window in voices.run():
            if window.probability >= Policy().silence_threshold:
                heard = window.samples_through
    voice.leave()
    if not heard or not len(sound):
        raise UnreadableRecording(f"Nobody speaks in {path}: give recordings of callers.")
    return Recording(mulaw[: heard + _ASKED_AFTER], int(sound[0]), int(sound[-1]) + 1)


async def measure(
    engine: RealtimeStt,
    dialect: Callable[[], RealtimeTranscription],
    recordings: Sequence[Recording],
    calls: int,
    tell: Callable[[int, int], None],
) -> Figures:
    """Each call plays all recordings, beginning at another one. Raises `EngineError`."""
    notes, done = Notes(), 0

    def over() -> None:
        nonlocal done
        done += 1
        tell(done, calls * len(recordings))

    turns = [number % len(recordings) for number in range(calls)]
    await together(_call(engine, dialect(), [*recordings[turn:], *recordings[:turn]], notes, over) for turn in turns)
    return notes.figures(calls, len(recordings))


async def _call(
    engine: RealtimeStt,
    dialect: RealtimeTranscription,
    recordings: Sequence[Recording],
    notes: Notes,
    over: Callable[[], None],
) -> None:
    async with await engine.connect() as socket:
        line = _Line(socket, dialect, notes)
        try:
            await line.open()
            for request, recording in enumerate(recordings, start=1):
                await line.play(recording, request)
                over()
        except DialectError as error:
            raise EngineError("stt", f"Speech to text {server_text.printable(str(error), None, ())}.") from None
        except ConnectionClosed:
            raise EngineError("stt", "Speech to text broke the connection; its log says why.") from None
        except TimeoutError:
            raise EngineError(
                "stt", f"Speech to text gave no final words within {PATIENCE:.0f} s. Fewer --calls?"
            ) from None


class _Line:
    """One call: its audio out, the server's words in."""

    def __init__(self, socket: ClientConnection, dialect: RealtimeTranscription, notes: Notes) -> None:
        self._socket = socket
        self._dialect = dialect
        self._notes = notes
        self._played = 0
        """Samples, of recordings before the present one."""

    async def open(self) -> None:
        self._dialect.connected()
        async with asyncio.timeout(PATIENCE):
            while not self._dialect.ready:
                self._dialect.received(await self._socket.recv())
        await self._send(self._dialect.outgoing())

    async def play(self, recording: Recording, request: int) -> None:
        """Play one recording, and note when its words come."""
        begun = time.perf_counter()
        speaking = asyncio.create_task(self._speak(recording, request, begun))
        try:
            async with asyncio.timeout(len(recording.mulaw) / SAMPLE_RATE + PATIENCE):
                shown, told = await self._listen(begun)
                now = time.perf_counter()
                asked = await speaking
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
        self._notes.take(recording, self._played, shown, told)
        self._notes.after_request.append((now - asked) * 1000)
        self._notes.after_speech.append((now - begun - recording.ends / SAMPLE_RATE) * 1000)
        await self._send(self._dialect.outgoing())
        self._played += len(recording.mulaw)

    async def _speak(self, recording: Recording, request: int, begun: float) -> float:
        """Returns when final words were asked for."""
        for start in range(0, len(recording.mulaw), FRAME):
            frame = recording.mulaw[start : start + FRAME]
            due = begun + (start + len(frame)) / SAMPLE_RATE
            await asyncio.sleep(due - time.perf_counter())
            self._notes.sent_late.append((time.perf_counter() - due) * 1000)
            await self._socket.send(self._dialect.audio(frame))
        await self._send(self._dialect.ask(request))
        return time.perf_counter()

    async def _listen(self, begun: float) -> tuple[list[Shown], Told]:
        """Until the final words: what there was before them, and they."""
        shown: list[Shown] = []
        text = ""
        while True:
            message = await self._socket.recv()
            results = self._dialect.received(message)
            told = _TOLD.decode(message)
            if any(isinstance(result, Finished) for result in results):
                return shown, told
            if told.type == "transcription.delta":
                text += told.delta
                every = len((text + told.unstable).split())
                shown.append(Shown(time.perf_counter() - begun, len(text.split()), every))

    async def _send(self, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            await self._socket.send(message)
