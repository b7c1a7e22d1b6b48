"""Running out of memory halves a batch; a sample that does not fit alone is named."""

import pytest
import torch

from quantbench.cell.requests import Request
from quantbench.contracts.records import Prediction
from quantbench.engine.by_plan import answer_halving
from quantbench.errors import ModelError

ADVICE = "such a prompt of {} tokens takes more".format
BATCH = [Request(str(number), "x", list(range(10 + number))) for number in range(7)]


def fits(rows: int, error: Exception):
    """A generator whose memory holds so many rows."""

    def answer(batch: list[Request]) -> list[Prediction]:
        if len(batch) > rows:
            raise error
        return [Prediction(request.sample_id, ["a"], len(request.token_ids), [1], ["stop"]) for request in batch]

    return answer


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError()])
def test_batches_are_halved_until_they_fit_and_recorded(error: Exception) -> None:
    halved: list[list[str]] = []
    answers = answer_halving(fits(2, error), BATCH, halved.append, ADVICE)
    assert [answer.sample_id for answer in answers] == [request.sample_id for request in BATCH]
    assert halved == [list("0123456"), list("012"), list("3456")]


def test_a_real_refusal_of_memory_is_recognized() -> None:
    def answer(batch: list[Request]) -> list[Prediction]:
        if len(batch) > 4:
            torch.empty(1 << 62, dtype=torch.uint8)
        return fits(4, MemoryError())(batch)

    halved: list[list[str]] = []
    assert len(answer_halving(answer, BATCH, halved.append, ADVICE)) == 7
    assert len(halved) == 1


def test_one_sample_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        ModelError,
        match=r"batch size 1, sample 3 with a prompt of 13 tokens: .* \(CUDA out of memory\); .*13 tokens takes more",
    ):
        answer_halving(fits(0, torch.OutOfMemoryError("CUDA out of memory\ndetails")), [BATCH[3]], [].append, ADVICE)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shape"):
        answer_halving(fits(0, RuntimeError("shape")), BATCH, [].append, ADVICE)
