"""Is it the caller, or the agent's own voice from their loudspeaker? `audio.echo` on recordings, through G.711.

    python experiments/echo.py            # the half that the constants were chosen on
    python experiments/echo.py --held     # the other half, with other voices on both sides

Two agents of each half (20 s each) come back through six simulated telephones: a delay, a small loudspeaker's sound, a
room (exponential decay, `rt60`; energy of the direct path over it, `drr`, in dB), from three of them distorted
(tanh), and a noise of -65 dBFS. Good: a handset on a table; bad: reverberation at least half as strong as the voice.
Both voices are at -23 dBFS before the echo's loss. Only windows count that Silero takes for speech (0.35 for echo, 0.5
of the caller's voice alone for the others). Explained: from `Policy.echo_share` on. Longest: the longest run of windows
in an echo that were not explained; three are 96 ms.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from client_caller.audio import g711
from client_caller.audio.echo import Echo
from client_caller.audio.silero import WINDOW
from client_caller.audio.voices import VoiceBatch
from client_caller.conversation.policy import Policy
from client_caller.models.cache import find

AUDIO = Path(__file__).parents[2] / "shared" / "audio"
AGENTS = {
    "tuned": ("long/l05_prompt_congrats.flac", "long/l01_two_cities.flac"),
    "held": ("calls/call40_agent.flac", "long/l03_jfk.flac"),
}
CALLERS = {
    "tuned": ("long/l02_sense_and_sensibility.flac", "long/l06_hesitant.flac"),
    "held": ("calls/call40_caller.flac", "long/l04_phone_order.flac"),
}
SECONDS = 20
LEVEL = -23
"""dBFS of both voices."""
LOSSES = (-6, -12, -20, -30)
"""dB from the agent's voice to its echo."""
LOUDSPEAKER = np.array([1, -0.6, 0.3, 0.2, -0.1, 0.05])
LINE_NOISE = 10 ** (-65 / 20)

Samples = npt.NDArray[np.float64]


class Telephone(NamedTuple):
    rt60: float
    drr: float
    delay: int
    distorts: bool

    @property
    def good(self) -> bool:
        return not self.rt60 or self.drr > 5


TELEPHONES = (
    Telephone(0, 0, 40, False),
    Telephone(0.2, 10, 90, False),
    Telephone(0.4, 5, 160, False),
    Telephone(0.6, 3, 240, True),
    Telephone(0.4, 0, 330, True),
    Telephone(0.3, 8, 470, True),
)


def voice(file: str) -> Samples:
    """Speech at `LEVEL`, through G.711; of a call only what its labels call speech."""
    samples = soundfile.read(AUDIO / file)[0]
    if file.startswith("calls/"):
        manifest = json.loads((AUDIO / "manifest.json").read_text())["files"]
        spans = next(entry["speech"] for entry in manifest if entry["file"] == file)
        rate = g711.SAMPLE_RATE
        samples = np.concatenate([samples[int(a * rate) : int(b * rate)] for a, b in spans if b - a > 1])
    samples = samples[: SECONDS * g711.SAMPLE_RATE]
    loud = samples[np.abs(samples) > 0.005]
    return through_line(samples * (10 ** (LEVEL / 20) / np.sqrt(np.mean(loud * loud))))


def through_line(samples: Samples) -> Samples:
    return g711.decode_float(g711.encode_float(samples.astype(np.float32))).astype(np.float64)


def echo(agent: Samples, loss: float, phone: Telephone) -> Samples:
    """What the microphone hears of the agent."""
    path = np.zeros(int(max(phone.rt60, 0.01) * g711.SAMPLE_RATE))
    if phone.rt60:
        seconds = np.arange(len(path)) / g711.SAMPLE_RATE
        path = np.random.default_rng(5).standard_normal(len(path)) * 10 ** (-3 * seconds / phone.rt60)
        path[:8] = 0
        path *= np.sqrt(10 ** (-phone.drr / 10) / (path @ path))
    path[0] = 1
    path = np.convolve(path, LOUDSPEAKER / np.sqrt(LOUDSPEAKER @ LOUDSPEAKER))
    sound = np.tanh(agent * 4) / 4 if phone.distorts else agent
    late = np.concatenate([np.zeros(phone.delay * 8), np.convolve(sound, path)])
    return late[: len(agent)] * 10 ** (loss / 20)


def hear(batch: VoiceBatch, line: Samples) -> list[float]:
    """Silero's scores."""
    voice, mulaw, scores = batch.join(), g711.encode_float(line.astype(np.float32)), []
    for start in range(0, len(mulaw), WINDOW):
        voice.feed(mulaw[start : start + WINDOW])
        scores += [heard.probability for heard in batch.run()]
    voice.leave()
    return scores


def shares(agent: Samples, line: Samples) -> Iterator[float]:
    """What `Echo` makes of each window, as a call would ask it."""
    past = Echo()
    played, heard = (g711.encode_float(samples.astype(np.float32)) for samples in (agent, line))
    for end in range(WINDOW, len(heard) + 1, WINDOW):
        past.play(played[end - WINDOW : end], end - WINDOW)
        past.hear(heard[end - WINDOW : end])
        yield past.share(end, end)


def longest_run(flags: npt.NDArray[np.bool_]) -> int:
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def pure_echo(batch: VoiceBatch, half: str, good: bool, loss: float) -> str:
    found: list[float] = []
    longest = 0
    for phone in TELEPHONES:
        for file in AGENTS[half] if phone.good == good else ():
            agent = voice(file)
            noise = np.random.default_rng(1).standard_normal(len(agent)) * LINE_NOISE
            line = through_line(echo(agent, loss, phone) + noise)
            speech = np.array(hear(batch, line)) >= Policy().silence_threshold
            explained = np.array(list(shares(agent, line)))
            found += explained[speech].tolist()
            longest = max(longest, longest_run(speech & (explained < Policy().echo_share)))
    return f"{len(found):6d} {np.mean(np.array(found) >= Policy().echo_share):10.3f} {longest:8d}"


def over_the_agent(batch: VoiceBatch, half: str, loss: float | None) -> str:
    found: list[float] = []
    for phone, agent_file in zip(TELEPHONES[1:3], AGENTS[half], strict=True):
        for file in CALLERS[half]:
            agent, caller = voice(agent_file), voice(file)
            length = min(len(agent), len(caller))
            agent, caller = agent[:length], caller[:length]
            line = through_line(caller + (0 if loss is None else echo(agent, loss, phone)))
            speech = np.array(hear(batch, caller)) >= Policy().speech_threshold
            found += np.array(list(shares(agent, line)))[speech].tolist()
    return f"{len(found):6d} {np.mean(np.array(found) >= Policy().echo_share):10.3f}"


def cost(*, echoes: bool) -> float:
    """Microseconds of CPU for a window of a caller's, and for one of an echo that goes on."""
    past, noise = Echo(), np.random.default_rng(2).standard_normal(4 * g711.SAMPLE_RATE) * 0.1
    mulaw = g711.encode_float(noise.astype(np.float32))
    past.play(mulaw[: len(mulaw) // 2], 0)
    past.hear(mulaw[: len(mulaw) // 2] if echoes else mulaw[len(mulaw) // 2 :])
    mulaw = mulaw[: len(mulaw) // 2]
    begun, rounds = time.process_time(), 500
    for _ in range(rounds):
        past.share(len(mulaw), len(mulaw))
    return (time.process_time() - begun) / rounds * 1e6


def main() -> None:
    half = "held" if "--held" in sys.argv else "tuned"
    batch = VoiceBatch(find("silero-vad"))
    print(f"{half:26s} windows explained longest")
    for good in (True, False):
        for loss in LOSSES:
            name = f"echo {loss} dB, {'good' if good else 'bad'}"
            print(f"{name:26s} {pure_echo(batch, half, good, loss)}")
    for between in (None, 0, -6, -12):
        name = "caller alone" if between is None else f"caller and echo {between} dB"
        print(f"{name:26s} {over_the_agent(batch, half, between)}")
    print(f"{cost(echoes=False):.0f} us of CPU for a window of a caller's, {cost(echoes=True):.0f} for one of an echo")


if __name__ == "__main__":
    main()
