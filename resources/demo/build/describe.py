"""Write what is known of the shipped models into the demo's README, from the pipeline's own tables.

``make demo-scores`` runs every model at every precision on every dataset and calls this:
``python resources/demo/build/describe.py results/demo_scores``. It writes ``scores.csv`` (an excerpt of the run's
``table1.csv``) and the tables between the README's markers.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from slots import DATASETS

FOLDER = Path(__file__).resolve().parents[1]
KEPT = ["dataset", "model", "precision", "metric", "score", "score_low", "score_high", "constant_score", "n"]
KEPT += ["unparseable_rate"]
Rows = list[dict[str, str]]


def read(path: Path) -> Rows:
    """The lines of a CSV file."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def write_scores(table: Rows, path: Path) -> None:
    """Write the excerpt, numbers to four decimals."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, KEPT, lineterminator="\n")
        writer.writeheader()
        for line in table:
            writer.writerow({key: _short(line[key]) for key in KEPT})


def _short(text: str) -> str:
    try:
        return text if text.isdigit() else f"{float(text):.4f}"
    except ValueError:
        return text


def scores_table(scores: Rows) -> str:
    """One line a model and precision, one column a dataset: score with its interval; chance at the end."""
    found = {(line["model"], line["precision"], line["dataset"]): line for line in scores}
    lines = [["model", "precision", *DATASETS]]
    for model, precision in dict.fromkeys((line["model"], line["precision"]) for line in scores):
        cells = [found[model, precision, dataset] for dataset in DATASETS]
        values = [[_figure(cell[key]) for key in ("score", "score_low", "score_high")] for cell in cells]
        lines.append([model, precision, *(f"{value} [{low}, {high}]" for value, low, high in values)])
    chance = {line["dataset"]: _figure(line["constant_score"]) for line in scores}
    lines.append(["chance", "", *(chance[dataset] for dataset in DATASETS)])
    return markdown(lines)


def training_table(training: Rows) -> str:
    """One line a model: size, where it started, what it took in all."""
    lines = [["model", "parameters", "grown from", "steps", "samples", "minutes on one core"]]
    for line in training:
        numbers = [f"{int(line[key]):,}" for key in ("parameters", "steps", "samples", "minutes")]
        lines.append([line["model"], numbers[0], line["grown_from"], *numbers[1:]])
    return markdown(lines)


def markdown(lines: list[list[str]]) -> str:
    """A table whose first line is the header."""
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([rows[0], "|" + " --- |" * len(lines[0]), *rows[1:]])


def between_markers(text: str, name: str, table: str) -> str:
    """The text with what stands between ``<!-- name -->`` and ``<!-- /name -->`` replaced."""
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"<!-- /{name} -->")
    if not (opening and closing):
        raise SystemExit(f"{FOLDER / 'README.md'}: no pair of markers <!-- {name} --> and <!-- /{name} -->")
    return before + opening + table + "\n" + closing + after


def described(text: str) -> str:
    """The README's text with both tables made from ``scores.csv`` and ``models/training.csv``."""
    text = between_markers(text, "training", training_table(read(FOLDER / "models/training.csv")))
    return between_markers(text, "scores", scores_table(read(FOLDER / "scores.csv")))


def _figure(text: str) -> str:
    return f"{float(text):.3f}".removeprefix("0")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    write_scores(read(parser.parse_args().results / "tables/table1.csv"), FOLDER / "scores.csv")
    readme = FOLDER / "README.md"
    readme.write_text(described(readme.read_text(encoding="utf-8")), encoding="utf-8")
