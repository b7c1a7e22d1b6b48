"""A model's facts as its class states them: built without weights, each weight is counted by what becomes of it.

transformers builds the class of a ``config.json`` on torch's ``meta`` device, where tensors have shapes and no content, and
one pass shows which layers a token goes through and what it leaves in the cache. So no family needs to be known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, cast

import torch
from torch import nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from ..config import Architecture, Counts
from ..errors import ModelError
from ..reading.library_errors import said

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel

# What transformers calls the number of experts that a token goes to, by family.
_ACTIVE = ("num_experts_per_tok", "top_k_experts")
_EXPERT_SIZES = ("moe_intermediate_size", "intermediate_size")
_INNER = ("intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size")


class _Cached(TypedDict):
    """What one token leaves in the cache, as :class:`quantbench.config.Counts` calls it."""

    cached: int
    cached_in_window: int
    window: int | None
    state: int


def model_class(config: PreTrainedConfig, dtype: torch.dtype = torch.bfloat16) -> PreTrainedModel:
    """The causal language model of a configuration, with shapes only.

    Raises:
        ModelError: transformers has no such class, or cannot build it of these facts.
    """
    from transformers import AutoModelForCausalLM

    try:
        with torch.device("meta"):
            return cast("PreTrainedModel", AutoModelForCausalLM.from_config(config, dtype=dtype).eval())
    except Exception as error:  # each class has its own way of not taking a fact
        raise ModelError(f"transformers cannot build this architecture ({config.model_type}): {said(error)}") from None


def architecture_of(config: PreTrainedConfig) -> Architecture:
    """The facts of a configuration under our names, its text model's where it has others beside.

    Raises:
        ModelError: it lacks one, by name.
    """
    text = config.get_text_config(decoder=True)
    heads = _fact(text, "num_attention_heads")
    hidden = _fact(text, "hidden_size")
    head = getattr(text, "head_dim", None)
    return Architecture(
        layers=_fact(text, "num_hidden_layers"),
        hidden_size=hidden,
        attention_heads=heads,
        key_value_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_size=head if head not in (None, hidden // heads) else None,
        intermediate_size=_first(text, _INNER) or 4 * hidden,
        vocab_size=_fact(text, "vocab_size"),
        context_length=_fact(text, "max_position_embeddings"),
        tied_head=bool(getattr(text, "tie_word_embeddings", False)),
    )


def count(model: PreTrainedModel) -> Counts:
    """Count a model's weights by what becomes of them.

    Args:
        model: of :func:`model_class`.

    Raises:
        ModelError: a layer keeps something else than keys and values, or the class cannot be run.
    """
    linear = dict(_quantized(model))
    weights = {id(weight): weight for weight in model.parameters()}  # a tied one counts once
    ends: list[nn.Module | None] = [model.get_input_embeddings(), model.get_output_embeddings()]
    tables = {id(_weight(layer)) for layer in ends if layer is not None}
    replaced = {id(_weight(layer)) for layer in linear.values()}
    convolved = {id(_weight(layer)) for layer in model.modules() if isinstance(layer, nn.Conv1d)}
    experts = [
        weight
        for key, weight in weights.items()
        if weight.dim() == 3 and len(weight) > 1 and key not in replaced | tables | convolved
    ]
    total, in_tables = _numel(weights.values()), _numel(weights[key] for key in tables)
    in_linear, in_experts = _numel(weights[key] for key in replaced), _numel(experts)
    passed, cache = _run(model, linear)
    text = model.config.get_text_config(decoder=True)
    inner, active = _first(text, _INNER), _first(text, _ACTIVE)
    return Counts(
        linear=in_linear,
        linear_outputs=sum(_outputs(layer) for layer in linear.values()),
        linear_calls=passed.total(),
        largest_matrix=max((_weight(linear[name]).numel() for name in passed), default=0),
        fused=any(_outputs(linear[name]) == 2 * inner for name in passed),
        experts=in_experts,
        active_experts=sum(
            weight.numel() // len(weight) * min(active or len(weight), len(weight)) for weight in experts
        ),
        experts_a_token=active if experts else 0,
        expert_intermediate=_first(text, _EXPERT_SIZES) * active if experts else 0,
        tables=in_tables,
        rest=total - in_linear - in_experts - in_tables,
        holds_scores=text._attn_implementation == "eager",
        beyond_formulas=_beyond_formulas([linear[name] for name in passed], text, cache, bool(experts)),
        **_cached(model, cache),
    )


def _quantized(model: PreTrainedModel) -> Iterator[tuple[str, nn.Module]]:
    """The layers that transformers has bitsandbytes replace, by its own rules, with their names."""
    from transformers.pytorch_utils import Conv1D
    from transformers.quantizers.base import HfQuantizer
    from transformers.quantizers.quantizers_utils import should_convert_module

    kept = HfQuantizer.get_modules_to_not_convert(model, None, list(model._keep_in_fp32_modules or ()))
    for name, layer in model.named_modules():
        if (type(layer) is nn.Linear or isinstance(layer, Conv1D)) and should_convert_module(name, kept):
            yield name, layer


def _run(model: PreTrainedModel, linear: dict[str, nn.Module]) -> tuple[Counter[str], DynamicCache | None]:
    """One pass: how often each of the layers was called, and the cache it left."""
    calls: Counter[str] = Counter()
    hooks = [layer.register_forward_hook(lambda *_, name=name: calls.update([name])) for name, layer in linear.items()]
    try:
        cache = one_pass(model)
    except ModelError as error:
        raise ModelError(f"model_type {model.config.model_type!r} cannot be counted: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
    return calls, cache


class _AnyFormat(TorchDispatchMode):
    """Lets experts of any number format be multiplied on shapes: torch's own rule for shapes takes bfloat16 alone."""

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        if func is torch.ops.aten._grouped_mm.default:
            tokens, experts = cast(tuple[torch.Tensor, torch.Tensor], args[:2])
            return tokens.new_empty((tokens.shape[0], experts.shape[-1]))
        return func(*args, **(kwargs or {}))


def one_pass(model: PreTrainedModel) -> DynamicCache | None:
    """Run three tokens through a model of shapes, for what the hooks on its layers note; returns the cache it leaves.

    Raises:
        ModelError: the class needs the values of its tensors, or fails otherwise.
    """
    # With a padding token some classes look for it among the tokens, whose values are not there.
    padding = getattr(model.config, "pad_token_id", None)
    try:
        model.config.pad_token_id = None
        with torch.inference_mode(), _AnyFormat():  # type: ignore[no-untyped-call]
            tokens = torch.zeros((1, 3), dtype=torch.long, device="meta")
            return cast(
                "DynamicCache | None", model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values
            )
    except Exception as error:  # each class fails in its own way
        raise ModelError(f"its class does not run on shapes alone ({said(error)})") from None
    finally:
        model.config.pad_token_id = padding


def _cached(model: PreTrainedModel, cache: DynamicCache | None) -> _Cached:
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    if cache is None:
        raise ModelError(
            f"model_type {model.config.model_type!r}: its class keeps nothing of the tokens before: it encodes text; choose a "
            "model that continues it"
        )
    numbers: Counter[bool] = Counter()
    windows: set[int] = set()
    for layer in getattr(cache, "layers", [None]):
        if _state(layer) and not isinstance(layer, DynamicLayer):
            continue
        if not isinstance(layer, DynamicLayer) or layer.keys is None or layer.values is None:
            raise ModelError(
                f"model_type {model.config.model_type!r}: its layers keep other things than keys and values "
                f"({type(layer).__name__}), which is not planned for here; choose a model with attention in every layer"
            )
        if isinstance(layer, DynamicSlidingWindowLayer):
            windows.add(layer.sliding_window)
        numbers[layer.is_sliding] += sum(kept.shape[1] * kept.shape[3] for kept in (layer.keys, layer.values))
    return {
        "cached": numbers[False],
        "cached_in_window": numbers[True],
        "window": max(windows, default=None),
        "state": sum(map(_state, getattr(cache, "layers", []))),
    }


def _state(layer: object) -> int:
    """Numbers that a layer of the cache keeps of what it read, however long that was."""
    states = [*getattr(layer, "recurrent_states", {}).values(), *getattr(layer, "conv_states", {}).values()]
    return _numel(kept for kept in states if isinstance(kept, torch.Tensor))


def _beyond_formulas(
    passed: list[nn.Module], text: PreTrainedConfig, cache: DynamicCache | None, has_experts: bool
) -> list[str]:
    """What of a model's layers is neither attention over keys and values of one head size nor a gated feed-forward part."""
    found = []
    layers = getattr(cache, "layers", [])
    if any(map(_state, layers)):
        found.append("layers that keep a state in place of tokens (state space, linear attention)")
    kept = [(layer.keys, layer.values) for layer in layers if getattr(layer, "keys", None) is not None]
    if any(keys.shape[3] != values.shape[3] for keys, values in kept):
        found.append("attention with keys and values of different size")
    inner, hidden = _first(text, _INNER) or 4 * text.hidden_size, text.hidden_size
    sides = [(_outputs(layer), _weight(layer).numel() // _outputs(layer)) for layer in passed]
    into = sum(outputs // inner for outputs, inputs in sides if inputs == hidden and outputs in (inner, 2 * inner))
    out_of = sides.count((hidden, inner))
    if not has_experts and into < 2 * out_of:
        found.append("a feed-forward part without a gate")
    return found


def _outputs(layer: nn.Module) -> int:
    """Outputs of a linear layer; ``Conv1D`` keeps its weight the other way round."""
    weight = _weight(layer)
    return weight.shape[0] if isinstance(layer, nn.Linear) else weight.shape[1]


def _weight(layer: nn.Module) -> torch.Tensor:
    return cast(torch.Tensor, layer.weight)


def _numel(weights: Iterable[torch.Tensor]) -> int:
    return sum(weight.numel() for weight in weights)


def _first(config: PreTrainedConfig, names: tuple[str, ...]) -> int:
    """The first fact that a configuration states of several names; 0: none."""
    return next((int(found) for name in names if (found := getattr(config, name, None))), 0)


def _fact(config: PreTrainedConfig, name: str) -> int:
    found = getattr(config, name, None)
    if not isinstance(found, int):
        raise ModelError(f"model_type {config.model_type!r}: config.json does not state {name}")
    return found
