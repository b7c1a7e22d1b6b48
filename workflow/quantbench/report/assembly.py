"""The page put together: verdict, recommendations, tables, figures, explorer, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .. import __version__, figures
from ..config import Catalogue
from ..contracts.files import write_text
from ..errors import DataError
from ..recommend import Recommendation
from ..recommend.from_run import measured_evidence
from ..recommend.overview import overview
from ..recommend.words import RANKING, headline, notes, reasons, task_words
from ..study.grid import Cell, run_cells
from ..tables import read_csv
from . import columns
from .encoding import as_data_url
from .explorer import explorer
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


def write_report(catalogue: Catalogue, results: Path, cells: Sequence[Cell], target: Path) -> None:
    """Write one self-contained page about finished cells, from the run's tables, figures and answers.

    Raises:
        DataError: a table, figure or cell file is missing or malformed.
    """
    tables = {
        name: read_csv(results / f"tables/{name}.csv")
        for name in ("cells", "table1", "precision_effects", "efficiency")
    }
    missing = len([cell for cell in run_cells(catalogue) if cell not in set(cells)])
    effects, efficiency = tables["precision_effects"], tables["efficiency"]
    scored = efficiency.merge(tables["cells"][[*_KEYS, "score"]], on=_KEYS)
    evidence = measured_evidence(catalogue, tables["cells"], effects)
    found = overview(evidence, catalogue.run.comparison.margin)
    samples = explorer(catalogue, results, cells)
    page = _template().render(
        run=catalogue.run.run,
        version=__version__,
        sentences=verdict_words(catalogue, tables["cells"], effects, efficiency, missing),
        recommendations=_recommendations(found),
        ranking=RANKING.format(margin=catalogue.run.comparison.margin),
        notes=notes(next(iter(found.values()))[0]) if found else [],
        table1=columns.table1(catalogue, tables["table1"]),
        effects=columns.effects(catalogue, effects),
        efficiency=columns.efficiency(catalogue, scored),
        figures=_figures(results),
        explorer_index=samples.index,
        blocks=samples.blocks,
        **_assets(),
    )
    write_text(target, page)


_KEYS = ["model", "precision", "dataset", "prompting", "shots"]


def _template() -> Any:
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


def _recommendations(found: dict[str, list[Recommendation]]) -> list[dict[str, Any]]:
    return [
        {
            "task": task_words(task).capitalize(),
            "answers": [
                {
                    "gpu": f"{one.constraints.gpu_memory_gib:g} GiB",
                    "best": one.best,
                    "score": f"{one.best.score:.3f}" if one.best else "",
                    "verdict": one.best.verdict(one.constraints.margin) if one.best else "",
                    "headline": headline(one),
                    "reasons": reasons(one),
                }
                for one in of_task
            ],
        }
        for task, of_task in found.items()
    ]


def _figures(results: Path) -> list[FigureView]:
    views = []
    for name in figures.NAMES:
        drawing, picture = (results / f"figures/{name}.{kind}" for kind in ("svg", "png"))
        if not drawing.exists():
            continue
        title, _, caption = figures.caption(name).partition("\n\n")
        if drawing.stat().st_size <= _LARGEST_SVG:
            source = as_data_url(drawing.read_bytes(), "image/svg+xml")
        else:
            source = as_data_url(picture.read_bytes(), "image/png")
        label = f"Figure {name.removeprefix('figure')}" if name.startswith("figure") else name.capitalize()
        views.append(FigureView(name, f"{label}. {title}", " ".join(caption.split()), source))
    return views
