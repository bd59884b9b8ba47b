"""A toy Whisper that reads what a toy caller says, made once and kept in pytest's cache."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

for package in ("ctranslate2", "faster_whisper", "torch", "transformers"):
    pytest.importorskip(package)

from client_caller.audio import g711  # noqa: E402
from client_caller.audio.resample import resample  # noqa: E402
from client_caller.models.whisper.backend import SAMPLE_RATE, Floats  # noqa: E402
from client_caller.models.whisper.faster import FasterWhisper  # noqa: E402

SCRIPT = Path(__file__).with_name("toy_whisper.py")


@dataclass(frozen=True)
class Toy:
    """What was made: a model in CTranslate2's format, and the sounds of its words."""

    folder: Path

    @property
    def model(self) -> Path:
        return self.folder / "model"

    def say(self, text: str, language: str = "en", gap: float = 0.12) -> bytes:
        """A caller's mu-law at 8 kHz, with `gap` seconds before each word."""
        return b"".join(g711.SILENCE * round(gap * g711.SAMPLE_RATE) + self._sound(language, w) for w in text.split())

    def ends(self, text: str, language: str = "en", gap: float = 0.12) -> list[float]:
        """Where each word of `say` ends, in seconds."""
        said = text.split()
        return [len(self.say(" ".join(said[: n + 1]), language, gap)) / g711.SAMPLE_RATE for n in range(len(said))]

    def samples(self, text: str, language: str = "en") -> Floats:
        """The same as a window takes it."""
        return resample(g711.decode_float(self.say(text, language)), g711.SAMPLE_RATE, SAMPLE_RATE)

    def _sound(self, language: str, word: str) -> bytes:
        return (self.folder / "sounds" / f"{language}-{word}").read_bytes()


@pytest.fixture(scope="session")
def toy(pytestconfig: pytest.Config) -> Toy:
    """Trained where it is not in pytest's cache yet: a minute and a half of CPU."""
    version = hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:16]
    shelf = pytestconfig.cache.mkdir("toy-whisper")
    folder = shelf / version
    if not folder.exists():
        with TemporaryDirectory(dir=shelf) as making:
            subprocess.run([sys.executable, SCRIPT, Path(making) / "toy"], check=True, stdin=subprocess.DEVNULL)
            os.rename(Path(making) / "toy", folder)
    return Toy(folder)


@pytest.fixture(scope="session")
def whisper(toy: Toy) -> FasterWhisper:
    return FasterWhisper(str(toy.model), compute_type="int8", threads=1, offline=True)
