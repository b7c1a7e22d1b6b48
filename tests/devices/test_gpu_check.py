"""The checks of a first run on a GPU, on simulated devices that NVML's fake names: full precision, and memory that runs out."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import bitsandbytes  # noqa: F401 - before devices are simulated, or it looks for its CUDA library
import pytest
import torch
from benchmarks.gpu_checks import cells, machine, peaks, shortage
from benchmarks.gpu_checks.found import Setup
from benchmarks.watched import NotTried

from quantbench.devices import visible_devices

from .conftest import SimulatedCuda
from .fake_nvml import FakeMachine

# What the process of a cell sets for good.
SET = (
    *("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "TRANSFORMERS_VERBOSITY"),
    *("HF_HUB_DISABLE_PROGRESS_BARS", "CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES"),
)


@pytest.fixture
def setup(fake_machine: FakeMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """One GPU of a machine of four, few samples."""
    fake_machine.become("four_a100")
    uuids = visible_devices()[:1]
    for name in SET:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", uuids[0])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # leases of this test's own
    monkeypatch.setattr(torch.version, "cuda", "13.0")  # of the build that would see these GPUs
    return Setup(
        out=tmp_path / "out",
        device="cuda",
        uuids=uuids,
        samples=2,
        new_tokens=6,
        threads=1,
        models=["tiny-m"],
        long_prompts=False,
    )


@pytest.mark.parametrize("kind", ["four_a100", "dgx_spark", "mig_a100", "vgpu"])
def test_what_nvml_refuses_is_named_and_ends_nothing(
    fake_machine: FakeMachine, setup: Setup, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fake_machine.become(kind)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    uuids = visible_devices()[:1]
    found = machine.check_nvml(setup.model_copy(update={"uuids": uuids}))
    assert found.evidence[0].holds
    refused = machine.refusals(uuids[0])
    assert all(reason.split(" (")[0] in found.words for reason in refused)
    assert bool(refused) == (kind != "four_a100")


def test_cells_of_full_precision(setup: Setup, simulated_cuda: SimulatedCuda) -> None:
    with simulated_cuda(1, 4.0) as simulated:
        found = machine.check_cuda(setup)
        assert found.cuda is not None and found.cuda.driver_cuda == "13.0"
        cells.prepare_data(setup)
        for engine in cells.ENGINES:
            (cell,) = cells.run_cell(setup, "full", engine).cells
            assert (cell.samples, cell.engine) == (2, engine)
            assert cell.peak_allocated_bytes is not None and cell.peak_allocated_bytes > cell.weight_bytes
            assert cell.energy_j is not None
        gc.collect()
        assert simulated.live == [0]


def test_peaks_are_measured_beside_the_plan(setup: Setup, simulated_cuda: SimulatedCuda) -> None:
    with simulated_cuda(1, 4.0):
        found = peaks.compare_peaks(setup, "tiny-m", "full")
    assert {one.finding: one.holds for one in found.evidence}["no_offloading"]
    assert [peak.stage for peak in found.peaks] == ["loading", "answering", "answering"]
    for peak in found.peaks:
        assert peak.measured_bytes and peak.device_map
        assert len(peaks.errors(peak)) == 2 and not peaks.is_short(peak)


def test_a_model_over_two_devices_stands_where_it_was_placed(setup: Setup, simulated_cuda: SimulatedCuda) -> None:
    two = setup.model_copy(update={"uuids": all_of_the_machine()[:2]})
    with simulated_cuda(2, 4.0):
        found = peaks.compare_peaks(two, "tiny-m", "full")
    assert {one.finding for one in found.evidence if one.holds} >= {"no_offloading"}
    for peak in found.peaks:
        assert len(peak.planned_bytes) == len(peak.traced_bytes) == len(peak.measured_bytes or []) == 2
        assert {place.removeprefix("cuda:") for place in peak.device_map.values()} == {"0", "1"}


def all_of_the_machine() -> list[str]:
    """The UUIDs that NVML names; both are made visible."""
    from quantbench.measure.nvml import device_uuids

    uuids = device_uuids()
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(uuids[:2])  # the fixture has it set back
    return uuids


def test_no_memory_is_taken_from_others(setup: Setup, simulated_cuda: SimulatedCuda) -> None:
    shared = setup.model_copy(update={"others": ["process 7 (3.0 GiB)"]})
    with simulated_cuda(1, 4.0) as simulated:
        for check in (shortage.while_loading, shortage.while_answering):
            with pytest.raises(NotTried, match=r"process 7 \(3\.0 GiB\)"):
                check(shared)
        assert simulated.peak == [0]


def test_a_lack_of_memory_is_told_and_nothing_held(setup: Setup, simulated_cuda: SimulatedCuda) -> None:
    with simulated_cuda(1, 4.0) as simulated:
        cells.prepare_data(setup)
        loading, answering = shortage.while_loading(setup), shortage.while_answering(setup)
        gc.collect()
        assert simulated.live == [0]
    assert "nothing was loaded: GPU 0" in loading.words
    assert "16 prompts answered" in answering.words
    assert all(one.holds for found in (loading, answering) for one in found.evidence)
