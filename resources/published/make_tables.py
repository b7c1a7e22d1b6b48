"""Make the tables and the figure of docs/reproduction.md.

    python resources/published/make_tables.py                    tables and figure, from the CSV files beside this script
    python resources/published/make_tables.py <folder>           the CSV files first, from the published test sets

The folder has one sub-folder a dataset, with the published ``test*.tsv``. Nothing is random that a seed does not fix.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import TypeVar

from answer_lengths import AnswerLength, answer_lengths
from hidden_losses import HiddenLoss, LabelScoreBehind, hidden_losses, label_scores_behind
from matplotlib.figure import Figure
from sampling_noise import SHOWN_SHARE, UNDECIDED, DifferenceRow, NoiseRow, difference_rows, noise_rows
from scores_figure import LOOKS, draw
from test_sets import DATASETS, HERE, ROOT, GoldCounts, gold_counts, read_sets
from trivial_predictors import PredictorRow, predictor_rows

from quantbench.config import DatasetEntry, ModelEntry, PrecisionEntry, load_datasets, read_entries
from quantbench.config.reference import with_sections
from quantbench.contracts.csv_rows import Row
from quantbench.errors import QuantbenchError
from quantbench.figures.saving import save_as
from quantbench.tables import PublishedRow
from quantbench.tables.other_measurements import OtherMeasurement, others_measured
from quantbench.tables.paper_rows import PublishedConvention, conventions_path, published_path

PAGE = ROOT / "docs/reproduction.md"
IMAGE = ROOT / "docs/images/published_scores.png"
MAKER = "resources/published/make_tables.py"
QUANTIZED = ("w8a16", "w4a16")
# Of the losses in hidden_losses.csv the page shows those of this many points.
SHOWN_LOSS = 0.1

AnyRow = TypeVar("AnyRow", bound=Row)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already; a bar inside one is escaped."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(text.replace("|", r"\|") for text in line) + " |\n" for line in lines)


def file_of(kind: type[Row]) -> Path:
    """Where the rows of a kind stand, beside this script."""
    names: dict[type[Row], str] = {
        GoldCounts: "gold_counts",
        PredictorRow: "trivial_predictors",
        HiddenLoss: "hidden_losses",
        LabelScoreBehind: "label_scores_behind",
        NoiseRow: "sampling_noise",
        DifferenceRow: "precision_differences",
        AnswerLength: "answer_lengths",
    }
    return HERE / f"{names[kind]}.csv"


def tables_of(folder: Path) -> Iterator[tuple[type[Row], list[Row]]]:
    """Compute every table, those that need the published test sets from ``folder``."""
    table = PublishedRow.read(published_path(ROOT))
    found: dict[type[Row], list[Row]] = {}
    for test in read_sets(folder):
        print(f"{test.name}: {len(test.samples)} samples", file=sys.stderr)
        found.setdefault(GoldCounts, []).append(gold_counts(test))
        found.setdefault(PredictorRow, []).extend(predictor_rows(test))
        found.setdefault(NoiseRow, []).extend(noise_rows(test, table))
        if test.entry.task == "relation_extraction":
            found.setdefault(HiddenLoss, []).extend(hidden_losses(test))
            found.setdefault(LabelScoreBehind, []).extend(label_scores_behind(test))
    noise = [row for row in found[NoiseRow] if isinstance(row, NoiseRow)]
    found[DifferenceRow] = list(difference_rows(table, noise))
    found[AnswerLength] = list(answer_lengths(table))
    yield from found.items()


def page_text() -> str:
    """The page with its tables written anew from the CSV files."""
    return with_sections(PAGE, sections(), MAKER)


def sections() -> dict[str, str]:
    """The page's tables by name."""
    titles = Titles()
    table = PublishedRow.read(published_path(ROOT))
    made = {
        "conventions": _conventions(titles),
        "gold": _gold(titles),
        "behind": _behind(titles, table),
        "losses": _losses(titles),
        "noise": _noise(titles),
        "differences": _differences(titles),
        "difference-counts": _difference_counts(),
        "lengths": _lengths(titles),
        "latencies": _latencies(titles, table),
        "others": _others(),
    }
    for task, name in _TASKS.items():
        made[name] = _predictors(titles, table, task)
    return {name: text.rstrip("\n") for name, text in made.items()}


def image() -> Figure:
    """The page's figure, from the CSV files."""
    titles = Titles()
    table = PublishedRow.read(published_path(ROOT))
    models = dict.fromkeys(row.model for row in table)
    return draw(
        table,
        _read(PredictorRow),
        _read(NoiseRow),
        [(name, titles.dataset(name)) for name in DATASETS],
        [(name, titles.model(name)) for name in models],
        [(name, titles.precision(name)) for name in LOOKS],
    )


class Titles:
    """Datasets, models and precisions as people call them."""

    def __init__(self) -> None:
        self.datasets: Mapping[str, DatasetEntry] = load_datasets(ROOT)
        self._models = read_entries(ROOT / "config/models", ModelEntry)
        self._precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)

    def dataset(self, name: str) -> str:
        """A dataset's title."""
        return self.datasets[name].title

    def model(self, name: str) -> str:
        """A model's title."""
        return self._models[name].title

    def precision(self, name: str) -> str:
        """A precision's title."""
        return self._precisions[name].title


_TASKS = {
    "relation_extraction": "relations",
    "named_entity_recognition": "entities",
    "multi_label_classification": "labels",
    "question_answering": "questions",
}


def _read(kind: type[AnyRow]) -> list[AnyRow]:
    return kind.read(file_of(kind))


def _conventions(titles: Titles) -> str:
    rows = PublishedConvention.read(conventions_path(ROOT))
    return markdown_table(
        ["dataset", "Table 1 says", "probably", "what speaks for it in the numbers"],
        [[titles.dataset(row.dataset), row.metric_in_paper, row.title, row.evidence] for row in rows],
    )


def _gold(titles: Titles) -> str:
    header = [
        "dataset",
        "file",
        "samples",
        "gold answers",
        "left where a sample counts a string once",
        "distinct strings",
    ]
    lines = []
    for row in _read(GoldCounts):
        numbers = (row.samples, row.gold_answers, row.strings_counted, row.distinct_strings)
        lines.append([titles.dataset(row.dataset), f"`{row.file}`", *map(_whole, numbers)])
    return markdown_table(header, lines)


def _predictors(titles: Titles, table: Sequence[PublishedRow], task: str) -> str:
    rows = [row for row in _read(PredictorRow) if row.task == task]
    datasets = list(dict.fromkeys(row.dataset for row in rows))
    found = {(row.predictor, row.dataset): row for row in rows}
    header = ["answer"]
    for name in datasets:
        header += [f"{titles.dataset(name)}, as published", "by our scoring"]
    lines = []
    for predictor in dict.fromkeys(row.predictor for row in rows):
        scores = [found[predictor, name] for name in datasets]
        lines.append([predictor, *(_score(value) for one in scores for value in (one.as_published, one.ours))])
    published = ["*Table 1: lowest, median, highest of 12*"]
    for name in datasets:
        values = sorted(row.score for row in table if row.dataset == name)
        published += [f"*{_short(values[0])}, {_short(median(values))}, {_short(values[-1])}*", ""]
    return markdown_table(header, [*lines, published])


def _behind(titles: Titles, table: Sequence[PublishedRow]) -> str:
    rows = _read(LabelScoreBehind)
    errors = list(dict.fromkeys(row.error for row in rows))
    found = {(row.dataset, row.by_characters, row.error): row.by_label for row in rows}
    lines = []
    for dataset, score in dict.fromkeys((row.dataset, row.by_characters) for row in rows):
        lines.append(
            [titles.dataset(dataset), _short(score), *(_maybe(found[dataset, score, error]) for error in errors)]
        )
    return markdown_table(["dataset", "over characters", *(f"by label, {error}" for error in errors)], lines)


def _losses(titles: Titles) -> str:
    header = [
        "dataset",
        "what goes wrong more often",
        "by label, from",
        "to",
        "over characters, from",
        "to",
        "shown of the loss",
    ]
    lines = []
    for row in _read(HiddenLoss):
        if round(row.by_label_lost, 2) == SHOWN_LOSS:
            by_label = (row.by_label, row.by_label - row.by_label_lost)
            by_characters = (row.by_characters, row.by_characters - row.by_characters_lost)
            scores = map(_short, by_label + by_characters)
            lines.append([titles.dataset(row.dataset), row.error, *scores, f"{100 * row.shown:.0f}%"])
    return markdown_table(header, lines)


def _noise(titles: Titles) -> str:
    found = {(row.dataset, row.undecided): row for row in _read(NoiseRow)}
    lines = []
    for dataset in DATASETS:
        rows = [found[dataset, share] for share in UNDECIDED]
        shown = found[dataset, SHOWN_SHARE]
        lines.append(
            [titles.dataset(dataset), _whole(shown.items), _short(shown.score)]
            + [_score(row.sd) for row in rows]
            + [
                _score(shown.sd_reckoned),
                f"{_short(shown.low)} to {_short(shown.high)}",
                f"±{_short(shown.difference_range)}",
            ]
        )
    shares = [f"SD, {100 * share:.0f}% undecided" for share in UNDECIDED]
    at = f"at {100 * SHOWN_SHARE:.0f}%"
    return markdown_table(
        ["dataset", "items", "score", *shares, f"reckoned, {at}", f"95% of runs, {at}", f"95% of differences, {at}"],
        lines,
    )


def _differences(titles: Titles) -> str:
    rows = _read(DifferenceRow)
    found = {(row.dataset, row.model, row.precision): row for row in rows}
    columns = list(dict.fromkeys((row.model, precision) for row in rows for precision in QUANTIZED))
    header = ["dataset", *(f"{titles.model(model)} {titles.precision(precision)}" for model, precision in columns)]
    return markdown_table(
        header,
        [
            [titles.dataset(dataset), *(_difference(found[dataset, *column]) for column in columns)]
            for dataset in DATASETS
        ],
    )


def _difference(row: DifferenceRow) -> str:
    sign = f"{row.difference:+.3f}".replace("0.", ".") if row.difference else ".000"
    if row.is_beyond_noise:
        return f"**{sign}** (none)"
    return f"{sign} ({100 * row.undecided_needed:.0f}%)"


# Shares of undecided items that a difference may need, from above one up to and with the other.
_BINS = ((0.0, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 1.0))


def _difference_counts() -> str:
    rows = _read(DifferenceRow)
    kinds: dict[str, Callable[[DifferenceRow], bool]] = {
        "Llama-3.3 W8A16": lambda row: row.model == "llama-3.3-70b" and row.precision == "w8a16",
        "other sampled cells, W8A16": lambda row: (
            row.model not in ("llama-3.3-70b", "phi-4") and row.precision == "w8a16"
        ),
        "sampled cells, W4A16": lambda row: row.decoding == "sampled" and row.precision == "w4a16",
        "Phi-4 (greedy), both": lambda row: row.decoding == "greedy",
        "all": lambda row: True,
    }
    lines = []
    for name, belongs in kinds.items():
        chosen = [row for row in rows if belongs(row)]
        needed = [row.undecided_needed for row in chosen if not row.is_beyond_noise]
        counts = [sum(low < one <= high or one == low == 0 for one in needed) for low, high in _BINS]
        counts.append(len(chosen) - len(needed))
        lines.append([name, *map(str, counts), str(len(chosen))])
    header = ["up to 10%", "10% to 20%", "20% to 40%", "40% to 100%", "no share suffices", "differences"]
    return markdown_table(["undecided items needed", *header], lines)


def _lengths(titles: Titles) -> str:
    rows = _read(AnswerLength)
    found = {(row.dataset, row.model, row.precision): row for row in rows}
    models = list(dict.fromkeys(row.model for row in rows))
    lines = []
    for dataset in DATASETS:
        entry = titles.datasets[dataset]
        full = [found[dataset, model, "full"] for model in models]
        lines.append(
            [titles.dataset(dataset), str(entry.max_new_tokens["instruction"]), str(full[0].gold)]
            + [f"{row.implied:.0f} (≤ {row.at_most:.0f})" for row in full]
            + [
                _ratios([found[dataset, m, name].implied / found[dataset, m, "full"].implied for m in models])
                for name in QUANTIZED
            ]
        )
    more = [f"{titles.precision(name)} against full" for name in QUANTIZED]
    return markdown_table(["dataset", "limit", "gold answer", *map(titles.model, models), *more], lines)


def _latencies(titles: Titles, table: Sequence[PublishedRow]) -> str:
    shown = (*QUANTIZED, "int8wo")
    full = {(row.model, row.dataset): row.latency_s for row in table if row.precision == "full"}
    lines = []
    for model in dict.fromkeys(row.model for row in table):
        ratios = {
            name: [
                row.latency_s / full[model, row.dataset] for row in table if (row.model, row.precision) == (model, name)
            ]
            for name in QUANTIZED
        }
        lines.append(["Table 1, 8 datasets", titles.model(model), "4 x A100 40GB", *map(_ratios, ratios.values()), "-"])
    speeds = [row for row in others_measured(ROOT) if row.measured == "generation throughput, batch 1"]
    for (model, hardware), group in groupby(speeds, key=lambda row: (row.model, row.hardware)):
        by_precision = {row.precision: row for row in group}
        if whole := by_precision.get("full"):
            slower = [
                f"{whole.value / by_precision[name].value:.2f}" if name in by_precision else "-" for name in shown
            ]
            lines.append([whole.source, model, str(hardware), *slower])
    return markdown_table(["measured by", "model", "hardware", *map(titles.precision, shown)], lines)


def _others() -> str:
    def measurement(row: OtherMeasurement) -> tuple[str, ...]:
        return row.source, row.address, row.licence, row.checked, row.measured, str(row.hardware or ""), row.unit

    lines = []
    for key, rows in groupby(others_measured(ROOT), key=measurement):
        source, address, licence, checked, measured, hardware, unit = key
        values = [
            f"{model}: " + ", ".join(f"{row.precision_in_source} {row.value:g}" for row in of_model)
            for model, of_model in groupby(rows, key=lambda row: row.model)
        ]
        lines.append([f"[{source}]({address})", measured, hardware, f"{'; '.join(values)} ({unit})", licence, checked])
    return markdown_table(["source", "measured", "hardware", "values", "licence", "checked"], lines)


def _ratios(values: Iterable[float]) -> str:
    low, *_, high = ordered = sorted(values)
    return f"{median(ordered):.2f} ({low:.2f} to {high:.2f})"


def _score(value: float) -> str:
    return f"{value:.4f}".removeprefix("0")


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _maybe(value: float | None) -> str:
    return "-" if value is None else _short(value)


def _whole(value: int) -> str:
    return f"{value:,}"


def main() -> None:
    """Write the CSV files if a folder is named, then the page."""
    for kind, rows in tables_of(Path(sys.argv[1])) if sys.argv[1:] else ():
        kind.write(file_of(kind), rows)
    PAGE.write_text(page_text(), encoding="utf-8")
    save_as(image(), IMAGE, "png")


if __name__ == "__main__":
    try:
        main()
    except QuantbenchError as error:
        sys.exit(f"make_tables.py: {error}")
