"""The weights of the profile `cpu`: what they are, under which licence, and where on the model hub.

Each file is pinned to a commit of its repository, so everybody gets the same bytes. The pins of the voice are those of
the package that speaks with it (pocket-tts 4.0.1, `config/english.yaml` and `utils/utils.py`).

Gemma is the 1B: a 4B takes four times as long for every token, on processors that hear and speak besides. It is that of
ggml-org, llama.cpp's own authors: Google's repositories, its QAT form among them, are open only to accounts that have
accepted the terms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from client_caller.models.cache import cache_directory


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository at the model hub."""

    repository: str
    revision: str
    path: str

    @property
    def address(self) -> str:
        """Below the hub's own address (huggingface.co/docs/hub, "Downloading models")."""
        return f"{self.repository}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True, slots=True)
class Weights:
    """What one server is started with: a folder of files."""

    name: str
    """Also the folder's."""
    purpose: str
    licence: str
    terms: str
    """Where the licence can be read."""
    files: Mapping[str, HubFile] = field(default_factory=dict)
    """By their names in the folder."""

    @property
    def folder(self) -> Path:
        return cache_directory() / "cpu" / self.name

    @property
    def missing(self) -> list[Path]:
        """A file gets its name when it is whole and verified: one that is there is right."""
        return [self.folder / name for name in self.files if not (self.folder / name).is_file()]


def _of(repository: str, revision: str, *paths: str) -> dict[str, HubFile]:
    return {path: HubFile(repository, revision, path) for path in paths}


_KYUTAI = "kyutai/pocket-tts-without-voice-cloning"
_VOICE_REVISION = "a7056f505a4a8ca72d8b5fb1440071d6f1a35739"

WHISPER = Weights(
    name="whisper-base.en",
    purpose="hears",
    licence="MIT",
    terms="https://huggingface.co/Systran/faster-whisper-base.en",
    files=_of(
        "Systran/faster-whisper-base.en",
        "3d3d5dee26484f91867d81cb899cfcf72b96be6c",
        "config.json",
        "tokenizer.json",
        "vocabulary.txt",
        "model.bin",
    ),
)
GEMMA = Weights(
    name="gemma-3-1b",
    purpose="thinks",
    licence="Gemma Terms of Use",
    terms="https://ai.google.dev/gemma/terms",
    files=_of("ggml-org/gemma-3-1b-it-GGUF", "f9c28bcd85737ffc5aef028638d3341d49869c27", "gemma-3-1b-it-Q4_K_M.gguf"),
)
POCKET = Weights(
    name="pocket-tts",
    purpose="speaks",
    licence="CC BY 4.0, by Kyutai",
    terms=f"https://huggingface.co/{_KYUTAI}",
    files={
        "tokenizer.json": HubFile(
            _KYUTAI, "00eac05ed3d16bdc3f6b5d598874019c34a89214", "languages/english/tokenizer.json"
        ),
        "voices/alba.safetensors": HubFile(_KYUTAI, _VOICE_REVISION, "languages/english/embeddings/alba.safetensors"),
        "model.safetensors": HubFile(_KYUTAI, _VOICE_REVISION, "languages/english/model.safetensors"),
    },
)
CPU = (WHISPER, GEMMA, POCKET)


class WeightsMissing(Exception):
    """The profile's weights are not all here. `str(error)` says how to get them."""


def need(sets: tuple[Weights, ...] = CPU) -> None:
    """Raises `WeightsMissing`."""
    if absent := [weights.name for weights in sets if weights.missing]:
        raise WeightsMissing(
            f"The profile cpu needs {', '.join(absent)}, and not all of it is in {cache_directory() / 'cpu'}. "
            "To get it, run: client-caller models pull cpu"
        )
