"""The paper's Table 1 in the shape of ``cells.csv``, so that figures draw published values as they draw a run's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..config import Catalogue
from .cells import COLUMNS, parameters
from .table1 import published_path
from .writing import read_csv

if TYPE_CHECKING:
    import pandas as pd

PUBLISHED_PEAK = "published peak"
_DEVICE = "4 x NVIDIA A100 40GB"


def published_cells(catalogue: Catalogue) -> pd.DataFrame:
    """Return one row a published cell; what the paper does not state (intervals, spread of latency) is empty.

    ``memory_kind`` is :data:`PUBLISHED_PEAK`; the paper's "GB" are GiB.

    Raises:
        DataError: ``resources/paper/table1.csv`` is missing or malformed.
    """
    import pandas as pd

    table = read_csv(published_path(catalogue.root))
    rows = [_row(catalogue, row) for row in table.to_dict("records")]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    numbers = ["score_low", "score_high", "latency_sd_s"]
    return frame.astype(dict.fromkeys(numbers, float))


def _row(catalogue: Catalogue, row: dict[Any, Any]) -> dict[str, Any]:
    model, dataset = catalogue.models[row["model"]], catalogue.datasets[row["dataset"]]
    return dict.fromkeys(COLUMNS) | {
        **{key: row[key] for key in ("model", "precision", "dataset", "task", "score")},
        "title": model.title,
        "domain": model.domain,
        "parameters": parameters(model.architecture),
        "demonstration": False,
        "dataset_title": dataset.title,
        "prompting": "instruction",
        "shots": 0,
        "metric": dataset.metric,
        "memory_gib": row["memory_gb"],
        "memory_kind": PUBLISHED_PEAK,
        "latency_mean_s": row["latency_s"],
        "device": _DEVICE,
    }
