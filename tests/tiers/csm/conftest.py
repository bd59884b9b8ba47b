"""A CSM of real shape and tiny size, with random weights, saved and loaded as the published one is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from client_caller.models.csm import launch  # noqa: E402
from client_caller.models.csm.engine import CsmEngine  # noqa: E402
from client_caller.models.csm.loop import Loop  # noqa: E402
from client_caller.models.csm.made_up import make  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.weights import Weights, load  # noqa: E402

torch.set_num_threads(1)  # the work is tiny: more threads would only wait for each other
transformers.logging.set_verbosity_error()


def write_tokenizer(directory: Path) -> None:
    """Bytes as tokens, behind them the marks that CSM's own tokenizer has."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<|begin_of_text|>", "<|end_of_text|>", "<|AUDIO|>", "<|audio_eos|>"]
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.save(str(directory / "tokenizer.json"))


@pytest.fixture(scope="session")
def csm_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole directory as it is published."""
    directory = tmp_path_factory.mktemp("csm")
    make("tiny").save_pretrained(directory)
    write_tokenizer(directory)
    return directory


@pytest.fixture(scope="session")
def weights(csm_directory: Path) -> Weights:
    return load(csm_directory, device="cpu", dtype="float32")


@pytest.fixture
def engine(weights: Weights) -> CsmEngine:
    """Four slots that take the likeliest code always."""
    return CsmEngine(weights.model, slots=4, sampling=Sampling(temperature=0))


@pytest.fixture
def voice_file(tmp_path: Path) -> Path:
    """A voice of four seconds, with its consent, at a telephone's rate."""
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "ada.wav", np.random.default_rng(0).normal(0, 0.1, 4 * 8000), 8000)
    (tmp_path / "ada.toml").write_text(
        'name = "ada"\naudio = "ada.wav"\ntranscript = "So it is."\n\n'
        '[consent]\nspeaker = "Ada Example"\ngiven_on = 2026-03-01\nrecord = "drawer 3"\n'
    )
    return tmp_path / "ada.toml"


@pytest.fixture
async def loop(csm_directory: Path, voice_file: Path) -> AsyncIterator[Loop]:
    made, _ = launch.made(
        launch.Launch(csm_directory, voice_file, slots=2, slowest_step=60.0, sampling=Sampling(temperature=0)),
        lambda line: None,
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def address(loop: Loop) -> AsyncIterator[str]:
    """Host and port of a server of two slots."""
    server = launch._server(loop, "ada")
    with launch.listening("127.0.0.1", 0) as listener:
        task = asyncio.create_task(server.serve([listener]))
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task
