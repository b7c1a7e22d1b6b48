"""Means per sample or per token, where the samples of one document are alike (docs/protocol.md#how-likelihoods-are-read).

A mean over samples or tokens of documents is a ratio: what the documents add up to, over how many samples or tokens they happen to
have. Its standard error is that of a ratio (Cochran 1977, *Sampling Techniques*, section 3.12), its quantile Student's with one
degree of freedom less than there are documents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError
from ..tasks.metrics import Counts, Floats
from .bootstrap import Bootstrap
from .drawn_documents import chunks, size_of
from .intervals import clustered_wilson_interval
from .student import student_quantile

# Up to so many documents every choice of signs is looked at, and p is exact.
MOST_SIGNED = 14
# Sums that are equal but for rounding count as equal.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the ends of its confidence interval; the ends are None where one document says nothing of others."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class DocumentSums:
    """What documents add up to. ``sums`` and ``sizes`` have the shape (documents,)."""

    sums: Floats
    sizes: Floats

    @classmethod
    def of(cls, sums: Floats | Counts, sizes: Counts | Floats, groups: Sequence[str]) -> DocumentSums:
        """Add up samples document by document; documents whose size is 0 are left out.

        Args:
            sums: shape ``(n,)``, what each sample adds.
            sizes: shape ``(n,)``, how much of it there is: 1 a sample, or its number of tokens.
            groups: source document of each sample, length ``n``.

        Raises:
            DataError: lengths that differ, or nothing in any sample.
        """
        if not len(sums) == len(sizes) == len(groups):
            raise DataError(
                f"{len(sums)} sums, {len(sizes)} sizes and {len(groups)} groups: they must be of the same samples"
            )
        _, members = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        summed, counted = (np.bincount(members, weights=of_each).astype(np.float64) for of_each in (sums, sizes))
        if not counted.any():
            raise DataError("no samples to take a mean of")
        return cls(summed[counted > 0], counted[counted > 0])

    @property
    def mean(self) -> float:
        """Of a sample, or of a token."""
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def deviations(self) -> Floats:
        """How far each document is from adding what its size would at the mean, shape (documents,)."""
        return self.sums - self.mean * self.sizes

    @property
    def standard_error(self) -> float:
        """Of the mean; needs two documents."""
        documents = len(self.sums)
        return math.sqrt(documents / (documents - 1) * float((self.deviations**2).sum())) / float(self.sizes.sum())

    def interval(self, confidence: float) -> Estimate:
        """The mean, its standard error times Student's quantile to either side."""
        if len(self.sums) < 2:
            return Estimate(self.mean)
        reach = student_quantile((1 + confidence) / 2, len(self.sums) - 1) * self.standard_error
        return Estimate(self.mean, self.mean - reach, self.mean + reach)

    def positive_interval(self, confidence: float) -> Estimate:
        """The same for what is never negative and seldom large: taken of the logarithm, so that no end lies below 0.

        A few documents carry most of such a mean. The symmetric interval is then too low at both ends.
        """
        if len(self.sums) < 2 or self.mean <= 0:
            return Estimate(self.mean)
        reach = student_quantile((1 + confidence) / 2, len(self.sums) - 1) * self.standard_error / self.mean
        return Estimate(self.mean, self.mean * math.exp(-reach), self.mean * math.exp(reach))

    def share_interval(self, confidence: float) -> Estimate:
        """The same for shares, of sums and sizes that are whole numbers: Wilson's, see :func:`~quantbench.statistics.clustered_wilson_interval`."""
        low, high = clustered_wilson_interval(self.sums.astype(np.int64), self.sizes.astype(np.int64), confidence)
        return Estimate(self.mean, low, high)

    def sign_flip_p(self, bootstrap: Bootstrap) -> float:
        """The two-sided p of a mean difference, by swapping the two sides of each document.

        If the sides were alike, each document's sum could as well have the other sign (Fisher 1935). Exact for 14 documents or
        fewer; else as many swaps are drawn as the bootstrap has resamples, and the observed sum counts as one of them (Phipson
        and Smyth 2010).
        """
        moved = np.abs(self.sums[self.sums != 0])
        observed = abs(float(self.sums.sum())) - _ROUNDING * float(moved.sum())
        if len(moved) <= MOST_SIGNED:
            signs = 1 - 2 * (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1)
            return float((np.abs(signs @ moved) >= observed).mean())
        generator, reached = np.random.default_rng(bootstrap.seed), 0
        for chunk in chunks(bootstrap.resamples, 8 * len(moved)):
            swaps = generator.integers(2, size=(size_of(chunk), len(moved)), dtype=np.int8)
            # The sum less twice what was turned over.
            turned = swaps.astype(np.float64) @ moved
            reached += int((np.abs(moved.sum() - 2 * turned) >= observed).sum())
        return (reached + 1) / (bootstrap.resamples + 1)
