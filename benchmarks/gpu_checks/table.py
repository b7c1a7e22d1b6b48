"""The result as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.watched import OUT_OF_TIME

from quantbench.planner import GIB

from .peaks import SHOWN_WITHIN
from .result import CheckedCell, GpuCheck, Peak

_PEAKS = (
    "model",
    "precision",
    "stage",
    "prompt",
    "batch",
    "planned GiB",
    "traced GiB",
    "measured GiB",
    "planned",
    "traced",
)
_CELLS = ("cell", "computed in", "samples", "as on CPU", "peak MiB", "load s", "first ms", "answer ms", "energy J")


def page(result: GpuCheck) -> str:
    """Peaks side by side, cells, findings and checks."""
    names = ", ".join(result.device.names)
    title = f"# GPU check: {names}" + (" (rehearsal without a GPU)" if result.rehearsal else "")
    failed = [check.name for check in result.checks if check.status == "failed"]
    outcome = f"Failed: {', '.join(failed)}" if failed else "Every check passed that could be tried"
    parts = [title, f"{outcome}; {result.seconds:.0f} s."]
    if late := [check.name for check in result.checks if check.status == "not tried" and check.words == OUT_OF_TIME]:
        parts.append(
            f"There was no time left for {', '.join(late)}: give more with --minutes, or name them with --only."
        )
    if result.cuda:
        cuda = result.cuda
        free = "; ".join(f"{gpu.name}, compute capability {gpu.compute_capability}" for gpu in cuda.gpus)
        workspace = "unknown" if cuda.workspace_bytes is None else f"{cuda.workspace_bytes / 2**20:.2f} MiB"
        parts.append(
            f"{free}. Driver {cuda.driver} (CUDA {cuda.driver_cuda}), torch for CUDA {cuda.torch_cuda}, "
            f"cuBLAS workspace {workspace}."
        )
    parts += ["## Peaks", _table(_PEAKS, [_peak(one) for one in result.peaks])]
    parts.append(
        f"The two last columns are planned and traced over measured; a claim is shown within {SHOWN_WITHIN:.0%}."
    )
    parts += ["## Cells", _table(_CELLS, [_cell(one) for one in result.cells])]
    rows = [(one.claim, one.status, "; ".join(one.words)) for one in result.findings]
    parts += ["## Claims", _table(("claim", "here", "seen"), rows)]
    checks = [(one.name, one.status, f"{one.seconds:.1f}", one.words) for one in result.checks]
    parts += ["## Checks", _table(("check", "status", "s", "found"), checks)]
    return "\n\n".join(parts) + "\n"


def _peak(one: Peak) -> tuple[str, ...]:
    measured = sum(one.measured_bytes) if one.measured_bytes else None
    work = (str(one.prompt_tokens), str(one.batch)) if one.stage == "answering" else ("", "")
    guesses = (sum(one.planned_bytes), sum(one.traced_bytes))
    sizes = tuple(_number(size, GIB) for size in (*guesses, measured))
    return (one.model, one.precision, one.stage, *work, *sizes, *(_error(guess, measured) for guess in guesses))


def _cell(one: CheckedCell) -> tuple[str, ...]:
    name = f"{one.precision} {one.engine}" + (" from checkpoint" if one.checkpoint else "")
    compared = one.answers
    equal = "" if compared is None else f"{compared.equal}/{compared.samples} (CPU: {compared.cpu_computed_in})"
    times = (f"{one.load_s:.1f}", f"{1000 * one.first_token_s:.0f}", f"{1000 * one.latency_s:.0f}")
    return (
        *(name, one.computed_in, str(one.samples), equal, _number(one.peak_allocated_bytes, 2**20)),
        *times,
        "" if one.energy_j is None else f"{one.energy_j:.1f}",
    )


def _number(size: float | None, unit: int) -> str:
    return "" if size is None else f"{size / unit:.3f}"


def _error(guessed: float | None, measured: float | None) -> str:
    return f"{guessed / measured - 1:+.2%}" if guessed and measured else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
