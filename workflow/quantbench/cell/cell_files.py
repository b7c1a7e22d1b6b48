"""The files that a finished cell leaves: answers, likelihoods, measurements, and the manifest last."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.checksums import sha256_of
from ..contracts.kept_progress import KeptMeasurements
from ..contracts.likelihoods import Likelihoods
from ..contracts.manifest import Manifest
from ..contracts.measurements import LatencyReadings, Measurements
from ..contracts.prepared_dataset import PreparedDataset
from ..contracts.records import repeat_files, repeat_names, write_records
from ..devices.description import software
from ..errors import DataError
from ..study.spec import CellSpec, identity_hash
from .likelihood_file import likelihoods_of
from .prepared_cell import CellFolders, PreparedCell
from .progress import Progress

if TYPE_CHECKING:
    from ..contracts.machine import DeviceFacts


def _timed_elsewhere(kept: KeptMeasurements, device: DeviceFacts) -> LatencyReadings:
    """The latencies of a cell, with the device that they are of where its last start had another kind."""
    if kept.device is None or kept.device.is_alike(device):
        return kept.latency
    return kept.latency.model_copy(update={"device": kept.device})


def write_cell(
    spec: CellSpec,
    prepared: PreparedCell,
    folders: CellFolders,
    progress: Progress,
    kept: KeptMeasurements,
    device: DeviceFacts,
    started: datetime,
) -> None:
    """Write the cell's files; the manifest comes last, since it also says what the others hold.

    Raises:
        DataError: answers that were kept are gone, or the disk refuses.
    """
    assert kept.facts is not None and kept.quality_pass is not None
    done, history, versions = progress.finished(), progress.history(), software(spec.stored.root)
    requests = prepared.requests
    lost = sum(request.sample_id not in done for request in requests)
    if lost:
        raise DataError(
            f"{folders.progress}: {lost} of {len(requests)} answers are no longer there, as they were removed while the cell ran; "
            "run again, and they are answered again"
        )
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


def _write_likelihoods(prepared: PreparedCell, folder: Path, progress: Progress) -> list[str]:
    """Write the likelihoods where they are kept, and take away those of an earlier run; returns the file's name, or none."""
    if prepared.questions is None:
        (folder / Likelihoods.file).unlink(missing_ok=True)
        return []
    ids = [request.sample_id for request in prepared.requests]
    kept = likelihoods_of(ids, progress.scores(prepared.full), prepared.questions)
    kept.write(folder / Likelihoods.file)
    return [Likelihoods.file]
