"""A CSM of real shape and tiny size, loaded as the published one is, and a server that speaks with it."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from client_caller.models.csm import launch  # noqa: E402
from client_caller.models.csm.engine import CsmEngine  # noqa: E402
from client_caller.models.csm.loop import Loop  # noqa: E402
from client_caller.models.csm.sampling import Sampling  # noqa: E402
from client_caller.models.csm.weights import Weights, load  # noqa: E402
from client_caller.server.run import listen  # noqa: E402

torch.set_num_threads(1)  # the work is tiny: more threads would only wait for each other
transformers.logging.set_verbosity_error()


@pytest.fixture(scope="session")
def weights(csm_directory: Path) -> Weights:
    return load(csm_directory, device="cpu", dtype="float32")


@pytest.fixture
def engine(weights: Weights) -> CsmEngine:
    """Four slots that take the likeliest code always."""
    return CsmEngine(weights.model, slots=4, sampling=Sampling(temperature=0))


@pytest.fixture
def voice_file(voice_directory: Path, tmp_path: Path) -> Path:
    """A voice of one's own, to spoil."""
    shutil.copytree(voice_directory, tmp_path, dirs_exist_ok=True)
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
    with listen("127.0.0.1", 0) as listener:
        task = asyncio.create_task(server.serve([listener]))
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task
