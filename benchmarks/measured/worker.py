"""The process that measures: ``python -m benchmarks.measured.worker TASK``; it appends one JSON record a line to a file.

A process of its own, so that the command outlives what kills it: memory, the driver, the deadline.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.devices.runtime import set_environment
from quantbench.errors import QuantbenchError

from .sets import Job, MeasuredSet, measured_set

REPOSITORY = Path(__file__).resolve().parents[2]


def main(task: dict[str, Any]) -> None:
    """Measure the jobs of a task; see :func:`benchmarks.measured.run.run_jobs` for its fields."""
    set_environment(task["threads"], task["device"], task["uuids"])
    out = Path(task["out"])
    jobs = measured_set(task["set"], read_entries(REPOSITORY / "config/models", ModelEntry))
    precisions = read_entries(REPOSITORY / "config/precisions", PrecisionEntry)
    wanted = [(Job(model, name), precisions[name]) for model, name in task["jobs"]]
    if time.monotonic() < task["deadline"]:
        _prepare(task, out)
    for job, precision in wanted:
        names = {"model": job.model, "precision": job.precision}
        if time.monotonic() > task["deadline"]:
            _append(out, {"kind": "left_out", **names, "reason": "out of time"})
            continue
        _append(out, {"kind": "begin", **names})
        reason = _measure(task, jobs, job, precision, out)
        if reason:
            _append(out, {"kind": "left_out", **names, "reason": reason})


def _prepare(task: dict[str, Any], out: Path) -> None:
    """Start the device, so that peaks can be reset before the first model loads; time its copy where asked to."""
    import torch

    from .bandwidth import copy_bytes_per_s
    from .job import release

    if task["device"] == "cuda":
        torch.cuda.init()
    if task["copy"]:
        _append(out, {"kind": "copy", "copy_bytes_per_s": copy_bytes_per_s(task["device"])})
        release()


def _measure(task: dict[str, Any], jobs: MeasuredSet, job: Job, precision: PrecisionEntry, out: Path) -> str:
    """Measure one job; why it ended early, or empty."""
    from .job import measure, release

    reason = ""
    try:
        for record in measure(jobs, job, precision, task["device"], task["uuids"], task["deadline"]):
            _append(out, record)
    except (QuantbenchError, RuntimeError) as error:  # torch's out of memory is a RuntimeError
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    release()  # after the handler: the error's trace holds the model
    return reason


def _append(out: Path, record: dict[str, Any]) -> None:
    with out.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
