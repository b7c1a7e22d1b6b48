"""A recommendation in words: sentences, terminal text, Markdown, rows for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..config.vocabulary import task_title
from ..contracts.csv_rows import markdown_table
from ..contracts.run_tables import RecommendationRow
from ..tables.answer_faults import is_many
from .candidates import Candidate
from .ranking import HEADROOM, Recommendation, memory_needed_gib

HEADER = ("rank", "model", "precision", "score", "memory (GiB)", "latency (s)", "against full", "front")
RANKING = (
    "Ranked: scores within {margin:g} of the best one count as equal and the faster comes first; then by score. "
    "Front: no other candidate scores more with the same memory or less."
)


def headline(recommendation: Recommendation) -> str:
    """The answer in one sentence."""
    limit = recommendation.constraints.max_latency_s
    asked = f"{task_title(recommendation.task)} on one GPU of {recommendation.constraints.gpu_memory_gib:g} GiB"
    asked += f", at most {limit:g} s a query" if limit is not None else ""
    best = recommendation.best
    return f"For {asked}: {recommendation.refusal if best is None else best.name + '.'}"


def reasons(recommendation: Recommendation) -> list[str]:
    """Why the recommended candidate, and how sure that is; empty where nothing is recommended."""
    best = recommendation.best
    if best is None:
        return []
    titles = recommendation.evidence.datasets[recommendation.task]
    scores = ", ".join(f"{titles[cell.dataset]} {cell.score:.3f}" for cell in best.cells)
    source = best.cells[0].memory_source
    lines = [
        f"Score {_score(best)} ({scores}); {best.memory_gib:.1f} GiB at the peak ({source}), {best.latency_s:.2f} s a query.",
        verdict_sentence(best, recommendation.constraints.margin),
    ]
    lines += fault_sentences(best, titles)
    level = _level_with(best, recommendation.ranked)
    if level:
        lines.append(f"Its score interval overlaps with that of {_listed([one.name for one in level])}.")
    lines.append(f"Licence of the model: {best.licence}.")
    return lines


def verdict_sentence(candidate: Candidate, margin: float | None) -> str:
    """What quantization cost this candidate, as far as the evidence goes."""
    margins = [margin] if margin else sorted({cell.margin for cell in candidate.cells})
    allowed = " or ".join(f"{value:g}" for value in margins)
    difference = "not stated" if candidate.difference is None else f"{candidate.difference:+.3f}"
    return {
        "full": "It runs at full precision: nothing is lost to quantization.",
        "preserved": f"Preserved: it keeps the score of full precision within {allowed} (difference {difference}).",
        "improved": f"Improved: it scores more than full precision does (difference {difference}).",
        "degraded": f"Degraded: it loses more than {allowed} of the score of full precision on at least one dataset "
        f"(difference {difference}); it may still be the best that fits.",
        "worse, extent open": f"Worse, extent open: it loses score against full precision, and the samples cannot tell whether more than "
        f"{allowed} (difference {difference}).",
        "inconclusive": f"Inconclusive: the samples cannot tell whether it loses more than {allowed} against full precision "
        f"(difference {difference}). Run more samples before relying on it.",
        "too few": f"Too few: on at least one dataset there are too few documents for any verdict (difference {difference}).",
        "at chance": "At chance: full precision itself is not shown to score more than a constant answer, so there is nothing to lose.",
        "untested": f"Untested: the difference to full precision ({difference}) comes without an interval.",
    }[candidate.verdict(margin)]


def fault_sentences(candidate: Candidate, titles: Mapping[str, str]) -> list[str]:
    """A warning for each dataset on which many of a candidate's answers were cut or could not be read."""
    lines = []
    for cell in candidate.cells:
        shares = {
            "could not be read": cell.unparseable_rate,
            "were cut at the limit of new tokens": cell.truncated_rate,
        }
        many = [f"{share:.1%} {what}" for what, share in shares.items() if share is not None and is_many(share)]
        if many:
            lines.append(
                f"Of its answers on {titles[cell.dataset]} {' and '.join(many)}: look at these before relying on it."
            )
    return lines


def as_text(recommendation: Recommendation) -> str:
    """For a terminal: answer, reasons, ranking, exclusions, notes."""
    parts = [headline(recommendation), *(f"  {line}" for line in reasons(recommendation))]
    if recommendation.ranked:
        parts += ["", *_aligned([HEADER, *_ranking(recommendation)]), _ranking_note(recommendation)]
    if recommendation.excluded:
        parts += ["", "Cannot be recommended:"]
        parts += [f"  {exclusion.candidate.name}: {exclusion.reason}" for exclusion in recommendation.excluded]
    return "\n".join([*parts, "", *notes(recommendation)]) + "\n"


def as_markdown(recommendation: Recommendation) -> str:
    """The same as one section of Markdown, exclusions folded to one line each."""
    lines = [f"**{headline(recommendation)}**", "", *(f"- {line}" for line in reasons(recommendation))]
    if recommendation.ranked:
        lines += ["", markdown_table(HEADER, _ranking(recommendation)).rstrip("\n")]
    if recommendation.excluded:
        lines += ["", "Cannot be recommended:", ""]
        lines += [f"- {exclusion.candidate.name}: {exclusion.reason}" for exclusion in recommendation.excluded]
    return "\n".join(lines) + "\n"


def notes(recommendation: Recommendation) -> list[str]:
    """What holds for the whole source."""
    return [
        f"Evidence: {recommendation.evidence.source}, zero-shot prompts. {' '.join(recommendation.evidence.notes)}",
        f"Memory: the peak must fit with {HEADROOM:.0%} headroom and 0.5 GiB for the CUDA context.",
    ]


def rows(recommendation: Recommendation) -> list[RecommendationRow]:
    """One row a candidate for CSV: ranked ones with their rank, excluded ones with the reason."""
    front = set(map(id, recommendation.front))
    ranked = [
        _row(recommendation, candidate, rank, id(candidate) in front, None)
        for rank, candidate in enumerate(recommendation.ranked, start=1)
    ]
    return ranked + [
        _row(recommendation, exclusion.candidate, None, None, exclusion.reason) for exclusion in recommendation.excluded
    ]


def _row(
    recommendation: Recommendation, candidate: Candidate, rank: int | None, on_front: bool | None, reason: str | None
) -> RecommendationRow:
    limits = recommendation.constraints
    low, high = candidate.interval or (None, None)
    return RecommendationRow(
        task=recommendation.task,
        gpu_memory_gib=limits.gpu_memory_gib,
        max_latency_s=limits.max_latency_s,
        margin=limits.level,
        rank=rank,
        model=candidate.model,
        precision=candidate.precision,
        score=candidate.score,
        score_low=low,
        score_high=high,
        memory_gib=candidate.memory_gib,
        memory_source=candidate.cells[0].memory_source,
        memory_needed_gib=memory_needed_gib(candidate),
        latency_s=candidate.latency_s,
        difference=candidate.difference,
        verdict=candidate.verdict(limits.margin),
        on_front=on_front,
        licence=candidate.licence,
        reason=reason,
    )


def _ranking(recommendation: Recommendation) -> list[list[str]]:
    front = set(map(id, recommendation.front))
    return [
        [
            str(rank),
            one.title,
            one.precision_title,
            _score(one),
            f"{one.memory_gib:.1f}",
            f"{one.latency_s:.2f}",
            _against_full(one, recommendation.constraints.margin),
            "yes" if id(one) in front else "",
        ]
        for rank, one in enumerate(recommendation.ranked, start=1)
    ]


def _ranking_note(recommendation: Recommendation) -> str:
    return RANKING.format(margin=recommendation.constraints.level)


def _against_full(candidate: Candidate, margin: float | None) -> str:
    word = candidate.verdict(margin)
    return word if word == "full" or candidate.difference is None else f"{word} ({candidate.difference:+.3f})"


def _score(candidate: Candidate) -> str:
    interval = candidate.interval
    return f"{candidate.score:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _level_with(best: Candidate, others: Sequence[Candidate]) -> list[Candidate]:
    own = best.interval
    if own is None:
        return []
    found = [(one, one.interval) for one in others if one is not best]
    return [one for one, other in found if other and other[0] <= own[1] and own[0] <= other[1]]


def _listed(names: Sequence[str], shown: int = 4) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
