"""The page put together: verdict, recommendations, tables, figures, explorer, in one file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from .. import __version__, figures
from ..config import RunConfig, Vocabulary
from ..config.vocabulary import task_title
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LabelEffectRow
from ..contracts.effect_rows import EffectRow
from ..contracts.figure_list import FigureList
from ..contracts.files import write_text
from ..contracts.likelihood_tables import LikelihoodRow
from ..contracts.pooled_rows import PooledRow
from ..contracts.resampled_scores import ResampledScores
from ..contracts.run_tables import CellRow, EfficiencyRow, Table1Row
from ..errors import DataError
from ..recommend import Candidate, Recommendation, measured_evidence
from ..recommend.overview import overview
from ..recommend.words import headline, notes, reasons
from ..tables import unit_note
from . import columns
from .answer_remarks import fault_remarks
from .explorer import explorer
from .prompt_parts import PromptSource
from .verdict import verdict_words

_HERE = Path(__file__).parent
_LARGEST_SVG = 2 * 2**20  # a larger drawing is shown as its PNG


@dataclass(frozen=True)
class FigureView:
    """A figure of the page: ``source`` holds the picture itself."""

    name: str
    title: str
    caption: str
    source: str


@dataclass(frozen=True)
class GpuAnswer:
    """What to deploy for one task on one GPU."""

    gpu: str
    best: Candidate | None
    score: str
    verdict: str
    headline: str
    reasons: list[str]


@dataclass(frozen=True)
class TaskAnswers:
    """What to deploy for one task, in ascending order of GPU memory."""

    task: str
    answers: list[GpuAnswer]


def write_report(
    vocabulary: Vocabulary,
    run: RunConfig,
    prompts: PromptSource,
    limits: Mapping[Cell, int],
    cells: Sequence[Cell],
    listed: FigureList,
    target: Path,
    private: bool = False,
) -> None:
    """Write one self-contained page about finished cells, from the run's tables, figures and answers.

    Args:
        vocabulary: titles, and which precision is the reference.
        run: its name, margin and confidence.
        prompts: where the run and its prompts stand.
        limits: all cells of the run, with the most new tokens of an answer.
        cells: the finished ones.
        listed: its figures.
        target: the page.
        private: whether only its owner may read it.

    Raises:
        DataError: a table, figure or cell file is missing or malformed.
    """
    results, margin = prompts.results, run.comparison.margin
    rows, effects = CellRow.read(results / CellRow.path), EffectRow.read(results / EffectRow.path)
    pooled, efficiency = PooledRow.read(results / PooledRow.path), EfficiencyRow.read(results / EfficiencyRow.path)
    labels = LabelEffectRow.read(results / LabelEffectRow.path)
    draws = ResampledScores.found(results / ResampledScores.path)
    found = overview(measured_evidence(vocabulary, run, rows, effects, draws), margin)
    samples = explorer(vocabulary, prompts, cells)
    page = _template().render(
        run=run.run,
        version=__version__,
        sentences=verdict_words(vocabulary, run, rows, effects, pooled, efficiency, limits),
        faults=fault_remarks(vocabulary, limits, rows),
        recommendations=_recommendations(found),
        notes=notes(next(iter(found.values()))[0]) if found else [],
        table1=columns.table1(vocabulary, Table1Row.read(results / Table1Row.path)),
        pooled=columns.pooled(vocabulary, pooled),
        effects=columns.effects(vocabulary, effects),
        labels=columns.labels(vocabulary, labels, run.comparison.confidence),
        efficiency=columns.efficiency(vocabulary, efficiency, {row.cell: row.score for row in rows}),
        likelihoods=columns.likelihoods(vocabulary, LikelihoodRow.read(results / LikelihoodRow.path)),
        figures=_figures(results, listed.drawn, unit_note(vocabulary, rows)),
        left_out={_label(name): reason for name, reason in listed.left_out.items()},
        explorer_index=asdict(samples.index),
        blocks=samples.blocks,
        **_assets(),
    )
    write_text(target, page, private)


def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.j2")


def _assets() -> dict[str, str]:
    files = {
        "page_style": "page/style.css",
        "page_script": "page/report.js",
        "library_style": "vendor/datatables/dataTables.dataTables.min.css",
        "library_script": "vendor/datatables/dataTables.min.js",
    }
    texts = {name: (_HERE / path).read_text(encoding="utf-8") for name, path in files.items()}
    for name, text in texts.items():
        # What ends a script or style element may not stand inside one.
        if "</script" in text.lower() or "</style" in text.lower():
            raise DataError(f"{_HERE / files[name]}: holds a closing tag and cannot be embedded")
    return texts


def _recommendations(found: dict[str, list[Recommendation]]) -> list[TaskAnswers]:
    return [
        TaskAnswers(task_title(task).capitalize(), [_answer(one) for one in of_task]) for task, of_task in found.items()
    ]


def _answer(one: Recommendation) -> GpuAnswer:
    return GpuAnswer(
        gpu=f"{one.constraints.gpu_memory_gib:g} GiB",
        best=one.best,
        score=f"{one.best.score:.3f}" if one.best else "",
        verdict=one.best.verdict(one.constraints.margin) if one.best else "",
        headline=headline(one),
        reasons=reasons(one),
    )


def _figures(results: Path, drawn: Sequence[str], units: str | None) -> list[FigureView]:
    """The figures in order; a caption that speaks of intervals says what they take as independent."""
    views = []
    for name in figures.names():
        drawing, picture = (results / f"figures/{name}.{kind}" for kind in ("svg", "png"))
        # A drawing that is not listed is left from an earlier configuration of the run.
        if name not in drawn or not drawing.exists():
            continue
        title, _, caption = figures.caption(name).partition("\n\n")
        if units and "interval" in caption:
            caption = f"{caption} {units}"
        if drawing.stat().st_size <= _LARGEST_SVG:
            source = _as_data_url(drawing.read_bytes(), "image/svg+xml")
        else:
            source = _as_data_url(picture.read_bytes(), "image/png")
        views.append(FigureView(name, f"{_label(name)}. {title}", " ".join(caption.split()), source))
    return views


def _label(name: str) -> str:
    return f"Figure {name.removeprefix('figure')}" if name.startswith("figure") else name.capitalize()


def _as_data_url(content: bytes, kind: str) -> str:
    """A picture as an address that holds it; ``kind`` is its media type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
