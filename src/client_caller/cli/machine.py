"""On what a figure was measured: without this, it means nothing a week later."""

import os
import platform
import subprocess
from pathlib import Path

from client_caller import __version__


def machine() -> str:
    """One line: version and commit, Python, processor and how busy it was just before."""
    busy = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load unknown"
    return (
        f"client-caller {__version__} ({_commit()}), Python {platform.python_version()}, "
        f"{platform.system()}, {os.cpu_count()} cores of {_processor()}, {busy}"
    )


def _commit() -> str:
    """Of the checkout that runs; says so where it has changes, or is none."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "installed"
    return f"commit {described.stdout.strip()}" if described.returncode == 0 else "installed"


def _processor() -> str:
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
