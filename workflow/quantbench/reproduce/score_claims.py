"""Claims about scores."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from ..config import is_zero_shot
from .claims import TINY, Claim, Evidence, by_precision, counted, ranges
from .readings import Pair, ReadCell, Reading


@dataclass(frozen=True, slots=True)
class KeepsScores(Claim):
    """Quantized models keep the scores of full precision, within ``margin``; all models, or those of one domain."""

    margin: float
    domain: Literal["general", "biomedical"] | None = None
    source: str = "abstract"
    of_scores: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The claim."""
        if self.domain:
            return f"Quantized {self.domain} models keep what they know of the domain."
        return "Quantization preserves performance across tasks."

    def evidence(self, reading: Reading) -> Evidence:
        """By verdicts of paired answers where there are some, else by the differences alone."""
        pairs = [
            pair
            for pair in reading.pairs
            if is_zero_shot(pair.quantized.cell) and self.domain in (None, pair.quantized.domain)
        ]
        judged = [pair for pair in pairs if pair.quantized.cell in reading.verdicts]
        if not pairs:
            return Evidence()
        return self._by_verdict(reading, judged) if judged else self._by_difference(pairs)

    def _by_verdict(self, reading: Reading, pairs: Sequence[Pair]) -> Evidence:
        of_each: defaultdict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            of_each[reading.verdicts[pair.quantized.cell]].append(pair)
        kept, without = _with_something_to_lose([*of_each["preserved"], *of_each["improved"]])
        lost, worse, idle = of_each["degraded"], of_each["worse, extent open"], [*of_each["at chance"], *without]
        unknown = [*of_each["inconclusive"], *of_each["too few"]]
        speaks_for = (
            f"{len(kept)} of {len(pairs) - len(idle)} cells are preserved: their paired interval lies above minus the margin of "
            "their dataset."
        )
        against = []
        if lost:
            against.append(f"{counted(lost, 'is', 'are')} degraded, all of the interval below that; {_worst(lost)}.")
        if worse:
            against.append(f"{counted(worse, 'is', 'are')} worse, and by how much is open; {_worst(worse)}.")
        undecided = [f"{counted(unknown, 'is', 'are')} inconclusive at this number of samples."] if unknown else []
        return Evidence((speaks_for,) if kept else (), tuple(against), (*undecided, *_nothing_to_lose(idle)))

    def _by_difference(self, pairs: Sequence[Pair]) -> Evidence:
        lost = [pair for pair in pairs if pair.difference < -self.margin - TINY]
        kept, idle = _with_something_to_lose([pair for pair in pairs if pair not in lost])
        means = ", ".join(
            f"{precision} {_mean(pair.difference for pair in group):+.3f}"
            for precision, group in by_precision(pairs).items()
        )
        speaks_for = (
            f"{len(kept)} of {len(pairs)} cells lose no more than {self.margin:g} (mean of all differences: {means})."
        )
        against = [f"{counted(lost, 'loses', 'lose')} more: {_counted(lost)}; {_worst(lost)}."] if lost else []
        plain = "These are differences of single runs, without paired intervals."
        return Evidence((speaks_for,) if kept else (), tuple(against), _nothing_to_lose(idle), (plain,))


@dataclass(frozen=True, slots=True)
class _Gain:
    """What a way of prompting changes at a precision, beside the plain zero-shot prompt."""

    prompted: Pair
    plain: Pair

    @property
    def by(self) -> float:
        """How much more the quantized model gains than full precision does."""
        return self.prompted.difference - self.plain.difference

    @property
    def of_nothing(self) -> bool:
        """Whether full precision knows no more than a constant answer either way."""
        return _is_below(self.prompted.full) and _is_below(self.plain.full)


@dataclass(frozen=True, slots=True)
class KeepsPrompting(Claim):
    """Quantized models gain as much from worked examples and chains of thought as full precision does, within ``margin``."""

    margin: float
    source: str = "abstract"
    of_scores: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The claim."""
        return "Quantized models respond to worked examples and to advanced prompting as full precision does."

    def evidence(self, reading: Reading) -> Evidence:
        """The gain over the zero-shot prompt at each precision, minus that at full precision."""
        gains = list(self._gains(reading))
        if not gains:
            return Evidence()
        short = [(gain.prompted, gain.by) for gain in gains if gain.by < -self.margin - TINY]
        idle = [gain for gain in gains if gain.by >= -self.margin - TINY and gain.of_nothing]
        level = len(gains) - len(short) - len(idle)
        speaks_for = f"{level} of {len(gains)} gains fall short of full precision's by no more than {self.margin:g}."
        against = ""
        if short:
            pair, by = min(short, key=lambda one: one[1])
            against = (
                f"{counted(short, 'falls', 'fall')} short by more; the most {_prompted(pair.quantized)}, {by:+.3f}."
            )
        unknown = f"{counted(idle, 'shows', 'show')} nothing: full precision scores no more than one constant answer under either prompt."
        plain = "These are differences of scores, without intervals."
        return Evidence(
            (speaks_for,) if level else (), (against,) if short else (), (unknown,) if idle else (), notes=(plain,)
        )

    @staticmethod
    def _gains(reading: Reading) -> Iterator[_Gain]:
        by_cell = {pair.quantized.cell: pair for pair in reading.pairs}
        for cell, pair in by_cell.items():
            plain = by_cell.get(replace(cell, prompting="instruction", shots=0))
            if plain is not None and plain is not pair:
                yield _Gain(pair, plain)


@dataclass(frozen=True, slots=True)
class LosesAt(Claim):
    """One model loses at one precision, by more than ``margin``; ``mean`` is its mean difference in Table 1."""

    model: str
    precision: str
    title: str
    mean: float
    margin: float
    of_scores: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The claim."""
        return f"{self.title} loses score."

    @property
    def source(self) -> str:
        """Where it shows."""
        return f"Table 1, whose lowest mean difference to full precision this is: {self.mean:+.3f}"

    @classmethod
    def greatest(cls, reading: Reading, margin: float) -> LosesAt | None:
        """The claim about the model and precision whose mean difference to full precision is lowest; None: nothing is paired."""
        groups: dict[tuple[str, str], list[Pair]] = {}
        for pair in reading.pairs:
            groups.setdefault((pair.quantized.cell.model, pair.quantized.cell.precision), []).append(pair)
        if not groups:
            return None
        (model, precision), pairs = min(groups.items(), key=lambda item: _mean(pair.difference for pair in item[1]))
        title = f"{pairs[0].quantized.model} {pairs[0].quantized.precision}"
        return cls(model, precision, title, _mean(pair.difference for pair in pairs), margin)

    def evidence(self, reading: Reading) -> Evidence:
        """Dataset by dataset, with what the same model loses at its other precisions."""
        zero_shot = [
            pair
            for pair in reading.pairs
            if pair.quantized.cell.model == self.model and is_zero_shot(pair.quantized.cell)
        ]
        pairs = [pair for pair in zero_shot if pair.quantized.cell.precision == self.precision]
        others = [pair for pair in zero_shot if pair.quantized.cell.precision != self.precision]
        lost = [pair for pair in pairs if pair.difference < -self.margin - TINY]
        kept = [pair for pair in pairs if pair.difference >= -self.margin - TINY]
        notes = (
            [f"Elsewhere the same model: {ranges(others, lambda pair: pair.difference, '+.3f')}."]
            if pairs and others
            else []
        )
        return Evidence(
            (f"It loses on {_differences(lost)}.",) if lost else (),
            (f"It does not on {_differences(kept)}.",) if kept else (),
            notes=tuple(notes),
        )


@dataclass(frozen=True, slots=True)
class BelowConstant(Claim):
    """At every precision one model scores no more on one dataset than the best constant answer."""

    model: str
    dataset: str
    title: str
    source: str = "Table 1"
    of_scores: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The claim."""
        return f"{self.title} scores no more than one constant answer, at every precision."

    @classmethod
    def all_of(cls, reading: Reading) -> list[BelowConstant]:
        """A claim for each model and dataset of which this is so."""
        groups: dict[tuple[str, str], list[ReadCell]] = {}
        for one in reading.cells:
            if is_zero_shot(one.cell) and one.constant is not None:
                groups.setdefault((one.cell.model, one.cell.dataset), []).append(one)
        return [
            cls(model, dataset, f"{cells[0].model} on {cells[0].dataset}")
            for (model, dataset), cells in groups.items()
            if all(_is_below(one) for one in cells)
        ]

    def evidence(self, reading: Reading) -> Evidence:
        """The cell at each precision beside the constant answer under the same scoring."""
        cells = [
            one
            for one in reading.cells
            if (one.cell.model, one.cell.dataset) == (self.model, self.dataset)
            and is_zero_shot(one.cell)
            and one.constant is not None
        ]
        below, above = [one for one in cells if _is_below(one)], [one for one in cells if not _is_below(one)]
        return Evidence(
            (f"No more than the constant answer's {_constants(below)}: {_scores(below)}.",) if below else (),
            (f"More than the constant answer's {_constants(above)}: {_scores(above)}.",) if above else (),
        )


def _with_something_to_lose(pairs: Iterable[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs whose full precision scores more than one constant answer, or of which that is unknown; and all others."""
    known: list[Pair] = []
    idle: list[Pair] = []
    for pair in pairs:
        (idle if _is_below(pair.full) else known).append(pair)
    return known, idle


def _nothing_to_lose(pairs: Sequence[Pair]) -> tuple[str, ...]:
    if not pairs:
        return ()
    return (
        f"{counted(pairs, 'has', 'have')} nothing to lose: full precision itself scores no more than one constant answer.",
    )


def _is_below(one: ReadCell) -> bool:
    return one.constant is not None and one.score <= one.constant + TINY


def _constants(cells: Iterable[ReadCell]) -> str:
    return " or ".join(dict.fromkeys(f"{one.constant:.3f}" for one in cells if one.constant is not None))


def _scores(cells: Iterable[ReadCell]) -> str:
    return ", ".join(f"{one.precision} {one.score:.3f}" for one in cells)


def _differences(pairs: Iterable[Pair]) -> str:
    return ", ".join(f"{pair.quantized.dataset} {pair.difference:+.3f}" for pair in pairs)


def _counted(pairs: Iterable[Pair]) -> str:
    return ", ".join(f"{len(group)} at {precision}" for precision, group in by_precision(pairs).items())


def _worst(pairs: Sequence[Pair]) -> str:
    pair = min(pairs, key=lambda one: one.difference)
    return f"the most {pair.quantized.name}, {pair.difference:+.3f}"


def _prompted(one: ReadCell) -> str:
    shots = f", {one.cell.shots} shots" if one.cell.shots else ""
    return f"{one.name} ({one.cell.prompting.replace('_', '-')}{shots})"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)
