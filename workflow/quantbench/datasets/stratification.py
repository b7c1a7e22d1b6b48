"""What a sample counts as when parts of a dataset are drawn, and the drawing of a representative part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from ..config import DatasetEntry
from ..contracts.records import Sample
from ..tasks import samples_of


def strata_of(sample: Sample, entry: DatasetEntry) -> list[str]:
    """The strata one sample counts in: its labels, its answer, or what else its task says."""
    return samples_of(entry).strata(sample.gold)


def count_strata(samples: Iterable[Sample], entry: DatasetEntry) -> dict[str, int]:
    """How many samples count in each stratum, in inventory order where the entry has one, else by name."""
    counts = Counter(stratum for sample in samples for stratum in strata_of(sample, entry))
    order = [*entry.labels, *sorted(counts.keys() - entry.labels.keys())]
    return {stratum: counts[stratum] for stratum in order if stratum in counts}


def limit_samples(samples: Sequence[Sample], entry: DatasetEntry, limit: int | None, seed: int) -> list[Sample]:
    """Draw ``limit`` samples whose labels are spread as in all of them, and return them in dataset order.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data"):
    labels take their share from the rarest to the most frequent, because what is left over hurts the rare ones most.
    A label's share is proportional and at least one; where ``limit`` is below the number of labels, the most
    frequent ones get one each. Named entities: sentences with and without entities are the two labels.

    The same samples, limit and seed always give the same part. None, or a limit that all samples meet, returns all.
    """
    if limit is None or limit >= len(samples):
        return list(samples)
    rng = Random(f"limit {seed}")
    strata = [set(strata_of(sample, entry)) for sample in samples]
    counts = Counter(stratum for own in strata for stratum in own)
    by_rarity = sorted(counts, key=lambda stratum: (counts[stratum], stratum))
    order = rng.sample(range(len(samples)), len(samples))
    chosen: set[int] = set()
    for position, stratum in enumerate(by_rarity):
        covered = set[str]().union(*(strata[number] for number in chosen))
        kept_for_later = sum(other not in covered for other in by_rarity[position + 1 :])
        share = max(1, round(limit * counts[stratum] / len(samples)))
        missing = share - sum(stratum in strata[number] for number in chosen)
        room = max(0, min(missing, limit - len(chosen) - kept_for_later))
        open_ones = [number for number in order if stratum in strata[number] and number not in chosen]
        # A sample with a rarer label was weighed under that label already; it is taken only to have one at all.
        fresh = [number for number in open_ones if strata[number].isdisjoint(by_rarity[:position])]
        chosen.update(fresh[:room] or (open_ones[: min(room, 1)] if stratum not in covered else []))
    chosen.update([number for number in order if number not in chosen][: limit - len(chosen)])
    return [samples[number] for number in sorted(chosen)]
