"""Constraints on candidates: what can be deployed, in which order, why the rest cannot, and when nothing is advised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ConfigError
from ..planner import GIB
from ..planner.fitting import CONTEXT_BYTES
from .candidates import Candidate, Evidence
from .standings import Standing, standings

CONTEXT_GIB = CONTEXT_BYTES / GIB
# Of the measured peak, left free on top: the allocator reserves more than it hands out, and users' prompts may be longer
# than the test set's.
HEADROOM = 0.05


@dataclass(frozen=True)
class Constraints:
    """What a deployment must keep to.

    Attributes:
        gpu_memory_gib: memory of the one GPU, in GiB.
        max_latency_s: longest bearable mean of a single query; None: any.
        margin: losses against full precision up to this count as preserved, on every dataset; None: each dataset's own margin
            (docs/protocol.md#margins).
    """

    gpu_memory_gib: float
    max_latency_s: float | None = None
    margin: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.gpu_memory_gib < math.inf:
            raise ConfigError(f"GPU memory has the value {self.gpu_memory_gib:g}; give GiB above 0")
        if self.max_latency_s is not None and not self.max_latency_s > 0:
            raise ConfigError(f"the longest latency has the value {self.max_latency_s:g}; give seconds above 0")
        if self.margin is not None and not 0 < self.margin < 1:
            raise ConfigError(f"the margin has the value {self.margin:g}; give a difference of score between 0 and 1")


@dataclass(frozen=True)
class Exclusion:
    """A candidate that cannot be deployed, and the sentence why."""

    candidate: Candidate
    reason: str


@dataclass(frozen=True)
class Recommendation:
    """The answer for one task and one GPU.

    ``ranked`` is best first; where it is empty, ``refusal`` says why. ``standings`` says of each of them how sure its place is;
    empty where the source has no answers by document.
    """

    task: str
    constraints: Constraints
    evidence: Evidence
    ranked: tuple[Candidate, ...]
    excluded: tuple[Exclusion, ...]
    refusal: str | None
    standings: tuple[Standing, ...] = ()

    @property
    def level(self) -> tuple[Candidate, ...]:
        """Those but the recommended one that may be the best, as far as the samples can tell."""
        placed = zip(self.ranked[1:], self.standings[1:], strict=False)
        return tuple(candidate for candidate, standing in placed if standing.may_be_best)

    @property
    def best(self) -> Candidate | None:
        """The recommended deployment; None where nothing is recommended."""
        return self.ranked[0] if self.ranked else None

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The ranked candidates on the Pareto front, by ascending memory."""
        return pareto_front(self.ranked)


def recommend(evidence: Evidence, task: str, constraints: Constraints) -> Recommendation:
    """Rank what can be deployed.

    The highest score comes first; of equal ones, the fastest. How sure that order is, and which others may be as good, follows
    from scores over the same draws of documents (:mod:`.standings`). A quantized candidate whose loss against its own full precision is
    certain or open may still be the best that fits: its verdict is said beside it, never hidden.

    Raises:
        DataError: the evidence has no cell of the task.
    """
    fitting, excluded = [], []
    for candidate in evidence.of(task):
        reason = exclusion_reason(candidate, constraints, evidence.datasets[task])
        if reason is None:
            fitting.append(candidate)
        else:
            excluded.append(Exclusion(candidate, reason))
    ranked = tuple(sorted(fitting, key=lambda one: (-one.score, one.latency_s, one.memory_gib)))
    refusal = None if ranked else _refusal(excluded, evidence.datasets[task], constraints)
    return Recommendation(
        task, constraints, evidence, ranked, tuple(excluded), refusal, standings(ranked, evidence.confidence)
    )


def memory_needed_gib(candidate: Candidate) -> float:
    """GiB a GPU must have: the peak with headroom, and the CUDA context beside it."""
    return candidate.memory_gib * (1 + HEADROOM) + CONTEXT_GIB


def exclusion_reason(candidate: Candidate, constraints: Constraints, datasets: dict[str, str]) -> str | None:
    """One sentence why a candidate cannot be deployed, or None where it can."""
    return _unfit_evidence(candidate, datasets) or _beyond_limits(candidate, constraints)


def _unfit_evidence(candidate: Candidate, datasets: dict[str, str]) -> str | None:
    if candidate.demonstration:
        return "It is a demonstration model or a random-weight stand-in, whose scores say nothing about real use."
    missing = [title for name, title in datasets.items() if name not in {cell.dataset for cell in candidate.cells}]
    if missing:
        return f"It has no result on {' and '.join(missing)}, so its score is not that of the whole task."
    constant = candidate.constant_score
    if constant is not None and candidate.score <= constant:
        return f"Its score of {candidate.score:.3f} is no better than that of the best constant answer, {constant:.3f}."
    return None


def _beyond_limits(candidate: Candidate, constraints: Constraints) -> str | None:
    needed = memory_needed_gib(candidate)
    if needed > constraints.gpu_memory_gib:
        return (
            f"It needs {needed:.1f} GiB (peak {candidate.memory_gib:.1f}, {HEADROOM:.0%} headroom, "
            f"{CONTEXT_GIB:g} for the CUDA context), more than the GPU's {constraints.gpu_memory_gib:g}."
        )
    limit = constraints.max_latency_s
    if limit is not None and candidate.latency_s > limit:
        return f"A query takes {candidate.latency_s:.2f} s on average, longer than the {limit:g} s allowed."
    return None


def pareto_front(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those that no other beats in score with the same memory or less, by ascending memory."""
    front: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (one.memory_gib, -one.score)):
        if not front or candidate.score > front[-1].score:
            front.append(candidate)
    return tuple(front)


def _refusal(excluded: Sequence[Exclusion], datasets: dict[str, str], constraints: Constraints) -> str:
    candidates = [exclusion.candidate for exclusion in excluded]
    if all(candidate.demonstration for candidate in candidates):
        return (
            "No recommendation: every model of this run is a demonstration model or a random-weight stand-in. "
            "Run the real models, or ask with --run published."
        )
    usable = [candidate for candidate in candidates if _unfit_evidence(candidate, datasets) is None]
    if not usable:
        names = " and ".join(datasets.values())
        return f"No recommendation: no real model was run on all of {names} and scored better than a constant answer."
    smallest = min(usable, key=memory_needed_gib)
    limit = f" within {constraints.max_latency_s:g} s a query" if constraints.max_latency_s is not None else ""
    return (
        f"No recommendation: nothing that was run fits a GPU of {constraints.gpu_memory_gib:g} GiB{limit}. The smallest is "
        f"{smallest.name}, which needs {memory_needed_gib(smallest):.1f} GiB and {smallest.latency_s:.2f} s a query."
    )
