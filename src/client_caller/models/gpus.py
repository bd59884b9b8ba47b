"""The GPUs that plans are made for: how much they hold, and how fast they are.

Bandwidth and memory are the makers'; the throughput of a prefill is what published measurements of Gemma 3 come to
(A100: 131 TFLOP/s at 1,024 tokens), not what a data sheet promises.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass


class UnknownGpu(Exception):
    """A GPU that can't be planned for. `str(error)` says what to write."""


@dataclass(frozen=True, slots=True)
class Speed:
    bandwidth: float
    """Terabytes a second."""
    bf16: float
    """TFLOP/s that a prefill reaches."""
    fp8: float | None
    """The same in FP8; None where the GPU has no FP8 arithmetic, and such weights only save memory."""
    overlap: float
    """Work of ten calls at once as a share of ten times one call's: what batching leaves."""


@dataclass(frozen=True, slots=True)
class Gpu:
    name: str
    gigabytes: float
    """Of memory, decimal."""
    speed: Speed | None = None
    """None: not known."""


GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("a100-40", 42.0, Speed(1.555, bf16=150.0, fp8=None, overlap=0.68)),
        Gpu("a100-80", 85.0, Speed(2.0, bf16=150.0, fp8=None, overlap=0.68)),
        Gpu("h100", 85.0, Speed(3.35, bf16=450.0, fp8=800.0, overlap=0.55)),
        Gpu("h200", 150.0, Speed(4.8, bf16=450.0, fp8=800.0, overlap=0.55)),
    )
}


def parse_gpu(text: str) -> Gpu:
    """A GPU by its name, or `NAME=GB` for any other. Raises `UnknownGpu`."""
    name, _, size = text.lower().partition("=")
    if not size and name in GPUS:
        return GPUS[name]
    try:
        gigabytes = float(size)
    except ValueError:
        gigabytes = 0.0
    if not name or not 1 <= gigabytes <= 10_000:
        raise UnknownGpu(
            f"There is no GPU {text!r}. There are {', '.join(GPUS)}; any other as NAME=GB, such as l40s=48."
        )
    known = GPUS.get(name)
    return Gpu(name, gigabytes, known.speed if known else None)


def detect_gpu() -> Gpu:
    """The first GPU of this machine, by `nvidia-smi`. Raises `UnknownGpu` where there is none."""
    advice = f"Name one with --gpu: {', '.join(GPUS)}, or NAME=GB."
    if (command := shutil.which("nvidia-smi")) is None:
        raise UnknownGpu(f"No GPU was found here (there is no nvidia-smi). {advice}")
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode or not (line := done.stdout.strip()):
        raise UnknownGpu(f"nvidia-smi finds no GPU here: {(done.stderr or done.stdout).strip()[:200]} {advice}")
    return read_gpu(line.splitlines()[0])


def read_gpu(line: str) -> Gpu:
    """A GPU as `nvidia-smi` tells of it: its name, and mebibytes. Raises `UnknownGpu`."""
    name, _, mebibytes = line.rpartition(",")
    if not mebibytes.strip().isdigit():
        raise UnknownGpu("nvidia-smi does not tell how much memory the GPU has. Name it with --gpu NAME=GB.")
    gigabytes = int(mebibytes) * 2**20 / 1e9
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    for gpu in GPUS.values():
        # An A100 of 80 GB tells 85.9 decimal ones; its smaller sister has half of them, and the same name.
        if gpu.name.partition("-")[0] in plain.split("-") and abs(gpu.gigabytes - gigabytes) < 0.1 * gpu.gigabytes:
            return gpu
    return Gpu(plain, round(gigabytes, 1))
