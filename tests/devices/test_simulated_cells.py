"""Whole cells of the demo on simulated devices that NVML tells of: the CPU's predictions, and what a GPU's cell measures."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import yaml

from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.progress import Progress
from quantbench.cell.running import run_cell
from quantbench.config import Catalogue, load
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.files import read_json
from quantbench.contracts.records import Prediction, read_records
from quantbench.datasets.preparation import prepare
from quantbench.devices import visible_devices
from quantbench.errors import ModelError
from quantbench.study.spec import cell_spec

from .conftest import SimulatedCuda
from .fake_nvml import FakeMachine

SAMPLES = 4
CELL = Cell("tiny-m", "full", "ddi2013", "instruction", 0)


@dataclass(frozen=True)
class Cells:
    """Runs cells of one prepared dataset, each in a folder of its own."""

    catalogue: Catalogue
    folder: Path

    def run(
        self,
        name: str,
        device: str,
        gpus: int,
        cell: Cell = CELL,
        protocol: dict[str, Any] | None = None,
        **inference: Any,
    ) -> Path:
        """Run a cell; returns the folder of its files."""
        run = self.catalogue.run
        settings = run.model_copy(
            update={
                "inference": run.inference.model_copy(update=inference),
                "protocol": run.protocol.model_copy(update=protocol or {}),
                "hardware": run.hardware.model_copy(update={"device": device}),
            }
        )
        own = self.folder / name
        folders = CellFolders(self.folder / "data", own / "out", own / "progress", self.folder / "leases")
        with mock.patch.dict(os.environ):
            run_cell(cell_spec(replace(self.catalogue, run=settings), cell), folders, gpus)
        return own / "out"


@pytest.fixture(scope="module")
def cells(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    settings = yaml.safe_load((repository / "config/config.yaml").read_text()) | {
        "inference": {"max_batch_size": 3, "max_new_tokens": 5, "self_consistency": {"chains": 2}},
        "measurement": {"latency_samples": 2, "warmup": 1, "fixed_samples": 2, "fixed_new_tokens": 3},
        "hardware": {"threads": 1},
        "data": {"folder": "resources/demo/datasets"},
    }
    catalogue = load(repository, settings, "test")
    # In 16 bits a processor rounds otherwise by the shape of a batch.
    catalogue.models["tiny-m"] = catalogue.models["tiny-m"].model_copy(update={"full_dtype": "float32"})
    folder = tmp_path_factory.mktemp("cells")
    dataset = catalogue.datasets["ddi2013"]
    prepare(dataset, "ddi2013", repository / "resources/demo/datasets/ddi2013", SAMPLES, 0, folder / "data")
    return Cells(catalogue, folder)


@pytest.fixture(scope="module")
def expected(cells: Cells) -> Callable[[Cell], bytes]:
    """The CPU's predictions."""
    known: dict[Cell, bytes] = {}

    def answers(cell: Cell) -> bytes:
        if cell not in known:
            out = cells.run(f"cpu-{cell.prompting}", "cpu", 0, cell)
            known[cell] = (out / "predictions.jsonl").read_bytes()
        return known[cell]

    return answers


@pytest.mark.parametrize(
    ("gpus", "engine", "prompting"),
    [(2, "static", "instruction"), (2, "single", "self_consistency"), (1, "continuous", "instruction")],
)
def test_a_cell_answers_as_on_the_cpu(
    cells: Cells,
    expected: Callable[[Cell], bytes],
    simulated_cuda: SimulatedCuda,
    fake_machine: FakeMachine,
    gpus: int,
    engine: str,
    prompting: str,
) -> None:
    cell = replace(CELL, prompting=prompting)
    answers = expected(cell)
    fake_machine.become("four_a100")
    with simulated_cuda(gpus, 1.5) as machine:
        out = cells.run(f"{engine}-{prompting}", "cuda", gpus, cell, engine=engine)
    assert (out / "predictions.jsonl").read_bytes() == answers
    measured, manifest = read_json(out / "measurements.json"), read_json(out / "manifest.json")
    memory = measured["memory"]
    held, inferred = memory["after_load"]["allocated_bytes"], memory["inference"]["peak_allocated_bytes"]
    assert 12_000_000 < held < inferred <= sum(machine.peak)
    uuids = manifest["device"]["uuids"]
    assert [one["uuid"] for one in memory["placement"]] == uuids
    assert memory["placement"][0]["holds"].startswith("embedding, block")
    assert all("block" in one["holds"] for one in memory["placement"])
    assert [one["uuid"] for one in memory["inference"]["devices"]] == uuids
    assert sum(one["allocated_bytes"] for one in memory["inference"]["devices"]) == inferred
    assert measured["quality_pass"]["attention"] == "sdpa"
    assert manifest["device"]["names"] == ["NVIDIA A100-SXM4-80GB"] * gpus
    assert manifest["precision_applied"]["dtype"] == "float32"
    assert len(measured["latency"]["fixed"]["samples"][0]["token_times_s"]) == 3
    assert all(machine.synchronized)


def test_a_cell_by_the_models_own_settings_goes_on_after_a_kill(
    cells: Cells, simulated_cuda: SimulatedCuda, fake_machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Timed with its answers, and its largest sample answered again for the peak of memory."""
    as_authors = {"decoding": "sampled", "timing": "whole_pass", "temperature": 0.7}
    fake_machine.become("four_a100")
    append, killed = Progress.append, []

    def kill_after_first(self: Progress, answers: Any) -> None:
        append(self, answers)
        if not killed:
            killed.append(answers)
            raise KeyboardInterrupt

    unbroken = cells.run("whole", "cpu", 0, protocol=as_authors, engine="single")
    monkeypatch.setattr(Progress, "append", kill_after_first)
    with simulated_cuda(2, 1.5):
        with pytest.raises(KeyboardInterrupt):
            cells.run("broken", "cuda", 2, protocol=as_authors, engine="single")
        broken = cells.run("broken", "cuda", 2, protocol=as_authors, engine="single")
    answers = [read_records(folder / "predictions.jsonl", Prediction) for folder in (broken, unbroken)]
    assert [one.outputs for one in answers[0]] == [one.outputs for one in answers[1]]
    measured = read_json(broken / "measurements.json")
    assert len(measured["latency"]["samples"]) == SAMPLES
    assert measured["memory"]["inference"]["peak_allocated_bytes"] > measured["memory"]["after_load"]["allocated_bytes"]


def test_continuous_batching_on_two_devices_is_refused(
    cells: Cells, simulated_cuda: SimulatedCuda, fake_machine: FakeMachine
) -> None:
    fake_machine.become("four_a100")
    with (
        simulated_cuda(2, 4.0),
        pytest.raises(
            ModelError, match=r"^tiny-m full on ddi2013 .*: inference.engine 'continuous' needs the model on one GPU"
        ),
    ):
        cells.run("spread", "cuda", 2, engine="continuous")


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (
            (2_000_000, 2_000_000),
            r"the free memory of 2 GPUs does not hold it, .*nothing was loaded: GPU 0 \(GPU-\S+\) has 0\.00 of 1\.5 GiB free and "
            r"needs 0\.\d\d, while process 4711 \(python train\.py\) holds 1\.0; GPU 1",
        ),
        ((12_000_000, 10**9), None),
    ],
)
def test_neighbours_decide_where_a_model_goes_and_whether(
    cells: Cells,
    simulated_cuda: SimulatedCuda,
    fake_machine: FakeMachine,
    free: tuple[int, int],
    words: str | None,
) -> None:
    """Whoever came first holds most of a GPU: the other one gets more blocks, or the cell loads nothing."""
    fake_machine.become("four_a100")
    for uuid in visible_devices():
        fake_machine.add(f'process {uuid} pid=4711 used=1GiB name="python train.py"')
    with simulated_cuda(2, 1.5) as machine:
        others = [
            torch.empty(machine.limits[index] - left, dtype=torch.uint8, device=f"cuda:{index}")
            for index, left in enumerate(free)
        ]
        before = list(machine.live)
        name = f"neighbours-{free[1]}"
        if words:
            with pytest.raises(ModelError, match=words):
                cells.run(name, "cuda", 2)
            assert machine.live == before
        else:
            placed = read_json(cells.run(name, "cuda", 2) / "measurements.json")["memory"]["placement"]
            assert [one["holds"] for one in placed] == ["embedding, head", "blocks 0 to 5"]
        del others


@pytest.mark.parametrize(
    ("begins", "engine", "said"),
    [
        ("models.loading.load_model", "static", "while loading"),
        ("cell.answering.measure", "static", r"while timing single samples \(sample \d+ with a prompt of \d+ tokens\)"),
        ("cell.answering.answer_all", "static", r"while answering \(prompts of up to \d+ tokens\)"),  # what all share
        ("cell.answering.answer_all", "single", r"at batch size 1, sample \d+ with a prompt of \d+ tokens"),
        ("cell.answering.answer_all", "continuous", r"in continuous batching with prompts of up to \d+ tokens"),
    ],
)
def test_memory_that_runs_out_is_a_message(
    cells: Cells,
    simulated_cuda: SimulatedCuda,
    fake_machine: FakeMachine,
    monkeypatch: pytest.MonkeyPatch,
    begins: str,
    engine: str,
    said: str,
) -> None:
    """From the moment that a step begins, a device has room for next to nothing beside what it holds."""
    fake_machine.become("four_a100")
    module, _, name = f"quantbench.{begins}".rpartition(".")
    begin = getattr(import_module(module), name)
    # It asks for what the weights will take, which is less than nothing on so small a device.
    monkeypatch.setattr("transformers.modeling_utils.caching_allocator_warmup", lambda *_, **__: None)
    with simulated_cuda(1, 4.0) as machine:

        def short(*args: Any, **kwargs: Any) -> Any:
            machine.limits[0] = max(machine.live[0], 1_000_000) + 100_000
            return begin(*args, **kwargs)

        monkeypatch.setattr(f"quantbench.{begins}", short)
        with pytest.raises(ModelError) as refused:
            cells.run(f"{engine}-short-of-{name}", "cuda", 1, engine=engine)
        words = str(refused.value)
        del refused
        gc.collect()
        assert machine.live == [0]
    assert words.startswith("tiny-m full on ddi2013 (instruction, 0 shots): ")
    assert re.search(f"out of memory {said}", words), words
    assert "Tried to allocate" in words and "free" in words
