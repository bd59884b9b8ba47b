"""The toy Whisper behind the real loading code, in this process."""

from typing import Any

import pytest

for package in ("ctranslate2", "faster_whisper", "torch", "transformers"):
    pytest.importorskip(package)

from client_caller.models.whisper.faster import FasterWhisper  # noqa: E402


@pytest.fixture(scope="session")
def whisper(toy: Any) -> FasterWhisper:
    return FasterWhisper(str(toy.model), compute_type="int8", threads=1, offline=True)
