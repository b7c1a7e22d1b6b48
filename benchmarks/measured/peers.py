"""What others make of the same model and prompts: a bare ``generate`` loop, and lm-evaluation-harness where installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from quantbench.engine.batches import Request
from quantbench.models.loading import LoadedModel
from quantbench.models.synthetic_tokenizer import CHARACTERS_A_TOKEN


def peers_tokens_per_s(
    loaded: LoadedModel, batch: Sequence[Request], few: Sequence[Request], new_tokens: int
) -> dict[str, float | str]:
    """New tokens a second of each peer; where one cannot run, the reason in words."""
    found: dict[str, float | str] = {"bare": _rate(loaded, few, new_tokens, partial(_bare, loaded, few, new_tokens))}
    if harness_version() is None:
        return found | {"lm_eval": "not installed"}
    try:
        found["lm_eval"] = _rate(loaded, batch, new_tokens, _harness(loaded, batch, new_tokens))
    except Exception as error:  # a peer that fails must not take the measurements with it
        found["lm_eval"] = f"failed: {type(error).__name__}: {error}"
    return found


def harness_version() -> str | None:
    """The installed release of lm-evaluation-harness, if there is one."""
    try:
        return version("lm_eval")
    except PackageNotFoundError:
        return None


def _rate(loaded: LoadedModel, asked: Sequence[Request], new_tokens: int, run: Callable[[], None]) -> float:
    _synchronize(loaded)
    begin = time.perf_counter()
    run()
    _synchronize(loaded)
    return len(asked) * new_tokens / (time.perf_counter() - begin)


def _bare(loaded: LoadedModel, asked: Sequence[Request], new_tokens: int) -> None:
    """One prompt at a time with nothing but transformers."""
    for request in asked:
        ids = torch.tensor([request.token_ids], device=loaded.device)
        with torch.inference_mode():
            output = loaded.model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=new_tokens
            )
        assert output.shape[1] == ids.shape[1] + new_tokens


def _harness(loaded: LoadedModel, asked: Sequence[Request], new_tokens: int) -> Callable[[], None]:
    """lm-evaluation-harness' own Hugging Face model around the same one, ready to answer all prompts in one batch."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    length = len(asked[0].token_ids)
    harness: Any = HFLM(
        pretrained=loaded.model,
        tokenizer=loaded.tokenizer,
        batch_size=len(asked),
        max_length=length + new_tokens,
        device=str(loaded.device),
    )
    options = {"until": [], "max_gen_toks": new_tokens, "do_sample": False}
    # It takes texts: as many pieces of four characters as the prompts have tokens.
    texts = [f"{request.sample_id:>{CHARACTERS_A_TOKEN}}" * length for request in asked]
    instances = [Instance("generate_until", {}, (text, options), number) for number, text in enumerate(texts)]

    def run() -> None:
        answers = harness.generate_until(instances, disable_tqdm=True)
        # Tokens of a stand-in are decoded to their numbers, apart by blanks.
        assert [len(answer.split()) for answer in answers] == [new_tokens] * len(asked)

    return run


def _synchronize(loaded: LoadedModel) -> None:
    if loaded.device.type == "cuda":
        torch.cuda.synchronize(loaded.device)
