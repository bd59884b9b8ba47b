"""docs/engines.md: its example is a whole package that works, and its table has every engine."""

import re
import sys
from pathlib import Path

import pytest

from client_caller.engines.build import build_tts
from client_caller.engines.options import BUILT_IN
from client_caller.engines.protocols import CallContext
from client_caller.profiles import PROFILES
from client_caller.settings import load

TEXT = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


async def test_the_example_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed as written and configured as written, it says what it says."""
    (module,) = blocks("python")
    _, project, config = blocks("toml")
    (tmp_path / "acme_voice.py").write_text(module)
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (point,) = re.findall(r'^"(.*)" = "(.*)"$', project, re.MULTILINE)
    (info / "entry_points.txt").write_text(f"[client_caller.engines]\n{point[0]} = {point[1]}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "acme_voice", raising=False)
    (tmp_path / "c.toml").write_text(config)
    engine = build_tts(load(tmp_path / "c.toml", environ={}).settings.tts)
    speech = [speech.mulaw async for speech in engine.speak(CallContext("c"), "two words")]
    assert speech == [bytes([42]) * 1600] * 2


def test_the_table_has_every_engine() -> None:
    """One row for each that comes with the package."""
    rows = re.findall(r"^\| `\[(\w+)\]` \| `(\w+)`", TEXT, re.MULTILINE)
    assert sorted(rows) == sorted((stage, name) for stage, names in BUILT_IN.items() for name in names)


def test_the_table_has_every_profile() -> None:
    """One row for each below the head, in the order in which the help names them."""
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == ["profile", *PROFILES]
