"""Claims about memory and latency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..planner import GIB
from ..planner.fitting import CONTEXT_BYTES
from .claims import TINY, Claim, Evidence, counted, names, ranges
from .readings import ReadCell, Reading

CONTEXT_GIB = CONTEXT_BYTES / GIB


@dataclass(frozen=True, slots=True)
class SavesMemory(Claim):
    """Quantization saves up to a ``share`` of full precision's memory (0 to 1)."""

    share: float
    source: str = "abstract"
    of_scores: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The claim."""
        return f"Quantization reduces GPU memory by up to {self.share:.0%}."

    def evidence(self, reading: Reading) -> Evidence:
        """The savings at each precision, and the largest."""
        if not reading.pairs:
            return Evidence()
        where = "" if reading.on_gpu else " (bytes of the weights, since the run was on a CPU)"
        saving = [pair for pair in reading.pairs if pair.saving > 0]
        growing = [pair.quantized for pair in reading.pairs if pair.saving <= 0]
        most = max(reading.pairs, key=lambda pair: pair.saving)
        largest = f"{most.saving:.1%} ({most.quantized.name})"
        speaks_for, against = [], []
        if saving:
            of_each = ranges(saving, lambda pair: pair.saving, ".0%")
            speaks_for.append(f"{len(saving)} of {len(reading.pairs)} cells take less memory{where}: {of_each} less.")
        if growing:
            against.append(f"{counted(growing, 'takes', 'take')} no less: {names(growing)}.")
        # A share given in whole per cent is reached by what rounds to it.
        if most.saving >= self.share - 0.005:
            speaks_for.append(f"The largest saving is {largest}.")
        else:
            against.append(f"No saving reaches {self.share:.0%}; the largest is {largest}.")
        return Evidence(tuple(speaks_for), tuple(against))


@dataclass(frozen=True, slots=True)
class FitsOneGpu(Claim):
    """Models of around ``billions`` of weights, quantized, fit one GPU of ``gib`` GiB (the paper's GB are GiB)."""

    billions: float
    gib: float
    source: str = "abstract"
    of_scores: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The claim."""
        return f"Models of {self.billions:g} billion weights run on one GPU of {self.gib:g} GB once quantized."

    def evidence(self, reading: Reading) -> Evidence:
        """The peak of each such model at the precision that takes least, over its datasets.

        Peaks are those of torch's allocator: a GPU also holds the CUDA context.
        """
        models: dict[str, dict[str, list[ReadCell]]] = {}
        for pair in reading.pairs:
            one = pair.quantized
            if abs(one.parameters / (self.billions * 1e9) - 1) < 0.15:
                models.setdefault(one.model, {}).setdefault(one.precision, []).append(one)
        if not models:
            return Evidence()
        if not reading.on_gpu:
            return Evidence(undecided=("The run was on a CPU, which has no peak of GPU memory.",))
        speaks_for, against, close = [], [], []
        for model, precisions in models.items():
            peaks = {name: sorted(one.memory_gib for one in cells) for name, cells in precisions.items()}
            least = min(peaks, key=lambda name: peaks[name][-1])
            low, high = peaks[least][0], peaks[least][-1]
            said = f"{model} {least} peaks at {' to '.join(dict.fromkeys([f'{low:.2f}', f'{high:.2f}']))} GiB"
            if high <= self.gib - CONTEXT_GIB:
                speaks_for.append(f"{said}.")
            elif high <= self.gib:
                fitting = sum(peak <= self.gib - CONTEXT_GIB for peak in peaks[least])
                close.append(
                    f"{said}: with {CONTEXT_GIB:g} GiB for the CUDA context, which peaks do not count, within {self.gib:g} on "
                    f"{fitting} of {len(peaks[least])} datasets."
                )
            else:
                fitting = sum(peak <= self.gib for peak in peaks[least])
                against.append(f"{said}: within {self.gib:g} on {fitting} of {len(peaks[least])} datasets.")
        return Evidence(tuple(speaks_for), tuple(against), tuple(close))


@dataclass(frozen=True, slots=True)
class AnswersSlower(Claim):
    """Quantized models take longer for an answer than at full precision."""

    source: str = "Table 1"
    of_scores: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The claim."""
        return "A quantized model takes longer for an answer than the same model at full precision."

    def evidence(self, reading: Reading) -> Evidence:
        """How many cells are slower, and by how much."""
        slower = [pair for pair in reading.pairs if pair.slowdown > 1 + TINY]
        others = [pair for pair in reading.pairs if pair.slowdown <= 1 + TINY]
        speaks_for, against = [], []
        if slower:
            times = ranges(slower, lambda pair: pair.slowdown, ".2f")
            speaks_for.append(f"{len(slower)} of {len(reading.pairs)} cells are slower, by factors of: {times}.")
        if others:
            times = ranges(others, lambda pair: pair.slowdown, ".2f")
            against.append(
                f"{counted(others, 'is', 'are')} not ({times}): {names([pair.quantized for pair in others])}."
            )
        return Evidence(tuple(speaks_for), tuple(against))
