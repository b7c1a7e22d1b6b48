"""The engine ``continuous``: transformers' continuous batching, which starts the next prompt where an answer ends.

No batch waits for its longest answer, and blocks of keys and values that prompts begin with are shared. Which prompts run
side by side follows from timing, so the composition is not frozen (docs/protocol.md#engines). Paged attention is written for GPUs:
on CPU it runs, gives the same answers in float32, and is slower than ``static``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator as Yields
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from transformers import ContinuousBatchingConfig

from ...contracts.records import Prediction
from ...errors import ModelError
from ...models.out_of_memory import POSSIBLE, asked_and_free, is_out_of_memory, let_go, release, says_out_of_memory
from ..batches import Request
from ..generation import Generator
from ..job import Answered, Job

if TYPE_CHECKING:
    from transformers.generation.continuous_batching import ContinuousBatchingManager

    from ...models.interfaces import CausalModel

_CPU_BLOCK_TOKENS = 32
_POLL_S = 1.0
# Left open, transformers decides each by what is installed beside: flash attention in place of the attention that the model was
# timed with, then CUDA graphs, which LLM.int8 cannot be captured in since it waits for the device inside, and with them batches
# prepared ahead, which take their inputs' memory twice.
_AS_TIMED = ContinuousBatchingConfig(
    allow_block_sharing=True,
    auto_switch_to_flash=False,
    use_cuda_graph=False,
    use_async_batching=False,
    default_compile_level=0,
    max_blocks_per_request=0,  # flash attention's own path for single tokens
)
# What transformers calls a number of blocks that comes out below one, in a plain ValueError.
_NO_BLOCK = "num_sectors"
# Samples end one by one; a disk is asked to keep them this often.
_KEEP_EVERY_S = 1.0


def answer(job: Job) -> Yields[Answered]:
    """See :class:`quantbench.engine.kinds.Engine`; nothing of a finished sample is generated again."""
    missing = [request for request in job.requests if request.sample_id in job.missing]
    job.begin()
    answers: list[Prediction] = []
    kept_at = time.monotonic()
    # Closed at once where keeping fails: its thread would go on generating.
    with closing(answer_continuously(job.generator, missing, job.token_budget, job.label)) as stream:
        try:
            for prediction in stream:
                answers.append(prediction)
                if time.monotonic() - kept_at > _KEEP_EVERY_S:
                    yield Answered(answers, "continuous batching")
                    answers, kept_at = [], time.monotonic()
        except ModelError:
            yield Answered(answers, "continuous batching")
            raise
    yield Answered(answers, "continuous batching")


def check_one_device(model: CausalModel, name: str) -> None:
    """Refuse a model that is spread over several devices: the paged cache lies on one.

    Raises:
        ModelError: names the devices and what to do.
    """
    devices = sorted({str(device) for device in getattr(model, "hf_device_map", {}).values()})
    if len(devices) > 1:
        raise ModelError(
            f"{name}: inference.engine 'continuous' needs the model on one GPU, and it is spread over {', '.join(devices)}; "
            "use inference.engine: static, or a precision that fits one GPU"
        )


def answer_continuously(
    generator: Generator, requests: Sequence[Request], token_budget: int, name: str
) -> Yields[Prediction]:
    """Yield predictions as answers end, in no order.

    Args:
        generator: the model and how it generates; greedy.
        requests: prompts.
        token_budget: on CPU, most tokens in the cache; on a GPU the cache takes the memory that is free.
        name: the cell, for messages.

    Raises:
        ModelError: the model is spread over several devices, its scores are no numbers, memory does not suffice, or a request
            failed.
    """
    model, longest = generator.model, max(len(request.token_ids) for request in requests)
    check_one_device(model, name)
    tokens = max(token_budget, 2 * (longest + generator.settings.max_new_tokens))
    try:
        generator.check_numbers(requests[0])
        yield from _batched(generator, requests, _settings(model.device.type, tokens), name)
        return
    except ModelError as error:
        raise ModelError(str(error) if name in str(error) else f"{name}: {error}") from None
    except (ValueError, *POSSIBLE) as error:
        short = is_out_of_memory(error) or _NO_BLOCK in str(error)
        if not short and not isinstance(error, ValueError):
            raise
        lacking = let_go(error)
    # Outside the handler, which would hold what did not fit.
    release()
    if short:
        raise ModelError(
            f"{name}: out of memory in continuous batching with prompts of up to {longest} tokens{asked_and_free(lacking)}; its cache takes "
            "nearly all that is free beside the weights, and inference.engine: static takes less"
        )
    raise ModelError(f"{name}: continuous batching: {lacking.said}; use inference.engine: static")


def _settings(device: str, tokens: int) -> ContinuousBatchingConfig:
    if device != "cpu":
        return _AS_TIMED
    # Left to itself it would take most of the machine's memory; small blocks, since only whole ones are shared.
    return replace(
        _AS_TIMED,
        page_size=_CPU_BLOCK_TOKENS,
        num_blocks=-(-tokens // _CPU_BLOCK_TOKENS),
        max_batch_tokens=min(tokens, 1024),
    )


def _batched(
    generator: Generator, requests: Sequence[Request], settings: ContinuousBatchingConfig, name: str
) -> Yields[Prediction]:
    # It writes tracebacks of what the results say too, and warns where it is stopped twice.
    logging.getLogger("ContinuousBatchingLogger").setLevel(logging.CRITICAL)
    with generator.model.continuous_batching_context_manager(
        generation_config=generator.model.generation_config, continuous_batching_config=settings
    ) as manager:
        try:
            yield from _results(manager, generator, requests, name)
        except BaseException:
            # Left alone, it would first finish every prompt it has.
            manager.stop(hard_stop=True)
            raise


def _results(
    manager: ContinuousBatchingManager, generator: Generator, requests: Sequence[Request], name: str
) -> Yields[Prediction]:
    streaming = generator.stops_early  # each token is looked at only where one of them may complete an answer
    by_id = {request.sample_id: request for request in requests}
    # Neighbours in dictionary order share most, so that their blocks are still there.
    for request in sorted(requests, key=lambda request: request.token_ids):
        manager.add_request(
            request.token_ids,
            request_id=request.sample_id,
            max_new_tokens=generator.settings.max_new_tokens,
            streaming=streaming,
        )
    while by_id:
        result = manager.get_result(timeout=_POLL_S)
        if result is None:
            if not manager.is_running():
                reason = manager.background_thread_status.fatal_error or "its thread ended"
                _raise_if_short(str(reason))
                raise ModelError(f"{name}: continuous batching stopped with {len(by_id)} samples left: {reason}")
            continue
        known = by_id.get(result.request_id)  # None: stopped early, and more of it was on its way
        if known is None:
            continue
        if result.error is not None:
            _raise_if_short(result.error)
            raise ModelError(f"{name}: sample {known.sample_id} failed in continuous batching: {result.error}")
        tokens = list(result.generated_tokens)
        early = streaming and bool(tokens) and generator.completes(known, tokens)
        if early and not result.is_finished():
            manager.cancel_request(known.sample_id)
        if early or result.is_finished():
            del by_id[known.sample_id]
            yield generator.reader.prediction(known, [tokens], [len(tokens) if early else None])


def _raise_if_short(said: str) -> None:
    """Raise what a thread says that it died of, where memory ran out."""
    if says_out_of_memory(said):
        raise torch.OutOfMemoryError(said)
