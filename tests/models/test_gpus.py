"""Which GPU is meant."""

from pathlib import Path

import pytest

from client_caller.models.gpus import GPUS, Gpu, UnknownGpu, detect_gpu, parse_gpu, read_gpu


def test_by_name_and_by_size() -> None:
    """A known name; any other with its gigabytes; a known one of another size keeps its speed."""
    assert parse_gpu("A100-80") is GPUS["a100-80"]
    assert parse_gpu("L40S=48") == Gpu("l40s", 48.0)
    assert parse_gpu("h100=94") == Gpu("h100", 94.0, GPUS["h100"].speed)


@pytest.mark.parametrize("text", ["", "h300", "=80", "l40s=", "l40s=much", "l40s=0", "l40s=1e9", "l40s=nan"])
def test_what_is_none(text: str) -> None:
    """It is refused, with what there is and how to write others."""
    with pytest.raises(UnknownGpu, match=r"a100-80.*NAME=GB, such as l40s=48"):
        parse_gpu(text)


@pytest.mark.parametrize(
    ("line", "gpu"),
    [
        ("NVIDIA A100-SXM4-80GB, 81920", GPUS["a100-80"]),
        ("NVIDIA A100-PCIE-40GB, 40960", GPUS["a100-40"]),
        ("NVIDIA H100 80GB HBM3, 81559", GPUS["h100"]),
        ("NVIDIA H200, 143771", GPUS["h200"]),
        ("NVIDIA GeForce RTX 4090, 24564", Gpu("nvidia-geforce-rtx-4090", 25.8)),
        ("NVIDIA H100 NVL, 95830", Gpu("nvidia-h100-nvl", 100.5)),
    ],
)
def test_as_the_driver_tells_of_it(line: str, gpu: Gpu) -> None:
    """By name and size together: an A100 has two sizes, and an H100 of another size is another card."""
    assert read_gpu(line) == gpu


def test_a_driver_that_does_not_tell() -> None:
    """Unified memory is "[N/A]": then the user has to."""
    with pytest.raises(UnknownGpu, match="--gpu NAME=GB"):
        read_gpu("NVIDIA GB10, [N/A]")


def test_detection_asks_the_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first GPU counts; no driver, and a driver without a GPU, are each said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnknownGpu, match=r"there is no nvidia-smi.*--gpu"):
        detect_gpu()
    command = tmp_path / "nvidia-smi"
    command.write_text("#!/bin/sh\necho 'NVIDIA H200, 143771'\necho 'NVIDIA A100-SXM4-80GB, 81920'\n")
    command.chmod(0o755)
    assert detect_gpu() is GPUS["h200"]
    command.write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    with pytest.raises(UnknownGpu, match="No devices were found"):
        detect_gpu()
