"""The processor cells compute on where there is no GPU: what it is called, and which 16-bit formats it multiplies.

Without instructions for a 16-bit format torch multiplies by scalar code or converts around every product: 512 x 512 in
bfloat16 took 12 to 85 times as long as in float32 with AVX2, 5 times with AVX-512 alone, and 1/6 with AMX (one thread of a
Sapphire Rapids, ``ONEDNN_MAX_CPU_ISA`` set to each).
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Format = Literal["bfloat16", "float16", "float32"]
FORMATS: tuple[Format, ...] = ("bfloat16", "float16", "float32")

# Flags of instructions that multiply a format. On x86 torch is known to use them; on Arm it depends on how it was built.
_X86: dict[Format, set[str]] = {"bfloat16": {"avx512_bf16", "amx_bf16"}, "float16": {"avx512_fp16", "amx_fp16"}}
_ARM: dict[Format, set[str]] = {"bfloat16": {"bf16"}, "float16": {"asimdhp"}}
# What makes torch and its oneDNN behave as on an older processor. oneDNN reads either of its two names, in any case.
_ATEN_CAPS = {"avx2", "default"}
_ONEDNN_CAPS: dict[Format, set[str]] = {
    "bfloat16": {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI"}
}
_ONEDNN_CAPS["float16"] = _ONEDNN_CAPS["bfloat16"] | {"AVX512_CORE_BF16"}
# Where flags do not tell, a format counts as multiplied in hardware if a product takes at most this many times as long as
# in float32: what is emulated took 5 times and more.
_SLOWER = 2.0
_SIDE, _REPEATS = 512, 7
_SYSCTL = {"hw.optional.arm.FEAT_BF16": "bf16", "hw.optional.arm.FEAT_FP16": "asimdhp"}


@dataclass(frozen=True)
class Processor:
    """One kind of processor.

    Attributes:
        name: as it calls itself.
        microarchitecture: vendor, family and model, or implementer and part: the name alone often says neither.
        x86: whether its instruction set is x86-64.
        flags: its instructions for 16-bit products; None where the system does not tell.
    """

    name: str
    microarchitecture: str
    x86: bool
    flags: frozenset[str] | None

    def multiplies(self, number_format: Format, environment: Mapping[str, str]) -> bool | None:
        """Whether torch multiplies a format in hardware here; None where only timing a product can tell.

        Args:
            number_format: of both factors.
            environment: ``ATEN_CPU_CAPABILITY`` and ``ONEDNN_MAX_CPU_ISA`` make torch treat x86 as an older processor.
        """
        if number_format == "float32":
            return True
        if self.flags is None:
            return None
        if not self.x86:
            return None if self.flags & _ARM[number_format] else False
        onednn = environment.get("ONEDNN_MAX_CPU_ISA") or environment.get("DNNL_MAX_CPU_ISA", "")
        capped = environment.get("ATEN_CPU_CAPABILITY") in _ATEN_CAPS or onednn.upper() in _ONEDNN_CAPS[number_format]
        return bool(self.flags & _X86[number_format]) and not capped

    def __str__(self) -> str:
        """For example ``Intel(R) Xeon(R) Processor (GenuineIntel family 6 model 207), amx_bf16 avx512_bf16``."""
        named = f"{self.name} ({self.microarchitecture})" if self.microarchitecture else self.name
        return f"{named}, {' '.join(sorted(self.flags))}" if self.flags else named


@cache
def this_processor() -> Processor:
    """The processor this process runs on."""
    if platform.system() == "Darwin":
        return from_sysctl(_sysctl(), platform.machine())
    try:
        return from_cpuinfo(Path("/proc/cpuinfo").read_text(), platform.machine())
    except OSError:
        return Processor(platform.processor() or platform.machine(), "", _is_x86(platform.machine()), None)


def from_cpuinfo(text: str, machine: str) -> Processor:
    """Read Linux's ``/proc/cpuinfo``, whose first processor stands for all.

    Args:
        text: its content.
        machine: the instruction set's name, ``x86_64`` or ``aarch64``.
    """
    pairs = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in pairs}
    flags = facts.get("flags") or facts.get("Features")
    if "vendor_id" in facts and "cpu family" in facts:
        kind = f"{facts['vendor_id']} family {facts['cpu family']} model {facts.get('model', '?')}"
    elif "CPU part" in facts:
        kind = f"implementer {facts.get('CPU implementer', '?')} part {facts['CPU part']}"
    else:
        kind = ""
    return Processor(
        facts.get("model name", machine), kind, _is_x86(machine), None if flags is None else _known(flags.split())
    )


def from_sysctl(facts: Mapping[str, str], machine: str) -> Processor:
    """Read what macOS's ``sysctl`` answers, by key. No x86 processor that Apple sold multiplies 16-bit formats."""
    x86 = _is_x86(machine)
    family, model = (facts.get(f"machdep.cpu.{key}") for key in ("family", "model"))
    kind = f"family {family} model {model}" if x86 and family else machine
    flags = {flag for key, flag in _SYSCTL.items() if facts.get(key) == "1"}
    return Processor(facts.get("machdep.cpu.brand_string", machine), kind, x86, frozenset() if x86 else _known(flags))


@cache
def multiplies(number_format: Format) -> bool:
    """Whether torch multiplies a format in hardware on this processor: by its flags, else timed once a process."""
    known = this_processor().multiplies(number_format, os.environ)
    return is_fast(number_format) if known is None else known


def is_fast(number_format: Format) -> bool:
    """Whether torch multiplies 512 x 512 numbers in a format about as fast as in float32, timed on this processor."""
    return _is_fast(*_product_seconds(number_format))


def _is_fast(seconds: list[float], float32_seconds: list[float]) -> bool:
    """Whether a product takes at most twice as long as in float32, the best of each: whatever else runs only adds."""
    return min(seconds) <= _SLOWER * min(float32_seconds)


def _product_seconds(number_format: Format) -> tuple[list[float], list[float]]:
    """Seconds of products in a format and in float32, in turns, so that a busy moment slows both."""
    import torch

    factors = [torch.ones(_SIDE, _SIDE, dtype=getattr(torch, name)) for name in (number_format, "float32")]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(_REPEATS):
        for factor, taken in zip(factors, seconds, strict=True):
            begin = time.perf_counter()
            torch.nn.functional.linear(factor, factor)
            taken.append(time.perf_counter() - begin)
    return seconds


def _known(flags: list[str] | set[str]) -> frozenset[str]:
    return frozenset(flags) & frozenset().union(*_X86.values(), *_ARM.values())


def _is_x86(machine: str) -> bool:
    return machine.lower() in {"x86_64", "amd64", "i686"}


def _sysctl() -> dict[str, str]:
    """What macOS says of its processor; keys that it does not know are left out."""
    keys = ["machdep.cpu.brand_string", "machdep.cpu.family", "machdep.cpu.model", *_SYSCTL]
    try:
        answer = subprocess.run(["sysctl", *keys], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
