"""Which figures a run gets, which cells each shows, and why one is not drawn.

A figure shows the cells of the study that names it. Where a model of the run stands in no study's list
(:func:`quantbench.study.grid.own_models`), a study that lists its models says nothing about such a run: its figure then shows
whatever of the run it can compare. A figure that would have one value on the axis it compares along is not drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..config import Catalogue, StudyEntry, Vocabulary, is_zero_shot
from ..config.vocabulary import PROMPTINGS, REFERENCE
from ..contracts.cell_name import Cell
from ..errors import ConfigError, nearest
from ..study.grid import active_studies, own_models, wanted_cells
from . import axis_of, is_of_every_run, known, names

# Tasks whose answers are one of a few options, of which each has a probability.
OPTION_TASKS = frozenset({"relation_extraction", "question_answering"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The figures of a run.

    Attributes:
        drawn: figure -> the cells it shows.
        left_out: figure that is not drawn -> why, in a sentence.
    """

    drawn: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def cells(self, name: str) -> tuple[Cell, ...]:
        """The cells that one figure shows.

        Raises:
            ConfigError: the run does not have the figure.
        """
        if name not in self.drawn:
            reason = self.left_out.get(name, "none of the run's studies, and their subsets, names it as its figure")
            raise ConfigError(f"{known(name)} is not drawn: {reason}")
        return self.drawn[name]

    def add(self, name: str, cells: Sequence[Cell], shortage: str) -> None:
        """Take up a figure, as drawn unless there is something it lacks."""
        if shortage:
            self.left_out[name] = shortage
        else:
            self.drawn[name] = tuple(cells)


@dataclass(frozen=True, slots=True)
class Axis:
    """What a figure compares along.

    Attributes:
        noun: one value of it, in words.
        value: of a cell, as people read it.
        among: the cells of a run that such a figure can show.
        fits: which of them have what it compares by.
        least: fewest values that are worth a figure.
        more: how a run comes by more values.
    """

    noun: str
    value: Callable[[Vocabulary, Cell], str]
    among: Callable[[Sequence[Cell]], list[Cell]]
    least: int
    more: str
    fits: Callable[[Vocabulary, Cell], bool] = lambda _words, _cell: True

    def shortage(self, vocabulary: Vocabulary, cells: Iterable[Cell]) -> str:
        """Why these cells make no figure, in a clause; empty where they do."""
        values = list(dict.fromkeys(self.value(vocabulary, cell) for cell in cells))
        if len(values) >= self.least:
            return ""
        found = f"one {self.noun} ({values[0]})" if values else f"no {self.noun}"
        return f"the run has {found}; {self.more}"


def _zero_shot(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if is_zero_shot(cell)]


def _several(value: Callable[[Cell], object], cells: Sequence[Cell]) -> list[Cell]:
    """Cells of the models and datasets that have several values; all of them where none has."""
    found: dict[tuple[str, str], set[object]] = {}
    for cell in cells:
        found.setdefault((cell.model, cell.dataset), set()).add(value(cell))
    return [cell for cell in cells if len(found[cell.model, cell.dataset]) > 1] or list(cells)


def _by_shots(cells: Sequence[Cell]) -> list[Cell]:
    return _several(lambda cell: cell.shots, [cell for cell in cells if cell.prompting == "instruction"])


def _by_prompting(cells: Sequence[Cell]) -> list[Cell]:
    return _several(lambda cell: cell.prompting, [cell for cell in cells if cell.shots == 0])


def _size(vocabulary: Vocabulary, cell: Cell) -> str:
    weights = vocabulary.models[cell.model].counted.parameters
    return f"{weights / 10**9:.4g} billion weights" if weights >= 10**9 else f"{weights / 10**6:.4g} million weights"


def _beside_full(cells: Sequence[Cell]) -> list[Cell]:
    full = {(cell.model, cell.dataset) for cell in cells if cell.precision == REFERENCE}
    return [cell for cell in _zero_shot(cells) if cell.precision != REFERENCE and (cell.model, cell.dataset) in full]


def _model(_: Vocabulary, cell: Cell) -> str:
    return cell.model


def _dataset(vocabulary: Vocabulary, cell: Cell) -> str:
    return vocabulary.title("dataset", cell.dataset)


_MODELS = Axis("model", _model, _zero_shot, 2, "it compares several")
# What a figure's module may name as its AXIS.
AXES = {
    # Precisions and datasets are compared too: one model is worth the figure.
    "model": Axis("zero-shot cell", _model, _zero_shot, 1, "'shots' and 'promptings' leave them out"),
    "domain": Axis(
        "domain", lambda words, cell: words.models[cell.model].domain, _zero_shot, 2, "it compares models of both"
    ),
    "size": Axis("size of models", _size, _zero_shot, 2, "it compares several"),
    "shots": Axis(
        "number of worked examples", lambda _, cell: str(cell.shots), _by_shots, 2, "'shots: [0, 1, 3]' adds others"
    ),
    "prompting": Axis(
        "way of prompting",
        lambda _, cell: PROMPTINGS[cell.prompting],
        _by_prompting,
        2,
        "'promptings: [instruction, cot]' adds another",
    ),
    "precision": Axis(
        "precision to compare with full precision",
        lambda words, cell: words.title("precision", cell.precision),
        _beside_full,
        1,
        "'precisions' would name full and another",
    ),
    "labels": Axis(
        "dataset with labels to compare with full precision",
        _dataset,
        _beside_full,
        1,
        "entities have one type, and letters of options mean nothing",
        lambda words, cell: words.datasets[cell.dataset].has_classes,
    ),
    "options": Axis(
        "dataset to be answered by an option",
        _dataset,
        _zero_shot,
        1,
        "relations and questions are",
        lambda words, cell: words.datasets[cell.dataset].task in OPTION_TASKS,
    ),
}


def selection(catalogue: Catalogue) -> Selection:
    """The figures of a run: those that its studies feed, in the order of the studies, and those of every run.

    Raises:
        ConfigError: as :func:`quantbench.study.grid.wanted_cells`, or a study names a figure that does not exist.
    """
    wanted, vocabulary = wanted_cells(catalogue), catalogue.vocabulary
    results = [cell for cell in wanted.every if cell.precision not in vocabulary.noise_floors]
    found = {known(study.figure): study for study in active_studies(catalogue).values() if study.figure}
    chosen = Selection()
    for name, study in found.items():
        if not (own_models(catalogue) and study.models != "all" and _axis(name)):
            _of_study(chosen, name, study, wanted.figures.get(name, ()), vocabulary)
    for name in names():
        if name not in {*chosen.drawn, *chosen.left_out} and (
            is_of_every_run(name) or (_axis(name) and own_models(catalogue))
        ):
            _of_results(chosen, name, results, vocabulary)
    return chosen


def _of_study(chosen: Selection, name: str, study: StudyEntry, cells: Sequence[Cell], vocabulary: Vocabulary) -> None:
    """Choose the cells of a study for its figure; models of which domains it compares is for the study to say."""
    axis = _MODELS if axis_of(name) == "domain" else _axis(name)
    if cells:
        chosen.add(name, cells, axis.shortage(vocabulary, cells) if axis else "")
    else:
        chosen.left_out[name] = f"the run has no cell of its study ({study.title})"


def _of_results(chosen: Selection, name: str, results: Sequence[Cell], vocabulary: Vocabulary) -> None:
    """Choose whatever a figure can compare of all cells of a run."""
    axis = _axis(name)
    among = axis.among(results) if axis else _zero_shot(results)
    cells = [cell for cell in among if axis is None or axis.fits(vocabulary, cell)]
    chosen.add(name, cells, axis.shortage(vocabulary, cells) if axis else "")


def _axis(name: str) -> Axis | None:
    stated = axis_of(name)
    if stated and stated not in AXES:
        raise ConfigError(f"figure {name!r} has the AXIS {stated!r}{nearest(stated, AXES)}")
    return AXES[stated] if stated else None
