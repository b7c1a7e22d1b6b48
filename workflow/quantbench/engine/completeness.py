"""Whether the text generated for a request so far holds its whole answer. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..contracts.records import Sample
from ..tasks import Task
from ..tasks.completion import opens_thought
from .batches import Request


@dataclass(frozen=True)
class AnswerCheck:
    """Whether what was generated for a request so far holds its whole answer.

    ``stated`` waits for a stated final answer, as chains of thought need.
    """

    task: Task
    samples: Mapping[str, Sample]
    stated: bool

    def __call__(self, request: Request, output: str) -> bool:
        """Judge the text generated so far, special tokens left out."""
        if opens_thought(request.text) and "</think>" not in output.lower():
            return False
        return self.task.answer_end(output, self.samples[request.sample_id], self.stated) is not None
