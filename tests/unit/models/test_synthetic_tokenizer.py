"""The tokenizer of stand-ins: as many tokens as a trained one would make, over the whole vocabulary."""

from __future__ import annotations

from datetime import date

from tests.stand_ins import stand_in

from quantbench.models.chat import find_chat
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer

TEXT = "Aspirin lowers fever; warfarin does not. " * 50


def test_four_characters_a_token_over_the_vocabulary() -> None:
    tokenizer = SyntheticTokenizer(1000)
    tokens = tokenizer(TEXT)["input_ids"]
    assert len(tokens) == -(-len(TEXT) // 4)
    assert min(tokens) >= 2
    assert max(tokens) < 1000
    assert len(tokenizer) == tokenizer.vocab_size == len(tokenizer.get_vocab()) == 1000


def test_equal_texts_are_equal_tokens_and_others_are_not() -> None:
    tokenizer = SyntheticTokenizer(150_000)
    first, again, other = (tokenizer(text)["input_ids"] for text in (TEXT, TEXT, TEXT[1:]))
    assert first == again != other


def test_padding_is_on_the_left_and_masked() -> None:
    batch = SyntheticTokenizer(1000)(["four", "four and four"], padding=True)
    assert batch["attention_mask"] == [[0, 0, 0, 1], [1, 1, 1, 1]]
    assert batch["input_ids"][0][:3] == [1, 1, 1]


def test_chat_and_back() -> None:
    tokenizer = SyntheticTokenizer(1000)
    chat = find_chat(tokenizer, "m", stand_in(), date(2024, 7, 26))
    assert chat.render("Which label?") == "<user>Which label?<turn><assistant>"
    assert tokenizer.decode([0, 5, 999, 1], skip_special_tokens=True) == "<5> <999>"
    assert tokenizer.bos_token_id is None
