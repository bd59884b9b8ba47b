"""What tests of every room share: the model files they need, and recorded audio."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from client_caller.audio import g711
from client_caller.models.fetch import pull
from client_caller.models.manifest import SILERO_VAD, SMART_TURN

# A shell has what it starts in the background ignore Ctrl-C, and all that this starts in turn: here it has to count.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def silero_path() -> Path:
    """The Silero VAD model file, fetched into the user's cache if it is not there yet."""
    return pull(SILERO_VAD)


@pytest.fixture(scope="session")
def smart_turn_path() -> Path:
    """The Smart Turn model file, fetched into the user's cache if it is not there yet."""
    return pull(SMART_TURN)


@pytest.fixture(scope="session")
def audio() -> Path:
    """The folder of shared test audio, which lies beside the checkout."""
    folder = Path(__file__).parents[2] / "shared" / "audio"
    if not (folder / "manifest.json").is_file():
        pytest.fail(f"The shared test audio is not beside the checkout: no manifest.json in {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_audio(audio: Path) -> Callable[[str], bytes]:
    """Load one file of the shared audio, such as `utt/u18_yes.flac`, as mu-law at 8 kHz."""

    def load(name: str) -> bytes:
        samples, rate = soundfile.read(audio / name, dtype="int16")
        assert rate == g711.SAMPLE_RATE
        return g711.encode(samples)

    return load
