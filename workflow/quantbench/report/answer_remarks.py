"""What the verdict says of answers that were cut off, became longer, or could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ..config import Vocabulary, is_zero_shot
from ..config.vocabulary import PROMPTINGS
from ..contracts.cell_name import Cell
from ..contracts.effect_rows import EffectRow
from ..contracts.run_tables import CellRow
from ..tables.answer_faults import MANY, Cause, Faults, faulty_cells, is_many

# What is worth a remark of a precision: a share of cut answers that changed by as much as the loss a verdict allows by
# default, and a tenth more or fewer tokens, which changes the time of a query as much.
CUT = 0.01
LONGER = 0.1
# Cells named in one sentence, the worst; the table has the others.
NAMED = 6


def precision_remark(limits: Mapping[Cell, int], own: Sequence[EffectRow]) -> str:
    """What became of the length of one precision's answers, against full precision; empty where nothing is worth saying.

    Shares and means are of all answers together, of the comparisons where both sides are known.

    Args:
        limits: the most new tokens of an answer, by cell.
        own: comparisons of one precision.
    """
    words = ""
    told = [row for row in own if row.truncated_rate is not None and row.full_truncated_rate is not None]
    cut, full = _mean(told, "truncated_rate"), _mean(told, "full_truncated_rate")
    if abs(cut - full) >= CUT or is_many(cut):
        where = _limit(limits, (row.cell for row in told if row.truncated_rate or row.full_truncated_rate))
        words += f" {cut:.1%} of its answers were cut at {where} ({full:.1%} at full precision)."
    told = [row for row in own if row.mean_new_tokens is not None and row.full_mean_new_tokens]
    length, full = _mean(told, "mean_new_tokens"), _mean(told, "full_mean_new_tokens")
    if abs(length - full) >= LONGER * full > 0:
        words += f" Its answers have {length:.1f} new tokens on average ({full:.1f} at full precision)."
    return words


def fault_remarks(vocabulary: Vocabulary, limits: Mapping[Cell, int], rows: Sequence[CellRow]) -> list[str]:
    """One sentence a model and likely cause, naming the cells with many cut or unreadable answers.

    Args:
        vocabulary: titles, and which models have a chat template.
        limits: the most new tokens of an answer, by cell.
        rows: ``cells.csv``.
    """

    def kind(faults: Faults) -> tuple[str, str]:
        return faults.row.model, faults.cause.value

    lines = []
    for (model, _), group in groupby(sorted(faulty_cells(vocabulary, rows), key=kind), key=kind):
        found = list(group)
        cells = ", ".join(_cell(vocabulary, limits, faults.row) for faults in found[:NAMED])
        more = f" and {_counted(len(found) - NAMED, 'more cell')}" if len(found) > NAMED else ""
        lines.append(f"{vocabulary.title('model', model)}: {cells}{more}. {_likely(vocabulary, found[0])}")
    return lines


def worst_remark(vocabulary: Vocabulary, limits: Mapping[Cell, int], rows: Sequence[CellRow]) -> list[str]:
    """One sentence on how many cells have many cut or unreadable answers, and on the worst; none where no cell has.

    Arguments as of :func:`fault_remarks`.
    """
    found = faulty_cells(vocabulary, rows)
    if not found:
        return []
    worst = f"{vocabulary.title('model', found[0].row.model)} on {_cell(vocabulary, limits, found[0].row)}"
    return [
        f"In {len(found)} of {_counted(len(rows), 'cell')} {MANY:.0%} or more of the answers were cut or could not be read, most "
        f"with {worst}. {_likely(vocabulary, found[0])}"
    ]


def _cell(vocabulary: Vocabulary, limits: Mapping[Cell, int], row: CellRow) -> str:
    place = f"{row.dataset_title} {vocabulary.title('precision', row.precision)}"
    if not is_zero_shot(row):
        place += f", {PROMPTINGS[row.prompting]}, {_counted(row.shots, 'shot')}"
    faults = []
    if row.truncated_rate is not None and is_many(row.truncated_rate):
        faults.append(f"{row.truncated_rate:.1%} cut at {_limit(limits, [row.cell])}")
    if is_many(row.unparseable_rate):
        faults.append(f"{row.unparseable_rate:.1%} unreadable")
    return f"{place} ({', '.join(faults)})"


def _likely(vocabulary: Vocabulary, faults: Faults) -> str:
    template = vocabulary.models[faults.row.model].chat_template
    return f"Likely cause: {_cause(faults.cause, has_template=template != 'none')}."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _cause(cause: Cause, has_template: bool) -> str:
    template = (
        "its chat template is missing or wrong"
        if has_template
        else "it is asked without a chat template (chat_template: none)"
    )
    return {
        Cause.QUANTIZATION: "quantization, since full precision has far fewer of them on the same samples",
        Cause.LIMIT: "too low a limit of new tokens (max_new_tokens of the dataset), a reasoning model without room for its "
        f"thoughts (reasoning_tokens of the model), or the model never comes to an answer because {template}",
        Cause.NO_END: "most of these answers can be read, but the model does not end them, or the limit is too low for them; "
        f"perhaps {template}",
        Cause.FORM: f"the model ends its answers itself, in a form that cannot be read; either {template}, or it does not "
        "answer in the form asked for",
        Cause.LIMIT_OR_FORM: f"the limit of new tokens, or {template}; the predictions do not say whether answers were cut",
    }[cause]


def _limit(limits: Mapping[Cell, int], cells: Iterable[Cell]) -> str:
    """The limit that cells share, in words; it has no number where they have several or the run no longer wants them."""
    found = {limits.get(cell) for cell in cells}
    only = found.pop() if len(found) == 1 else None
    return "the limit of new tokens" if only is None else f"{only} new tokens"


def _mean(rows: Sequence[EffectRow], column: str) -> float:
    """The mean of a column over all answers; 0 without rows."""
    answers = sum(row.n for row in rows)
    total: float = sum(row.n * getattr(row, column) for row in rows)
    return total / answers if answers else 0.0
