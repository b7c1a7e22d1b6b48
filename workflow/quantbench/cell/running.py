"""One cell from prepared samples to predictions, measurements and manifest: the body of an inference job."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .. import tasks
from ..config import reasons_first
from ..contracts.kept_progress import CellFacts, KeptMeasurements
from ..contracts.measurements import LatencyReadings, MemoryReadings
from ..contracts.records import Sample, read_records
from ..devices import lease_visible
from ..devices.cuda_check import check_cuda, check_devices
from ..devices.description import device_facts
from ..devices.runtime import choose_device, set_environment
from ..engine.batches import Request
from ..errors import ModelError
from ..measure import memory
from ..measure.energy import EnergyWindow, energy_window
from ..measure.gpu_conditions import ConditionWatch
from ..measure.neighbours import Neighbours
from ..planner import Placement, cell_setting
from ..study.spec import CellSpec, identity_hash
from ..tasks.origin import Origin
from .cell_files import write_cell
from .pass_meter import PassMeter
from .prepared_cell import CellFolders, PreparedCell, is_finished, prepare_cell
from .progress import Progress
from .questions import Questions
from .short_of_memory import within_memory

if TYPE_CHECKING:
    from ..contracts.machine import DeviceFacts
    from ..engine.generation import Generator
    from ..engine.ledger import Ledger
    from ..models.loading import LoadedModel


@dataclass(frozen=True)
class _Instruments:
    """What watches a cell from before its model loads until its last answer, and the device that it watches."""

    device: DeviceFacts
    uuids: list[str]
    energy: EnergyWindow
    neighbours: Neighbours


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
        check_cuda(device, uuids)
        prepared = prepare_cell(spec, folders, device)
        # Which processor a cell runs on is no reason to run it again, but batches of two formats are not put together.
        key = identity_hash(prepared.identity | {"computed_in": prepared.formats.computed})
        progress = Progress(folders.progress, key, {request.sample_id for request in prepared.requests})
        if stack.enter_context(progress.alone()) and is_finished(folders.outputs, prepared.identity):
            print(f"{spec.cell.label}: finished by the other process", file=sys.stderr, flush=True)
            progress.clear()
            return
        kept, facts = progress.measurements(), device_facts(device, leased)
        if kept is None or not _is_answered(
            prepared.requests, progress, kept
        ):  # else only the last writing was cut short
            instruments = _Instruments(facts, uuids, energy_window(uuids), Neighbours(uuids))
            kept = _generate(spec, prepared, folders, progress, device, instruments)
        write_cell(spec, prepared, folders, progress, kept, facts, started)
        progress.clear()


def _generate(
    spec: CellSpec,
    prepared: PreparedCell,
    folders: CellFolders,
    progress: Progress,
    device: str,
    instruments: _Instruments,
) -> KeptMeasurements:
    """Load, measure, answer; returns the measurements of both passes, which are kept by then."""
    from ..models.loading import load_model
    from ..models.weight_sizes import weight_bytes
    from .answering import answer_all, answer_largest_again, measure, timed_with_answers

    check_devices(device, instruments.uuids)
    begin = time.perf_counter()
    prepared.weights.check_dtype(prepared.formats.stored, device)
    quantized = prepared.weights.checkpoint is not None
    placement = _placement(spec, prepared, instruments) if device == "cuda" else None
    with within_memory(spec, "loading the model", prepared.requests), _label(spec):
        loaded = load_model(
            *(prepared.weights.folder, spec.model, spec.precision, prepared.tokenizer, device, quantized),
            placement=placement,
        )
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
        readings = _with_placement(readings, placement, instruments.uuids)
        neighbours.look()
        latency = latency.model_copy(update={"gpus": watch.record(), "contended_by": neighbours.record().found})
        progress.keep_measurements(_kept(load_s, sizes, readings, latency, instruments.device))
    before = len(progress.finished())
    # Else the first answers are complete, and only repeats are not.
    if kept is None or kept.quality_pass is None or before < len(prepared.requests):
        if not apart and before:
            answer_largest_again(spec, prepared.requests, generator, progress)
        watch = ConditionWatch(instruments.uuids)
        meter = PassMeter(progress, instruments.energy, instruments.device)
        with meter if before < len(prepared.requests) else nullcontext():
            answer_all(spec, prepared.requests, prepared.plan, generator, progress, meter=meter, full=prepared.full)
        conditions = watch.record()
        neighbours.look()
        if readings is None or latency is None:
            readings = MemoryReadings(after_load=held, inference=memory.peak())
            readings = _with_placement(readings, placement, instruments.uuids)
            latency = timed_with_answers(list(progress.finished().values()), neighbours.record().found)
            latency = latency.model_copy(update={"gpus": conditions})
        timed_on = kept.device if kept else instruments.device
        attention = generator.attention if device == "cuda" else None
        kept = _kept(load_s, sizes, readings, latency, timed_on).model_copy(
            update={
                "energy": meter.energy(neighbours.record().found),
                "quality_pass": meter.quality_pass(spec.inference.engine, len(prepared.plan), conditions, attention),
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


def _placement(spec: CellSpec, prepared: PreparedCell, instruments: _Instruments) -> Placement:
    """Where the model goes on the leased GPUs, by what is free on them now.

    Batches are planned as for the request of these GPUs; a sample alone by the longest prompt there really is, since by it the
    cell is refused.

    Raises:
        ModelError: it does not fit.
    """
    from ..models.placing import kind_of, leased_gpus, placed

    gpus = leased_gpus(instruments.neighbours)
    kind = kind_of(gpus)
    largest, alone = (cell_setting(spec, len(gpus), alone=only, gpu=kind) for only in (False, True))
    longest = max(len(request.token_ids) for request in prepared.requests)
    load = replace(alone.workload, prompt_tokens=longest, read_tokens=longest)
    return placed(spec.cell.label, gpus, largest, replace(alone, workload=load))


def _with_placement(readings: MemoryReadings, placement: Placement | None, uuids: list[str]) -> MemoryReadings:
    from ..models.placing import parts_of

    return readings.model_copy(update={"placement": parts_of(placement, uuids)}) if placement else readings


@contextmanager
def _label(spec: CellSpec) -> Iterator[None]:
    """Put the cell's name before what is refused."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{spec.cell.label}: {error}") from None


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
    from ..engine.decoding_settings import GenerationSettings
    from ..engine.generation import Generator
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
