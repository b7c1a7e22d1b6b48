"""Real cells of a demo model without Snakemake: lease, load, measure, answer; and from a checkpoint quantized here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from statistics import median

from benchmarks.measured.plain_cells import PlainRun
from benchmarks.watched import REPOSITORY, NotTried

from quantbench import jobs
from quantbench.config import layered
from quantbench.config.settings import merged
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.measurements import Measurements
from quantbench.contracts.records import Prediction, read_records
from quantbench.errors import ModelError

from .found import Found, Setup
from .result import AnswerComparison, CheckedCell, Evidence

PRECISIONS = ("full", "w8a16", "w4a16")
ENGINES = ("static", "single", "continuous")
ATTENTION = "sdpa"  # transformers' usual one, by which samples are timed
MODEL, DATASET, PROMPTING = "tiny-m", "medqa", "instruction-0shot"
# A checkpoint is quantized and loaded at this one.
CHECKPOINT_PRECISION = "w4a16"
_CHECKPOINT = f"{CHECKPOINT_PRECISION}-static-checkpoint"


def configuration(setup: Setup, **stated: object) -> dict[str, object]:
    """The demo's configuration on this device, with few samples; ``stated`` goes on top."""
    own: dict[str, object] = {
        "run": "gpu_check",
        "models": [MODEL],
        "datasets": [DATASET],
        "limit": setup.samples,
        "inference": {"max_new_tokens": setup.new_tokens},
        "models_folder": str(setup.out / "models"),
        "measurement": {"latency_samples": 2, "warmup": 1, "fixed_samples": 2},
        "hardware": {"device": setup.device, "threads": setup.threads, "warm_start": False},
    }
    return merged(merged(layered(REPOSITORY, [REPOSITORY / "config/demo.yaml"]), own), stated)


def prepare_data(setup: Setup) -> Found:
    """Write the samples that all cells answer."""
    samples = PlainRun(configuration(setup), setup.out).prepare(DATASET)
    return Found(f"{samples} samples of the demo's {DATASET}")


def run_cell(setup: Setup, precision: str, engine: str, checkpoint: bool = False, name: str = "") -> Found:
    """Run one cell of the demo's model and read its files, which stand under ``name``."""
    config = configuration(setup, inference={"engine": engine}, keep="both" if checkpoint else "full")
    cell = f"{MODEL}/{precision}/{DATASET}/{PROMPTING}"
    outputs = PlainRun(config, setup.out).infer(cell, name or f"{precision}-{engine}", _gpus(setup))
    found = _read(outputs, precision, engine, checkpoint, demo_answers(setup, precision))
    compared = found.answers
    equal = "demo's answers not at hand" if compared is None else f"{compared.equal}/{compared.samples} as on CPU"
    words = f"{found.samples} answers in {found.computed_in}, {equal}"
    return Found(words, cells=(found,), evidence=_evidence(outputs))


def quantize(setup: Setup) -> Found:
    """Write the quantized checkpoint that a cell loads afterwards."""
    manifest = setup.out / "models/quantized" / MODEL / CHECKPOINT_PRECISION / "manifest.json"
    run = PlainRun(configuration(setup, keep="both"), setup.out)
    jobs.quantize_model(run.config, MODEL, CHECKPOINT_PRECISION, manifest, str(run.notes), _gpus(setup))
    return Found(f"{sum(path.stat().st_size for path in manifest.parent.iterdir()) / 1e6:.1f} MB")


def run_cell_from_checkpoint(setup: Setup) -> Found:
    """Run a cell from the checkpoint; its answers must be those of the cell that quantized while it loaded."""
    found = run_cell(setup, CHECKPOINT_PRECISION, "static", checkpoint=True, name=_CHECKPOINT)
    first = setup.out / "cells" / f"{CHECKPOINT_PRECISION}-static/predictions.jsonl"
    if not first.exists():
        raise NotTried(f"{found.words}; there is no cell quantized while loading to compare with")
    ours = setup.out / "cells" / _CHECKPOINT / "predictions.jsonl"
    here, there = _outputs(ours), _outputs(first)
    equal = sum(here[name] == there[name] for name in there)
    if equal != len(there):
        raise ModelError(f"only {equal} of {len(there)} answers are those of the cell that quantized while it loaded")
    return Found(f"{found.words}; all as quantized while loading", found.cells, evidence=found.evidence)


def demo_answers(setup: Setup, precision: str) -> Path | None:
    """The folder of the same cell in the shipped demo, which ran on a CPU; None where it cannot be opened."""
    try:
        import zstandard  # noqa: F401
    except ImportError:
        return None
    from quantbench.bundle.opening import open_bundle

    run = open_bundle(REPOSITORY / "resources/demo/demo.tar.zst", setup.out / "demo", REPOSITORY).parent
    folder = run / "cells" / MODEL / precision / DATASET / PROMPTING
    return folder if (folder / "manifest.json").exists() else None


def _read(outputs: Path, precision: str, engine: str, checkpoint: bool, demo: Path | None) -> CheckedCell:
    measured, manifest = Measurements.read(outputs / "measurements.json"), Manifest.read(outputs / "manifest.json")
    timed, computed_in = measured.latency.samples, manifest.precision_applied.dtype
    answers = _outputs(outputs / "predictions.jsonl")
    compared = None
    if demo is not None:
        known = _outputs(demo / "predictions.jsonl")
        shared = [name for name in answers if name in known]
        compared = AnswerComparison(
            samples=len(shared),
            equal=sum(answers[name] == known[name] for name in shared),
            computed_in=computed_in,
            cpu_computed_in=Manifest.read(demo / "manifest.json").precision_applied.dtype,
        )
    return CheckedCell(
        model=MODEL,
        precision=precision,
        engine=engine,
        checkpoint=checkpoint,
        samples=len(answers),
        computed_in=computed_in,
        weight_bytes=measured.held_weight_bytes or measured.weight_bytes,
        peak_allocated_bytes=measured.memory.inference.peak_allocated_bytes,
        load_s=measured.load_s,
        first_token_s=median(one.first_token_s or 0.0 for one in timed),
        latency_s=median(one.latency_s for one in timed),
        energy_j=measured.energy.energy_j,
        foreign_processes=len(manifest.foreign_processes.found),
        answers=compared,
    )


def _evidence(outputs: Path) -> tuple[Evidence, ...]:
    """What a cell on a GPU shows: NVML's answers and refusals end in files, and every engine computes attention alike."""
    measured = Measurements.read(outputs / "measurements.json")
    if measured.device.kind != "cuda":
        return ()
    energy, used = measured.energy, measured.quality_pass
    told = f"{energy.energy_j:.1f} J by {energy.source}" if energy.energy_j is not None else energy.reason
    seen = [Evidence(finding="nvml_refusals", holds=True, words=f"a cell with energy: {told}")]
    if used.engine == "continuous":
        words = f"attention by {used.attention}, timed with {ATTENTION}; {_installed()}"
        seen.append(Evidence(finding="continuous_choices", holds=used.attention == ATTENTION, words=words))
    return tuple(seen)


def _installed() -> str:
    """Which of the packages are here that would change the engine's choices if it left them open."""
    found = [name for name in ("flash_attn", "kernels", "triton") if find_spec(name)]
    return f"installed: {', '.join(found) or 'neither flash_attn nor kernels nor triton'}"


def _outputs(path: Path) -> dict[str, list[str]]:
    return {one.sample_id: one.outputs for one in read_records(path, Prediction)}


def _gpus(setup: Setup) -> int:
    return 1 if setup.device == "cuda" else 0
