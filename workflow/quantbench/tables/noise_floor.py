"""The noise floor beside each comparison: what other batch plans change at full precision (docs/protocol.md#noise-floor)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import Vocabulary
from ..contracts.effect_rows import EffectRow
from ..statistics import holm_by_family, replanning_test
from ..statistics.bootstrap import sum_by_group
from ..tasks.metrics import Counts


@dataclass(frozen=True, slots=True)
class Replans:
    """Full precision again under ``k`` other batch plans, on the n samples of one cell.

    Attributes:
        flips: shape ``(n, k)``, 1 where an answer changed.
        differences: of score, one a plan.
        groups: source document of each sample, length n.
    """

    flips: Counts
    differences: tuple[float, ...]
    groups: Sequence[str]

    def beside(self, row: EffectRow, flips: Counts) -> EffectRow:
        """A comparison with this noise floor and the test of its own flips, shape ``(n,)``, against it."""
        changed = sum_by_group(flips.reshape(-1, 1), self.groups)[:, 0]
        told = {
            "noise_floor_model": row.model,
            "noise_floor_replicates": len(self.differences),
            "noise_floor_flip_rate": float(self.flips.mean()),
            "noise_floor_difference": max(self.differences, key=abs),
            "noise_floor_p": replanning_test(changed, sum_by_group(self.flips, self.groups)),
        }
        return row.model_copy(update=told)


def judged_floors(rows: Sequence[EffectRow], confidence: float) -> list[EffectRow]:
    """The comparisons of one study, with what their tests against noise floors say.

    Holm's correction is for the tests of a family as ``holm_p`` has it. Outside all families, where weights are random, p
    stands as it is.

    Args:
        rows: in any order, their families set.
        confidence: of the run's intervals; a test at the level it leaves.
    """
    tested = {place: p for place, row in enumerate(rows) if (p := row.noise_floor_p) is not None}
    corrected = holm_by_family(list(tested.values()), [rows[place].family for place in tested])
    judged = list(rows)
    for place, p in zip(tested, corrected, strict=True):
        alone = rows[place].family is None
        told = {
            "noise_floor_holm_p": None if alone else p,
            "within_noise_floor": (tested[place] if alone else p) > 1 - confidence,
        }
        judged[place] = rows[place].model_copy(update=told)
    return judged


def named_floors(vocabulary: Vocabulary, rows: Sequence[EffectRow]) -> list[EffectRow]:
    """All comparisons, those of models without a noise floor with the floor of the model nearest in size.

    It is of the same dataset and prompt, is named, and nothing is tested against it: it was measured on another model's answers.
    """
    floors: dict[tuple[str, str, int], dict[str, EffectRow]] = {}
    for row in rows:
        if row.noise_floor_model == row.model and row.weights == "published":
            floors.setdefault((row.dataset, row.prompting, row.shots), {})[row.model] = row
    return [_with_nearest(vocabulary, row, floors.get((row.dataset, row.prompting, row.shots), {})) for row in rows]


def _with_nearest(vocabulary: Vocabulary, row: EffectRow, floors: dict[str, EffectRow]) -> EffectRow:
    if row.noise_floor_model is not None or row.weights == "random" or not floors:
        return row
    own = math.log(vocabulary.models[row.model].counted.parameters)
    nearest = min(floors, key=lambda name: abs(math.log(vocabulary.models[name].counted.parameters) - own))
    shared = ("noise_floor_model", "noise_floor_replicates", "noise_floor_flip_rate")
    return row.model_copy(update={column: getattr(floors[nearest], column) for column in shared})
