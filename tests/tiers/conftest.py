"""Tiny weights in the formats of the published ones, made by the tests themselves."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile

from client_caller.audio import g711
from client_caller.audio.resample import resample
from client_caller.models.hearing.recogniser import SAMPLE_RATE, Floats

TOY_WHISPER = Path(__file__).parent / "whisper" / "toy_whisper.py"
TINY_POCKET = Path(__file__).parent / "pocket" / "tiny_pocket.py"


@dataclass(frozen=True)
class Toy:
    """What was made: a Whisper in CTranslate2's format, and the sounds of its words."""

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
    """A Whisper that reads a toy caller: a minute and a half of CPU, unless pytest has it in its cache."""
    version = hashlib.sha256(TOY_WHISPER.read_bytes()).hexdigest()[:16]
    shelf = pytestconfig.cache.mkdir("toy-whisper")
    folder = shelf / version
    if not folder.exists():
        with TemporaryDirectory(dir=shelf) as making:
            subprocess.run([sys.executable, TOY_WHISPER, Path(making) / "toy"], check=True, stdin=subprocess.DEVNULL)
            os.rename(Path(making) / "toy", folder)
    return Toy(folder)


@pytest.fixture(scope="session")
def csm_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSM with random weights: a whole directory as it is published."""
    from client_caller.models.csm.made_up import make

    directory = tmp_path_factory.mktemp("csm")
    make("tiny").save_pretrained(directory)
    _write_tokenizer(directory)
    return directory


@pytest.fixture(scope="session")
def pocket_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Pocket TTS with random weights, and its voice `alba`."""
    directory = tmp_path_factory.mktemp("pocket")
    subprocess.run([sys.executable, TINY_POCKET, directory], check=True, stdin=subprocess.DEVNULL)
    return directory


@pytest.fixture(scope="session")
def voice_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ada.toml`: a voice of four seconds, with its consent, at a telephone's rate."""
    directory = tmp_path_factory.mktemp("voice")
    soundfile.write(directory / "ada.wav", np.random.default_rng(0).normal(0, 0.1, 4 * 8000), 8000)
    (directory / "ada.toml").write_text(
        'name = "ada"\naudio = "ada.wav"\ntranscript = "So it is."\n\n'
        '[consent]\nspeaker = "Ada Example"\ngiven_on = 2026-03-01\nrecord = "drawer 3"\n'
    )
    return directory


def _write_tokenizer(directory: Path) -> None:
    """Bytes as tokens, behind them the marks that CSM's own tokenizer has."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = ["<|begin_of_text|>", "<|end_of_text|>", "<|AUDIO|>", "<|audio_eos|>"]
    tokenizer.add_special_tokens([AddedToken(mark, special=True) for mark in marks])
    tokenizer.save(str(directory / "tokenizer.json"))
