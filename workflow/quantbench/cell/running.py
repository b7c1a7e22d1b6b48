"""One cell from prepared samples to predictions, measurements and manifest: the body of an inference job."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import tasks
from ..config import Catalogue, ModelEntry
from ..contracts.checksums import sha256_of
from ..contracts.files import read_json, write_json
from ..contracts.records import Sample, read_records, write_records
from ..datasets import check_prepared
from ..devices import lease_visible
from ..devices.runtime import choose_device, set_environment
from ..engine.batches import Plan, Request, make_plan, plan_hash, second_plan
from ..engine.completeness import AnswerCheck
from ..measure import memory
from ..measure.energy import EnergyWindow, energy_window
from ..measure.neighbours import Neighbours
from ..store.found_weights import Weights, find_weights
from ..study.grid import Cell
from ..study.identity import cell_identity, identity_hash, max_new_tokens
from .manifest import device_facts, is_finished, software
from .progress import Progress
from .requests import build_requests, check_context, resized


@dataclass(frozen=True)
class CellFolders:
    """Where one cell reads and writes. ``notes`` remembers which model files were hashed; None: beside the leases."""

    data: Path
    outputs: Path
    progress: Path
    leases: Path
    notes: Path | None = None


@dataclass(frozen=True)
class _Instruments:
    """What watches a cell from before its model loads until its last answer."""

    energy: EnergyWindow
    neighbours: Neighbours


@dataclass(frozen=True)
class _Prepared:
    """A cell once everything that can be checked without its model has been checked."""

    requests: list[Request]
    plan: Plan
    identity: dict[str, Any]
    key: str
    tokenizer: Any
    weights: Weights
    completes: AnswerCheck | None


def run_cell(catalogue: Catalogue, cell: Cell, folders: CellFolders, gpus: int) -> None:
    """Run one cell and write its three files; finished batches of an earlier, killed run are not computed again.

    Args:
        catalogue: the checked configuration.
        cell: what to run.
        folders: where samples stand and files go.
        gpus: devices to lease where there are GPUs.

    Raises:
        QuantbenchError: anything the user can mend; no file then stands under a final name.
    """
    started = datetime.now(UTC)
    device = choose_device(catalogue.run)
    with ExitStack() as stack:
        leased = stack.enter_context(lease_visible(gpus, folders.leases, cell.label))
        uuids = leased if device == "cuda" else []
        set_environment(catalogue.run.hardware.threads, device, uuids)
        prepared = _prepare(catalogue, cell, folders)
        progress = Progress(folders.progress, prepared.key)
        if stack.enter_context(progress.alone()) and is_finished(folders.outputs, prepared.identity):
            print(f"{cell.label}: finished by the other process", file=sys.stderr, flush=True)
            progress.clear()
            return
        measured = progress.measurements() or {}
        if "quality_pass" not in measured:  # else only the last writing was cut short
            instruments = _Instruments(energy_window(uuids), Neighbours(uuids))
            measured = _generate(catalogue, cell, prepared, progress, device, instruments)
        done = progress.finished()
        facts = {"device": device_facts(device, leased), **measured.pop("facts")}
        weights = catalogue.models[cell.model].weights
        measured = {"cell": asdict(cell), "weights": weights, "device": facts["device"], **measured}
        times = {"start": started.isoformat(), "end": datetime.now(UTC).isoformat(), **progress.history()}
        write_records(folders.outputs / "predictions.jsonl", [done[request.sample_id] for request in prepared.requests])
        write_json(folders.outputs / "measurements.json", measured)
        # The manifest comes last: it also says what the other two files hold.
        manifest = _manifest(catalogue, cell, prepared, folders) | facts | times
        write_json(folders.outputs / "manifest.json", manifest)
        progress.clear()


def _prepare(catalogue: Catalogue, cell: Cell, folders: CellFolders) -> _Prepared:
    check_prepared(folders.data)
    entry, dataset = catalogue.models[cell.model], catalogue.datasets[cell.dataset]
    notes = folders.notes or folders.leases.with_name(".verified")
    weights = find_weights(catalogue, cell.model, cell.precision, notes)
    tokenizer = _tokenizer(weights.folder, entry)
    requests = build_requests(catalogue.root, cell, entry, dataset, folders.data, tokenizer)
    if entry.has_random_weights and catalogue.run.random_weights.prompt_tokens:
        requests = resized(requests, catalogue.run.random_weights.prompt_tokens)
    new_tokens = max_new_tokens(catalogue, cell)
    check_context(requests, cell, entry.architecture.context_length, new_tokens)
    settings = catalogue.run.inference
    planned = second_plan if cell.precision in catalogue.noise_floors else make_plan
    plan = planned(
        lengths=[len(request.token_ids) for request in requests],
        rows=settings.self_consistency.chains if cell.prompting == "self_consistency" else 1,
        new_tokens=new_tokens,
        token_budget=settings.token_budget,
        max_batch_size=1 if settings.engine == "single" else settings.max_batch_size,
    )
    identity = cell_identity(catalogue, cell) | {
        "prompts": identity_hash({"texts": [request.text for request in requests]}),
        "plan": plan_hash(plan, [request.sample_id for request in requests]),
        "weights": identity_hash(dict(weights.files)),
    }
    completes = _completes(catalogue, cell, folders)
    return _Prepared(requests, plan, identity, identity_hash(identity), tokenizer, weights, completes)


def _tokenizer(folder: Path, entry: ModelEntry) -> Any:
    """The tokenizer of a checked model folder, or a stand-in's."""
    if entry.has_random_weights:
        from ..models.synthetic_tokenizer import SyntheticTokenizer

        return SyntheticTokenizer(entry.architecture.vocab_size)
    from ..models.loading import load_tokenizer

    return load_tokenizer(folder)


def _generate(
    catalogue: Catalogue, cell: Cell, prepared: _Prepared, progress: Progress, device: str, instruments: _Instruments
) -> dict[str, Any]:
    """Measure, then answer; returns what ``measurements.json`` holds, and under ``facts`` what the manifest does."""
    from ..engine.generation import Generator
    from ..models.loading import compute_dtype, load_model, weight_bytes
    from .answering import answer_all
    from .measuring import measure

    begin = time.perf_counter()
    model, precision = catalogue.models[cell.model], catalogue.precisions[cell.precision]
    quantized = prepared.weights.checkpoint is not None
    prepared.weights.check_dtype(str(compute_dtype(model, precision, device)).removeprefix("torch."), device)
    loaded = load_model(prepared.weights.folder, model, precision, prepared.tokenizer, device, quantized)
    load_s = time.perf_counter() - begin
    held, weights = memory.after_load(), weight_bytes(loaded.model)
    instruments.neighbours.settle()
    generator = Generator(loaded, _settings(catalogue, cell), prepared.completes)
    measured = progress.measurements()
    if measured is None:
        run = catalogue.run
        measured = {"load_s": load_s, "weight_bytes": weights}
        measured |= measure(run.measurement, run.seed, prepared.requests, generator, held)
        instruments.neighbours.look()
        measured["latency"]["contended_by"] = instruments.neighbours.found()
        progress.keep_measurements(measured)
    begin, before = time.perf_counter(), len(progress.finished())
    with instruments.energy if before < len(prepared.requests) else nullcontext():
        work = (prepared.requests, prepared.plan)
        predictions = answer_all(catalogue, cell, work, generator, progress)
    instruments.neighbours.look()
    quality = {
        "engine": catalogue.run.inference.engine,
        "seconds": time.perf_counter() - begin,
        "samples": len(predictions) - before,
        "batches": len(prepared.plan),
    }
    energy = instruments.energy.record()
    facts = {"precision_applied": loaded.applied, "energy": energy}
    facts |= {"foreign_processes": instruments.neighbours.record()}
    measured |= {"energy": energy, "quality_pass": quality, "facts": facts}
    progress.keep_measurements(measured)
    return measured


def _completes(catalogue: Catalogue, cell: Cell, folders: CellFolders) -> AnswerCheck | None:
    """What ends an answer early; None where the run generates to the end."""
    if not catalogue.run.inference.stop_early:
        return None
    samples = {sample.sample_id: sample for sample in read_records(folders.data / "samples.jsonl", Sample)}
    return AnswerCheck(tasks.get(catalogue.datasets[cell.dataset]), samples, stated=cell.prompting != "instruction")


def _settings(catalogue: Catalogue, cell: Cell) -> Any:
    from ..engine.generation import GenerationSettings

    new_tokens = max_new_tokens(catalogue, cell)
    if cell.prompting != "self_consistency":
        return GenerationSettings(new_tokens)
    sampling = catalogue.run.inference.self_consistency
    return GenerationSettings(new_tokens, sampling.chains, sampling.temperature, catalogue.run.seed)


def _manifest(catalogue: Catalogue, cell: Cell, prepared: _Prepared, folders: CellFolders) -> dict[str, Any]:
    return {
        "cell": asdict(cell),
        "identity": prepared.identity,
        "model": prepared.weights.record(),
        "configuration": catalogue.run.model_dump(mode="json"),
        "dataset": read_json(folders.data / "dataset.json"),
        "first_prompt_sha256": identity_hash({"text": prepared.requests[0].text}),
        "plan_sha256": prepared.identity["plan"],
        "seed": catalogue.run.seed,
        "outputs": {name: sha256_of(folders.outputs / name) for name in ("predictions.jsonl", "measurements.json")},
        **software(catalogue.root),
    }
