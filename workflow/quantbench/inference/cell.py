"""One cell from prepared samples to predictions, measurements and manifest: the body of an inference job."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Catalogue
from ..datasets import check_prepared, sha256_of
from ..devices import lease, visible_devices
from ..grid import Cell
from ..measure import memory
from ..measure.energy import EnergyWindow, energy_window
from ..measure.latency import time_each
from ..measure.neighbours import Neighbours
from ..records import Prediction, read_json, write_json, write_records
from .identity import cell_identity, identity_hash, max_new_tokens
from .manifest import device_facts, software
from .plan import Plan, make_plan, plan_hash, second_plan
from .progress import Progress
from .requests import Request, build_requests, check_context
from .runtime import choose_device, set_environment
from .weights import Weights, find_weights

if TYPE_CHECKING:
    from .generation import Generator


@dataclass(frozen=True)
class CellFolders:
    """Where one cell reads and writes."""

    data: Path
    outputs: Path
    progress: Path
    leases: Path


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
        uuids = stack.enter_context(lease(gpus, visible_devices(), folders.leases)) if device == "cuda" else []
        set_environment(catalogue.run.hardware.threads, device, uuids)
        prepared = _prepare(catalogue, cell, folders)
        progress = Progress(folders.progress, prepared.key)
        stack.enter_context(progress.alone())
        instruments = _Instruments(energy_window(uuids), Neighbours(uuids))
        predictions, measurements = _generate(catalogue, cell, prepared, progress, device, instruments)
        energy, neighbours = instruments.energy.record(), instruments.neighbours.record()
        facts = {"device": device_facts(device, uuids), "energy": energy, "foreign_processes": neighbours}
        facts |= measurements.pop("facts")
        measurements = {"cell": asdict(cell), "device": facts["device"], **measurements, "energy": energy}
        times = {"start": started.isoformat(), "end": datetime.now(UTC).isoformat(), **progress.history()}
        write_records(folders.outputs / "predictions.jsonl", predictions)
        write_json(folders.outputs / "measurements.json", measurements)
        # The manifest comes last: it also says what the other two files hold.
        manifest = _manifest(catalogue, cell, prepared, folders) | facts | times
        write_json(folders.outputs / "manifest.json", manifest)
        progress.clear()


def _prepare(catalogue: Catalogue, cell: Cell, folders: CellFolders) -> _Prepared:
    from ..models.loading import load_tokenizer

    check_prepared(folders.data)
    entry, dataset = catalogue.models[cell.model], catalogue.datasets[cell.dataset]
    weights = find_weights(catalogue, cell.model, cell.precision, folders.leases.with_name(".verified"))
    tokenizer = load_tokenizer(weights.folder)
    requests = build_requests(catalogue.root, cell, entry, dataset, folders.data, tokenizer)
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
    return _Prepared(requests, plan, identity, identity_hash(identity), tokenizer, weights)


def _generate(
    catalogue: Catalogue, cell: Cell, prepared: _Prepared, progress: Progress, device: str, instruments: _Instruments
) -> tuple[list[Prediction], dict[str, Any]]:
    """Measure, then answer; returns predictions in dataset order and measurements (with manifest facts)."""
    from ..models.loading import compute_dtype, load_model, weight_bytes
    from .generation import Generator

    begin = time.perf_counter()
    entry, precision = catalogue.models[cell.model], catalogue.precisions[cell.precision]
    quantized = prepared.weights.checkpoint is not None
    prepared.weights.check_dtype(str(compute_dtype(entry, precision, device)).removeprefix("torch."), device)
    loaded = load_model(prepared.weights.folder, entry, precision, prepared.tokenizer, device, quantized)
    load_s = time.perf_counter() - begin
    held, weights = memory.after_load(), weight_bytes(loaded.model)
    instruments.neighbours.settle()
    generator = Generator(loaded, _settings(catalogue, cell))
    measured = progress.measurements()
    if measured is None:
        measured = {"load_s": load_s, "weight_bytes": weights} | _measure(catalogue, prepared, generator, held)
        instruments.neighbours.look()
        measured["latency"]["contended_by"] = instruments.neighbours.found()
        progress.keep_measurements(measured)
    begin = time.perf_counter()
    before = len(progress.finished())
    with instruments.energy if before < len(prepared.requests) else nullcontext():
        if catalogue.run.inference.engine == "static":  # `single` is the paper's protocol: nothing is shared
            generator.share_prefix(prepared.requests)
        predictions, halved = _answer(prepared, generator, progress, cell)
    instruments.neighbours.look()
    quality = {
        "engine": catalogue.run.inference.engine,
        "seconds": time.perf_counter() - begin,
        "samples": len(predictions) - before,
        "batches": len(prepared.plan),
    }
    return predictions, measured | {
        "quality_pass": quality,
        "facts": {"precision_applied": loaded.applied, "halved_batches": halved},
    }


def _measure(catalogue: Catalogue, prepared: _Prepared, generator: Generator, held: dict[str, Any]) -> dict[str, Any]:
    """The measurement pass: batch 1, before the quality pass, in the same process (PROTOCOL, section 3)."""
    settings = catalogue.run.measurement
    chosen = _latency_requests(prepared.requests, settings.latency_samples + settings.warmup, catalogue.run.seed)
    memory.start_peak()
    items = [(request.sample_id, request) for request in chosen]
    latencies = time_each(items, generator.time_one, generator.synchronize, min(settings.warmup, len(items) - 1))
    return {
        "memory": {"after_load": held, "inference": memory.peak()},
        "latency": {"warmup": settings.warmup, "samples": latencies},
    }


def _latency_requests(requests: Sequence[Request], count: int, seed: int) -> list[Request]:
    """A seeded choice, the same at every precision."""
    return random.Random(seed).sample(list(requests), min(count, len(requests)))


def _answer(
    prepared: _Prepared, generator: Generator, progress: Progress, cell: Cell
) -> tuple[list[Prediction], list[list[str]]]:
    """Run the batches of the plan that are not finished yet, saying how far it is and how long it will take.

    Returns predictions in dataset order, and the sample ids of each batch that memory forced to be halved.
    """
    from .outofmemory import answer_halving

    halved: list[list[str]] = []
    done = progress.finished()
    total, begin, fresh = len(prepared.requests), time.perf_counter(), 0
    for number, batch in enumerate(prepared.plan, start=1):
        missing = [position for position in batch if prepared.requests[position].sample_id not in done]
        if not missing:
            continue
        progress.begin_batch()
        # The whole batch runs again even where part of it is on disk: its composition decides the answers.
        answers = answer_halving(generator.answer, [prepared.requests[position] for position in batch], halved)
        answers = [answer for answer in answers if answer.sample_id not in done]
        progress.append(answers)
        done |= {answer.sample_id: answer for answer in answers}
        fresh += len(answers)
        rate = fresh / (time.perf_counter() - begin)
        print(
            f"{cell.label}: batch {number}/{len(prepared.plan)}, {len(done)}/{total} samples, "
            f"{rate:.1f} samples/s, {(total - len(done)) / rate:.0f} s left",
            file=sys.stderr,
            flush=True,
        )
    return [done[request.sample_id] for request in prepared.requests], halved


def _settings(catalogue: Catalogue, cell: Cell) -> Any:
    from .generation import GenerationSettings

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
