"""The planner's formulas against peaks traced by the models' own code (docs/memory.md): every device within 0.1%.

``tests/data/traced_peaks.csv`` holds bytes of each device at its peak, traced at full size with the pinned libraries; blocks and peaks are
joined by ``+``. Some rows are traced again here, so that the table cannot outlive what it was made from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantbench.planner import GPUS, Placement, Setting, Workload, plan_memory

TABLE = Path(__file__).parents[2] / "data/traced_peaks.csv"
AGAIN = [("qwen2.5-3b", "w4a16", 997, 1), ("qwen2.5-7b", "full", 200, 4), ("qwen2.5-3b", "w8a16", 1000, 1)]


@dataclass(frozen=True)
class Traced:
    """One row of the table."""

    model: str
    precision: str
    work: Workload
    gpu: str
    placement: Placement | None
    peaks: list[int]

    def __str__(self) -> str:
        work = self.work
        return f"{self.model}-{self.precision}-{work.prompt_tokens}+{work.new_tokens}x{work.batch}x{work.chains}/{work.devices}"


def traced() -> list[Traced]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [read(row) for row in csv.DictReader(file)]


def read(row: dict[str, str]) -> Traced:
    names = ("prompt_tokens", "new_tokens", "batch", "shared_tokens", "chains")
    peaks = [int(peak) for peak in row["peaks"].split("+")]
    placement = None
    if row["blocks"]:
        blocks = tuple(device for device, count in enumerate(row["blocks"].split("+")) for _ in range(int(count)))
        placement = Placement(0, blocks, 0 if row["model"] == "qwen2.5-3b" else len(peaks) - 1)  # whose head is tied
    work = Workload(**{name: int(row[name]) for name in names}, devices=len(peaks))
    return Traced(row["model"], row["precision"], work, row["gpu"], placement, peaks)


def test_every_device_is_planned_within_a_thousandth(catalogue) -> None:
    rows = traced()
    assert len({row.model for row in rows}) >= 6
    far = {}
    for row in rows:
        setting = Setting(catalogue.models[row.model], catalogue.precisions[row.precision], row.work, gpu=GPUS[row.gpu])
        plan = plan_memory(setting, row.placement)
        for index, (device, peak) in enumerate(zip(plan.devices, row.peaks, strict=True)):
            error = device.peak_bytes / peak - 1
            # Where a device holds next to nothing that grows, such as a tied embedding alone, 3 MiB are more.
            if abs(error) > 0.001 and abs(device.peak_bytes - peak) > 3 * 2**20:
                far[f"{row}, device {index}"] = f"{error:+.3%}"
        error = plan.peak_bytes / sum(row.peaks) - 1
        if abs(error) > 0.001:
            far[str(row)] = f"{error:+.3%}"
    assert not far


@pytest.mark.parametrize(("model", "precision", "tokens", "devices"), AGAIN)
def test_the_table_is_what_a_trace_says_today(catalogue, model: str, precision: str, tokens: int, devices: int) -> None:
    pytest.importorskip("torch")
    from quantbench.tracing.engine_walk import Use
    from quantbench.tracing.peak_trace import trace

    row = next(
        row
        for row in traced()
        if (row.model, row.precision, row.work.prompt_tokens, row.work.devices) == (model, precision, tokens, devices)
    )
    found = trace(catalogue.models[model], catalogue.precisions[precision], Use.of(row.work), row.placement, row.gpu)
    assert [moment.bytes for moment in found.peaks] == pytest.approx(row.peaks, rel=1e-4)
