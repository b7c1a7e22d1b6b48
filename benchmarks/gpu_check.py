"""The first run on a GPU: whether every step works there, and whether memory is what plan and trace say.

    python benchmarks/gpu_check.py                    # on the GPUs that are visible: results/gpu_check/
    python benchmarks/gpu_check.py --rehearse         # without a GPU: all that a processor can show
    python benchmarks/gpu_check.py --only 'cell full *' --only data

Nine cells of a demo model (three precisions, three engines) and one from a quantized checkpoint run through the package's
own functions, without Snakemake. Two models with random weights are planned, traced and measured at each precision. The
GPU is filled on purpose to see what is said where memory runs out. Nothing is downloaded. Every check has its own time
limit and none ends the others. gpu_check.json and gpu_check.md are what it found; docs/gpu-check.md explains them.

Exit status: 0 all passed that could be tried, 1 a check failed or there was no time for it, 2 no GPU or bad options.
"""

from __future__ import annotations

import argparse
import fnmatch
import math
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.gpu_checks.findings import findings, slurm_evidence
from benchmarks.gpu_checks.found import Setup
from benchmarks.gpu_checks.peaks import LARGE, SMALL
from benchmarks.gpu_checks.registry import Kind, registry
from benchmarks.gpu_checks.result import FORMAT, Check, CheckedCell, CudaFacts, Evidence, GpuCheck, Peak
from benchmarks.gpu_checks.table import page
from benchmarks.watched import OUT_OF_TIME, REPOSITORY, Record, Step, Worker, run_steps

from quantbench.contracts.files import write_text
from quantbench.contracts.machine import DeviceFacts
from quantbench.devices import foreign_processes, visible_devices
from quantbench.devices.description import device_facts, software
from quantbench.errors import QuantbenchError

NO_GPU = """No GPU is visible: the driver is missing, or CUDA_VISIBLE_DEVICES or the job gives this process none.
Run it where a GPU is, or see what can be seen without one:  python benchmarks/gpu_check.py --rehearse"""

MINUTES = {"cuda": 3.8, "cpu": 15.0}
_ON_CPU = 4  # times as long a processor, perhaps a busy one, may take for a check


def main() -> None:
    """Run as a command."""
    asked = _arguments()
    try:
        uuids = [] if asked.rehearse else visible_devices()
    except QuantbenchError as error:
        _end(str(error))
    if not uuids and not asked.rehearse:
        _end(NO_GPU)
    out = asked.out.resolve()
    # What an earlier check left would be taken for this one's: finished cells are not run again.
    work = out / "gpu_check_work"  # a name that no folder of the user's has
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    except OSError as error:
        _end(f"--out {out}: {error.strerror or error}; give a folder that can be written to")
    setup = Setup(
        out=work,
        device="cuda" if uuids else "cpu",
        uuids=uuids[:1],
        samples=asked.samples,
        threads=asked.threads,
        models=[SMALL] if asked.small else [SMALL, LARGE],
        others=foreign_processes(uuids[0]) if uuids else [],
        long_prompts=bool(uuids),
    )
    chosen = {
        name: kind
        for name, kind in registry(setup).items()
        if any(fnmatch.fnmatch(name, pattern) for pattern in asked.only or ["*"])
    }
    if not chosen:
        _end(f"--only {' '.join(asked.only)} names no check; there are: {', '.join(registry(setup))}")
    minutes = MINUTES[setup.device] if asked.minutes is None else asked.minutes
    begin = time.monotonic()
    records = _run(setup, uuids, chosen, begin + 60 * minutes)
    result = _result(setup, records, time.monotonic() - begin)
    result.write(out / GpuCheck.path)
    written = page(result)
    write_text(out / "gpu_check.md", written)
    print(f"\n{written}\nwrote {out / GpuCheck.path} and {out / 'gpu_check.md'}", flush=True)
    sys.exit(1 if any(check.status == "failed" or check.words == OUT_OF_TIME for check in result.checks) else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "results/gpu_check", help="folder to write to")
    parser.add_argument("--rehearse", action="store_true", help="on the processor, also where a GPU is")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="checks by name; may be repeated")
    parser.add_argument("--samples", type=int, default=24, help="of each cell (%(default)s)")
    parser.add_argument("--small", action="store_true", help="leave the larger model with random weights out")
    parser.add_argument("--minutes", type=float, help="stop by then (3.8; a rehearsal 15)")
    parser.add_argument("--threads", type=int, default=2, help="of the processor (%(default)s)")
    asked = parser.parse_args()
    for name, least in (("samples", 1), ("threads", 1), ("minutes", 0.0)):
        value = getattr(asked, name)
        if value is not None and not least <= value < math.inf:
            parser.error(f"--{name} has the value {value}; give a number of at least {least:g}")
    return asked


def _run(setup: Setup, uuids: Sequence[str], chosen: dict[str, Kind], deadline: float) -> list[Record]:
    """Run the checks that one GPU is enough for, then those that need several."""
    records: list[Record] = []
    runnable: dict[int, list[Step]] = {}
    for name, kind in chosen.items():
        if kind.needs_gpu and not uuids:
            records.append(_not_tried(name, "a rehearsal has no GPU"))
        elif uuids and kind.devices > len(uuids):
            records.append(_not_tried(name, f"only {len(uuids)} GPU is visible"))
        else:
            runnable.setdefault(kind.devices, []).append(Step(name, kind.limit_s * (1 if uuids else _ON_CPU)))
    for devices, steps in runnable.items():
        used = setup.model_copy(update={"uuids": list(uuids[:devices])})
        records += run_steps(_worker(used, devices), steps, deadline, _say)
    order = list(chosen)
    ends = [record for record in records if record["kind"] == "end"]
    others = [record for record in records if record["kind"] != "end"]
    return [*others, *sorted(ends, key=lambda record: order.index(str(record["step"])))]


def _worker(setup: Setup, devices: int) -> Worker:
    task = setup.out / f"setup-{devices}.json"
    write_text(task, setup.model_dump_json())
    # Leases of cells choose among what is visible, so that all processes take the same GPUs.
    environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(setup.uuids)}
    records, log = setup.out / f"records-{devices}.jsonl", setup.out / "log.txt"
    return Worker("benchmarks.gpu_checks.worker", task, records, log, environment)


def _result(setup: Setup, records: Sequence[Record], seconds: float) -> GpuCheck:
    def found(kind: str) -> list[object]:
        return [record["found"] for record in records if record["kind"] == kind]

    checks = [
        Check.model_validate({"name": record["step"], **{key: record[key] for key in ("status", "words", "seconds")}})
        for record in records
        if record["kind"] == "end"
    ]
    evidence = [*map(Evidence.model_validate, found("evidence")), *slurm_evidence()]
    return GpuCheck(
        format=FORMAT,
        rehearsal=setup.device == "cpu",
        device=_device(setup),
        software=software(REPOSITORY),
        cuda=next(map(CudaFacts.model_validate, found("cuda")), None),
        checks=checks,
        cells=[CheckedCell.model_validate(one) for one in found("cell")],
        peaks=[Peak.model_validate(one) for one in found("peak")],
        findings=findings(evidence, checks),
        seconds=round(seconds, 1),
    )


def _device(setup: Setup) -> DeviceFacts:
    """What the checks ran on; the UUIDs alone where NVML refuses to name it, which is no reason to lose the result."""
    try:
        return device_facts(setup.device, setup.uuids)
    except Exception:
        return DeviceFacts(kind="cuda", names=["unnamed GPU"], uuids=setup.uuids)


def _not_tried(name: str, words: str) -> Record:
    _say(f"{name}: not tried, {words}")
    return {"kind": "end", "step": name, "status": "not tried", "words": words, "seconds": 0.0}


def _say(line: str) -> None:
    print(line, flush=True)


def _end(words: str) -> None:
    print(words, file=sys.stderr)
    sys.exit(2)


def _terminated(number: int, _: object) -> None:
    """End as by an error, so that the workers end too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _terminated)
    try:
        main()
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
