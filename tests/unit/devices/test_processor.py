"""Which number formats a processor multiplies: by its flags, by what torch is told to leave unused, else by timing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.devices.processor import _is_fast, _product_seconds, from_cpuinfo, from_sysctl, this_processor

# First processors of /proc/cpuinfo, flags cut to those of vectors and matrices.
SAPPHIRE_RAPIDS = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 143
model name\t: Intel(R) Xeon(R) Platinum 8480+
stepping\t: 8
flags\t\t: fpu sse4_2 avx f16c avx2 avx512f avx512bw avx512vl avx_vnni avx512_bf16 avx512_vnni amx_bf16 avx512_fp16 amx_tile amx_int8
"""
ZEN_4 = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 97
model name\t: AMD Ryzen 9 7950X 16-Core Processor
flags\t\t: fpu sse4_2 avx f16c avx2 avx512f avx512dq avx512bw avx512vl avx512_bf16 avx512_vnni

processor\t: 1
"""
SKYLAKE = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 85
model name\t: Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz
flags\t\t: fpu sse4_2 avx f16c avx2 avx512f avx512dq avx512cd avx512bw avx512vl
"""
HASWELL = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 60
model name\t: Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz
flags\t\t: fpu sse4_2 avx f16c avx2 fma bmi1 bmi2
"""
GRAVITON_3 = """processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd aes fphp asimdhp asimddp sve i8mm bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd40
"""
RASPBERRY_PI_4 = GRAVITON_3.replace("fphp asimdhp asimddp sve i8mm bf16", "crc32").replace("0xd40", "0xd08")
EMULATED = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@pytest.mark.parametrize(
    ("text", "machine", "bfloat16", "float16"),
    [
        (SAPPHIRE_RAPIDS, "x86_64", True, True),
        (ZEN_4, "x86_64", True, False),
        (SKYLAKE, "x86_64", False, False),
        (HASWELL, "x86_64", False, False),
        (GRAVITON_3, "aarch64", None, None),  # it can; whether torch was built for it, only timing tells
        (RASPBERRY_PI_4, "aarch64", False, False),
        ("", "riscv64", None, None),
    ],
)
def test_flags_tell_what_is_multiplied(text: str, machine: str, bfloat16: bool | None, float16: bool | None) -> None:
    found = from_cpuinfo(text, machine)
    assert (found.multiplies("bfloat16", {}), found.multiplies("float16", {})) == (bfloat16, float16)
    assert found.multiplies("float32", {}) is True


@pytest.mark.parametrize(
    ("facts", "machine", "bfloat16"),
    [
        ({"machdep.cpu.brand_string": "Apple M2", "hw.optional.arm.FEAT_BF16": "1"}, "arm64", None),
        ({"machdep.cpu.brand_string": "Apple M1", "hw.optional.arm.FEAT_BF16": "0"}, "arm64", False),
        ({"machdep.cpu.brand_string": "Intel(R) Core(TM) i7-1068NG7 CPU", "machdep.cpu.family": "6"}, "x86_64", False),
    ],
)
def test_macos_tells_by_sysctl(facts: dict[str, str], machine: str, bfloat16: bool | None) -> None:
    found = from_sysctl(facts, machine)
    assert found.multiplies("bfloat16", {}) is bfloat16
    assert found.name == facts["machdep.cpu.brand_string"]


@pytest.mark.parametrize(
    ("environment", "bfloat16", "float16"),
    [
        ({"ATEN_CPU_CAPABILITY": "avx2"}, False, False),
        ({"ATEN_CPU_CAPABILITY": "avx512"}, True, True),
        ({"ONEDNN_MAX_CPU_ISA": "avx512_core_vnni"}, False, False),
        ({"DNNL_MAX_CPU_ISA": "AVX512_CORE_BF16"}, True, False),
        ({"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_AMX"}, True, True),
        ({"ONEDNN_MAX_CPU_ISA": "ALL"}, True, True),
    ],
)
def test_what_torch_is_told_to_leave_unused_does_not_count(
    environment: dict[str, str], bfloat16: bool, float16: bool
) -> None:
    found = from_cpuinfo(SAPPHIRE_RAPIDS, "x86_64")
    assert (found.multiplies("bfloat16", environment), found.multiplies("float16", environment)) == (bfloat16, float16)


def test_a_processor_is_named_with_its_kind() -> None:
    assert str(from_cpuinfo(ZEN_4, "x86_64")) == (
        "AMD Ryzen 9 7950X 16-Core Processor (AuthenticAMD family 25 model 97), avx512_bf16"
    )
    assert str(from_cpuinfo(GRAVITON_3, "aarch64")) == "aarch64 (implementer 0x41 part 0xd40), asimdhp bf16"
    assert str(this_processor())


_FORMATS = """
import json
from pathlib import Path
from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.models.loading import load_model
from quantbench.models.number_formats import number_formats
from quantbench.models.tokenizing import load_tokenizer
from quantbench.models.weight_sizes import weight_bytes
model = read_entries(Path("config/models"), ModelEntry)["tiny-xs"]
found = {}
for name, precision in read_entries(Path("config/precisions"), PrecisionEntry).items():
    if name in {"full", "w8a16", "w4a16"}:
        formats = number_formats(model, precision, "cpu")
        folder = Path(model.folder)
        loaded = load_model(folder, model, precision, load_tokenizer(folder), "cpu")
        sizes = [weight_bytes(loaded.model, formats.stored), weight_bytes(loaded.model)]
        found[name] = {"dtype": loaded.applied.dtype, "of": formats.stored, "bytes": sizes}
        found[name]["compute"] = loaded.applied.settings.get("bnb_4bit_compute_dtype")
print(json.dumps(found))
"""


def _loaded(repository: Path, environment: dict[str, str]) -> dict[str, dict[str, object]]:
    """What the demo's smallest model is computed in at three precisions, in a process of its own."""
    full = {**os.environ, "TORCHDYNAMO_DISABLE": "1", **environment}
    answer = subprocess.run(
        [sys.executable, "-c", _FORMATS], cwd=repository, env=full, capture_output=True, text=True, check=True
    )
    return dict(json.loads(answer.stdout.splitlines()[-1]))


def test_a_processor_without_16_bit_products_computes_in_float32_and_reports_the_same_bytes(repository: Path) -> None:
    """torch is told to behave as on an AVX2 processor: float32 throughout, and the memory column of the files."""
    old, here = _loaded(repository, EMULATED), _loaded(repository, {})
    for name, cell in old.items():
        assert (cell["dtype"], cell["of"]) == ("float32", "bfloat16")
        assert cell["compute"] == ("float32" if name == "w4a16" else None)
        assert cell["bytes"][0] == here[name]["bytes"][0] < cell["bytes"][1]
    native = this_processor().multiplies("bfloat16", os.environ)
    if native is not None:
        assert {cell["dtype"] for cell in here.values()} == {"bfloat16" if native else "float32"}


@pytest.mark.parametrize(
    ("seconds", "float32_seconds", "fast"),
    [
        ([0.030, 0.031, 0.400], [0.002, 0.002, 0.300], False),  # scalar code, AVX2
        ([0.001, 0.090, 0.001], [0.006, 0.005, 0.090], True),  # AMX, beside others' work
        ([0.008, 0.009, 0.009], [0.004, 0.005, 0.005], True),
        ([0.025, 0.100, 0.024], [0.100, 0.004, 0.090], False),  # float32 was disturbed in two of three
    ],
)
def test_a_format_is_fast_by_its_best_product_against_the_best_in_float32(
    seconds: list[float], float32_seconds: list[float], fast: bool
) -> None:
    assert _is_fast(seconds, float32_seconds) is fast


def test_products_are_timed_in_both_formats_as_often() -> None:
    seconds, float32_seconds = _product_seconds("bfloat16")
    assert len(seconds) == len(float32_seconds) >= 3
    assert min(*seconds, *float32_seconds) > 0
