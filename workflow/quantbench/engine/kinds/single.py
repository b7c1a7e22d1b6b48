"""The engine ``single``, the paper's protocol: one sample at a time, and nothing is shared between them."""

from __future__ import annotations

from collections.abc import Generator

from ..by_plan import answer_by_plan
from ..job import Answered, Job


def answer(job: Job) -> Generator[Answered]:
    """See :class:`quantbench.engine.kinds.Engine`; batches of the plan hold one sample."""
    yield from answer_by_plan(job)
