"""What a transcript costs: the backend alone, without a server."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats
from client_caller.models.whisper.backend import Window
from client_caller.models.whisper.faster import FasterWhisper

SHORTENED = 10.0
"""Seconds of the shorter window of guesses, as `--guess-window 10` of the server has it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run of a whole batch, milliseconds: medians."""

    wall: float
    cpu: float
    """Of all threads of this process; on a GPU, what the CPU does beside it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of so many calls in one run."""

    calls: int
    guess: Cost
    short_guess: Cost
    """In a window of `SHORTENED` seconds."""
    final: Cost
    """With word times and confidence."""


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured."""

    seconds: float
    """Of speech in each window."""
    batches: Sequence[Batch]


def measure(
    load: Callable[[float | None], FasterWhisper],
    samples: Floats,
    calls: Sequence[int],
    runs: int,
    tell: Callable[[int, int], None],
) -> Speed:
    """Measure at each number of calls, `runs` runs of each kind after one that does not count.

    `load` is given seconds to which windows of guesses are shortened. `samples`: what is said, (n,) at 16 kHz; what is
    longer than a window is left out. `tell` is given how much is done and how much there is.
    """
    total = 3 * len(calls) + 1
    done = iter(range(1, total + 1))
    whisper = load(None)
    samples = samples[: round(whisper.seconds * SAMPLE_RATE)]
    tell(next(done), total)

    def costs(whisper: FasterWhisper, *, final: bool) -> Iterator[Cost]:
        for count in calls:
            yield _cost(whisper, [Window(samples, "en", final=final)] * count, runs)
            tell(next(done), total)

    guesses = list(costs(whisper, final=False))
    finals = list(costs(whisper, final=True))
    del whisper  # a second one beside it may not fit
    short_guesses = list(costs(load(SHORTENED), final=False))
    batches = [Batch(*row) for row in zip(calls, guesses, short_guesses, finals, strict=True)]
    return Speed(len(samples) / SAMPLE_RATE, batches)


def _cost(whisper: FasterWhisper, windows: Sequence[Window], runs: int) -> Cost:
    whisper.transcribe(windows)
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        whisper.transcribe(windows)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return Cost(statistics.median(walls), statistics.median(cpus))
