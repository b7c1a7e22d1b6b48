"""A finished run that never ran: every file a cell leaves, with numbers of a realistic size."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from quantbench import tasks
from quantbench.config import Catalogue, DatasetEntry, ModelEntry, load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_parts import LabelEffectRow
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.files import write_json
from quantbench.contracts.likelihood_tables import FlipRow, ReliabilityRow
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.measurements import (
    Energy,
    FixedLengthReadings,
    LatencyReadings,
    Measurements,
    MemoryAfterLoad,
    MemoryPeak,
    MemoryReadings,
    QualityPass,
    TimedAnswer,
)
from quantbench.contracts.records import Prediction, Sample, ScoredAnswer, read_records, write_records
from quantbench.contracts.run_tables import CellRow
from quantbench.contracts.scores import PublishedScore, Scores
from quantbench.planner import GIB, weight_bytes
from quantbench.statistics import Bootstrap, interval_of_counts
from quantbench.study.grid import run_cells, wanted_cells
from quantbench.tables import Judging, cells_table, effects_table
from quantbench.tables.judged_cells import JudgedCells
from quantbench.tables.label_effects import label_effects_table
from quantbench.tasks import published_convention

NOISE = {"full": 0.0, "full-replanned": 0.02, "full-replanned-2": 0.02, "w8a16": 0.03, "w4a16": 0.08}
SLOWNESS = {"full": 1.0, "full-replanned": 1.0, "full-replanned-2": 1.0, "w8a16": 2.5, "w4a16": 1.4}
CUT = {
    "full": 0.0,
    "full-replanned": 0.0,
    "full-replanned-2": 0.0,
    "w8a16": 0.0,
    "w4a16": 0.04,
}  # share of answers cut at the token limit
SHAPES = {"qwen2.5-3b": ("tiny-xs", 64, 2), "qwen2.5-7b": ("tiny-s", 128, 4), "qwen2.5-14b": ("tiny-m", 256, 6)}


@dataclass(frozen=True)
class Run:
    """A simulated run: its configuration, ``results/<run>``, finished cells, and each dataset's ``samples.jsonl``."""

    catalogue: Catalogue
    results: Path
    cells: list[Cell]
    samples: dict[str, Path]


@dataclass(frozen=True)
class Tables:
    """``cells.csv``, ``precision_effects.csv`` and ``label_effects.csv`` of a run, and what figures show of log-probabilities."""

    cells: list[CellRow]
    effects: list[EffectRow]
    labels: list[LabelEffectRow] = field(default_factory=list)
    reliability: tuple[ReliabilityRow, ...] = ()
    flips: tuple[FlipRow, ...] = ()


def tables_of(run: Run, cells: list[Cell] | None = None) -> Tables:
    """The tables of a simulated run, or of some of its cells."""
    chosen = run.cells if cells is None else cells
    words, effects = run.catalogue.vocabulary, effects_of(run, chosen)
    labels = label_effects_table(JudgedCells(words, run.results), effects, _bootstrap(run))
    return Tables(cells_table(words, run.results, chosen), effects, labels)


def effects_of(run: Run, cells: list[Cell]) -> list[EffectRow]:
    """The comparisons of some cells of a simulated run."""
    judging = Judging(run.catalogue.run.comparison, _bootstrap(run))
    return effects_table(run.catalogue.vocabulary, run.results, cells, wanted_cells(run.catalogue).studies, judging)


def _bootstrap(run: Run) -> Bootstrap:
    settings = run.catalogue.run.comparison
    return Bootstrap(settings.resamples, run.catalogue.run.seed, settings.confidence)


def paper_catalogue(repository: Path, **changes: Any) -> Catalogue:
    """The paper's configuration, with some keys of the run changed."""
    return load(repository, read_yaml(repository / "config/config.yaml") | changes, "config.yaml")


def tiny_catalogue(repository: Path, **changes: Any) -> Catalogue:
    """The paper's configuration with tiny demonstration models, measured on CPU, under the names of its own."""
    catalogue = paper_catalogue(repository, **changes)
    return replace(catalogue, models={name: _tiny(name, entry) for name, entry in catalogue.models.items()})


def _tiny(name: str, entry: ModelEntry) -> ModelEntry:
    title, width, layers = SHAPES.get(name, ("tiny-s-general", 128, 4))
    facts = {"hidden_size": width, "layers": layers, "attention_heads": 4, "key_value_heads": 2, "tied_head": True}
    facts |= {"intermediate_size": 3 * width, "vocab_size": 2048}
    architecture = entry.architecture.model_copy(update=facts)
    return entry.model_copy(
        update={"title": title, "architecture": architecture, "counts": None, "demonstration": True}
    )


def simulate(
    catalogue: Catalogue, folder: Path, n: int | Mapping[str, int], cells: list[Cell] | None = None
) -> dict[str, Path]:
    """Write the files of finished cells below ``folder`` (``results/<run>``); return dataset -> samples.jsonl.

    ``n`` is the number of samples of each dataset, or dataset -> number.
    """
    paths = {}
    cells = run_cells(catalogue) if cells is None else cells
    for name in dict.fromkeys(cell.dataset for cell in cells):
        count = n if isinstance(n, int) else n[name]
        golds = _golds(catalogue.datasets[name], count, _generator(name))
        paths[name] = folder / "datasets" / name / "samples.jsonl"
        write_records(paths[name], [Sample(str(k), {}, gold, f"d{k // 4}") for k, gold in enumerate(golds)])
        for cell in cells:
            if cell.dataset == name:
                write_cell(catalogue, folder, cell, golds)
    return paths


def write_cell(catalogue: Catalogue, folder: Path, cell: Cell, golds: list[Any]) -> None:
    """Write ``scored.jsonl``, ``scores.json``, ``measurements.json`` and what tables read of the manifest of one cell."""
    where = folder / "cells" / cell.folder
    entry = catalogue.datasets[cell.dataset]
    answers = _answers(entry, cell, golds)
    write_records(where / "scored.jsonl", answers)
    counts = tasks.get(entry).counts([answer.parsed for answer in answers], golds)
    groups = [f"d{k // 4}" for k in range(len(golds))]
    metric = tasks.metric(entry.metric)
    value = metric.value(counts.sum(axis=0))
    lost = float(np.mean([not answer.parsed_ok for answer in answers]))
    Scores(
        metric=entry.metric,
        value=value,
        interval=interval_of_counts(counts, groups, metric, Bootstrap(200, 1)),
        n=len(golds),
        unit="document",
        units=len(set(groups)),
        constant_value=0.1,
        unparseable_rate=lost,
        strict_value=value,
        strict_unparseable_rate=lost,
        per_label={},
        truncated_rate=CUT.get(cell.precision, 0.01),
        mean_new_tokens=20 * (1 + CUT.get(cell.precision, 0.01)),
        as_published=_as_published(entry, value),
    ).write(where / "scores.json")
    _measurements(catalogue, cell).write(where / "measurements.json")
    write_json(where / "manifest.json", {"prompts_sha256": "a" * 64, "end": "2026-01-01T00:00:00+00:00"})


def write_lengths(folder: Path, cells: list[Cell]) -> None:
    """Write the ``predictions.jsonl`` of simulated cells: of their outputs the lengths alone, longer ones at lower precision."""
    for cell in cells:
        where = folder / "cells" / cell.folder
        prompt, own = _generator(cell.model, cell.dataset, "prompts"), _generator(cell, "outputs")
        answers = read_records(where / "scored.jsonl", ScoredAnswer)
        prompts = prompt.integers(50, 600, size=len(answers)).tolist()
        longer = own.poisson(20 * (1 + NOISE.get(cell.precision, 0.05)), size=len(answers)).tolist()
        write_records(
            where / "predictions.jsonl",
            [
                Prediction(answer.sample_id, [""], prompts[place], [longer[place]], ["stop"])
                for place, answer in enumerate(answers)
            ],
        )


def _as_published(entry: DatasetEntry, value: float) -> PublishedScore | None:
    convention = published_convention(entry)
    if convention is None:
        return None
    halved = value / 2
    return PublishedScore(
        metric=convention.metric.name,
        value=halved,
        interval=(0.9 * halved, min(1.0, 1.1 * halved)),
        constant_value=0.1,
        unknown_rate=0.0,
    )


def _generator(*words: Any) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(words).encode()))


def _golds(entry: DatasetEntry, n: int, generator: np.random.Generator) -> list[Any]:
    return [_gold(entry, generator) for _ in range(n)]


def _gold(entry: DatasetEntry, generator: np.random.Generator) -> Any:
    labels = list(entry.labels)
    if entry.task == "multi_label_classification":
        chosen = generator.choice(len(labels), size=generator.integers(1, 3), replace=False)
        return [label for place, label in enumerate(labels) if place in chosen]
    if entry.task == "named_entity_recognition":
        starts = 10 * np.arange(generator.integers(0, 4))
        return [{"start": int(start), "end": int(start) + 5, "text": "x" * 5} for start in starts]
    if entry.task == "relation_extraction":
        return entry.negative_label if generator.random() < 0.6 else str(generator.choice(labels))
    return str(generator.choice(["yes", "no", "maybe"] if entry.reader == "yes_no_maybe" else list("ABCDE")))


def _answers(entry: DatasetEntry, cell: Cell, golds: list[Any]) -> list[ScoredAnswer]:
    """Right with the model's skill, the same at every precision but for a few answers that change with it."""
    shared, own = _generator(cell.model, cell.dataset, cell.prompting, cell.shots), _generator(cell)
    skill = 0.4 + 0.4 * _generator(cell.model, cell.dataset).random() + 0.01 * cell.shots
    empty = tasks.get(entry).empty
    answers = []
    for place, gold in enumerate(golds):
        guess, other = (gold if chance.random() < skill else _gold(entry, chance) for chance in (shared, own))
        answer = other if own.random() < NOISE.get(cell.precision, 0.05) else guess
        readable = own.random() > 0.02
        value = answer if readable else empty
        answers.append(ScoredAnswer(str(place), value, bool(readable), gold, bool(readable and answer == gold)))
    return answers


def _measurements(catalogue: Catalogue, cell: Cell) -> Measurements:
    model, chance = catalogue.models[cell.model], _generator(cell, "measured")
    weights = weight_bytes(model.counted, catalogue.precisions[cell.precision])
    tokens = 350 * (1 + cell.shots) + 40
    slow = SLOWNESS.get(cell.precision, 2) * (1 + 4 * (cell.prompting != "instruction"))
    typical = slow * (0.02 + weight_bytes(model.counted, catalogue.precisions["full"]) / GIB / 45)
    peak = None if model.demonstration else int(weights + GIB * 0.4 + tokens * 3e5)
    return Measurements(
        cell=cell,
        device=_device(model.demonstration),
        load_s=1.0 + weights / GIB,
        weight_bytes=int(weights),
        memory=MemoryReadings(
            after_load=MemoryAfterLoad(
                allocated_bytes=peak, reserved_bytes=peak, process_bytes=None, resident_bytes=GIB
            ),
            inference=MemoryPeak(
                peak_allocated_bytes=peak, peak_reserved_bytes=peak, peak_process_bytes=None, peak_resident_bytes=GIB
            ),
        ),
        latency=LatencyReadings(
            warmup=3,
            samples=_latencies(typical, tokens, model.demonstration, chance),
            fixed=_at_fixed_length(slow, _generator(cell, "fixed")),
        ),
        energy=Energy(energy_j=None, reason="unavailable: no GPU in use"),
        quality_pass=QualityPass(engine="static", seconds=1.0, samples=200, batches=4),
    )


def _device(demonstration: bool) -> DeviceFacts:
    if demonstration:
        return DeviceFacts(kind="cpu", names=["Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"])
    return DeviceFacts(kind="cuda", names=["NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB"])


def _at_fixed_length(slow: float, chance: np.random.Generator) -> FixedLengthReadings:
    """Three samples with outputs of 64 tokens, a hundredth of a second each at full precision."""
    steps = 0.01 * slow * chance.lognormal(0, 0.02, size=3)
    samples = [
        TimedAnswer(
            sample_id=str(place),
            latency_s=66 * float(step),
            first_token_s=3 * float(step),
            prompt_tokens=100,
            new_tokens=64,
            token_times_s=[float(step) * (3 + number) for number in range(64)],
        )
        for place, step in enumerate(steps)
    ]
    return FixedLengthReadings(new_tokens=64, samples=samples)


def _latencies(typical: float, tokens: int, few: bool, chance: np.random.Generator) -> list[TimedAnswer]:
    return [
        TimedAnswer(
            sample_id=str(k),
            latency_s=float(seconds),
            first_token_s=float(seconds) / 8,
            prompt_tokens=tokens + k,
            new_tokens=20,
        )
        for k, seconds in enumerate(typical * chance.lognormal(0, 0.4, size=8 if few else 64))
    ]
