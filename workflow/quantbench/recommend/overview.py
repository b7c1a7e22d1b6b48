"""Our Figure 7: what to deploy for every task on GPUs of common sizes, as Markdown and CSV (``figure7`` draws it)."""

from __future__ import annotations

from pathlib import Path

from ..config.vocabulary import task_title
from ..contracts import markdown_text
from ..contracts.files import write_text
from ..contracts.recommendation_rows import RecommendationRow
from ..planner.fitting import COMMON_GPUS_GIB
from .candidates import Evidence
from .ranking import Constraints, Recommendation, recommend
from .words import RANKING, as_markdown, notes, rows


def overview(evidence: Evidence, margin: float | None) -> dict[str, list[Recommendation]]:
    """Task -> one recommendation a GPU size, in ascending order of size."""
    return {
        task: [recommend(evidence, task, Constraints(size, margin=margin)) for size in COMMON_GPUS_GIB]
        for task in evidence.candidates
    }


def write_overview(evidence: Evidence, margin: float | None, folder: Path) -> None:
    """Write ``recommendations.md`` and ``recommendations.csv`` into ``folder``, atomically."""
    found = overview(evidence, margin)
    write_text(folder / "recommendations.md", overview_markdown(found))
    every = [row for of_task in found.values() for one in of_task for row in rows(one)]
    RecommendationRow.write(folder / RecommendationRow.path, every)


def overview_markdown(found: dict[str, list[Recommendation]]) -> str:
    """One table of all tasks and sizes, then each answer with its reasons."""
    header = ["GPU", *(task_title(task) for task in found)]
    sizes = [
        [f"{of_size[0].constraints.gpu_memory_gib:g} GiB", *map(_short, of_size)]
        for of_size in zip(*found.values(), strict=True)
    ]
    some = next(iter(found.values()))[0]
    parts = ["# What to deploy", "", markdown_text.table(header, sizes)]
    parts += markdown_text.bullets([*notes(some), RANKING])
    for task, of_task in found.items():
        parts += ["", f"## {markdown_text.inline(task_title(task).capitalize())}", ""]
        parts += ["\n".join(as_markdown(one) for one in _distinct(of_task)).rstrip("\n")]
    return "\n".join(parts) + "\n"


def _distinct(of_task: list[Recommendation]) -> list[Recommendation]:
    """One refusal for all sizes where nothing of the task may be recommended whatever the GPU."""
    everywhere = all(one.best is None for one in of_task) and len({one.refusal for one in of_task}) == 1
    return of_task[:1] if everywhere else of_task


def _short(recommendation: Recommendation) -> str:
    best = recommendation.best
    if best is None:
        return "none"
    return f"{best.name}: {best.score:.3f} ({best.verdict(recommendation.constraints.margin)})"
