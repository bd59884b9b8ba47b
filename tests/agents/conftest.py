"""A short script with everything in it that a script can have, and its tools."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_caller.agents.script import Script
from client_caller.agents.script_file import parse_script

BAKERY = """
name: bakery
greeting: Hello, this is the bakery. What would you like?
start: order
states:
  order:
    - hears: [bread, a loaf of bread]
      says: Gladly. White bread or brown bread, or one of the small ones with seeds?
      then: kind
    - hears: water
      says: We have none.
  kind:
    - hears: [white, brown]
      when_cut: Of course.
      tool: {name: look, arguments: {kind: brown, at: 7:30}}
      says: There are {count} left for {price}.
      then: "yes"
  yes: []
anywhere:
  - hears: [goodbye]
    says: Goodbye, and thank you.
    end: true
otherwise: [Pardon me., Once more please.]
tools: bakery_tools.py:add_tools
caller:
  - wait_for_agent
  - say: a loaf of bread
  - interrupt: brown
    after_words: 6
"""

TOOLS = '''
from client_caller import Agent

def add_tools(agent: Agent) -> None:
    @agent.tool(filler="Let me look on the shelf.")
    async def look(kind: str, at: str) -> dict[str, object]:
        """Look on the shelf."""
        return {"count": 2, "price": "three euros"}

not_a_function = 3
'''


@pytest.fixture(autouse=True)
def forget_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports from its own folder is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in f"{getattr(module, '__file__', '')} {getattr(module, '__path__', '')}":
            del sys.modules[name]


@pytest.fixture
def bakery_text() -> str:
    return BAKERY


@pytest.fixture
def in_bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the script and its tools in it."""
    (tmp_path / "bakery.yaml").write_text(BAKERY, encoding="utf-8")
    (tmp_path / "bakery_tools.py").write_text(TOOLS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bakery(in_bakery: Path) -> Script:
    return parse_script(BAKERY, "bakery.yaml")
