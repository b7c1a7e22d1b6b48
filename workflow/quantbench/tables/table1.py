"""Table 1: the zero-shot cells in the shape of the paper's Table 1, with its published values where it has the cell."""

from __future__ import annotations

from collections.abc import Sequence

from ..config import Vocabulary, is_zero_shot
from ..contracts import markdown_text
from ..contracts.run_tables import CellRow, Table1Row
from ..tasks import metric, published_metric
from .interval_units import unit_note
from .paper_rows import PublishedRow
from .quantized_shares import share_notes


def table1(vocabulary: Vocabulary, cells: Sequence[CellRow], published: Sequence[PublishedRow]) -> list[Table1Row]:
    """Return the zero-shot instruction cells by dataset, model and precision in display order."""
    known = {(row.dataset, row.model, row.precision): row for row in published}
    shown = {
        (row.dataset, row.model, row.precision): row
        for row in cells
        if is_zero_shot(row) and row.precision not in vocabulary.noise_floors
    }
    order = [
        (dataset, model, precision)
        for dataset in vocabulary.datasets
        for model in vocabulary.models
        for precision in vocabulary.precisions
    ]
    return [_row(shown[key], known.get(key)) for key in order if key in shown]


def _row(row: CellRow, published: PublishedRow | None) -> Table1Row:
    own = {**row.shared_with(Table1Row), "latency_s": row.latency_mean_s}
    if published is None:
        return Table1Row.model_validate(own)
    return Table1Row.model_validate({
        **own,
        "published_memory_gib": published.memory_gib,
        "published_latency_s": published.latency_s,
        "published_score": published.score,
        "score_difference": row.score - published.score,
        "difference_as_published": None if row.score_as_published is None else row.score_as_published - published.score,
        "memory_ratio": row.memory_gib / published.memory_gib,
        "latency_ratio": row.latency_mean_s / published.latency_s,
    })  # fmt: skip


def table1_markdown(vocabulary: Vocabulary, table: Sequence[Table1Row], confidence: float) -> str:
    """Return :func:`table1` as Markdown: titles for names, published values in brackets after measured ones.

    A published score stands after the score by the same metric, not after ours.
    """
    small = len(table) > 0 and max(row.memory_gib for row in table) < 0.5
    unit, factor = ("MiB", 1024) if small else ("GiB", 1)
    kinds = " / ".join(dict.fromkeys(row.memory_kind for row in table))
    header = [
        "Task",
        "Dataset",
        "Model",
        "Precision",
        "Metric",
        f"Memory, {kinds} ({unit})",
        "Latency (s)",
        f"Score [{confidence:.0%} interval]",
        "Chance",
        "Metric as published",
        f"Score as published [{confidence:.0%} interval]",
        "Unparseable",
        "Cut off / change",
        "New tokens / change",
    ]
    rows = [_markdown_row(vocabulary, row, factor) for row in table]
    notes = "\n".join(markdown_text.bullets(_notes(vocabulary, table)))
    return f"{markdown_text.table(header, rows)}\n{notes}\n"


def _notes(vocabulary: Vocabulary, table: Sequence[Table1Row]) -> list[str]:
    notes = [
        "Latency is the mean ± standard deviation of single queries.",
        "Chance is the score of the best answer that is the same for every sample.",
        "Unparseable: answers that could not be read. Cut off: answers that ended at the limit of new tokens. New tokens: mean of "
        "an answer. Change: against full precision.",
    ]
    if any(row.score_as_published is not None for row in table):
        notes.append(
            "Score as published: the same answers read and scored as the paper's authors probably did "
            "(docs/protocol.md#scores-as-published). It is not comparable with the score beside it."
        )
    if any(row.published_score is not None for row in table):
        notes.append("In round brackets: the value published for the same cell.")
    units = unit_note(vocabulary, table)
    notes += [*([units] if units else []), *share_notes(vocabulary, table)]
    random = dict.fromkeys(vocabulary.models[row.model].title for row in table if row.weights == "random")
    if random:
        notes.append(f"Random weights: scores of these are meaningless ({', '.join(random)}).")
    if vocabulary.has_demonstrations(row.model for row in table):
        notes.append("The models are tiny demonstration models.")
    present = {row.precision for row in table}
    shown = [entry for name, entry in vocabulary.precisions.items() if name in present]
    return notes + [f"{entry.title}: {entry.note.strip()}" for entry in shown if entry.note]


def _markdown_row(vocabulary: Vocabulary, row: Table1Row, factor: int) -> list[str]:
    deviation = "" if row.latency_sd_s is None else f" ± {row.latency_sd_s:.2g}"
    interval = _interval(row.score_low, row.score_high)
    return [
        row.task.replace("_", " "),
        vocabulary.title("dataset", row.dataset),
        vocabulary.title("model", row.model),
        vocabulary.title("precision", row.precision),
        metric(row.metric).title,
        f"{row.memory_gib * factor:.2f}{_published(row.published_memory_gib, '.2f', factor)}",
        f"{row.latency_s:.3g}{deviation}{_published(row.published_latency_s, '.3g')}",
        f"{row.score:.3f} {interval}",
        f"{row.constant_score:.3f}",
        "" if row.published_metric is None else published_metric(row.published_metric).title,
        f"{_score_as_published(row)}{_published(row.published_score, '.3f')}".strip(),
        f"{row.unparseable_rate:.1%}",
        _changed(row.truncated_rate, row.truncated_difference, ".1%"),
        _changed(row.mean_new_tokens, row.new_tokens_difference, ".1f"),
    ]


def _score_as_published(row: Table1Row) -> str:
    if row.score_as_published is None:
        return ""
    return f"{row.score_as_published:.3f} {_interval(row.score_as_published_low, row.score_as_published_high)}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def _changed(value: float | None, difference: float | None, style: str) -> str:
    if value is None:
        return ""
    return f"{value:{style}}" + ("" if difference is None else f" / {difference:+{style}}")


def _published(value: float | None, style: str, factor: int = 1) -> str:
    return "" if value is None else f" ({value * factor:{style}})"
