"""``efficiency.csv``: memory, latency, throughput and energy of each cell, and their ratios to full precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import Catalogue
from .cells import KEYS

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = "full"
RATIOS = {
    "memory_gib": "memory_ratio",
    "weight_gib": "weight_ratio",
    "latency_mean_s": "latency_ratio",
    "tokens_per_s": "tokens_per_s_ratio",
    "energy_j": "energy_ratio",
    "load_s": "load_ratio",
}


def efficiency_table(catalogue: Catalogue, cells: pd.DataFrame) -> pd.DataFrame:
    """Return one row a cell, noise floors left out, with the ratio of each quantity to the ``full`` cell of the same model, dataset and prompt.

    A ratio below 1 is a saving (above 1 for tokens per second); empty where the reference is missing or the quantity
    unknown. Latencies are of the same samples at every precision, at batch 1.

    Args:
        catalogue: the configuration, which says what is a noise floor.
        cells: from :func:`cells_table`.
    """
    same = [key for key in KEYS if key != "precision"]
    values = cells[~cells["precision"].isin(list(catalogue.noise_floors))].astype(dict.fromkeys(RATIOS, float))
    reference = values.loc[values["precision"] == REFERENCE, [*same, *RATIOS]]
    joined = values.merge(reference, on=same, how="left", suffixes=("", "_full"))
    for column, ratio in RATIOS.items():
        # An energy or time of 0 in the reference makes no ratio.
        joined[ratio] = joined[column] / joined[f"{column}_full"].where(joined[f"{column}_full"] > 0)
    return joined[COLUMNS]


COLUMNS = [
    *("model", "title", "domain", "weights", "precision", "dataset", "task", "prompting", "shots", "memory_kind"),
    *(name for pair in RATIOS.items() for name in pair),
    *("latency_sd_s", "latency_n", "first_token_mean_s", "energy_note", "device", "contended_by"),
]
