"""Answering by a frozen plan, batch by batch.

Where memory runs out, the batch is halved and tried again, down to one sample, and every halving is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..contracts.records import Prediction
from ..errors import ModelError
from ..models.out_of_memory import POSSIBLE, asked_and_free, is_out_of_memory, let_go, release
from .batches import Request
from .job import Answered, Job

Answer = Callable[[Sequence[Request]], list[Prediction]]
Note = Callable[[list[str]], None]
Advice = Callable[[int], str]


def answer_by_plan(job: Job) -> Iterator[Answered]:
    """Run the batches of the plan that are not finished yet.

    Raises:
        ModelError: a single sample does not fit into memory.
    """
    for number, batch in enumerate(job.plan, start=1):
        if not {job.requests[place].sample_id for place in batch} & job.missing:
            continue
        job.begin()
        # The whole batch runs again even where part of it is on disk: its composition decides the answers.
        asked = [job.requests[place] for place in batch]
        try:
            answers = answer_halving(job.generator.answer, asked, job.note_halved, job.advice)
        except ModelError as error:
            raise ModelError(f"{job.label}: {error}") from None
        missing = [answer for answer in answers if answer.sample_id in job.missing]
        scores = [one for one in job.generator.take_scores() if one.sample_id in job.missing]
        yield Answered(missing, f"batch {number}/{len(job.plan)}", scores)


def answer_halving(answer: Answer, batch: Sequence[Request], note: Note, advice: Advice) -> list[Prediction]:
    """Answer a batch; where it does not fit into memory, answer its halves.

    Args:
        answer: generates the answers of a batch.
        batch: requests of one batch of the plan.
        note: takes the sample ids of each batch that did not fit, for the manifest.
        advice: what to say about a prompt of so many tokens that does not fit alone.

    Raises:
        ModelError: a single sample does not fit; names its prompt's length, what was asked and what is free.
    """
    try:
        return answer(batch)
    except POSSIBLE as error:
        if not is_out_of_memory(error):
            raise
        lacking = let_go(error)
    # Outside the handler: the error's trace holds the failed batch's tensors.
    release()
    if len(batch) == 1:
        tokens = len(batch[0].token_ids)
        raise ModelError(
            f"out of memory at batch size 1, sample {batch[0].sample_id} with a prompt of {tokens} tokens"
            f"{asked_and_free(lacking)}; {advice(tokens)}"
        )
    note([request.sample_id for request in batch])
    middle = len(batch) // 2
    return answer_halving(answer, batch[:middle], note, advice) + answer_halving(answer, batch[middle:], note, advice)
