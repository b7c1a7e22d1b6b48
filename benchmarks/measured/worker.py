"""The process that measures: ``python -m benchmarks.measured.worker TASK RECORDS STEP...`` (:mod:`benchmarks.watched`).

A step is ``copy``, a cell by its folder, such a cell with another engine (``single:qwen2.5-7b/...``), or ``peers:`` and a cell.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.watched import Record, take_steps

from quantbench.config.settings import merged
from quantbench.contracts.cell_name import Cell, parse_folder
from quantbench.devices.runtime import set_environment

from .plain_cells import PlainRun
from .rows import quality, row
from .sets import MeasuredSet, measured_set, setting

COPY, PEERS = "copy", "peers"
Steps = tuple[str, Sequence[Record]]


class Measuring:
    """Takes the steps of one set in this process."""

    def __init__(self, jobs: MeasuredSet, device: str, folder: Path) -> None:
        self._jobs, self._device, self._folder = jobs, device, folder

    def __call__(self, step: str) -> Steps:
        """Take one step."""
        if step == COPY:
            return self._copy()
        kind, _, name = step.rpartition(":")
        cell = parse_folder(name)
        return self._peers(cell) if kind == PEERS else self._cell(cell, kind)

    def _copy(self) -> Steps:
        from quantbench.models.out_of_memory import release

        from .bandwidth import copy_bytes_per_s

        found = copy_bytes_per_s(self._device)
        release()
        return f"{found / 1e9:.0f} GB/s", [{"kind": "copy", "copy_bytes_per_s": found}]

    def _cell(self, cell: Cell, engine: str) -> Steps:
        """Run a cell; with another engine than the set's, only how fast it answered is kept."""
        stated = {"inference": {"engine": engine}} if engine else {}
        run = PlainRun(merged(self._jobs.config, stated), self._folder)
        if not (self._folder / "datasets" / cell.dataset / "samples.jsonl").exists():
            run.prepare(cell.dataset)
        outputs = run.infer(cell.folder, engine + cell.folder, 1 if self._device == "cuda" else 0)
        answered = quality(cell, outputs)
        words = f"{answered['tokens_per_s']:.0f} tokens/s"
        if engine:
            return words, [{"kind": "engine", "engine": engine, **answered}]
        measured = row(self._jobs.catalogue(self._folder), cell, outputs)
        return words, [{"kind": "row", **measured}, {"kind": "quality", **answered}]

    def _peers(self, cell: Cell) -> Steps:
        """A bare ``generate`` loop and lm-evaluation-harness on the model of a cell."""
        from quantbench.engine.batches import Request
        from quantbench.models.loading import load_model
        from quantbench.models.random_weights import SPECIAL_TOKENS
        from quantbench.models.synthetic_tokenizer import SyntheticTokenizer

        from .peers import harness_version, peers_tokens_per_s

        catalogue = self._jobs.catalogue(self._folder)
        planned, count = setting(catalogue, cell), catalogue.run.limit or 1
        draw, vocabulary = random.Random(catalogue.run.seed), planned.facts.vocab_size
        words, tokens = range(SPECIAL_TOKENS, vocabulary), planned.workload.prompt_tokens
        asked = [Request(str(number), "", draw.choices(words, k=tokens)) for number in range(count)]
        tokenizer = SyntheticTokenizer(vocabulary)
        loaded = load_model(Path(), planned.model, planned.precision, tokenizer, self._device)
        found = peers_tokens_per_s(loaded, asked, asked[: max(1, count // 4)], planned.workload.new_tokens)
        said = ", ".join(
            f"{name} {rate:.0f}" if isinstance(rate, float) else f"{name} {rate}" for name, rate in found.items()
        )
        return said, [{"kind": "peers", "lm_eval_version": harness_version(), **found}]


def main(task: str, records: str, *steps: str) -> None:
    """Take the named steps; the task names set, device, UUIDs, threads and the folder to work in."""
    asked = json.loads(Path(task).read_text(encoding="utf-8"))
    set_environment(asked["threads"], asked["device"], asked["uuids"])
    folder = Path(asked["folder"])
    os.chdir(folder)  # where the set's own models stand
    jobs = measured_set(asked["set"], asked["device"], asked["threads"])
    take_steps(Path(records), steps, Measuring(jobs, asked["device"], folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
