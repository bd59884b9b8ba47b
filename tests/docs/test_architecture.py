"""What docs/architecture.md promises about the code."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_dependency_has_its_reason() -> None:
    """Whoever adds a dependency says why, and whoever removes one removes the reason."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[\[><=;]", requirement)[0] for requirement in required}
    section = (ROOT / "docs" / "architecture.md").read_text().split("## Dependencies")[1].split("\n## ")[0]
    lists = re.findall(r"^- (.*?:(?: |$))", section, re.MULTILINE)
    assert names == {name for line in lists for name in re.findall(r"`([\w-]+)`", line)}


def test_every_room_is_on_its_floor() -> None:
    """The table of rooms names those that there are."""
    rooms = {path.parent.name for path in (ROOT / "src" / "client_caller").glob("*/__init__.py")}
    assert rooms == set(
        re.findall(r"^\|[^|]*\| `(\w+)/` \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    )
