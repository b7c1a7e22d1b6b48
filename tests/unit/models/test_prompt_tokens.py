"""What a clinical text says is text, whatever it looks like; every other prompt has the tokens it always had."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from tests import tiny_tokenizers

from quantbench.config import ModelEntry, load_datasets, read_entries
from quantbench.datasets import read_split
from quantbench.models.chat import Chat, find_chat
from quantbench.models.prompt_tokens import PromptTokenizer
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.models.tokenizing import load_tokenizer
from quantbench.prompts import read_template, render, template_path

DAY = date(2024, 7, 26)


@pytest.fixture(scope="module", params=tiny_tokenizers.KINDS)
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """One of each kind."""
    return load_tokenizer(tiny_tokenizers.KINDS[request.param](tmp_path_factory.mktemp(request.param)))


@pytest.fixture(scope="module")
def entry(repository: Path) -> ModelEntry:
    return read_entries(repository / "config/models", ModelEntry)["llama-3.3-70b"]


@pytest.fixture(scope="module")
def prompts(repository: Path) -> list[str]:
    """Some of the demo's prompts, of every dataset."""
    found = []
    for name, entry in load_datasets(repository, repository / "resources/demo/datasets").items():
        template = read_template(template_path(repository, name, "instruction"))
        samples = read_split(repository / "resources/demo/datasets" / name / entry.files["test"][0].name, entry, None)
        found += [render(entry, template, sample) for sample in samples[:25]]
    assert len(found) == 200
    return found


def chat_of(tokenizer, entry: ModelEntry) -> Chat:
    return find_chat(tokenizer, "m", entry, DAY)


def test_ordinary_prompts_have_the_tokens_they_always_had(tokenizer, entry: ModelEntry, prompts: list[str]) -> None:
    own, chat = PromptTokenizer(tokenizer), chat_of(tokenizer, entry)
    for prompt in prompts:
        assert own.tokenize(prompt).token_ids == tokenizer(prompt)["input_ids"]
        text = chat.render(prompt)
        assert own.tokenize(prompt, chat.render).token_ids == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_chat_without_a_clock_is_what_transformers_makes_of_it(tokenizer, entry: ModelEntry) -> None:
    chat, said = chat_of(tokenizer, entry), [{"role": "user", "content": " Which label? \n"}]
    expected = tokenizer.apply_chat_template(
        said, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024"
    )
    assert chat.render(" Which label? \n") == expected


def test_the_way_of_odd_prompts_changes_nothing_else(tokenizer, entry: ModelEntry, prompts: list[str]) -> None:
    own, chat = PromptTokenizer(tokenizer), chat_of(tokenizer, entry)
    for prompt in prompts[::5]:
        for wrap in (None, chat.render):
            assert own._literal(prompt, wrap) == own.tokenize(prompt, wrap)


@pytest.mark.parametrize("place", ["{}", "start {} end", "glued{}glued", "{}{} twice {}", "- {}\n\n", "({})."])
def test_special_tokens_in_a_text_are_text(tokenizer, entry: ModelEntry, place: str) -> None:
    own, chat = PromptTokenizer(tokenizer), chat_of(tokenizer, entry)
    unknown = tokenizer.unk_token_id
    for name in tokenizer.all_special_tokens:
        prompt = place.format(*[name] * 3)
        for wrap in (None, chat.render):
            found = own.tokenize(prompt, wrap)
            plain = own.tokenize("x", wrap)
            special = {token for token in tokenizer.all_special_ids if token != unknown}
            kept, usual = (Counter(token for token in one.token_ids if token in special) for one in (found, plain))
            assert kept == usual, (name, found)
            assert found.text == (wrap(prompt) if wrap else prompt)
            assert prompt.strip() in tokenizer.decode(found.token_ids) or unknown in found.token_ids


def test_a_marker_that_is_not_special_stays_the_token_it_is(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.qwen(tmp_path))
    marker = tokenizer.convert_tokens_to_ids("<think>")
    for text in ("<think> of it", "<think> of <|im_end|>"):
        assert PromptTokenizer(tokenizer).tokenize(text).token_ids.count(marker) == 1


def test_private_characters_of_a_text_stay_what_they_are(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.llama3(tmp_path))
    prompt = "".join(map(chr, range(0x100000, 0x100020))) + " <|eot_id|>"
    found = PromptTokenizer(tokenizer).tokenize(prompt)
    assert found.text == prompt
    assert tokenizer.decode(found.token_ids, skip_special_tokens=True) == prompt


def test_an_end_token_after_a_text_is_left_off(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, processors

    folder = tiny_tokenizers.llama2(tmp_path)
    whole = Tokenizer.from_file(str(folder / "tokenizer.json"))
    whole.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> <s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    whole.save(str(folder / "tokenizer.json"))
    tokenizer = load_tokenizer(tiny_tokenizers.change(folder, add_eos_token=True, add_bos_token=True))
    assert tokenizer("we need")["input_ids"][-1] == 2
    own = PromptTokenizer(tokenizer)
    for prompt in ("we need", "we need </s>", "we need <s>"):
        ids = own.tokenize(prompt).token_ids
        assert (ids[0], ids.count(1), ids.count(2)) == (1, 1, 0)
    assert own.tokenize("we need").token_ids == tokenizer("we need")["input_ids"][:-1]


def test_a_tokenizer_written_in_python_reads_no_special_token_either() -> None:
    tokenizer = SyntheticTokenizer(1000)
    own = PromptTokenizer(tokenizer)
    chat = Chat("m", str(tokenizer.chat_template), dict(tokenizer.special_tokens_map), DAY)
    for wrap in (None, chat.render):
        found = own.tokenize("four<end>four", wrap)
        assert tokenizer.eos_token_id not in found.token_ids
        assert found.text == (wrap("four<end>four") if wrap else "four<end>four")
