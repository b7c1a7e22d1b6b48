"""What may not be passed on of a run: texts, outputs that repeat them, and the names of samples and documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..config import DatasetEntry
from ..tasks import samples_of


@dataclass(frozen=True)
class Withheld:
    """Datasets whose texts a bundle leaves out, those of them whose raw outputs it leaves out too, and whose names it replaces."""

    texts: frozenset[str]
    outputs: frozenset[str]
    names: frozenset[str]


def withheld(
    choice: str, datasets: Mapping[str, DatasetEntry], without_outputs: frozenset[str] = frozenset()
) -> Withheld:
    """What may not be passed on of these datasets.

    Of private datasets nothing is, whatever the choice. Outputs of others may be but where they repeat the input, and never with
    the choice ``none``.

    Args:
        choice: the run's ``data.texts_in_bundles``: ``by_licence``, ``all`` or ``none``.
        datasets: the datasets by name.
        without_outputs: datasets whose outputs are left out as well, if their texts are.
    """
    private = {name for name, entry in datasets.items() if choice == "none" or entry.is_private}
    texts = private | {name for name, entry in datasets.items() if choice == "by_licence" and not entry.redistributable}
    repeating = {name for name in texts if samples_of(datasets[name]).echoes_input}
    return Withheld(frozenset(texts), frozenset(private | repeating | (texts & without_outputs)), frozenset(private))
