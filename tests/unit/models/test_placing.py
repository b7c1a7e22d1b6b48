"""Placing a model by the free memory of its GPUs, and refusing it before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.measurements import Process
from quantbench.errors import ModelError
from quantbench.measure.memory import DeviceMemory
from quantbench.models.placing import LeasedGpu, parts_of, placed
from quantbench.planner import GIB, Placement, Setting, Workload, plan_memory

REPOSITORY = Path(__file__).parents[3]
MODEL = read_entries(REPOSITORY / "config/models", ModelEntry)["qwen2.5-32b"]


@pytest.fixture
def full(precisions: dict[str, PrecisionEntry]) -> PrecisionEntry:
    return precisions["full"]


def gpus(*free_gib: float, others: tuple[Process, ...] = ()) -> list[LeasedGpu]:
    return [
        LeasedGpu(f"GPU-{index}", DeviceMemory(int(free * GIB), 40 * GIB), others if index == 0 else ())
        for index, free in enumerate(free_gib)
    ]


def setting(precision: PrecisionEntry, devices: int, batch: int = 1) -> Setting:
    return Setting(MODEL, precision, Workload(prompt_tokens=1000, new_tokens=100, batch=batch, devices=devices))


def test_what_fits_is_placed_without_a_word(full: PrecisionEntry, capsys: pytest.CaptureFixture[str]) -> None:
    found = placed("cell", gpus(39, 39), setting(full, 2, batch=2), setting(full, 2))
    assert (found.embedding, found.head, len(found.blocks)) == (0, 1, 64)
    assert capsys.readouterr().err == ""


def test_blocks_go_where_memory_is_free(full: PrecisionEntry) -> None:
    """A neighbour holds half of the first GPU: more blocks go to the second, which would not be by equal parts."""
    even, uneven = (placed("cell", gpus(*free), *[setting(full, 2)] * 2) for free in ((60, 60), (25, 60)))
    assert even.blocks.count(0) > 24
    plan = plan_memory(setting(full, 2), uneven)
    assert plan.devices[0].peak_bytes <= 25 * GIB
    assert plan.devices[1].peak_bytes > 36 * GIB


def test_what_does_not_fit_is_refused_with_numbers_and_holders(full: PrecisionEntry) -> None:
    holder = (Process(pid=4711, name="python", used_bytes=30 * GIB), Process(pid=5, name="other", used_bytes=None))
    with pytest.raises(ModelError) as refused:
        placed("qwen full", gpus(9.5, 39, others=holder), *[setting(full, 2)] * 2)
    said = str(refused.value)
    assert said.startswith(
        "qwen full: the free memory of 2 GPUs does not hold it, with one sample at a time; nothing was loaded"
    )
    assert "GPU 0 (GPU-0) has 9.50 of 40.0 GiB free and needs 3" in said
    assert "while process 4711 (python) holds 30.0, process 5 (other) computes there; GPU 1 (GPU-1) has 39.00" in said
    for way_out in ("CUDA_VISIBLE_DEVICES", "gpu=N", "hardware.gpu_memory_gib", "smaller precision"):
        assert way_out in said


def test_batches_too_large_are_loaded_and_said(full: PrecisionEntry, capsys: pytest.CaptureFixture[str]) -> None:
    found = placed("qwen full", gpus(36, 36), setting(full, 2, batch=64), setting(full, 2))
    assert len(found.blocks) == 64
    said = capsys.readouterr().err
    assert said.startswith("qwen full: the largest batches do not fit")
    assert "inference.token_budget" in said


@pytest.mark.parametrize(
    ("placement", "held"),
    [
        (Placement(0, (0, 0, 1), 1), ["embedding, blocks 0 to 1", "block 2, head"]),
        (Placement(0, (1, 1, 1), 0), ["embedding, head", "blocks 0 to 2"]),
        (Placement(0, (0, 0, 0), 0), ["embedding, blocks 0 to 2, head", "nothing"]),
    ],
)
def test_placements_are_readable(placement: Placement, held: list[str]) -> None:
    assert [part.holds for part in parts_of(placement, ["GPU-a", "GPU-b"])] == held
