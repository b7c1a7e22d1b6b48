"""The quality pass: every sample of a cell answered once, by the configured engine, on disk as soon as it is finished."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ..config import Catalogue
from ..contracts.records import Prediction
from ..engine.batches import Plan, Request
from ..engine.halving import answer_halving
from ..errors import ModelError
from ..study.grid import Cell
from .advice import advice
from .pace import Pace
from .progress import Progress

if TYPE_CHECKING:
    from ..engine.generation import Generator

# What is kept where, and who is told: progress on disk, predictions so far by sample id, the pace of the cell.
Keeping = tuple[Progress, dict[str, Prediction], Pace]

# The continuous engine ends samples one by one; a disk is asked to keep them this often.
_KEEP_EVERY_S = 1.0


def answer_all(
    catalogue: Catalogue,
    cell: Cell,
    work: tuple[Sequence[Request], Plan],
    generator: Generator,
    progress: Progress,
) -> list[Prediction]:
    """Answer what an earlier start has not finished, saying how far it is.

    Args:
        catalogue: names the engine.
        cell: for messages.
        work: requests in dataset order, and their batches; the continuous engine makes none of its own.
        generator: the loaded model.
        progress: what is finished, and where finished answers go.

    Returns:
        Predictions in dataset order.
    """
    requests = work[0]
    settings, done = catalogue.run.inference, progress.finished()
    pace = Pace(cell.label, len(requests), len(done))
    if len(done) == len(requests):
        pass  # only the last files are missing
    elif settings.engine == "continuous":
        _continuously(settings.token_budget, cell, requests, generator, (progress, done, pace))
    else:
        if settings.engine == "static":  # `single` is the paper's protocol: nothing is shared
            generator.share_prefix(requests)
        _by_plan(catalogue, cell, work, generator, (progress, done, pace))
    return [done[request.sample_id] for request in requests]


def _by_plan(
    catalogue: Catalogue, cell: Cell, work: tuple[Sequence[Request], Plan], generator: Generator, keeping: Keeping
) -> None:
    """Run the batches of the plan that are not finished yet."""
    (requests, plan), (progress, done, _) = work, keeping
    for number, batch in enumerate(plan, start=1):
        missing = {requests[place].sample_id for place in batch} - done.keys()
        if not missing:
            continue
        progress.begin_batch()
        # The whole batch runs again even where part of it is on disk: its composition decides the answers.
        asked = [requests[place] for place in batch]
        try:
            answers = answer_halving(generator.answer, asked, progress.note_halved, advice(catalogue, cell))
        except ModelError as error:
            raise ModelError(f"{cell.label}: {error}") from None
        answers = [answer for answer in answers if answer.sample_id in missing]
        _keep(answers, keeping, f"batch {number}/{len(plan)}")


def _continuously(
    token_budget: int, cell: Cell, requests: Sequence[Request], generator: Generator, keeping: Keeping
) -> None:
    """Answer all that is missing; nothing of a finished sample is generated again."""
    from ..engine.continuous import answer_continuously

    progress, done, _ = keeping
    missing = [request for request in requests if request.sample_id not in done]
    progress.begin_batch()
    answers: list[Prediction] = []
    kept_at = time.monotonic()
    # Closed at once where keeping fails: its thread would go on generating.
    with closing(answer_continuously(generator, missing, token_budget, cell.label)) as stream:
        try:
            for answer in stream:
                answers.append(answer)
                if time.monotonic() - kept_at > _KEEP_EVERY_S:
                    kept, answers, kept_at = answers, [], time.monotonic()
                    _keep(kept, keeping, "continuous batching")
        except ModelError:
            _keep(answers, keeping, "continuous batching")
            raise
    _keep(answers, keeping, "continuous batching")


def _keep(answers: Sequence[Prediction], keeping: Keeping, where: str) -> None:
    progress, done, pace = keeping
    if answers:
        progress.append(answers)
        done.update({answer.sample_id: answer for answer in answers})
        pace.finished(len(answers), where)
