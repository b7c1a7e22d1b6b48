"""Does quantization change more answers than composing batches otherwise does (docs/protocol.md#noise-floor)?"""

from __future__ import annotations

import numpy as np

from ..tasks.metrics import Counts, Floats


def replanning_test(quantized: Counts, replans: Counts) -> float:
    """Return the one-sided exact p of "quantization changes no more answers than another batch plan does".

    Under that hypothesis the quantized cell is one more replan: which of the ``k + 1`` cells is called quantized says nothing
    about a document's changed answers, so within each document the names could as well have been dealt out otherwise (a
    permutation test stratified by document; Fisher 1935). The statistic, the changed answers of the quantized cell minus the
    mean of the replans', grows with the former alone, since the sum over all cells is fixed. Its distribution is that of a sum
    over documents of one of their ``k + 1`` numbers each, drawn with equal chances, which is computed whole: nothing is drawn
    at random here. With one replan and one sample a document this is the sign test of the answers that only one of the two
    changed.

    Args:
        quantized: shape ``(documents,)``, answers of each document that quantization changed.
        replans: shape ``(documents, k)``, answers of each that each of ``k`` other batch plans changed.

    Raises:
        ValueError: no replan, or shapes that differ.
    """
    if replans.ndim != 2 or not replans.shape[1] or len(replans) != len(quantized):
        raise ValueError(f"changes of {quantized.shape} documents and {replans.shape} under other plans do not match")
    cells = np.sort(np.column_stack([quantized, replans]), axis=1).astype(np.int64)
    # What all cells of a document share shifts the sum and the observed value alike.
    observed = int((quantized - cells[:, 0]).sum())
    kinds, documents = np.unique(cells - cells[:, :1], axis=0, return_counts=True)
    chances = np.ones(1)
    for kind, count in zip(kinds, documents.tolist(), strict=True):
        chances = np.convolve(chances, _repeated(np.bincount(kind) / len(kind), count))
    return min(1.0, float(chances[observed:].sum()))


def _repeated(chances: Floats, times: int) -> Floats:
    """The distribution of a sum of so many independent numbers, each 0, 1, 2 ... with these chances."""
    total = np.ones(1)
    while times:
        if times & 1:
            total = np.convolve(total, chances)
        chances, times = np.convolve(chances, chances) if times > 1 else chances, times >> 1
    return total
