"""Tiny checkpoints of many families, as transformers writes them: random weights, a tokenizer, a chat template."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

Config = dict[str, JsonValue]

TEXTS = [
    "Which label applies?",
    "Text: aspirin lowers fever; warfarin does not.",
    "Labels: a; b",
    "Answer: C",
    "yes no maybe",
]
TEMPLATE = "{% for message in messages %}<user>{{ message['content'] }}{% endfor %}<assistant>"
_SIZES: Config = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "pad_token_id": 2,
    "initializer_range": 0.5,  # wide enough that greedy answers differ from prompt to prompt
}
_IN_TURNS: Config = {"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 16}
_VISION: Config = {
    "model_type": "siglip_vision_model",
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 28,
    "patch_size": 14,
}
# model_type -> its config.json: what each family has of its own beside the sizes of all.
FAMILIES: dict[str, Config] = {
    "llama": {**_SIZES, "tie_word_embeddings": True, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
    "qwen3": {**_SIZES, "head_dim": 32},
    "qwen3_moe": {**_SIZES, "head_dim": 32, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64},
    "gemma3_text": {**_SIZES, **_IN_TURNS, "head_dim": 32},
    "gemma3": {
        "text_config": {**_SIZES, **_IN_TURNS, "model_type": "gemma3_text", "head_dim": 32},
        "vision_config": _VISION,
        "mm_tokens_per_image": 4,
    },
    "mistral": {**_SIZES, "sliding_window": 32, "head_dim": 32},
    "gpt_oss": {**_SIZES, **_IN_TURNS, "head_dim": 32, "num_local_experts": 4, "num_experts_per_tok": 2},
    "olmo2": _SIZES,
    "granite": {**_SIZES, "embedding_multiplier": 12.0},
    "phi3": _SIZES,
    "mixtral": {**_SIZES, "num_local_experts": 4, "num_experts_per_tok": 2},
    "deepseek_v2": {
        **_SIZES,
        "num_key_value_heads": 4,
        "q_lora_rank": None,
        "kv_lora_rank": 32,
        "qk_nope_head_dim": 16,
        "qk_rope_head_dim": 8,
        "v_head_dim": 16,
        "n_routed_experts": 4,
        "n_group": 1,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 64,
        "first_k_dense_replace": 1,
    },
}


def write_model(folder: Path, family: str, shard_size: str = "1GB") -> Path:
    """Write a checkpoint of a family into ``folder``, in bfloat16, and return the folder."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = CONFIG_MAPPING[family].from_dict(dict(FAMILIES[family]))
    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).save_pretrained(folder, max_shard_size=shard_size)
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS * 5, vocab_size=320, special_tokens=["<s>", "</s>", "<pad>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    return folder
