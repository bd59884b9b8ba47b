"""How long a frame takes: the engine alone, on weights of random numbers, which cost what real ones do."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from client_caller.models.csm.engine import CsmEngine
from client_caller.models.csm.made_up import Size, make
from client_caller.models.csm.sampling import Sampling
from client_caller.models.csm.weights import DType

BATCHES = (1, 2, 4, 8, 16)
_BEFORE = 160
"""Tokens in each slot before it speaks: a pinned voice of 10 s."""
_CLAUSE = 20
"""Tokens of a clause of some ten words, with the end of the speech before it."""
_PREFILL = 300
"""Tokens of a long prefill: a slot that is written anew, in 1,400 tokens once."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Steps of so many speaking calls, in milliseconds; one makes 80 ms of sound for each."""

    calls: int
    eager: float | None
    """The median."""
    eager_p95: float | None
    graph: float | None
    """By CUDA graphs; None without a GPU."""
    graph_p95: float | None


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured."""

    size: Size
    device: str
    dtype: DType
    batches: Sequence[Batch]
    first_audio: float
    """Milliseconds from a clause's text to its first 80 ms of sound, one call alone; by CUDA graphs on a GPU."""
    prefill: float
    """Milliseconds to write `_PREFILL` tokens anew."""
    graphs_agree: bool | None
    """Whether the codes are the same with CUDA graphs and without; None without a GPU."""
    gpu_gigabytes: float | None
    """Memory taken of the GPU, at its highest."""


def measure(size: Size, device: str, dtype: DType, steps: int, tell: Callable[[int, int], None]) -> Speed:
    """Measure at each batch size, `steps` steps each; `tell` is given how much is done and how much there is."""
    on_gpu = torch.device(device).type == "cuda"
    if size == "tiny":
        torch.set_num_threads(1)  # the work is too small to share: threads would only wait for each other
    model = make(size, device=device, dtype=dtype)
    total = len(BATCHES) + 1
    tell(1, total)
    greedy = Sampling(temperature=0)
    eager = CsmEngine(model, slots=BATCHES[-1], sampling=greedy)
    graphs = CsmEngine(model, slots=BATCHES[-1], sampling=greedy, graph_sizes=BATCHES) if on_gpu else None
    batches, agree = [], True
    for number, calls in enumerate(BATCHES):
        times, codes = _steps(eager, calls, steps)
        graph_times, graph_codes = _steps(graphs, calls, steps) if graphs is not None else ([], codes)
        agree = agree and codes == graph_codes
        batches.append(Batch(calls, _median(times), _p95(times), _median(graph_times), _p95(graph_times)))
        tell(2 + number, total)
    engine = graphs or eager
    return Speed(
        size=size,
        device=torch.cuda.get_device_name(device) if on_gpu else "cpu",
        dtype=dtype,
        batches=batches,
        first_audio=statistics.median(_first_audio(engine) for _ in range(9)),
        prefill=statistics.median(_prefill(engine) for _ in range(9)),
        graphs_agree=agree if on_gpu else None,
        gpu_gigabytes=torch.cuda.max_memory_allocated(device) / 1e9 if on_gpu else None,
    )


def _steps(engine: CsmEngine, calls: int, steps: int) -> tuple[list[float], list[list[int]]]:
    """Milliseconds of each step after the first three, and the first call's codes."""
    for slot in range(calls):
        engine.rewind(slot, 0)
        engine.prefill(slot, _tokens(engine, _BEFORE))
        engine.speak(slot)
    times, codes = [], []
    for step in range(3 + steps):
        begun = time.perf_counter()
        codes.append(engine.step(calls).codes[0].tolist())  # on the host: the device has finished
        if step >= 3:
            times.append((time.perf_counter() - begun) * 1000)
    for slot in range(calls):
        engine.rewind(slot, 0)
    return times, codes


def _first_audio(engine: CsmEngine) -> float:
    engine.rewind(0, 0)
    engine.prefill(0, _tokens(engine, _BEFORE))
    engine.step(1)  # whatever was under way is over
    begun = time.perf_counter()
    engine.prefill(0, _tokens(engine, _CLAUSE))
    engine.speak(0)
    engine.step(1)
    took = time.perf_counter() - begun
    engine.rewind(0, 0)
    return took * 1000


def _prefill(engine: CsmEngine) -> float:
    tokens = _tokens(engine, _PREFILL)
    engine.rewind(0, 0)
    _wait(tokens)
    begun = time.perf_counter()
    engine.prefill(0, tokens)
    _wait(tokens)
    took = time.perf_counter() - begun
    engine.rewind(0, 0)
    return took * 1000


def _wait(anything: torch.Tensor) -> None:
    """Until the device has done what it was asked: a number can't be read before."""
    float(anything[0, 0])


def _tokens(engine: CsmEngine, count: int) -> torch.Tensor:
    return engine.text([(7 * number) % 256 for number in range(count)])


def _median(times: Sequence[float]) -> float | None:
    return statistics.median(times) if times else None


def _p95(times: Sequence[float]) -> float | None:
    return sorted(times)[int(0.95 * len(times))] if times else None
