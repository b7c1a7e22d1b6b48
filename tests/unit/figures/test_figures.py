from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import fmean

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from tests.simulated_run import Tables

from quantbench import figures
from quantbench.config import Catalogue
from quantbench.contracts.effect_rows import EffectRow
from quantbench.contracts.run_tables import CellRow
from quantbench.errors import ConfigError
from quantbench.figures.selection import selection
from quantbench.figures.style import FAMILY, SMALL_PT, style
from quantbench.figures.view import View
from quantbench.study.grid import wanted_cells

Drawn = tuple[Catalogue, Tables]
NAMES = figures.names()


def draw(name: str, catalogue: Catalogue, tables: Tables) -> Figure:
    shown = selection(catalogue).cells(name)
    view = View(
        vocabulary=catalogue.vocabulary,
        run=catalogue.run,
        expected=shown,
        table=tuple(tables.cells),
        effects=tuple(tables.effects),
        label_effects=tuple(tables.labels),
        reliability=tables.reliability,
        flips=tables.flips,
    )
    return figures.draw(name, view)


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


def has(row: CellRow | EffectRow, **fixed: str | int) -> bool:
    return all(getattr(row, column) == value for column, value in fixed.items())


def without(tables: Tables, **fixed: str) -> Tables:
    """The tables without the cells that have these values."""
    return Tables(
        [row for row in tables.cells if not has(row, **fixed)],
        [row for row in tables.effects if not has(row, **fixed)],
    )


def repeated(tables: Tables, precision: str, name: str) -> list[CellRow]:
    """The cells, and those of one precision once more under another's name."""
    own = [row.model_copy(update={"precision": name}) for row in tables.cells if row.precision == precision]
    return [*tables.cells, *own]


@pytest.mark.parametrize("name", NAMES)
def test_the_caption_is_the_modules_docstring(name: str) -> None:
    assert figures.caption(name) == inspect.getdoc(importlib.import_module(f"quantbench.figures.{name}"))
    title, _, rest = figures.caption(name).partition("\n\n")
    assert title.endswith(".") and len(rest) > 100


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", ["paper", "tiny"])
def test_every_text_can_be_read(name: str, size: str, request: pytest.FixtureRequest) -> None:
    """Nothing is cut at the edge, smaller than 7 points, or printed over something else.

    Slanted tick labels are left out of the last: their boxes overlap where their letters do not.
    """
    figure = draw(name, *request.getfixturevalue(size))
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
    figure = draw("figure4", *paper)
    assert [axis.get_title(loc="left") for axis in figure.axes] == list("abcdefgh")
    assert [axis.get_ylabel() for axis in figure.axes[4:]] == ["Peak memory (GiB)"] * 4
    assert figure.axes[0].get_ylabel() == "macro F1"


def test_sizes_are_ordered_along_the_axis(paper: Drawn) -> None:
    figure = draw("figure4", *paper)
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["3.1", "7.6", "15", "33", "73"]
    assert list(axis.get_xticks()) == sorted(axis.get_xticks())


def test_models_and_datasets_stand_in_configuration_order(paper: Drawn) -> None:
    figure = draw("figure2", *paper)
    last = figure.axes[-1]
    models = ["Llama-3.3-70B", "Qwen2.5-72B", "Phi-4", "DeepSeek-LLM-67B", "mean"]
    assert [label.get_text() for label in last.get_xticklabels()] == models
    rows = [axis.get_ylabel().split("\n")[0] for axis in figure.axes[::3]]
    assert rows[:3] == ["HoC", "LitCovid", "BC5CDR-chemical"]
    assert len(rows) == 8


def test_bars_are_as_high_as_the_table_says(paper: Drawn) -> None:
    catalogue, tables = paper
    memory = draw("figure2", catalogue, tables).axes[1]
    fixed = {"model": "qwen2.5-72b", "precision": "w4a16", "dataset": "hoc", "shots": 0, "prompting": "instruction"}
    (cell,) = [row for row in tables.cells if has(row, **fixed)]
    heights = [
        patch.get_height() for patch in memory.containers[-2].patches
    ]  # last precision; the last container holds errors
    assert heights[1] == pytest.approx(cell.memory_gib)


def test_gpu_runs_name_the_gpu_and_nothing_of_demonstrations(paper: Drawn) -> None:
    shown = words(draw("figure2", *paper))
    assert "Latency on 2 x NVIDIA A100-SXM4-80GB." in shown
    assert "demonstration" not in shown and "Missing" not in shown


@pytest.mark.parametrize("name", NAMES)
def test_demonstration_models_are_called_so(name: str, tiny: Drawn) -> None:
    assert "Tiny demonstration models." in words(draw(name, *tiny))


def test_small_models_are_shown_in_mib_and_on_the_cpu(tiny: Drawn) -> None:
    shown = words(draw("figure2", *tiny))
    assert "Model bytes (MiB)" in shown
    assert "Latency on CPU (Intel(R) Xeon(R)" in shown


@pytest.mark.parametrize("name", NAMES)
def test_missing_cells_are_named_and_the_rest_is_drawn(name: str, tiny: Drawn) -> None:
    catalogue, tables = tiny
    # Answers to HoC are no options.
    dataset, title = ("ddi2013", "DDI2013") if name == "reliability" else ("hoc", "HoC")
    shown = words(draw(name, catalogue, without(tables, dataset=dataset, precision="w4a16")))
    assert "Missing" in shown
    assert f"W4A16 on {title}" in shown


def test_many_missing_cells_are_counted(paper: Drawn) -> None:
    catalogue, tables = paper
    shown = words(draw("figure2", catalogue, without(tables, precision="w8a16")))
    assert "Missing 32 of 96 cells:" in shown
    assert "and 28 more." in shown


@pytest.mark.parametrize("name", NAMES)
def test_without_any_cell_the_panels_say_so(name: str, tiny: Drawn) -> None:
    shown = words(draw(name, tiny[0], Tables([], [])))
    assert "no results" in shown
    assert "Missing" in shown


def test_a_mean_over_different_models_is_not_drawn(paper: Drawn) -> None:
    """Phi-4, the smallest, lacks one precision: it must not lower the mean memory of the two others."""
    catalogue, tables = paper
    figure = draw("figure2", catalogue, without(tables, dataset="hoc", precision="full", model="phi-4"))
    here = [row for row in tables.cells if has(row, dataset="hoc", precision="w4a16", shots=0, prompting="instruction")]
    large = fmean(row.memory_gib for row in here if row.model in {"llama-3.3-70b", "qwen2.5-72b", "deepseek-llm-67b"})
    heights = [patch.get_height() for patch in figure.axes[1].containers[-2].patches]
    assert heights[-1] == pytest.approx(large)


def test_further_precisions_get_looks_of_their_own(paper: Drawn) -> None:
    catalogue, tables = paper
    entries = catalogue.precisions | {"int8wo": catalogue.precisions["w8a16"].model_copy(update={"title": "INT8-WO"})}
    run = catalogue.run.model_copy(update={"precisions": ["full", "w8a16", "w4a16", "int8wo"]})
    wider = replace(catalogue, precisions=entries, run=run)
    figure = draw("figure3", wider, Tables(repeated(tables, "w8a16", "int8wo"), tables.effects))
    assert "INT8-WO" in words(figure)
    assert "Missing" not in words(figure)
    colours = {
        container.patches[0].get_facecolor()
        for container in figure.axes[-1].containers
        if hasattr(container, "patches")
    }
    assert len(colours) == 4


def test_lines_of_figure_4_join_one_architecture_and_domain(paper: Drawn) -> None:
    """Phi-4 lies between two Qwen models in size, and on no line of theirs."""
    catalogue, tables = paper
    wanted = [*selection(catalogue).cells("figure2"), *selection(catalogue).cells("figure4")]
    of_hoc = (cell for cell in wanted if cell.dataset == "hoc" and cell.model.startswith(("phi", "qwen")))
    mixed = tuple(dict.fromkeys(of_hoc))
    view = View(catalogue.vocabulary, catalogue.run, mixed, tuple(tables.cells), ())
    axis = figures.draw("figure4", view).axes[0]
    places = [np.asarray(container.lines[0].get_xdata(), dtype=float) for container in axis.containers]
    assert [list(np.isnan(one).nonzero()[0]) for one in places] == [[5]] * 3, "five Qwen models, a gap, Phi-4"
    assert all(one[0] < one[6] < one[4] for one in places)


def test_sizes_far_apart_have_units_of_their_own_and_do_not_touch(paper: Drawn) -> None:
    catalogue, tables = paper
    far = replace(catalogue, models=catalogue.models | {"qwen2.5-3b": catalogue.models["tiny-m"]})
    axis = draw("figure4", far, tables).axes[0]
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["3M", "7.6B", "", "", "73B"] and axis.get_xlabel() == "Weights"


def test_verdicts_are_told_apart_on_the_forest(paper: Drawn) -> None:
    catalogue, tables = paper
    effects = [
        row.model_copy(update={"verdict": "degraded" if has(row, dataset="hoc", model="phi-4") else "inconclusive"})
        for row in tables.effects
    ]
    axis = draw("effects", catalogue, Tables(tables.cells, effects)).axes[0]
    faces = [container.lines[0].get_markerfacecolor() for container in axis.containers]
    assert sorted(faces) == ["black"] * 2 + ["white"] * 22


def test_what_is_no_verdict_is_pale_on_the_forest(paper: Drawn) -> None:
    catalogue, tables = paper
    chosen = {"hoc": "worse, extent open", "medqa": "at chance", "pubmedqa": "improved"}
    effects = [row.model_copy(update={"verdict": chosen.get(row.dataset, "inconclusive")}) for row in tables.effects]
    figure = draw("effects", catalogue, Tables(tables.cells, effects))
    assert all(
        word in words(figure) for word in ("preserved or improved", "worse, extent open", "at chance or too few")
    )
    assert "degraded" not in {text.get_text() for legend in figure.legends for text in legend.get_texts()}
    marks = [container.lines[0] for container in figure.axes[0].containers]
    assert {(mark.get_markerfacecolor(), mark.get_fillstyle()) for mark in marks} == {("black", "left")}


def test_the_noise_floor_is_a_grey_bar_in_its_models_line(paper: Drawn) -> None:
    catalogue, tables = paper
    assert "oise floor" not in words(draw("effects", catalogue, tables))
    floors = {("hoc", "phi-4"): (0.02, -0.013), ("hoc", "qwen2.5-72b"): (0.01, 0.0)}
    effects = []
    for row in tables.effects:
        flips, difference = floors.get((row.dataset, row.model), (None, None))
        effects.append(row.model_copy(update={"noise_floor_flip_rate": flips, "noise_floor_difference": difference}))
    figure = draw("effects", catalogue, Tables(tables.cells, effects))
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
    both = Tables(repeated(tables, "full", "full-replanned"), tables.effects)
    for name in NAMES:
        shown = words(draw(name, wider, both))
        assert "second batch plan" not in shown
        assert "Missing" not in shown


def test_files_are_the_same_bytes_every_time(tiny: Drawn, tmp_path: Path) -> None:
    first, second = (figures.save(draw("figure6", *tiny), tmp_path / folder / "figure6") for folder in ("one", "two"))
    assert [path.suffix for path in first] == [".png", ".pdf", ".svg"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert not list(tmp_path.rglob("*.part"))


def test_text_stays_text(tiny: Drawn, tmp_path: Path) -> None:
    _, pdf, svg = figures.save(draw("figure6", *tiny), tmp_path / "figure6")
    assert re.search(r"<text[^>]*>[^<]*chain of thought", svg.read_text())
    assert b"/Type3" not in pdf.read_bytes()


def test_drawing_leaves_the_callers_settings_alone(tiny: Drawn) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw("figure6", *tiny)
    assert dict(matplotlib.rcParams) == before


def test_an_unknown_figure_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown figure 'figur2'; did you mean 'figure2'"):
        figures.caption("figur2")


def test_a_figure_no_study_feeds_is_refused(paper: Drawn) -> None:
    catalogue, tables = paper
    run = catalogue.run.model_copy(update={"studies": ["grid"]})
    with pytest.raises(ConfigError, match="figure5"):
        draw("figure5", replace(catalogue, run=run), tables)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_that_shows_a_stand_in_says_so_across_its_face(name: str, paper: Drawn) -> None:
    """Figures 2 and 7, effects and labels show Phi-4; the others' models have published weights."""
    catalogue, tables = paper
    cells = [
        row.model_copy(update={"weights": "random" if row.model == "phi-4" else "published"}) for row in tables.cells
    ]
    marked = "RANDOM WEIGHTS outputs meaningless" in words(draw(name, catalogue, replace(tables, cells=cells)))
    assert marked == (name in {"figure2", "figure7", "effects", "labels"})
    assert "RANDOM WEIGHTS" not in words(draw(name, catalogue, tables))


NEW_FIGURE = '''"""Load times, a figure of one's own.

One bar a model.
"""

from matplotlib.figure import Figure

from quantbench.figures.view import View


def draw(view: View) -> Figure:
    figure = Figure()
    axis = figure.add_subplot()
    names = view.names("model")
    axis.bar(names, [view.where(model=name)[0].load_s for name in names])
    return figure
'''


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A figure added as the README says: one module, and its name in a study."""
    (tmp_path / "load_times.py").write_text(NEW_FIGURE)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    return "load_times"


def test_a_new_figure_is_one_module_and_its_name_in_a_study(added: str, tiny: Drawn) -> None:
    catalogue, tables = tiny
    studies = catalogue.studies | {"main": catalogue.studies["main"].model_copy(update={"figure": added})}
    wider = replace(catalogue, studies=studies)
    names = list(selection(wider).drawn)
    assert added in names and "figure2" not in names
    assert names[-5:] == ["figure7", "flips", "labels", "effects", "reliability"]
    assert figures.caption(added).startswith("Load times, a figure of one's own.")
    axis = draw(added, wider, tables).axes[0]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["qwen2.5-72b", "phi-4"]
    first = next(row for row in tables.cells if row.model == "qwen2.5-72b")
    assert axis.patches[0].get_height() == first.load_s


def test_a_study_that_names_no_figure_there_is_is_refused_before_anything_is_drawn(tiny: Drawn) -> None:
    catalogue, _ = tiny
    studies = catalogue.studies | {"main": catalogue.studies["main"].model_copy(update={"figure": "figur2"})}
    with pytest.raises(ConfigError, match="unknown figure 'figur2'; did you mean 'figure2'"):
        selection(replace(catalogue, studies=studies))


def test_two_studies_cannot_feed_one_figure(tiny: Drawn) -> None:
    catalogue, _ = tiny
    studies = catalogue.studies | {"domain": catalogue.studies["domain"].model_copy(update={"figure": "figure2"})}
    with pytest.raises(ConfigError, match="'domain' has 'figure: figure2', and so has another study"):
        wanted_cells(replace(catalogue, studies=studies))


def test_a_reliability_mark_stands_where_the_table_says(paper: Drawn) -> None:
    catalogue, tables = paper
    figure = draw("reliability", catalogue, tables)
    assert [axis.get_title() for axis in figure.axes] == ["ChemProt", "DDI2013", "MedQA (5 options)", "PubMedQA"]
    expected = [
        (row.confidence, row.right)
        for row in tables.reliability
        if (row.dataset, row.precision, row.model) == ("pubmedqa", "w8a16", None)
    ]
    drawn = [np.transpose(line.get_data()) for line in figure.axes[3].lines if line.get_marker() == "s"]
    # The second of three precisions is the one in the middle, which is not moved aside.
    assert len(expected) > 3 and any(np.allclose(one, expected) for one in drawn if len(one) == len(expected))


@pytest.mark.parametrize("name", ["reliability", "flips"])
def test_cells_without_log_probabilities_are_counted(name: str, paper: Drawn) -> None:
    catalogue, tables = paper
    shown = draw(name, catalogue, tables)
    assert "kept no log-probabilities" not in words(shown) and "left out" not in words(shown)
    reliability, flips = (
        tuple(row for row in rows if not (row.dataset == "medqa" and row.model in (None, "phi-4")))
        for rows in (tables.reliability, tables.flips)
    )
    some = words(draw(name, catalogue, replace(tables, reliability=reliability, flips=flips)))
    of = {"reliability": "3 of 144", "flips": "2 of 192"}[name]
    assert f"{of} cells kept no log-probabilities" in some and "left out, see below" in some


def test_confidence_panels_say_that_random_weights_are_left_out(paper: Drawn) -> None:
    catalogue, tables = paper
    cells = [row.model_copy(update={"weights": "random"}) if row.model == "phi-4" else row for row in tables.cells]
    assert "Random weights are left out." in words(draw("flips", catalogue, replace(tables, cells=cells)))


def test_fonts_are_those_that_come_with_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf")
    installed = tmp_path / "DejaVuSans.ttf"
    installed.write_bytes(own.read_bytes())
    manager = font_manager.FontManager()
    manager.ttflist = [font_manager.FontEntry(str(installed), 0, FAMILY, "normal", "normal", 400, "normal", "scalable")]
    monkeypatch.setattr(font_manager, "fontManager", manager)
    assert manager.findfont(FAMILY) == str(installed)
    with style():
        assert manager.findfont(FAMILY) == str(own)
    assert [entry.fname for entry in manager.ttflist] == [str(installed)]
