"""The planner's number of GPUs and its placement, held against what loading and answering really do there.

    python benchmarks/placement_scan.py [--models a,b] [--precisions full,w4a16] [--gib 24,80] [--out scan.csv]

For each model, precision and size of GPU: the number of GPUs planned, the device map that loading gets for the planned placement on
the real class (every parameter on a GPU), and every device's peak traced by the model's own code while a prompt of 2,048 tokens is
answered. Two things are asked: whether each device holds its peak, and whether one GPU less really does not, in the placement with
the least maximum and with the margin that the planner keeps. Prints disagreements; with ``--out`` rows found before are not computed
again. Needs the inference environment, no weights and no GPU.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from quantbench.config import ModelEntry, PrecisionEntry, read_entries  # noqa: E402
from quantbench.planner import GIB, Placement, Setting, Workload, nearest_gpu, place  # noqa: E402
from quantbench.planner.fitting import devices_needed, free_bytes  # noqa: E402
from quantbench.planner.gpus import GPUS  # noqa: E402
from quantbench.tracing.engine_walk import Use  # noqa: E402
from quantbench.tracing.peak_trace import trace  # noqa: E402

SIZES_GIB = (12, 16, 20, 24, 32, 40, 48, 80)
PRECISIONS = ("full", "w8a16", "w4a16")
WORK = Workload()


@dataclass(frozen=True)
class Row:
    """One model at one precision on GPUs of one size; bytes as GiB, of the fullest device."""

    model: str
    precision: str
    gib: int
    gpus: int
    blocks: str
    usable: float
    planned: float
    traced: float
    traced_with_one_less: float

    @property
    def disagreement(self) -> str:
        """What the trace says against the plan; empty: nothing."""
        if not self.gpus:
            return "planned on no number of GPUs" if self.traced <= self.usable else ""
        if self.traced > self.usable:
            return f"the fullest device holds {self.traced:.2f} GiB"
        if self.gpus > 1 and self.traced_with_one_less <= self.usable:
            return f"one GPU less would do: {self.traced_with_one_less:.2f} GiB"
        return ""


class Scan:
    """Traces each placement of each architecture once."""

    def __init__(self) -> None:
        self._traced: dict[tuple[object, ...], float] = {}

    def row(self, name: str, entry: ModelEntry, precision: str, arm: PrecisionEntry, gib: int) -> Row:
        """Plan and trace one combination."""
        kind = next(key for key, gpu in GPUS.items() if gpu == nearest_gpu(gib))
        setting = Setting(entry, arm, WORK, gpu=GPUS[kind])
        needed = devices_needed(setting, gib)
        usable = free_bytes(gib)
        if needed is None:
            return Row(name, precision, gib, 0, "", usable / GIB, math.inf, math.inf, math.inf)
        spread = place(setting, [usable] * needed)
        assert spread is not None
        less = place(setting, [math.inf] * (needed - 1)) if needed > 1 else None
        planned = replace(setting, workload=replace(WORK, devices=needed))
        return Row(
            name,
            precision,
            gib,
            needed,
            "+".join(str(spread.part(device).blocks) for device in range(needed)),
            usable / GIB,
            _fullest(planned, spread) / GIB,
            self._peak(setting, spread, kind) / GIB,
            self._peak(setting, less, kind) / GIB if less else math.inf,
        )

    def _peak(self, setting: Setting, spread: Placement, kind: str) -> float:
        """The fullest device while it loads or answers, traced."""
        entry = setting.model
        # Nothing here depends on how long a context may be, nor on more of the chip than its generation: so many rows of NF4 are
        # always multiplied by a copy.
        sizes = entry.architecture.model_copy(update={"context_length": 1})
        key = (repr(sizes), repr(entry.counted), setting.precision.title, spread, GPUS[kind].capability[0])
        if key not in self._traced:
            found = trace(entry, setting.precision, Use.of(WORK), spread, kind)
            self._traced[key] = max(moment.bytes for stage in found.stages.values() for moment in stage)
        return self._traced[key]


def _fullest(setting: Setting, spread: Placement) -> float:
    from quantbench.planner.terms import needed_on

    return max(needed_on(setting, spread.part(device)) for device in range(setting.workload.devices))


def rows(options: argparse.Namespace, known: dict[tuple[str, ...], Row]) -> Iterator[Row]:
    """Every combination asked for; those known already are not traced."""
    models = read_entries(ROOT / "config/models", ModelEntry)
    precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)
    names = options.models or [name for name, entry in models.items() if entry.hub_id]
    scan = Scan()
    for name in sorted(names, key=lambda name: models[name].counted.parameters):
        for precision in options.precisions:
            for gib in options.gib:
                key = (name, precision, str(gib))
                if key not in known:
                    known[key] = scan.row(name, models[name], precision, precisions[precision], gib)
                yield known[key]


def read(path: Path | None) -> dict[tuple[str, ...], Row]:
    """The rows of an earlier scan."""
    if path is None or not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        found = [
            Row(
                row["model"],
                row["precision"],
                int(row["gib"]),
                int(row["gpus"]),
                row["blocks"],
                *(float(row[name]) for name in ("usable", "planned", "traced", "traced_with_one_less")),
            )
            for row in csv.DictReader(file)
        ]
    return {(row.model, row.precision, str(row.gib)): row for row in found}


def main() -> None:
    """Scan, print, and count the disagreements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known_models = read_entries(ROOT / "config/models", ModelEntry)
    parser.add_argument(
        "--models", metavar="A,B", type=lambda text: text.split(","), help="those to scan (the twelve of the paper)"
    )
    precisions = ",".join(PRECISIONS)
    parser.add_argument(
        "--precisions",
        metavar="A,B",
        type=lambda text: text.split(","),
        default=list(PRECISIONS),
        help=f"({precisions})",
    )
    sizes = ",".join(map(str, SIZES_GIB))
    parser.add_argument(
        "--gib",
        metavar="N,N",
        type=lambda text: [int(size) for size in text.split(",")],
        default=list(SIZES_GIB),
        help=f"memory of one GPU ({sizes})",
    )
    parser.add_argument("--out", type=Path, metavar="CSV", help="a table that rows are added to")
    options = parser.parse_args()
    for name in options.models or ():
        if name not in known_models:
            parser.error(f"--models: {name!r} is unknown; known: {', '.join(known_models)}")
    for name in options.precisions:
        if name not in PRECISIONS:
            parser.error(f"--precisions: {name!r} is unknown; known: {precisions}")
    known, begin, wrong, count = read(options.out), time.perf_counter(), 0, 0
    new = options.out is not None and not options.out.exists()
    before = set(known)
    for row in rows(options, known):
        count += 1
        wrong += bool(row.disagreement)
        print(*asdict(row).values(), row.disagreement, f"{time.perf_counter() - begin:.0f} s", flush=True)
        if options.out is not None and (row.model, row.precision, str(row.gib)) not in before:
            with options.out.open("a", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
                if new:
                    table.writeheader()
                    new = False
                table.writerow(asdict(row))
    print(f"{count} combinations, {wrong} disagreements")


if __name__ == "__main__":
    main()
