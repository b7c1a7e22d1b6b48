"""Figure 2 as bars: what each bar, whisker and line stands for, and that all can be read."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import fmean, stdev

import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.reproduced_run import make_run

from quantbench.figures.style import SMALL_PT, style
from quantbench.figures.task_bars import Groups, draw_task_bars
from quantbench.reproduce import ReadCell, Reading, reproduce
from quantbench.reproduce.reproduction import paper_facts

DEVICE = ["4 x NVIDIA A100 40GB"]


@pytest.fixture(scope="module")
def table1() -> Reading:
    return paper_facts().reading


@pytest.fixture(scope="module")
def readings(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    """Table 1 and a run of two of its models and one other on four datasets, one of each task."""
    catalogue = make_run(repository, tmp_path_factory.mktemp("results"))
    return list(reproduce(repository, Path(catalogue.run_folder)).readings)


def heights(axis: Axes) -> list[list[float]]:
    """For each precision the bar of each group."""
    return [
        [patch.get_height() for patch in container.patches]
        for container in axis.containers
        if isinstance(container, BarContainer)
    ]


def constant_lines(axis: Axes) -> list[float]:
    dashed = [one for one in axis.collections if isinstance(one, LineCollection) and one.get_zorder() == 5]
    return [float(one.get_segments()[0][0][1]) for one in dashed]


def shown(figure: Figure) -> str:
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text)).split())


def out_of_view(side: Axis) -> list[Text]:
    """Labels matplotlib keeps but does not draw."""
    low, high = sorted(side.get_view_interval())
    return [tick.label1 for tick in side.get_major_ticks() if not low <= tick.get_loc() <= high]


def scores(cells: tuple[ReadCell, ...], precision: str, *datasets: str) -> list[float]:
    return [one.score for one in cells if one.cell.precision == precision and one.cell.dataset in datasets]


def test_bars_are_means_over_models_and_then_over_datasets_too(table1: Reading) -> None:
    axis = draw_task_bars([table1], DEVICE, "dataset").axes[2]
    assert axis.get_title().splitlines() == ["Relation extraction", "macro F1 over", "characters"]
    expected = [
        [
            fmean(scores(table1.cells, precision, *datasets))
            for datasets in (["chemprot"], ["ddi2013"], ["chemprot", "ddi2013"])
        ]
        for precision in ("full", "w8a16", "w4a16")
    ]
    assert heights(axis) == [pytest.approx(one) for one in expected]


def test_whiskers_are_standard_deviations(table1: Reading) -> None:
    axis = draw_task_bars([table1], DEVICE, "dataset").axes[2]
    whiskers = axis.containers[1].lines[2][0].get_segments()  # of the first precision
    values = scores(table1.cells, "full", "chemprot")
    low, high = whiskers[0][:, 1]
    assert (low, high) == (pytest.approx(fmean(values) - stdev(values)), pytest.approx(fmean(values) + stdev(values)))


def test_a_line_shows_what_a_constant_answer_scores(table1: Reading) -> None:
    figure = draw_task_bars([table1], DEVICE, "dataset")
    assert constant_lines(figure.axes[2]) == [
        pytest.approx(value, abs=5e-5) for value in (0.3142, 0.4850, (0.3142 + 0.4850) / 2)
    ]
    assert constant_lines(figure.axes[4]) == [], "memory has none"
    unknown = replace(table1, cells=tuple(replace(one, constant=None) for one in table1.cells))
    assert constant_lines(draw_task_bars([unknown], DEVICE, "dataset").axes[2]) == []


def test_by_model_a_bar_is_the_mean_over_the_tasks_datasets(table1: Reading) -> None:
    axis = draw_task_bars([table1], DEVICE, "model").axes[3]
    deepseek = [
        one.score for one in table1.cells if one.model.startswith("DeepSeek") and one.task == "question_answering"
    ]
    assert heights(axis)[0][0] == pytest.approx(fmean(deepseek[::3]))
    assert len(heights(axis)[0]) == 5


def test_a_run_stands_below_with_the_cells_that_both_have(readings: list[Reading]) -> None:
    figure = draw_task_bars(readings, DEVICE, "dataset")
    rows = [figure.axes[place : place + 4] for place in range(0, len(figure.axes), 4)]
    labels = [row[0].get_ylabel().replace("\n", " ") for row in rows]
    assert labels == [
        *("Score published", "Score this run, as published", "Score this run, our scoring"),
        *("Memory (GiB) published", "Memory (GiB) this run", "Latency (s) published", "Latency (s) this run"),
    ]
    published, as_published, ours = rows[:3]
    assert heights(published[1]) == [pytest.approx(one) for one in heights(as_published[1])], "made equal by the test"
    assert heights(published[1]) != [pytest.approx(one) for one in heights(ours[1])]
    assert published[2].get_title().endswith("characters") and ours[2].get_title() == "macro F1"
    for row, below in zip(rows[3::2], rows[4::2], strict=True):
        assert [axis.get_ylim() for axis in row] == [axis.get_ylim() for axis in below]
    assert "All rows show the 24 cells that both Table 1 and this run have." in shown(figure)


def of_a_model_of_ones_own(run: list[Reading], *datasets: str) -> list[Reading]:
    """The run's cells of one model under another name, measured on a CPU; of some datasets, or all."""
    return [
        replace(
            one,
            on_gpu=False,
            cells=tuple(
                replace(cell, cell=replace(cell.cell, model="mine"), memory_gib=0.001, latency_s=0.01)
                for cell in one.cells
                if cell.cell.model == "phi-4" and (not datasets or cell.cell.dataset in datasets)
            ),
        )
        for one in run
    ]


def test_models_that_nobody_published_have_axes_of_their_own(readings: list[Reading]) -> None:
    table1, *run = readings
    other = of_a_model_of_ones_own(run)
    figure = draw_task_bars([table1, *other], [*DEVICE, "CPU"], "dataset")
    words = shown(figure)
    assert "no cell in common: 4 published models above, 1 of this run below" in words
    assert "Model bytes (MiB) this run" in words and "Latency (ms) this run" in words
    assert "Published memory is the peak on GPUs." in words
    assert "Latency on 4 x NVIDIA A100 40GB, below on CPU." in words


def test_beside_a_run_of_one_dataset_table_1_is_shown_on_that_alone(readings: list[Reading]) -> None:
    table1, *run = readings
    dataset = run[0].cells[0].cell.dataset
    figure = draw_task_bars([table1, *of_a_model_of_ones_own(run, dataset)], [*DEVICE, "CPU"], "dataset")
    assert len(figure.axes) == 7, "one task, and a row for each score, memory and latency of both"
    assert heights(figure.axes[0])[0] == [pytest.approx(fmean(scores(table1.cells, "full", dataset)))]
    assert "Published values are shown on datasets that the run has." in shown(figure)


def test_panels_keep_their_height_where_rows_have_names_of_their_own(readings: list[Reading]) -> None:
    """Beside a run with another dataset, group names stand below more rows than the last."""
    table1, *run = readings
    other = [
        replace(
            one,
            cells=tuple(
                replace(cell, dataset="Ward notes", cell=replace(cell.cell, dataset="ward_notes")) for cell in one.cells
            ),
        )
        for one in of_a_model_of_ones_own(run, run[0].cells[0].cell.dataset)
    ]
    figure = draw_task_bars([table1, *other], [*DEVICE, "CPU"], "dataset")
    with style():
        figure.draw_without_rendering()
    lowest = min(axis.get_position().height * figure.get_figheight() for axis in figure.axes)
    assert lowest > 0.5, "inches"


def test_means_are_over_models_that_have_every_precision(table1: Reading) -> None:
    fewer = tuple(one for one in table1.cells if (one.cell.model, one.cell.precision) != ("phi-4", "w8a16"))
    axis = draw_task_bars([replace(table1, cells=fewer)], DEVICE, "dataset").axes[4]
    others = [
        one.memory_gib
        for one in table1.cells
        if (one.cell.dataset, one.cell.precision) == ("hoc", "full") and one.cell.model != "phi-4"
    ]
    assert heights(axis)[0][0] == pytest.approx(fmean(others))


@pytest.mark.parametrize("by", ["dataset", "model"])
@pytest.mark.parametrize("beside", [False, True])
def test_every_text_can_be_read(by: Groups, beside: bool, table1: Reading, readings: list[Reading]) -> None:
    """Nothing is cut at the edge, smaller than 7 points, or printed over something else."""
    figure = draw_task_bars(readings if beside else [table1], DEVICE, by)
    with style():
        figure.draw_without_rendering()
    hidden = {label for axis in figure.axes for side in (axis.xaxis, axis.yaxis) for label in out_of_view(side)}
    assert figure.get_size_inches()[0] == 7 and figure.get_size_inches()[1] <= 9.5
    page, boxes = figure.bbox.padded(0.5), []
    for text in figure.findobj(Text):
        if not text.get_text() or not text.get_visible() or text in hidden:
            continue
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()
        assert text.get_fontsize() >= SMALL_PT
        boxes.append((text.get_text(), box.padded(-1)))
    assert len(boxes) > 30
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.overlaps(second), f"{one!r} over {other!r}"
