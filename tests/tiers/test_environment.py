"""The environment of the model tier's tests."""

from importlib.util import find_spec

import pytest

pytest.importorskip("torch")


def test_torch_came_alone() -> None:
    """torchvision and torchaudio stay out: what pip resolves for them wants CUDA, and then `import torch` may fail."""
    assert find_spec("torchvision") is None
    assert find_spec("torchaudio") is None
