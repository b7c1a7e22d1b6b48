"""The cache written in place holds what transformers' own would, for each kind of layer."""

import pytest
import torch
from transformers import LlamaConfig, Qwen2Config
from transformers.cache_utils import DynamicCache, DynamicSlidingWindowLayer

from quantbench.engine.cache import ReservedLayer, reserved, restarted

SIZES = {"vocab_size": 10, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = LlamaConfig(**SIZES)
SLIDING = Qwen2Config(
    **SIZES, use_sliding_window=True, sliding_window=4, max_window_layers=1, num_key_value_heads=4
)  # its second layer only looks back four tokens


def states(rows: int, tokens: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(rows, 4, tokens, 16, generator=generator) for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize("config", [LLAMA, SLIDING])
@pytest.mark.parametrize("repeats", [1, 3])
def test_prefix_repeated_then_extended(config, repeats: int) -> None:
    prefix, own = DynamicCache(config=config), DynamicCache(config=config)
    for layer in range(2):
        prefix.update(*states(2, 6, layer), layer)
        own.update(*states(2, 6, layer), layer)
    own.batch_repeat_interleave(repeats)
    cache = reserved(config, 12, prefix, repeats)
    for step, tokens in enumerate([3, 1, 1]):
        for layer in range(2):
            new = states(2 * repeats, tokens, 10 + step)
            ours, theirs = cache.update(*new, layer), own.update(*new, layer)
            assert torch.equal(ours[0], theirs[0])
            assert torch.equal(ours[1], theirs[1])
            assert cache.get_mask_sizes(1, layer) == own.get_mask_sizes(1, layer)
        assert cache.get_seq_length() == own.get_seq_length()
    assert prefix.get_seq_length() == 6  # the next batch starts from it again


def test_an_empty_start_and_the_kinds_of_layers() -> None:
    cache = reserved(SLIDING, 8)
    assert [type(layer) for layer in cache.layers] == [ReservedLayer, DynamicSlidingWindowLayer]
    assert cache.get_seq_length() == 0
    keys, _ = cache.update(*states(2, 3, 1), 0)
    before = keys.data_ptr()
    keys, _ = cache.update(*states(2, 1, 2), 0)
    assert (keys.shape[2], keys.data_ptr()) == (4, before)  # nothing was copied


def test_the_memory_of_one_batch_serves_the_next() -> None:
    first = reserved(LLAMA, 12)
    for layer in range(2):
        first.update(*states(3, 6, layer), layer)
    begun = [layer.keys[:2, :, :4].clone() for layer in first.layers]
    second = restarted(first, rows=2, length=4)
    assert second is not None
    assert second.get_seq_length() == 4
    for layer in range(2):
        keys, _ = second.update(*states(2, 3, 9), layer)
        assert torch.equal(keys, torch.cat([begun[layer], states(2, 3, 9)[0]], dim=2))
        assert keys.data_ptr() == first.layers[layer].keys.data_ptr()
    sliding = reserved(SLIDING, 12)
    sliding.update(*states(3, 6, 0), 0)
    assert restarted(sliding, 2, 4) is None  # what slid out of its window is gone


def test_more_than_was_reserved_is_an_error_not_a_loss() -> None:
    cache = reserved(LLAMA, 3)
    with pytest.raises(RuntimeError):
        cache.update(*states(1, 4, 1), 0)
