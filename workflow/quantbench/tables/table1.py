"""Table 1: the zero-shot cells in the shape of the paper's Table 1, with its published values where it has the cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Catalogue, located
from .writing import markdown_table, read_csv

if TYPE_CHECKING:
    import pandas as pd

METRIC_WORDS = {"macro_f1": "macro F1", "entity_f1": "entity F1", "accuracy": "accuracy"}
PUBLISHED = {"memory_gb": "published_memory_gib", "latency_s": "published_latency_s", "score": "published_score"}


def table1(catalogue: Catalogue, cells: pd.DataFrame) -> pd.DataFrame:
    """Return the zero-shot instruction cells by dataset, model and precision in configuration order.

    Args:
        catalogue: the configuration; the published table is read from ``resources/paper/table1.csv`` below its root.
        cells: from :func:`cells_table`.

    Beside the paper's columns: the score's interval, and where the paper has the same cell its three values
    (``published_*``; the paper's "GB" are GiB), the score's difference and the ratios of memory and latency to them.
    """
    shown = cells[(cells["prompting"] == "instruction") & (cells["shots"] == 0)]
    shown = shown[~shown["precision"].isin(list(catalogue.noise_floors))]
    shown = shown.assign(latency_s=shown["latency_mean_s"])
    published = read_csv(published_path(catalogue.root)).rename(columns=PUBLISHED)
    joined = shown.merge(published[["dataset", "model", "precision", *PUBLISHED.values()]], how="left")
    joined["score_difference"] = joined["score"] - joined["published_score"]
    joined["memory_ratio"] = joined["memory_gib"] / joined["published_memory_gib"]
    joined["latency_ratio"] = joined["latency_s"] / joined["published_latency_s"]
    ranks = {key: configured_order(catalogue, key) for key in ("dataset", "model", "precision")}
    ordered = joined.sort_values(list(ranks), key=lambda column: column.map(ranks[str(column.name)].index))
    return ordered[COLUMNS].reset_index(drop=True)


def configured_order(catalogue: Catalogue, key: str) -> list[str]:
    """All known names of ``key`` (dataset, model or precision): the run's first, in its order, then the rest."""
    known: dict[str, Any] = getattr(catalogue, f"{key}s")
    named: list[str] | str = getattr(catalogue.run, f"{key}s")
    return list(dict.fromkeys([*(named if isinstance(named, list) else []), *known]))


def published_path(root: Path) -> Path:
    """Where the paper's Table 1 stands."""
    return located(root, "resources/paper/table1.csv")


def table1_markdown(catalogue: Catalogue, table: pd.DataFrame) -> str:
    """Return :func:`table1` as Markdown: titles for names, the published value in brackets after the measured one."""
    unit, factor = ("MiB", 1024) if len(table) and table["memory_gib"].max() < 0.5 else ("GiB", 1)
    kinds = " / ".join(table["memory_kind"].unique())
    header = [
        "Task",
        "Dataset",
        "Model",
        "Precision",
        "Metric",
        f"Memory, {kinds} ({unit})",
        "Latency (s)",
        f"Score [{catalogue.run.comparison.confidence:.0%} interval]",
        "Chance",
    ]
    rows = [_markdown_row(catalogue, row, factor) for row in table.to_dict("records")]
    shown = [entry for name, entry in catalogue.precisions.items() if name not in catalogue.noise_floors]
    notes = [f"{entry.title}: {entry.note.strip()}" for entry in shown if entry.note]
    lines = [
        "Latency is the mean ± standard deviation of single queries.",
        "Chance is the score of the best answer that is the same for every sample.",
        *(
            ["In round brackets: the value published for the same cell."]
            if table["published_score"].notna().any()
            else []
        ),
        *(
            [f"Random weights: scores of these are meaningless ({', '.join(random)})."]
            if (random := _with_random_weights(catalogue, table))
            else []
        ),
        *(["The models are tiny demonstration models."] if _any_demonstration(catalogue, table) else []),
        *notes,
    ]
    return markdown_table(header, rows) + "\n" + "\n".join(f"- {line}" for line in lines) + "\n"


def _markdown_row(catalogue: Catalogue, row: dict[Any, Any], factor: int) -> list[str]:
    deviation = "" if row["latency_sd_s"] != row["latency_sd_s"] else f" ± {row['latency_sd_s']:.2g}"
    interval = f"[{row['score_low']:.3f}, {row['score_high']:.3f}]"
    return [
        str(row["task"]).replace("_", " "),
        catalogue.datasets[row["dataset"]].title,
        catalogue.models[row["model"]].title,
        catalogue.precisions[row["precision"]].title,
        METRIC_WORDS.get(row["metric"], row["metric"]),
        f"{row['memory_gib'] * factor:.2f}{_published(row['published_memory_gib'], '.2f', factor)}",
        f"{row['latency_s']:.3g}{deviation}{_published(row['published_latency_s'], '.3g')}",
        f"{row['score']:.3f} {interval}{_published(row['published_score'], '.3f')}",
        f"{row['constant_score']:.3f}",
    ]


def _published(value: float, style: str, factor: int = 1) -> str:
    return "" if value != value else f" ({value * factor:{style}})"


def _with_random_weights(catalogue: Catalogue, table: pd.DataFrame) -> list[str]:
    return [catalogue.models[name].title for name in table.loc[table["weights"] == "random", "model"].unique()]


def _any_demonstration(catalogue: Catalogue, table: pd.DataFrame) -> bool:
    return any(catalogue.models[model].demonstration for model in table["model"].unique())


COLUMNS = [
    *(
        "task",
        "dataset",
        "model",
        "weights",
        "precision",
        "metric",
        "memory_gib",
        "memory_kind",
        "latency_s",
        "latency_sd_s",
    ),
    *("score", "score_low", "score_high", "constant_score", "n", "unparseable_rate", *PUBLISHED.values()),
    *("score_difference", "memory_ratio", "latency_ratio"),
]
