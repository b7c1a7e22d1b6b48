"""The process a cell runs in: its device, threads and environment, set before torch is imported."""

from __future__ import annotations

import os

from ..config.run import HardwareSettings
from ..errors import ConfigError
from . import stand_ins, visible_devices


def choose_device(hardware: HardwareSettings) -> str:
    """``cuda`` or ``cpu``, by the configuration and what is visible; devices that only stand in for GPUs do not compute.

    Raises:
        ConfigError: ``hardware.device: cuda`` where no GPU is visible.
    """
    found = hardware.device != "cpu" and not stand_ins() and bool(visible_devices())
    if hardware.device == "cuda" and not found:
        raise ConfigError(
            "hardware.device is 'cuda' and no GPU is visible (driver missing, or CUDA_VISIBLE_DEVICES empty); "
            "set it to 'auto' or 'cpu', or run where a GPU is"
        )
    return "cuda" if found else "cpu"


def set_environment(threads: int, device: str, uuids: list[str]) -> None:
    """Set what libraries read when they are imported; call before importing torch or transformers.

    The hub stays off: only retrieval may touch the network.
    """
    os.environ.update(
        HF_HUB_OFFLINE="1",
        TRANSFORMERS_OFFLINE="1",
        TOKENIZERS_PARALLELISM="false",
        TRANSFORMERS_VERBOSITY="error",
        HF_HUB_DISABLE_PROGRESS_BARS="1",
    )
    if device == "cuda":
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
        # NVML's order; CUDA's own begins with the fastest.
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["OMP_NUM_THREADS"] = str(threads)
        # Nothing is compiled on CPU, and bitsandbytes pays over a second at import to prepare for it.
        os.environ["TORCHDYNAMO_DISABLE"] = "1"
