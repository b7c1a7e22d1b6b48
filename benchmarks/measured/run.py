"""Run a set's jobs in worker processes, within a time limit, and gather what they leave into one result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.devices import visible_devices
from quantbench.devices.description import device_facts, software
from quantbench.planner import GIB

from .sets import Job, MeasuredSet, measured_set, too_large

REPOSITORY = Path(__file__).resolve().parents[2]
# A worker looks at the deadline between records; the one it is at may take this much longer before it is stopped.
GRACE_S = 15.0
FORMAT = 1  # of the result; resources/measured/README.md describes it
Record = dict[str, Any]


def run_set(name: str, uuids: Sequence[str], minutes: float, threads: int) -> Record:
    """Measure a set on the first visible GPU, or on CPU where there is none, and return the result.

    Jobs the planner says cannot fit, and those there was no time for, are named under ``left_out``.
    """
    begin = time.monotonic()
    device = "cuda" if uuids else "cpu"
    jobs = measured_set(name, read_entries(REPOSITORY / "config/models", ModelEntry))
    precisions = read_entries(REPOSITORY / "config/precisions", PrecisionEntry)
    memory_bytes = device_memory_bytes(uuids[0]) if uuids else None
    left_out: list[Record] = []
    wanted: list[Job] = []
    for job in jobs.jobs:
        reason = too_large(jobs, job, precisions, memory_bytes / GIB if memory_bytes else None)
        if reason:
            left_out.append({"model": job.model, "precision": job.precision, "reason": reason})
        else:
            wanted.append(job)
    task = {"set": name, "device": device, "uuids": list(uuids[:1]), "threads": threads}
    records = run_jobs(jobs, wanted, task, begin + 60 * minutes - GRACE_S)
    result = {
        "format": FORMAT,
        "set": name,
        "device": device_facts(device, list(uuids[:1])).model_dump()
        | {"memory_bytes": memory_bytes, "threads": threads},
        "software": software(REPOSITORY).model_dump(),
        "settings": jobs.settings(),
        "titles": {model: jobs.models[model].title for model in dict.fromkeys(job.model for job in jobs.jobs)},
    }
    return result | gather(records, left_out) | {"seconds": time.monotonic() - begin}


def run_jobs(jobs: MeasuredSet, wanted: Sequence[Job], task: Record, deadline: float) -> list[Record]:
    """Run jobs in worker processes until the deadline; a worker that dies costs its job, and the next takes the rest.

    A worker gets ``set``, ``device``, ``uuids``, ``threads`` of ``task``, its ``jobs``, the ``deadline``, whether to time a
    ``copy`` first, and ``out``, the file it appends its records to.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, left, copied = Path(folder) / "records.jsonl", list(wanted), False
        while left:
            chunk, found = left[: jobs.jobs_a_process], len(_read(out))
            asked = {"jobs": [[job.model, job.precision] for job in chunk], "copy": not copied, "deadline": deadline}
            status = _work(task | asked | {"out": str(out)}, deadline)
            begun = [record for record in _read(out)[found:] if record["kind"] in ("begin", "left_out")]
            done = list(dict.fromkeys(Job(record["model"], record["precision"]) for record in begun))
            if status:
                lost = done[-1] if done else chunk[0]
                reason = "out of time" if status == "timeout" else f"the measuring process ended with {status}"
                _append(out, {"kind": "left_out", "model": lost.model, "precision": lost.precision, "reason": reason})
                done = [*done, lost]
            copied = True
            left = [job for job in left if job not in done]
        return _read(out)


def gather(records: Sequence[Record], left_out: Sequence[Record]) -> Record:
    """The worker's records by kind: ``copy_bytes_per_s``, ``rows``, ``quality``, ``engines`` (or None), ``left_out``."""

    def of(kind: str) -> list[Record]:
        found = [record for record in records if record["kind"] == kind]
        return [{key: value for key, value in record.items() if key != "kind"} for record in found]

    return {
        "copy_bytes_per_s": next((record["copy_bytes_per_s"] for record in of("copy")), None),
        "rows": of("row"),
        "quality": of("quality"),
        "engines": next(iter(of("engines")), None),
        "left_out": [*left_out, *of("left_out")],
    }


def device_memory_bytes(uuid: str) -> int:
    """All memory of a GPU, by NVML."""
    import pynvml

    pynvml.nvmlInit()
    return int(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByUUID(uuid)).total)


def first_device() -> list[str]:
    """The UUID of the GPU to measure on; empty where there is none."""
    return visible_devices()[:1]


def _work(task: Record, deadline: float) -> str:
    """Run one worker; empty where it ended well, else ``timeout`` or its exit status in words."""
    paths = [str(REPOSITORY), str(REPOSITORY / "workflow"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "benchmarks.measured.worker", json.dumps(task)]
    try:
        done = subprocess.run(
            command, env=environment, timeout=max(GRACE_S, deadline + GRACE_S - time.monotonic()), check=False
        )
    except subprocess.TimeoutExpired:
        return "timeout"
    return f"exit status {done.returncode}" if done.returncode else ""


def _append(out: Path, record: Record) -> None:
    with out.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(record) + "\n")


def _read(out: Path) -> list[Record]:
    if not out.exists():
        return []
    lines = out.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]  # a killed worker may leave half a line
