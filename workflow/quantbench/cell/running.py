"""One cell from prepared samples to predictions, measurements and manifest: the body of an inference job."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .. import tasks
from ..config import reasons_first
from ..contracts.checksums import sha256_of
from ..contracts.files import read_json
from ..contracts.kept_progress import CellFacts, KeptMeasurements
from ..contracts.likelihoods import Likelihoods
from ..contracts.manifest import Manifest
from ..contracts.measurements import LatencyReadings, Measurements, MemoryReadings
from ..contracts.prepared_dataset import PreparedDataset
from ..contracts.records import Sample, read_records, repeat_files, repeat_names, write_records
from ..datasets import check_prepared
from ..devices import lease_visible
from ..devices.description import device_facts, software
from ..devices.runtime import choose_device, set_environment
from ..engine.batches import Plan, Request, make_plan, plan_hash
from ..measure import memory
from ..measure.energy import EnergyWindow, energy_window
from ..measure.gpu_conditions import ConditionWatch
from ..measure.neighbours import Neighbours
from ..store.found_weights import Weights, find_weights
from ..study.spec import CellSpec, Identity, identity_hash
from ..tasks.origin import Origin
from .likelihood_file import likelihoods_of
from .pass_meter import PassMeter
from .progress import Progress
from .questions import Questions, questions_of
from .requests import Prompts, build_prompts, check_context

if TYPE_CHECKING:
    from ..contracts.machine import DeviceFacts
    from ..engine.generation import Generator
    from ..engine.ledger import Ledger
    from ..models.interfaces import Tokenizer
    from ..models.loading import LoadedModel, NumberFormats


@dataclass(frozen=True)
class CellFolders:
    """Where one cell reads and writes. ``notes`` remembers which model files were hashed; None: beside the leases.

    ``full`` is the folder of the full-precision cell that this one is compared with; None: there is none.
    """

    data: Path
    outputs: Path
    progress: Path
    leases: Path
    notes: Path | None = None
    full: Path | None = None


@dataclass(frozen=True)
class _Instruments:
    """What watches a cell from before its model loads until its last answer, and the device that it watches."""

    device: DeviceFacts
    uuids: list[str]
    energy: EnergyWindow
    neighbours: Neighbours


@dataclass(frozen=True)
class _Prepared:
    """A cell once everything that can be checked without its model has been checked."""

    prompts: Prompts
    plan: Plan
    identity: Identity
    tokenizer: Tokenizer
    weights: Weights
    formats: NumberFormats
    questions: Questions | None

    @property
    def full(self) -> str | None:
        """Hash of full precision's answers that the model reads too; None: it reads none."""
        return self.questions.full.sha256 if self.questions and self.questions.full else None

    @property
    def requests(self) -> list[Request]:
        """The prompts as the engine takes them."""
        return self.prompts.requests


def run_cell(spec: CellSpec, folders: CellFolders, gpus: int) -> None:
    """Run one cell and write its files; finished batches of an earlier, killed run are not computed again.

    Args:
        spec: what to run.
        folders: where samples stand and files go.
        gpus: devices to lease where there are GPUs.

    Raises:
        QuantbenchError: anything the user can mend; no file then stands under a final name.
    """
    started = datetime.now(UTC)
    device = choose_device(spec.hardware)
    with ExitStack() as stack:
        leased = stack.enter_context(lease_visible(gpus, folders.leases, spec.cell.label))
        uuids = leased if device == "cuda" else []
        set_environment(spec.hardware.threads, device, uuids)
        prepared = _prepare(spec, folders, device)
        # Which processor a cell runs on is no reason to run it again, but batches of two formats are not put together.
        key = identity_hash(prepared.identity | {"computed_in": prepared.formats.computed})
        progress = Progress(folders.progress, key)
        if stack.enter_context(progress.alone()) and _is_finished(folders.outputs, prepared.identity):
            print(f"{spec.cell.label}: finished by the other process", file=sys.stderr, flush=True)
            progress.clear()
            return
        kept, facts = progress.measurements(), device_facts(device, leased)
        if kept is None or not _is_answered(
            prepared.requests, progress, kept
        ):  # else only the last writing was cut short
            instruments = _Instruments(facts, uuids, energy_window(uuids), Neighbours(uuids))
            kept = _generate(spec, prepared, folders, progress, device, instruments)
        _write(spec, prepared, folders, progress, kept, facts, started)
        progress.clear()


def _prepare(spec: CellSpec, folders: CellFolders, device: str) -> _Prepared:
    from ..models.loading import number_formats

    check_prepared(folders.data)
    weights = find_weights(spec, folders.notes or folders.leases.with_name(".verified"))
    tokenizer = _tokenizer(spec, weights.folder)
    prompts = build_prompts(spec, folders.data, tokenizer)
    requests = prompts.requests
    check_context(requests, spec)
    plan = make_plan(
        lengths=[len(request.token_ids) for request in requests],
        rows=spec.rows,
        new_tokens=spec.max_new_tokens,
        token_budget=spec.inference.token_budget,
        max_batch_size=spec.max_batch_size,
        number=spec.precision.plan_number,
    )
    identity = spec.identity | {
        "prompts": identity_hash({"texts": [request.text for request in requests]}),
        "plan": plan_hash(plan, [request.sample_id for request in requests]),
        "weights": identity_hash(dict(weights.files)),
    }
    formats = number_formats(spec.model, spec.precision, device)
    questions = questions_of(spec, folders.data, prompts, tokenizer, folders.full)
    return _Prepared(prompts, plan, identity, tokenizer, weights, formats, questions)


def _is_finished(outputs: Path, identity: Identity) -> bool:
    """Whether all files of a cell stand in its folder, made from this very identity; the manifest is written last."""
    manifest = outputs / "manifest.json"
    return manifest.exists() and read_json(manifest).get("identity") == json.loads(json.dumps(identity))


def _tokenizer(spec: CellSpec, folder: Path) -> Tokenizer:
    """The tokenizer of a checked model folder, or a stand-in's."""
    if spec.model.has_random_weights:
        from ..models.synthetic_tokenizer import SyntheticTokenizer

        return cast("Tokenizer", SyntheticTokenizer(spec.model.architecture.vocab_size))
    from ..models.published_config import check_facts
    from ..models.tokenizing import load_tokenizer

    # transformers reads config.json for the tokenizer too, and would say that this cannot be loaded.
    check_facts(folder, spec.cell.model, spec.model)
    return load_tokenizer(folder, spec.model.architecture.vocab_size)


def _generate(
    spec: CellSpec,
    prepared: _Prepared,
    folders: CellFolders,
    progress: Progress,
    device: str,
    instruments: _Instruments,
) -> KeptMeasurements:
    """Load, measure, answer; returns the measurements of both passes, which are kept by then."""
    from ..models.loading import load_model
    from ..models.weight_sizes import weight_bytes
    from .answering import answer_all, answer_largest_again, measure, timed_with_answers

    begin = time.perf_counter()
    prepared.weights.check_dtype(prepared.formats.stored, device)
    quantized = prepared.weights.checkpoint is not None
    loaded = load_model(prepared.weights.folder, spec.model, spec.precision, prepared.tokenizer, device, quantized)
    load_s = time.perf_counter() - begin
    # Before any answer: at its first, bitsandbytes moves row scales away from the weights, and packs 4-bit ones anew.
    sizes = [weight_bytes(loaded.model, stored) for stored in (prepared.formats.stored, None)]
    held, neighbours = memory.after_load(), instruments.neighbours
    neighbours.settle()
    generator = _generator(spec, loaded, folders, _ledger(prepared.questions, instruments.energy))
    kept, apart = progress.measurements(), spec.protocol.timing == "apart"
    readings, latency = (kept.memory, kept.latency) if kept else (None, None)
    if not apart:
        memory.start_peak()
    elif kept is None:
        watch = ConditionWatch(instruments.uuids)
        readings, latency = measure(spec, prepared.requests, generator, held)
        neighbours.look()
        latency = latency.model_copy(update={"gpus": watch.record(), "contended_by": neighbours.record().found})
        progress.keep_measurements(_kept(load_s, sizes, readings, latency, instruments.device))
    before = len(progress.finished())
    # Else the first answers are complete, and only repeats are not.
    if kept is None or kept.quality_pass is None or before < len(prepared.requests):
        if not apart and before:
            answer_largest_again(prepared.requests, generator, progress)
        watch = ConditionWatch(instruments.uuids)
        meter = PassMeter(progress, instruments.energy, instruments.device)
        with meter if before < len(prepared.requests) else nullcontext():
            answer_all(spec, prepared.requests, prepared.plan, generator, progress, meter=meter, full=prepared.full)
        conditions = watch.record()
        neighbours.look()
        if readings is None or latency is None:
            readings = MemoryReadings(after_load=held, inference=memory.peak())
            latency = timed_with_answers(list(progress.finished().values()), neighbours.record().found)
            latency = latency.model_copy(update={"gpus": conditions})
        timed_on = kept.device if kept else instruments.device
        kept = _kept(load_s, sizes, readings, latency, timed_on).model_copy(
            update={
                "energy": meter.energy(neighbours.record().found),
                "quality_pass": meter.quality_pass(spec.inference.engine, len(prepared.plan), conditions),
            }
        )
        # Repeats may take hours more, in which nothing of this is measured again.
        progress.keep_measurements(kept)
    assert kept.energy is not None
    seeds = [spec.seed + number for number in range(spec.protocol.repeats if generator.draws else 1)]
    for number, seed in enumerate(seeds[1:], start=2):
        answer_all(spec, prepared.requests, prepared.plan, generator.with_seed(seed), progress.repeat(number), number)
    facts = CellFacts(
        precision_applied=loaded.applied,
        energy=kept.energy,
        foreign_processes=neighbours.record(),
        decoding=None if spec.protocol.decoding == "greedy" else generator.decoding(seeds),
    )
    done = kept.model_copy(update={"facts": facts})
    progress.keep_measurements(done)
    return done


def _is_answered(requests: Sequence[Request], progress: Progress, kept: KeptMeasurements) -> bool:
    """Whether every answer that the cell's files will hold is kept, as often as it was to be given."""
    if kept.facts is None:
        return False
    times = len(kept.facts.decoding.seeds) if kept.facts.decoding else 1
    answered = [progress, *(progress.repeat(number) for number in range(2, times + 1))]
    return all({one.sample_id for one in requests} <= again.finished().keys() for again in answered)


def _kept(
    load_s: float,
    weight_bytes: list[int],
    readings: MemoryReadings,
    latency: LatencyReadings,
    timed_on: DeviceFacts | None,
) -> KeptMeasurements:
    return KeptMeasurements(
        load_s=load_s,
        weight_bytes=weight_bytes[0],
        held_weight_bytes=weight_bytes[1],
        device=timed_on,
        memory=readings,
        latency=latency,
    )


def _ledger(questions: Questions | None, energy: EnergyWindow) -> Ledger | None:
    """What notes likelihoods beside the answers; reading what is no answer of the cell is left out of its energy."""
    from ..engine.ledger import Asked, Ledger

    if questions is None:
        return None
    reference = questions.full.outputs if questions.full else {}
    return Ledger(Asked(questions.options, reference, energy.paused))


def _generator(spec: CellSpec, loaded: LoadedModel, folders: CellFolders, ledger: Ledger | None) -> Generator:
    """The model with the cell's generation settings, and what ends an answer early where the run wants that."""
    from ..engine.generation import GenerationSettings, Generator
    from ..engine.stopping import AnswerCheck

    protocol, chosen = spec.protocol, spec.sampling.temperature if spec.sampling else None
    settings = GenerationSettings(
        max_new_tokens=spec.max_new_tokens,
        chains=spec.chains,
        temperature=chosen if protocol.decoding == "greedy" else protocol.temperature,
        seed=spec.seed,
        reasoning=spec.model.reasoning,
        decoding=protocol.decoding,
        timed=protocol.timing == "whole_pass",
    )
    if not spec.inference.stop_early:
        return Generator(loaded, settings, ledger=ledger)
    samples = {sample.sample_id: sample for sample in read_records(folders.data / "samples.jsonl", Sample)}
    origin = Origin(
        reasoned=reasons_first(spec.cell.prompting), reasoning=spec.model.reasoning, prompts=spec.protocol.prompts
    )
    return Generator(loaded, settings, AnswerCheck(tasks.get(spec.dataset), samples, origin), ledger)


def _timed_elsewhere(kept: KeptMeasurements, device: DeviceFacts) -> LatencyReadings:
    """The latencies of a cell, with the device that they are of where its last start had another kind."""
    if kept.device is None or kept.device.is_alike(device):
        return kept.latency
    return kept.latency.model_copy(update={"device": kept.device})


def _write(
    spec: CellSpec,
    prepared: _Prepared,
    folders: CellFolders,
    progress: Progress,
    kept: KeptMeasurements,
    device: DeviceFacts,
    started: datetime,
) -> None:
    """Write the cell's files; the manifest comes last, since it also says what the others hold."""
    assert kept.facts is not None and kept.quality_pass is not None
    done, history, versions = progress.finished(), progress.history(), software(spec.stored.root)
    requests = prepared.requests
    write_records(folders.outputs / "predictions.jsonl", [done[request.sample_id] for request in requests])
    repeats = repeat_names(spec.protocol.repeats)
    for stale in repeat_files(folders.outputs):
        stale.unlink()
    for number, name in enumerate(repeats, start=2):
        again = progress.repeat(number).finished()
        write_records(folders.outputs / name, [again[one.sample_id] for one in requests if one.sample_id in again])
    likelihoods = _write_likelihoods(prepared, folders.outputs, progress)
    Measurements(
        cell=spec.cell,
        weights=spec.model.weights,
        device=device,
        load_s=kept.load_s,
        weight_bytes=kept.weight_bytes,
        held_weight_bytes=kept.held_weight_bytes,
        quantized=kept.facts.precision_applied.quantized,
        memory=kept.memory,
        latency=_timed_elsewhere(kept, device),
        energy=kept.facts.energy,
        quality_pass=kept.quality_pass,
    ).write(folders.outputs / "measurements.json")
    Manifest(
        cell=spec.cell,
        identity=prepared.identity,
        model=prepared.weights.record(),
        configuration=spec.configuration,
        dataset=PreparedDataset.read(folders.data / "dataset.json"),
        first_prompt_sha256=identity_hash({"text": prepared.requests[0].text}),
        prompts_sha256=prepared.prompts.sha256,
        prompt_date=prepared.prompts.day,
        decoding=kept.facts.decoding,
        full_predictions_sha256=prepared.full,
        plan_sha256=str(prepared.identity["plan"]),
        seed=spec.seed,
        outputs={
            name: sha256_of(folders.outputs / name)
            for name in ("predictions.jsonl", "measurements.json", *repeats, *likelihoods)
        },
        python=versions.python,
        packages=versions.packages,
        git_commit=versions.git_commit,
        device=device,
        precision_applied=kept.facts.precision_applied,
        energy=kept.facts.energy,
        foreign_processes=kept.facts.foreign_processes,
        start=started.isoformat(),
        end=datetime.now(UTC).isoformat(),
        resumed=history.resumed,
        batches_generated=history.batches_generated,
        halved_batches=history.halved_batches,
    ).write(folders.outputs / "manifest.json")


def _write_likelihoods(prepared: _Prepared, folder: Path, progress: Progress) -> list[str]:
    """Write the likelihoods where they are kept, and take away those of an earlier run; returns the file's name, or none."""
    if prepared.questions is None:
        (folder / Likelihoods.file).unlink(missing_ok=True)
        return []
    ids = [request.sample_id for request in prepared.requests]
    kept = likelihoods_of(ids, progress.scores(prepared.full), prepared.questions)
    kept.write(folder / Likelihoods.file)
    return [Likelihoods.file]
