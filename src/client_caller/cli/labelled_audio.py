"""A folder of recordings with labels: `manifest.json` lists them, and every recording goes through G.711.

The manifest has `files`, each with `file`, `set`, `label` and `source`, and where they apply `transcript`, `speech` and
`ignore` (lists of [start, end] in seconds), `snr_db` and others.

The folder is split in two halves by who speaks, so that what was chosen on one half can be tried on people whom it has
never met.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from client_caller.simulator.clips import UnreadableRecording, load

_MANY_VOICES = frozenset(
    (
        "Jakobovski/free-spoken-digit-dataset",
        "aws-samples/amazon-transcribe-live-call-analytics",
        "karolpiczak/ESC-10",
        "pyannote/pyannote-audio",
        "sierra-research/tau2-bench",
    )
)
"""Sources where each file of a folder is of somebody else. In all others, a folder is taken for one speaker's."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One entry of the manifest."""

    folder: Path
    entry: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the file, without folder and extension."""
        return Path(self.entry["file"]).stem

    @property
    def label(self) -> str:
        label: str = self.entry["label"]
        return label

    @property
    def speech(self) -> list[tuple[float, float]]:
        """Where somebody speaks, seconds."""
        return [(start, end) for start, end in self.entry.get("speech") or ()]

    @property
    def ignored(self) -> list[tuple[float, float]]:
        """What the labels leave open, seconds."""
        return [(start, end) for start, end in self.entry.get("ignore") or ()]

    @property
    def source(self) -> str:
        """Who speaks, as far as the manifest tells: where the voice was taken from. Of a mix, the speech's."""
        found = self.entry["source"]
        found = found[0] if isinstance(found, list) else found.get("speech", found)
        if "path" not in found:
            return str(self.entry["file"])
        publisher = str(found.get("repo") or found.get("pypi"))
        path = found["path"]
        return f"{publisher}/{path if publisher in _MANY_VOICES else Path(path).parent}"

    @property
    def held_back(self) -> bool:
        """Whether it is in the half on which nothing may be chosen: by one bit of its source's SHA-256."""
        return bool(sha256(self.source.encode()).digest()[0] & 1)

    def mulaw(self) -> bytes:
        """Raises `UnreadableRecording`."""
        return load(self.folder / self.entry["file"])


def recordings(folder: Path) -> list[Recording]:
    """All that the folder's manifest lists. Raises `UnreadableRecording`."""
    try:
        files = json.loads((folder / "manifest.json").read_text())["files"]
        return [
            Recording(folder, {"file": one["file"], "set": one["set"], "label": one["label"], **one}) for one in files
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableRecording(
            f"{folder} has no manifest.json that lists its recordings (files: file, set, label, source, speech)."
        ) from error
