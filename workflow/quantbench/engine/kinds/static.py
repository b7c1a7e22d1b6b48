"""The engine ``static``: frozen batches of similar length; what all prompts begin with is computed once."""

from __future__ import annotations

from collections.abc import Generator

from ..by_plan import answer_by_plan
from ..job import Answered, Job


def answer(job: Job) -> Generator[Answered]:
    """See :class:`quantbench.engine.kinds.Engine`."""
    job.generator.share_prefix(job.requests)
    yield from answer_by_plan(job)
