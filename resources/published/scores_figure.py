"""Table 1's scores, drawn beside what answers score that know nothing, and the range of two draws."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sampling_noise import DECODING, SHOWN_SHARE, NoiseRow
from trivial_predictors import PredictorRow

from quantbench.figures.style import INK, PALE, WIDTH_IN, looks, style
from quantbench.tables import PublishedRow

LOOKS = looks(("full", "w8a16", "w4a16"))
# Between precisions of a model, in rows.
APART = 0.22
# Of the answers that know nothing, the one that each task shows.
SHOWN = {
    "multi_label_classification": "every label",
    "named_entity_recognition": "every word tagged",
    "relation_extraction": "always negative (the most frequent class)",
    "question_answering": "always the most frequent answer",
}


def draw(
    table: Sequence[PublishedRow],
    predictors: Sequence[PredictorRow],
    noise: Sequence[NoiseRow],
    datasets: Sequence[tuple[str, str]],
    models: Sequence[tuple[str, str]],
    precisions: Sequence[tuple[str, str]],
) -> Figure:
    """Draw a panel a dataset.

    Args:
        table: the published Table 1.
        predictors: what answers score that know nothing.
        noise: of one draw.
        datasets: name and title, in the order of panels.
        models: name and title, from top to bottom.
        precisions: name and title.
    """
    with style():
        figure, axes = plt.subplots(2, 4, figsize=(WIDTH_IN, 4.0), sharey=True, layout="constrained")
        for panel, (name, title) in zip(axes.flat, datasets, strict=True):
            _panel(panel, [row for row in table if row.dataset == name], models)
            _know_nothing(panel, [row for row in predictors if row.dataset == name])
            _range(panel, name, table, noise, models)
            panel.set_title(title)
        handles = [
            plt.Line2D(
                [], [], color=LOOKS[name].colour, marker=LOOKS[name].marker, linestyle="", label=title, markersize=4
            )
            for name, title in precisions
        ]
        handles.append(
            plt.Line2D(
                [],
                [],
                color=PALE,
                linewidth=6,
                label=f"95% of differences of two draws, {100 * SHOWN_SHARE:.0f}% undecided",
            )
        )
        handles.append(plt.Line2D([], [], color=INK, linewidth=1, label="an answer that knows nothing, as published"))
        handles.append(
            plt.Line2D([], [], color=INK, linewidth=1, linestyle=":", label="the same answer by our scoring")
        )
        figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=1.5)
    return figure


def _panel(panel: Axes, rows: Sequence[PublishedRow], models: Sequence[tuple[str, str]]) -> None:
    for row in rows:
        place: float = [name for name, _ in models].index(row.model)
        kind = LOOKS[row.precision]
        # Side by side, since most would hide each other.
        place += (list(LOOKS).index(row.precision) - 1) * APART
        panel.plot(row.score, place, color=kind.colour, marker=kind.marker, markersize=3.5, linestyle="", zorder=3)
    panel.set_yticks(range(len(models)), [title for _, title in models])
    panel.set_ylim(len(models) - 0.5, -0.5)
    panel.set_xlim(0, 1)
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"])
    panel.grid(visible=False, axis="y")


def _know_nothing(panel: Axes, rows: Sequence[PredictorRow]) -> None:
    shown = next(row for row in rows if row.predictor == SHOWN[row.task])
    panel.axvline(shown.ours, color=INK, linewidth=1, linestyle=":", zorder=2)
    panel.axvline(shown.as_published, color=INK, linewidth=1, zorder=2)
    panel.set_xlabel(shown.predictor.partition(" (")[0].removeprefix("always the "))


def _range(
    panel: Axes,
    dataset: str,
    table: Sequence[PublishedRow],
    noise: Sequence[NoiseRow],
    models: Sequence[tuple[str, str]],
) -> None:
    reach = next(row.difference_range for row in noise if (row.dataset, row.undecided) == (dataset, SHOWN_SHARE))
    full = {row.model: row.score for row in table if (row.dataset, row.precision) == (dataset, "full")}
    for place, (name, _) in enumerate(models):
        if DECODING[name] == "sampled":
            panel.barh(place, 2 * reach, left=full[name] - reach, height=0.8, color=PALE, zorder=1)
