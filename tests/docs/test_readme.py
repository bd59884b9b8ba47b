"""What the front page tells people to type works."""

import re
from pathlib import Path

from client_caller.engines.build import build_engines
from client_caller.settings import load

ROOT = Path(__file__).parents[2]


async def test_the_variables_of_the_first_real_call_are_all_it_takes() -> None:
    """Engines can be built from what the README exports, and from nothing else; each variable sets something."""
    exported = dict(re.findall(r"^export (\w+)=(\S+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    in_force = load(environ=exported)
    settings = in_force.settings
    engines = build_engines(settings.stt, settings.llm, settings.tts, None)
    await engines.close()
    assert settings.twilio.auth_token is not None
    origins = " ".join(in_force.origins.values())
    assert all(name in origins for name in exported)


def test_the_front_page_names_only_files_that_exist() -> None:
    """Its links and its example lead somewhere."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    named = [*links, *re.findall(r"examples/\w+\.py", text)]
    assert len(named) > 3
    assert [name for name in named if not (ROOT / name).exists()] == []
