"""A tiny Nemotron behind the real loading code, and what transformers itself makes of the same audio."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", minversion="5.23")

from tests.tiers.nemotron import tiny_nemotron  # noqa: E402

from client_caller.audio import g711  # noqa: E402
from client_caller.audio.resample import resample  # noqa: E402
from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats  # noqa: E402
from client_caller.models.nemotron.engine import Engine  # noqa: E402
from client_caller.models.nemotron.weights import Weights, load  # noqa: E402

torch.set_num_threads(1)  # the work is tiny: more threads would only wait for each other
transformers.logging.set_verbosity_error()

CHUNKS = (80, 160, 560, 1120)


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, configuration and vocabulary as they are published."""
    folder = tmp_path_factory.mktemp("nemotron")
    tiny_nemotron.write(folder)
    return folder


@pytest.fixture(scope="session")
def weights(directory: Path) -> dict[int, Weights]:
    """Loaded for each chunk size."""
    return {chunk: load(directory, device="cpu", dtype="float32", chunk=chunk) for chunk in CHUNKS}


@pytest.fixture(scope="session")
def engines(weights: dict[int, Weights]) -> dict[int, Engine]:
    return {chunk: Engine(loaded) for chunk, loaded in weights.items()}


@pytest.fixture(scope="session")
def speech(shared_audio: Callable[[str], bytes], audio: Path) -> Floats:
    """Ten seconds of people speaking, at 16 kHz: longer than the window of attention."""
    names = sorted(path.name for path in (audio / "utt").glob("*.flac"))
    said = b"".join(shared_audio(f"utt/{name}") for name in names)[: 10 * g711.SAMPLE_RATE]
    return resample(g711.decode_float(said), g711.SAMPLE_RATE, SAMPLE_RATE)


@pytest.fixture(scope="session")
def offline(weights: dict[int, Weights], directory: Path) -> Callable[[Floats, int], list[tuple[str, int]]]:
    """What `transformers` makes of audio that is there as a whole: each piece of a word, and the frame it came at."""
    model = transformers.NemotronAsrStreamingForRNNT.from_pretrained(directory).eval()

    def decode(samples: Floats, chunk: int) -> list[tuple[str, int]]:
        loaded = weights[chunk]
        made = loaded.extractor([samples], sampling_rate=SAMPLE_RATE, return_tensors="pt")
        output = model.generate(**made, num_lookahead_tokens=loaded.sizes.lookahead)
        frames = (output.durations.cumsum(-1) - output.durations)[0].tolist()
        tokens = zip(output.sequences[0].tolist(), frames, strict=True)
        return [(loaded.pieces[token], frame) for token, frame in tokens if token in loaded.pieces]

    return decode


def filled(samples: Floats, weights: Weights, chunks: int) -> Floats:
    """The same audio with silence behind it, as long as the mel frames of so many chunks."""
    sizes = weights.sizes
    frames = sizes.mel_frames(first=True) + (chunks - 1) * sizes.mel_frames(first=False)
    return np.pad(samples, (0, frames * sizes.hop - len(samples)))
