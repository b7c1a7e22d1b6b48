"""What jobs ask for, what retries add, and which cells are refused or left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quantbench.config import Catalogue
from quantbench.contracts.cell_name import Cell
from quantbench.devices import SeenGpus
from quantbench.devices.processor import Processor
from quantbench.errors import ConfigError
from quantbench.planner import (
    GPUS,
    CellRequest,
    Requests,
    Setting,
    Workload,
    cell_setting,
    cell_time,
    cell_work,
    fitting,
    gpus_asked_for,
    remarks,
)
from quantbench.planner.fitting import fits
from quantbench.planner.terms import kv_cache
from quantbench.study.grid import run_cells
from quantbench.study.spec import CellSpec, cell_spec, cell_specs

LARGE = Cell("qwen2.5-72b", "full", "medqa", "instruction", 0)
SMALL = Cell("qwen2.5-3b", "w4a16", "medqa", "instruction", 0)


class Planned:
    """The requests of a configuration, asked for by cell."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.requests, self.catalogue = Requests(catalogue.run.hardware), catalogue

    def specs(self, *cells: Cell) -> list[CellSpec]:
        return list(cell_specs(self.catalogue, cells).values())

    def request(self, cell: Cell, attempt: int = 1) -> CellRequest:
        return self.requests.request(cell_spec(self.catalogue, cell), attempt)

    def remarks(self, wanted: list[Cell], kept: list[Cell], offered: int | None) -> list[str]:
        return remarks(self.requests, self.specs(*wanted), self.specs(*kept), offered)

    def fitting(self, *cells: Cell) -> list[Cell]:
        return [spec.cell for spec in fitting(self.requests, self.specs(*cells))]


def test_every_configured_cell_fits_on_what_it_asks_for(make) -> None:
    catalogue = make()
    requests = Planned(catalogue)
    for cell in run_cells(catalogue):
        devices = requests.request(cell).gpu
        for alone in (True, False):
            assert fits(cell_setting(cell_spec(catalogue, cell), devices, alone=alone), 80), cell


def test_a_retry_asks_for_more_time_and_memory_and_where_it_is_tight_for_a_gpu(make) -> None:
    requests = Planned(make())
    first, second = requests.request(LARGE), requests.request(LARGE, attempt=2)
    assert second.mem_mb == 2 * first.mem_mb
    assert second.runtime == 2 * first.runtime
    assert requests.request(SMALL, attempt=3).gpu == 1
    cells = run_cells(make())
    grown = [cell for cell in cells if requests.request(cell, 3).gpu > requests.request(cell).gpu]
    assert 0 < len(grown) < len(cells)


def test_a_retry_asks_for_no_more_gpus_than_a_node_has(make) -> None:
    free, bound = (Planned(make(hardware={"gpu_memory_gib": 80, "gpus": gpus})) for gpus in (None, 2))
    cells = run_cells(make())
    assert max(free.request(cell, 3).gpu for cell in cells) > 2
    assert max(bound.request(cell, 3).gpu for cell in cells) == 2


def test_a_job_asks_for_no_more_time_than_the_cluster_allows(make) -> None:
    requests = Planned(make(hardware={"gpu_memory_gib": 80, "runtime_limit_hours": 0.5}))
    assert requests.request(LARGE, attempt=3).runtime == 30


def test_on_cpu_no_gpu_is_asked_for_and_memory_follows_the_model(make) -> None:
    requests = Planned(make(hardware={"device": "cpu"}))
    large, small = requests.request(LARGE), requests.request(SMALL)
    assert (large.gpu, large.gres) == (0, None)
    assert large.mem_mb > 2 * 145_000 > 20_000 > small.mem_mb > 2000


def test_on_a_processor_that_emulates_the_format_memory_is_asked_for_in_float32(make, monkeypatch) -> None:
    catalogue, asked = make(hardware={"device": "cpu"}), {}
    for kind, flags in {"bf16": {"avx512_bf16"}, "avx2": set(), "unknown": None}.items():
        found = Processor("", "", True, None if flags is None else frozenset(flags))
        monkeypatch.setattr("quantbench.planner.job_resources.this_processor", lambda found=found: found)
        asked[kind] = Planned(catalogue).request(LARGE).mem_mb
    assert asked["avx2"] == asked["unknown"] > asked["bf16"] + 2 * 2 * 70_000


def test_generic_resources_take_the_place_of_gpus(make) -> None:
    request = Planned(make(hardware={"gpu_memory_gib": 80, "gres": "gpu:a100"})).request(LARGE)
    assert (request.gpu, request.gres) == (0, "gpu:a100:2")
    assert gpus_asked_for({"gpu": 0, "gres": "gpu:a100:2"}) == 2
    assert gpus_asked_for({"gpu": 3}) == 3
    assert gpus_asked_for({}) == 0


def test_longer_cells_come_first(make) -> None:
    requests = Planned(make())
    chemprot = Cell("qwen2.5-72b", "full", "chemprot", "instruction", 0)
    assert (
        requests.requests.priority(cell_spec(make(), chemprot))
        > requests.requests.priority(cell_spec(make(), LARGE))
        > requests.requests.priority(cell_spec(make(), SMALL))
        >= 1
    )


def without_thoughts(catalogue: Catalogue) -> Catalogue:
    """The same run of models that do not think."""
    none = {"reasoning": None, "reasoning_tokens": 0}
    return replace(catalogue, models={name: entry.model_copy(update=none) for name, entry in catalogue.models.items()})


@pytest.mark.parametrize("engine", ["single", "static"])
def test_thoughts_take_time_and_memory_of_their_own_model_alone(make, engine: str) -> None:
    settings = {"hardware": {"device": "cpu"}, "inference": {"engine": engine, "max_batch_size": 2}}
    thinking = make(**settings)
    now, before = Planned(thinking), Planned(without_thoughts(thinking))
    more = 0
    for cell in run_cells(thinking):
        asked, other = now.request(cell), before.request(cell)
        if cell.model != "huatuogpt-o1-70b":
            assert asked == other, cell
            continue
        assert asked.runtime > other.runtime, cell
        assert asked.mem_mb >= other.mem_mb, cell
        more += asked.mem_mb > other.mem_mb
        assert asked.disk_mb >= other.disk_mb, cell
        hours, shorter = (
            cell_time(cell_spec(each.catalogue, cell), GPUS["h100-80gb"], "gold") for each in (now, before)
        )
        assert hours.measure_s > shorter.measure_s and hours.answer_s > shorter.answer_s
        assert hours.load_s == shorter.load_s
    assert more  # where the cache at the end, not the prompt, decides


def test_the_longest_sequence_holds_its_thought(make) -> None:
    """The cache is planned for 2,000 tokens more, 2 bytes a number."""
    thinking = make(hardware={"device": "cpu"}, inference={"engine": "single"})
    cell = Cell("huatuogpt-o1-70b", "full", "medqa", "instruction", 0)
    facts = thinking.models[cell.model].architecture
    size = facts.hidden_size // facts.attention_heads
    a_token = 2 * facts.layers * facts.key_value_heads * size
    caches = []
    for catalogue in (thinking, without_thoughts(thinking)):
        spec = cell_spec(catalogue, cell)
        load = Workload(cell_work(spec).longest_prompt, cell_work(spec).limit)
        setting = Setting(spec.model, spec.precision, load)
        caches.append(kv_cache(setting, setting.whole, "answer"))
    assert caches[0] - caches[1] == 2 * a_token * 2000


def test_the_gpu_is_stated_or_seen_or_assumed(make, monkeypatch: pytest.MonkeyPatch) -> None:
    def sized(found: float | None) -> Planned:
        monkeypatch.setattr(
            "quantbench.planner.job_resources.seen_gpus", lambda: SeenGpus(found, reason="none is visible here")
        )
        return Planned(make(hardware={"gpu_memory_gib": "auto"}))

    assert (sized(None).requests.gpu_memory_gib, sized(None).requests.gpu_memory_known) == (80, False)
    assert (sized(39.4).requests.gpu_memory_gib, sized(39.4).requests.gpu_memory_known) == (39.4, True)
    assert sized(39.4).requests.gpu.title == "A100 40GB"
    assert any("are assumed" in line for line in sized(None).remarks([LARGE], [LARGE], None))
    assert sized(39.4).remarks([SMALL], [SMALL], None) == []


def test_cells_that_do_not_fit_are_refused_by_name(make) -> None:
    requests = Planned(make(hardware={"gpu_memory_gib": 24, "gpus": 4}))
    assert requests.fitting(LARGE, SMALL) == [LARGE, SMALL]
    with pytest.raises(
        ConfigError, match=r"1 cell does not fit on GPUs of 24 GiB with at most 4 a cell: qwen2.5-72b full"
    ):
        requests.remarks([LARGE, SMALL], [LARGE, SMALL], None)
    with pytest.raises(ConfigError, match="at most 2 a cell"):
        requests.remarks([LARGE, SMALL], [LARGE, SMALL], offered=2)
    # What has left results already needs no GPU.
    assert requests.remarks([LARGE, SMALL], [SMALL], offered=2) == []


def test_cells_that_do_not_fit_are_left_out_where_the_run_says_so(make) -> None:
    requests = Planned(make(hardware={"gpu_memory_gib": 24, "gpus": 1, "unfit": "leave_out"}))
    assert requests.fitting(LARGE, SMALL) == [SMALL]
    (line,) = requests.remarks([LARGE, SMALL], [SMALL], None)
    assert line.startswith(
        "left out: 1 cell does not fit on GPUs of 24 GiB with at most 1 a cell: qwen2.5-72b full (needs "
    )
    with pytest.raises(ConfigError, match="no cell is left to run"):
        requests.fitting(LARGE)


def test_a_size_on_which_not_even_one_layer_fits_is_said(make) -> None:
    requests = Planned(make(hardware={"gpu_memory_gib": 1}))
    assert requests.requests.devices(cell_spec(requests.catalogue, LARGE)) is None
    with pytest.raises(ConfigError, match="on no number of them"):
        requests.remarks([LARGE], [LARGE], None)


def test_leaving_out_needs_a_stated_size(make) -> None:
    with pytest.raises(ConfigError, match="unfit: leave_out needs a number as gpu_memory_gib"):
        make(hardware={"gpu_memory_gib": "auto", "unfit": "leave_out"})
