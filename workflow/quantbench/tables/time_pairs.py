"""The times of two cells of the same samples, pair by pair; and whether they can be compared at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..contracts.measurements import Measurements, TimedAnswer
from ..statistics import Ratio, paired_ratio
from .measured_columns import device_words


@dataclass(frozen=True)
class TimePairs:
    """A cell and its twin at full precision.

    Attributes:
        one: measurements of the cell.
        full: of its twin.
    """

    one: Measurements
    full: Measurements

    @property
    def times_differ(self) -> str:
        """Why times are not compared; empty where they are."""
        here, there = (cell.latency.device or cell.device for cell in (self.one, self.full))
        if not here.is_alike(there):
            return f"timed on {device_words(here)}, full precision on {device_words(there)}"
        return _contended(bool(self.one.latency.contended_by), bool(self.full.latency.contended_by))

    @property
    def energies_differ(self) -> str:
        """Why energies are not compared; empty where they are."""
        if not self.one.device.is_alike(self.full.device):
            return f"measured on {device_words(self.one.device)}, full precision on {device_words(self.full.device)}"
        # Files of before it was told of energy tell it of latency.
        here, there = (
            cell.latency.contended_by if cell.energy.contended_by is None else cell.energy.contended_by
            for cell in (self.one, self.full)
        )
        return _contended(bool(here), bool(there))

    def note(self, full_clock_note: str | None) -> str | None:
        """What to know of the ratios, or why there are none; None where there is nothing to say.

        Args:
            full_clock_note: what slowed the GPUs of full precision.
        """
        words = [
            *([f"no ratios of time: {self.times_differ}"] if self.times_differ else []),
            *([f"no ratio of energy: {self.energies_differ}"] if self._energy_is_told and self.energies_differ else []),
            *([] if self.times_differ else self._beside()),
            *([f"full precision {full_clock_note}"] if full_clock_note and self.one.cell != self.full.cell else []),
        ]
        return "; ".join(words) or None

    def whole_answers(self, confidence: float) -> Ratio | None:
        """Of seconds from the prompt to the last token of each answer, however long it is."""
        return _ratio(self.one.latency.samples, self.full.latency.samples, lambda one: one.latency_s, confidence)

    def further_tokens(self, confidence: float) -> Ratio | None:
        """Of seconds a token after the first, at a fixed length."""
        return self._at_fixed_length(lambda one: one.further_token_s, confidence)

    def first_tokens(self, confidence: float) -> Ratio | None:
        """Of seconds to the first token, at a fixed length."""
        return self._at_fixed_length(lambda one: one.first_token_s, confidence)

    def _at_fixed_length(self, seconds: Callable[[TimedAnswer], float | None], confidence: float) -> Ratio | None:
        here, there = self.one.latency.fixed, self.full.latency.fixed
        if here is None or there is None or here.new_tokens != there.new_tokens:
            return None
        return _ratio(here.samples, there.samples, seconds, confidence)

    @property
    def _energy_is_told(self) -> bool:
        return self.one.energy.energy_j is not None and self.full.energy.energy_j is not None

    def _beside(self) -> list[str]:
        """What differs between the two and still leaves ratios."""
        words = []
        here, there = (len((cell.latency.device or cell.device).names) for cell in (self.one, self.full))
        if here != there:
            words.append(f"on {here} of the GPUs, full precision on {there}")
        lengths = [fixed.new_tokens if fixed else None for fixed in (self.one.latency.fixed, self.full.latency.fixed)]
        if lengths[0] != lengths[1]:
            told = ["not timed at a fixed length" if one is None else f"timed at {one} tokens" for one in lengths]
            words.append(f"no ratios at a fixed length: {told[0]}, full precision {told[1]}")
        return words


def _contended(here: bool, there: bool) -> str:
    places = [word for word, is_so in (("here", here), ("at full precision", there)) if is_so]
    return f"others computed on the GPUs {' and '.join(places)}" if places else ""


def _ratio(
    ours: Sequence[TimedAnswer],
    theirs: Sequence[TimedAnswer],
    seconds: Callable[[TimedAnswer], float | None],
    confidence: float,
) -> Ratio | None:
    """Over the samples that both timed; None where there is none, or a clock showed no time."""
    here, there = _by_sample(ours, seconds), _by_sample(theirs, seconds)
    shared = [sample for sample in here if sample in there]
    if not shared:
        return None
    return paired_ratio([here[sample] for sample in shared], [there[sample] for sample in shared], confidence)


def _by_sample(timed: Sequence[TimedAnswer], seconds: Callable[[TimedAnswer], float | None]) -> Mapping[str, float]:
    told = {one.sample_id: seconds(one) for one in timed}
    return {sample: value for sample, value in told.items() if value}
