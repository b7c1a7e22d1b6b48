"""How many tokens the paper's latencies leave room for.

Two bounds of different kind. ``at_most``: every written token reads all weights once, at no more than the bandwidth of the
data sheet, and nothing else takes time; only at full precision, where kernels waste little. ``implied``: by the times of
``workflow/quantbench/planner/speed.py``, whose costs a call are fitted to these very latencies, with the answers of the two entity
datasets (41 tokens) as the only anchor. The first written token comes with the reading of the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from test_sets import ROOT

from quantbench.config import ModelEntry, PrecisionEntry, load_datasets, read_entries
from quantbench.contracts.csv_rows import Row
from quantbench.planner.gpus import GPUS
from quantbench.planner.speed import prompt_seconds, step_seconds
from quantbench.planner.weight_bytes import bytes_at_rest
from quantbench.tables import PublishedRow

GPU = GPUS["a100-40gb"]


class AnswerLength(Row):
    """One cell of Table 1: mean seconds of an answer, and the mean tokens it can have had."""

    dataset: str
    model: str
    precision: str
    latency_s: float
    prompt_s: float  # by the fit
    token_s: float  # by the fit
    implied: float
    at_most: float | None = None
    gold: int  # tokens of a mean gold answer, written as our prompts ask


def answer_lengths(table: Sequence[PublishedRow]) -> Iterator[AnswerLength]:
    """Reckon the lengths of every cell."""
    models = read_entries(ROOT / "config/models", ModelEntry)
    precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)
    datasets = load_datasets(ROOT)
    for row in table:
        model, precision = models[row.model], precisions[row.precision]
        tokens = datasets[row.dataset].tokens
        prompt = prompt_seconds(model, precision, GPU, tokens.prompt)
        token = step_seconds(model, precision, GPU, 1, tokens.prompt)
        yield AnswerLength(
            dataset=row.dataset,
            model=row.model,
            precision=row.precision,
            latency_s=row.latency_s,
            prompt_s=prompt,
            token_s=token,
            implied=1 + max(0.0, row.latency_s - prompt) / token,
            at_most=row.latency_s / (bytes_at_rest(model, precision) / GPU.bandwidth)
            if row.precision == "full"
            else None,
            gold=tokens.answer,
        )
