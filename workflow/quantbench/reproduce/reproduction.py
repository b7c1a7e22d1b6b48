"""A run held against the paper: what differs in how it was made, its cells, the figures and the claims."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import Catalogue, RunConfig, load, shipped_catalogue
from ..config.settings import read_yaml
from ..contracts.effect_rows import EffectRow
from ..contracts.prepared_dataset import PreparedDataset, SourceFile
from ..contracts.run_settings import RunSettings
from ..contracts.run_tables import CellRow
from ..errors import ConfigError, DataError, nearest
from ..study.grid import active_studies, wanted_cells
from ..tables import PublishedRow
from ..tables.paper_rows import TestSetSize, published_path
from ..tasks import metric, published_metric
from .beside_table1 import CellBeside, cells_beside
from .claims import Claim, Evidence
from .constant_answers import read_constant_answers
from .departures import Departure, departures, other_texts
from .figure_checks import FigureCheck, figure_checks
from .paper_claims import CLAIMED_LOSS, paper_claims
from .readings import Reading, published_reading, run_readings

PAPER = "arXiv 2509.04534"
# Figure 7 recommends models; `quantbench recommend` has it.
# What ratios are taken of.
_POSITIVE = ("memory_gib", "latency_mean_s")
_FIGURES = ("figure2", "figure3", "figure4", "figure5", "figure6")


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim with what each reading says about it, by the reading's name, Table 1 first."""

    claim: Claim
    evidence: Mapping[str, Evidence]


@dataclass(frozen=True)
class Reproduction:
    """Everything that can be said of a run beside the paper.

    Attributes:
        run: the run's settings.
        cells: its zero-shot cells in display order, those without a published value too.
        published: how many cells Table 1 has.
        departures: in what the run differs from the paper's.
        figures: Figures 2 to 6.
        findings: the claims.
        readings: Table 1, and the run under its two scorings.
    """

    run: RunConfig
    cells: tuple[CellBeside, ...]
    published: int
    departures: tuple[Departure, ...]
    figures: tuple[FigureCheck, ...]
    findings: tuple[Finding, ...]
    readings: tuple[Reading, ...]

    @property
    def compared(self) -> tuple[CellBeside, ...]:
        """The cells that have a published value."""
        return tuple(one for one in self.cells if one.published is not None)

    @property
    def devices(self) -> list[str]:
        """What latencies were measured on: the published ones, then the run's."""
        measured = dict.fromkeys(one.row.device for one in self.cells)
        return list(dict.fromkeys([PublishedRow.model_fields["device"].default, ", ".join(measured)]))

    @property
    def scored_as_published(self) -> bool:
        """Whether every cell has a score under the published convention."""
        return all(one.row.score_as_published is not None for one in self.cells)


@dataclass(frozen=True)
class PaperFacts:
    """What is known of the paper: its catalogue, Table 1, and the sizes of the test sets by dataset."""

    catalogue: Catalogue
    table1: tuple[PublishedRow, ...]
    test_items: Mapping[str, int]
    reading: Reading


def paper_facts() -> PaperFacts:
    """Read what is shipped of the paper; nothing of the user's own catalogue counts here.

    Raises:
        DataError: a table is missing or malformed.
    """
    root = shipped_catalogue()
    path = root / "config/config.yaml"
    catalogue = load(root, read_yaml(path), str(path))
    table1 = PublishedRow.read(published_path(root))
    sizes = TestSetSize.read(published_path(root).with_name("table2.csv"))
    reading = published_reading(catalogue.vocabulary, table1, read_constant_answers(root))
    return PaperFacts(catalogue, tuple(table1), {row.dataset: row.test_examples for row in sizes}, reading)


@dataclass(frozen=True)
class RunTables:
    """A run's settings with the entries they name, the tables that comparisons need, and the test file of each dataset."""

    catalogue: Catalogue
    cells: tuple[CellRow, ...]
    effects: tuple[EffectRow, ...]
    test_files: Mapping[str, SourceFile]


def read_run(root: Path, folder: Path) -> RunTables:
    """Read ``results/<run>``, or a bundle that was opened and drawn again.

    Raises:
        DataError: there are no tables yet, or one is malformed.
        ConfigError: the catalogue no longer has what the run names.
    """
    path = folder / RunSettings.path
    if folder.is_file():
        raise DataError(
            f"{folder}: a file; name a run's folder (a bundle's after quantbench open {folder}, drawn again as that says)"
        )
    if not path.is_file():
        opened = folder / "run.yaml"
        again = f"snakemake --cores 2 --configfile {opened}" if opened.is_file() else "snakemake"
        raise DataError(f"{folder}: no {RunSettings.path} there; run {again} first, which makes the run's tables")
    # The datasets' files need not be here.
    catalogue = load(root, RunSettings.read(path).as_json() | {"data": {"folder": None}}, str(path))
    effects = {row.cell: row for row in EffectRow.read(folder / EffectRow.path)}  # of several studies, one
    prepared = [PreparedDataset.read(found) for found in sorted(folder.glob("datasets/*/dataset.json"))]
    test_files = {one.dataset: one.files["test"] for one in prepared if "test" in one.files}
    cells = CellRow.read(folder / CellRow.path)
    _check_rows(folder / CellRow.path, cells, catalogue)
    return RunTables(catalogue, tuple(cells), tuple(effects.values()), test_files)


def _check_rows(path: Path, rows: Sequence[CellRow], catalogue: Catalogue) -> None:
    """Refuse rows that nothing can be said of.

    Raises:
        ConfigError: a name that the catalogue no longer has.
        DataError: a number that is none, memory or latency that is not above 0, or an unknown metric; names line and column.
    """
    for number, row in enumerate(rows, start=2):
        where = f"{path}, line {number}"
        known: dict[str, Collection[str]] = {
            "model": catalogue.models.keys(),
            "precision": catalogue.precisions.keys(),
            "dataset": catalogue.datasets.keys(),
        }
        for kind, entries in known.items():
            if (name := str(getattr(row, kind))) not in entries:
                raise ConfigError(
                    f"{where}: config/{kind}s no longer has {name!r}{nearest(name, entries)}; put its entry back, or run snakemake "
                    "again"
                )
        for column, value in zip(CellRow.model_fields, row.values(), strict=True):
            if isinstance(value, float) and not (math.isfinite(value) and (value > 0 or column not in _POSITIVE)):
                raise DataError(
                    f"{where}: key {column!r} has the value {value:g}, where a number{' above 0' if column in _POSITIVE else ''} is "
                    "expected; delete the table to have it made again"
                )
        try:
            metric(row.metric)
            if row.published_metric is not None:
                published_metric(row.published_metric)
        except ConfigError as error:
            raise DataError(f"{where}: {error}; delete the table to have it made again") from None


def reproduce(root: Path, folder: Path) -> Reproduction:
    """Hold the run in ``folder`` against the paper.

    Args:
        root: the working directory, whose entries the run names.
        folder: ``results/<run>``.

    Raises:
        DataError: a table of the run or of the paper is missing or malformed.
        ConfigError: the catalogue no longer has what the run names.
    """
    return compare_with_paper(read_run(root, folder), paper_facts())


def compare_with_paper(tables: RunTables, paper: PaperFacts) -> Reproduction:
    """:func:`reproduce`, of what was read already."""
    run, vocabulary = tables.catalogue.run, tables.catalogue.vocabulary
    others = other_texts(tables.test_files, paper.catalogue.datasets)
    shared = {name: items for name, items in paper.test_items.items() if name not in others}
    cells = cells_beside(vocabulary, run, tables.cells, paper.table1, shared)
    constants = read_constant_answers(shipped_catalogue())
    readings = [paper.reading, *run_readings(vocabulary, tables.cells, tables.effects, constants)]
    zero_shot = [one.row for one in cells]
    wanted = wanted_cells(paper.catalogue).figures
    figures = {name: wanted[name] for name in _FIGURES}
    titles = {study.figure: study.title for study in active_studies(paper.catalogue).values() if study.figure}
    return Reproduction(
        run=run,
        cells=tuple(cells),
        published=len(paper.table1),
        departures=tuple(departures(shipped_catalogue(), run, zero_shot, paper.table1, paper.test_items, others)),
        figures=tuple(
            figure_checks(
                figures, titles, [row.cell for row in paper.table1], cells, [row.cell for row in tables.cells]
            )
        ),
        findings=tuple(_findings(paper_claims(paper.reading, run.comparison.margin or CLAIMED_LOSS), readings)),
        readings=tuple(readings),
    )


def _findings(claims: Sequence[Claim], readings: Sequence[Reading]) -> list[Finding]:
    """What is not about scores is the same under both scorings of a run, and is said once."""
    return [
        Finding(
            claim,
            {
                reading.name: claim.evidence(reading)
                for reading in readings
                if claim.of_scores or reading.scoring != "as_published"
            },
        )
        for claim in claims
    ]
