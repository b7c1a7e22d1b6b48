"""The files of finished cells beside what the planner says of them: rows of the result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from quantbench.config import Catalogue
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.measurements import Measurements
from quantbench.contracts.records import Prediction, read_records
from quantbench.planner import Setting, plan_memory
from quantbench.planner.terms import quantization_state, weights
from quantbench.planner.weight_bytes import HALF

from .sets import setting

Row = dict[str, object]


def row(catalogue: Catalogue, cell: Cell, folder: Path) -> Row:
    """Single prompts of one cell: memory against the plan, raw times."""
    measured, planned = Measurements.read(folder / "measurements.json"), setting(catalogue, cell)
    plan, timed = plan_memory(planned), measured.latency.samples
    held = measured.held_weight_bytes or measured.weight_bytes
    return {
        **_names(cell),
        "weights": measured.weights,
        "load_s": measured.load_s,
        "weight_bytes": measured.weight_bytes,
        "after_load": measured.memory.after_load.model_dump(),
        "prompt_tokens": timed[0].prompt_tokens,
        "new_tokens": timed[0].new_tokens,
        "planned_weight_bytes": sum(term(planned, planned.whole, "prompt") for term in (weights, quantization_state)),
        "planned_peak_bytes": plan.peak_bytes,
        "planned_terms": plan.terms,
        "planned_stage": plan.stage,
        **measured.memory.inference.model_dump(include=set(_PEAKS)),
        "first_token_s": [one.first_token_s for one in timed],
        "latency_s": [one.latency_s for one in timed],
        "read_bytes_a_token": held - _looked_up(planned, held / measured.weight_bytes),
    }


def quality(cell: Cell, folder: Path) -> Row:
    """The quality pass of one cell: its batch, with the energy it took."""
    measured, manifest = Measurements.read(folder / "measurements.json"), Manifest.read(folder / "manifest.json")
    answers = read_records(folder / "predictions.jsonl", Prediction)
    new, seconds = sum(sum(one.new_tokens) for one in answers), measured.quality_pass.seconds
    joules = measured.energy.energy_j
    return {
        **_names(cell),
        "samples": len(answers),
        "prompt_tokens": round(fmean(one.prompt_tokens for one in answers)),
        "seconds": seconds,
        "new_tokens": new,
        "tokens_per_s": new / seconds,
        "halved_batches": len(manifest.halved_batches),
        "energy": measured.energy.model_dump(),
        "energy_j_per_1000_tokens": None if joules is None else 1000 * joules / new,
    }


def engines(compared: tuple[str, str], by_engine: Mapping[str, Row], peers: Mapping[str, object]) -> Row:
    """New tokens a second of one model at one precision, by engine and by peer.

    ``peers`` also says the release of lm-evaluation-harness.
    """
    rates = {name: found["tokens_per_s"] for name, found in by_engine.items()}
    others = {name: rate for name, rate in peers.items() if name != "lm_eval_version"}
    version = peers.get("lm_eval_version")
    return {
        "model": compared[0],
        "precision": compared[1],
        "lm_eval_version": version,
        "tokens_per_s": {**rates, **others},
    }


_PEAKS = ("peak_allocated_bytes", "peak_reserved_bytes", "peak_process_bytes", "peak_resident_bytes")


def _names(cell: Cell) -> Row:
    return {"model": cell.model, "precision": cell.precision}


def _looked_up(planned: Setting, widened: float) -> float:
    """Bytes of an embedding table of its own, of which a new token reads one row; a tied one is read whole, as output head."""
    facts = planned.facts
    return 0.0 if facts.tied_head else facts.vocab_size * facts.hidden_size * HALF * widened
