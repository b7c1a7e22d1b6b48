"""The peak of the paper's twelve models traced, planned and published, written into docs/memory.md.

    python benchmarks/memory_table.py                                  all rows: about 25 minutes of one processor
    python benchmarks/memory_table.py --model llama-3.3-70b --print    some of them, on standard output

Every row is traced anew by quantbench.tracing, on the CPU and without weights. What is published are the peaks of Table 1 of
arXiv 2509.04534, on four A100 40GB; the prompt lengths beside them are assumed (resources/paper/prompt_tokens.csv).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from quantbench.config import ModelEntry, PrecisionEntry, read_entries  # noqa: E402
from quantbench.planner import GIB, Setting, Workload, plan_memory  # noqa: E402
from quantbench.planner.against_paper import PROMPT_TOKENS, TABLE1  # noqa: E402
from quantbench.tracing.engine_walk import Use  # noqa: E402
from quantbench.tracing.peak_trace import Traced, trace  # noqa: E402

PRECISIONS = ("full", "w8a16", "w4a16")
DATASETS = ("medqa", "litcovid")
NEW_TOKENS = 50  # the paper's limit
SAMPLES = 16
BEGIN, END = "<!-- traced by benchmarks/memory_table.py -->", "<!-- end of what was traced -->"
HEADER = (
    "model",
    "precision",
    "prompt",
    "GPUs",
    "samples",
    "traced",
    "planned",
    "error",
    "published",
    "fullest GPU",
    "error",
)


@dataclass(frozen=True)
class Row:
    """One setting traced and planned; ``published_gib``: what the paper measured, where it did."""

    model: str
    precision: str
    setting: Setting
    traced: Traced
    published_gib: float | None

    @property
    def error_percent(self) -> float:
        """How far the plan lies above (positive) or below the trace, in percent of the latter."""
        return 100 * (plan_memory(self.setting).peak_bytes / self.traced.peak_bytes - 1)

    @property
    def fullest_error_percent(self) -> float:
        """The same of the fullest device."""
        planned = plan_memory(self.setting).fullest.peak_bytes
        return 100 * (planned / self.traced.fullest.bytes - 1)

    def cells(self) -> list[str]:
        """Of the table, one a column."""
        work, plan = self.setting.workload, plan_memory(self.setting)
        return [
            *(self.model, self.precision, f"{work.prompt_tokens:,}", str(work.devices), str(work.batch)),
            *(f"{self.traced.peak_bytes / GIB:.3f}", f"{plan.peak_bytes / GIB:.3f}", f"{self.error_percent:+.2f}%"),
            f"{self.published_gib:.2f}" if self.published_gib else "",
            *(f"{self.traced.fullest.bytes / GIB:.3f}", f"{self.fullest_error_percent:+.2f}%"),
        ]


def workloads() -> list[Workload]:
    """What is traced of each model and precision: one sample on four GPUs and on one, a batch on one."""
    lengths = _prompt_tokens()
    single = [Workload(lengths[dataset], NEW_TOKENS, devices=devices) for devices in (4, 1) for dataset in DATASETS]
    return [*single, replace(single[0], batch=SAMPLES, devices=1)]


def rows(models: Sequence[str] | None = None, chosen: Sequence[Workload] | None = None) -> Iterator[Row]:
    """Trace and plan each row; of the shipped models that have weights somewhere, or of ``models``."""
    entries = read_entries(ROOT / "config/models", ModelEntry)
    precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)
    paper = [
        name
        for name, entry in entries.items()
        if entry.hub_id and entry.architecture.layers * entry.architecture.hidden_size > _SMALL
    ]
    published = _published()
    for model in models or paper:
        for precision in PRECISIONS:
            for work in chosen or workloads():
                setting = Setting(entries[model], precisions[precision], work)
                placement = plan_memory(setting).placement
                use = Use.of(work)
                traced = trace(entries[model], precisions[precision], use, placement)
                dataset = next(name for name, tokens in _prompt_tokens().items() if tokens == work.prompt_tokens)
                measured = published.get((dataset, model, precision)) if work.devices == 4 and work.batch == 1 else None
                yield Row(model, precision, setting, traced, measured)


def table(found: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    return "\n".join([*lines, *("| " + " | ".join(row.cells()) + " |" for row in found)])


def summary(found: Sequence[Row]) -> str:
    """What the rows add up to, in one sentence."""
    off = [abs(row.error_percent) for row in found]
    fullest = [abs(row.fullest_error_percent) for row in found]
    return (
        f"{len(found)} rows: the plan of all GPUs is at most {max(off):.2f}% off the trace, that of the fullest GPU at most "
        f"{max(fullest):.2f}%."
    )


def write(text: str, path: Path) -> None:
    """Put the table where the page has its markers."""
    page = path.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


# Layers by hidden size of the smallest of the twelve; a stand-in of the demo has less.
_SMALL = 30_000


def _prompt_tokens() -> dict[str, int]:
    with (ROOT / PROMPT_TOKENS).open(encoding="utf-8", newline="") as file:
        return {row["dataset"]: int(row["prompt_tokens"]) for row in csv.DictReader(file)}


def _published() -> dict[tuple[str, str, str], float]:
    with (ROOT / TABLE1).open(encoding="utf-8", newline="") as file:
        return {
            (row["dataset"], row["model"], row["precision"]): float(row["memory_gb"]) for row in csv.DictReader(file)
        }


def main() -> None:
    """Write the table, or print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", metavar="NAME", help="instead of the twelve; may be repeated")
    parser.add_argument("--print", action="store_true", help="leave docs/memory.md as it is")
    arguments = parser.parse_args()
    found = []
    for row in rows(arguments.model):
        found.append(row)
        print(" ".join(row.cells()), file=sys.stderr, flush=True)
    text = f"{table(found)}\n\n{summary(found)}"
    if arguments.print or arguments.model:
        print(text)
    else:
        write(text, ROOT / "docs/memory.md")


if __name__ == "__main__":
    main()
