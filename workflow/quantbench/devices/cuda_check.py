"""Whether torch can compute on the leased GPUs, asked before anything loads.

NVML sees GPUs that torch cannot use: torch may be built without CUDA, for a newer CUDA than the driver supports, or for other
kinds of GPU. transformers would then load a model onto the CPU, in a format and with an amount of host memory meant for a GPU.
What is known stands in plain values, which :func:`trouble_with_cuda` and :func:`trouble_with_devices` judge.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import QuantbenchError
from ..measure.nvml import is_slice
from .gpu_identity import cuda_of_driver, driver_version
from .inventory import foreign_processes

# The oldest branch of drivers for each major version of CUDA; a driver serves all minor versions of those it supports.
# Source: CUDA Toolkit Release Notes, "CUDA Toolkit and Minimum Required Driver Version for CUDA Minor Version Compatibility".
_DRIVERS = {11: "450.80", 12: "525", 13: "580"}
# Where torch publishes builds for each major version of CUDA.
_WHEELS = {11: "cu118", 12: "cu126", 13: "cu130"}
_ON_CPU = "set hardware.device to 'cpu'"
_WRONG_KIND = ("no kernel image", "invalid device function", "ARCH_MISMATCH", "PTX")
_NO_MEMORY = ("out of memory", "ALLOC_FAILED")


@dataclass(frozen=True)
class CudaFacts:
    """What is known of CUDA before it touches a GPU.

    Attributes:
        torch: torch's version.
        torch_cuda: the CUDA that torch is built for; None: built without.
        available: whether torch finds a GPU.
        words: what torch says of why not.
        driver: version of NVIDIA's driver; None where it does not tell.
        driver_cuda: the newest CUDA that it supports; None where it does not tell.
    """

    torch: str
    torch_cuda: str | None
    available: bool
    words: str
    driver: str | None
    driver_cuda: str | None


@dataclass(frozen=True)
class TriedDevice:
    """One of torch's devices, and what came of a small product on it.

    Attributes:
        name: as CUDA knows it.
        uuid: without ``GPU-``; None where torch does not tell.
        capability: its compute capability.
        failure: what went wrong; empty: the product was the CPU's.
    """

    name: str
    uuid: str | None
    capability: str
    failure: str = ""


def check_cuda(device: str, uuids: Sequence[str]) -> None:
    """Refuse a job whose GPUs torch cannot use at all. Call once the environment is set; no GPU is touched yet.

    Args:
        device: ``cuda`` or ``cpu``, on which there is nothing to check.
        uuids: of the leased devices.

    Raises:
        QuantbenchError: none is leased, torch has no CUDA, or the driver is too old for it or in trouble.
    """
    if device != "cuda":
        return
    if not uuids:
        raise QuantbenchError(
            f"the job computes on GPUs and has asked for none; give it some (--set-resources RULE:gpu=1), or {_ON_CPU}"
        )
    found = trouble_with_cuda(_cuda_facts(), uuids)
    if found:
        raise QuantbenchError(found)


def check_devices(device: str, uuids: Sequence[str]) -> None:
    """Refuse a job whose GPUs are not the leased ones or do not multiply. Call just before a model loads.

    A small product is computed on each, for which CUDA takes some memory on each for as long as the process lives: readings of
    who computes there, of memory and of idle power must have begun before.

    Args:
        device: ``cuda`` or ``cpu``, on which there is nothing to check.
        uuids: of the leased devices, in the order of ``CUDA_VISIBLE_DEVICES``.

    Raises:
        QuantbenchError: torch sees others, a product fails or is wrong.
    """
    if device != "cuda":
        return
    import torch

    found = trouble_with_devices(_tried_devices(), uuids, torch.cuda.get_arch_list())
    if found:
        raise QuantbenchError(found)


def trouble_with_cuda(facts: CudaFacts, uuids: Sequence[str]) -> str | None:
    """Why torch cannot use the leased devices, and the ways out; None where it can, as far as this tells."""
    leased = f"{', '.join(uuids)} {'is' if len(uuids) == 1 else 'are'} here"
    supported = _major(facts.driver_cuda)
    if facts.torch_cuda is None:
        return (
            f"{leased} and torch {facts.torch} is built without CUDA: models would load on the CPU. Install a build with CUDA "
            f"({_install(supported or 13)}), or {_ON_CPU}"
        )
    if facts.available:
        return None
    needed = _major(facts.torch_cuda)
    if (supported and needed and supported < needed) or "too old" in facts.words:
        oldest = f" ({_DRIVERS[needed]} or newer)" if needed in _DRIVERS else ""
        older = f", install a torch for the driver's CUDA ({_install(supported)})" if supported in _WHEELS else ""
        return (
            f"{leased}, and NVIDIA's driver {facts.driver or 'here'} is too old for torch {facts.torch}: the driver supports CUDA "
            f"{facts.driver_cuda or 'of an older version'}, torch is built for CUDA {facts.torch_cuda}. Install a newer driver"
            f"{oldest}{older}, or {_ON_CPU}"
        )
    return (
        f"{leased}, and torch {facts.torch} finds no GPU: {facts.words or 'it says no reason'}. NVIDIA's driver is "
        f"{facts.driver or 'unknown'} for CUDA {facts.driver_cuda or 'unknown'}, torch is built for CUDA {facts.torch_cuda}; see "
        f"what nvidia-smi says, restart the machine, or {_ON_CPU}"
    )


def trouble_with_devices(
    tried: Sequence[TriedDevice], uuids: Sequence[str], architectures: Sequence[str]
) -> str | None:
    """What is wrong with torch's devices, and the next step; None: they are the leased ones and compute.

    Args:
        tried: torch's devices in its order.
        uuids: of the leased devices in the same order.
        architectures: what torch is built for, such as ``sm_90``.
    """
    seen = [one.uuid for one in tried]
    # CUDA may know a slice by its GPU's UUID.
    whole = not any(map(is_slice, uuids))
    others = [one for one, leased in zip(seen, uuids, strict=False) if one and one not in leased.lower()]
    if len(tried) != len(uuids) or (whole and others):
        listed = ", ".join(f"{one.name} ({one.uuid or 'no UUID'})" for one in tried) or "none"
        return (
            f"leased are {', '.join(uuids)} and CUDA sees {listed}: a device was lost or reset since, or something else narrows them "
            "(a container, another CUDA_VISIBLE_DEVICES); see what nvidia-smi -L says, and start again"
        )
    for one, uuid in zip(tried, uuids, strict=True):
        if one.failure:
            return _failure(one, uuid, architectures)
    return None


def _failure(one: TriedDevice, uuid: str, architectures: Sequence[str]) -> str:
    where = f"{one.name} ({uuid}, compute capability {one.capability})"
    if any(words in one.failure for words in _WRONG_KIND):
        return (
            f"torch is not built for {where}: it knows {', '.join(architectures) or 'no GPU'} ({one.failure}). Install a build for this "
            f"GPU (an older torch for older GPUs, the newest for newer ones), name others in CUDA_VISIBLE_DEVICES, or {_ON_CPU}"
        )
    if any(words in one.failure for words in _NO_MEMORY):
        others = ", ".join(foreign_processes(uuid)) or "processes that NVML does not name"
        return (
            f"{where} has no memory left even for CUDA itself; it is used by {others}. Wait for them, or name other GPUs in "
            "CUDA_VISIBLE_DEVICES"
        )
    return (
        f"{where} does not compute: {one.failure}. See what nvidia-smi -q says of its errors, restart the machine, name other GPUs in "
        f"CUDA_VISIBLE_DEVICES, or {_ON_CPU}"
    )


def _cuda_facts() -> CudaFacts:
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.version.cuda is not None and torch.cuda.is_available()
    words = next((_first_line(str(one.message)) for one in reversed(said) if "CUDA" in str(one.message)), "")
    return CudaFacts(
        torch=torch.__version__,
        torch_cuda=torch.version.cuda,
        available=available,
        words=words,
        driver=driver_version(),
        driver_cuda=cuda_of_driver(),
    )


def _tried_devices() -> list[TriedDevice]:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a device that torch is not built for, which is said in a better place
        return [_tried(f"cuda:{index}") for index in range(torch.cuda.device_count())]


def _tried(device: str) -> TriedDevice:
    import torch

    try:
        facts = torch.cuda.get_device_properties(device)
    except Exception as error:  # torch has errors of several kinds for a CUDA that does not start
        return TriedDevice(device, None, "unknown", _first_line(str(error)) or type(error).__name__)
    uuid = getattr(facts, "uuid", None)
    return TriedDevice(
        name=str(facts.name),
        uuid=None if uuid is None else str(uuid).lower(),
        capability=f"{facts.major}.{facts.minor}",
        failure=_multiply(device),
    )


def _multiply(device: str) -> str:
    """What goes wrong with a sum and a product of small whole numbers on a device; empty where they are the CPU's."""
    import torch

    # Sum and product come from two libraries, each built for kinds of GPU of its own.
    left, right = torch.arange(64.0).reshape(8, 8), torch.eye(8) * 2
    try:
        found = ((left.to(device) + 1) @ right.to(device)).cpu()
    except Exception as error:  # likewise
        return _first_line(str(error)) or type(error).__name__
    return "" if torch.equal(found, (left + 1) @ right) else "a product differs from the CPU's"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def _major(version: str | None) -> int | None:
    return int(version.split(".")[0]) if version else None


def _install(major: int | None) -> str:
    wheels = _WHEELS.get(major or 0, _WHEELS[max(_WHEELS)])
    return f"pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/{wheels}"
