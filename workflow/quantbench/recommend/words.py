"""A recommendation in words: sentences, terminal text, Markdown, rows for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ..config.vocabulary import task_title
from ..contracts import markdown_text
from ..contracts.recommendation_rows import RecommendationRow
from ..tables.answer_faults import is_many
from .candidates import Candidate
from .ranking import HEADROOM, Recommendation, memory_needed_gib
from .standings import Standing

HEADER = ("rank", "model", "precision", "score", "best", "memory (GiB)", "latency (s)", "against full", "front")
RANKING = (
    "Ranked by score, equal scores by speed. Best: the share of draws of the documents in which a candidate scores best, all candidates "
    "over the same draws; = stands beside those that may be the best, since none scores less than another by more than chance explains. "
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
    lines += _place_sentences(recommendation, best)
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
        parts += ["", *_aligned([HEADER, *_ranking(recommendation)]), RANKING]
    if recommendation.excluded:
        parts += ["", "Cannot be recommended:"]
        parts += [f"  {exclusion.candidate.name}: {exclusion.reason}" for exclusion in recommendation.excluded]
    return "\n".join([*parts, "", *notes(recommendation)]) + "\n"


def as_markdown(recommendation: Recommendation) -> str:
    """The same as one section of Markdown, exclusions folded to one line each."""
    lines = [
        f"**{markdown_text.inline(headline(recommendation))}**",
        "",
        *markdown_text.bullets(reasons(recommendation)),
    ]
    if recommendation.ranked:
        lines += ["", markdown_text.table(HEADER, _ranking(recommendation)).rstrip("\n")]
    if recommendation.excluded:
        excluded = [f"{exclusion.candidate.name}: {exclusion.reason}" for exclusion in recommendation.excluded]
        lines += ["", "Cannot be recommended:", "", *markdown_text.bullets(excluded)]
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
        _row(recommendation, candidate, _Place(rank, id(candidate) in front, standing), None)
        for rank, (candidate, standing) in enumerate(_placed(recommendation), start=1)
    ]
    nowhere = _Place(None, None, None)
    return ranked + [
        _row(recommendation, exclusion.candidate, nowhere, exclusion.reason) for exclusion in recommendation.excluded
    ]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a candidate stands among those that can be deployed; empty of one that cannot."""

    rank: int | None
    on_front: bool | None
    standing: Standing | None


def _placed(recommendation: Recommendation) -> list[tuple[Candidate, Standing | None]]:
    """Each ranked candidate with its standing, where that is known."""
    return list(zip_longest(recommendation.ranked, recommendation.standings))


def _row(recommendation: Recommendation, candidate: Candidate, place: _Place, reason: str | None) -> RecommendationRow:
    limits, standing = recommendation.constraints, place.standing
    low, high = candidate.interval or (None, None)
    return RecommendationRow(
        task=recommendation.task,
        gpu_memory_gib=limits.gpu_memory_gib,
        max_latency_s=limits.max_latency_s,
        margin=limits.margin,
        rank=place.rank,
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
        probability_best=standing.probability_best if standing else None,
        may_be_best=standing.may_be_best if standing else None,
        on_front=place.on_front,
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
            _standing(standing),
            f"{one.memory_gib:.1f}",
            f"{one.latency_s:.2f}",
            _against_full(one, recommendation.constraints.margin),
            "yes" if id(one) in front else "",
        ]
        for rank, (one, standing) in enumerate(_placed(recommendation), start=1)
    ]


def _standing(standing: Standing | None) -> str:
    if standing is None:
        return "not known"
    return f"{standing.probability_best:.0%}{' =' if standing.may_be_best else ''}"


def _against_full(candidate: Candidate, margin: float | None) -> str:
    word = candidate.verdict(margin)
    return word if word == "full" or candidate.difference is None else f"{word} ({candidate.difference:+.3f})"


def _score(candidate: Candidate) -> str:
    interval = candidate.interval
    return f"{candidate.score:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _place_sentences(recommendation: Recommendation, best: Candidate) -> list[str]:
    """How sure the first place is: against the same documents, or, where these are not known, by the intervals alone."""
    if not recommendation.standings:
        near = _level_with(best, recommendation.ranked)
        return [f"Its score interval overlaps with that of {_listed([one.name for one in near])}."] if near else []
    if len(recommendation.ranked) == 1:
        return ["It is the only candidate that fits."]
    share = f"It scores best in {recommendation.standings[0].probability_best:.0%} of the draws of the documents"
    level = recommendation.level
    if not level:
        return [f"{share}, and each other candidate that fits scores less by more than chance explains."]
    lines = [f"{share}; by these samples {_listed([one.name for one in level])} may be as good or better."]
    fastest, smallest = min(level, key=lambda one: one.latency_s), min(level, key=lambda one: one.memory_gib)
    if fastest.latency_s < best.latency_s:
        lines.append(f"Of these the fastest is {fastest.name}, with {fastest.latency_s:.2f} s a query.")
    if smallest.memory_gib < best.memory_gib:
        lines.append(f"Of these the smallest is {smallest.name}, with {smallest.memory_gib:.1f} GiB at the peak.")
    return lines


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
