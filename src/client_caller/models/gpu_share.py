"""How much of a GPU this process may take."""

import torch


def bound(gigabytes: float) -> None:
    """Let PyTorch take no more than so many gigabytes of the current GPU: beyond them it fails, and its neighbours
    don't."""
    all_of_it = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * 1e9 / all_of_it))
