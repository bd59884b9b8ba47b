"""The laws of the manifest."""

import re
from pathlib import PurePosixPath

from client_caller.models.manifest import MODELS


def test_every_entry_can_be_fetched_and_checked() -> None:
    """Each has a name of its own, a plain file name, a pinned package, a path inside the wheel and a SHA-256."""
    assert len({model.file for model in MODELS.values()}) == len(MODELS)
    for name, model in MODELS.items():
        assert model.name == name
        assert PurePosixPath(model.file).name == model.file
        assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert re.fullmatch(r"[a-z0-9-]+==\d+(\.\d+)+", model.requirement)
        member = PurePosixPath(model.member)
        assert not member.is_absolute()
        assert ".." not in member.parts
        assert model.size > 0
