"""The shape of the eight test sets: how many samples a document has, how often a label is gold, how alike a document's golds are.

``shape.json`` holds counts taken from the published test sets (of ChemProt from the reconstructed one of 16,112 rows), no text. ``alike`` is the
intraclass correlation, within documents, of a sample's gold label or of a sentence's number of entities.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Golds:
    """A drawn test set.

    Attributes:
        document: shape ``(n,)``, the document of each sample; ascending.
        gold: of one label ``(n,)`` its number; of several ``(n, labels)``, 1 where a label is gold; of entities ``(n,)`` how many.
    """

    document: Numbers
    gold: Numbers


@dataclass(frozen=True, slots=True)
class Shape:
    """One test set.

    Attributes:
        name: the dataset's.
        metric: its own.
        sizes: shape ``(documents,)``, how many samples each has.
        frequencies: shape ``(labels,)``, the share of samples with each as gold; of entities empty.
        several: whether a sample has a set of labels.
        entities: shape ``(samples,)``, how many entities each sentence holds; of labels empty.
        alike: intraclass correlation of the golds.
    """

    name: str
    metric: str
    sizes: Numbers
    frequencies: Floats
    several: bool
    entities: Numbers
    alike: float

    @property
    def labels(self) -> int:
        """How many labels its counts have."""
        return max(1, len(self.frequencies)) if self.metric == "macro_f1" else 1

    def drawn(self, generator: np.random.Generator, documents: int | None = None) -> Golds:
        """Another test set from the population that this one stands for; documents are drawn, and their golds."""
        sizes = generator.choice(self.sizes, documents or len(self.sizes))
        document = np.repeat(np.arange(len(sizes)), sizes)
        if len(self.entities):
            return Golds(document, self._entities(generator, document))
        if self.several:
            return Golds(document, self._sets(generator, len(document)))
        return Golds(document, self._single(generator, document))

    def _single(self, generator: np.random.Generator, document: Numbers) -> Numbers:
        """Dirichlet-multinomial, so that documents differ in what they are about."""
        if self.alike == 0:
            return generator.choice(len(self.frequencies), len(document), p=self.frequencies)
        concentration = 1 / self.alike - 1
        profiles = generator.dirichlet(self.frequencies * concentration, document[-1] + 1).cumsum(axis=1)
        return (generator.random(len(document))[:, None] > profiles[document, :-1]).sum(axis=1)

    def _sets(self, generator: np.random.Generator, samples: int) -> Numbers:
        gold = (generator.random((samples, len(self.frequencies))) < self.frequencies).astype(np.int64)
        empty = ~gold.any(axis=1)
        commonest = self.frequencies / self.frequencies.sum()
        gold[empty, generator.choice(len(commonest), int(empty.sum()), p=commonest)] = 1
        return gold

    def _entities(self, generator: np.random.Generator, document: Numbers) -> Numbers:
        """Poisson, with one gamma factor a document and one a sentence, that give mean, variance and likeness."""
        mean, variance = float(self.entities.mean()), float(self.entities.var())
        between = self.alike * variance / mean**2
        within = max(0.02, (variance - mean) / mean**2 - between)
        factor = generator.gamma(1 / between, between, document[-1] + 1)[document]
        factor *= generator.gamma(1 / within, within, len(document))
        return generator.poisson(mean * factor)


def shapes() -> dict[str, Shape]:
    """The eight, by name."""
    stated = json.loads((Path(__file__).parent / "shape.json").read_text(encoding="utf-8"))
    return {name: _shape(name, entry) for name, entry in stated.items()}


def _shape(name: str, entry: Mapping[str, object]) -> Shape:
    sizes, labels = _spread(entry["documents"]), entry.get("labels", {})
    assert isinstance(labels, dict) and isinstance(entry["alike"], float)
    return Shape(
        name=name,
        metric=str(entry["metric"]),
        sizes=sizes,
        frequencies=np.array(list(labels.values()), dtype=np.float64) / sizes.sum(),
        several=bool(entry.get("several_labels", False)),
        entities=_spread(entry.get("entities", {})),
        alike=entry["alike"],
    )


def _spread(histogram: object) -> Numbers:
    """``{"2": 3}`` as 2, 2, 2."""
    assert isinstance(histogram, dict)
    values = np.array([int(value) for value in histogram], dtype=np.int64)
    return np.repeat(values, list(histogram.values()))
