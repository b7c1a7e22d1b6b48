"""The peaks of the paper's twelve models traced, planned and published, written into docs/memory.md.

    python benchmarks/memory_table.py                                  all of them: about ten minutes of one processor
    python benchmarks/memory_table.py --model llama-3.3-70b            some of them, on standard output

Every peak is traced anew by quantbench.tracing, on a processor and without weights; models of one architecture are traced once. What is
published are the peaks of Table 1 of arXiv 2509.04534, on four A100 40GB; the prompt lengths beside them are assumed
(resources/paper/prompt_tokens.csv).
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from quantbench.config import ModelEntry, PrecisionEntry, read_entries  # noqa: E402
from quantbench.planner import GIB, Plan, Setting, Workload, plan_memory  # noqa: E402
from quantbench.planner.against_paper import PROMPT_TOKENS, TABLE1  # noqa: E402
from quantbench.tracing.engine_walk import Use  # noqa: E402
from quantbench.tracing.peak_trace import Traced, trace  # noqa: E402

PRECISIONS = ("full", "w8a16", "w4a16")
NEW_TOKENS = 50  # the paper's limit
SAMPLES = 16
BEGIN, END = "<!-- traced by benchmarks/memory_table.py -->", "<!-- end of what was traced -->"
# Two lines of names: what is run, and what of it a column shows.
HEADER = (
    *("model", "precision", "MedQA on 4 GPUs: traced", "planned", "published"),
    *("LitCovid on 4 GPUs: traced", "planned", "published"),
    *("MedQA on 1 GPU: traced", "planned", "16 samples of MedQA on 1 GPU: traced", "planned", "largest error"),
)


@dataclass(frozen=True)
class Peak:
    """One workload of a model, traced and planned; ``published_gib``: what the paper measured, where it did."""

    plan: Plan
    traced: Traced
    published_gib: float | None

    @property
    def largest_error(self) -> float:
        """The plan's error in percent of the trace, of all devices together or of a single one, whichever is larger."""
        planned = [self.plan.peak_bytes, *(device.peak_bytes for device in self.plan.devices)]
        traced = [self.traced.peak_bytes, *(moment.bytes for moment in self.traced.peaks)]
        return max((100 * (a / b - 1) for a, b in zip(planned, traced, strict=True)), key=abs)

    def cells(self, with_published: bool) -> list[str]:
        """Of the table: GiB of all devices together."""
        shown = [f"{self.traced.peak_bytes / GIB:.3f}", f"{self.plan.peak_bytes / GIB:.3f}"]
        return [*shown, f"{self.published_gib:.2f}" if self.published_gib else ""] if with_published else shown


@dataclass(frozen=True)
class Line:
    """A model at a precision: its peaks, in the order of :func:`workloads`."""

    model: str
    precision: str
    peaks: list[Peak]

    @property
    def largest_error(self) -> float:
        """Of any of its peaks, in percent."""
        return max((peak.largest_error for peak in self.peaks), key=abs)

    def __str__(self) -> str:
        medqa, litcovid, one, batch = self.peaks
        columns = [*medqa.cells(True), *litcovid.cells(True), *one.cells(False), *batch.cells(False)]
        return "| " + " | ".join([self.model, self.precision, *columns, f"{self.largest_error:+.2f}%"]) + " |"


def workloads() -> list[Workload]:
    """What is traced of each model and precision: one sample on four GPUs and on one, a batch on one."""
    medqa, litcovid = (_prompt_tokens()[dataset] for dataset in ("medqa", "litcovid"))
    return [
        Workload(medqa, NEW_TOKENS, devices=4),
        Workload(litcovid, NEW_TOKENS, devices=4),
        Workload(medqa, NEW_TOKENS),
        Workload(medqa, NEW_TOKENS, batch=SAMPLES),
    ]


def lines(models: Sequence[str] | None = None, precisions: Sequence[str] = PRECISIONS) -> Iterator[Line]:
    """Trace and plan models, the twelve of the paper or those given, at each precision."""
    entries = read_entries(ROOT / "config/models", ModelEntry)
    known = read_entries(ROOT / "config/precisions", PrecisionEntry)
    twelve = [name for name, entry in entries.items() if entry.hub_id and name not in _OTHERS]
    published = _published()
    lengths = {tokens: dataset for dataset, tokens in _prompt_tokens().items()}
    traces: dict[str, Traced] = {}
    for model in models or twelve:
        for precision in precisions:
            peaks = []
            for work in workloads():
                plan = plan_memory(Setting(entries[model], known[precision], work))
                measured = published.get((lengths[work.prompt_tokens], model, precision))
                asked = measured if (work.devices, work.batch) == (4, 1) else None
                peaks.append(Peak(plan, _traced(plan, traces), asked))
            yield Line(model, precision, peaks)


def _traced(plan: Plan, traces: dict[str, Traced]) -> Traced:
    """The trace of what is planned: that of another model of the same sizes, where there is one."""
    setting = plan.setting
    model = setting.model
    same = (model.family, model.architecture, model.config_json, model.full_dtype, setting.precision.title)
    key = repr((same, setting.workload, plan.placement))
    if key not in traces:
        traces[key] = trace(model, setting.precision, Use.of(setting.workload), plan.placement)
    return traces[key]


def table(found: Sequence[Line]) -> str:
    """The lines in Markdown, and what they add up to."""
    head = ["| " + " | ".join(HEADER) + " |", "|" + " --- |" * len(HEADER)]
    largest = max((line.largest_error for line in found), key=abs)
    peaks = sum(len(line.peaks) for line in found)
    said = f"{peaks} peaks; the plan is {largest:+.2f}% off at most, of all GPUs together or of any one of them."
    return "\n".join([*head, *map(str, found), "", said])


def write(text: str, path: Path) -> None:
    """Put the table where the page has its markers."""
    page = path.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")


# Of the shipped entries with a place on the hub, those that the paper does not have.
_OTHERS = ("smollm2-135m",)


def _prompt_tokens() -> dict[str, int]:
    with (ROOT / PROMPT_TOKENS).open(encoding="utf-8", newline="") as file:
        return {row["dataset"]: int(row["prompt_tokens"]) for row in csv.DictReader(file)}


def _published() -> dict[tuple[str, str, str], float]:
    with (ROOT / TABLE1).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["dataset"], row["model"], row["precision"]): float(row["memory_gb"]) for row in rows}


def main() -> None:
    """Write the table, or print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = sorted(read_entries(ROOT / "config/models", ModelEntry))
    parser.add_argument(
        "--model", action="append", metavar="NAME", choices=known, help="some models, printed; may be repeated"
    )
    arguments = parser.parse_args()
    found = []
    for line in lines(arguments.model):
        found.append(line)
        print(line, file=sys.stderr, flush=True)
    if arguments.model:
        print(table(found))
    else:
        write(table(found), ROOT / "docs/memory.md")


if __name__ == "__main__":
    main()
