"""The verdict in words: what the run says, before any table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import Catalogue
from ..tables.efficiency import REFERENCE

if TYPE_CHECKING:
    import pandas as pd

_VERDICTS = ("preserved", "degraded", "inconclusive")


def verdict_words(
    catalogue: Catalogue, cells: pd.DataFrame, effects: pd.DataFrame, efficiency: pd.DataFrame, missing: int
) -> list[str]:
    """Sentences in the order of their weight.

    Args:
        catalogue: the run's configuration.
        cells: ``cells.csv``.
        effects: ``precision_effects.csv``.
        efficiency: ``efficiency.csv``.
        missing: how many of the run's cells do not exist.
    """
    compared = effects.drop_duplicates(["model", "dataset", "prompting", "shots", "precision"])
    lines = []
    if cells["demonstration"].any():
        lines.append("The models are tiny demonstration models: nothing here is about real language models.")
    random = cells.loc[cells["weights"] == "random", "title"]
    if len(random):
        names = ", ".join(dict.fromkeys(random))
        lines.append(f"Random weights: {names}. Memory and latency are real; their answers and scores mean nothing.")
    for precision in dict.fromkeys(compared["precision"]):
        own = compared[compared["precision"] == precision]
        lines.append(_effect(catalogue, str(precision), own) + _savings(str(precision), efficiency))
    if not len(compared):
        lines.append("No quantized cell has its full-precision twin, so nothing could be compared.")
    lines += _surroundings(catalogue, cells, compared)
    if missing:
        lines.append(f"{missing} of {missing + len(cells)} cells are missing; tables and figures show the rest.")
    return lines


def _effect(catalogue: Catalogue, precision: str, own: pd.DataFrame) -> str:
    counts = {word: int((own["verdict"] == word).sum()) for word in _VERDICTS}
    worst = own.sort_values("difference").iloc[0]
    title = catalogue.precisions[precision].title
    place = f"{worst['title']} on {catalogue.datasets[worst['dataset']].title}"
    return (
        f"{title}: in {counts['preserved']} of {len(own)} comparisons the score of full precision is preserved, in "
        f"{counts['degraded']} it is degraded, in {counts['inconclusive']} the samples cannot tell. "
        f"Mean difference {own['difference'].mean():+.3f}; the largest loss is {worst['difference']:+.3f} "
        f"[{worst['difference_low']:+.3f}, {worst['difference_high']:+.3f}] ({place})."
    )


def _savings(precision: str, efficiency: pd.DataFrame) -> str:
    own = efficiency[efficiency["precision"] == precision]
    words = []
    for column, name in (("memory_ratio", "memory"), ("latency_ratio", "time of a query")):
        values = own[column].dropna()
        if len(values):
            words.append(f"{name} {values.median():.2f} times that of full precision")
    return f" In the median, {' and '.join(words)}." if words else ""


def _surroundings(catalogue: Catalogue, cells: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    comparison = catalogue.run.comparison
    lines = [
        f"Preserved: the {comparison.confidence:.0%} interval of the difference lies above the margin of "
        f"-{comparison.margin:g}. Degraded: it lies below. Inconclusive: the samples cannot tell."
    ]
    floors = compared["noise_floor_flip_rate"].dropna()
    if len(floors):
        lines.append(
            f"Noise floor: composing batches otherwise, at full precision, already changed {floors.min():.1%} to "
            f"{floors.max():.1%} of the answers."
        )
    full = cells[cells["precision"] == REFERENCE]["unparseable_rate"]
    if len(full):
        lines.append(f"At full precision, no answer could be read from {full.mean():.1%} of the outputs.")
    return lines
