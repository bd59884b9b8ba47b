"""The law of the line that says on what a figure was measured."""

import platform

from client_caller import __version__
from client_caller.cli.machine import machine


def test_it_names_what_a_figure_depends_on() -> None:
    """One line with version, Python, cores and load: without them a figure means nothing later."""
    line = machine()
    assert "\n" not in line
    for part in (__version__, platform.python_version(), "cores of", "load"):
        assert part in line
