"""How the model tier fits on one GPU, and how many calls it then carries: arithmetic, nothing measured.

Memory is a sum; work is a share of the GPU's time, from how many bytes a step reads and how often it is taken. It is
an estimate to begin with: what a machine really carries, `client-caller bench` measures.
"""

from dataclasses import dataclass

from client_caller.models.gpus import Gpu, Speed
from client_caller.models.profiles import Llm, Stt, Weights

LARGE = 100.0
"""Gigabytes from which a GPU gets places for 32 calls, and prefixes of calls that are over are kept for long."""
_KV = {16: 14.0, 32: 40.0}
"""Gigabytes of keys and values for so many places: for calls that are on, and for what they begin with."""
LEAST_CALLS = 4
"""Fewer calls than these are no use of such a GPU."""
USABLE = 0.95
"""Share of the memory that is given out; the driver and the first allocations of three processes need the rest."""
COMFORTABLE = 0.65
"""Share of the GPU's time up to which a turn rarely waits for another call's."""

EFFICIENCY = 0.7
"""Of the bandwidth, in decoding."""
_TURNS = 0.1
"""Turns a second and call."""
_REPLY = 50
"""Tokens."""
_NEW_TOKENS = 128
"""Tokens of a turn that are not in the prefix cache, at most."""
_ROUND_TRIP = 25.0
"""Milliseconds for HTTP, tokens, scheduling."""
_FIRST_CLAUSE = 9
"""Tokens."""
_TRANSCRIPTS = 1.1
"""A second and call: 2.5 partials while the caller speaks (40 % of the time), and the finals."""
_TRANSCRIPT_FIXED = 0.18
"""Share of a transcript's time on an A100 that more bandwidth does not shorten."""
_FRAMES = 12.5
"""Of CSM, a second; one step makes the frames of all calls."""
_FRAME_FIXED, _FRAME_READ = 2.6, 22.0
"""Milliseconds of such a step: launches, and terabytes-per-second milliseconds of reading (nine gigabytes at a batch of
one, about a third more at a batch of eight)."""


class DoesNotFit(Exception):
    """The models need more than the GPU has. `str(error)` says what needs how much, and what would fit."""


@dataclass(frozen=True, slots=True)
class Share:
    """Memory of one part."""

    server: str
    what: str
    gigabytes: float


@dataclass(frozen=True, slots=True)
class Work:
    """What the calls are for the GPU, as shares of its time; and what a turn waits for."""

    voice: float
    """For any number of calls."""
    hearing: float
    """For each call."""
    thinking: float
    """For each call, batched with those of others."""
    first_token: float
    """Milliseconds, the prefix cached."""
    first_clause: float
    """Milliseconds until the first clause is whole."""
    token: float
    """Milliseconds for each."""

    def at(self, calls: int) -> float:
        """Share of the GPU's time with so many calls."""
        return self.voice + calls * (self.hearing + self.thinking)


@dataclass(frozen=True, slots=True)
class Plan:
    gpu: Gpu
    llm: Llm
    weights: Weights
    stt: Stt
    slots: int
    """Places for calls in each server."""
    kv: float
    """Gigabytes of keys and values in vLLM."""
    shares: tuple[Share, ...]
    work: Work | None
    """None where the GPU's speed is not known."""

    @property
    def total(self) -> float:
        return sum(share.gigabytes for share in self.shares)

    def of(self, server: str) -> float:
        """Gigabytes of one server."""
        return sum(share.gigabytes for share in self.shares if share.server == server)

    @property
    def most_calls(self) -> int:
        """What memory and time allow at the utmost."""
        return self._calls(1.0)

    @property
    def calls(self) -> int:
        """Calls at once with which turns rarely wait for each other."""
        return self._calls(COMFORTABLE)

    def _calls(self, share: float) -> int:
        places = min(self.slots, int(self.kv / self.llm.kv))
        if self.work is None:
            return places
        each = self.work.hearing + self.work.thinking
        return max(0, min(places, round((share - self.work.voice) / each)))


def make_plan(gpu: Gpu, llm: Llm, stt: Stt) -> Plan:
    """The first of the model's forms that the GPU has the arithmetic and the room for. Raises `DoesNotFit`."""
    suitable = [form for form in llm.forms if form.form != "fp8" or len(llm.forms) == 1 or _has_fp8(gpu)]
    slots = 32 if gpu.gigabytes >= LARGE else 16
    room = USABLE * gpu.gigabytes
    for weights in suitable:
        rest = sum(share.gigabytes for share in _shares(weights, 0.0, stt, slots))
        kv = min(_KV[slots], room - rest)
        if kv >= LEAST_CALLS * llm.kv:
            work = _work(gpu.speed, llm, weights, stt) if gpu.speed else None
            return Plan(gpu, llm, weights, stt, slots, kv, _shares(weights, kv, stt, slots), work)
    least = _shares(suitable[-1], LEAST_CALLS * llm.kv, stt, slots)
    largest = max(least, key=lambda share: share.gigabytes)
    raise DoesNotFit(
        f"{llm.name} ({suitable[-1].form}), {stt.name} and CSM need {sum(s.gigabytes for s in least):.1f} GB for "
        f"{LEAST_CALLS} calls; of the {gpu.gigabytes:g} GB of {gpu.name} {room:.1f} can be given out. The largest part "
        f"is {largest.what} with {largest.gigabytes:.1f} GB: take a smaller language model (--model, --weights), or "
        "serve it elsewhere and set base_url under [llm]."
    )


def _has_fp8(gpu: Gpu) -> bool:
    return gpu.speed is not None and gpu.speed.fp8 is not None


def _shares(weights: Weights, kv: float, stt: Stt, slots: int) -> tuple[Share, ...]:
    """All parts. What grows with the number of places is reserved for all of them at the start."""
    return (
        Share("llm", "LLM weights", weights.gigabytes),
        Share("llm", "LLM keys and values", kv),
        Share("llm", "LLM activations, graphs, context", 3 + slots / 16),
        Share("tts", "CSM and Mimi weights", 3.3 + 0.3),
        Share("tts", "CSM places", slots * 0.067),
        Share("tts", "CSM graphs, context", 2.5),
        Share("stt", "speech-to-text weights", stt.gigabytes),
        Share("stt", "speech-to-text batch, context", 1.4 + slots / 16),
    )


def _work(speed: Speed, llm: Llm, weights: Weights, stt: Stt) -> Work:
    token = weights.read / (EFFICIENCY * speed.bandwidth)
    fp8 = speed.fp8 if weights.form == "fp8" else None
    prefill = _NEW_TOKENS * 2 * llm.billions / (fp8 or speed.bf16)
    first_token = prefill + _ROUND_TRIP
    slower = 2.0 / speed.bandwidth
    transcript = stt.decode * (_TRANSCRIPT_FIXED + (1 - _TRANSCRIPT_FIXED) * slower)
    frame = _FRAME_FIXED + _FRAME_READ / speed.bandwidth
    return Work(
        voice=_FRAMES * frame / 1000,
        hearing=_TRANSCRIPTS * transcript / 1000,
        thinking=speed.overlap * _TURNS * (prefill + _REPLY * token) / 1000,
        first_token=first_token,
        first_clause=first_token + _FIRST_CLAUSE * token,
        token=token,
    )
