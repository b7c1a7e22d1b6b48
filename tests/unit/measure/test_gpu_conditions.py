"""Clocks and reasons: what the real pynvml makes of a library that answers as a file says, and what it makes of refusals."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.contracts.measurements import GpuCondition, GpuConditions
from quantbench.measure.gpu_conditions import ConditionWatch, clocked_down, gpu_conditions

# A stand-in for libnvidia-ml.so.1. GPU-1 answers all; of a part of a GPU (MIG-1), NVML tells only the memory clock here.
LIBRARY = r"""
#include <string.h>
static char gpu[] = "GPU-1", mig[] = "MIG-1";
static int refused(void *h) { return h == mig ? 3 : 0; }
int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return 0; }
const char *nvmlErrorString(int code) { return "Not Supported"; }
int nvmlDeviceGetHandleByUUID(const char *uuid, void **h) {
  *h = !strcmp(uuid, gpu) ? gpu : !strcmp(uuid, mig) ? mig : 0; return *h ? 0 : 6; }
int nvmlDeviceGetClockInfo(void *h, unsigned kind, unsigned *mhz) {
  if (kind == 1 && refused(h)) return 3;
  *mhz = kind == 1 ? 1410 : 1593; return 0; }
int nvmlDeviceGetEnforcedPowerLimit(void *h, unsigned *mw) { *mw = 350500; return refused(h); }
int nvmlDeviceGetTemperature(void *h, unsigned sensor, unsigned *c) { *c = 61; return refused(h); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void *h, unsigned long long *bits) { *bits = 0x4 | 0x40; return refused(h); }
"""
SHOW = """
from quantbench.measure.gpu_conditions import gpu_conditions
print([one.model_dump() for one in gpu_conditions(["GPU-1", "MIG-1"])])
print(gpu_conditions(["GPU-2"]))
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler is here")
def test_the_drivers_own_interface_is_read(tmp_path: Path) -> None:
    """Through pynvml itself, of a driver that knows the reasons by their old name."""
    (tmp_path / "nvml.c").write_text(LIBRARY)
    library = tmp_path / "libnvidia-ml.so.1"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1", "-o", library, tmp_path / "nvml.c"], check=True
    )
    environment = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, text=True, env=environment, timeout=60, check=True
    )
    whole = GpuCondition(
        uuid="GPU-1",
        sm_clock_mhz=1410,
        memory_clock_mhz=1593,
        power_limit_w=350.5,
        temperature_c=61,
        clock_reasons=["power cap", "hardware thermal slowdown"],
    )
    part = dict.fromkeys(GpuCondition.model_fields) | {"uuid": "MIG-1", "memory_clock_mhz": 1593}
    assert found.stdout.splitlines() == [str([whole.model_dump(), part]), "[]"]


def condition(*reasons: str) -> GpuCondition:
    return GpuCondition(
        uuid="GPU-1",
        sm_clock_mhz=1410,
        memory_clock_mhz=1593,
        power_limit_w=400,
        temperature_c=60,
        clock_reasons=list(reasons),
    )


def test_heat_and_power_brakes_clock_a_gpu_down_and_a_full_power_budget_does_not() -> None:
    calm = GpuConditions(before=[condition("idle")], after=[condition("power cap"), condition()])
    hot = GpuConditions(
        before=[condition("software thermal slowdown")],
        after=[condition("power cap", "hardware power brake"), condition("hardware power brake")],
    )
    assert clocked_down(calm) == clocked_down(None) == []
    assert clocked_down(hot) == ["hardware power brake", "software thermal slowdown"]


def test_without_gpus_or_without_nvml_there_is_nothing_to_tell() -> None:
    assert ConditionWatch([]).record() is None
    assert gpu_conditions(["GPU-of-no-machine"]) == []
    assert ConditionWatch(["GPU-of-no-machine"]).record() is None
