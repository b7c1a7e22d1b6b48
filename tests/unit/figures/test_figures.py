from __future__ import annotations

import inspect
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

from quantbench import figures
from quantbench.config import Catalogue
from quantbench.errors import ConfigError
from quantbench.figures.style import SMALL_PT, style
from quantbench.figures.view import Tables

Drawn = tuple[Catalogue, Tables]


def texts(figure: Figure) -> list[Text]:
    """Every text on a laid-out figure that shows something."""
    with style():
        figure.draw_without_rendering()
    hidden = {label for axis in figure.axes for side in (axis.xaxis, axis.yaxis) for label in ticks_out_of_view(side)}
    found = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in hidden]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def ticks_out_of_view(side: Axis) -> list[Text]:
    """Labels matplotlib keeps but does not draw."""
    low, high = sorted(side.get_view_interval())
    return [tick.label1 for tick in side.get_major_ticks() if not low <= tick.get_loc() <= high]


def words(figure: Figure) -> str:
    """What a figure says, not laid out."""
    return " ".join(" ".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)).split())


def without(tables: Tables, **fixed: str) -> Tables:
    """The tables without the cells that have these values."""

    def keep(table):  # type: ignore[no-untyped-def]
        gone = True
        for column, value in fixed.items():
            gone = gone & (table[column] == value)
        return table[~gone]

    return Tables(keep(tables.cells), keep(tables.effects))


@pytest.mark.parametrize("name", figures.NAMES)
def test_the_caption_is_the_modules_docstring(name: str) -> None:
    assert figures.caption(name) == inspect.getdoc(figures.module(name))
    title, _, rest = figures.caption(name).partition("\n\n")
    assert title.endswith(".") and len(rest) > 100


@pytest.mark.parametrize("name", figures.NAMES)
@pytest.mark.parametrize("size", ["paper", "tiny"])
def test_every_text_can_be_read(name: str, size: str, request: pytest.FixtureRequest) -> None:
    """Nothing is cut at the edge, smaller than 7 points, or printed over something else.

    Slanted tick labels are left out of the last: their boxes overlap where their letters do not.
    """
    figure = figures.draw(name, *request.getfixturevalue(size))
    width, height = figure.get_size_inches()
    assert width == 7 and height <= 9.5
    page, boxes = figure.bbox.padded(0.5), []
    for text in texts(figure):
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1, text.get_text()
        assert text.get_fontsize() >= SMALL_PT
        if text.get_rotation() in (0, 90):
            boxes.append((text.get_text(), box.padded(-1)))
    assert len(boxes) > 10
    for (one, first), (other, second) in combinations(boxes, 2):
        assert not first.overlaps(second), f"{one!r} over {other!r}"


def test_panels_carry_letters_and_units(paper: Drawn) -> None:
    figure = figures.draw("figure4", *paper)
    assert [axis.get_title(loc="left") for axis in figure.axes] == list("abcdefgh")
    assert [axis.get_ylabel() for axis in figure.axes[4:]] == ["Peak memory (GiB)"] * 4
    assert figure.axes[0].get_ylabel() == "macro F1"


def test_sizes_are_ordered_along_the_axis(paper: Drawn) -> None:
    figure = figures.draw("figure4", *paper)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["3.1", "7.6", "15", "33", "73"]
    assert list(axis.get_xticks()) == sorted(axis.get_xticks())


def test_models_and_datasets_stand_in_configuration_order(paper: Drawn) -> None:
    figure = figures.draw("figure2", *paper)
    last = figure.axes[-1]
    models = ["Llama-3.3-70B", "Qwen2.5-72B", "Phi-4", "DeepSeek-LLM-67B", "mean"]
    assert [label.get_text() for label in last.get_xticklabels()] == models
    rows = [axis.get_ylabel().split("\n")[0] for axis in figure.axes[::3]]
    assert rows[:3] == ["HoC", "LitCovid", "BC5CDR-chemical"]
    assert len(rows) == 8


def test_bars_are_as_high_as_the_table_says(paper: Drawn) -> None:
    catalogue, tables = paper
    memory = figures.draw("figure2", catalogue, tables).axes[1]
    cell = tables.cells.query("model == 'qwen2.5-72b' and precision == 'w4a16' and dataset == 'hoc' and shots == 0")
    cell = cell[cell["prompting"] == "instruction"]
    heights = [
        patch.get_height() for patch in memory.containers[-2].patches
    ]  # last precision; the last container holds errors
    assert heights[1] == pytest.approx(cell["memory_gib"].iloc[0])


def test_gpu_runs_name_the_gpu_and_nothing_of_demonstrations(paper: Drawn) -> None:
    shown = words(figures.draw("figure2", *paper))
    assert "Latency on 2 x NVIDIA A100-SXM4-80GB." in shown
    assert "demonstration" not in shown and "Missing" not in shown


@pytest.mark.parametrize("name", figures.NAMES)
def test_demonstration_models_are_called_so(name: str, tiny: Drawn) -> None:
    assert "Tiny demonstration models." in words(figures.draw(name, *tiny))


def test_small_models_are_shown_in_mib_and_on_the_cpu(tiny: Drawn) -> None:
    shown = words(figures.draw("figure2", *tiny))
    assert "Model bytes (MiB)" in shown
    assert "Latency on CPU (Intel(R) Xeon(R)" in shown


@pytest.mark.parametrize("name", figures.NAMES)
def test_missing_cells_are_named_and_the_rest_is_drawn(name: str, tiny: Drawn) -> None:
    catalogue, tables = tiny
    shown = words(figures.draw(name, catalogue, without(tables, dataset="hoc", precision="w4a16")))
    assert "Missing" in shown
    assert "W4A16 on HoC" in shown


def test_many_missing_cells_are_counted(paper: Drawn) -> None:
    catalogue, tables = paper
    shown = words(figures.draw("figure2", catalogue, without(tables, precision="w8a16")))
    assert "Missing 32 of 96 cells:" in shown
    assert "and 28 more." in shown


@pytest.mark.parametrize("name", figures.NAMES)
def test_without_any_cell_the_panels_say_so(name: str, tiny: Drawn) -> None:
    catalogue, tables = tiny
    shown = words(figures.draw(name, catalogue, Tables(tables.cells[:0], tables.effects[:0])))
    assert "no results" in shown
    assert "Missing" in shown


def test_a_mean_over_different_models_is_not_drawn(paper: Drawn) -> None:
    """Phi-4, the smallest, lacks one precision: it must not lower the mean memory of the two others."""
    catalogue, tables = paper
    figure = figures.draw("figure2", catalogue, without(tables, dataset="hoc", precision="full", model="phi-4"))
    memory = tables.cells.query(
        "dataset == 'hoc' and precision == 'w4a16' and shots == 0 and prompting == 'instruction'"
    )
    large = memory[memory["model"].isin(["llama-3.3-70b", "qwen2.5-72b", "deepseek-llm-67b"])]["memory_gib"].mean()
    heights = [patch.get_height() for patch in figure.axes[1].containers[-2].patches]
    assert heights[-1] == pytest.approx(large)


def test_further_precisions_get_looks_of_their_own(paper: Drawn) -> None:
    catalogue, tables = paper
    extra = tables.cells[tables.cells["precision"] == "w8a16"].assign(precision="int8wo")
    entries = catalogue.precisions | {"int8wo": catalogue.precisions["w8a16"].model_copy(update={"title": "INT8-WO"})}
    run = catalogue.run.model_copy(update={"precisions": ["full", "w8a16", "w4a16", "int8wo"]})
    wider = replace(catalogue, precisions=entries, run=run)
    cells = pd.concat([tables.cells, extra])
    figure = figures.draw("figure3", wider, Tables(cells, tables.effects))
    assert "INT8-WO" in words(figure)
    assert "Missing" not in words(figure)
    colours = {
        container.patches[0].get_facecolor()
        for container in figure.axes[-1].containers
        if hasattr(container, "patches")
    }
    assert len(colours) == 4


def test_verdicts_are_told_apart_on_the_forest(paper: Drawn) -> None:
    catalogue, tables = paper
    effects = tables.effects.copy()
    effects["verdict"] = "inconclusive"
    effects.loc[(effects["dataset"] == "hoc") & (effects["model"] == "phi-4"), "verdict"] = "degraded"
    axis = figures.draw("effects", catalogue, Tables(tables.cells, effects)).axes[0]
    faces = [container.lines[0].get_markerfacecolor() for container in axis.containers]
    assert sorted(faces) == ["black"] * 2 + ["white"] * 22


def test_the_noise_floor_is_a_grey_bar_in_its_models_line(paper: Drawn) -> None:
    catalogue, tables = paper
    assert "oise floor" not in words(figures.draw("effects", catalogue, tables))
    effects = tables.effects.copy()
    for model, flips, difference in (("phi-4", 0.02, -0.013), ("qwen2.5-72b", 0.01, 0.0)):
        here = (effects["dataset"] == "hoc") & (effects["model"] == model)
        effects.loc[here, ["noise_floor_flip_rate", "noise_floor_difference"]] = flips, difference
    figure = figures.draw("effects", catalogue, Tables(tables.cells, effects))
    shown = words(figure)
    assert "noise floor" in shown
    assert "flipped 1.0% to 2.0% of the answers" in shown
    bars = [
        container.patches[0] for axis in figure.axes for container in axis.containers if hasattr(container, "patches")
    ]
    assert [bar.axes for bar in bars] == [figure.axes[0]] * 2  # HoC is the first panel
    lines = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    found = {lines[round(bar.get_y() + bar.get_height() / 2)]: (bar.get_x(), bar.get_width()) for bar in bars}
    assert found == {"Phi-4": pytest.approx((-0.013, 0.026)), "Qwen2.5-72B": (0, 0)}


def test_a_noise_floor_study_adds_no_precision_to_any_figure(tiny: Drawn) -> None:
    catalogue, tables = tiny
    wider = replace(
        catalogue, run=catalogue.run.model_copy(update={"studies": [*catalogue.run.studies, "noise_floor"]})
    )
    floor = tables.cells[tables.cells["precision"] == "full"].assign(precision="full-replanned")
    both = Tables(pd.concat([tables.cells, floor]), tables.effects)
    for name in figures.NAMES:
        shown = words(figures.draw(name, wider, both))
        assert "second batch plan" not in shown
        assert "Missing" not in shown


def test_a_run_without_quantized_precisions_says_so(paper: Drawn) -> None:
    catalogue, tables = paper
    alone = replace(catalogue, run=catalogue.run.model_copy(update={"precisions": ["full"]}))
    assert "nothing to compare" in words(figures.draw("effects", alone, Tables(tables.cells, tables.effects[:0])))


def test_files_are_the_same_bytes_every_time(tiny: Drawn, tmp_path: Path) -> None:
    first, second = (
        figures.save(figures.draw("figure6", *tiny), tmp_path / folder / "figure6") for folder in ("one", "two")
    )
    assert [path.suffix for path in first] == [".png", ".pdf", ".svg"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert not list(tmp_path.rglob("*.part"))


def test_text_stays_text(tiny: Drawn, tmp_path: Path) -> None:
    _, pdf, svg = figures.save(figures.draw("figure6", *tiny), tmp_path / "figure6")
    assert re.search(r"<text[^>]*>[^<]*chain of thought", svg.read_text())
    assert b"/Type3" not in pdf.read_bytes()


def test_drawing_leaves_the_callers_settings_alone(tiny: Drawn) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    figures.draw("figure6", *tiny)
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_figure_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown figure 'figur2'; did you mean 'figure2'"):
        figures.module("figur2")


def test_a_figure_no_study_feeds_is_refused(paper: Drawn) -> None:
    catalogue, tables = paper
    run = catalogue.run.model_copy(update={"studies": ["grid"]})
    with pytest.raises(ConfigError, match="figure5"):
        figures.draw("figure5", replace(catalogue, run=run), tables)


@pytest.mark.parametrize("name", figures.NAMES)
def test_a_figure_that_shows_a_stand_in_says_so_across_its_face(name: str, paper: Drawn) -> None:
    """Figures 2 and 7 and the effects show Phi-4; the others' models have published weights."""
    catalogue, tables = paper
    cells = tables.cells.assign(weights=tables.cells["model"].map({"phi-4": "random"}).fillna("published"))
    marked = "RANDOM WEIGHTS outputs meaningless" in words(figures.draw(name, catalogue, replace(tables, cells=cells)))
    assert marked == (name in {"figure2", "figure7", "effects"})
    assert "RANDOM WEIGHTS" not in words(figures.draw(name, catalogue, tables))
