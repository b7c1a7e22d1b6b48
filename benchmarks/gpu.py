"""What this device does with each model at each precision: memory against the plan, latency, throughput, energy.

    python benchmarks/gpu.py                          # the first GPU; without one, a tiny version on CPU
    python benchmarks/gpu.py --set half               # half a billion weights at every precision, on CPU
    python benchmarks/gpu.py --keep                   # write resources/measured/<device>.json and its figure
    python benchmarks/gpu.py --draw resources/measured/<device>.json

It runs the cells of config/gpu.yaml, stand-ins with random weights (docs/random_weights.md), where there is no Snakemake, and
adds what no cell measures: the plan beside each peak, how fast the device copies, and on one cell a bare ``generate`` loop and,
where it is installed, lm-evaluation-harness. It stops within ``--minutes`` (8); what there was no time for, and what the planner
says cannot fit, is named. resources/measured/README.md describes the JSON.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measured import rows
from benchmarks.measured.sets import CELL_LIMIT_S, MeasuredSet, cells, measured_set, too_large
from benchmarks.measured.summary import text
from benchmarks.measured.worker import COPY, PEERS
from benchmarks.watched import REPOSITORY, Record, Step, Worker, run_steps

from quantbench.contracts.cell_name import Cell, parse_folder
from quantbench.contracts.files import read_json, write_json
from quantbench.devices import visible_devices
from quantbench.devices.description import device_facts, software
from quantbench.measure.nvml import handle, nvml

FORMAT = 2  # of the result; resources/measured/README.md describes it
OTHER_ENGINES = ("continuous", "single")


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=["gpu", "tiny", "half"], help="gpu where there is one, else tiny")
    parser.add_argument("--minutes", type=float, default=8.0, help="stop by then (%(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of the processor (%(default)s)")
    parser.add_argument("--out", type=Path, help="write the result here")
    parser.add_argument("--keep", action="store_true", help="write it to resources/measured/, and its figure")
    parser.add_argument("--draw", type=Path, metavar="JSON", help="draw the figure of a kept result, beside it")
    arguments = parser.parse_args()
    if arguments.draw:
        draw(read_json(arguments.draw), arguments.draw)
        return
    # The small sets are for CPU, also where there is a GPU.
    uuids = [] if arguments.set in ("tiny", "half") else visible_devices()[:1]
    if arguments.set == "gpu" and not uuids:
        sys.exit("--set gpu needs a GPU, and none is visible (driver missing, or CUDA_VISIBLE_DEVICES empty)")
    with tempfile.TemporaryDirectory() as folder:
        name = arguments.set or ("gpu" if uuids else "tiny")
        result = measure(name, uuids, arguments.minutes, arguments.threads, Path(folder))
    print(text(result))
    kept = REPOSITORY / f"resources/measured/{slug(result)}.json" if arguments.keep else None
    for path in filter(None, (arguments.out, kept)):
        write_json(path, result)
        print(f"wrote {path}")
    if kept:
        draw(result, kept)


def measure(name: str, uuids: Sequence[str], minutes: float, threads: int, folder: Path) -> Record:
    """Run a set's cells within the minutes, and gather their files beside the plan.

    Args:
        name: of the set.
        uuids: the GPU; none: on CPU.
        minutes: for all of it.
        threads: of the processor.
        folder: to work in.
    """
    begin, device = time.monotonic(), "cuda" if uuids else "cpu"
    jobs = measured_set(name, device, threads)
    jobs.write(folder)
    catalogue, memory = jobs.catalogue(folder), device_memory_bytes(uuids)
    wanted = cells(catalogue)
    reasons = {cell: too_large(catalogue, cell, memory) for cell in wanted}
    task = folder / "task.json"
    write_json(
        task,
        {"set": name, "device": device, "uuids": list(uuids), "threads": threads, "folder": str(folder)},
    )
    environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(uuids)}
    worker = Worker("benchmarks.measured.worker", task, folder / "records.jsonl", folder / "log.txt", environment)
    steps = steps_of(jobs, [cell for cell in wanted if not reasons[cell]])

    def say(line: str) -> None:
        print(line, flush=True)

    records = run_steps(worker, steps, begin + 60 * minutes, say, jobs.alone)
    run = catalogue.run
    return {
        "format": FORMAT,
        "set": name,
        "device": device_facts(device, list(uuids)).model_dump() | {"memory_bytes": memory, "threads": threads},
        "software": software(REPOSITORY).model_dump(),
        "settings": {
            "prompt_tokens": run.random_weights.prompt_tokens,
            "new_tokens": run.inference.max_new_tokens,
            "samples": run.limit,
            "timed_samples": run.measurement.latency_samples,
            "warmup": run.measurement.warmup,
        },
        "titles": {model: catalogue.models[model].title for model in run.models},
        **gather(records, jobs),
        "left_out": [_left_out(cell, reason) for cell, reason in reasons.items() if reason] + failures(records),
        "seconds": time.monotonic() - begin,
    }


def steps_of(jobs: MeasuredSet, runnable: Sequence[Cell]) -> list[Step]:
    """The device's copy, every cell that fits, and the comparison of engines right after its own cell."""
    steps = [Step(COPY, 60.0)]
    for cell in runnable:
        steps.append(Step(cell.folder, CELL_LIMIT_S))
        if (cell.model, cell.precision) == jobs.engines:
            steps += [Step(f"{other}:{cell.folder}", CELL_LIMIT_S) for other in (*OTHER_ENGINES, PEERS)]
    return steps


def gather(records: Sequence[Record], jobs: MeasuredSet) -> Record:
    """The worker's records by kind: ``copy_bytes_per_s``, ``rows``, ``quality``, ``engines`` (or None)."""

    def of(kind: str) -> list[Record]:
        found = [record for record in records if record["kind"] == kind]
        return [{key: value for key, value in record.items() if key != "kind"} for record in found]

    own = [one for one in of("quality") if (one["model"], one["precision"]) == jobs.engines]
    compared = {"static": own[0]} if own else {}
    compared |= {str(one["engine"]): one for one in of("engine")}
    return {
        "copy_bytes_per_s": next((record["copy_bytes_per_s"] for record in of("copy")), None),
        "rows": of("row"),
        "quality": of("quality"),
        "engines": rows.engines(jobs.engines, compared, next(iter(of(PEERS)), {}))
        if jobs.engines and compared
        else None,
    }


def failures(records: Sequence[Record]) -> list[Record]:
    """Cells, and other engines on them, that were begun or had no time."""
    lost = [record for record in records if record["kind"] == "end" and record["status"] != "passed"]
    found = []
    for record in lost:
        kind, _, name = str(record["step"]).rpartition(":")
        reason = f"{kind}: {record['words']}" if kind else str(record["words"])
        found.append(
            {"model": name, "precision": "", "reason": reason}
            if name == COPY
            else _left_out(parse_folder(name), reason)
        )
    return found


def device_memory_bytes(uuids: Sequence[str]) -> int | None:
    """All memory of the GPU by NVML; None on CPU, and where NVML does not tell."""
    if not uuids:
        return None
    try:
        return int(nvml().nvmlDeviceGetMemoryInfo(handle(uuids[0])).total)
    except nvml().NVMLError:
        return None


def slug(result: dict[str, Any]) -> str:
    """A device's name as a file name; a set of its own is told apart from the usual one."""
    name = re.sub(r"[^a-z0-9]+", "-", " ".join(result["device"]["names"]).lower()).strip("-")
    return name if result["set"] == "gpu" else f"{name}-{result['set']}"


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw a result beside its JSON, as PNG."""
    from benchmarks.measured.figure import figure

    from quantbench.figures.saving import lay_out, save_as

    drawn = figure(result)
    lay_out(drawn)
    print(f"wrote {save_as(drawn, path.with_suffix('.png'), 'png')}")


def _left_out(cell: Cell, reason: str) -> Record:
    return {"model": cell.model, "precision": cell.precision, "reason": reason}


if __name__ == "__main__":
    main()
